// Package tick is the safety net of the pipeline: whatever wake-up was lost,
// whichever worker died, a minute later the stage is woken again.
package tick

import (
	"context"
	"errors"
	"maps"
	"slices"

	"blogposter/lib/pipeline"
)

// most is how many wake-ups one tick sends to one stage. Each woken worker
// takes Runs until none is left, so more only shorten a long queue.
const most = 8

// Runs is what tick needs from the store.
type Runs interface {
	DueStages(ctx context.Context) (map[pipeline.Stage]int64, error)
}

// Waker asks a function to look for work.
type Waker interface {
	Wake(ctx context.Context, function string) error
}

// Woken counts the wake-ups sent, by stage: the function's answer.
type Woken map[pipeline.Stage]int

// Do wakes every stage that has due Runs. A wake-up that can't be sent does
// not keep the others back. Safe to run twice, and twice at once.
func Do(ctx context.Context, runs Runs, waker Waker) (Woken, error) {
	due, err := runs.DueStages(ctx)
	if err != nil {
		return nil, err
	}
	woken := Woken{}
	var errs []error
	for _, stage := range slices.Sorted(maps.Keys(due)) {
		for range min(due[stage], most) {
			if err := waker.Wake(ctx, stage.Function()); err != nil {
				errs = append(errs, err)
				break
			}
			woken[stage]++
		}
	}
	return woken, errors.Join(errs...)
}
