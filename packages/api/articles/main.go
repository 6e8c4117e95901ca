// Command articles is the function api/articles: it lists what was published,
// each article with the claims and citations it rests on, and takes articles
// back.
//
// Called over HTTP. A second call is safe: an article has one retraction.
package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"blogposter/lib/api"
	"blogposter/lib/auth"
	"blogposter/lib/auth/jwt"
	"blogposter/lib/cache"
	"blogposter/lib/config"
	"blogposter/lib/faas"
	"blogposter/lib/invoke"
	"blogposter/lib/store"
)

func main() {
	env := config.OS()
	slog.SetDefault(faas.Logger(env.LogLevel()))
	pool, badPool := store.Pool(context.Background(), env.Need("DATABASE_URL", "Postgres URL of the functions' role; `make up` writes one"))
	tokens, badSecret := jwt.New(env.Need("JWT_SECRET", "the project's JWT secret, or `openssl rand -hex 32`"), time.Now)
	answers, badURL := cache.New(env.Need("REDIS_URL", "redis://:password@host:6379/0, or rediss:// over TLS; `make up` writes one"))
	host := env.NeedURL("__OW_API_HOST", "the platform sets it; scripts/dev does on a laptop")
	key := env.Need("FUNCTIONS_ACCESS_KEY", "a namespace access key: doctl serverless key create")
	if err := cmp.Or(env.Err(), errors.Join(badPool, badSecret, badURL)); err != nil {
		faas.Fail(err)
	}
	s := store.New(pool)
	faas.Serve(faas.HTTP(api.Articles{
		Verifier:    auth.NewVerifier(tokens, s),
		Store:       s,
		Cache:       answers,
		Retractions: s,
		Waker:       invoke.New(host, key, &http.Client{Timeout: 3 * time.Second}),
		Now:         time.Now,
	}.Handler()))
}
