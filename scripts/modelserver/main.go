// Command modelserver stands in for Anthropic's Messages API and for OpenAI's
// chat completions and embeddings on a machine without a key: same wire, same
// refusals, same bills, and answers put together from the sources in the
// prompt. It accepts any key that begins with "offline-", marks every response
// as offline, and is never part of a function.
//
// Its vectors are means of GloVe word vectors, of length one. They share a
// large common part: raw cosines of pages on one subject are 0.94 to 0.99.
//
// Trigger: by hand, or scripts/demo. GET /_log lists the calls it accepted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"blogposter/scripts/modelserver/vector"
	"blogposter/scripts/modelserver/wire"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr, nil)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		slog.Error("modelserver stopped", "err", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. ready, if not nil, is told the address.
func run(ctx context.Context, args []string, errOut io.Writer, ready func(addr string)) error {
	flags := flag.NewFlagSet("modelserver", flag.ContinueOnError)
	flags.SetOutput(errOut)
	listen := flags.String("listen", "127.0.0.1:58090", "address to listen on")
	logFile := flags.String("log", "", "file that gets a JSON line for each accepted call")
	vectors := flags.String("vectors", "", "table of word vectors, made by scripts/stack/vectors.sh; without it /v1/embeddings answers 503")
	latency := flags.Duration("latency", 0, "wait before each answer")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: only flags are read", flags.Arg(0))
	}
	cfg := wire.Config{Composer: newComposer(), Latency: *latency}
	if *vectors != "" {
		table, err := vector.Open(*vectors)
		if err != nil {
			return fmt.Errorf("-vectors: %w", err)
		}
		cfg.Vectors = table
	}
	if *logFile != "" {
		f, err := os.OpenFile(*logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("-log: %w", err)
		}
		defer f.Close()
		cfg.Log = f
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("-listen: %w", err)
	}
	srv := &http.Server{Handler: wire.New(cfg), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	slog.InfoContext(ctx, "offline model server listens", "addr", ln.Addr().String())
	if ready != nil {
		ready(ln.Addr().String())
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	// A call that hangs by script or latency must not hold the shutdown.
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := srv.Shutdown(closing); err != nil {
		return srv.Close()
	}
	return nil
}
