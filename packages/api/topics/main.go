// Command topics is the function api/topics: it shows what is worth writing on,
// the best first, and sets aside what an editor dismisses.
//
// Called over HTTP. A second call is safe: a topic is dismissed once.
package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"blogposter/lib/api"
	"blogposter/lib/auth"
	"blogposter/lib/auth/jwt"
	"blogposter/lib/config"
	"blogposter/lib/faas"
	"blogposter/lib/store"
)

func main() {
	env := config.OS()
	slog.SetDefault(faas.Logger(env.LogLevel()))
	pool, badPool := store.Pool(context.Background(), env.Need("DATABASE_URL", "Postgres URL of the functions' role; `make up` writes one"))
	tokens, badSecret := jwt.New(env.Need("JWT_SECRET", "the project's JWT secret, or `openssl rand -hex 32`"), time.Now)
	if err := cmp.Or(env.Err(), errors.Join(badPool, badSecret)); err != nil {
		faas.Fail(err)
	}
	s := store.New(pool)
	faas.Serve(faas.HTTP(api.Topics{Verifier: auth.NewVerifier(tokens, s), Store: s}.Handler()))
}
