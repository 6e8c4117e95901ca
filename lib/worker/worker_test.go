package worker_test

import (
	"context"
	"errors"
	"testing"
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

func TestWorker_Drain_leavesRoomForAWholeLeaseAndWakesItself(t *testing.T) {
	t.Parallel()

	r, w := &runs{leases: leases(1)}, &waker{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sum, err := worker.New(pipeline.StageDraft, do(ok), r, w, time.Minute).Drain(ctx, "me")

	require.NoError(t, err)
	require.Zero(t, sum.Finished)
	require.Equal(t, []string{"pipeline/draft"}, w.woken)
}

func TestWorker_Drain_recordsAnOutcomeAfterTheWorksTimeIsUp(t *testing.T) {
	t.Parallel()

	r := &runs{leases: leases(1)}
	ctx, cancel := context.WithCancel(t.Context())
	stage := do(func(ctx context.Context, _ pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
		cancel()
		return editorial.Work{}, pipeline.Outcome{}, ctx.Err()
	})
	_, err := worker.New(pipeline.StageDraft, stage, r, &waker{}, time.Minute).Drain(ctx, "me")

	require.NoError(t, err)
	require.Equal(t, "retry", r.finished[0].Result)
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
