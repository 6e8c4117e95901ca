package station_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/station"
)

// environ is everything a station needs.
func environ(host string) []string {
	return []string{
		"DATABASE_URL=postgres://u:s3cret@127.0.0.1:1/x", "__OW_API_HOST=" + host, "FUNCTIONS_ACCESS_KEY=dof_v1_a:k", "LEASE_TTL=150s",
	}
}

// TestMain lets this test binary stand for a function that a test starts.
func TestMain(m *testing.M) {
	if config.OS().Get("STATION_FUNCTION", "") == "" {
		os.Exit(m.Run())
	}
	s := station.Open(config.OS())
	s.Ready()
	if config.OS().Get("STATION_FIRST", "") != "" {
		s.ServeAfter(func(context.Context) error { return errors.New("nothing begins today") }, pipeline.StageMonitor, idle{})
		return
	}
	s.Serve(pipeline.StageDraft, idle{})
}

type idle struct{}

func (idle) Do(context.Context, pipeline.Lease) (editorial.Work, pipeline.Outcome, error) {
	return editorial.Work{}, pipeline.Outcome{}, nil
}

func TestStation_Ready_namesEveryMissingSettingInOneLine(t *testing.T) {
	t.Parallel()

	cmd := exec.CommandContext(t.Context(), os.Args[0])
	// A binary built for coverage complains on stderr when it has nowhere to put it.
	cmd.Env = []string{"STATION_FUNCTION=1", "LEASE_TTL=soon", "GOCOVERDIR=" + t.TempDir()}
	out, err := cmd.CombinedOutput()

	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	text := strings.TrimSpace(string(out))
	require.NotContains(t, text, "\n")
	for _, want := range []string{"DATABASE_URL is not set", "__OW_API_HOST is not set", "FUNCTIONS_ACCESS_KEY is not set", `LEASE_TTL is "soon"`} {
		require.Contains(t, text, want)
	}
}

func TestStation_Ready_showsNoSecretOfABadAddress(t *testing.T) {
	t.Parallel()

	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(environ("http://127.0.0.1:1"), "STATION_FUNCTION=1", "DATABASE_URL=postgres://u:s3cret@[::1/x")
	out, err := cmd.CombinedOutput()

	require.Error(t, err)
	require.Contains(t, string(out), "DATABASE_URL is not a Postgres URL")
	require.NotContains(t, string(out), "s3cret")
}

func TestStation_Ready_refusesALeaseThatACallOutlasts(t *testing.T) {
	t.Parallel()

	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(environ("http://127.0.0.1:1"), "STATION_FUNCTION=1", "LEASE_TTL=139s", "GOCOVERDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()

	require.Error(t, err)
	require.Equal(t, "cannot start: LEASE_TTL is 2m19s: it must outlast the longest single call, 2 minutes: use 2m20s or more\n", string(out))
}

func TestStation_Serve_acknowledgesBeforeItConnects(t *testing.T) {
	t.Parallel()

	replies, write, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(environ("http://127.0.0.1:1"), "STATION_FUNCTION=1")
	cmd.ExtraFiles = []*os.File{write}
	cmd.Stdin = strings.NewReader(`{"value":{},"activation_id":"a1"}` + "\n")
	require.NoError(t, cmd.Run(), "nothing more to read ends it well")
	require.NoError(t, write.Close())
	out, err := io.ReadAll(replies)

	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.JSONEq(t, `{"ok":true}`, lines[0], "no database answers there, yet the function has started")
	require.Contains(t, lines[1], "error")
	require.NotContains(t, lines[1], "s3cret")
}

func TestStation_ServeAfter_callsItsFirstAtEachEvent(t *testing.T) {
	t.Parallel()

	replies, write, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(environ("http://127.0.0.1:1"), "STATION_FUNCTION=1", "STATION_FIRST=1", "GOCOVERDIR="+t.TempDir())
	cmd.ExtraFiles = []*os.File{write}
	cmd.Stdin = strings.NewReader(strings.Repeat(`{"value":{},"activation_id":"a1"}`+"\n", 2))
	require.NoError(t, cmd.Run())
	require.NoError(t, write.Close())
	out, err := io.ReadAll(replies)

	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(out), "nothing begins today"), "%s", out)
}

func TestStation_Waker_usesTheNamespaceKey(t *testing.T) {
	t.Parallel()

	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, secret, _ := r.BasicAuth(); user != "dof_v1_a" || secret != "k" {
			t.Errorf("got %q %q", user, secret)
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer srv.Close()
	s := station.Open(config.New(func() []string { return environ(srv.URL) }))
	s.Ready()
	require.NoError(t, s.Waker().Wake(t.Context(), "pipeline/seo"))
}
