package platform

import (
	"context"
	"time"
)

// schedule fires triggers at the start of every minute until ctx ends, each as
// an asynchronous invocation. Minutes the machine slept through are gone, as
// they are on the platform.
func (ns *namespace) schedule(ctx context.Context) {
	ns.fireAt(ctx, following(time.Time{}, ns.clock.Now()))
}

// following is the minute to fire after the one that was. A machine's clock
// that is being set back must not fire a minute twice.
func following(minute, now time.Time) time.Time {
	next := now.Truncate(time.Minute).Add(time.Minute)
	if !next.After(minute) {
		return minute.Add(time.Minute)
	}
	return next
}

func (ns *namespace) fireAt(ctx context.Context, minute time.Time) {
	ns.clock.afterFunc(minute.Sub(ns.clock.Now()), func() {
		if ctx.Err() != nil {
			return
		}
		ns.fire(minute)
		ns.fireAt(ctx, following(minute, ns.clock.Now()))
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
