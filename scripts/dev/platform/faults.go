package platform

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// FaultKind says what goes wrong.
type FaultKind string

// What can go wrong on demand. A wake-up is an asynchronous call or a trigger.
const (
	Kill      FaultKind = "kill"       // now: every process of the function
	KillStart FaultKind = "kill_start" // the next process, before it acknowledges
	KillAfter FaultKind = "kill_after" // the process of the next activation, After into it
	Delay     FaultKind = "delay"      // the next wake-up is accepted and begins After later
	Drop      FaultKind = "drop"       // the next wake-up is accepted and never begins
	Duplicate FaultKind = "duplicate"  // the next wake-up happens twice
)

var faultKinds = []FaultKind{Kill, KillStart, KillAfter, Delay, Drop, Duplicate}

// Fault is one thing that shall go wrong, for tests of those who must bear it.
type Fault struct {
	Namespace string        // Config's own when empty
	Function  string        // package/name
	Do        FaultKind     //
	After     time.Duration // of kill_after and delay, by the platform's clock
	Times     int           // how often, from the next time on; 1
}

// Inject makes a fault happen: a kill at once, any other when its time
// comes. It needs Config.Control, so that nobody injects one by mistake.
func (p *Platform) Inject(f Fault) error {
	if !p.cfg.Control {
		return errNoControl
	}
	orDefault(&f.Namespace, p.namespaces[0].name)
	ns := p.namespace(f.Namespace)
	if ns == nil {
		return fmt.Errorf("namespace: there is no %q", f.Namespace)
	}
	return ns.inject(f)
}

func (ns *namespace) inject(f Fault) error {
	orDefault(&f.Times, 1)
	switch {
	case ns.byPath[f.Function] == nil:
		return fmt.Errorf("fn: there is no %q in %s: name it package/function", f.Function, ns.name)
	case !slices.Contains(faultKinds, f.Do):
		return fmt.Errorf("do: want one of %q", faultKinds)
	case f.After < 0 || f.Times < 1:
		return errors.New("after_ms and times: want no negative number")
	case f.Do == Kill:
		return ns.killAll(f.Function)
	}
	ns.faults.add(f)
	return nil
}

// killAll ends the function's processes as a crash would, and returns when
// they are gone.
func (ns *namespace) killAll(function string) error {
	ns.mu.Lock()
	found := []*process{}
	for p := range ns.live {
		if p.f.Path() == function && p.alive() {
			found = append(found, p)
		}
	}
	ns.mu.Unlock()
	if len(found) == 0 {
		return fmt.Errorf("do: no process of %s is running: invoke it first, or use %s", function, KillStart)
	}
	for _, p := range found {
		p.end()
	}
	return nil
}

// faults are those whose time is still to come, oldest first.
type faults struct {
	mu      sync.Mutex
	pending []Fault
}

func (l *faults) add(f Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = append(l.pending, f)
}

// take uses up one turn of the oldest fault of a function that is of one of
// these kinds.
func (l *faults) take(function string, kinds ...FaultKind) (Fault, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.pending {
		f := &l.pending[i]
		if f.Function != function || !slices.Contains(kinds, f.Do) {
			continue
		}
		taken := *f
		if f.Times--; f.Times == 0 {
			l.pending = slices.Delete(l.pending, i, i+1)
		}
		return taken, true
	}
	return Fault{}, false
}

func (l *faults) list() []Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.pending)
}

func (l *faults) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = nil
}
