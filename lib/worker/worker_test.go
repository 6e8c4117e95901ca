package worker_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
	"blogposter/lib/worker"
)

// runs hands out its leases one by one and remembers what was written.
type runs struct {
	leases   []pipeline.Lease
	finished []pipeline.Transition
	work     []editorial.Work
	err      error
	refuse   func(t pipeline.Transition, w editorial.Work) error // what can't be written
}

func (r *runs) LeaseRun(context.Context, pipeline.Stage, string, time.Duration) (pipeline.Lease, bool, error) {
	if len(r.leases) == 0 {
		return pipeline.Lease{}, false, nil
	}
	l := r.leases[0]
	r.leases = r.leases[1:]
	return l, true, nil
}

func (r *runs) FinishAttempt(ctx context.Context, _ pipeline.Lease, t pipeline.Transition, w editorial.Work) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.refuse != nil {
		if err := r.refuse(t, w); err != nil {
			return err
		}
	}
	r.finished, r.work = append(r.finished, t), append(r.work, w)
	return r.err
}

type waker struct {
	woken []string
	err   error
}

func (w *waker) Wake(_ context.Context, f string) error {
	w.woken = append(w.woken, f)
	return w.err
}

type do func(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error)

func (f do) Do(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
	return f(ctx, l)
}

func leases(n int) []pipeline.Lease {
	out := make([]pipeline.Lease, n)
	for i := range out {
		out[i] = pipeline.Lease{RunID: int64(i + 1), Stage: pipeline.StageDraft, Attempt: 1}
	}
	return out
}

func ok(context.Context, pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
	return editorial.Work{Draft: &editorial.Draft{Version: 1}}, pipeline.Outcome{}, nil
}

func TestWorker_Drain_worksUntilNothingIsDueAndWakesTheNextStage(t *testing.T) {
	t.Parallel()

	r, w := &runs{leases: leases(2)}, &waker{err: errors.New("platform away")}
	sum, err := worker.New(pipeline.StageDraft, do(ok), r, w, time.Minute).Drain(t.Context(), "me")

	require.NoError(t, err, "a wake-up that was not sent is tick's business")
	require.Equal(t, 2, sum.Finished)
	require.Equal(t, []string{"pipeline/factcheck", "pipeline/factcheck"}, w.woken)
	require.Equal(t, pipeline.StageFactCheck, r.finished[0].Stage)
	require.Equal(t, 1, r.work[0].Draft.Version)
}

func TestWorker_Drain_keepsWhatAFailedAttemptMade(t *testing.T) {
	t.Parallel()

	r, w := &runs{leases: leases(1)}, &waker{}
	stage := do(func(context.Context, pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
		return editorial.Work{Checked: true}, pipeline.Outcome{}, fault.NeedsHuman(errors.New("no source"))
	})
	_, err := worker.New(pipeline.StageDraft, stage, r, w, time.Minute).Drain(t.Context(), "me")

	require.NoError(t, err)
	require.True(t, r.work[0].Checked)
	require.Equal(t, pipeline.StateWaiting, r.finished[0].State)
	require.Empty(t, w.woken)
}

func TestWorker_Drain_dropsTheResultOfALostLease(t *testing.T) {
	t.Parallel()

	r := &runs{leases: leases(1)}
	stage := do(func(context.Context, pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
		return editorial.Work{}, pipeline.Outcome{}, pipeline.ErrLeaseLost
	})
	_, err := worker.New(pipeline.StageDraft, stage, r, &waker{}, time.Minute).Drain(t.Context(), "me")

	require.NoError(t, err)
	require.Empty(t, r.finished)
}

func TestWorker_Drain_leavesRoomForAWholeAttemptOrLeaseAndWakesItself(t *testing.T) {
	t.Parallel()

	// The first of three attempts takes what the second would need.
	for name, tc := range map[string]struct {
		ttl, limit, took time.Duration
		done             int
	}{
		"no room for an attempt":   {ttl: time.Minute, limit: 10 * time.Minute, took: 4 * time.Minute, done: 1},
		"room for one more":        {ttl: time.Minute, limit: 10 * time.Minute, took: 3 * time.Minute, done: 2},
		"no room for a long lease": {ttl: 7 * time.Minute, limit: 10 * time.Minute, took: 3 * time.Minute, done: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, w := &runs{leases: leases(3)}, &waker{}
				stage := do(func(ctx context.Context, l pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
					<-time.After(tc.took)
					return editorial.Work{}, pipeline.Outcome{}, fault.NeedsHuman(errors.New("wakes no other stage"))
				})
				ctx, cancel := context.WithTimeout(t.Context(), tc.limit)
				defer cancel()
				sum, err := worker.New(pipeline.StageDraft, stage, r, w, tc.ttl).Drain(ctx, "me")

				require.NoError(t, err)
				require.Equal(t, tc.done, sum.Finished)
				require.Equal(t, []string{"pipeline/draft"}, w.woken)
			})
		})
	}
}

func TestWorker_Drain_neverWakesItselfWithoutRoomForOne(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		r, w := &runs{leases: leases(1)}, &waker{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		sum, err := worker.New(pipeline.StageDraft, do(ok), r, w, 150*time.Second).Drain(ctx, "me")

		require.EqualError(t, err, "pipeline/draft has 1m0s left when it starts, and one attempt is given 6m5s: raise the function's timeout in project.yml, or lower LEASE_TTL, now 2m30s")
		require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
		require.Zero(t, sum.Finished)
		require.Empty(t, w.woken, "it would go on for ever")
		require.Len(t, r.leases, 1)
	})
}

func TestWorker_Drain_goesOnWithAnAttemptThatItsOwnDeadlineCut(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		r, w := &runs{leases: leases(2)}, &waker{}
		stage := do(func(ctx context.Context, _ pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
			<-ctx.Done()
			return editorial.Work{}, pipeline.Outcome{}, fault.Retryable(fmt.Errorf("call: %w", fault.Lost(ctx.Err())), time.Hour)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		sum, err := worker.New(pipeline.StageDraft, stage, r, w, time.Minute).Drain(ctx, "me")

		require.NoError(t, err)
		require.Equal(t, 1, sum.Finished)
		require.Equal(t, "continued", r.finished[0].Result)
		require.Equal(t, pipeline.StateReady, r.finished[0].State)
		require.Zero(t, r.finished[0].Delay)
		require.Equal(t, "pipeline/draft: cut by the end of its time, goes on with what was answered: call: context deadline exceeded", r.finished[0].Error)
		require.Equal(t, []string{"pipeline/draft"}, w.woken)
	})
}

func TestWorker_Drain_countsWhatItsOwnDeadlineDidNotCut(t *testing.T) {
	t.Parallel()

	// What was cut but asks for a person, and what took too long by itself.
	for name, tc := range map[string]struct {
		wait bool
		err  error
		want string
	}{
		"a person is asked":       {true, fault.NeedsHuman(context.DeadlineExceeded), "waiting"},
		"another fault":           {true, errors.New("boom"), "retry"},
		"a client's own deadline": {false, context.DeadlineExceeded, "retry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &runs{leases: leases(1)}
				stage := do(func(ctx context.Context, _ pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
					if tc.wait {
						<-ctx.Done()
					}
					return editorial.Work{}, pipeline.Outcome{}, tc.err
				})
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				_, err := worker.New(pipeline.StageDraft, stage, r, &waker{}, time.Minute).Drain(ctx, "me")

				require.NoError(t, err)
				require.Equal(t, tc.want, r.finished[0].Result)
			})
		})
	}
}

func TestWorker_Drain_saysWhichProgramLacksWhat(t *testing.T) {
	t.Parallel()

	r, w := &runs{leases: leases(1)}, &waker{}
	stage := do(func(context.Context, pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
		return editorial.Work{}, pipeline.Outcome{}, fault.NotYet(errors.New("no set v2"), time.Hour)
	})
	_, err := worker.New(pipeline.StageDraft, stage, r, w, time.Minute).Drain(t.Context(), "me")

	require.NoError(t, err)
	require.Equal(t, "continued", r.finished[0].Result)
	require.Equal(t, "pipeline/draft: no set v2", r.finished[0].Error)
	require.Equal(t, time.Hour, r.finished[0].Delay)
	require.Empty(t, w.woken)
}

func TestWorker_Drain_recordsAnOutcomeAfterTheWorksTimeIsUp(t *testing.T) {
	t.Parallel()

	r := &runs{leases: leases(1)}
	ctx, cancel := context.WithCancel(t.Context())
	stage := do(func(context.Context, pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
		cancel()
		return editorial.Work{}, pipeline.Outcome{}, errors.New("boom")
	})
	_, err := worker.New(pipeline.StageDraft, stage, r, &waker{}, time.Minute).Drain(ctx, "me")

	require.NoError(t, err)
	require.Equal(t, "retry", r.finished[0].Result)
}

func TestWorker_Drain_recordsWhyAnOutcomeCannotBe(t *testing.T) {
	t.Parallel()

	bad := errors.New("unsupported Unicode escape sequence")
	for name, tc := range map[string]struct {
		err  error
		want pipeline.State
	}{
		"refused for good":  {fault.Permanent(bad), pipeline.StateFailed},
		"a person is asked": {fault.NeedsHuman(bad), pipeline.StateWaiting},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			r, w := &runs{leases: leases(2)}, &waker{}
			r.refuse = func(_ pipeline.Transition, w editorial.Work) error {
				if w.Draft != nil {
					return fmt.Errorf("finish run 1: %w", tc.err)
				}
				return nil
			}
			sum, err := worker.New(pipeline.StageDraft, do(ok), r, w, time.Minute).Drain(t.Context(), "me")

			require.NoError(t, err)
			require.Equal(t, 2, sum.Finished, "one bad outcome stops no other")
			require.Equal(t, tc.want, r.finished[0].State)
			require.Equal(t, "finish run 1: unsupported Unicode escape sequence", r.finished[0].Error)
			require.Zero(t, r.work[0])
			require.Empty(t, w.woken)
		})
	}
}

func TestWorker_Drain_triesNoSecondOutcomeAfterALostLeaseOrADeadDatabase(t *testing.T) {
	t.Parallel()

	for name, refused := range map[string]error{
		"lost lease": fault.Permanent(pipeline.ErrLeaseLost), "dead database": fault.Retryable(errors.New("away"), 0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			calls := 0
			r := &runs{leases: leases(1), refuse: func(pipeline.Transition, editorial.Work) error {
				calls++
				return refused
			}}
			_, err := worker.New(pipeline.StageDraft, do(ok), r, &waker{}, time.Minute).Drain(t.Context(), "me")

			require.ErrorIs(t, err, refused)
			require.Equal(t, 1, calls)
		})
	}
}

func TestWorker_Drain_reportsACauseThatCouldNotBeWrittenEither(t *testing.T) {
	t.Parallel()

	r := &runs{leases: leases(1), refuse: func(_ pipeline.Transition, w editorial.Work) error {
		if w.Draft != nil {
			return fault.Permanent(errors.New("bad byte"))
		}
		return errors.New("database away")
	}}
	sum, err := worker.New(pipeline.StageDraft, do(ok), r, &waker{}, time.Minute).Drain(t.Context(), "me")

	require.ErrorContains(t, err, "bad byte")
	require.ErrorContains(t, err, "database away")
	require.Zero(t, sum.Finished)
}

func TestWorker_Drain_asksAPersonAboutAPanic(t *testing.T) {
	t.Parallel()

	r := &runs{leases: leases(1)}
	stage := do(func(context.Context, pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
		panic("index out of range")
	})
	_, err := worker.New(pipeline.StageDraft, stage, r, &waker{}, time.Minute).Drain(t.Context(), "me")

	require.NoError(t, err)
	require.Equal(t, pipeline.WaitingPerson, r.finished[0].Waiting)
	require.Contains(t, r.finished[0].Error, "index out of range")
}

func TestWorker_Drain_reportsAnOutcomeThatCouldNotBeWritten(t *testing.T) {
	t.Parallel()

	r := &runs{leases: leases(2), err: errors.New("database away")}
	sum, err := worker.New(pipeline.StageDraft, do(ok), r, &waker{}, time.Minute).Drain(t.Context(), "me")

	require.ErrorContains(t, err, "database away")
	require.Zero(t, sum.Finished)
	require.Len(t, r.leases, 1, "nothing more is taken")
}
