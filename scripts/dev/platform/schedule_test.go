package platform_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/platform"
)

var nine = time.Date(2026, 3, 2, 11, 0, 0, 0, time.FixedZone("CEST", 2*3600)) // 09:00 UTC

// clocked serves under a clock that stands shortly before nine.
func clocked(t *testing.T, bend ...func(*platform.Config)) (*platform.Platform, *platform.Clock) {
	t.Helper()
	clock := platform.NewClock(nine.Add(-30 * time.Second))
	bend = append([]func(*platform.Config){func(c *platform.Config) { c.NoTriggers, c.Clock, c.Control = false, clock, true }}, bend...)
	return start(t, bend...), clock
}

// names are those in the events of the activations so far.
func names(t *testing.T, p *platform.Platform) []any {
	t.Helper()
	require.NoError(t, p.Quiet(t.Context()))
	var list []record
	require.NoError(t, json.Unmarshal([]byte(api(t, p, http.MethodGet, activations+"?docs=true", "").body), &list))
	found := []any{}
	for _, r := range list {
		require.Equal(t, "step", r.Name)
		event, ok := r.Response.Result["event"].(map[string]any)
		require.True(t, ok, "%v", r.Response.Result)
		found = append(found, event["name"])
	}
	return found
}

func TestSchedule_firesWhatIsDueWithItsBody(t *testing.T) {
	t.Parallel()

	p, clock := clocked(t)
	clock.Step(29 * time.Second)
	require.Empty(t, names(t, p), "not before its minute")
	clock.Step(time.Minute) // 09:00:59
	require.ElementsMatch(t, []any{"cron", "nine"}, names(t, p), "the disabled one never fires")
	clock.Step(4 * time.Minute)
	require.Len(t, names(t, p), 2, "nothing is due up to 09:04")
	clock.Step(11 * time.Minute) // 09:15:59
	require.ElementsMatch(t, []any{"cron", "cron", "cron", "cron", "nine"}, names(t, p), "no minute on the way is left out, or comes twice")
	clock.Step(-time.Hour)
	require.Equal(t, nine.Add(16*time.Minute-time.Second).UTC(), clock.Now().UTC(), "never back")
}

func TestSchedule_isSilentWhenToldSo(t *testing.T) {
	t.Parallel()

	p, clock := clocked(t, func(c *platform.Config) { c.NoTriggers = true })
	clock.Step(time.Hour)
	require.Empty(t, names(t, p))
}

func TestSchedule_outlivesARefusedInvocation(t *testing.T) {
	t.Parallel()

	p, clock := clocked(t, func(c *platform.Config) { c.Concurrency = 1 })
	m := meet(t)
	api(t, p, http.MethodPost, step, m.event("hold"))
	held := m.next(t)
	clock.Step(time.Minute) // both triggers are refused
	held.release(t)
	require.NoError(t, p.Quiet(t.Context()))
	clock.Step(5 * time.Minute)
	require.NoError(t, p.Quiet(t.Context()))

	var list []record
	require.NoError(t, json.Unmarshal([]byte(api(t, p, http.MethodGet, activations, "").body), &list))
	require.Len(t, list, 2, "the held one and the one of 09:05")
}
