package pipeline_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

func TestDecide(t *testing.T) {
	t.Parallel()

	boom := errors.New("boom")
	tests := map[string]struct {
		stage   pipeline.Stage
		attempt int
		out     pipeline.Outcome
		err     error
		want    pipeline.Transition
	}{
		"success goes on to the next stage": {
			stage: pipeline.StageDraft, attempt: 1,
			want: pipeline.Transition{Stage: pipeline.StageFactCheck, State: pipeline.StateReady, Result: "done"},
		},
		"before review the run waits for approval": {
			stage: pipeline.StageSEO, attempt: 1,
			want: pipeline.Transition{Stage: pipeline.StageReview, State: pipeline.StateWaiting, Waiting: pipeline.WaitingApproval, Result: "done"},
		},
		"changed text goes back to be checked": {
			stage: pipeline.StageSEO, attempt: 2, out: pipeline.Outcome{Back: pipeline.StageFactCheck, Detail: "new title"},
			want: pipeline.Transition{Stage: pipeline.StageFactCheck, State: pipeline.StateReady, Result: "done", Detail: "new title"},
		},
		"after the last stage the run is done": {
			stage: pipeline.StagePublish, attempt: 3,
			want: pipeline.Transition{Stage: pipeline.StagePublish, State: pipeline.StateDone, Result: "done"},
		},
		"a first failure is retried after the stage's spacing": {
			stage: pipeline.StageDraft, attempt: 1, err: boom,
			want: pipeline.Transition{Stage: pipeline.StageDraft, State: pipeline.StateReady, Result: "retry", Delay: 10 * time.Minute, Error: "boom", Kind: fault.KindRetryable},
		},
		"a longer retry-after beats the backoff": {
			stage: pipeline.StagePublish, attempt: 1, err: fault.Retryable(boom, time.Hour),
			want: pipeline.Transition{Stage: pipeline.StagePublish, State: pipeline.StateReady, Result: "retry", Delay: time.Hour, Error: "boom", Kind: fault.KindRetryable},
		},
		"spent attempts end the run": {
			stage: pipeline.StageDraft, attempt: 2, err: boom,
			want: pipeline.Transition{Stage: pipeline.StageDraft, State: pipeline.StateFailed, Result: "failed", Error: "boom", Kind: fault.KindRetryable},
		},
		"the fact check is tried once, then a person is asked": {
			stage: pipeline.StageFactCheck, attempt: 1, err: boom,
			want: pipeline.Transition{Stage: pipeline.StageFactCheck, State: pipeline.StateWaiting, Waiting: pipeline.WaitingPerson, Result: "waiting", Error: "boom", Kind: fault.KindRetryable},
		},
		"what this program cannot do another may, uncounted": {
			stage: pipeline.StageDraft, attempt: 2, err: fault.NotYet(boom, time.Minute),
			want: pipeline.Transition{Stage: pipeline.StageDraft, State: pipeline.StateReady, Result: "continued", Delay: time.Minute, Error: "boom", Kind: fault.KindRetryable},
		},
		"the fact check's single try is given back too": {
			stage: pipeline.StageFactCheck, attempt: 1, err: fault.NotYet(boom, 0),
			want: pipeline.Transition{Stage: pipeline.StageFactCheck, State: pipeline.StateReady, Result: "continued", Error: "boom", Kind: fault.KindRetryable},
		},
		"a permanent fault fails at once": {
			stage: pipeline.StagePublish, attempt: 1, err: fault.Permanent(boom),
			want: pipeline.Transition{Stage: pipeline.StagePublish, State: pipeline.StateFailed, Result: "failed", Error: "boom", Kind: fault.KindPermanent},
		},
		"judgement is waited for": {
			stage: pipeline.StageDraft, attempt: 1, err: fault.NeedsHuman(boom),
			want: pipeline.Transition{Stage: pipeline.StageDraft, State: pipeline.StateWaiting, Waiting: pipeline.WaitingPerson, Result: "waiting", Error: "boom", Kind: fault.KindNeedsHuman},
		},
		"a denied reservation is never retried": {
			stage: pipeline.StageDraft, attempt: 1, err: fault.NeedsBudget(boom),
			want: pipeline.Transition{Stage: pipeline.StageDraft, State: pipeline.StateWaiting, Waiting: pipeline.WaitingBudget, Result: "waiting", Error: "boom", Kind: fault.KindNeedsHuman},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tc.want, pipeline.Decide(pipeline.Lease{Stage: tc.stage, Attempt: tc.attempt}, tc.out, tc.err))
		})
	}
}

func TestStage_Need_givesEveryFunctionsStageTime(t *testing.T) {
	t.Parallel()

	want := map[pipeline.Stage]time.Duration{
		pipeline.StageDraft: 6 * time.Minute, pipeline.StageFactCheck: 3 * time.Minute, pipeline.StageSEO: 2 * time.Minute,
		pipeline.StageReview: 0, pipeline.StagePublish: 3 * time.Minute,
	}
	for stage, need := range want {
		require.Equal(t, need, stage.Need(), stage)
	}
}

func TestTransition_Wakes_onlyAFunctionThatHasWorkNow(t *testing.T) {
	t.Parallel()

	ready := pipeline.Transition{Stage: pipeline.StageSEO, State: pipeline.StateReady}
	require.Equal(t, "pipeline/seo", ready.Wakes())
	ready.Delay = time.Second
	require.Empty(t, ready.Wakes())
	require.Empty(t, pipeline.Transition{Stage: pipeline.StageReview, State: pipeline.StateWaiting}.Wakes())
	require.Empty(t, pipeline.Transition{Stage: pipeline.StagePublish, State: pipeline.StateDone}.Wakes())
}

func TestBackoff_doublesUpToAnHour(t *testing.T) {
	t.Parallel()

	require.Equal(t, 30*time.Second, pipeline.Backoff(pipeline.StagePublish, 1))
	require.Equal(t, time.Minute, pipeline.Backoff(pipeline.StagePublish, 2))
	require.Equal(t, 20*time.Minute, pipeline.Backoff(pipeline.StageDraft, 2))
	require.Equal(t, time.Hour, pipeline.Backoff(pipeline.StageDraft, 99))
}

func TestStage_everyStageHasItsFunctionAndItsTries(t *testing.T) {
	t.Parallel()

	want := map[pipeline.Stage]int{
		pipeline.StageDraft: 2, pipeline.StageFactCheck: 1, pipeline.StageSEO: 2, pipeline.StageReview: 1, pipeline.StagePublish: 3,
	}
	for stage, tries := range want {
		require.Equal(t, tries, stage.MaxAttempts(), stage)
	}
	require.Empty(t, pipeline.StageReview.Function())
	_, ok := pipeline.StagePublish.Next()
	require.False(t, ok)
	_, ok = pipeline.Stage("nonsense").Next()
	require.False(t, ok)
	require.Equal(t, 1, pipeline.Stage("nonsense").MaxAttempts())
}
