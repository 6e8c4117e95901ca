package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api"
	"blogposter/lib/auth"
	"blogposter/lib/editorial"
	"blogposter/lib/faas"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// recall answers as it is told, and remembers what it was asked.
type recall struct {
	asked view.Retraction
	site  string
	got   view.Retracting
	err   error
}

func (r *recall) Retract(_ context.Context, site string, q view.Retraction) (view.Retracting, error) {
	r.site, r.asked = site, q
	return r.got, r.err
}

// rung is a Waker that remembers whom it woke.
type rung struct{ woken []string }

func (r *rung) Wake(_ context.Context, function string) error {
	r.woken = append(r.woken, function)
	return nil
}

func recalling(state pipeline.State, restore bool) (*recall, *rung, http.Handler) {
	r, w := &recall{got: view.Retracting{Restore: restore, Run: view.Run{ID: 44, Kind: pipeline.KindRetraction, Stage: pipeline.StagePublish, State: state}}}, &rung{}
	return r, w, api.Articles{Verifier: door{}, Store: &shelf{}, Retractions: r, Waker: w, Now: time.Now}.Handler()
}

func TestArticles_retract_startsARunAndWakesIt(t *testing.T) {
	t.Parallel()

	store, waker, h := recalling(pipeline.StateReady, true)
	w := ask(h, "reviewer", http.MethodPost, "/7/retract", `{"reason": " The second claim is wrong. ", "restore": true}`)
	require.Equal(t, http.StatusAccepted, w.Code, w.Body.String())
	require.Equal(t, "/api/v1/web/fn-7/api/runs/44", w.Header().Get("Location"))
	require.Equal(t, int64(7), store.asked.ArticleID)
	require.Equal(t, "The second claim is wrong.", store.asked.Reason)
	require.True(t, store.asked.Restore)
	require.NotEmpty(t, store.asked.By)
	require.Equal(t, []string{"pipeline/publish"}, waker.woken)
	require.Equal(t, int64(44), decode[view.Run](t, w).ID)

	for _, state := range []pipeline.State{pipeline.StateRunning, pipeline.StateDone} {
		_, waker, h = recalling(state, false)
		w = ask(h, "reviewer", http.MethodPost, "/7/retract", `{"reason": "Wrong."}`)
		require.Equal(t, http.StatusAccepted, w.Code)
		require.Empty(t, waker.woken, "nothing is due")
	}
}

func TestArticles_retract_takesAReviewerAndAReason(t *testing.T) {
	t.Parallel()

	store, waker, h := recalling(pipeline.StateReady, false)
	for _, role := range []string{"viewer", "editor"} {
		w := ask(h, role, http.MethodPost, "/7/retract", `{"reason": "Wrong."}`)
		require.Equal(t, http.StatusForbidden, w.Code)
		require.Contains(t, w.Body.String(), "taking an article back takes the role reviewer")
	}
	for _, body := range []string{`{}`, `{"reason": " x "}`, `{"reason": "` + strings.Repeat("a", 2001) + `"}`, `{"reason": "a\u0007bcd"}`} {
		w := ask(h, "reviewer", http.MethodPost, "/7/retract", body)
		require.Equal(t, http.StatusBadRequest, w.Code, body)
		require.Equal(t, "reason", decode[faas.Problem](t, w).Errors[0].Field)
	}
	w := ask(h, "reviewer", http.MethodPost, "/07/retract", `{"reason": "Wrong."}`)
	require.Equal(t, http.StatusNotFound, w.Code)
	w = ask(h, "reviewer", http.MethodPost, "/7/retract", `{"reason": "Wrong.", "site": "elsewhere"}`)
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Zero(t, store.asked)
	require.Empty(t, waker.woken)
	require.Equal(t, auth.RoleReviewer, auth.ActRetract.Needs())
}

func TestArticles_retract_saysWhyNotAndWhatToDo(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		not  view.NotRetractable
		says string
	}{
		"nothing before": {view.NotRetractable{State: editorial.PublicationPublished}, "leave restore out"},
		"superseded":     {view.NotRetractable{State: editorial.PublicationSuperseded, Current: 9}, "retract article 9, /api/v1/web/fn-7/api/articles/9"},
		"a draft":        {view.NotRetractable{State: editorial.PublicationDraft}, "it is draft"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			store, waker, h := recalling(pipeline.StateReady, false)
			store.err = &tc.not
			w := ask(h, "reviewer", http.MethodPost, "/7/retract", `{"reason": "Wrong."}`)
			require.Equal(t, http.StatusConflict, w.Code)
			require.Contains(t, w.Body.String(), tc.says)
			require.Empty(t, waker.woken)
		})
	}
	store, waker, h := recalling(pipeline.StateRunning, true)
	w := ask(h, "reviewer", http.MethodPost, "/7/retract", `{"reason": "Wrong."}`)
	require.Equal(t, http.StatusConflict, w.Code, "it is under way otherwise")
	require.Contains(t, w.Body.String(), "with restore set to true; /api/v1/web/fn-7/api/runs/44 says")
	require.Empty(t, waker.woken)
	store.err = view.ErrNotFound
	w = ask(h, "reviewer", http.MethodPost, "/7/retract", `{"reason": "Wrong."}`)
	require.Equal(t, http.StatusNotFound, w.Code)
}
