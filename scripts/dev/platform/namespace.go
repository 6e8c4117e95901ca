package platform

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// namespace is one tenant: its functions, their processes, its limits and its
// records. A platform has one; more would share nothing but the listener.
type namespace struct {
	name      string
	cfg       Config
	url       string
	dir       string
	functions []*function
	byPath    map[string]*function
	logFiles  map[*function]*logFile
	spawner   spawner
	records   records
	api       http.Handler

	mu      sync.Mutex
	idle    map[*function][]*warm // last used last
	live    map[*process]string   // activation each one serves, "" while idle
	running int
	quiet   chan struct{} // closed when the last running activation ends; nil unless awaited
	closed  bool
	work    sync.WaitGroup // admitted activations
}

// warm is an idle process and the timer that will end it.
type warm struct {
	p     *process
	timer *time.Timer
}

func newNamespace(cfg Config, functions []*function, dir, url string) (*namespace, error) {
	ns := &namespace{
		name: cfg.Namespace, cfg: cfg, url: url, dir: dir, functions: functions,
		byPath: map[string]*function{}, logFiles: map[*function]*logFile{},
		idle: map[*function][]*warm{}, live: map[*process]string{},
	}
	for _, f := range functions {
		ns.byPath[f.path()] = f
		file, err := openLog(cfg.LogDir, f)
		if err != nil {
			return nil, err
		}
		ns.logFiles[f] = file
	}
	ns.spawner = newSpawner()
	ns.api = ns.routes()
	return ns, nil
}

// errClosing refuses work while the platform ends.
var errClosing = errors.New("the platform is shutting down")

// admit takes one of the namespace's places, or says which limit is reached.
// Limits over time belong here too.
func (ns *namespace) admit() error {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if ns.closed {
		return errClosing
	}
	if ns.running >= ns.cfg.Concurrency {
		return &limitError{count: ns.running + 1, allowed: ns.cfg.Concurrency}
	}
	ns.running++
	ns.work.Add(1)
	return nil
}

func (ns *namespace) leave() {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.running--
	if ns.running == 0 && ns.quiet != nil {
		close(ns.quiet)
		ns.quiet = nil
	}
	ns.work.Done()
}

// acquire takes the function's most recently used warm process, or starts
// one. cold tells which.
func (ns *namespace) acquire(f *function, activation string) (p *process, cold bool, err error) {
	if p := ns.takeIdle(f, activation); p != nil {
		return p, false, nil
	}
	if p, err = ns.spawn(f); err != nil {
		return nil, true, err
	}
	if !ns.register(p, activation) {
		p.end()
		return nil, true, errClosing
	}
	go func() {
		<-p.exited
		ns.forget(p)
	}()
	return p, true, nil
}

func (ns *namespace) takeIdle(f *function, activation string) *process {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	for stack := ns.idle[f]; len(stack) > 0; stack = ns.idle[f] {
		last := stack[len(stack)-1]
		ns.idle[f] = stack[:len(stack)-1]
		if last.timer.Stop() && last.p.alive() {
			ns.live[last.p] = activation
			return last.p
		}
	}
	return nil
}

func (ns *namespace) register(p *process, activation string) bool {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if ns.closed {
		return false
	}
	ns.live[p] = activation
	return true
}

func (ns *namespace) forget(p *process) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	delete(ns.live, p)
}

// release keeps a process warm for the next event.
func (ns *namespace) release(p *process) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if !p.alive() {
		return
	}
	ns.live[p] = ""
	ns.idle[p.f] = append(ns.idle[p.f], &warm{p: p, timer: time.AfterFunc(ns.cfg.IdleAfter, p.kill)})
}

// waitQuiet returns when nothing runs, or with ctx's error.
func (ns *namespace) waitQuiet(ctx context.Context) error {
	ns.mu.Lock()
	if ns.running > 0 && ns.quiet == nil {
		ns.quiet = make(chan struct{})
	}
	quiet, running := ns.quiet, ns.running
	ns.mu.Unlock()
	if running == 0 {
		return nil
	}
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// shut ends admission.
func (ns *namespace) shut() {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.closed = true
}

// close ends every process and returns when none is left.
func (ns *namespace) close() {
	ns.mu.Lock()
	processes := make([]*process, 0, len(ns.live))
	for p := range ns.live {
		processes = append(processes, p)
	}
	for _, stack := range ns.idle {
		for _, w := range stack {
			w.timer.Stop()
		}
	}
	ns.mu.Unlock()
	for _, p := range processes {
		p.end()
	}
	ns.work.Wait()
	close(ns.spawner)
	for _, file := range ns.logFiles {
		file.close()
	}
}
