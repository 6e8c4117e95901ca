package cms_test

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms"
	"blogposter/lib/cms/cmstest"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// openAs reaches a site that is set up as c says.
func openAs(t *testing.T, address string, c editorial.CMS) *cms.WordPress {
	t.Helper()
	c.URL, c.User = address, cmstest.User
	w, err := cms.Open(c, cmstest.Password, cmstest.Client(t))
	require.NoError(t, err)
	return w
}

func TestOpen_saysWhatIsWrongWithTheAddress(t *testing.T) {
	t.Parallel()

	for _, address := range []string{"", "dogs.example", "http://%zz"} {
		_, err := cms.Open(editorial.CMS{URL: address}, "x", cmstest.Client(t))
		require.ErrorContains(t, err, "cms.url is no web address")
		require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	}
}

var (
	yoast = []string{"_yoast_wpseo_title", "_yoast_wpseo_metadesc", "_yoast_wpseo_focuskw", "_yoast_wpseo_canonical"}
	math  = []string{"rank_math_title", "rank_math_description", "rank_math_focus_keyword", "rank_math_canonical_url"}
)

func TestWordPress_SearchFields_areThoseThatTheSiteKeeps(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		cms        editorial.CMS
		fields     map[string][]string
		namespaces []string
		plugin     string
		keeps      []string // title, description, keyphrase, canonical
		note       string
		err        string
	}{
		"nothing there":                   {keeps: []string{"", "", "", ""}},
		"Yoast":                           {fields: map[string][]string{"posts": yoast}, plugin: "yoast", keeps: yoast},
		"Rank Math, as the site says":     {cms: editorial.CMS{SEO: "rankmath"}, fields: map[string][]string{"posts": math}, plugin: "rankmath", keeps: math},
		"both, and Rank Math is asked":    {cms: editorial.CMS{SEO: "rankmath"}, fields: map[string][]string{"posts": append(append([]string{}, yoast...), math...)}, plugin: "rankmath", keeps: math},
		"none is wanted":                  {cms: editorial.CMS{SEO: "none"}, fields: map[string][]string{"posts": yoast}, keeps: []string{"", "", "", ""}},
		"the fields of pages for a page":  {cms: editorial.CMS{PostType: "page"}, fields: map[string][]string{"pages": yoast}, plugin: "yoast", keeps: yoast},
		"one field of four":               {fields: map[string][]string{"posts": yoast[1:2]}, plugin: "yoast", keeps: []string{"", yoast[1], "", ""}, note: "does not take Yoast's _yoast_wpseo_title, _yoast_wpseo_focuskw, _yoast_wpseo_canonical over its REST API"},
		"a plugin that keeps nothing":     {namespaces: []string{"rankmath/v1"}, keeps: []string{"", "", "", ""}, note: "does not take Rank Math's rank_math_title, "},
		"for posts alone":                 {cms: editorial.CMS{PostType: "page"}, namespaces: []string{"yoast/v1"}, fields: map[string][]string{"posts": yoast}, keeps: []string{"", "", "", ""}, note: "for its posts alone, not for its pages"},
		"for pages alone":                 {namespaces: []string{"yoast/v1"}, fields: map[string][]string{"pages": yoast}, keeps: []string{"", "", "", ""}, note: "for its pages alone, not for its posts"},
		"one field of four that is asked": {cms: editorial.CMS{SEO: "yoast"}, fields: map[string][]string{"posts": yoast[1:2]}, err: "cms.seo is yoast, and the site does not take Yoast's _yoast_wpseo_title, _yoast_wpseo_focuskw"},
		"no such plugin":                  {cms: editorial.CMS{SEO: "aioseo"}, err: `cms.seo is "aioseo": set it to yoast, rankmath, none or auto`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			site := cmstest.New(t)
			site.Namespaces = tc.namespaces
			if tc.fields != nil {
				site.Fields = tc.fields
			}
			got, err := openAs(t, site.URL, tc.cms).SearchFields(t.Context())
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.plugin, got.Plugin)
			kept := []string{got.Title, got.Description, got.Keyphrase, got.Canonical}
			require.Equal(t, tc.keeps, kept)
			if tc.note == "" {
				require.Empty(t, got.Notes)
				return
			}
			require.Len(t, got.Notes, 1)
			require.Contains(t, got.Notes[0], tc.note)
		})
	}
}

func TestWordPress_SearchFields_passesOnWhatTheSiteRefuses(t *testing.T) {
	t.Parallel()

	for _, seo := range []string{"", "yoast"} {
		for _, refused := range []string{http.MethodOptions + "/wp-json/wp/v2/posts", http.MethodOptions + "/wp-json/wp/v2/pages", http.MethodGet + "/wp-json/"} {
			site := cmstest.New(t)
			site.Namespaces = []string{"yoast/v1"}
			proxy := cmstest.NewProxy(t, site.URL)
			var hit atomic.Bool
			proxy.Lose(func(r *http.Request) cmstest.Loss {
				if r.Method+r.URL.Path == refused {
					hit.Store(true)
					return cmstest.Request
				}
				return cmstest.Nothing
			})
			_, err := openAs(t, proxy.URL, editorial.CMS{SEO: seo}).SearchFields(t.Context())
			if hit.Load() {
				require.Equal(t, fault.KindRetryable, fault.KindOf(err))
				require.False(t, fault.IsLost(err), "asking changes nothing")
			}
		}
	}
}

func TestWordPress_Clock_saysWhichZoneTheSiteIsSetTo(t *testing.T) {
	t.Parallel()

	site := cmstest.New(t)
	site.Zone, site.Offset = "Asia/Kolkata", 5.5
	got, err := openAs(t, site.URL, editorial.CMS{}).Clock(t.Context())
	require.NoError(t, err)
	require.Equal(t, editorial.BlogClock{Zone: "Asia/Kolkata", Offset: 5.5}, got)
}

func TestWordPress_Term_usesTheSitesNameAndRefusesWhatItLacks(t *testing.T) {
	t.Parallel()

	site := cmstest.New(t)
	create := openAs(t, site.URL, editorial.CMS{})
	law, err := create.Term(t.Context(), editorial.TaxonomyCategory, "Rights & <Rules>")
	require.NoError(t, err)
	refuse := openAs(t, site.URL, editorial.CMS{Terms: "refuse", TermNames: map[string]string{"Law": "Rights & <Rules>", "Trains": " Rail "}})
	for _, name := range []string{"Law", "Rights & <Rules>"} {
		id, err := refuse.Term(t.Context(), editorial.TaxonomyCategory, name)
		require.NoError(t, err)
		require.Equal(t, law, id, name)
	}
	_, err = refuse.Term(t.Context(), editorial.TaxonomyCategory, "Trains")
	require.ErrorContains(t, err, `there is no "Rail" among its categories: create it there, name the one to use for "Trains" in the site's cms.term_names, or set cms.terms to create`)
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
}

func TestWordPress_Term_prefersTheVeryNameToOneThatIsAlike(t *testing.T) {
	t.Parallel()

	w, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"id":3,"name":"ada"},{"id":4,"name":"Ada Lovelace"},{"id":5,"name":"ADA"}]`)
	})
	id, err := w.Term(t.Context(), editorial.TaxonomyTag, "ADA")
	require.NoError(t, err)
	require.Equal(t, int64(5), id)
	id, err = w.Term(t.Context(), editorial.TaxonomyTag, "Ada")
	require.NoError(t, err)
	require.Equal(t, int64(3), id)
}

func TestWordPress_Check_asksForNoMoreThanTheSiteNeeds(t *testing.T) {
	t.Parallel()

	site := cmstest.New(t)
	for _, may := range []string{"manage_categories", "upload_files", "edit_pages"} {
		site.Capabilities[may] = false
	}
	err := openAs(t, site.URL, editorial.CMS{}).Check(t.Context())
	require.ErrorContains(t, err, "lacks manage_categories, upload_files:")
	require.NoError(t, openAs(t, site.URL, editorial.CMS{Terms: "refuse", Image: "none"}).Check(t.Context()))
	err = openAs(t, site.URL, editorial.CMS{PostType: "page", Image: "none"}).Check(t.Context())
	require.ErrorContains(t, err, "lacks edit_pages:")
}
