package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
)

func TestKindOf_theOutermostMarkWins(t *testing.T) {
	t.Parallel()

	boom := errors.New("boom")
	require.Equal(t, fault.Kind(""), fault.KindOf(nil))
	require.Equal(t, fault.KindRetryable, fault.KindOf(boom))
	require.Equal(t, fault.KindPermanent, fault.KindOf(fmt.Errorf("x: %w", fault.Permanent(boom))))
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(fault.NeedsHuman(fault.Permanent(boom))))
	require.Equal(t, time.Minute, fault.RetryAfter(fault.Retryable(boom, time.Minute)))
	require.Zero(t, fault.RetryAfter(boom))
	require.ErrorIs(t, fault.NeedsBudget(boom), boom)
}

func TestIsNotYet_isTheOutermostMarks(t *testing.T) {
	t.Parallel()

	err := fmt.Errorf("x: %w", fault.NotYet(fault.Permanent(errors.New("unknown here")), time.Minute))
	require.True(t, fault.IsNotYet(err))
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
	require.Equal(t, time.Minute, fault.RetryAfter(err))
	require.False(t, fault.IsNotYet(fault.Permanent(err)), "a caller that knows more overrules")
	require.False(t, fault.IsNotYet(fault.Retryable(errors.New("boom"), time.Minute)))
}

func TestIsBudget_tellsMoneyFromJudgement(t *testing.T) {
	t.Parallel()

	require.True(t, fault.IsBudget(fmt.Errorf("x: %w", fault.NeedsBudget(errors.New("spent")))))
	require.False(t, fault.IsBudget(fault.NeedsHuman(errors.New("unclear"))))
}

func TestLost_isKeptThroughEveryWrapping(t *testing.T) {
	t.Parallel()

	err := fault.Retryable(fmt.Errorf("call: %w", fault.Lost(context.DeadlineExceeded)), time.Second)
	require.True(t, fault.IsLost(err))
	require.True(t, fault.IsTimeout(err))
	require.False(t, fault.IsLost(fault.Retryable(errors.New("refused"), 0)))
	require.NoError(t, fault.Lost(nil))
}
