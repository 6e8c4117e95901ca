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
			cmd.Env = append(cmd.Env, "TMPDIR="+dir)
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			url := readURL(t, stdout)
			idle, busy := meet(t, url, "stay"), meet(t, url, "hold")

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
		"an unknown flag":   {args: []string{"-port", "1"}, want: "flag provided but not defined"},
		"missing variables": {args: []string{"-project", project}, want: "project.yml needs DATABASE_URL, GREETING, WEB_SECRET"},
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
