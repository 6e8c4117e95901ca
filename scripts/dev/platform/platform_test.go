package platform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/platform"
)

const (
	project   = "testdata/project"
	accessKey = "dof_v1_test:s3cret"
)

var settings = map[string]string{
	"GREETING": "hello", "WEB_SECRET": "open sesame", "DATABASE_URL": "postgres://test", "UNMENTIONED": "must not leak",
}

// build makes the test functions once for all tests.
var build = sync.OnceValue(func() error {
	p, err := platform.Start(context.Background(), platform.Config{
		Project: project, Listen: "127.0.0.1:0", Env: settings, AccessKey: accessKey, Build: true, NoTriggers: true,
	})
	if err != nil {
		return err
	}
	return p.Close()
})

// start serves the test project until the test ends.
func start(t *testing.T, bend ...func(*platform.Config)) *platform.Platform {
	t.Helper()
	require.NoError(t, build())
	cfg := platform.Config{Project: project, Listen: "127.0.0.1:0", Env: settings, AccessKey: accessKey, NoTriggers: true}
	for _, f := range bend {
		f(&cfg)
	}
	p, err := platform.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

var client = &http.Client{
	Timeout:       time.Minute,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &m), a.body)
	return m
}

func do(t *testing.T, req *http.Request) answer {
	t.Helper()
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{status: resp.StatusCode, header: resp.Header, body: string(body)}
}

func request(t *testing.T, method, url string, body []byte, header map[string]string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	require.NoError(t, err)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	return req
}

// web calls a web function.
func web(t *testing.T, p *platform.Platform, method, rest, body string, header map[string]string) answer {
	t.Helper()
	return do(t, request(t, method, p.URL()+"/api/v1/web/local/"+rest, []byte(body), header))
}

// api calls the platform's own interface with the key.
func api(t *testing.T, p *platform.Platform, method, rest, body string) answer {
	t.Helper()
	req := request(t, method, p.URL()+rest, []byte(body), nil)
	id, secret, _ := strings.Cut(accessKey, ":")
	req.SetBasicAuth(id, secret)
	return do(t, req)
}

const step = "/api/v1/namespaces/_/actions/work/step"

// invoke calls a function and waits for its record.
func invoke(t *testing.T, p *platform.Platform, fn, event string) record {
	t.Helper()
	a := api(t, p, http.MethodPost, "/api/v1/namespaces/_/actions/"+fn+"?blocking=true", event)
	require.Contains(t, []int{http.StatusOK, http.StatusBadGateway}, a.status, a.body)
	var r record
	require.NoError(t, json.Unmarshal([]byte(a.body), &r), a.body)
	require.Equal(t, a.status == http.StatusOK, r.Response.Success)
	return r
}

// record is an activation as the platform shows it.
type record struct {
	ActivationID string
	Name         string
	Namespace    string
	Start, End   int64
	Duration     int64
	Response     struct {
		Status     string
		StatusCode int
		Success    bool
		Result     map[string]any
	}
	Logs        []string
	Annotations []struct {
		Key   string
		Value any
	}
}

func (r record) pid(t *testing.T) int {
	t.Helper()
	pid, ok := r.Response.Result["pid"].(float64)
	require.True(t, ok, "%v", r.Response.Result)
	return int(pid)
}

func (r record) annotation(key string) any {
	for _, a := range r.Annotations {
		if a.Key == key {
			return a.Value
		}
	}
	return nil
}

// texts are the log's lines without their stamps.
func (r record) texts() []string {
	lines := []string{}
	for _, l := range r.Logs {
		lines = append(lines, l[strings.Index(l, " std")+1:])
	}
	return lines
}

// meeting is where held functions wait for the test: it holds them as long as
// it likes, and sees their connection end when they do.
type meeting struct {
	addr    string
	arrived chan held
}

type held struct {
	pid  int
	conn net.Conn
}

func meet(t *testing.T) meeting {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	m := meeting{addr: l.Addr().String(), arrived: make(chan held, 100)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			line := make([]byte, 20)
			n, _ := conn.Read(line)
			pid, _ := strconv.Atoi(strings.TrimSpace(string(line[:n])))
			m.arrived <- held{pid, conn}
		}
	}()
	return m
}

func (m meeting) next(t *testing.T) held {
	t.Helper()
	select {
	case h := <-m.arrived:
		t.Cleanup(func() { _ = h.conn.Close() })
		return h
	case <-time.After(time.Minute):
		require.Fail(t, "no function came")
		return held{}
	}
}

func (m meeting) event(do string) string { return fmt.Sprintf(`{"do":%q,"addr":%q}`, do, m.addr) }

func (h held) release(t *testing.T) {
	t.Helper()
	_, err := h.conn.Write([]byte("x"))
	require.NoError(t, err)
}

// gone waits until every process that holds the connection has ended.
func (h held) gone(t *testing.T) {
	t.Helper()
	require.NoError(t, h.conn.SetReadDeadline(time.Now().Add(time.Minute)))
	_, err := h.conn.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "process %d lives", h.pid)
}

// inBackground calls f and gives its answer later.
func inBackground[T any](f func() T) <-chan T {
	c := make(chan T, 1)
	go func() { c <- f() }()
	return c
}

func TestStart_refusesWhatCannotRun(t *testing.T) {
	t.Parallel()

	require.NoError(t, build())
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	broken := smallProject(t, "package main\n\nfunc main() { undefined() }\n")
	unbuilt := smallProject(t, "package main\n\nfunc main() {}\n")

	tests := map[string]struct {
		cfg  platform.Config
		want []string
	}{
		"all missing variables at once, with the place to put them": {
			platform.Config{Project: project, Env: map[string]string{"GREETING": "x", "WEB_SECRET": ""}},
			[]string{"project.yml needs DATABASE_URL, WEB_SECRET", filepath.Join("testdata", "project", ".env")},
		},
		"no project": {
			platform.Config{Project: t.TempDir()}, []string{"the project directory is the one", "project.yml"},
		},
		"no access key": {
			platform.Config{Project: project, Env: settings}, []string{"FUNCTIONS_ACCESS_KEY must be id:secret"},
		},
		"an access key without its secret": {
			platform.Config{Project: project, Env: settings, AccessKey: "dof_v1_x:"}, []string{"FUNCTIONS_ACCESS_KEY must be id:secret"},
		},
		"a port in use, with the variable to change it": {
			platform.Config{Project: project, Env: settings, AccessKey: accessKey, Listen: taken.Addr().String()},
			[]string{taken.Addr().String() + " is taken", "PLATFORM_LISTEN"},
		},
		"an address that is none": {
			platform.Config{Project: project, Env: settings, AccessKey: accessKey, Listen: "127.0.0.1"}, []string{"missing port"},
		},
		"a build failure, with the function and the compiler's words": {
			platform.Config{Project: broken, Env: settings, AccessKey: accessKey, Listen: "127.0.0.1:0", Build: true},
			[]string{"build web/echo", "undefined: undefined"},
		},
		"a function that was never built": {
			platform.Config{Project: unbuilt, Env: settings, AccessKey: accessKey, Listen: "127.0.0.1:0"},
			[]string{"web/echo is not built: run its build.sh"},
		},
		"a log directory that cannot be": {
			platform.Config{Project: project, Env: settings, AccessKey: accessKey, Listen: "127.0.0.1:0", LogDir: "/dev/null/logs"},
			[]string{"/dev/null"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := platform.Start(t.Context(), tc.cfg)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// smallProject is web/echo alone, unbuilt, as a module of its own.
func smallProject(t *testing.T, code string) string {
	t.Helper()
	dir := t.TempDir()
	fn := filepath.Join(dir, "packages", "web", "echo")
	require.NoError(t, os.MkdirAll(fn, 0o750))
	script, err := os.ReadFile(filepath.Join(project, "packages/web/echo/build.sh"))
	require.NoError(t, err)
	for path, text := range map[string]string{
		filepath.Join(dir, "go.mod"):      "module small\n\ngo 1.25.0\n",
		filepath.Join(dir, "project.yml"): `packages: [{name: web, functions: [{name: echo, runtime: "go:1.25", localBuild: true, web: raw}]}]`,
		filepath.Join(fn, "build.sh"):     string(script),
		filepath.Join(fn, ".include"):     "exec\n",
		filepath.Join(fn, "main.go"):      code,
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
	}
	return dir
}

func TestPlatform_Describe_listsURLsAndPrivateFunctions(t *testing.T) {
	t.Parallel()

	p := start(t)
	var out bytes.Buffer
	require.NoError(t, p.Describe(&out))
	require.Contains(t, out.String(), "web/echo                     "+p.URL()+"/api/v1/web/local/web/echo\n")
	require.Contains(t, out.String(), "work/step                    private  (every-fifth: */5 * * * *)  (at-nine: 0 9 * * *)\n")
}
