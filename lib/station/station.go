// Package station is what every stage's function is made of: its settings,
// its database, its way to wake the next one, and the loop that serves it.
package station

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"blogposter/lib/config"
	"blogposter/lib/faas"
	"blogposter/lib/invoke"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/worker"
)

// wakePatience bounds a wake-up: it must not hold up the work that sends it.
const wakePatience = 3 * time.Second

// shortestLease outlasts the longest single call, which gives no sign of life.
const shortestLease = 140 * time.Second

// Station is one function's surroundings. Nothing connects before the first
// event, so opening one costs a cold start nothing.
type Station struct {
	Env   *config.Env
	Store *store.Store

	pool *pgxpool.Pool
	host *url.URL
	key  string
	ttl  time.Duration
	errs []error
}

// Open reads what every stage needs from env. What is wrong with it is
// reported by Ready, together with what the function itself reads.
func Open(env *config.Env) *Station {
	slog.SetDefault(faas.Logger(env.LogLevel()))
	s := &Station{Env: env}
	var err error
	s.pool, err = store.Pool(context.Background(), env.Need("DATABASE_URL", "Postgres URL of the functions' role; `make up` writes one"))
	s.host = env.NeedURL("__OW_API_HOST", "the platform sets it; scripts/dev does on a laptop")
	s.key = env.Need("FUNCTIONS_ACCESS_KEY", "a namespace access key: doctl serverless key create")
	s.errs = append(s.errs, err)
	if s.ttl = env.Duration("LEASE_TTL", 150*time.Second); s.ttl < shortestLease {
		s.errs = append(s.errs, fmt.Errorf("LEASE_TTL is %s: it must outlast the longest single call, 2 minutes: use %s or more", s.ttl, shortestLease))
	}
	s.Store = store.New(s.pool)
	return s
}

// Ready ends the process with one line that names every setting that is
// missing or wrong, before the first event. errs are those of other rooms.
func (s *Station) Ready(errs ...error) {
	err := s.Env.Err()
	if err == nil { // what others made of missing settings says nothing new
		err = errors.Join(append(errs, s.errs...)...)
	}
	if err != nil {
		faas.Fail(err)
	}
}

// Waker asks other functions of the namespace to look for work.
func (s *Station) Waker() *invoke.Client {
	return invoke.New(s.host, s.key, &http.Client{Timeout: wakePatience})
}

// Serve works on the due Runs of one stage, event by event, until the
// platform ends the process. The event's content does not matter.
func (s *Station) Serve(name pipeline.Stage, stage worker.Stage) {
	s.ServeAfter(func(context.Context) error { return nil }, name, stage)
}

// ServeAfter is Serve for a stage whose Runs begin by themselves: first is
// called at each event, before any Run is leased. Its failure ends the event.
func (s *Station) ServeAfter(first func(ctx context.Context) error, name pipeline.Stage, stage worker.Stage) {
	w := worker.New(name, stage, s.Store, s.Waker(), s.ttl)
	faas.Serve(func(ctx context.Context, _ json.RawMessage) (any, error) {
		if err := first(ctx); err != nil {
			return nil, err
		}
		return w.Drain(ctx, faas.Activation(ctx).ID)
	})
}
