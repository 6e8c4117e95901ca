package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/artifact"
	"blogposter/lib/cms"
	"blogposter/lib/config"
	"blogposter/lib/editorial"
	"blogposter/lib/view"
	"blogposter/scripts/dev/platform"
	"blogposter/scripts/modelserver/wire"
	"blogposter/scripts/world"
)

// session is a world with the local platform running every function in it.
type session struct {
	*world.World
	t    *testing.T
	base string
	key  string
	http *http.Client
}

func open(t *testing.T, script func(wire.Request) *wire.Fault) *session {
	t.Helper()
	return openWorld(t, world.Config{Script: script})
}

// openWorld is open with more that is special about the world.
func openWorld(t *testing.T, cfg world.Config) *session {
	t.Helper()
	if env := config.OS(); env.Get("WP_URL", "") == "" && env.Get("CI", "") == "" {
		t.Skip("load stack.env to run the whole pipeline (make up)")
	}
	cfg.Root = "../.."
	w, err := world.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	p, err := platform.Start(t.Context(), platform.Config{
		Project: "../..", Listen: "127.0.0.1:0", Env: w.Settings, EnvFile: os.DevNull, LogDir: t.TempDir(), Build: true, NoTriggers: true,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return &session{World: w, t: t, base: p.URL(), key: w.Settings["FUNCTIONS_ACCESS_KEY"], http: &http.Client{Timeout: 40 * time.Second}}
}

// call sends a request with a bearer token and returns status and body.
func (s *session) call(method, path, token string, body any) (int, []byte) {
	s.t.Helper()
	raw := []byte(nil)
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	default:
		var err error
		raw, err = json.Marshal(b)
		require.NoError(s.t, err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+"/api/v1/web/local"+path, bytes.NewReader(raw))
	require.NoError(s.t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return s.send(req)
}

func (s *session) send(req *http.Request) (int, []byte) {
	s.t.Helper()
	resp, err := s.http.Do(req)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return resp.StatusCode, got
}

// platformCall uses the platform's own API, as the functions do.
func (s *session) platformCall(method, path string) []byte {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader("{}"))
	require.NoError(s.t, err)
	user, secret, _ := strings.Cut(s.key, ":")
	req.SetBasicAuth(user, secret)
	status, body := s.send(req)
	require.Less(s.t, status, 300, string(body))
	return body
}

func (s *session) tick() {
	s.t.Helper()
	s.platformCall(http.MethodPost, "/api/v1/namespaces/_/actions/scheduled/tick?blocking=true")
}

func (s *session) startRun(topic string) int64 {
	s.t.Helper()
	status, body := s.call(http.MethodPost, "/api/runs", s.Token("editor", s.Site.Slug), map[string]any{"topic": topic})
	require.Equal(s.t, http.StatusAccepted, status, string(body))
	var r view.Run
	require.NoError(s.t, json.Unmarshal(body, &r))
	return r.ID
}

func (s *session) run(id int64) view.Detail {
	s.t.Helper()
	status, body := s.call(http.MethodGet, fmt.Sprintf("/api/runs/%d", id), s.Token("viewer", s.Site.Slug), nil)
	require.Equal(s.t, http.StatusOK, status, string(body))
	var d view.Detail
	require.NoError(s.t, json.Unmarshal(body, &d))
	return d
}

// await looks at the Run until ok, or fails after two minutes. between, which
// may be nil, is called before each look.
func (s *session) await(id int64, what string, ok func(view.Detail) bool, between func()) view.Detail {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if between != nil {
			between()
		}
		d := s.run(id)
		if ok(d) {
			return d
		}
		select {
		case <-ctx.Done():
			text, _ := json.MarshalIndent(d, "", " ")
			s.t.Fatalf("run %d never was %s:\n%s", id, what, text)
		case <-tick.C:
		}
	}
}

type sheet struct {
	Digest string            `json:"digest"`
	Claims []editorial.Claim `json:"claims"`
	Title  string            `json:"title"`
}

func (s *session) sheet(id int64) sheet {
	s.t.Helper()
	status, body := s.call(http.MethodGet, fmt.Sprintf("/api/reviews/%d", id), s.Token("reviewer", s.Site.Slug), nil)
	require.Equal(s.t, http.StatusOK, status, string(body))
	var got sheet
	require.NoError(s.t, json.Unmarshal(body, &got))
	return got
}

func (s *session) decide(id int64, token, digest string) (int, []byte) {
	s.t.Helper()
	return s.call(http.MethodPost, fmt.Sprintf("/api/reviews/%d/decision", id), token, map[string]any{"verb": "approve", "digest": digest})
}

func (s *session) artifacts() *artifact.Store {
	s.t.Helper()
	store, err := artifact.New(artifact.Config{
		Endpoint: s.Settings["S3_ENDPOINT"], Region: s.Settings["S3_REGION"], Bucket: s.Settings["S3_BUCKET"],
		AccessKey: s.Settings["S3_ACCESS_KEY"], SecretKey: s.Settings["S3_SECRET_KEY"],
	})
	require.NoError(s.t, err)
	return store
}

func (s *session) wordpress() *cms.WordPress {
	s.t.Helper()
	base, err := url.Parse(s.Settings["WP_URL"])
	require.NoError(s.t, err)
	return cms.New(base, s.Settings["WP_USER"], s.Settings["WP_APP_PASSWORD"], &http.Client{Timeout: 30 * time.Second})
}

// posts are those on the real WordPress that carry the Run's marker; they are
// deleted when the test ends.
func (s *session) posts(id int64) []editorial.Post {
	s.t.Helper()
	var marker string
	require.NoError(s.t, s.DB.Owner.QueryRow(s.t.Context(), `SELECT marker FROM blogposter.publications WHERE run_id = $1`, id).Scan(&marker))
	found, err := s.wordpress().FindPosts(s.t.Context(), marker)
	require.NoError(s.t, err)
	for _, p := range found {
		s.t.Cleanup(func() { require.NoError(s.t, s.wordpress().Delete(context.Background(), p.ID)) })
	}
	return found
}
