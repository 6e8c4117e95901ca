package platform_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/platform"
)

func TestProcess_isReusedWhenFreeAndJoinedByAnotherWhenBusy(t *testing.T) {
	t.Parallel()

	p, m := start(t), meet(t)
	first := invoke(t, p, "work/step", `{}`)
	require.NotNil(t, first.annotation("initTime"), "the first start is cold")

	a := inBackground(func() record { return invoke(t, p, "work/step", m.event("hold")) })
	one := m.next(t)
	require.Equal(t, first.pid(t), one.pid, "a free process is reused")
	b := inBackground(func() record { return invoke(t, p, "work/step", m.event("hold")) })
	two := m.next(t)
	require.NotEqual(t, one.pid, two.pid, "a process serves one event at a time")
	one.release(t)
	two.release(t)
	warm := <-a
	require.Equal(t, one.pid, warm.pid(t))
	require.Nil(t, warm.annotation("initTime"), "a warm process has no start")
	require.Equal(t, two.pid, (<-b).pid(t))

	last := invoke(t, p, "work/step", `{}`)
	require.Contains(t, []int{one.pid, two.pid}, last.pid(t), "both stay warm")
}

func TestProcess_getsItsOwnEnvironmentAndNothingElse(t *testing.T) {
	t.Parallel()

	p := start(t)
	result := invoke(t, p, "work/step", `{"do":"env"}`).Response.Result

	env := map[string]string{}
	list, ok := result["env"].([]any)
	require.True(t, ok)
	for _, pair := range list {
		text, ok := pair.(string)
		require.True(t, ok)
		name, value, _ := strings.Cut(text, "=")
		env[name] = value
	}
	delete(env, "GOCOVERDIR") // when these tests leave their own coverage
	names := []string{}
	for name := range env {
		names = append(names, name)
	}
	slices.Sort(names)
	require.Equal(t, []string{
		"DATABASE_URL", "GREETING", "HOME", "PATH", "ROLE",
		"__OW_ACTION_NAME", "__OW_ACTION_VERSION", "__OW_ACTIVATION_ID", "__OW_API_HOST", "__OW_API_KEY", "__OW_DEADLINE", "__OW_NAMESPACE",
		"__OW_TRANSACTION_ID", "__OW_WAIT_FOR_ACK",
	}, names)
	require.Equal(t, "postgres://test", env["DATABASE_URL"], "function's own")
	require.Equal(t, "worker", env["ROLE"], "its package's")
	require.Equal(t, "hello", env["GREETING"], "its project's")
	require.Equal(t, p.URL(), env["__OW_API_HOST"])
	require.NotContains(t, env["PATH"], "/go/", "not the developer's PATH")
	dir, ok := result["dir"].(string)
	require.True(t, ok)
	require.NotContains(t, dir, "testdata", "the working directory is not the function's folder, as on the platform")
}

func TestProcess_learnsWhichCallItServes(t *testing.T) {
	t.Parallel()

	p := start(t)
	r := invoke(t, p, "work/step", `{"do":"call"}`)
	require.Equal(t, map[string]any{
		"id": r.ActivationID, "name": "/local/work/step", "namespace": "local", "host": p.URL(), "left": "2s",
		"event": map[string]any{"do": "call"},
	}, r.Response.Result)
}

func TestProcess_isKilledAtItsTimeLimit(t *testing.T) {
	t.Parallel()

	p, m := start(t), meet(t)
	r := invoke(t, p, "web/hang", m.event(""))
	m.next(t).gone(t)

	require.Equal(t, "action developer error", r.Response.Status)
	require.Equal(t, 2, r.Response.StatusCode)
	require.Equal(t, map[string]any{"error": "The action exceeded its time limits of 2000 milliseconds."}, r.Response.Result)
	require.Equal(t, true, r.annotation("timeout"))
	require.GreaterOrEqual(t, r.Duration, int64(2000))
	require.Len(t, r.Logs, 1)
	require.Contains(t, r.Logs[0], "hanging", "what it logged before is kept")

	require.Equal(t, http.StatusBadRequest, web(t, p, http.MethodGet, "web/hang?addr="+m.addr, "", nil).status)
	m.next(t).gone(t)
}

func TestProcess_deathIsOneFailedActivation(t *testing.T) {
	t.Parallel()

	p, m := start(t), meet(t)
	bystander := invoke(t, p, "web/echo", `{}`)

	t.Run("killed in the middle of an event", func(t *testing.T) { //nolint:paralleltest // one platform, in order
		call := inBackground(func() record { return invoke(t, p, "work/step", m.event("hold")) })
		held := m.next(t)
		var processes []struct {
			Fn           string
			PID          int
			Busy         bool
			ActivationID string `json:"activation_id"`
			Started      time.Time
		}
		require.NoError(t, json.Unmarshal([]byte(api(t, p, http.MethodGet, "/_dev/processes", "").body), &processes))
		require.Len(t, processes, 2)
		for _, proc := range processes {
			require.Equal(t, proc.Fn == "work/step", proc.Busy)
			require.Equal(t, proc.Fn == "work/step", proc.ActivationID != "")
			require.WithinDuration(t, time.Now(), proc.Started, time.Minute)
			if proc.Busy {
				require.Equal(t, held.pid, proc.PID)
				require.NoError(t, syscall.Kill(proc.PID, syscall.SIGKILL))
			}
		}
		r := <-call
		require.Equal(t, map[string]any{"error": "command exited"}, r.Response.Result)
		require.Equal(t, "action developer error", r.Response.Status)
	})

	t.Run("exiting by itself", func(t *testing.T) { //nolint:paralleltest // one platform, in order
		r := invoke(t, p, "work/step", `{"do":"exit"}`)
		require.Equal(t, map[string]any{"error": "command exited"}, r.Response.Result)
		require.Contains(t, strings.Join(r.Logs, "\n"), `"msg":"leaving"`, "its last words are kept")
		require.Equal(t, http.StatusBadRequest, web(t, p, http.MethodGet, "web/answer?quit", "", nil).status)
	})

	t.Run("leaving a child behind", func(t *testing.T) { //nolint:paralleltest // one platform, in order
		r := invoke(t, p, "work/step", m.event("child"))
		require.False(t, r.Response.Success)
		m.next(t).gone(t)
	})

	require.True(t, invoke(t, p, "work/step", `{}`).Response.Success, "the next event gets a new process")
	require.True(t, bystander.Response.Success)
	require.True(t, invoke(t, p, "web/echo", `{}`).Response.Success, "other functions never notice")
}

func TestProcess_thatDoesNotStartIsAFailedActivation(t *testing.T) {
	t.Parallel()

	logs := t.TempDir()
	p := start(t, func(c *platform.Config) { c.AckTimeout, c.LogDir = 300*time.Millisecond, logs })

	r := invoke(t, p, "work/early", `{}`)
	require.Equal(t, map[string]any{"error": "Cannot start function. Check logs"}, r.Response.Result)
	require.Equal(t, []string{"stderr: cannot start: DATABASE_URL is not set: put it into .env"}, r.texts())
	a := web(t, p, http.MethodGet, "work/early", "", nil)
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Equal(t, "There was an error processing your request.", a.json(t)["error"])
	text, err := os.ReadFile(filepath.Join(logs, "work-early.log"))
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(text), "DATABASE_URL is not set"), "web calls too leave their logs in the file")

	r = invoke(t, p, "work/mute", `{}`)
	require.Equal(t, map[string]any{"error": "The action exceeded its time limits of 30000 milliseconds during initialization."}, r.Response.Result)
	require.Equal(t, true, r.annotation("timeout"))
	require.GreaterOrEqual(t, r.Duration, int64(300))
	require.Equal(t, "[]", api(t, p, http.MethodGet, "/_dev/processes", "").body, "nothing that did not start is left")
}

func TestProcess_logsBelongToTheirActivation(t *testing.T) {
	t.Parallel()

	p := start(t)
	r := invoke(t, p, "work/step", `{"do":"log"}`)
	lines := slices.DeleteFunc(r.texts(), func(l string) bool { return strings.Contains(l, `"level"`) })
	slices.Sort(lines)
	require.Equal(t, []string{"stderr: to stderr", "stdout: started", "stdout: to stdout", "stdout: unfinished"}, lines,
		"both streams, what start-up said, no end mark")
	for _, line := range r.Logs {
		require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z +std(out|err): `, line)
	}

	require.NotContains(t, strings.Join(invoke(t, p, "work/step", `{}`).Logs, "\n"), "to stdout", "the next one starts anew")

	r = invoke(t, p, "work/step", `{"do":"shout","size":400000}`)
	size := 0
	for _, line := range r.Logs {
		size += len(line)
	}
	require.InDelta(t, 256<<10, size, 2<<10)
	require.Contains(t, strings.Join(r.Logs, "\n"), "Logs were truncated because the total bytes size exceeds the limit of 262144 bytes.")

	r = invoke(t, p, "work/step", `{"do":"line","size":100000}`)
	require.Contains(t, strings.Join(r.Logs, "\n"), "hangs the real platform")
}

func TestProcess_withoutItsEndMarkStillAnswers(t *testing.T) {
	t.Parallel()

	p := start(t)
	require.Equal(t, "first", web(t, p, http.MethodPost, "web/answer?unmarked", `{"body":"first"}`, plain).body)
	require.Equal(t, "second", web(t, p, http.MethodPost, "web/answer", `{"body":"second"}`, plain).body)
}

func TestProcess_endsAfterAnIdleTime(t *testing.T) {
	t.Parallel()

	var log syncBuffer
	p, clock := clocked(t, func(c *platform.Config) {
		c.NoTriggers, c.Log = true, slog.New(slog.NewJSONHandler(&log, nil))
		c.ExitGrace = time.Hour // so that it leaves by itself or not at all
	})
	m := meet(t)
	first := invoke(t, p, "work/step", m.event("stay"))
	require.NotNil(t, first.annotation("initTime"))
	clock.Step(10*time.Minute - time.Second)
	warm := invoke(t, p, "work/step", `{}`)
	require.Equal(t, first.pid(t), warm.pid(t), "in use again, its time begins anew")
	require.Nil(t, warm.annotation("initTime"))
	clock.Step(10 * time.Minute)
	m.next(t).gone(t)
	again := invoke(t, p, "work/step", `{}`)
	require.NotEqual(t, first.pid(t), again.pid(t))
	require.NotNil(t, again.annotation("initTime"))

	require.Equal(t, 2, strings.Count(log.String(), `"msg":"cold start"`), "one line per cold start: %s", log.String())
	require.Contains(t, log.String(), fmt.Sprintf(`"fn":"work/step","activation_id":%q,"pid":%d,"init_ms":`, again.ActivationID, again.pid(t)))
}

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestPlatform_Close_endsEveryProcess(t *testing.T) {
	t.Parallel()

	p, m := start(t), meet(t)
	invoke(t, p, "work/step", m.event("stay"))
	idle := m.next(t)
	api(t, p, http.MethodPost, step, m.event("hold"))
	api(t, p, http.MethodPost, step, m.event("hold"))
	busy, other := m.next(t), m.next(t)

	require.NoError(t, p.Close())
	idle.gone(t)
	busy.gone(t)
	other.gone(t)
	require.NoError(t, p.Close(), "a second Close is harmless")
}

func TestPlatform_Close_letsRunningActivationsFinishWithinItsGrace(t *testing.T) {
	t.Parallel()

	p, m := start(t, func(c *platform.Config) { c.Grace = time.Minute }), meet(t)
	call := inBackground(func() record { return invoke(t, p, "work/step", m.event("hold")) })
	held := m.next(t)
	closed := inBackground(p.Close)
	held.release(t)
	require.True(t, (<-call).Response.Success)
	require.NoError(t, <-closed)
	held.gone(t)
}
