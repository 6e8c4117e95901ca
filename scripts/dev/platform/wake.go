package platform

import (
	"encoding/json"

	"blogposter/scripts/dev/project"
)

// wake is an asynchronous call: it returns the activation's id and nobody
// waits. The platform promises to deliver it at most once, and faults make it
// keep no more than that, or less.
func (ns *namespace) wake(f *project.Function, event json.RawMessage) (id string, err error) {
	if err := ns.admit(); err != nil {
		return "", err
	}
	a := ns.activation(f)
	fault, ok := ns.faults.take(f.Path(), Delay, Drop, Duplicate)
	if !ok {
		go ns.serve(a, event, keepRecord)
		return a.id, nil
	}
	ns.cfg.Log.Warn("fault injected", "namespace", ns.name, "fn", f.Path(), "do", string(fault.Do), "activation_id", a.id)
	if fault.Do == Duplicate {
		go ns.serve(a, event, keepRecord)
		ns.late(ns.activation(f), event)
		return a.id, nil
	}
	ns.leave() // dropped or delayed, it needs no place now
	if fault.Do == Delay {
		ns.clock.afterFunc(fault.After, func() { ns.late(a, event) })
	}
	return a.id, nil
}

// late begins an activation nobody waits for, if there is a place.
func (ns *namespace) late(a *activation, event json.RawMessage) {
	if err := ns.enter(); err != nil {
		ns.cfg.Log.Warn("wake-up lost", "namespace", ns.name, "fn", a.f.Path(), "activation_id", a.id, "err", err)
		return
	}
	go ns.serve(a, event, keepRecord)
}
