// Package platform runs the project's functions on one machine under the
// rules of the real function platform: the same project.yml, the same
// binaries, the same protocol on descriptor 3, the same URLs, limits, records
// and refusals. `go run ./scripts/dev` serves people with it, and end-to-end
// tests start it in-process.
//
// It is as strict as the platform's published source wherever the two could
// differ, so that what works here works there.
package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// AccessKeyVariable names the namespace's access key, as id:secret. Functions
// that invoke others get it through their environment like any other setting.
const AccessKeyVariable = "FUNCTIONS_ACCESS_KEY"

// ListenVariable names the address to serve on.
const ListenVariable = "PLATFORM_LISTEN"

// DefaultListen is where the platform serves unless told otherwise.
const DefaultListen = "127.0.0.1:3233"

// Config says what to run and how far to bend the platform's constants for a
// test. Only Project is required; zero values are the platform's own.
type Config struct {
	Project   string            // directory of project.yml
	Listen    string            // host:port; port 0 takes a free one
	Namespace string            // "local"
	Env       map[string]string // variables for project.yml; they win over .env
	EnvFile   string            // instead of .env beside project.yml
	AccessKey string            // id:secret; else the variable AccessKeyVariable
	LogDir    string            // each function's log, appended; "" keeps none
	Build     bool              // run every build.sh first
	Log       *slog.Logger      // what the platform itself has to say

	NoTriggers bool             // leave the schedule alone
	Ticks      <-chan time.Time // minutes to fire, instead of the clock's

	Concurrency int           // activations at once; 120
	AckTimeout  time.Duration // from spawn to acknowledgement; 10 s
	IdleAfter   time.Duration // a warm process is ended after this; 10 min
	Wait        time.Duration // a blocking or web call becomes asynchronous after this; 30 s
	Grace       time.Duration // Close lets running activations finish for this long; none
}

func (c *Config) setDefaults() {
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Namespace == "" {
		c.Namespace = "local"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Concurrency == 0 {
		c.Concurrency = 120
	}
	orDefault(&c.AckTimeout, 10*time.Second)
	orDefault(&c.IdleAfter, 10*time.Minute)
	orDefault(&c.Wait, 30*time.Second)
}

func orDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}

// Platform is a running platform. Close ends it and every process it started.
type Platform struct {
	cfg    Config
	ns     *namespace
	server *http.Server
	url    string
	dir    string // uploaded binaries, and the functions' working directory
	stop   context.CancelFunc
	done   sync.WaitGroup // server and schedule

	closing  sync.Once
	closeErr error
}

// Start reads the project, builds it if asked, and serves. It returns once
// requests are accepted; ctx ends only the starting. Every mistake in
// project.yml and every missing variable is reported at once.
func Start(ctx context.Context, cfg Config) (*Platform, error) {
	cfg.setDefaults()
	project, err := loadProject(cfg.Project, cfg.EnvFile, cfg.Env)
	if err != nil {
		return nil, err
	}
	if cfg.AccessKey == "" {
		cfg.AccessKey = project.variables[AccessKeyVariable]
	}
	if id, secret, ok := strings.Cut(cfg.AccessKey, ":"); !ok || id == "" || secret == "" {
		return nil, fmt.Errorf("%s must be id:secret, for example dof_v1_local:local: put it into %s or the environment", AccessKeyVariable, project.envFile)
	}
	listener, err := listen(ctx, cfg.Listen) // before the build, which takes longer
	if err != nil {
		return nil, err
	}
	p, err := deploy(ctx, cfg, project, "http://"+listener.Addr().String())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.serve(listener)
	return p, nil
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken: stop the program that uses it, or choose another address with %s or -listen: %w", addr, ListenVariable, err)
	}
	return l, err
}

// deploy does what an upload does: build, and copy each binary to a place of
// its own, so that a later build does not change what is running.
func deploy(ctx context.Context, cfg Config, project *project, url string) (*Platform, error) {
	dir, err := os.MkdirTemp("", "platform-")
	if err != nil {
		return nil, err
	}
	if err := upload(ctx, project.functions, dir, cfg.Build); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	ns, err := newNamespace(cfg, project.functions, dir, url)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Platform{cfg: cfg, ns: ns, dir: dir, url: url}, nil
}

func (p *Platform) serve(l net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	p.done.Go(func() {
		if err := p.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			p.cfg.Log.Error("stopped serving", "err", err)
		}
	})
	if !p.cfg.NoTriggers {
		p.done.Go(func() { p.ns.schedule(ctx, p.cfg.Ticks) })
	}
}

// URL is the platform's API host, without a trailing slash.
func (p *Platform) URL() string { return p.url }

// ServeHTTP routes by prefix rather than by a ServeMux, which would clean the
// paths that belong to functions.
func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, webPrefix) {
		p.ns.serveWeb(w, r)
		return
	}
	p.ns.api.ServeHTTP(w, r)
}

// Describe writes one line per function: its URL, or that it is private.
func (p *Platform) Describe(w io.Writer) error {
	for _, f := range p.ns.functions {
		where := "private"
		if f.web {
			where = p.url + webPrefix + p.ns.name + "/" + f.path()
		}
		for _, t := range f.triggers {
			where += fmt.Sprintf("  (%s: %s)", t.name, t.cron)
		}
		if _, err := fmt.Fprintf(w, "%-28s %s\n", f.path(), where); err != nil {
			return err
		}
	}
	return nil
}

// Quiet returns when no activation is running, or with ctx's error. What an
// activation invokes while it runs counts, so after a trigger or an
// asynchronous call Quiet waits for all that followed from it.
func (p *Platform) Quiet(ctx context.Context) error { return p.ns.waitQuiet(ctx) }

// Close refuses new work, gives running activations the grace of Config, and
// ends every process. It may be called more than once.
func (p *Platform) Close() error {
	p.closing.Do(func() {
		p.stop()
		ctx, cancel := context.WithTimeout(context.Background(), p.cfg.Grace)
		defer cancel()
		_ = p.server.Shutdown(ctx) // closes the listener; running out of grace is no fault
		p.ns.shut()
		_ = p.ns.waitQuiet(ctx)
		p.ns.close()
		p.closeErr = errors.Join(p.server.Close(), os.RemoveAll(p.dir))
		p.done.Wait()
	})
	return p.closeErr
}
