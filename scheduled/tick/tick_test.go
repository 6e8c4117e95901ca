package tick_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/pipeline"
	"blogposter/scheduled/tick"
)

type due map[pipeline.Stage]int64

func (d due) DueStages(context.Context) (map[pipeline.Stage]int64, error) {
	if d == nil {
		return nil, errors.New("database away")
	}
	return d, nil
}

type waker struct {
	woken []string
	fail  string
}

func (w *waker) Wake(_ context.Context, f string) error {
	if f == w.fail {
		return errors.New("no such function")
	}
	w.woken = append(w.woken, f)
	return nil
}

func TestDo_wakesEveryStageThatHasDueRuns(t *testing.T) {
	t.Parallel()

	w := &waker{}
	woken, err := tick.Do(t.Context(), due{pipeline.StageSEO: 1, pipeline.StageDraft: 500}, w)

	require.NoError(t, err)
	require.Equal(t, tick.Woken{pipeline.StageDraft: 8, pipeline.StageSEO: 1}, woken)
	require.Len(t, w.woken, 9)
}

func TestDo_oneStageThatCannotBeWokenKeepsNoOtherBack(t *testing.T) {
	t.Parallel()

	w := &waker{fail: "pipeline/draft"}
	woken, err := tick.Do(t.Context(), due{pipeline.StageDraft: 3, pipeline.StageSEO: 1}, w)

	require.ErrorContains(t, err, "no such function")
	require.Equal(t, tick.Woken{pipeline.StageSEO: 1}, woken)
}

func TestDo_reportsADatabaseThatIsAway(t *testing.T) {
	t.Parallel()

	_, err := tick.Do(t.Context(), due(nil), &waker{})
	require.ErrorContains(t, err, "database away")
}
