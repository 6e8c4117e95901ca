// Command dev serves the project's functions on this machine, under the rules
// of the real platform: see package platform.
//
//	go run ./scripts/dev                     serve the project in this directory
//	go run ./scripts/dev -project DIR        serve another one
//
// Settings come from the environment and from .env beside project.yml. It
// runs until SIGINT or SIGTERM and leaves no process behind.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"blogposter/scripts/dev/platform"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	env := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	cfg := platform.Config{Env: env, Build: true, Grace: 5 * time.Second, Log: slog.New(slog.NewTextHandler(stderr, nil))}
	flags := flag.NewFlagSet("dev", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&cfg.Project, "project", ".", "directory that holds project.yml")
	flags.StringVar(&cfg.Listen, "listen", env[platform.ListenVariable], "address to serve on (default "+platform.DefaultListen+", or the variable "+platform.ListenVariable+")")
	flags.StringVar(&cfg.EnvFile, "env", "", "file of NAME=value lines (default .env beside project.yml)")
	flags.StringVar(&cfg.LogDir, "log-dir", "", "directory for one log file per function (default none)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p, err := platform.Start(ctx, cfg)
	if err != nil {
		return err
	}
	if err := p.Describe(stdout); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stdout, "serving %s until interrupted\n", p.URL())
	<-ctx.Done()
	return p.Close()
}
