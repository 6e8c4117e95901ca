package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/journal/journaltest"
	"blogposter/lib/ledger"
	"blogposter/lib/pipeline"
)

var (
	lease   = pipeline.Lease{RunID: 7, Stage: pipeline.StageDraft, Fence: 3}
	digest  = journal.Intent{Name: "digest:1", Input: []byte("page one"), Provider: "anthropic", Model: "m", Worst: 900}
	errBoom = errors.New("boom")
)

func TestJournal_Do_commitsTheIntentBeforeTheCallAndTheAnswerBeforeItsUse(t *testing.T) {
	t.Parallel()

	steps := &journaltest.Steps{}
	got, err := journal.New(steps).Do(t.Context(), lease, digest, func(context.Context) (journal.Receipt, error) {
		steps.Note("call")
		return journal.Receipt{Result: json.RawMessage(`{"a":1}`), Cost: 120, Request: "req_1"}, nil
	})
	steps.Note("use")

	require.NoError(t, err)
	require.JSONEq(t, `{"a":1}`, string(got))
	require.Equal(t, []string{"begin digest:1", "call", "finish digest:1", "use"}, steps.Events())
	require.Equal(t, "req_1", steps.Rows()[0].Receipt.Request)
	require.Equal(t, ledger.Micros(120), steps.Spent())
}

func TestJournal_Do_returnsAStoredAnswerWithoutACall(t *testing.T) {
	t.Parallel()

	j, calls := journal.New(&journaltest.Steps{}), 0
	do := func(in journal.Intent) json.RawMessage {
		out, err := j.Do(t.Context(), lease, in, func(context.Context) (journal.Receipt, error) {
			calls++
			return journal.Receipt{Result: json.RawMessage(`"x"`)}, nil
		})
		require.NoError(t, err)
		return out
	}
	first, second := do(digest), do(digest)
	require.Equal(t, first, second)
	require.Equal(t, 1, calls)

	other := digest
	other.Input = []byte("page two")
	do(other)
	require.Equal(t, 2, calls, "another input is another call")
}

func TestJournal_Do_remembersAnEmptyAnswer(t *testing.T) {
	t.Parallel()

	j, calls := journal.New(&journaltest.Steps{}), 0
	for range 2 {
		out, err := j.Do(t.Context(), lease, digest, func(context.Context) (journal.Receipt, error) {
			calls++
			return journal.Receipt{}, nil
		})
		require.NoError(t, err)
		require.JSONEq(t, "null", string(out))
	}
	require.Equal(t, 1, calls)
}

func TestJournal_Do_makesNoCallWithoutAReservation(t *testing.T) {
	t.Parallel()

	steps := &journaltest.Steps{Limit: 899}
	_, err := journal.New(steps).Do(t.Context(), lease, digest, func(context.Context) (journal.Receipt, error) {
		t.Error("called without a reservation")
		return journal.Receipt{}, nil
	})
	require.ErrorIs(t, err, journal.ErrBudget)
	require.True(t, fault.IsBudget(err))
	require.ErrorContains(t, err, "begin step digest:1 of run 7")
	require.Equal(t, []string{"denied digest:1"}, steps.Events())
}

func TestJournal_Do_closesAStepWithoutAnAnswer(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		receipt journal.Receipt
		err     error
		state   string
		spent   ledger.Micros
		kind    fault.Kind
	}{
		"a refused call gives its reservation back":     {err: fault.Permanent(errBoom), state: "failed", kind: fault.KindPermanent},
		"a lost call stays charged at its worst":        {err: fault.Retryable(fault.Lost(errBoom), 0), state: "unknown", spent: 900, kind: fault.KindRetryable},
		"a useless call that was charged stays charged": {receipt: journal.Receipt{Cost: 55}, err: errBoom, state: "failed", spent: 55, kind: fault.KindRetryable},
		"an answer too long to keep is charged": {
			receipt: journal.Receipt{Result: json.RawMessage(`"` + strings.Repeat("x", 100_000) + `"`), Cost: 77},
			state:   "failed", spent: 77, kind: fault.KindPermanent,
		},
		"an answer that is no JSON is charged": {
			receipt: journal.Receipt{Result: json.RawMessage("<p>"), Cost: 78},
			state:   "failed", spent: 78, kind: fault.KindPermanent,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			steps := &journaltest.Steps{}
			// The caller's time is up by the time the call returns.
			ctx, cancel := context.WithCancel(t.Context())
			out, err := journal.New(steps).Do(ctx, lease, digest, func(context.Context) (journal.Receipt, error) {
				cancel()
				return tc.receipt, tc.err
			})
			require.Error(t, err)
			require.Nil(t, out)
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.Equal(t, tc.state, steps.Rows()[0].State)
			require.Equal(t, tc.spent, steps.Spent())
			require.Equal(t, []string{"begin digest:1", "end digest:1"}, steps.Events())
		})
	}
}

func TestJournal_Do_keepsBothErrorsWhenTheStepCannotBeClosed(t *testing.T) {
	t.Parallel()

	stale := errors.New("lease lost")
	_, err := journal.New(&journaltest.Steps{EndErr: stale}).Do(t.Context(), lease, digest,
		func(context.Context) (journal.Receipt, error) { return journal.Receipt{}, fault.Permanent(errBoom) })
	require.ErrorIs(t, err, errBoom)
	require.ErrorIs(t, err, stale)
}

func TestJournal_Do_hidesAnAnswerThatWasNotStored(t *testing.T) {
	t.Parallel()

	stale := errors.New("lease lost")
	steps := &journaltest.Steps{FinishErr: stale}
	out, err := journal.New(steps).Do(t.Context(), lease, digest, func(context.Context) (journal.Receipt, error) {
		return journal.Receipt{Result: json.RawMessage(`1`), Cost: 5}, nil
	})
	require.ErrorIs(t, err, stale)
	require.ErrorContains(t, err, "finish step digest:1 of run 7")
	require.Nil(t, out)
	require.Equal(t, ledger.Micros(900), steps.Spent(), "a worker that could not store leaves the worst case charged")
}

func TestJournal_Do_chargesTheLostSendAndTheNextOne(t *testing.T) {
	t.Parallel()

	steps := &journaltest.Steps{}
	j := journal.New(steps)
	_, err := j.Do(t.Context(), lease, digest, func(context.Context) (journal.Receipt, error) {
		return journal.Receipt{}, fault.Lost(errBoom)
	})
	require.Error(t, err)
	_, err = j.Do(t.Context(), lease, digest, func(context.Context) (journal.Receipt, error) {
		return journal.Receipt{Result: json.RawMessage(`1`), Cost: 30}, nil
	})
	require.NoError(t, err)
	require.Equal(t, ledger.Micros(930), steps.Spent())
	require.Equal(t, 2, steps.Rows()[0].Send)
}

// flaky fails the first writes of an answer, as a database that is away for a
// moment.
type flaky struct {
	*journaltest.Steps
	failures int
}

func (f *flaky) FinishStep(ctx context.Context, l pipeline.Lease, b journal.Begun, r journal.Receipt) error {
	if f.failures--; f.failures >= 0 {
		return errBoom
	}
	return f.Steps.FinishStep(ctx, l, b, r)
}

func TestJournal_Do_losesNoPaidAnswerToAShortFaultOfTheDatabase(t *testing.T) {
	t.Parallel()

	steps := &flaky{Steps: &journaltest.Steps{}, failures: 1}
	got, err := journal.New(steps).Do(t.Context(), lease, digest, func(context.Context) (journal.Receipt, error) {
		return journal.Receipt{Result: json.RawMessage(`"paid"`), Cost: 120}, nil
	})
	require.NoError(t, err)
	require.JSONEq(t, `"paid"`, string(got))
	require.Equal(t, ledger.Micros(120), steps.Spent())
}

// pending stands for a table in which the step is under way at its provider.
type pending struct{ *journaltest.Steps }

func (pending) BeginStep(context.Context, pipeline.Lease, journal.Intent) (journal.Begun, error) {
	return journal.Begun{StepID: 1, Send: 1, Pending: true}, nil
}

func TestJournal_Do_neverSendsWhatTheProviderKeepsUnderAName(t *testing.T) {
	t.Parallel()

	_, err := journal.New(pending{&journaltest.Steps{}}).Do(t.Context(), lease, digest, func(context.Context) (journal.Receipt, error) {
		t.Error("sent again")
		return journal.Receipt{}, nil
	})
	require.ErrorIs(t, err, journal.ErrPending)
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
}
