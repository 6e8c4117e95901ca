// Command hang never answers: it waits for an address that the event or
// the query names, whatever its deadline. Called by HTTP or by hand; a second call
// is safe.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"

	"blogposter/lib/faas"
)

func main() {
	slog.SetDefault(faas.Logger(slog.LevelInfo))
	faas.Serve(func(ctx context.Context, event json.RawMessage) (any, error) {
		var ev struct {
			Addr string
			HTTP struct{ QueryString string }
		}
		_ = json.Unmarshal(event, &ev)
		if q, _ := url.ParseQuery(ev.HTTP.QueryString); q.Has("addr") {
			ev.Addr = q.Get("addr")
		}
		slog.InfoContext(ctx, "hanging")
		conn, err := net.Dial("tcp", ev.Addr)
		if err != nil {
			return nil, err
		}
		_, _ = fmt.Fprintln(conn, os.Getpid())
		_, err = io.ReadAll(conn)
		return nil, err
	})
}
