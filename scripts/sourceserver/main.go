// Command sourceserver serves folders of Markdown pages in two forms: to
// programs as Jina's reader would (GET /reader/{url}, same wire, same
// refusals), and to people as HTML (GET /{page}), so that a citation in the
// demo leads somewhere. It accepts any key that begins with "offline-" and is
// never part of a function.
//
// Trigger: by hand, or scripts/demo. GET /index.json lists the pages, GET
// /_log the calls of the reader.
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
	"strings"
	"syscall"
	"time"

	"blogposter/scripts/sourceserver/pages"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr, nil)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		slog.Error("sourceserver stopped", "err", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. ready, if not nil, is told the address.
func run(ctx context.Context, args []string, errOut io.Writer, ready func(addr string)) error {
	flags := flag.NewFlagSet("sourceserver", flag.ContinueOnError)
	flags.SetOutput(errOut)
	listen := flags.String("listen", "127.0.0.1:58091", "address to listen on")
	dirs := flags.String("dir", "scripts/demo/pages", "folders of pages (*.md), separated by commas")
	base := flags.String("base", "", "address that pages without one of their own are given (default: http:// and -listen)")
	logFile := flags.String("log", "", "file that gets a JSON line for each call of the reader")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: only flags are read", flags.Arg(0))
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("-listen: %w", err)
	}
	defer ln.Close()
	if *base == "" {
		*base = "http://" + ln.Addr().String()
	}
	cfg := pages.Config{}
	for dir := range strings.SplitSeq(*dirs, ",") {
		found, err := pages.Load(strings.TrimSpace(dir), *base)
		if err != nil {
			return fmt.Errorf("-dir: %w", err)
		}
		cfg.Pages = append(cfg.Pages, found...)
	}
	if *logFile != "" {
		f, err := os.OpenFile(*logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("-log: %w", err)
		}
		defer f.Close()
		cfg.Log = f
	}
	h, err := pages.New(cfg)
	if err != nil {
		return err
	}
	return serve(ctx, ln, h, ready)
}

func serve(ctx context.Context, ln net.Listener, h http.Handler, ready func(addr string)) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	slog.InfoContext(ctx, "source server listens", "addr", ln.Addr().String())
	if ready != nil {
		ready(ln.Addr().String())
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return srv.Shutdown(closing)
}
