package journal_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/journal"
)

func TestEach_runsSoManyAtOnceAndNoMore(t *testing.T) {
	t.Parallel()

	var now, most atomic.Int32
	full := make(chan struct{})
	var once sync.Once
	err := journal.Each(t.Context(), 9, 3, func(int) error {
		n := now.Add(1)
		most.Store(max(most.Load(), n))
		if n == 3 {
			once.Do(func() { close(full) })
		}
		<-full // nobody goes on before three are in here at once
		now.Add(-1)
		return nil
	})

	require.NoError(t, err)
	require.Equal(t, int32(3), most.Load())
}

func TestEach_startsNothingMoreAfterAnError(t *testing.T) {
	t.Parallel()

	boom := errors.New("boom")
	var calls atomic.Int32
	err := journal.Each(t.Context(), 50, 1, func(int) error {
		calls.Add(1)
		return boom
	})
	require.ErrorIs(t, err, boom)
	require.Equal(t, int32(1), calls.Load())
}

func TestEach_letsWhatRunsFinishAfterAnError(t *testing.T) {
	t.Parallel()

	boom := errors.New("boom")
	begun, failing := make(chan struct{}), make(chan struct{})
	finished := false
	err := journal.Each(t.Context(), 2, 2, func(i int) error {
		if i == 0 { // runs while the other fails
			close(begun)
			<-failing
			finished = true
			return nil
		}
		<-begun
		close(failing)
		return boom
	})
	require.ErrorIs(t, err, boom)
	require.True(t, finished)
}

func TestEach_startsNothingWhenTheTimeIsUp(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := journal.Each(ctx, 3, 1, func(int) error {
		t.Error("started")
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
}

func TestEach_passesAPanicOnOnceTheRestHasFinished(t *testing.T) {
	t.Parallel()

	broken, finished := make(chan struct{}), false
	require.PanicsWithValue(t, "boom", func() {
		_ = journal.Each(t.Context(), 50, 2, func(i int) error {
			switch i {
			case 0:
				<-broken
				finished = true
			case 1:
				defer close(broken)
				panic("boom")
			}
			return nil
		})
	})
	require.True(t, finished)
}
