package platform_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/platform"
)

func TestSchedule_firesWhatIsDueWithItsBody(t *testing.T) {
	t.Parallel()

	ticks := make(chan time.Time)
	p := start(t, func(c *platform.Config) { c.NoTriggers, c.Ticks = false, ticks })
	nine := time.Date(2026, 3, 2, 11, 0, 0, 0, time.FixedZone("CEST", 2*3600)) // 09:00 UTC

	ticks <- nine
	ticks <- nine.Add(time.Minute) // nothing is due; taken once all of the first has been fired
	require.NoError(t, p.Quiet(t.Context()))

	var list []record
	require.NoError(t, json.Unmarshal([]byte(api(t, p, http.MethodGet, activations+"?docs=true", "").body), &list))
	names := []any{}
	for _, r := range list {
		require.Equal(t, "step", r.Name)
		event, ok := r.Response.Result["event"].(map[string]any)
		require.True(t, ok, "%v", r.Response.Result)
		names = append(names, event["name"])
	}
	require.ElementsMatch(t, []any{"cron", "nine"}, names, "the disabled one never fires")
}

func TestSchedule_outlivesARefusedInvocation(t *testing.T) {
	t.Parallel()

	ticks := make(chan time.Time)
	p, m := start(t, func(c *platform.Config) { c.NoTriggers, c.Ticks, c.Concurrency = false, ticks, 1 }), meet(t)
	nine := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	api(t, p, http.MethodPost, step, m.event("hold"))
	held := m.next(t)
	ticks <- nine // both triggers are refused
	ticks <- nine.Add(time.Minute)
	held.release(t)
	require.NoError(t, p.Quiet(t.Context()))
	ticks <- nine.Add(5 * time.Minute)
	ticks <- nine.Add(6 * time.Minute)
	require.NoError(t, p.Quiet(t.Context()))

	var list []record
	require.NoError(t, json.Unmarshal([]byte(api(t, p, http.MethodGet, activations, "").body), &list))
	require.Len(t, list, 2, "the held one and the one of 09:05")
}
