package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api"
	"blogposter/lib/faas"
	"blogposter/lib/view"
)

func articles() api.Articles {
	return api.Articles{Verifier: door{}, Store: &shelf{}}
}

func TestRouter_everyAnswerHasTheHeadersOfTheSpec(t *testing.T) {
	t.Parallel()

	for target, token := range map[string]string{"/": "viewer", "/1": "", "/no/such": "viewer"} {
		kept := "no-store"
		if target == "/" { // the caller's own, which it may keep if it asks each time
			kept = "private, no-cache"
		}
		w := ask(articles().Handler(), token, http.MethodGet, target, "", "X-Request-Id", "edge-7")
		for name, want := range map[string]string{
			"Strict-Transport-Security": "max-age=31536000; includeSubDomains",
			"X-Content-Type-Options":    "nosniff",
			"X-Frame-Options":           "DENY",
			"X-XSS-Protection":          "1; mode=block",
			"Content-Security-Policy":   "default-src 'self'",
			"Cache-Control":             kept,
			"X-Request-Id":              "edge-7",
		} {
			require.Equal(t, want, w.Header().Get(name), "%s of %s", name, target)
		}
	}
}

func TestRouter_requestIDIsTheEdgesElseThePlatformsElseNew(t *testing.T) {
	t.Parallel()

	h := articles().Handler()
	injected := ask(h, "viewer", http.MethodGet, "/", "", "X-Request-Id", `x" onload="`).Header().Get("X-Request-Id")
	require.Regexp(t, `^[A-Z0-9]{26}$`, injected)

	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(faas.WithActivation(r.Context(), faas.Call{ID: "act1"}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, "act1", w.Header().Get("X-Request-Id"))
	require.Equal(t, "urn:activation:act1", decode[faas.Problem](t, w).Instance)
}

func TestRouter_answersWhatItDoesNotServeWithProblems(t *testing.T) {
	t.Parallel()

	reviews := api.Reviews{Verifier: door{}}.Handler()
	tests := map[string]struct {
		method, target string
		status         int
		allow          string
	}{
		"an address that leads nowhere":         {"GET", "/7/decision/x", 404, ""},
		"a method the address does not take":    {"DELETE", "/7", 405, "GET, HEAD"},
		"a method another address takes":        {"GET", "/7/decision", 405, "POST"},
		"a slash too many":                      {"GET", "/7/", 404, ""},
		"an unclean path is not redirected":     {"GET", "//7", 404, ""},
		"a path that climbs is not redirected":  {"GET", "/x/../7", 404, ""},
		"an id that is no number":               {"GET", "/seven", 404, ""},
		"an id below one":                       {"GET", "/0", 404, ""},
		"an id with a sign, another's spelling": {"GET", "/+7", 404, ""},
		"an id beyond any":                      {"GET", "/99999999999999999999", 404, ""},
		"a decision on an id that is no number": {"POST", "/seven/decision", 404, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := ask(reviews, "reviewer", tc.method, tc.target, "{}")
			refused(t, w, tc.status)
			require.Equal(t, tc.allow, w.Header().Get("Allow"))
		})
	}
}

func TestRouter_servesTheEmptyPathLikeTheRoot(t *testing.T) {
	t.Parallel()

	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.Path = ""
	w := httptest.NewRecorder()
	api.Health().ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
	require.Empty(t, r.URL.Path, "the caller's request is left alone")
}

func TestRouter_tellsACallerWhyNotToLetThemIn(t *testing.T) {
	t.Parallel()

	const invalid = `Bearer error="invalid_token"`
	tests := map[string]struct {
		token, challenge, kind string
	}{
		"missing":   {"", "Bearer", "token-missing"},
		"malformed": {"odd", invalid, "token-malformed"},
		"expired":   {"old", invalid, "token-expired"},
		"refused":   {"forged", invalid, "token-refused"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			for target, h := range map[string]http.Handler{
				"/": articles().Handler(), "/1": api.Runs{Verifier: door{}}.Handler(), "/2": api.Reviews{Verifier: door{}}.Handler(),
			} {
				w := ask(h, tc.token, http.MethodGet, target, "")
				p := refused(t, w, http.StatusUnauthorized)
				require.Equal(t, tc.challenge, w.Header().Get("WWW-Authenticate"))
				require.Equal(t, "urn:blogposter:problem:"+tc.kind, p.Type)
				require.NotEmpty(t, p.Detail)
			}
		})
	}
}

func TestRouter_letsEachRoleDoWhatItsTableSays(t *testing.T) {
	t.Parallel()

	runs := api.Runs{Verifier: door{}, Store: &desk{}, Now: func() time.Time { return now }}.Handler()
	reviews := api.Reviews{Verifier: door{}, Store: &judge{}, Now: func() time.Time { return now }}.Handler()
	tests := map[string]struct {
		h                     http.Handler
		token, method, target string
		want                  int
	}{
		"a viewer reads":              {runs, "viewer", "GET", "/", 200},
		"a viewer starts nothing":     {runs, "viewer", "POST", "/", 403},
		"an editor starts":            {runs, "editor", "POST", "/", 400}, // let in; the body is not in order
		"an editor decides nothing":   {reviews, "editor", "POST", "/7/decision", 403},
		"a reviewer decides":          {reviews, "reviewer", "POST", "/7/decision", 400},
		"a reviewer starts runs, too": {runs, "reviewer", "POST", "/", 400},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := ask(tc.h, tc.token, tc.method, tc.target, `{"nonsense": 1}`)
			require.Equal(t, tc.want, w.Code, w.Body.String())
			if tc.want == http.StatusForbidden {
				require.Contains(t, refused(t, w, 403).Detail, "Your role is "+tc.token)
			}
		})
	}
}

func TestRouter_choosesTheSiteAmongThePrincipalsOwn(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		token, target string
		status        int
		site          string
	}{
		"the only one":                   {"viewer", "/", 200, "dogs"},
		"the only one, named":            {"viewer", "/?site=dogs", 200, "dogs"},
		"somebody else's":                {"viewer", "/?site=cats", 404, ""},
		"one that does not exist":        {"viewer", "/?site=nobody", 404, ""},
		"one of several":                 {"many", "/?site=cats", 200, "cats"},
		"none of several":                {"many", "/", 400, ""},
		"the same holds for one article": {"viewer", "/1?site=cats", 404, ""},
		"one article of one of several":  {"many", "/1?site=cats", 200, "cats"},
		"one article of none of several": {"many", "/1", 400, ""},
	}
	var answers []string
	for name, tc := range tests {
		s := &shelf{}
		w := ask(api.Articles{Verifier: door{}, Store: s}.Handler(), tc.token, http.MethodGet, tc.target, "")
		require.Equal(t, tc.status, w.Code, name)
		require.Equal(t, tc.site, s.site, name)
		switch tc.status {
		case http.StatusBadRequest:
			p := refused(t, w, 400)
			require.Equal(t, []string{"site"}, fields(p))
			require.Equal(t, "name one of dogs, cats", p.Errors[0].Fix)
		case http.StatusNotFound:
			refused(t, w, 404)
			answers = append(answers, w.Body.String())
		}
	}
	require.Len(t, answers, 3)
	require.Equal(t, answers[0], answers[1])
	require.Equal(t, answers[1], answers[2], "a site that is another's is answered just like an unknown one")
}

func TestRouter_keepsFaultsToItself(t *testing.T) {
	t.Parallel()

	secret := errors.New("password=hunter2")
	tests := map[string]struct {
		err    error
		status int
	}{
		"anything":            {secret, 500},
		"a deadline":          {errors.Join(secret, context.DeadlineExceeded), 503},
		"a lost database":     {errors.Join(secret, &net.OpError{Op: "dial", Err: secret}), 503},
		"nothing of the site": {errors.Join(secret, view.ErrNotFound), 404},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := ask(api.Articles{Verifier: door{}, Store: &shelf{err: tc.err}}.Handler(), "viewer", http.MethodGet, "/", "")
			refused(t, w, tc.status)
			require.NotContains(t, w.Body.String(), "hunter2")
			require.Equal(t, tc.status == 503, w.Header().Get("Retry-After") != "")

			w = ask(api.Articles{Verifier: door{}, Store: &shelf{err: tc.err}}.Handler(), "viewer", http.MethodGet, "/1", "")
			refused(t, w, tc.status)
		})
	}
	w := ask(articles().Handler(), "down", http.MethodGet, "/", "")
	refused(t, w, http.StatusInternalServerError)
	require.NotContains(t, w.Body.String(), "hunter2")
}

func TestLinks_followThePlatform(t *testing.T) {
	t.Parallel()

	for name, want := range map[string]string{"/fn-7/api/articles": "/api/v1/web/fn-7/api/runs/12", "": "/runs/12"} {
		r := httptest.NewRequest(http.MethodGet, "/2", nil)
		r.Header.Set("Authorization", "Bearer viewer")
		r = r.WithContext(faas.WithActivation(r.Context(), faas.Call{Name: name}))
		w := httptest.NewRecorder()
		articles().Handler().ServeHTTP(w, r)
		require.Equal(t, want, decode[view.Article](t, w).Links["run"])
	}
}

func TestHandlers_serveThroughThePlatformsAdapter(t *testing.T) {
	t.Parallel()

	event := json.RawMessage(`{"http":{"method":"get","path":"","queryString":"site=dogs",
		"headers":{"authorization":"Bearer viewer","x-request-id":"edge-7"},"body":"","isBase64Encoded":false}}`)
	got, err := faas.HTTP(articles().Handler())(t.Context(), event)
	require.NoError(t, err)
	raw, err := json.Marshal(got)
	require.NoError(t, err)
	var reply struct {
		StatusCode int               `json:"statusCode"`
		Headers    map[string]string `json:"headers"`
		Body       string            `json:"body"`
	}
	require.NoError(t, json.Unmarshal(raw, &reply))
	require.Equal(t, 200, reply.StatusCode, reply.Body)
	require.Equal(t, "edge-7", reply.Headers["X-Request-Id"])
	require.Contains(t, reply.Body, `"title":"Dogs on trains"`)
}
