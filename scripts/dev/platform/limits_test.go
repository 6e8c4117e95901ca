package platform_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/platform"
)

func TestLimits_memoryIsOfTheProcessAndItsChildren(t *testing.T) {
	t.Parallel()

	p, m := start(t), meet(t)
	require.True(t, invoke(t, p, "work/hoard", `{"mb":64}`).Response.Success, "64 of 128 MB")
	for name, event := range map[string]string{"alone": `{"mb":160,"addr":%q}`, "with a child": `{"mb":40,"child":110,"addr":%q}`} {
		r := invoke(t, p, "work/hoard", fmt.Sprintf(event, m.addr)) // it stays until it is killed
		require.Equal(t, map[string]any{"error": "The action exhausted its memory and was aborted."}, r.Response.Result, name)
		require.Equal(t, "action developer error", r.Response.Status)
	}
	require.True(t, invoke(t, p, "work/hoard", `{"mb":64}`).Response.Success, "the next one starts anew")
}

func TestLimits_sixHundredCallsAMinute(t *testing.T) {
	t.Parallel()

	p, clock := faulty(t)
	require.NoError(t, p.Inject(platform.Fault{Function: "work/step", Do: platform.Drop, Times: 600})) // counted, but no work
	for range 600 {
		wakeUp(t, p, `{}`)
	}
	a := api(t, p, http.MethodPost, step, `{}`)
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Equal(t, "Too many requests in the last minute (count: 601, allowed: 600).", a.json(t)["error"])
	require.NotEmpty(t, a.json(t)["code"])
	a = web(t, p, http.MethodGet, "web/echo", "", nil)
	require.Equal(t, http.StatusTooManyRequests, a.status, "web calls count too")
	require.Contains(t, a.json(t)["error"], "count: 602", "and so do those that were refused")
	require.Equal(t, http.StatusOK, api(t, p, http.MethodGet, activations, "").status, "reading records does not")
	clock.Step(30 * time.Second) // the next minute begins
	require.True(t, found(t, p, wakeUp(t, p, `{}`)))
}

func TestLimits_hundredAndTwentyAtOnce(t *testing.T) {
	t.Parallel()

	p, _ := faulty(t, func(c *platform.Config) { c.AckTimeout = time.Minute }) // nobody leaves early
	mute := "/api/v1/namespaces/_/actions/work/mute"
	for range 120 {
		require.Equal(t, http.StatusAccepted, api(t, p, http.MethodPost, mute, `{}`).status)
	}
	a := api(t, p, http.MethodPost, step, `{}`)
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Equal(t, "Too many concurrent requests in flight (count: 121, allowed: 120).", a.json(t)["error"])
}

func TestLimits_codeIsUnder48MBInBase64(t *testing.T) {
	t.Parallel()

	dir := smallProject(t, "package main\n\nfunc main() {}\n")
	exec := filepath.Join(dir, "packages", "web", "echo", "exec")
	require.NoError(t, os.WriteFile(exec, nil, 0o700))
	require.NoError(t, os.Truncate(exec, 36<<20))
	cfg := platform.Config{Project: dir, AccessKey: accessKey, Listen: "127.0.0.1:0"}
	_, err := platform.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "function web/echo: exec: 50331648 bytes in base64, the platform takes less than 50331648")
	require.NoError(t, os.Truncate(exec, 36<<20-3))
	p, err := platform.Start(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, p.Close())
}
