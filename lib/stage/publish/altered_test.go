package publish_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms/cmstest"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

func TestStage_Do_neverPublishesWhatASiteStoresOtherwise(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		save func(p *cmstest.Post)
		says string
	}{
		"one byte of the content": {func(p *cmstest.Post) { p.Content = strings.Replace(p.Content, "may not ask", "may  not ask", 1) }, "content differs from byte"},
		"scripts stripped":        {func(p *cmstest.Post) { p.Content, _, _ = strings.Cut(p.Content, "<script") }, "content differs"},
		"the title":               {func(p *cmstest.Post) { p.Title = strings.ToUpper(p.Title) }, `title differs from byte 1 on: "WO SERVICE`},
		"the excerpt":             {func(p *cmstest.Post) { p.Excerpt += "…" }, "excerpt differs"},
		"the address":             {func(p *cmstest.Post) { p.Slug = "p-" + p.Slug }, "slug is"},
		"the categories":          {func(p *cmstest.Post) { p.Categories = []int64{9} }, "categories are [9], not [1]"},
		"the tags":                {func(p *cmstest.Post) { p.Tags = nil }, "tags are [], not [1 2]"},
		"the featured image":      {func(p *cmstest.Post) { p.Picture = 0 }, "featured image is file 0, not"},
		"the meta description":    {func(p *cmstest.Post) { p.Meta["_yoast_wpseo_metadesc"] = "Buy now" }, "field _yoast_wpseo_metadesc for search engines differs"},
		"a field that is dropped": {func(p *cmstest.Post) { delete(p.Meta, "_yoast_wpseo_focuskw") }, "field _yoast_wpseo_focuskw for search engines was dropped"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			w.fake.Fields["posts"] = yoast
			w.fake.Save = tc.save
			_, err := w.do(t.Context())
			require.ErrorContains(t, err, tc.says)
			require.ErrorContains(t, err, "nothing is public")
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
			posts := w.fake.Posts()
			require.Len(t, posts, 1)
			require.False(t, w.fake.WasPublic(posts[0].ID))
			require.Equal(t, editorial.PublicationDraft, w.store.publication().State)

			w.fake.Save = nil // the person switched the plugin off
			_, err = w.do(t.Context())
			require.NoError(t, err)
			w.requirePublished(t)
		})
	}
}

func TestStage_Do_takesBackWhatIsNotShownAsApproved(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		prepare func(w *world)
		says    string
	}{
		"changed as it becomes public": {func(w *world) {
			w.fake.Save = func(p *cmstest.Post) {
				if p.Status == "publish" {
					p.Content += "<p>Advertisement</p>"
				}
			}
		}, "is not what was approved: content differs"},
		"a sentence changed as it is shown": {func(w *world) {
			w.fake.Show = func(page string) string { return strings.Replace(page, "may not ask for", "must ask for", 1) }
		}, "doesn't show"},
		"cut by a paywall": {func(w *world) { w.fake.Show = func(page string) string { return page[:900] } }, "doesn't show"},
		"a page only for members": {func(w *world) {
			w.proxy.Lose(nil)
			w.fake.Show = func(string) string { return "<h1>Log in</h1>" }
		}, "the first of them \"Two Service Dog Questions"},
		"an address of another site": {func(w *world) {
			w.store.dossier.Site.URL, w.store.dossier.Site.CMS.URL = "https://dogs.example", "https://dogs.example"
		}, "is not on the site"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			tc.prepare(w)
			w.approve(t)
			_, err := w.do(t.Context())
			require.ErrorContains(t, err, tc.says)
			require.ErrorContains(t, err, "post 1 was set back to draft")
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
			require.Equal(t, "draft", w.fake.Posts()[0].Status)
			require.Equal(t, editorial.PublicationDraft, w.store.publication().State)
		})
	}
}

func TestStage_Do_saysLoudlyWhatItCouldNotTakeBack(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	w.fake.Show = func(string) string { return "<h1>Log in</h1>" }
	var seen atomic.Int32
	w.proxy.Lose(func(r *http.Request) cmstest.Loss {
		if isUpdate(r) && seen.Add(1) > 1 {
			return cmstest.Request
		}
		return cmstest.Nothing
	})
	_, err := w.do(t.Context())
	require.ErrorContains(t, err, "POST 1 MAY STILL BE PUBLIC, set it to draft by hand")
	require.ErrorContains(t, err, "doesn't show")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
}

func TestStage_Do_looksWhetherAPostWasTakenBackWhenTheAnswerIsLost(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		loss   cmstest.Loss
		writes int32 // the publication, and the setting back
	}{
		"carried out":      {cmstest.Answer, 2},
		"it never arrived": {cmstest.Request, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			w.fake.Show = func(string) string { return "<h1>Log in</h1>" }
			var seen atomic.Int32
			w.proxy.Lose(func(r *http.Request) cmstest.Loss {
				if isUpdate(r) && seen.Add(1) == 2 {
					return tc.loss
				}
				return cmstest.Nothing
			})
			_, err := w.do(t.Context())
			require.ErrorContains(t, err, "post 1 was set back to draft")
			require.NotContains(t, err.Error(), "MAY STILL BE PUBLIC")
			require.Equal(t, "draft", w.fake.Posts()[0].Status)
			require.Equal(t, tc.writes, seen.Load())
			require.Equal(t, editorial.PublicationDraft, w.store.publication().State)
		})
	}
}

func TestStage_Do_waitsForAHangingSiteNoLongerThanForAWrite(t *testing.T) {
	t.Parallel()

	tests := map[string]func(w *world, hang func()){
		"the public page": func(w *world, hang func()) {
			w.fake.Show = func(page string) string {
				hang()
				return page
			}
		},
		"the read before": func(w *world, hang func()) {
			var updates atomic.Int32
			w.proxy.Lose(func(r *http.Request) cmstest.Loss {
				if isUpdate(r) {
					updates.Add(1)
				}
				if r.Method == http.MethodGet && updates.Load() > 0 {
					hang()
				}
				return cmstest.Nothing
			})
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			w.patience(t, time.Second)
			enough := make(chan struct{})
			release := sync.OnceFunc(func() { close(enough) })
			t.Cleanup(release)
			prepare(w, func() { <-enough })
			start := time.Now()
			_, err := w.do(t.Context())
			took := time.Since(start)
			release()
			require.Equal(t, fault.KindRetryable, fault.KindOf(err), "%v", err)
			require.True(t, fault.IsTimeout(err), "%v", err)
			require.Less(t, took, timeout, "less than the client gives a single try")
			require.Equal(t, "publish", w.fake.Posts()[0].Status, "nothing is known against the text")
		})
	}
}

func TestStage_Do_checksAPublishedPostAgainAndTakesBackAChangedOne(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	_, err := w.do(t.Context())
	require.NoError(t, err)
	w.fake.Change(1, func(p *cmstest.Post) { p.Content = strings.Replace(p.Content, "two questions", "ten questions", 1) })
	_, err = w.do(t.Context())
	require.ErrorContains(t, err, "content differs")
	require.Equal(t, "draft", w.fake.Posts()[0].Status)
	require.Equal(t, editorial.PublicationDraft, w.store.publication().State)
}

func TestStage_Do_mendsAPublicPostThatAnEarlierAttemptLeft(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	_, err := w.do(t.Context())
	require.NoError(t, err)
	w.store.pub.State = editorial.PublicationDraft // the worker died before the last mark
	w.fake.Change(1, func(p *cmstest.Post) { p.Title = "Half" })
	_, err = w.do(t.Context())
	require.NoError(t, err)
	w.requirePublished(t)

	w.store.pub.State = editorial.PublicationDraft
	w.fake.Change(1, func(p *cmstest.Post) { p.Title = "Half" })
	w.fake.Save = func(p *cmstest.Post) { p.Title = "Half" }
	_, err = w.do(t.Context())
	require.ErrorContains(t, err, "title differs")
	require.Equal(t, "draft", w.fake.Posts()[0].Status)
}

func TestStage_Do_waitsForASiteThatIsDownAndTidiesUpAtTheLastAttempt(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	down := func(r *http.Request) cmstest.Loss {
		if !strings.HasPrefix(r.URL.Path, "/wp-json") || isUpdate(r) {
			return cmstest.Request
		}
		return cmstest.Nothing
	}
	w.proxy.Lose(down)
	_, err := w.do(t.Context())
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
	require.Len(t, w.fake.Posts(), 1, "its draft waits with it")

	w.lease.Attempt = pipeline.StagePublish.MaxAttempts()
	w.proxy.Lose(func(r *http.Request) cmstest.Loss {
		if isUpdate(r) {
			return cmstest.Request
		}
		return cmstest.Nothing
	})
	_, err = w.do(t.Context())
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), "the run fails, and can be replayed")
	require.Empty(t, w.fake.Posts(), "nothing is left behind")

	w.proxy.Lose(nil)
	w.lease.Attempt = 1
	_, err = w.do(t.Context())
	require.NoError(t, err, "a replay makes a new post")
	w.requirePublished(t)
}

func TestStage_Do_takesBackAnUnprovenPageAtTheLastAttempt(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	w.fake.Show = func(string) string { panic(http.ErrAbortHandler) }
	_, err := w.do(t.Context())
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), "%v", err)
	require.Equal(t, "publish", w.fake.Posts()[0].Status, "stored as approved, and only not seen yet")

	w.lease.Attempt = 3
	_, err = w.do(t.Context())
	require.ErrorContains(t, err, "set back to draft")
	require.Equal(t, "draft", w.fake.Posts()[0].Status)
}

func TestStage_Do_leavesToAPersonWhatAPersonDid(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		state  editorial.PublicationState
		change func(p *cmstest.Post)
		says   string
	}{
		"trashed":               {editorial.PublicationDraft, func(p *cmstest.Post) { p.Status = "trash" }, "lies in the site's trash"},
		"rewritten":             {editorial.PublicationDraft, func(p *cmstest.Post) { p.Content = "mine" }, "no longer carries the class bp-"},
		"published and removed": {editorial.PublicationPublished, func(p *cmstest.Post) { p.ID = 0 }, "somebody took it off the site"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			_, err := w.do(t.Context())
			require.NoError(t, err)
			w.store.pub.State = tc.state
			if name == "published and removed" {
				require.NoError(t, w.direct.Delete(t.Context(), 1))
			} else {
				w.fake.Change(1, tc.change)
			}
			before := len(w.fake.Posts())
			_, err = w.do(t.Context())
			require.ErrorContains(t, err, tc.says)
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
			require.Len(t, w.fake.Posts(), before)
		})
	}
}

func TestStage_Do_leavesTwoPublicPostsToAPerson(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	_, err := w.do(t.Context())
	require.NoError(t, err)
	_, err = w.direct.Create(t.Context(), editorial.Post{Status: editorial.PostPublic, Title: "Copy", Slug: "copy", Content: w.store.dossier.Draft.Markup})
	require.NoError(t, err)
	_, err = w.do(t.Context())
	require.ErrorContains(t, err, `posts 1 and 2 both carry this article, and 2 is "publish"`)
	require.Len(t, w.posts(t), 2)
}

func TestStage_Do_namesALookUpThatDoesNotFindWhatWasCreated(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	w.fake.Save = func(p *cmstest.Post) { p.Content = "filtered" }
	_, err := w.do(t.Context())
	require.ErrorContains(t, err, "a post was created and can't be found by its class bp-")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
}

func TestStage_Do_takesBackEvenWhenItsTimeIsUp(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	var late atomic.Bool
	w.now = func() time.Time {
		if late.Load() {
			return time.Now().Add(timeout / 2)
		}
		return time.Now()
	}
	w.fake.Show = func(string) string {
		late.Store(true)
		return "<h1>Log in</h1>"
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout+timeout/4)
	defer cancel()
	_, err := w.do(ctx)
	require.ErrorContains(t, err, "was set back to draft")
	require.Equal(t, "draft", w.fake.Posts()[0].Status)
}
