package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/platform"
)

const project = "platform/testdata/project"

var settings = []string{
	"GREETING=hello", "WEB_SECRET=open sesame", "DATABASE_URL=postgres://test", platform.AccessKeyVariable + "=dof_v1_test:s3cret",
}

func TestDev_leavesNoProcessBehind(t *testing.T) {
	t.Parallel()

	binary := filepath.Join(t.TempDir(), "dev")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)

	tests := map[string]struct {
		signal os.Signal
		clean  bool // its own scratch directory too
	}{
		"when it is asked to end":       {syscall.SIGTERM, true},
		"when it is interrupted":        {os.Interrupt, true},
		"when it is killed on the spot": {os.Kill, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), binary, "-project", project, "-listen", "127.0.0.1:0")
			cmd.Env = append(os.Environ(), settings...)
			cmd.Env = append(cmd.Env, "TMPDIR="+dir, "GOCOVERDIR="+dir)
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			url := readURL(t, stdout)
			idle, busy := meet(t, url, "stay"), meet(t, url, "hold")
			_, text := post(t, localKey, url+env, `{"do":"env"}`)
			require.Contains(t, text, `"GOCOVERDIR=`+dir+`"`, "functions leave their coverage where the platform does")

			require.NoError(t, cmd.Process.Signal(tc.signal))

			for name, worker := range map[string]net.Conn{"idle": idle, "busy": busy} {
				require.NoError(t, worker.SetReadDeadline(time.Now().Add(time.Minute)))
				_, err = io.ReadAll(worker) // ends when its process does
				require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the %s process lives on", name)
			}
			err = cmd.Wait()
			left, globErr := filepath.Glob(filepath.Join(dir, "platform-*"))
			require.NoError(t, globErr)
			if tc.clean {
				require.NoError(t, err)
				require.Empty(t, left)
			}
		})
	}
}

// readURL reads the platform's announcement up to its address.
func readURL(t *testing.T, stdout io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
			url, _, _ := strings.Cut(rest, " ")
			return url
		}
	}
	require.Fail(t, "the platform did not come up")
	return ""
}

// meet has a function come to us and then stay idle, or hold, and returns the
// connection that ends with its process. One that holds would not notice that
// its stdin is closed.
func meet(t *testing.T, url, do string) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	event := `{"do":"` + do + `","addr":"` + l.Addr().String() + `"}`
	blocking := map[string]string{"stay": "true", "hold": "false"}[do]
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v1/namespaces/_/actions/work/step?blocking="+blocking, strings.NewReader(event))
	require.NoError(t, err)
	req.SetBasicAuth("dof_v1_test", "s3cret")
	resp, err := http.DefaultClient.Do(req) //nolint:forbidigo // the test's own context bounds it
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Contains(t, []int{http.StatusOK, http.StatusAccepted}, resp.StatusCode)
	conn, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// settled serves with these arguments until the test ends, and returns the address.
func settled(t *testing.T, environ []string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"-project", project, "-listen", "127.0.0.1:0"}, args...), environ, w, io.Discard)
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return readURL(t, r)
}

// post calls the platform with a key, id:secret.
func post(t *testing.T, key, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	id, secret, _ := strings.Cut(key, ":")
	req.SetBasicAuth(id, secret)
	resp, err := http.DefaultClient.Do(req) //nolint:forbidigo // the test's own context bounds it
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

const (
	localKey = "dof_v1_test:s3cret"
	env      = "/api/v1/namespaces/_/actions/work/step?blocking=true&result=true"
)

func TestRun_servesAFurtherNamespaceWithSettingsOfItsOwn(t *testing.T) {
	t.Parallel()

	file := filepath.Join(t.TempDir(), "green.env")
	require.NoError(t, os.WriteFile(file, []byte("GREETING=hello from green\nWEB_SECRET=x\nDATABASE_URL=y\n"+platform.AccessKeyVariable+"=dof_v1_green:s\n"), 0o600))
	logs := t.TempDir()
	url := settled(t, settings, "-also", "green="+file, "-log-dir", logs)

	_, text := post(t, "dof_v1_green:s", url+env, `{"do":"env"}`)
	require.Contains(t, text, "GREETING=hello from green", "not the process's")
	_, text = post(t, localKey, url+env, `{"do":"env"}`)
	require.Contains(t, text, `"GREETING=hello"`)
	require.FileExists(t, filepath.Join(logs, "work-step.log"))
	require.FileExists(t, filepath.Join(logs, "green", "work-step.log"))
}

func TestRun_opensTheControlInterfaceOnlyWhenAsked(t *testing.T) {
	t.Parallel()

	const clock, step = "/_dev/clock", `{"step":"1m"}`
	status, _ := post(t, localKey, settled(t, settings)+clock, step)
	require.Equal(t, http.StatusForbidden, status)
	status, _ = post(t, localKey, settled(t, settings, "-control")+clock, step)
	require.Equal(t, http.StatusConflict, status, "open, but the clock runs by itself")
	status, text := post(t, localKey, settled(t, settings, "-clock", "2026-03-02T09:00:30Z")+clock, step)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"now":"2026-03-02T09:01:30Z","standing":true}`, text)
}

func TestConfigure_readsTheIdleTime(t *testing.T) {
	t.Parallel()

	cfg, err := configure([]string{"-idle", "5s"}, nil, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 5*time.Second, cfg.IdleAfter)
	require.Equal(t, ".", cfg.Project)
}

func TestRun_servesUntilItsContextEnds(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-project", project}, append(settings, platform.ListenVariable+"=127.0.0.1:0", "PATH="), w, io.Discard)
	}()
	url := readURL(t, r)
	require.True(t, strings.HasPrefix(url, "http://127.0.0.1:"), url)
	cancel()
	require.NoError(t, <-ended)
}

func TestRun_saysWhatIsWrong(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		args    []string
		environ []string
		want    string
	}{
		"an unknown flag":                {args: []string{"-port", "1"}, want: "flag provided but not defined"},
		"a namespace without settings":   {args: []string{"-also", "green"}, want: "want NAME=FILE or NAME=FILE,DIR"},
		"a namespace of another project": {args: []string{"-project", project, "-env", "testdata/green.env", "-also", "green=testdata/green.env,/nowhere"}, want: "/nowhere"},
		"a time that is none":            {args: []string{"-clock", "noon"}, want: "cannot parse"},
		"missing variables":              {args: []string{"-project", project}, want: "project.yml needs DATABASE_URL, GREETING, WEB_SECRET"},
		"variables from a file that is named": {
			args: []string{"-project", project, "-env", "testdata/dev.env"}, want: platform.AccessKeyVariable + " must be id:secret",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var out bytes.Buffer
			require.ErrorContains(t, run(t.Context(), tc.args, tc.environ, &out, &out), tc.want)
		})
	}
}
