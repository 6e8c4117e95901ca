// Command hellodb is the least a function with a database can be: it connects
// as every function does and asks one question. make bench compares with it
// what the others need until their first answer.
package main

import (
	"context"
	"encoding/json"

	"blogposter/lib/config"
	"blogposter/lib/faas"
	"blogposter/lib/store"
)

func main() {
	env := config.OS()
	pool, err := store.Pool(context.Background(), env.Need("DATABASE_URL", "Postgres URL of the functions' role"))
	if err != nil {
		faas.Fail(err)
	}
	faas.Serve(func(ctx context.Context, _ json.RawMessage) (any, error) {
		var one int
		err := pool.QueryRow(ctx, `SELECT 1`).Scan(&one)
		return map[string]int{"one": one}, err
	})
}
