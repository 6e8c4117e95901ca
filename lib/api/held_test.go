package api_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api"
	"blogposter/lib/editorial"
	"blogposter/lib/faas"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

func TestRouter_sparesTheBodyOfWhoHasIt(t *testing.T) {
	t.Parallel()

	s := &shelf{}
	h := api.Articles{Verifier: door{}, Store: s}.Handler()
	first := ask(h, "viewer", http.MethodGet, "/?limit=2", "")
	tag := first.Header().Get("ETag")
	require.Regexp(t, `^"[A-Za-z0-9_-]{24}"$`, tag)

	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, has := range []string{tag, `"x", W/` + tag, "*"} {
			w := ask(h, "viewer", method, "/?limit=2", "", "If-None-Match", has)
			require.Equal(t, http.StatusNotModified, w.Code, has)
			require.Empty(t, w.Body.String())
			for _, name := range []string{"ETag", "Cache-Control", "Vary", "Link"} {
				require.Equal(t, first.Header().Get(name), w.Header().Get(name), name)
				require.NotEmpty(t, w.Header().Get(name), name)
			}
			require.Empty(t, w.Header().Get("Content-Type"))
		}
	}
	w := ask(h, "viewer", http.MethodGet, "/?limit=1", "", "If-None-Match", tag)
	require.Equal(t, http.StatusOK, w.Code, "another page, another tag")
	require.NotEqual(t, tag, w.Header().Get("ETag"))

	w = ask(h, "viewer", http.MethodHead, "/?limit=2", "")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, tag, w.Header().Get("ETag"))
	require.Empty(t, w.Body.String())
}

func TestRouter_checksWhoAsksBeforeWhatTheyHave(t *testing.T) {
	t.Parallel()

	for token, status := range map[string]int{"": 401, "forged": 401} {
		w := ask(articles().Handler(), token, http.MethodGet, "/", "", "If-None-Match", "*")
		refused(t, w, status)
		require.Empty(t, w.Header().Get("ETag"))
	}
	refused(t, ask(articles().Handler(), "viewer", http.MethodGet, "/?site=cats", "", "If-None-Match", "*"), 404)
	h := api.Articles{Verifier: door{}, Store: &shelf{err: view.ErrNotFound}}.Handler()
	refused(t, ask(h, "viewer", http.MethodGet, "/1", "", "If-None-Match", "*"), 404)
}

func TestRouter_letsNobodyKeepAProbe(t *testing.T) {
	t.Parallel()

	w := ask(api.Health(), "", http.MethodGet, "/", "")
	require.NotEmpty(t, w.Header().Get("ETag"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Empty(t, w.Header().Get("Vary"))
}

func TestRouter_saysWhenToComeBack(t *testing.T) {
	t.Parallel()

	boom := errors.New("boom")
	for want, err := range map[string]error{
		"7": fault.Retryable(boom, 6500*time.Millisecond), // the cause knows
		"2": &timeout{},
		"3": faas.NewProblem(http.StatusServiceUnavailable, "x", "").With("Retry-After", "3"),
	} {
		w := ask(api.Articles{Verifier: door{}, Store: &shelf{err: err}}.Handler(), "viewer", http.MethodGet, "/", "")
		refused(t, w, http.StatusServiceUnavailable)
		require.Equal(t, want, w.Header().Get("Retry-After"))
	}
}

func TestRouter_saysSoEvenWhenTheProblemDoesNot(t *testing.T) {
	t.Parallel()

	for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		h := api.Articles{Verifier: door{}, Store: &shelf{err: faas.NewProblem(status, "x", "")}}.Handler()
		require.Equal(t, "2", ask(h, "viewer", http.MethodGet, "/", "").Header().Get("Retry-After"))
	}
}

type timeout struct{}

func (*timeout) Error() string   { return "i/o timeout" }
func (*timeout) Timeout() bool   { return true }
func (*timeout) Temporary() bool { return true }

func TestReviews_decide_holdsToIfMatch(t *testing.T) {
	t.Parallel()

	waiting := view.Run{ID: 7, State: pipeline.StateWaiting, Waiting: pipeline.WaitingApproval}
	j := &judge{
		review:  view.Review{Run: waiting, Dossier: editorial.Dossier{Draft: &editorial.Draft{Title: "Dogs", Digest: digest}}},
		decided: view.Decided{New: true, Run: view.Run{ID: 7, State: pipeline.StateCancelled}},
	}
	h := reviews(j, &bell{})
	tag := ask(h, "reviewer", http.MethodGet, "/7", "").Header().Get("ETag")
	body := `{"verb":"reject","digest":"` + digest + `"}`

	for _, sent := range []string{`"another"`, "W/" + tag} {
		p := refused(t, ask(h, "reviewer", http.MethodPost, "/7/decision", body, "If-Match", sent), http.StatusPreconditionFailed)
		require.Equal(t, "urn:blogposter:problem:review-changed", p.Type)
		require.Nil(t, j.answer)
	}
	require.Equal(t, http.StatusOK, ask(h, "reviewer", http.MethodPost, "/7/decision", body, "If-Match", tag).Code)
	require.NotNil(t, j.answer)
	require.Equal(t, http.StatusOK, ask(h, "reviewer", http.MethodPost, "/7/decision", body, "If-Match", "*").Code)

	j.review.Dossier.Findings = []editorial.Finding{{Rule: "title-length"}}
	refused(t, ask(h, "reviewer", http.MethodPost, "/7/decision", body, "If-Match", tag), http.StatusPreconditionFailed)
	j.review.Dossier.Draft = nil
	refused(t, ask(h, "reviewer", http.MethodPost, "/7/decision", body, "If-Match", tag), http.StatusNotFound)
}

func TestReviews_decide_saysHowSoonTheRunMoves(t *testing.T) {
	t.Parallel()

	body := `{"verb":"reject","digest":"` + digest + `"}`
	tests := map[string]struct {
		run  view.Run
		want string
	}{
		"at once, when it is ready":     {view.Run{State: pipeline.StateReady}, "60"},
		"at its time":                   {view.Run{State: pipeline.StateReady, NotBefore: now.Add(90 * time.Minute)}, "5400"},
		"soon, when it is worked on":    {view.Run{State: pipeline.StateRunning}, "60"},
		"never, when a person must act": {view.Run{State: pipeline.StateWaiting, Waiting: pipeline.WaitingPerson}, ""},
		"never, when it is over":        {view.Run{State: pipeline.StateDone}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := ask(reviews(&judge{err: &view.Conflict{Run: tc.run}}, &bell{}), "reviewer", http.MethodPost, "/7/decision", body)
			refused(t, w, http.StatusConflict)
			require.Equal(t, tc.want, w.Header().Get("Retry-After"))
		})
	}
}

func TestRoutes_listsWhatAHandlerServes(t *testing.T) {
	t.Parallel()

	require.Equal(t, []api.Route{
		{Method: "GET", Path: "", Role: "viewer"},
		{Method: "GET", Path: "/{run}", Role: "viewer"},
		{Method: "POST", Path: "/{run}/decision", Role: "reviewer"},
	}, api.Routes(reviews(&judge{}, &bell{})))
	require.Equal(t, []api.Route{{Method: "GET"}}, api.Routes(api.Health()))
	require.Empty(t, api.Routes(http.NotFoundHandler()))
}
