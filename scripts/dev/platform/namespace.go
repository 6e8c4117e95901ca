package platform

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"sync"
	"time"

	"blogposter/scripts/dev/project"
)

// namespace is one tenant: its functions, their processes, its limits and its
// records. Several share nothing but the listener and the constants.
type namespace struct {
	name      string
	key       string
	cfg       Config
	clock     clock
	url       string
	dir       string
	functions []*project.Function
	byPath    map[string]*project.Function
	logFiles  map[*project.Function]*logFile
	spawner   spawner
	records   records
	faults    faults
	api       http.Handler

	mu      sync.Mutex
	minute  time.Time // in which calls were counted
	calls   int
	idle    map[*project.Function][]*warm // last used last
	live    map[*process]string           // activation each one serves, "" while idle
	running int
	quiet   chan struct{} // closed when the last running activation ends; nil unless awaited
	closed  bool
	work    sync.WaitGroup // admitted activations
}

// warm is an idle process; keep stops the timer that will end it, and reports
// whether it was still running.
type warm struct {
	p    *process
	keep func() bool
}

func newNamespace(cfg Config, t Tenant, functions []*project.Function, dir, url string) (*namespace, error) {
	ns := &namespace{
		name: t.Name, key: t.AccessKey, cfg: cfg, clock: machineClock{}, url: url, dir: dir, functions: functions,
		byPath: map[string]*project.Function{}, logFiles: map[*project.Function]*logFile{},
		idle: map[*project.Function][]*warm{}, live: map[*process]string{},
	}
	if cfg.Clock != nil {
		ns.clock = cfg.Clock
	}
	for _, f := range functions {
		ns.byPath[f.Path()] = f
		file, err := openLog(t.LogDir, f)
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

// holds tells whether the request carries the namespace's key.
func (ns *namespace) holds(r *http.Request) bool {
	id, secret, _ := r.BasicAuth()
	return subtle.ConstantTimeCompare([]byte(id+":"+secret), []byte(ns.key)) == 1
}

// admit counts a call and takes one of the namespace's places, or says which
// limit is reached. A refused call counts towards the minute, as upstream.
func (ns *namespace) admit() error {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if now := ns.clock.Now().Truncate(time.Minute); !now.Equal(ns.minute) {
		ns.minute, ns.calls = now, 0
	}
	ns.calls++
	if ns.calls > ns.cfg.PerMinute {
		return &limitError{messageTooMany, ns.calls, ns.cfg.PerMinute}
	}
	return ns.occupy()
}

// enter takes a place for a call that was counted when it came.
func (ns *namespace) enter() error {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	return ns.occupy()
}

// occupy needs the lock.
func (ns *namespace) occupy() error {
	if ns.closed {
		return errClosing
	}
	if ns.running >= ns.cfg.Concurrency {
		return &limitError{messageTooBusy, ns.running + 1, ns.cfg.Concurrency}
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
func (ns *namespace) acquire(f *project.Function, activation string) (p *process, cold bool, err error) {
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

func (ns *namespace) takeIdle(f *project.Function, activation string) *process {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	for stack := ns.idle[f]; len(stack) > 0; stack = ns.idle[f] {
		last := stack[len(stack)-1]
		ns.idle[f] = stack[:len(stack)-1]
		if last.keep() && last.p.alive() {
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

// release keeps a process warm for the next event, or until it has been idle
// for too long.
func (ns *namespace) release(p *process) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if !p.alive() {
		return
	}
	ns.live[p] = ""
	keep := ns.clock.afterFunc(ns.cfg.IdleAfter, func() { go p.retire(ns.cfg.ExitGrace) })
	ns.idle[p.f] = append(ns.idle[p.f], &warm{p: p, keep: keep})
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
	busy := map[*process]bool{}
	for p, activation := range ns.live {
		busy[p] = activation != ""
	}
	for _, stack := range ns.idle {
		for _, w := range stack {
			w.keep()
		}
	}
	ns.mu.Unlock()
	var ended sync.WaitGroup
	for p, busy := range busy {
		ended.Go(func() {
			if !busy {
				p.retire(ns.cfg.ExitGrace)
			}
			p.end()
		})
	}
	ended.Wait()
	ns.work.Wait()
	close(ns.spawner)
	for _, file := range ns.logFiles {
		file.close()
	}
}
