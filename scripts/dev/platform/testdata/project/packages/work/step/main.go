// Command step does what its event says, to show what a platform does with a
// function's ways. Called by hand and by schedule. A second call is safe.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"blogposter/lib/faas"
)

func main() {
	slog.SetDefault(faas.Logger(slog.LevelInfo))
	fmt.Println("started")
	faas.Serve(do)
}

func do(ctx context.Context, event json.RawMessage) (any, error) {
	var ev struct {
		Do, URL string
		Size    int
	}
	if err := json.Unmarshal(event, &ev); err != nil {
		return nil, err
	}
	switch ev.Do {
	case "env":
		dir, err := os.Getwd()
		return map[string]any{"env": os.Environ(), "dir": dir}, err
	case "hold": // until the test's server answers; the test sees us leave
		resp, err := http.Get(fmt.Sprintf("%s?pid=%d", ev.URL, os.Getpid()))
		if err != nil {
			return nil, err
		}
		return map[string]int{"pid": os.Getpid()}, resp.Body.Close()
	case "exit":
		slog.WarnContext(ctx, "leaving")
		os.Exit(7)
	case "fail":
		return nil, errors.New("no such run")
	case "log":
		fmt.Println("to stdout")
		fmt.Fprintln(os.Stderr, "to stderr")
		fmt.Print("unfinished")
	case "shout": // more than an activation may log
		for range ev.Size >> 10 {
			fmt.Println(strings.Repeat("x", 1<<10))
		}
	case "line": // one line longer than the platform's reader takes
		fmt.Println(strings.Repeat("y", ev.Size))
	case "call":
		c := faas.Activation(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{"id": c.ID, "name": c.Name, "namespace": c.Namespace, "host": c.APIHost,
			"left": c.Deadline.Sub(deadline).String(), "event": event}, nil
	}
	return map[string]int{"pid": os.Getpid()}, nil
}
