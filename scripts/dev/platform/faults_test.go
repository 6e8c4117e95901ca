package platform_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/platform"
)

// faulty serves under a standing clock, with the control interface open.
func faulty(t *testing.T, bend ...func(*platform.Config)) (*platform.Platform, *platform.Clock) {
	t.Helper()
	return clocked(t, append(bend, func(c *platform.Config) { c.NoTriggers = true })...)
}

// wakeUp calls step asynchronously and returns the activation's id.
func wakeUp(t *testing.T, p *platform.Platform, event string) string {
	t.Helper()
	a := api(t, p, http.MethodPost, step, event)
	require.Equal(t, http.StatusAccepted, a.status, a.body)
	id, ok := a.json(t)["activationId"].(string)
	require.True(t, ok)
	return id
}

func found(t *testing.T, p *platform.Platform, id string) bool {
	t.Helper()
	require.NoError(t, p.Quiet(t.Context()))
	return api(t, p, http.MethodGet, activations+"/"+id, "").status == http.StatusOK
}

func TestFault_killEndsWhatRunsNow(t *testing.T) {
	t.Parallel()

	p, _ := faulty(t)
	m := meet(t)
	kill := platform.Fault{Function: "work/step", Do: platform.Kill}
	require.ErrorContains(t, p.Inject(kill), "no process of work/step is running")
	invoke(t, p, "work/step", m.event("stay"))
	idle := m.next(t)
	require.NoError(t, p.Inject(kill))
	idle.gone(t)

	call := inBackground(func() record { return invoke(t, p, "work/step", m.event("hold")) })
	busy := m.next(t)
	require.NoError(t, p.Inject(kill))
	busy.gone(t)
	r := <-call
	require.Equal(t, map[string]any{"error": "command exited"}, r.Response.Result)
	require.ErrorContains(t, p.Inject(kill), "no process", "it killed at once, and nothing later")
	require.True(t, invoke(t, p, "work/step", `{}`).Response.Success)
}

func TestFault_killStartEndsTheNextProcessBeforeItServes(t *testing.T) {
	t.Parallel()

	p, _ := faulty(t)
	require.NoError(t, p.Inject(platform.Fault{Function: "work/step", Do: platform.KillStart, Times: 2}))
	require.True(t, invoke(t, p, "web/echo", `{}`).Response.Success, "another function's start is not meant")
	for range 2 {
		r := invoke(t, p, "work/step", `{}`)
		require.Equal(t, map[string]any{"error": "Cannot start function. Check logs"}, r.Response.Result)
	}
	require.True(t, invoke(t, p, "work/step", `{}`).Response.Success, "as often as it was said")
}

func TestFault_killAfterEndsTheProcessInTheMiddle(t *testing.T) {
	t.Parallel()

	p, clock := faulty(t)
	m := meet(t)
	warm := invoke(t, p, "work/step", `{}`)
	require.NoError(t, p.Inject(platform.Fault{Function: "work/step", Do: platform.KillAfter, After: 20 * time.Millisecond}))
	call := inBackground(func() record { return invoke(t, p, "work/step", m.event("hold")) })
	held := m.next(t)
	require.Equal(t, warm.pid(t), held.pid)
	clock.Step(20 * time.Millisecond)
	held.gone(t)
	require.Equal(t, map[string]any{"error": "command exited"}, (<-call).Response.Result)
	require.NotEqual(t, warm.pid(t), invoke(t, p, "work/step", `{}`).pid(t))
}

func TestFault_killAfterSparesAnActivationThatIsFaster(t *testing.T) {
	t.Parallel()

	p, clock := faulty(t)
	require.NoError(t, p.Inject(platform.Fault{Function: "work/step", Do: platform.KillAfter, After: time.Second}))
	first := invoke(t, p, "work/step", `{}`)
	clock.Step(time.Second)
	require.Equal(t, first.pid(t), invoke(t, p, "work/step", `{}`).pid(t))
}

func TestFault_delayAcceptsNowAndBeginsLater(t *testing.T) {
	t.Parallel()

	p, clock := faulty(t)
	require.NoError(t, p.Inject(platform.Fault{Function: "work/step", Do: platform.Delay, After: 5 * time.Second}))
	late := wakeUp(t, p, `{}`)
	require.True(t, found(t, p, wakeUp(t, p, `{}`)), "one wake-up was meant, and the next overtakes it")
	clock.Step(4 * time.Second)
	require.False(t, found(t, p, late))
	clock.Step(time.Second)
	require.True(t, found(t, p, late))
}

func TestFault_delayedWakeUpNeedsAPlaceWhenItBegins(t *testing.T) {
	t.Parallel()

	p, clock := faulty(t, func(c *platform.Config) { c.Concurrency = 1 })
	m := meet(t)
	require.NoError(t, p.Inject(platform.Fault{Function: "work/step", Do: platform.Delay, After: time.Second}))
	late := wakeUp(t, p, `{}`)
	wakeUp(t, p, m.event("hold"))
	held := m.next(t)
	clock.Step(time.Second)
	held.release(t)
	require.False(t, found(t, p, late), "lost: the platform delivers at most once")
}

func TestFault_dropAcceptsAndNeverBegins(t *testing.T) {
	t.Parallel()

	p, clock := faulty(t)
	require.NoError(t, p.Inject(platform.Fault{Function: "work/step", Do: platform.Drop}))
	require.True(t, invoke(t, p, "work/step", `{}`).Response.Success, "who waits for the result is not a wake-up")
	lost := wakeUp(t, p, `{}`)
	require.True(t, found(t, p, wakeUp(t, p, `{}`)))
	clock.Step(24 * time.Hour)
	require.False(t, found(t, p, lost))
}

func TestFault_dropLosesATriggerToo(t *testing.T) {
	t.Parallel()

	p, clock := clocked(t)
	require.NoError(t, p.Inject(platform.Fault{Function: "work/step", Do: platform.Drop, Times: 2}))
	clock.Step(time.Minute)
	require.Empty(t, names(t, p))
	clock.Step(5 * time.Minute)
	require.Equal(t, []any{"cron"}, names(t, p))
}

func TestFault_duplicateHappensTwice(t *testing.T) {
	t.Parallel()

	p, _ := faulty(t)
	require.NoError(t, p.Inject(platform.Fault{Function: "work/step", Do: platform.Duplicate}))
	id := wakeUp(t, p, `{"do":"call","name":"twin"}`)
	require.True(t, found(t, p, id))
	require.Equal(t, []any{"twin", "twin"}, names(t, p), "the same event, under two ids")
}

func TestInject_saysWhatIsWrong(t *testing.T) {
	t.Parallel()

	p, _ := faulty(t)
	tests := map[string]struct {
		fault platform.Fault
		want  string
	}{
		"an unknown namespace": {platform.Fault{Namespace: "blue", Function: "work/step", Do: platform.Drop}, `namespace: there is no "blue"`},
		"an unknown function":  {platform.Fault{Function: "step", Do: platform.Drop}, `fn: there is no "step" in local: name it package/function`},
		"an unknown kind":      {platform.Fault{Function: "work/step", Do: "burn"}, `do: want one of ["kill" "kill_start" "kill_after" "delay" "drop" "duplicate"]`},
		"a negative time":      {platform.Fault{Function: "work/step", Do: platform.Delay, After: -1}, "after_ms and times: want no negative number"},
		"a negative number":    {platform.Fault{Function: "work/step", Do: platform.Drop, Times: -1}, "after_ms and times: want no negative number"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.EqualError(t, p.Inject(tc.fault), tc.want)
		})
	}
}

const (
	faultsPath = "/_dev/faults"
	clockPath  = "/_dev/clock"
)

func TestControl_isClosedUnlessAskedFor(t *testing.T) {
	t.Parallel()

	p := start(t)
	for _, call := range []struct{ method, path string }{
		{"GET", faultsPath}, {"POST", faultsPath}, {"DELETE", faultsPath}, {"GET", clockPath}, {"POST", clockPath},
	} {
		a := api(t, p, call.method, call.path, `{}`)
		require.Equal(t, http.StatusForbidden, a.status, call)
		require.Contains(t, a.json(t)["error"], "start the platform with -control")
	}
	require.ErrorContains(t, p.Inject(platform.Fault{Function: "work/step", Do: platform.Drop}), "-control")
	id := wakeUp(t, p, `{}`)
	require.True(t, found(t, p, id))
}

func TestControl_injectsListsAndClearsFaults(t *testing.T) {
	t.Parallel()

	p, _ := faulty(t)
	a := api(t, p, http.MethodPost, faultsPath, `{"fn":"work/step","do":"drop","times":2}`)
	require.Equal(t, http.StatusCreated, a.status, a.body)
	require.Equal(t, http.StatusCreated, api(t, p, http.MethodPost, faultsPath, `{"fn":"work/step","do":"delay","after_ms":1500}`).status)
	require.False(t, found(t, p, wakeUp(t, p, `{}`)))
	require.JSONEq(t, `[{"fn":"work/step","do":"drop","times":1},{"fn":"work/step","do":"delay","after_ms":1500,"times":1}]`,
		api(t, p, http.MethodGet, faultsPath, "").body, "what is still to come")
	require.Equal(t, http.StatusNoContent, api(t, p, http.MethodDelete, faultsPath, "").status)
	require.JSONEq(t, `[]`, api(t, p, http.MethodGet, faultsPath, "").body)
	require.True(t, found(t, p, wakeUp(t, p, `{}`)))

	for body, want := range map[string]string{
		`{"fn":"work/step","do":"burn"}`:              "do: want one of",
		`{"fn":"work/step","do":"drop","after":"1s"}`: `body: json: unknown field "after"`,
		`nonsense`: "body: ",
	} {
		a := api(t, p, http.MethodPost, faultsPath, body)
		require.Equal(t, http.StatusBadRequest, a.status)
		require.Contains(t, a.json(t)["error"], want)
	}
	req := request(t, http.MethodPost, p.URL()+faultsPath, []byte(`{}`), nil)
	require.Equal(t, http.StatusUnauthorized, do(t, req).status, "it wants the key too")
}

func TestControl_stepsTheClock(t *testing.T) {
	t.Parallel()

	p, clock := clocked(t)
	a := api(t, p, http.MethodPost, clockPath, `{"step":"90s"}`)
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.JSONEq(t, `{"now":"2026-03-02T09:01:00Z","standing":true}`, a.body)
	require.Equal(t, nine.Add(time.Minute).UTC(), clock.Now().UTC())
	require.Len(t, names(t, p), 2, "the schedule of 09:00 was fired")
	for _, body := range []string{`{"step":"soon"}`, `{"step":"-1s"}`, `{"step":"0s"}`, `{}`} {
		a := api(t, p, http.MethodPost, clockPath, body)
		require.Equal(t, http.StatusBadRequest, a.status)
		require.Contains(t, a.json(t)["error"], "step: want a duration")
	}
}

func TestControl_leavesARunningClockAlone(t *testing.T) {
	t.Parallel()

	p := start(t, func(c *platform.Config) { c.Control = true })
	a := api(t, p, http.MethodPost, clockPath, `{"step":"1m"}`)
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.json(t)["error"], "-clock")
	var shown struct {
		Now      time.Time
		Standing bool
	}
	require.NoError(t, json.Unmarshal([]byte(api(t, p, http.MethodGet, clockPath, "").body), &shown))
	require.WithinDuration(t, time.Now(), shown.Now, time.Minute)
	require.False(t, shown.Standing)
}
