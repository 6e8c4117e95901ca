package publish_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms/cmstest"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

// retraction publishes the world's article, and a newer version of it when
// restore asks for one to go back to, and turns the world to a Run that takes
// it back.
func (w *world) retraction(t *testing.T, restore bool) editorial.Post {
	t.Helper()
	post := w.revise(t)
	d := &w.store.dossier
	d.Brief.Kind, d.Brief.Reason, d.Brief.Restore = string(pipeline.KindRetraction), "a claim is wrong", restore
	if !restore {
		d.Draft, d.Decision, d.Claims = nil, nil, nil
		return post
	}
	before := w.store.editions[targetID]
	before.Publication.ID = targetID - 1
	d.Brief.Kind = ""
	w.store.editions[targetID-1] = before
	_, err := w.do(t.Context())
	require.NoError(t, err)
	w.requireShown(t, post.ID, *d.Draft)
	current := editorial.Edition{Publication: w.store.publication(), Draft: *d.Draft}
	current.Publication.ID, current.Publication.ReplacesID = targetID, targetID-1
	w.store.editions[targetID] = &current
	w.store.editions[targetID-1].Publication.State = editorial.PublicationSuperseded
	w.store.pub, w.store.marks = nil, nil
	d.Brief.Kind = string(pipeline.KindRetraction)
	d.Decision, d.Claims = nil, nil
	return post
}

// requireGone says that the article is off the site, and recorded so.
func (w *world) requireGone(t *testing.T, post editorial.Post) {
	t.Helper()
	require.Equal(t, editorial.PublicationRetracted, w.target().Publication.State)
	require.Equal(t, "a claim is wrong", w.target().Publication.EndedWhy)
	_, shown, err := w.direct.Visible(t.Context(), post.URL)
	require.NoError(t, err)
	require.False(t, shown)
	p, there, err := w.direct.Post(t.Context(), post.ID)
	require.NoError(t, err)
	require.False(t, there && p.Status == editorial.PostPublic)
}

func TestStage_Do_takesAnArticleOffItsSite(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		post := w.retraction(t, false)
		for range 2 {
			out, err := w.do(t.Context())
			require.NoError(t, err)
			require.Contains(t, out.Detail, fmt.Sprintf("article 7, post %d, ", post.ID))
			require.Contains(t, out.Detail, "confirmed 1.5s after it was asked for")
			w.requireGone(t, post)
		}
		p, _, err := w.direct.Post(t.Context(), post.ID)
		require.NoError(t, err)
		require.Equal(t, editorial.PostDraft, p.Status, "its text is kept")
		require.Equal(t, []editorial.PublicationState{editorial.PublicationRetracted}, w.store.marks, "recorded once")
	})
}

func TestStage_Do_setsAPostBackToTheVersionBefore(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		t.Cleanup(func() {
			if w.fake == nil {
				w.server.Clean(t, strings.Replace(w.marker(), "bp-f", "bp-0", 1))
			}
		})
		post := w.retraction(t, true)
		for range 2 {
			out, err := w.do(t.Context())
			require.NoError(t, err)
			require.Contains(t, out.Detail, "was taken back")
			w.requireShown(t, post.ID, w.store.editions[targetID-1].Draft)
			require.Equal(t, editorial.PublicationRetracted, w.target().Publication.State)
			require.Equal(t, editorial.PublicationPublished, w.store.editions[targetID-1].Publication.State)
		}
	})
}

func TestStage_Do_takesOffWhatMayNotBeRestored(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		prepare func(w *world)
		says    string
	}{
		"the version before fails the gate": {func(w *world) { w.store.gate = fault.NeedsHuman(errors.New("a claim fails the gate")) }, "could not be restored: a claim fails the gate"},
		"it is stored otherwise": {func(w *world) {
			w.fake.Save = func(p *cmstest.Post) {
				if p.Status == "publish" {
					p.Content += "<p>Advertisement</p>"
				}
			}
		}, "content differs"},
		"it is shown otherwise": {func(w *world) { w.fake.Show = func(string) string { return "<h1>Log in</h1>" } }, "doesn't show"},
		"its picture is lost": {func(w *world) {
			w.store.missing = true
			for _, f := range w.fake.Files() {
				w.fake.DeleteFile(f.ID)
			}
		}, "no such artifact"},
		"the user may not create a term": {func(w *world) {
			w.store.dossier.Site.CMS.TermNames = map[string]string{w.store.editions[targetID-1].Draft.Categories[0]: "Another"}
			w.store.dossier.Site.CMS.Terms = "refuse"
		}, `there is no "Another"`},
		"there is none": {func(w *world) { w.store.editions[targetID-1].Publication.State = editorial.PublicationRetracted }, "there is no version before it"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			post := w.retraction(t, true)
			tc.prepare(w)
			w.reopen(t, cmstest.User, cmstest.Password)
			before := w.store.editions[targetID-1].Publication.State
			out, err := w.do(t.Context())
			require.NoError(t, err)
			require.Contains(t, out.Detail, "is off the site")
			require.Contains(t, out.Detail, tc.says)
			w.requireGone(t, post)
			require.Equal(t, before, w.store.editions[targetID-1].Publication.State)
		})
	}
}

func TestStage_Do_restoresEvenWhereFieldsForSearchEnginesCanNotBeWritten(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	post := w.retraction(t, true)
	w.store.dossier.Site.CMS.SEO = "yoast"
	w.reopen(t, cmstest.User, cmstest.Password)
	out, err := w.do(t.Context())
	require.NoError(t, err)
	require.Contains(t, out.Detail, "fields for search engines were left alone: ")
	w.requireShown(t, post.ID, w.store.editions[targetID-1].Draft)
}

func TestStage_Do_endsARetractionTheSameWhereverItsWorkerDies(t *testing.T) {
	t.Parallel()

	for name, restore := range map[string]bool{"off the site": false, "back to the version before": true} {
		total := calls(t, func(w *world) { w.retraction(t, restore) })
		require.Greater(t, len(total), 3)
		for i, call := range total {
			n := i + 1
			for fate, loss := range fates(call) {
				t.Run(fmt.Sprintf("%s, call %d %s and all after it", name, n, fate), func(t *testing.T) {
					t.Parallel()

					w := inMemory(t)
					post := w.retraction(t, restore)
					w.losing(n, loss, true)
					_, err := w.do(t.Context())
					require.Error(t, err)
					require.Equal(t, editorial.PublicationPublished, w.target().Publication.State, "nothing is confirmed yet")

					w.proxy.Lose(nil)
					w.lease.Attempt++
					_, err = w.do(t.Context())
					require.NoError(t, err)
					if restore {
						w.requireShown(t, post.ID, w.store.editions[targetID-1].Draft)
						require.Equal(t, editorial.PublicationRetracted, w.target().Publication.State)
						return
					}
					w.requireGone(t, post)
				})
			}
		}
	}
}

func TestStage_Do_recordsARetractionOnceWhateverBecomesOfTheRecord(t *testing.T) {
	t.Parallel()

	gone := errors.New("the worker is gone")
	for _, restore := range []bool{false, true} {
		w := inMemory(t)
		w.retraction(t, restore)
		w.store.lostMark = gone
		_, err := w.do(t.Context())
		require.ErrorIs(t, err, gone)
		w.store.lostMark = nil
		_, err = w.do(t.Context())
		require.NoError(t, err)
		require.Equal(t, []editorial.PublicationState{editorial.PublicationRetracted}, w.store.marks)
	}
}

func TestStage_Do_saysLoudlyThatAnArticleMayStillBeRead(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		prepare func(w *world)
		says    string
	}{
		"the site is down": {func(w *world) { w.proxy.Lose(func(*http.Request) cmstest.Loss { return cmstest.Request }) }, "MAY STILL BE PUBLIC"},
		"it refuses": {func(w *world) {
			w.proxy.Lose(func(r *http.Request) cmstest.Loss {
				if isUpdate(r) {
					return cmstest.Request
				}
				return cmstest.Nothing
			})
		}, "POST 1 MAY STILL BE PUBLIC"},
		"a plugin publishes it again": {func(w *world) { w.fake.Save = func(p *cmstest.Post) { p.Status = "publish" } }, "was set to draft and is public again"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			w.retraction(t, false)
			tc.prepare(w)
			w.lease.Attempt = pipeline.StagePublish.MaxAttempts()
			out, err := w.do(t.Context())
			end := pipeline.Decide(w.lease, out, err)
			require.Equal(t, pipeline.StateWaiting, end.State, "it never just fails: %v", err)
			require.Contains(t, end.Error, tc.says)
			require.Equal(t, editorial.PublicationPublished, w.target().Publication.State)
		})
	}
}

func TestStage_Do_looksAgainWhileACacheShowsTheArticle(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	post := w.retraction(t, false)
	page, err := w.direct.Page(t.Context(), post.URL)
	require.NoError(t, err)
	var cached atomic.Bool
	cached.Store(true)
	w.fake.Missing = func() string {
		if cached.Load() {
			return page
		}
		return "<h1>Nothing here</h1>" // answered with 200, as some themes do
	}
	_, err = w.do(t.Context())
	require.ErrorContains(t, err, "still shows the article: empty the cache")
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
	require.NotZero(t, fault.RetryAfter(err))
	require.Equal(t, "draft", w.fake.Post(1).Status)
	require.Equal(t, editorial.PublicationPublished, w.target().Publication.State, "it can still be read")

	cached.Store(false)
	_, err = w.do(t.Context())
	require.NoError(t, err)
	require.Equal(t, editorial.PublicationRetracted, w.target().Publication.State)
}

func TestStage_Do_takesOffWhateverCarriesTheArticle(t *testing.T) {
	t.Parallel()

	for name, prepare := range map[string]func(t *testing.T, w *world){
		"a copy of the post": func(t *testing.T, w *world) {
			t.Helper()
			_, err := w.direct.Create(t.Context(), editorial.Post{Status: editorial.PostPublic, Title: "Copy", Slug: "copy", Content: w.target().Draft.Markup})
			require.NoError(t, err)
		},
		"a post that was changed by hand": func(_ *testing.T, w *world) { w.fake.Change(1, func(p *cmstest.Post) { p.Content += "<p>mine</p>" }) },
		"one that is off already":         func(_ *testing.T, w *world) { w.fake.Change(1, func(p *cmstest.Post) { p.Status = "trash" }) },
		"one that was deleted": func(t *testing.T, w *world) {
			t.Helper()
			require.NoError(t, w.direct.Delete(t.Context(), 1))
		},
		"a site whose user may do little": func(_ *testing.T, w *world) { w.fake.Capabilities = map[string]bool{} },
		"a claim that fails by now":       func(_ *testing.T, w *world) { w.store.gate = errors.New("not asked") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			post := w.retraction(t, false)
			prepare(t, w)
			_, err := w.do(t.Context())
			require.NoError(t, err)
			w.requireGone(t, post)
			for _, p := range w.fake.Posts() {
				require.NotEqual(t, "publish", p.Status)
			}
		})
	}
}

func TestStage_Do_takesOffTheVersionThatStandsThereNow(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	post := w.retraction(t, true)
	w.store.dossier.Brief.Restore = false
	w.store.dossier.Brief.TargetID = targetID - 1 // asked for before the update went through
	_, err := w.do(t.Context())
	require.NoError(t, err)
	w.requireGone(t, post)

	out, err := w.do(t.Context())
	require.NoError(t, err)
	require.Contains(t, out.Detail, "article 6 is not on the site")
}
