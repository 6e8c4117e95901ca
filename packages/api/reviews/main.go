// Command reviews is the function api/reviews: it shows Drafts that wait for
// approval and records what a reviewer decides.
//
// Called over HTTP. A second call is safe: a Decision is recorded once.
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
	"blogposter/lib/config"
	"blogposter/lib/faas"
	"blogposter/lib/invoke"
	"blogposter/lib/markup"
	"blogposter/lib/store"
)

func main() {
	env := config.OS()
	slog.SetDefault(faas.Logger(env.LogLevel()))
	pool, badPool := store.Pool(context.Background(), env.Need("DATABASE_URL", "Postgres URL of the functions' role; `make up` writes one"))
	tokens, badSecret := jwt.New(env.Need("JWT_SECRET", "the project's JWT secret, or `openssl rand -hex 32`"), time.Now)
	host := env.NeedURL("__OW_API_HOST", "the platform sets it; scripts/dev does on a laptop")
	key := env.Need("FUNCTIONS_ACCESS_KEY", "a namespace access key: doctl serverless key create")
	if err := cmp.Or(env.Err(), errors.Join(badPool, badSecret)); err != nil {
		faas.Fail(err)
	}
	s := store.New(pool)
	faas.Serve(faas.HTTP(api.Reviews{
		Verifier: auth.NewVerifier(tokens, s),
		Store:    s,
		Waker:    invoke.New(host, key, &http.Client{Timeout: 3 * time.Second}),
		Markdown: markup.Markdown,
		Now:      time.Now,
	}.Handler()))
}
