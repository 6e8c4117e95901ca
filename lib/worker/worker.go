// Package worker is the one loop of every pipeline stage: lease a Run, do its
// work, decide what the outcome means, write that down, wake the next stage.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

// margin is kept free before the deadline, to record the last outcome.
const margin = 5 * time.Second

// Runs is what the loop needs from the store.
type Runs interface {
	LeaseRun(ctx context.Context, stage pipeline.Stage, owner string, ttl time.Duration) (pipeline.Lease, bool, error)
	FinishAttempt(ctx context.Context, l pipeline.Lease, t pipeline.Transition, w editorial.Work) error
}

// Waker asks a function to look for work.
type Waker interface {
	Wake(ctx context.Context, function string) error
}

// Stage is one stage's work on one Run. A returned error says, by its fault
// kind, whether to retry, fail or ask a person; what the attempt made is
// saved either way.
type Stage interface {
	Do(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error)
}

// Worker works on the due Runs of one stage.
type Worker struct {
	runs  Runs
	waker Waker
	stage Stage
	name  pipeline.Stage
	ttl   time.Duration
}

// New returns a Worker. ttl is how long a lease lasts between two signs of
// life; a stage gives one with each journaled step, so ttl must outlast the
// longest single call.
func New(name pipeline.Stage, stage Stage, runs Runs, waker Waker, ttl time.Duration) *Worker {
	return &Worker{runs: runs, waker: waker, stage: stage, name: name, ttl: ttl}
}

// Summary is what a Drain did: the function's answer.
type Summary struct {
	Finished int `json:"finished"`
}

// Drain leases due Runs one by one until none is left or the deadline of ctx
// is too near for another; then it wakes its own function, for what it leaves
// behind. Without room for even one it does not: that would go on for ever,
// and be billed.
func (w *Worker) Drain(ctx context.Context, owner string) (Summary, error) {
	var sum Summary
	for ctx.Err() == nil {
		if need, left := w.room(), timeLeft(ctx); left <= need {
			if sum.Finished == 0 {
				return sum, fault.NeedsHuman(fmt.Errorf("%s has %s left when it starts, and one attempt is given %s: raise the function's timeout in project.yml, or lower LEASE_TTL, now %s",
					w.name.Function(), left.Round(time.Second), need, w.ttl))
			}
			w.wake(ctx, w.name.Function())
			return sum, nil
		}
		l, ok, err := w.runs.LeaseRun(ctx, w.name, owner, w.ttl)
		if err != nil || !ok {
			return sum, err
		}
		if err := w.attempt(ctx, l); err != nil {
			return sum, err
		}
		sum.Finished++
	}
	return sum, nil
}

func (w *Worker) attempt(ctx context.Context, l pipeline.Lease) error {
	log := slog.With("run_id", l.RunID, "stage", l.Stage, "attempt", l.Attempt)
	start := time.Now()
	work, out, workErr := w.do(ctx, l)
	if errors.Is(workErr, pipeline.ErrLeaseLost) {
		log.WarnContext(ctx, "lease lost, result dropped", "err", workErr, "dur", time.Since(start))
		return nil
	}
	if fault.IsNotYet(workErr) { // the Run shows which program lacks what
		workErr = fmt.Errorf("%s: %w", w.name.Function(), workErr)
	}
	t := pipeline.Decide(l, out, workErr)
	// The work's time may be up; its outcome must be written all the same.
	finishCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), margin)
	defer cancel()
	if err := w.runs.FinishAttempt(finishCtx, l, t, work); err != nil {
		return w.salvage(finishCtx, l, workErr, err)
	}
	if workErr != nil {
		log.WarnContext(ctx, "attempt failed", "kind", t.Kind, "err", workErr, "state", t.State, "dur", time.Since(start))
	} else {
		log.InfoContext(ctx, "attempt done", "next", t.Stage, "state", t.State, "dur", time.Since(start))
	}
	if f := t.Wakes(); f != "" && f != w.name.Function() {
		w.wake(finishCtx, f)
	}
	return nil
}

// salvage records why an outcome can't be: what the store refuses for good it
// would refuse from every worker, until the Run had cost them all their lease
// and nobody knew why. Other failures leave the lease to run out.
func (w *Worker) salvage(ctx context.Context, l pipeline.Lease, workErr, err error) error {
	if errors.Is(err, pipeline.ErrLeaseLost) || fault.KindOf(err) == fault.KindRetryable {
		return errors.Join(workErr, err)
	}
	t := pipeline.Decide(l, pipeline.Outcome{}, err)
	if again := w.runs.FinishAttempt(ctx, l, t, editorial.Work{}); again != nil {
		return errors.Join(workErr, err, again)
	}
	slog.ErrorContext(ctx, "outcome refused, cause recorded", "run_id", l.RunID, "stage", l.Stage, "attempt", l.Attempt,
		"kind", t.Kind, "err", err, "outcome", workErr, "state", t.State)
	return nil
}

// do calls the stage with the margin taken off its time. What that cuts off is
// no failure of the Run, and what was answered is journaled: another attempt
// goes on there. A panic is a bug that the same input would meet again: it asks
// for a person.
func (w *Worker) do(ctx context.Context, l pipeline.Lease) (work editorial.Work, out pipeline.Outcome, err error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-margin))
		defer cancel()
	}
	defer func() {
		if p := recover(); p != nil {
			slog.ErrorContext(ctx, "stage panicked", "run_id", l.RunID, "stage", l.Stage, "panic", p, "stack", string(debug.Stack()))
			work, out, err = editorial.Work{}, pipeline.Outcome{}, fault.NeedsHuman(fmt.Errorf("stage %s panicked: %v", l.Stage, p))
		}
	}()
	work, out, err = w.stage.Do(ctx, l)
	if ctx.Err() != nil && fault.IsTimeout(err) && fault.KindOf(err) == fault.KindRetryable {
		err = fault.NotYet(fmt.Errorf("cut by the end of its time, goes on with what was answered: %w", err), 0)
	}
	return work, out, err
}

func (w *Worker) wake(ctx context.Context, function string) {
	if err := w.waker.Wake(ctx, function); err != nil {
		slog.WarnContext(ctx, "wake-up not sent, tick will", "err", err)
	}
}

// room is what must be left of the function's time to lease a Run: a whole
// attempt, or a whole lease if that is longer, and the margin.
func (w *Worker) room() time.Duration { return max(w.name.Need(), w.ttl) + margin }

func timeLeft(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return math.MaxInt64
	}
	return time.Until(deadline)
}
