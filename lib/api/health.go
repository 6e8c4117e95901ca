package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"blogposter/lib/fault"
)

// Health answers GET / with 200 as long as the process serves at all. The
// edge leaves a namespace whose health fails, so it asks no other server: a
// fault they all share must not take every namespace away.
func Health() http.Handler {
	rt := newRouter(nil)
	rt.public("GET /{$}", func(w http.ResponseWriter, r *http.Request) error {
		return sendJSON(w, r, http.StatusOK, map[string]string{"status": "ok"})
	})
	return rt
}

// Check asks one server that work needs. Probe must return when its context
// ends: the answer waits for it, since nothing may run on after an invocation.
type Check struct {
	Name  string
	Probe func(ctx context.Context) error
	// Optional is a server whose loss makes work slower and stops none.
	Optional bool
}

// Ready answers GET / with what the checks found: 200 when work can be done,
// 503 when it can't. It is public, so it names no host and no error.
type Ready struct {
	Checks  []Check
	Timeout time.Duration
}

// found is one check's result.
type found struct {
	Status string `json:"status"` // ok or failed
	Millis int64  `json:"ms"`
}

// Handler returns the probe's http.Handler.
func (h Ready) Handler() http.Handler {
	rt := newRouter(nil)
	rt.public("GET /{$}", h.answer)
	return rt
}

func (h Ready) answer(w http.ResponseWriter, r *http.Request) error {
	errs := make([]error, len(h.Checks))
	results := make([]found, len(h.Checks))
	var all sync.WaitGroup
	for i, c := range h.Checks {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(r.Context(), h.Timeout)
			defer cancel()
			start := time.Now()
			errs[i] = probe(ctx, c)
			results[i] = found{Status: "ok", Millis: time.Since(start).Milliseconds()}
		})
	}
	all.Wait()

	status, code := "ok", http.StatusOK
	checks := map[string]found{}
	for i, c := range h.Checks {
		if errs[i] != nil {
			slog.WarnContext(r.Context(), "readiness check failed", "check", c.Name, "kind", fault.KindOf(errs[i]), "err", errs[i])
			results[i].Status = "failed"
			switch {
			case !c.Optional:
				status, code = "failed", http.StatusServiceUnavailable
			case status == "ok":
				status = "degraded"
			}
		}
		checks[c.Name] = results[i]
	}
	if code != http.StatusOK {
		w.Header().Set("Retry-After", "5")
	}
	return sendJSON(w, r, code, map[string]any{"status": status, "checks": checks})
}

// probe keeps a panic from ending the process: it happens on a goroutine
// where nobody else would recover it.
func probe(ctx context.Context, c Check) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the check panicked")
		}
	}()
	return c.Probe(ctx)
}
