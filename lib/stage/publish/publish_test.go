package publish_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/cms/cmstest"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/markup/markuptest"
)

func TestStage_Do_publishesOnceHoweverOftenItIsCalled(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		out, err := w.do(t.Context())
		require.NoError(t, err)
		post := w.requirePublished(t)
		require.Contains(t, out.Detail, post.URL)
		require.Equal(t, []string{"categories", "tags", "upload", "create", "publish"}, w.stepNames(), "each write is a step")
		require.Equal(t, "wordpress", w.steps.Rows()[0].Provider)
		require.Equal(t, []editorial.PublicationState{editorial.PublicationDraft, editorial.PublicationPublished}, w.store.marks)

		for range 2 {
			_, err = w.do(t.Context())
			require.NoError(t, err)
		}
		require.Equal(t, post, w.requirePublished(t))
		require.Equal(t, 2, w.writes(t, "posts"), "one creation, one change")
	})
}

func TestStage_Do_findsThePostOfAWorkerThatDiedBeforeTheMark(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		w.store.failMark = errors.New("the worker is gone")
		_, err := w.do(t.Context())
		require.ErrorIs(t, err, w.store.failMark)
		require.Len(t, w.posts(t), 1)
		require.Equal(t, editorial.PublicationIntent, w.store.publication().State)

		w.store.failMark = nil
		_, err = w.do(t.Context())
		require.NoError(t, err)
		w.requirePublished(t)
	})
}

func TestStage_Do_keepsTheLowestIDWhenTwoCreationsRace(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		var rival editorial.Post
		w.proxy.Lose(func(r *http.Request) cmstest.Loss {
			if isCreate(r) {
				var err error
				rival, err = w.direct.Create(context.Background(), editorial.Post{Status: editorial.PostDraft, Title: "Rival", Content: w.store.dossier.Draft.Markup})
				if err != nil {
					t.Error(err)
				}
			}
			return cmstest.Nothing
		})
		_, err := w.do(t.Context())
		require.NoError(t, err)
		post := w.requirePublished(t)
		require.Equal(t, rival.ID, post.ID, "the rival was first, and became the article")

		if w.fake != nil {
			stored := w.fake.Posts()
			require.Len(t, stored, 2)
			require.Equal(t, "trash", stored[1].Status)
			require.True(t, w.fake.WasPublic(stored[0].ID))
			require.False(t, w.fake.WasPublic(stored[1].ID))
		}
	})
}

func TestStage_Do_looksUpAfterALostAnswer(t *testing.T) {
	t.Parallel()

	for name, which := range map[string]func(*http.Request) bool{"of the creation": isCreate, "of the publication": isUpdate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			onBoth(t, func(t *testing.T, w *world) {
				t.Helper()
				w.proxy.Lose(once(which, cmstest.Answer))
				_, err := w.do(t.Context())
				require.NoError(t, err)
				w.requirePublished(t)
				require.Equal(t, 2, w.writes(t, "posts"), "nothing was sent twice")
			})
		})
	}
}

func TestStage_Do_neverCreatesAgainBeforeItLooked(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	w.proxy.Lose(func(r *http.Request) cmstest.Loss {
		switch {
		case isCreate(r):
			return cmstest.Answer
		case r.Method == http.MethodGet && w.writes(t, "posts") > 0:
			return cmstest.Request // and the look-up fails too
		}
		return cmstest.Nothing
	})
	_, err := w.do(t.Context())
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
	require.Len(t, w.fake.Posts(), 1, "it exists, and nobody knows")

	w.proxy.Lose(nil)
	_, err = w.do(t.Context())
	require.NoError(t, err)
	w.requirePublished(t)
	require.Equal(t, 2, w.writes(t, "posts"))
}

func TestStage_Do_asksAgainWhenARequestNeverArrived(t *testing.T) {
	t.Parallel()

	for name, which := range map[string]func(*http.Request) bool{"the creation": isCreate, "the publication": isUpdate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			w.proxy.Lose(once(which, cmstest.Request))
			_, err := w.do(t.Context())
			require.Equal(t, fault.KindRetryable, fault.KindOf(err), "%v", err)
			require.NotContains(t, err.Error(), cmstest.Password)
			_, err = w.do(t.Context())
			require.NoError(t, err)
			w.requirePublished(t)
		})
	}
}

func TestStage_Do_roundTripsHostileText(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		d := w.store.dossier.Draft
		d.Title, d.Excerpt, d.MetaDescription = markuptest.Hostile, markuptest.Hostile, markuptest.Hostile
		d.Body.Sections[1].Heading = markuptest.Hostile
		d.Body.Sections[0].Blocks[0].Items[0].Sentences[0].Text = markuptest.Hostile
		d.Body.Sections[1].Blocks[1].Items[0].Sentences[0].Text = "https://www.example.com/watch?v=1"
		d.Body.Sections[2].Blocks[0].Items[0].Sentences[0].Text = `It's 5'10" -- "quoted" ... (c) 9x9 8) :) ;-) Wordpress 1/2 [embed]http://x.example[/embed] [audio src="a.mp3"]`
		w.store.dossier.Snapshots[0].Title = markuptest.Hostile
		w.store.dossier.Evidence[0].Quote = markuptest.Hostile
		w.approve(t)
		_, err := w.do(t.Context())
		require.NoError(t, err)
		post := w.requirePublished(t)
		page, err := w.direct.Page(t.Context(), post.URL)
		require.NoError(t, err)
		require.NotContains(t, page, "<script>alert")
		require.NotContains(t, page, "<iframe")
		require.NotContains(t, page, "<audio")
		require.Equal(t, 1, strings.Count(page, "<h1"))
	})
}

func TestStage_Do_acceptsTheNumberASiteAddsToATakenAddress(t *testing.T) {
	t.Parallel()

	onBoth(t, func(t *testing.T, w *world) {
		t.Helper()
		other, err := w.direct.Create(t.Context(), editorial.Post{Status: editorial.PostPublic, Title: "Other", Slug: w.store.dossier.Draft.Slug, Content: suffix(w.lease.RunID)})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, w.direct.Delete(context.WithoutCancel(t.Context()), other.ID)) })

		out, err := w.do(t.Context())
		require.NoError(t, err)
		require.Equal(t, w.store.dossier.Draft.Slug+"-2", w.requirePublished(t).Slug)
		require.Contains(t, out.Detail, "was taken")
	})
}

func TestStage_Do_refusesWhatWasNotApprovedAndSendsNothing(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		change func(d *editorial.Dossier)
		says   string
	}{
		"no draft":                  {func(d *editorial.Dossier) { d.Draft = nil }, "it has no draft"},
		"no decision":               {func(d *editorial.Dossier) { d.Decision = nil }, "nobody has decided on draft 12"},
		"a rejection":               {func(d *editorial.Dossier) { d.Decision.Verb = editorial.VerbReject }, "the decision is to reject draft 12"},
		"a decision on another":     {func(d *editorial.Dossier) { d.Decision.DraftID = 11 }, "approve draft 11, and the latest is draft 12"},
		"another digest":            {func(d *editorial.Dossier) { d.Decision.Digest = strings.Repeat("0", 64) }, "not what was approved"},
		"another stored digest":     {func(d *editorial.Dossier) { d.Draft.Digest = strings.Repeat("0", 64) }, "not what was approved"},
		"text changed afterwards":   {func(d *editorial.Dossier) { d.Draft.Markup += " " }, "not what was approved"},
		"a disclaimer since gone":   {func(d *editorial.Dossier) { d.Site.Rules.Disclaimers = nil }, "not what was approved"},
		"another time to publish":   {func(d *editorial.Dossier) { at := time.Now(); d.Brief.PublishAt = &at }, "not what was approved"},
		"a claim that fails":        {func(d *editorial.Dossier) { d.Claims[0].Verdict = editorial.VerdictRefuted }, "1 claims fail the gate: refuted: Staff"},
		"a claim with too few laws": {func(d *editorial.Dossier) { d.Claims[0].Citations = d.Claims[0].Citations[:1] }, "too few sources for a legal claim"},
		"markup without its marker": {func(d *editorial.Dossier) {
			d.Draft.Markup = "<!-- wp:paragraph --><p>x</p><!-- /wp:paragraph -->"
			d.Draft.Digest = editorial.DocumentOf(d.Site, d.Brief, *d.Draft).Digest()
			d.Decision.Digest = d.Draft.Digest
		}, "could not be found again"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := inMemory(t)
			tc.change(&w.store.dossier)
			_, err := w.do(t.Context())
			require.ErrorContains(t, err, tc.says)
			require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
			require.Empty(t, w.proxy.Calls())
			require.Zero(t, w.store.began)
		})
	}
}

func TestStage_Do_sendsNothingThatCouldOutliveTheLease(t *testing.T) {
	t.Parallel()

	t.Run("the lease is short", func(t *testing.T) {
		t.Parallel()

		w := inMemory(t)
		w.lease.TTL = timeout - time.Second
		_, err := w.do(t.Context())
		require.ErrorContains(t, err, "nothing was sent: a write may take 20s and only 19s are left")
		require.Equal(t, fault.KindRetryable, fault.KindOf(err))
		require.Zero(t, w.writes(t, ""))
	})
	t.Run("the journal was slow", func(t *testing.T) {
		t.Parallel()

		w := inMemory(t)
		began, calls := time.Now(), 0
		w.now = func() time.Time { calls++; return began.Add(time.Duration(calls-1) * 45 * time.Second) }
		_, err := w.do(t.Context())
		require.ErrorContains(t, err, "only 15s are left")
		require.Zero(t, w.writes(t, ""))
	})
	t.Run("the function ends before", func(t *testing.T) {
		t.Parallel()

		w := inMemory(t)
		ctx, cancel := context.WithTimeout(t.Context(), timeout/2)
		defer cancel()
		_, err := w.do(ctx)
		require.ErrorContains(t, err, "nothing was sent")
		require.Zero(t, w.writes(t, ""))
	})
}

func TestStage_Do_saysWhatItCouldNotLoadOrOpen(t *testing.T) {
	t.Parallel()

	w := inMemory(t)
	w.store.dossier = editorial.Dossier{}
	_, err := w.do(t.Context())
	require.EqualError(t, err, "store is down")

	w = inMemory(t)
	w.fake.Capabilities["unfiltered_html"] = false
	_, err = w.do(t.Context())
	require.ErrorContains(t, err, "lacks unfiltered_html")
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))

	w = inMemory(t)
	w.store.pub = &editorial.Publication{DraftID: 11, State: editorial.PublicationPublished}
	_, err = w.do(t.Context())
	require.ErrorContains(t, err, "already stands on the site with draft 11")
	require.Zero(t, w.writes(t, ""))
}

// once loses the first call that matches.
func once(which func(*http.Request) bool, loss cmstest.Loss) func(*http.Request) cmstest.Loss {
	var done atomic.Bool
	return func(r *http.Request) cmstest.Loss {
		if !which(r) || done.Swap(true) {
			return cmstest.Nothing
		}
		return loss
	}
}
