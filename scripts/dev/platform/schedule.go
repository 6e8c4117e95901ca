package platform

import (
	"context"
	"time"
)

// schedule fires triggers at the start of every minute until ctx ends, each as
// an asynchronous invocation. Minutes the machine slept through are gone, as
// they are on the platform.
func (ns *namespace) schedule(ctx context.Context) {
	ns.fireAt(ctx, ns.clock.Now().Truncate(time.Minute).Add(time.Minute))
}

func (ns *namespace) fireAt(ctx context.Context, minute time.Time) {
	ns.clock.afterFunc(minute.Sub(ns.clock.Now()), func() {
		if ctx.Err() != nil {
			return
		}
		ns.fire(minute)
		next := ns.clock.Now().Truncate(time.Minute).Add(time.Minute)
		if !next.After(minute) { // a timer that went off early must not fire its minute twice
			next = minute.Add(time.Minute)
		}
		ns.fireAt(ctx, next)
	})
}

func (ns *namespace) fire(minute time.Time) {
	for _, f := range ns.functions {
		for _, t := range f.Triggers {
			if !t.Due(minute) {
				continue
			}
			if _, err := ns.wake(f, withParameters(f, fields(t.Body))); err != nil {
				ns.cfg.Log.Warn("trigger lost", "namespace", ns.name, "trigger", t.Name, "fn", f.Path(), "err", err)
			}
		}
	}
}
