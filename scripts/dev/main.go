// Command dev serves the project's functions on this machine, under the rules
// of the real platform: see package platform.
//
//	go run ./scripts/dev                     serve the project in this directory
//	go run ./scripts/dev -project DIR        serve another one
//	go run ./scripts/dev -also green=FILE    serve it in a second namespace too, with the settings of FILE
//	go run ./scripts/dev -control            let tests inject faults; with -clock TIME, let them step the time
//
// Settings come from the environment and from .env beside project.yml. It
// runs until SIGINT or SIGTERM and leaves no process behind.
//
// Under -control, with the namespace's access key:
//
//	GET    /_dev/faults                 what shall still go wrong
//	POST   /_dev/faults                 {"fn":"pipeline/draft","do":"drop"}: accept the next wake-up and lose it.
//	                                    do: kill, kill_start, kill_after, delay, drop, duplicate; after_ms; times
//	DELETE /_dev/faults                 nothing any more
//	POST   /_dev/clock                  {"step":"5m"}: fire what falls due on the way
//
// GET /_dev/processes, which needs no -control, lists the functions' processes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
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
	cfg, err := configure(args, env, stderr)
	if err != nil {
		return err
	}
	p, err := platform.Start(ctx, *cfg)
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

// configure reads the command line.
func configure(args []string, env map[string]string, stderr io.Writer) (*platform.Config, error) {
	cfg := &platform.Config{Env: env, Build: true, Grace: 5 * time.Second, Log: slog.New(slog.NewTextHandler(stderr, nil))}
	flags := flag.NewFlagSet("dev", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&cfg.Project, "project", ".", "directory that holds project.yml")
	flags.StringVar(&cfg.Listen, "listen", env[platform.ListenVariable], "address to serve on (default "+platform.DefaultListen+", or the variable "+platform.ListenVariable+")")
	flags.StringVar(&cfg.EnvFile, "env", "", "file of NAME=value lines (default .env beside project.yml)")
	flags.StringVar(&cfg.LogDir, "log-dir", "", "directory for one log file per function (default none)")
	flags.DurationVar(&cfg.IdleAfter, "idle", 0, "end a function's process when it was idle for this long (default 10m)")
	flags.BoolVar(&cfg.Control, "control", false, "for tests: open /_dev/faults and /_dev/clock")
	flags.Func("clock", "for tests: stand at this time (RFC 3339) until /_dev/clock steps it; implies -control", func(s string) error {
		at, err := time.Parse(time.RFC3339, s)
		cfg.Clock, cfg.Control = platform.NewClock(at), true
		return err
	})
	flags.Func("also", "serve a further namespace, NAME=FILE: FILE has its NAME=value lines, its own "+platform.AccessKeyVariable+" too; "+
		"the project is -project's unless NAME=FILE,DIR names another", func(s string) error {
		t, err := tenant(s)
		cfg.Also = append(cfg.Also, t)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	for i := range cfg.Also {
		if cfg.Also[i].Project == "" {
			cfg.Also[i].Project = cfg.Project
		}
		if cfg.LogDir != "" {
			cfg.Also[i].LogDir = filepath.Join(cfg.LogDir, cfg.Also[i].Name)
		}
	}
	return cfg, nil
}

// tenant reads NAME=FILE or NAME=FILE,DIR. Its settings are the file's alone: two
// colours that shared the process's environment would share database and key.
func tenant(s string) (platform.Tenant, error) {
	name, rest, ok := strings.Cut(s, "=")
	file, dir, _ := strings.Cut(rest, ",")
	if !ok || name == "" || file == "" {
		return platform.Tenant{}, errors.New("want NAME=FILE or NAME=FILE,DIR")
	}
	return platform.Tenant{Name: name, EnvFile: file, Project: dir}, nil
}
