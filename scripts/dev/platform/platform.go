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
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"blogposter/scripts/dev/project"
)

// Platform is a running platform. Close ends it and every process it started.
type Platform struct {
	cfg        Config
	namespaces []*namespace
	server     *http.Server
	url        string
	dir        string // uploaded binaries, and the functions' working directories
	stop       context.CancelFunc
	done       sync.WaitGroup // the server

	closing  sync.Once
	closeErr error
}

// Start reads the projects, builds them if asked, and serves. It returns once
// requests are accepted; ctx ends only the starting. Every mistake in
// project.yml and every missing variable is reported at once.
func Start(ctx context.Context, cfg Config) (*Platform, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	tenants := cfg.tenants()
	projects := make([]*project.Project, len(tenants))
	for i := range tenants {
		var err error
		if projects[i], err = tenants[i].load(); err != nil {
			return nil, err
		}
	}
	if err := distinct(tenants); err != nil {
		return nil, err
	}
	listener, err := listen(ctx, cfg.Listen) // before the build, which takes longer
	if err != nil {
		return nil, err
	}
	p, err := deploy(ctx, cfg, tenants, projects, "http://"+listener.Addr().String())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.serve(listener)
	return p, nil
}

// distinct refuses namespaces that a URL or a key could not tell apart.
func distinct(tenants []Tenant) error {
	names, keys := map[string]bool{}, map[string]bool{}
	for _, t := range tenants {
		if names[t.Name] || t.Name == "" || t.Name == "_" {
			return fmt.Errorf("namespace %q: give each namespace a name of its own", t.Name)
		}
		if keys[t.AccessKey] {
			return fmt.Errorf("namespace %s has the %s of another: give it a key of its own", t.Name, AccessKeyVariable)
		}
		names[t.Name], keys[t.AccessKey] = true, true
	}
	return nil
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
func deploy(ctx context.Context, cfg Config, tenants []Tenant, projects []*project.Project, url string) (*Platform, error) {
	dir, err := os.MkdirTemp("", "platform-")
	if err != nil {
		return nil, err
	}
	p := &Platform{cfg: cfg, dir: dir, url: url}
	for i, t := range tenants {
		own := filepath.Join(dir, t.Name)
		err := os.Mkdir(own, 0o700)
		if err == nil {
			err = upload(ctx, projects[i].Functions, own, cfg.Build)
		}
		var ns *namespace
		if err == nil {
			ns, err = newNamespace(cfg, t, projects[i].Functions, own, url)
		}
		if err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		p.namespaces = append(p.namespaces, ns)
	}
	return p, nil
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
	if p.cfg.NoTriggers {
		return
	}
	for _, ns := range p.namespaces {
		ns.schedule(ctx)
	}
}

// URL is the platform's API host, without a trailing slash.
func (p *Platform) URL() string { return p.url }

// ServeHTTP routes by prefix rather than by a ServeMux, which would clean the
// paths that belong to functions. A web URL names its namespace; any other
// call is its key's.
func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if rest, ok := strings.CutPrefix(r.URL.EscapedPath(), webPrefix); ok {
		name, _, _ := strings.Cut(rest, "/")
		if ns := p.namespace(name); ns != nil {
			ns.serveWeb(w, r)
			return
		}
		refuse(w, http.StatusNotFound, messageNotFound)
		return
	}
	for _, ns := range p.namespaces {
		if ns.holds(r) {
			ns.api.ServeHTTP(w, r)
			return
		}
	}
	w.Header().Set("WWW-Authenticate", "Basic")
	refuse(w, http.StatusUnauthorized, messageAuth)
}

// namespace finds one by name, or nil.
func (p *Platform) namespace(name string) *namespace {
	for _, ns := range p.namespaces {
		if ns.name == name {
			return ns
		}
	}
	return nil
}

// Describe writes one line per function: its URL, or that it is private.
func (p *Platform) Describe(w io.Writer) error {
	for _, ns := range p.namespaces {
		for _, f := range ns.functions {
			where := "private"
			if f.Web != project.Private {
				where = p.url + webPrefix + ns.name + "/" + f.Path()
			}
			if len(p.namespaces) > 1 {
				where += "  in " + ns.name
			}
			for _, t := range f.Triggers {
				where += fmt.Sprintf("  (%s: %s)", t.Name, t.Cron)
			}
			if _, err := fmt.Fprintf(w, "%-28s %s\n", f.Path(), where); err != nil {
				return err
			}
		}
	}
	return nil
}

// Quiet returns when no activation is running, or with ctx's error. What an
// activation invokes while it runs counts, so after a trigger or an
// asynchronous call Quiet waits for all that followed from it. A wake-up that a
// fault delays counts once it has begun.
func (p *Platform) Quiet(ctx context.Context) error {
	for _, ns := range p.namespaces {
		if err := ns.waitQuiet(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close refuses new work, gives running activations the grace of Config, and
// ends every process: an idle one by closing its stdin, so that it can leave
// its coverage behind, a busy one by a kill. It may be called more than once.
func (p *Platform) Close() error {
	p.closing.Do(func() {
		p.stop()
		ctx, cancel := context.WithTimeout(context.Background(), p.cfg.Grace)
		defer cancel()
		_ = p.server.Shutdown(ctx) // closes the listener; running out of grace is no fault
		for _, ns := range p.namespaces {
			ns.shut()
		}
		_ = p.Quiet(ctx)
		for _, ns := range p.namespaces {
			ns.close()
		}
		p.closeErr = errors.Join(p.server.Close(), os.RemoveAll(p.dir))
		p.done.Wait()
	})
	return p.closeErr
}
