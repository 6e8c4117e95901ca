// Command health is the function api/health: it answers as long as functions
// run at all, and asks no other server.
//
// Called over HTTP, by the edge and by probes, without credentials. A second
// call is safe.
package main

import (
	"log/slog"

	"blogposter/lib/api"
	"blogposter/lib/config"
	"blogposter/lib/faas"
)

func main() {
	env := config.OS()
	slog.SetDefault(faas.Logger(env.LogLevel()))
	if err := env.Err(); err != nil {
		faas.Fail(err)
	}
	faas.Serve(faas.HTTP(api.Health()))
}
