package cms_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms"
	"blogposter/lib/cms/cmstest"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// Each of these runs against both, so that the one in memory is held to what
// the real one does.
func onBoth(t *testing.T, test func(t *testing.T, w *cms.WordPress, tag string)) {
	t.Helper()
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, cmstest.New(t).URL), "zzmem")
	})
	for name, real := range map[string]func(testing.TB) cmstest.Server{"SQLite": cmstest.Real, "MariaDB": cmstest.MariaDB} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := real(t)
			base, err := url.Parse(server.URL)
			require.NoError(t, err)
			tag := fmt.Sprintf("zz%d", rand.Int64N(1<<40))
			t.Cleanup(func() { server.Clean(t, tag) })
			test(t, cms.New(base, server.User, server.Password, cmstest.Client(t)), tag)
		})
	}
}

func TestWordPress_takesAPostFromDraftToPublicAndAway(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *cms.WordPress, tag string) {
		t.Helper()
		require.NoError(t, w.Check(t.Context()))
		category, err := w.Term(t.Context(), editorial.TaxonomyCategory, "Law & Order "+tag)
		require.NoError(t, err)
		label, err := w.Term(t.Context(), editorial.TaxonomyTag, "News "+tag)
		require.NoError(t, err)

		want := editorial.Post{
			Status: editorial.PostDraft, Slug: "post-" + tag, Title: "A &amp; B \\ \" ' &#91;x&#93; " + tag, Excerpt: "Short \\n &lt;b&gt; 🐕",
			Content:    "<!-- wp:html -->\n<script>/* " + tag + " \\u003c \\\\ */</script>\n<!-- /wp:html -->",
			Categories: []int64{category}, Tags: []int64{label},
		}
		made, err := w.Create(t.Context(), want)
		require.NoError(t, err)
		require.Contains(t, made.URL, "/post-"+tag+"/", "the address it is to have, not its preview's")
		want.ID, want.URL, want.Meta = made.ID, made.URL, made.Meta
		require.Equal(t, want, made, "stored as sent")

		want.Status, want.Title, want.Tags = editorial.PostPublic, "Changed "+tag, nil
		updated, err := w.Update(t.Context(), want)
		require.NoError(t, err)
		require.Empty(t, updated.Tags, "no list of terms takes them away")
		read, ok, err := w.Post(t.Context(), made.ID)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, updated, read)
		require.Equal(t, made.URL, read.URL)
		require.WithinDuration(t, time.Now(), read.DatedAt, time.Minute, "in UTC, whatever zone the site has")
		page, err := w.Page(t.Context(), read.URL)
		require.NoError(t, err)
		require.Contains(t, page, "Changed "+tag)

		want.Status, want.Excerpt = "", "Another"
		kept, err := w.Update(t.Context(), want)
		require.NoError(t, err)
		require.Equal(t, editorial.PostPublic, kept.Status, "no status leaves it as it is")
		require.Equal(t, "Another", kept.Excerpt)

		back, err := w.SetStatus(t.Context(), made.ID, editorial.PostDraft)
		require.NoError(t, err)
		require.Equal(t, want.Content, back.Content)
		_, err = w.Page(t.Context(), read.URL)
		require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err), "nobody sees a draft")

		found, err := w.FindPosts(t.Context(), tag)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.NoError(t, w.Trash(t.Context(), made.ID))
		found, err = w.FindPosts(t.Context(), tag)
		require.NoError(t, err)
		require.Empty(t, found)
		read, ok, err = w.Post(t.Context(), made.ID)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, editorial.PostTrash, read.Status)

		require.NoError(t, w.Delete(t.Context(), made.ID))
		_, ok, err = w.Post(t.Context(), made.ID)
		require.NoError(t, err)
		require.False(t, ok)
		require.NoError(t, w.Delete(t.Context(), made.ID), "again is no error")
	})
}

func TestWordPress_Term_findsTheExactNameAndMakesNoSecond(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *cms.WordPress, tag string) {
		t.Helper()
		ids := map[int64]string{}
		for _, name := range []string{"Dogs " + tag, "Dogs " + tag + " & Cats", `"Dogs" <` + tag + ">", "Dogs " + tag + " éà"} {
			first, err := w.Term(t.Context(), editorial.TaxonomyTag, name)
			require.NoError(t, err)
			again, err := w.Term(t.Context(), editorial.TaxonomyTag, name)
			require.NoError(t, err)
			require.Equal(t, first, again, name)
			require.Empty(t, ids[first], "%q and %q are two", name, ids[first])
			ids[first] = name
		}
		upper, err := w.Term(t.Context(), editorial.TaxonomyTag, "DOGS "+tag)
		require.NoError(t, err)
		require.Equal(t, "Dogs "+tag, ids[upper], "WordPress takes another case for the same name")
	})
}

func TestWordPress_refusesAWrongPassword(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *cms.WordPress, _ string) {
		t.Helper()
		_, ok, err := w.Post(context.Background(), 999_999_999)
		require.NoError(t, err)
		require.False(t, ok)
	})
	server := cmstest.Real(t)
	base, err := url.Parse(server.URL)
	require.NoError(t, err)
	wrong := cms.New(base, server.User, "not it", cmstest.Client(t))
	_, err = wrong.Create(t.Context(), editorial.Post{Status: editorial.PostDraft, Title: "x"})
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.ErrorContains(t, err, "its application password was not revoked")
	require.NotContains(t, err.Error(), "not it")
}
