package publish_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
)

// matrix is what real sites are like. Each row ends with the article public,
// or with the Run waiting for a person and nothing public, and a message that
// names the cause.
var matrix = map[string]struct {
	cms     editorial.CMS // how the site is set up here
	standIn string        // what the site has, see scripts/stack/wordpress/mu-plugins
	fields  []string      // that the site keeps: title, description, keyphrase, canonical address
	says    []string      // in the Run's event, or its error
	waits   bool
}{
	"no plugin for search engines": {says: []string{"post "}},
	"Yoast":                        {cms: editorial.CMS{SEO: "yoast"}, standIn: "yoast", fields: yoast},
	"Yoast, found by itself":       {standIn: "yoast", fields: yoast},
	"Rank Math":                    {cms: editorial.CMS{SEO: "rankmath"}, standIn: "rankmath", fields: rankMath},
	"Rank Math, found by itself":   {cms: editorial.CMS{SEO: "auto"}, standIn: "rankmath", fields: rankMath},
	"a page":                       {cms: editorial.CMS{PostType: "page"}},
	"a page with Rank Math":        {cms: editorial.CMS{PostType: "page"}, standIn: "rankmath", fields: rankMath},
	"a plugin that is not wanted":  {cms: editorial.CMS{SEO: "none"}, standIn: "yoast"},
	"a page where Yoast is for posts alone": {
		cms: editorial.CMS{PostType: "page", SEO: "yoast"}, standIn: "yoast-posts", waits: true,
		says: []string{"cms.seo is yoast", "keeps Yoast's _yoast_wpseo_title, ", "for its posts alone, not for its pages", "register them with show_in_rest for page too"},
	},
	"a page where Rank Math is for posts alone": {
		cms: editorial.CMS{PostType: "page", SEO: "rankmath"}, standIn: "rankmath-posts", waits: true,
		says: []string{"cms.seo is rankmath", "keeps Rank Math's rank_math_title, ", "for its posts alone, not for its pages"},
	},
	"a page where a plugin that nobody asked for is for posts alone": {
		cms: editorial.CMS{PostType: "page"}, standIn: "yoast-posts", says: []string{"keeps Yoast's _yoast_wpseo_title, ", "for its posts alone, not for its pages"},
	},
	"a post where Rank Math is for posts alone": {cms: editorial.CMS{SEO: "rankmath"}, standIn: "rankmath-posts", fields: rankMath},
	"Yoast that takes nothing over REST": {
		cms: editorial.CMS{SEO: "yoast"}, standIn: "yoast-silent", waits: true,
		says: []string{"does not take Yoast's _yoast_wpseo_title, ", "would drop them without a word", "register_post_meta('post'", "or set cms.seo to auto or none"},
	},
	"Yoast that takes nothing over REST and nobody asked for": {
		standIn: "yoast-silent", says: []string{"does not take Yoast's _yoast_wpseo_title, ", "would drop them without a word"},
	},
	"Rank Math where Yoast is expected": {cms: editorial.CMS{SEO: "yoast"}, standIn: "rankmath", waits: true, says: []string{"does not take Yoast's"}},
	"a filter that drops the fields": {
		cms: editorial.CMS{SEO: "yoast"}, standIn: "yoast,drops-meta", waits: true,
		says: []string{"field _yoast_wpseo_metadesc for search engines was dropped", "nothing is public"},
	},
	"a REST API that is closed": {
		standIn: "refuse", waits: true, says: []string{"status 403 rest_cannot_access: Only authenticated users", "no security plugin restricts the REST API"},
	},
	"a firewall": {
		standIn: "refuse-html", waits: true, says: []string{"status 403", "something in front of WordPress refuses the call", "no security plugin or server rule blocks the REST API"},
	},
	"a category that the site lacks": {
		cms: editorial.CMS{Terms: "refuse"}, waits: true,
		says: []string{`there is no "Access & Law zz`, "among its categories", "create it there, name the one to use", "cms.term_names", "set cms.terms to create"},
	},
}

func TestMatrix_eachSiteEndsInItsStateAndNamesTheCause(t *testing.T) {
	t.Parallel()

	for site, real := range reals {
		for name, row := range matrix {
			t.Run(site+"/"+name, func(t *testing.T) {
				t.Parallel()

				w := onReal(t, real(t))
				w.setUp(t, row.cms, row.standIn)
				out, err := w.do(t.Context())
				end := pipeline.Decide(w.lease, out, err)
				if row.waits {
					require.Equal(t, pipeline.StateWaiting, end.State, "%v", err)
					require.Equal(t, pipeline.WaitingPerson, end.Waiting)
					for _, says := range row.says {
						require.Contains(t, end.Error, says)
					}
					require.NotContains(t, end.Error, w.server.Password)
					for _, p := range w.posts(t) {
						require.Equal(t, editorial.PostDraft, p.Status, "nothing is public")
					}
					return
				}
				require.NoError(t, err)
				require.Equal(t, pipeline.StateDone, end.State)
				for _, says := range row.says {
					require.Contains(t, end.Detail, says)
				}
				w.requireFields(t, row.fields)
			})
		}
	}
}

// setUp lets the site be as c says, and have what stands in.
func (w *world) setUp(t *testing.T, c editorial.CMS, standIn string) {
	t.Helper()
	to := &w.store.dossier.Site.CMS
	to.PostType, to.SEO, to.Terms, to.TermNames = c.PostType, c.SEO, c.Terms, c.TermNames
	w.asks.Del("X-Stand-In")
	if standIn != "" {
		w.asks.Set("X-Stand-In", standIn)
	}
	w.reopen(t, w.server.User, w.server.Password)
}

// requireFields says that the article is public and that search engines are
// told what was approved, under these names, or nothing.
func (w *world) requireFields(t *testing.T, names []string) {
	t.Helper()
	public := w.requirePublished(t)
	post, ok, err := w.blog.Post(t.Context(), public.ID) // with what stands in
	require.NoError(t, err)
	require.True(t, ok)
	d := w.store.dossier.Draft
	if len(names) == 0 {
		for _, n := range append(append([]string{}, yoast...), rankMath...) {
			require.Empty(t, post.Meta[n])
		}
		return
	}
	for i, text := range []string{d.Title, d.MetaDescription, d.Keyphrase, post.URL} {
		require.Equal(t, text, post.Meta[names[i]], names[i])
	}
}

func TestMatrix_anApplicationPasswordThatWasRevoked(t *testing.T) {
	t.Parallel()

	for site, real := range reals {
		t.Run(site, func(t *testing.T) {
			t.Parallel()

			w := onReal(t, real(t))
			password, revoke := w.server.Revocable(t, suffix(w.lease.RunID))
			t.Cleanup(revoke)
			w.reopen(t, w.server.User, password)
			w.store.failMark = errors.New("the worker is gone")
			_, err := w.do(t.Context())
			require.ErrorIs(t, err, w.store.failMark, "the password works, and a draft is made")
			require.Len(t, w.posts(t), 1)

			revoke()
			w.store.failMark = nil
			out, err := w.do(t.Context())
			end := pipeline.Decide(w.lease, out, err)
			require.Equal(t, pipeline.StateWaiting, end.State, "%v", err)
			require.Equal(t, pipeline.WaitingPerson, end.Waiting)
			require.Contains(t, end.Error, "status 401")
			require.Contains(t, end.Error, `refuses user "`+w.server.User+`": check that its application password was not revoked`)
			require.NotContains(t, strings.ReplaceAll(end.Error, " ", ""), strings.ReplaceAll(password, " ", ""))
			w.reopen(t, w.server.User, w.server.Password) // the person stored a new one
			require.Equal(t, editorial.PostDraft, w.posts(t)[0].Status)

			_, err = w.do(t.Context())
			require.NoError(t, err)
			w.requirePublished(t)
		})
	}
}

func TestMatrix_aSiteThatClosesItsAPIBetweenTwoAttempts(t *testing.T) {
	t.Parallel()

	for site, real := range reals {
		t.Run(site, func(t *testing.T) {
			t.Parallel()

			w := onReal(t, real(t))
			w.store.failMark = errors.New("the worker is gone")
			_, err := w.do(t.Context())
			require.ErrorIs(t, err, w.store.failMark)
			w.store.failMark = nil
			for _, standIn := range []string{"refuse", "refuse-html"} {
				w.setUp(t, editorial.CMS{}, standIn)
				out, err := w.do(t.Context())
				end := pipeline.Decide(w.lease, out, err)
				require.Equal(t, pipeline.WaitingPerson, end.Waiting, "%v", err)
				require.Contains(t, end.Error, "status 403")
			}
			w.setUp(t, editorial.CMS{}, "")
			_, err = w.do(t.Context())
			require.NoError(t, err)
			w.requirePublished(t)
		})
	}
}

func TestMatrix_usesTheSitesOwnNamesForItsTerms(t *testing.T) {
	t.Parallel()

	for site, real := range reals {
		t.Run(site, func(t *testing.T) {
			t.Parallel()

			w := onReal(t, real(t))
			d, tag := w.store.dossier.Draft, suffix(w.lease.RunID)
			names := map[string]string{d.Categories[0]: "rights & RULES " + tag, d.Tags[0]: "Questions " + tag, d.Tags[1]: "Law " + tag}
			for taxonomy, list := range map[string][]string{"categories": {"Rights & Rules " + tag}, "tags": {"Questions " + tag, "Law " + tag}} {
				for _, name := range list {
					w.server.Call(t, "POST", taxonomy, map[string]string{"name": name})
				}
			}
			w.setUp(t, editorial.CMS{Terms: "refuse", TermNames: names}, "")
			_, err := w.do(t.Context())
			require.NoError(t, err)
			post := w.requirePublished(t)
			for _, id := range post.Categories {
				require.Contains(t, string(w.server.Call(t, "GET", "categories?search=rules+"+tag, nil)), `"id":`+itoa(id))
			}
		})
	}
}
