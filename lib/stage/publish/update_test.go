package publish_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms/cmstest"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/markup"
	"blogposter/lib/pipeline"
)

const targetID = 7

// revise publishes the world's article and turns the world to a Run that
// updates it: another text, another picture, an approval of its own.
func (w *world) revise(t *testing.T) editorial.Post {
	t.Helper()
	_, err := w.do(t.Context())
	require.NoError(t, err)
	post := w.requirePublished(t)
	d := &w.store.dossier
	old := editorial.Edition{Publication: w.store.publication(), Draft: *d.Draft}
	old.Publication.ID = targetID
	w.store.editions[targetID] = &old
	w.store.pub, w.store.marks = nil, nil

	next := *d.Draft
	next.ID, next.Title, next.Slug = next.ID+1, "Three Service Dog Questions a Business May Ask", "three-"+next.Slug
	next.Tags = next.Tags[:1]
	next.Media = []editorial.Media{pictureOf(next.Slug)}
	next.Body = editorial.Body{Sections: append([]editorial.Section{}, next.Body.Sections[1:]...)}
	d.Draft = &next
	d.Brief.TargetID, d.Brief.Marker = targetID, strings.Replace(d.Brief.Marker, "bp-0", "bp-f", 1)
	w.approve(t)
	return post
}

func (w *world) target() editorial.Edition {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	return *w.store.editions[targetID]
}

// requireShown says that the post shows the Draft, publicly and in whole.
func (w *world) requireShown(t *testing.T, id int64, d editorial.Draft) {
	t.Helper()
	p, ok, err := w.direct.Post(t.Context(), id)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, editorial.PostPublic, p.Status)
	require.Equal(t, d.Markup, p.Content, "byte for byte")
	require.Equal(t, markup.Escape(d.Title), p.Title)
	require.Equal(t, markup.Escape(d.Excerpt), p.Excerpt)
	require.Len(t, p.Tags, len(d.Tags))
	file, there, err := w.direct.File(t.Context(), p.Picture)
	require.NoError(t, err)
	require.True(t, there)
	require.Contains(t, file.URL, d.Media[0].Hash[:16])
	page, err := w.direct.Page(t.Context(), p.URL)
	require.NoError(t, err)
	require.Empty(t, markup.Missing(page, markup.Plain(d)))
}

// requireUpdated says that the new version stands in the place of the old one.
func (w *world) requireUpdated(t *testing.T, before editorial.Post) {
	t.Helper()
	w.requireShown(t, before.ID, *w.store.dossier.Draft)
	pub := w.store.publication()
	require.Equal(t, editorial.PublicationPublished, pub.State)
	require.Equal(t, before.ID, pub.PostID)
	require.Equal(t, before.URL, pub.URL, "an article keeps its address")
	require.Equal(t, editorial.PublicationSuperseded, w.target().Publication.State)
}

// requireAsBefore says that nothing came of the update.
func (w *world) requireAsBefore(t *testing.T, before editorial.Post) {
	t.Helper()
	old := w.target()
	w.requireShown(t, before.ID, old.Draft)
	require.Equal(t, editorial.PublicationPublished, old.Publication.State)
	require.NotEqual(t, editorial.PublicationPublished, w.store.publication().State)
}

func TestStage_Do_updatesAnArticleOnItsPost(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		before := w.revise(t)
		t.Cleanup(func() {
			if w.fake == nil {
				w.server.Clean(t, w.marker())
			}
		})
		out, err := w.do(t.Context())
		require.NoError(t, err)
		require.Contains(t, out.Detail, fmt.Sprintf("post %d at %s shows the new version", before.ID, before.URL))
		w.requireUpdated(t, before)
		writes := w.writes(t, "posts")

		for range 2 {
			_, err = w.do(t.Context())
			require.NoError(t, err)
		}
		w.requireUpdated(t, before)
		require.Equal(t, writes, w.writes(t, "posts"), "an update is sent once")
		require.Equal(t, 3, writes, "two for the article, one for its update")
	})
}

func TestStage_Do_sendsAnUpdateAgainThatNeverArrived(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	before := w.revise(t)
	w.proxy.Lose(once(isUpdate, cmstest.Request))
	_, err := w.do(t.Context())
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), "%v", err)
	w.requireAsBefore(t, before)
	_, err = w.do(t.Context())
	require.NoError(t, err)
	w.requireUpdated(t, before)
}

func TestStage_Do_leavesTheVersionBeforeWhereAnUpdateIsRefused(t *testing.T) {
	t.Parallel()

	for name, halfway := range map[string]bool{"before anything is changed": false, "half way through": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			before := w.revise(t)
			var refused atomic.Bool
			w.fake.Refuse = func(p *cmstest.Post) bool {
				if !halfway {
					p.Title, p.Content = before.Title, before.Content
				}
				return !refused.Swap(true)
			}
			_, err := w.do(t.Context())
			require.ErrorContains(t, err, "rest_cannot_update")
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
			require.Equal(t, halfway, strings.Contains(err.Error(), "shows the version before again"))
			p, _, err := w.direct.Post(t.Context(), before.ID)
			require.NoError(t, err)
			require.Equal(t, before.Content, p.Content)
			require.Equal(t, editorial.PublicationPublished, w.target().Publication.State)
		})
	}
}

func TestStage_Do_leavesTheVersionBeforeWhenAnUpdateGivesUp(t *testing.T) {
	t.Parallel()

	total := calls(t, func(w *world) { w.revise(t) })
	for i, call := range total {
		n := i + 1
		for name, loss := range fates(call) {
			t.Run(fmt.Sprintf("call %d %s", n, name), func(t *testing.T) {
				t.Parallel()

				w := inMemory(t)
				before := w.revise(t)
				w.lease.Attempt = pipeline.StagePublish.MaxAttempts()
				w.losing(n, loss, false)
				_, err := w.do(t.Context())
				if err == nil { // reads are repeated, and a look-up finds what was done
					w.requireUpdated(t, before)
					return
				}
				w.requireShown(t, before.ID, w.target().Draft)
				require.Equal(t, editorial.PublicationPublished, w.target().Publication.State)
			})
		}
	}
}

func TestStage_Do_putsTheVersionBeforeBackWhenAPageIsNeverSeen(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	before := w.revise(t)
	w.fake.Show = func(string) string { panic(http.ErrAbortHandler) }
	_, err := w.do(t.Context())
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), "stored as approved, and only not seen yet")
	require.True(t, strings.HasPrefix(w.fake.Post(before.ID).Title, "Three"))

	w.lease.Attempt = pipeline.StagePublish.MaxAttempts()
	_, err = w.do(t.Context())
	require.ErrorContains(t, err, "post 1 has the text of the version before again, and its page could not be seen")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	w.fake.Show = nil
	w.requireAsBefore(t, before)
}

func (s *store) pubState() editorial.PublicationState {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pub == nil {
		return ""
	}
	return s.pub.State
}

func TestStage_Do_recordsAnUpdateOnceWhateverBecomesOfTheRecord(t *testing.T) {
	t.Parallel()

	gone := errors.New("the worker is gone")
	for name, lose := range map[string]func(s *store, err error){
		"it was not written":  func(s *store, err error) { s.failMark = err },
		"its answer was lost": func(s *store, err error) { s.lostMark = err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			before := w.revise(t)
			lose(w.store, gone)
			_, err := w.do(t.Context())
			require.ErrorIs(t, err, gone)
			writes := w.writes(t, "posts")
			lose(w.store, nil)
			_, err = w.do(t.Context())
			require.NoError(t, err)
			w.requireUpdated(t, before)
			require.Equal(t, writes, w.writes(t, "posts"), "the post shows it already")
			require.Equal(t, []editorial.PublicationState{editorial.PublicationPublished}, w.store.marks)
		})
	}
}

func TestStage_Do_putsTheVersionBeforeBackWhenAnUpdateIsNotShownAsApproved(t *testing.T) {
	t.Parallel()

	isNew := func(p *cmstest.Post) bool { return strings.HasPrefix(p.Title, "Three") }
	tests := map[string]struct {
		prepare func(w *world)
		says    string
	}{
		"stored otherwise": {func(w *world) {
			w.fake.Save = func(p *cmstest.Post) {
				if isNew(p) {
					p.Content += "<p>Advertisement</p>"
				}
			}
		}, "content differs"},
		"stored without its marker": {func(w *world) {
			w.fake.Save = func(p *cmstest.Post) {
				if isNew(p) {
					p.Content = "stripped"
				}
			}
		}, "content differs"},
		"without its picture": {func(w *world) {
			w.fake.Save = func(p *cmstest.Post) {
				if isNew(p) {
					p.Picture = 0
				}
			}
		}, "featured image is file 0"},
		"shown otherwise": {func(w *world) {
			w.fake.Show = func(page string) string {
				return strings.Replace(page, "Three Service Dog Questions", "Ten Questions", 1)
			}
		}, "doesn't show"},
		"moved to another address": {func(w *world) {
			w.fake.Save = func(p *cmstest.Post) {
				if isNew(p) {
					p.Slug = "elsewhere"
				}
			}
		}, "slug is"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			before := w.revise(t)
			tc.prepare(w)
			_, err := w.do(t.Context())
			require.ErrorContains(t, err, tc.says)
			require.ErrorContains(t, err, "post 1 shows the version before again")
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
			w.requireAsBefore(t, before)

			w.fake.Save, w.fake.Show = nil, nil
			if name == "moved to another address" {
				w.fake.Change(1, func(p *cmstest.Post) { p.Slug = before.Slug })
			}
			_, err = w.do(t.Context())
			require.NoError(t, err, "the person mended the site")
			w.requireUpdated(t, before)
		})
	}
}

func TestStage_Do_takesOffWhatCanNotBePutBack(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	w.revise(t)
	w.fake.Save = func(p *cmstest.Post) { p.Content += "<p>Advertisement</p>" }
	_, err := w.do(t.Context())
	require.ErrorContains(t, err, "the version before could not be put back, and post 1 was set to draft")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.Equal(t, "draft", w.fake.Post(1).Status)

	w = inMemory(t)
	w.revise(t)
	w.fake.Save = func(p *cmstest.Post) { p.Content, p.Status = "x", "publish" }
	var updates atomic.Int32
	w.proxy.Lose(func(r *http.Request) cmstest.Loss {
		if isUpdate(r) && updates.Add(1) > 2 {
			return cmstest.Request
		}
		return cmstest.Nothing
	})
	_, err = w.do(t.Context())
	require.ErrorContains(t, err, "POST 1 COULD NOT BE PUT BACK AND MAY SHOW EITHER VERSION")
}

func TestStage_Do_updatesNothingThatIsNotWhatWasApproved(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		change func(w *world)
		says   string
		kind   fault.Kind
	}{
		"retracted meanwhile":      {func(w *world) { w.store.editions[targetID].Publication.State = editorial.PublicationRetracted }, "article 7 is retracted and can't be updated", fault.KindNeedsHuman},
		"a retraction under way":   {func(w *world) { w.store.taking = 8 }, "article 7 is being taken back by run 8", fault.KindNeedsHuman},
		"another update under way": {func(w *world) { w.store.replacing = 9 }, "article 7 is being updated by run 9", fault.KindRetryable},
		"text changed by hand":     {func(w *world) { w.fake.Change(1, func(p *cmstest.Post) { p.Content += "<p>mine</p>" }) }, "was changed by hand", fault.KindNeedsHuman},
		"title changed by hand":    {func(w *world) { w.fake.Change(1, func(p *cmstest.Post) { p.Title = "Mine" }) }, "was changed by hand", fault.KindNeedsHuman},
		"taken off by hand":        {func(w *world) { w.fake.Change(1, func(p *cmstest.Post) { p.Status = "draft" }) }, `post 1 of article 7 is "draft"`, fault.KindNeedsHuman},
		"the approval of a new one": {func(w *world) {
			w.store.dossier.Brief.TargetID = 0
			w.approve(t)
			w.store.dossier.Brief.TargetID = targetID
		}, "not what was approved", fault.KindNeedsHuman},
		"another target": {func(w *world) { w.store.dossier.Brief.TargetID = 6 }, "not what was approved", fault.KindNeedsHuman},
		"replaced meanwhile": {func(w *world) {
			newer := *w.store.editions[targetID]
			newer.Publication.ID = 8
			w.store.editions[8] = &newer
			w.store.editions[targetID].Publication.State = editorial.PublicationSuperseded
		}, "article 8 stands in its place", fault.KindNeedsHuman},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			w.revise(t)
			tc.change(w)
			before, writes := w.fake.Post(1), w.writes(t, "")
			_, err := w.do(t.Context())
			require.ErrorContains(t, err, tc.says)
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.Equal(t, before, w.fake.Post(1))
			require.Equal(t, writes, w.writes(t, ""), "nothing was sent")
		})
	}

	w := inMemory(t)
	w.revise(t)
	require.NoError(t, w.direct.Delete(t.Context(), 1))
	_, err := w.do(t.Context())
	require.ErrorContains(t, err, "post 1 of article 7 is gone")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
}

func TestStage_Do_neverMakesARetractedArticlePublicAgain(t *testing.T) {
	t.Parallel()

	for name, when := range map[string]func(w *world, retracted func()){
		"before the new version is sent": func(w *world, retracted func()) {
			w.proxy.Lose(func(r *http.Request) cmstest.Loss {
				if isUpdate(r) {
					retracted()
				}
				return cmstest.Nothing
			})
		},
		"before it is recorded": func(w *world, retracted func()) { w.store.before = retracted },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			w.revise(t)
			when(w, sync.OnceFunc(func() {
				w.store.mu.Lock()
				defer w.store.mu.Unlock()
				w.store.editions[targetID].Publication.State = editorial.PublicationRetracted
				w.fake.Change(1, func(p *cmstest.Post) { p.Status = "draft" })
			}))
			_, err := w.do(t.Context())
			require.ErrorContains(t, err, "post 1 is not public")
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
			require.Equal(t, "draft", w.fake.Post(1).Status)
			require.Equal(t, editorial.PublicationIntent, w.store.publication().State)
			require.Equal(t, editorial.PublicationRetracted, w.target().Publication.State)
		})
	}
}

func TestStage_Do_publishesNothingAgainThatHasEnded(t *testing.T) {
	t.Parallel()

	for _, state := range []editorial.PublicationState{editorial.PublicationRetracted, editorial.PublicationSuperseded} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			_, err := w.do(t.Context())
			require.NoError(t, err)
			w.store.pub.State = state
			w.fake.Change(1, func(p *cmstest.Post) { p.Status = "draft" })
			writes := w.writes(t, "")
			out, err := w.do(t.Context())
			require.NoError(t, err)
			require.Contains(t, out.Detail, "post 1 was published, and "+string(state)+" since")
			require.Equal(t, writes, w.writes(t, ""))
			require.Equal(t, "draft", w.fake.Post(1).Status)
		})
	}
}
