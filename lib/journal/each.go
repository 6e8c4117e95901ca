package journal

import (
	"context"
	"sync"
)

// Each calls do(0) to do(n-1), some at a time, and returns the error of the
// lowest index. After an error, or when ctx is done, it starts nothing more,
// but lets what runs come to its end: a paid call that is cut off is charged
// all the same.
func Each(ctx context.Context, n, atOnce int, do func(i int) error) error {
	errs := make([]error, n)
	turns := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	var mu sync.Mutex
	failed := false
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
			if err := do(i); err != nil {
				mu.Lock()
				errs[i], failed = err, true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
