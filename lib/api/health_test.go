package api_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api"
)

func TestHealth_asksNobody(t *testing.T) {
	t.Parallel()

	w := ask(api.Health(), "", http.MethodGet, "/", "")
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"status":"ok"}`, w.Body.String())
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	refused(t, ask(api.Health(), "", http.MethodPost, "/", ""), http.StatusMethodNotAllowed)
}

func ok(context.Context) error { return nil }

func broken(context.Context) error { return errors.New("dial db.internal:5432: password=hunter2") }

func TestReady_answersForAllChecks(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		checks []api.Check
		code   int
		want   string
	}{
		"all well":                {[]api.Check{{Name: "postgres", Probe: ok}, {Name: "redis", Probe: ok, Optional: true}}, 200, `{"status":"ok","checks":{"postgres":{"status":"ok","ms":0},"redis":{"status":"ok","ms":0}}}`},
		"one down":                {[]api.Check{{Name: "postgres", Probe: broken}, {Name: "redis", Probe: ok, Optional: true}}, 503, `{"status":"failed","checks":{"postgres":{"status":"failed","ms":0},"redis":{"status":"ok","ms":0}}}`},
		"one that only speeds up": {[]api.Check{{Name: "postgres", Probe: ok}, {Name: "redis", Probe: broken, Optional: true}}, 200, `{"status":"degraded","checks":{"postgres":{"status":"ok","ms":0},"redis":{"status":"failed","ms":0}}}`},
		"both":                    {[]api.Check{{Name: "postgres", Probe: broken}, {Name: "redis", Probe: broken, Optional: true}}, 503, `{"status":"failed","checks":{"postgres":{"status":"failed","ms":0},"redis":{"status":"failed","ms":0}}}`},
		"one that panics is down": {[]api.Check{{Name: "s3", Probe: func(context.Context) error { panic("hunter2") }}}, 503, `{"status":"failed","checks":{"s3":{"status":"failed","ms":0}}}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			synctest.Test(t, func(t *testing.T) {
				w := ask(api.Ready{Checks: tc.checks, Timeout: time.Second}.Handler(), "", http.MethodGet, "/", "")
				require.Equal(t, tc.code, w.Code)
				require.JSONEq(t, tc.want, w.Body.String())
				require.NotContains(t, w.Body.String(), "hunter2")
				require.Equal(t, tc.code == 503, w.Header().Get("Retry-After") != "")
			})
		})
	}
}

func TestReady_waitsForEveryCheckAndForNoneLongerThanItsTime(t *testing.T) {
	t.Parallel()

	// In the bubble time passes only when all wait, and a goroutine that
	// outlived the answer would fail the test.
	synctest.Test(t, func(t *testing.T) {
		stuck := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		start := time.Now()
		w := ask(api.Ready{Checks: []api.Check{
			{Name: "a", Probe: stuck}, {Name: "b", Probe: stuck}, {Name: "c", Probe: ok},
		}, Timeout: 2 * time.Second}.Handler(), "", http.MethodGet, "/", "")
		require.Equal(t, 2*time.Second, time.Since(start), "side by side, not one after the other")
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.JSONEq(t, `{"status":"failed","checks":{"a":{"status":"failed","ms":2000},"b":{"status":"failed","ms":2000},"c":{"status":"ok","ms":0}}}`, w.Body.String())
	})
}
