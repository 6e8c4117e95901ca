// Command tick is the function scheduled/tick: it wakes every stage that has
// due Runs, so that no lost wake-up and no dead worker leaves a Run behind.
//
// Triggered by the platform's scheduler each minute. A second call is safe:
// a wake-up carries no work.
package main

import (
	"context"
	"encoding/json"

	"blogposter/lib/config"
	"blogposter/lib/faas"
	"blogposter/lib/station"
	"blogposter/scheduled/tick"
)

func main() {
	s := station.Open(config.OS())
	s.Ready()
	waker := s.Waker()
	faas.Serve(func(ctx context.Context, _ json.RawMessage) (any, error) { return tick.Do(ctx, s.Store, waker) })
}
