// Command hang never answers: it waits for a server that the event or the
// query names, whatever its deadline. Called by HTTP or by hand; a second call
// is safe.
package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"

	"blogposter/lib/faas"
)

func main() {
	slog.SetDefault(faas.Logger(slog.LevelInfo))
	faas.Serve(func(ctx context.Context, event json.RawMessage) (any, error) {
		var ev struct {
			URL  string
			HTTP struct{ QueryString string }
		}
		_ = json.Unmarshal(event, &ev)
		if q, _ := url.ParseQuery(ev.HTTP.QueryString); q.Has("url") {
			ev.URL = q.Get("url")
		}
		slog.InfoContext(ctx, "hanging")
		resp, err := http.Get(ev.URL)
		if err != nil {
			return nil, err
		}
		return nil, resp.Body.Close()
	})
}
