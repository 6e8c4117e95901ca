package journal

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
)

// Each calls do(0) to do(n-1), some at a time, and returns the error of the
// lowest index. After an error, or when ctx is done, it starts nothing more,
// but lets what runs come to its end: a paid call that is cut off is charged
// all the same. A panic in do is passed on to the caller, who can recover from
// it: in a goroutine of its own it would end the process, and the Run would
// cost one worker after the other without anybody writing down why.
func Each(ctx context.Context, n, atOnce int, do func(i int) error) error {
	errs := make([]error, n)
	turns := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	var mu sync.Mutex
	failed := false
	var panicked any
	for i := range n {
		turns <- struct{}{}
		mu.Lock()
		stop := failed || ctx.Err() != nil
		mu.Unlock()
		if stop {
			break
		}
		wg.Go(func() {
			defer func() { <-turns }()
			defer func() {
				if p := recover(); p != nil {
					// Where it came from is known here alone.
					slog.ErrorContext(ctx, "call panicked", "call", i, "panic", p, "stack", string(debug.Stack()))
					mu.Lock()
					panicked, failed = p, true
					mu.Unlock()
				}
			}()
			if err := do(i); err != nil {
				mu.Lock()
				errs[i], failed = err, true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if panicked != nil {
		panic(panicked)
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
