package platform_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/platform"
)

const greenKey = "dof_v1_green:s3cret"

// colours serves the test project twice, as local and as green.
func colours(t *testing.T, bend ...func(*platform.Config)) *platform.Platform {
	t.Helper()
	env := maps.Clone(settings)
	env["GREETING"] = "hello from green"
	green := platform.Tenant{Name: "green", Project: project, Env: env, AccessKey: greenKey}
	return start(t, append(bend, func(c *platform.Config) { c.Also = []platform.Tenant{green} })...)
}

// apiOf calls the interface with another namespace's key.
func apiOf(t *testing.T, p *platform.Platform, key, method, path, body string) answer {
	t.Helper()
	req := request(t, method, p.URL()+path, []byte(body), nil)
	id, secret, _ := strings.Cut(key, ":")
	req.SetBasicAuth(id, secret)
	return do(t, req)
}

func TestNamespaces_shareNothing(t *testing.T) {
	t.Parallel()

	p := colours(t)
	blocking := step + "?blocking=true&result=true"
	local, green := api(t, p, http.MethodPost, blocking, `{"do":"env"}`), apiOf(t, p, greenKey, http.MethodPost, blocking, `{"do":"env"}`)
	require.Contains(t, local.body, `"GREETING=hello"`)
	require.Contains(t, green.body, `"GREETING=hello from green"`, "_ is the key's namespace")
	require.Contains(t, green.body, `"__OW_NAMESPACE=green"`)
	require.Contains(t, green.body, `"__OW_ACTION_NAME=/green/work/step"`)
	require.NotEqual(t, local.json(t)["dir"], green.json(t)["dir"])

	for _, key := range []string{accessKey, greenKey} {
		var list []record
		require.NoError(t, json.Unmarshal([]byte(apiOf(t, p, key, http.MethodGet, activations, "").body), &list))
		require.Len(t, list, 1, "each has its own records")
		var processes []any
		require.NoError(t, json.Unmarshal([]byte(apiOf(t, p, key, http.MethodGet, "/_dev/processes", "").body), &processes))
		require.Len(t, processes, 1, "and its own processes")
	}
	named := strings.Replace(step, "/_/", "/green/", 1)
	require.Equal(t, http.StatusForbidden, api(t, p, http.MethodPost, named, `{}`).status, "a key opens its own namespace")
	require.Equal(t, http.StatusAccepted, apiOf(t, p, greenKey, http.MethodPost, named, `{}`).status)
	require.NoError(t, p.Quiet(t.Context()))
}

func TestNamespaces_haveURLsOfTheirOwn(t *testing.T) {
	t.Parallel()

	p := colours(t)
	line := func(namespace string) map[string]any {
		return do(t, request(t, http.MethodGet, p.URL()+"/api/v1/web/"+namespace+"/web/answer?line", nil, nil)).json(t)
	}
	require.Equal(t, "green", line("green")["namespace"])
	require.Equal(t, "local", line("local")["namespace"])
	require.Equal(t, "The requested resource does not exist.", line("red")["error"])
	var out bytes.Buffer
	require.NoError(t, p.Describe(&out))
	require.Contains(t, out.String(), p.URL()+"/api/v1/web/local/web/echo  in local\n")
	require.Contains(t, out.String(), p.URL()+"/api/v1/web/green/web/echo  in green\n")
}

func TestNamespaces_haveLimitsAndFaultsOfTheirOwn(t *testing.T) {
	t.Parallel()

	p := colours(t, func(c *platform.Config) {
		c.Concurrency, c.PerMinute, c.Control = 1, 3, true
		c.Clock = platform.NewClock(nine)
	})
	m := meet(t)
	require.NoError(t, p.Inject(platform.Fault{Namespace: "green", Function: "work/step", Do: platform.Drop}))
	wakeUp(t, p, m.event("hold"))
	held := m.next(t) // not dropped
	require.Equal(t, http.StatusTooManyRequests, api(t, p, http.MethodPost, step, `{}`).status)
	lost := apiOf(t, p, greenKey, http.MethodPost, step, `{}`)
	require.Equal(t, http.StatusAccepted, lost.status, "the other's place is taken, not this one's")
	require.Equal(t, http.StatusOK, apiOf(t, p, greenKey, http.MethodPost, step+"?blocking=true", `{}`).status)
	held.release(t)
	require.NoError(t, p.Quiet(t.Context()))
	id, ok := lost.json(t)["activationId"].(string)
	require.True(t, ok)
	require.Equal(t, http.StatusNotFound, apiOf(t, p, greenKey, http.MethodGet, activations+"/"+id, "").status)
}

func TestNamespaces_eachFollowsTheSchedule(t *testing.T) {
	t.Parallel()

	clock := platform.NewClock(nine.Add(-time.Second))
	p := colours(t, func(c *platform.Config) { c.NoTriggers, c.Clock = false, clock })
	clock.Step(time.Second)
	require.Len(t, names(t, p), 2)
	var list []record
	require.NoError(t, json.Unmarshal([]byte(apiOf(t, p, greenKey, http.MethodGet, activations, "").body), &list))
	require.Len(t, list, 2)
}

func TestStart_refusesNamespacesThatCannotBeToldApart(t *testing.T) {
	t.Parallel()

	require.NoError(t, build())
	tests := map[string]struct {
		also platform.Tenant
		want string
	}{
		"one name twice":   {platform.Tenant{Name: "local", Project: project, Env: settings, AccessKey: greenKey}, `namespace "local": give each namespace a name of its own`},
		"the key's own":    {platform.Tenant{Name: "_", Project: project, Env: settings, AccessKey: greenKey}, `namespace "_"`},
		"no name":          {platform.Tenant{Project: project, Env: settings, AccessKey: greenKey}, `namespace ""`},
		"one key twice":    {platform.Tenant{Name: "green", Project: project, Env: settings, AccessKey: accessKey}, "namespace green has the FUNCTIONS_ACCESS_KEY of another"},
		"a broken project": {platform.Tenant{Name: "green", Project: "/nowhere", AccessKey: greenKey}, "the project directory is the one that holds project.yml"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := platform.Start(t.Context(), platform.Config{
				Project: project, Listen: "127.0.0.1:0", Env: settings, AccessKey: accessKey, NoTriggers: true, Also: []platform.Tenant{tc.also},
			})
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// loop is a function that leaves when its stdin ends, unless its event said
// {"stay":true}. It is built with coverage.
const loop = `package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	out, in, stay := os.NewFile(3, "reply"), bufio.NewReader(os.Stdin), false
	fmt.Fprintln(out, "{\"ok\":true}")
	for {
		line, err := in.ReadString('\n')
		if err != nil && stay {
			time.Sleep(time.Hour)
		}
		if err != nil {
			return
		}
		stay = stay || strings.Contains(line, "stay")
		fmt.Fprintln(out, "{}")
		fmt.Println("XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX")
		fmt.Fprintln(os.Stderr, "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX")
	}
}
`

func TestPlatform_Close_letsIdleProcessesLeaveTheirCoverage(t *testing.T) {
	t.Parallel()

	dir := smallProject(t, loop)
	script := filepath.Join(dir, "packages", "web", "echo", "build.sh")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/bash\ngo build -cover -buildvcs=false -o exec .\n"), 0o700))
	tests := map[string]struct {
		event string
		idle  time.Duration // before it closes
		grace time.Duration
		left  int
	}{
		"an idle process whose stdin ends":      {`{}`, 0, time.Hour, 1},
		"one that was idle for too long":        {`{}`, 10 * time.Minute, time.Hour, 1},
		"but one that does not leave is killed": {`{"stay":true}`, 0, time.Millisecond, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			counters, clock := t.TempDir(), platform.NewClock(nine)
			p, err := platform.Start(t.Context(), platform.Config{
				Project: dir, Listen: "127.0.0.1:0", AccessKey: accessKey, Build: true, CoverDir: counters, ExitGrace: tc.grace, Clock: clock,
			})
			require.NoError(t, err)
			invoke(t, p, "web/echo", tc.event)
			clock.Step(tc.idle)
			require.NoError(t, p.Close())
			found, err := filepath.Glob(filepath.Join(counters, "covcounters.*"))
			require.NoError(t, err)
			require.Len(t, found, tc.left)
		})
	}
}
