// Command ready is the function api/ready: it says whether Postgres, Redis and
// the artifact store answer.
//
// Called over HTTP, by deploys and by people, without credentials. A second
// call is safe.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"blogposter/lib/api"
	"blogposter/lib/artifact"
	"blogposter/lib/config"
	"blogposter/lib/faas"
	"blogposter/lib/store"
)

// patience is how long each server may take to answer.
const patience = 2 * time.Second

func main() {
	env := config.OS()
	slog.SetDefault(faas.Logger(env.LogLevel()))
	pool, badPool := store.Pool(context.Background(), env.Need("DATABASE_URL", "Postgres URL of the functions' role; `make up` writes one"))
	blobs, badBucket := artifact.New(artifact.FromEnv(env))
	address, badURL := redis.ParseURL(env.Need("REDIS_URL", "redis://:password@host:6379/0, or rediss:// over TLS; `make up` writes one"))
	if badURL != nil { // its own text repeats the URL, password and all
		badURL = errors.New("REDIS_URL is not a Redis URL: use redis://:password@host:6379/0")
	}
	if err := cmp.Or(env.Err(), errors.Join(badPool, badBucket, badURL)); err != nil {
		faas.Fail(err)
	}
	// One try within the check's own time: the client would else go on past it.
	// The pool's size stays: once so many connections have failed, the client
	// dials in the background only, and a server that is back seems away.
	address.MaxRetries, address.DialerRetries = -1, 1
	address.DialTimeout, address.ContextTimeoutEnabled = patience, true
	hints := redis.NewClient(address)
	faas.Serve(faas.HTTP(api.Ready{
		Timeout: patience,
		Checks: []api.Check{
			{Name: "postgres", Probe: store.New(pool).Ping},
			{Name: "s3", Probe: blobs.Ping},
			// Redis holds hints and caches alone: without it work is slower, and none stops.
			{Name: "redis", Optional: true, Probe: func(ctx context.Context) error {
				if err := hints.Ping(ctx).Err(); err != nil { // a plain word to a TLS port is answered with silence or an end
					return fmt.Errorf("ask Redis at REDIS_URL (rediss:// over TLS, redis:// without): %w", err)
				}
				return nil
			}},
		},
	}.Handler()))
}
