package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/auth"
	"blogposter/lib/faas"
)

var now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// door lets one token a role in; each works on dogs, and "many" on two sites.
type door struct{}

func (door) Verify(_ context.Context, authorization []string) (auth.Principal, error) {
	if len(authorization) == 0 {
		return auth.Principal{}, auth.ErrMissing
	}
	p := auth.Principal{Subject: "ann", Sites: []string{"dogs"}}
	switch token := strings.TrimPrefix(authorization[0], "Bearer "); token {
	case "viewer", "editor", "reviewer":
		p.Role = auth.Role(token)
	case "many":
		p.Role, p.Sites = auth.RoleAdmin, []string{"dogs", "cats"}
	case "odd":
		return auth.Principal{}, auth.ErrMalformed
	case "old":
		return auth.Principal{}, auth.ErrExpired
	case "down":
		return auth.Principal{}, errors.New("dial 10.0.0.7: hunter2")
	default:
		return auth.Principal{}, auth.ErrRefused
	}
	return p, nil
}

// ask sends one request to h.
func ask(h http.Handler, token, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(faas.WithActivation(r.Context(), faas.Call{Name: "/fn-7/api/any"})))
	return w
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	return v
}

// refused asserts a problem document in full order and returns it.
func refused(t *testing.T, w *httptest.ResponseRecorder, status int) faas.Problem {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body.String())
	require.Equal(t, "application/problem+json; charset=utf-8", w.Header().Get("Content-Type"))
	p := decode[faas.Problem](t, w)
	require.Equal(t, status, p.Status)
	require.Equal(t, http.StatusText(status), p.Title)
	require.True(t, strings.HasPrefix(p.Type, "urn:blogposter:problem:"), p.Type)
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(t, "DENY", w.Header().Get("X-Frame-Options"))
	for _, e := range p.Errors {
		require.NotEmpty(t, e.Field)
		require.NotEmpty(t, e.Detail)
		require.NotEmpty(t, e.Fix, "%s has no fix", e.Field)
	}
	return p
}

func fields(p faas.Problem) []string {
	names := []string{}
	for _, e := range p.Errors {
		names = append(names, e.Field)
	}
	return names
}
