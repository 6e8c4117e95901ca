// Command research is the function api/research: it shows whom a site watches
// and what changed there, and begins a look at them.
//
// Called over HTTP. A second call is safe: one look of a site is under way at
// a time.
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
	"blogposter/lib/pipeline"
	"blogposter/lib/prompt"
	"blogposter/lib/store"
)

func main() {
	env := config.OS()
	slog.SetDefault(faas.Logger(env.LogLevel()))
	pool, badPool := store.Pool(context.Background(), env.Need("DATABASE_URL", "Postgres URL of the functions' role; `make up` writes one"))
	tokens, badSecret := jwt.New(env.Need("JWT_SECRET", "the project's JWT secret, or `openssl rand -hex 32`"), time.Now)
	host := env.NeedURL("__OW_API_HOST", "the platform sets it; scripts/dev does on a laptop")
	key := env.Need("FUNCTIONS_ACCESS_KEY", "a namespace access key: doctl serverless key create")
	pins := pipeline.Pins{
		Prompts: prompt.Current,
		Small:   env.Need("MODEL_SMALL", "the model that reads, such as claude-haiku-5-5"),
		Large:   env.Need("MODEL_LARGE", "the model that writes, such as claude-sonnet-5-5"),

		Embedding: env.Need("MODEL_EMBEDDING", "the model whose vectors say how near two texts are"),
	}
	if err := cmp.Or(env.Err(), errors.Join(badPool, badSecret)); err != nil {
		faas.Fail(err)
	}
	s := store.New(pool)
	faas.Serve(faas.HTTP(api.Research{
		Verifier: auth.NewVerifier(tokens, s),
		Store:    s,
		Waker:    invoke.New(host, key, &http.Client{Timeout: 3 * time.Second}),
		Pins:     pins,
		Now:      time.Now,
	}.Handler()))
}
