// Package e2e_test runs the main job through the local platform: every
// function a real process, on the real Postgres, S3 and WordPress; only the
// model and the reader are ours.
package e2e_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
	"blogposter/lib/evidence"
	"blogposter/lib/ledger"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
	"blogposter/scripts/modelserver/wire"
	"blogposter/scripts/world"
)

const topic = "Service dogs on Harborview buses and trains"

func awaitsApproval(d view.Detail) bool { return d.AwaitsApproval() }

func done(d view.Detail) bool { return d.State == pipeline.StateDone }

func TestMainJob_fromATopicToAnApprovedArticleOnWordPress(t *testing.T) { //nolint:paralleltest // builds into the project's folders
	s := open(t, nil)
	id := s.startRun(topic)
	s.await(id, "ready for review", awaitsApproval, nil)
	shown := s.sheet(id)
	status, body := s.decide(id, s.Token("reviewer", s.Site.Slug), strings.Repeat("0", 64))
	require.Equal(t, http.StatusConflict, status, "another digest than the one that was shown: %s", body)
	status, body = s.decide(id, s.Token("reviewer", s.Site.Slug), shown.Digest)
	require.Equal(t, http.StatusOK, status, string(body))
	d := s.await(id, "published", done, nil)

	// The article is online, for anybody, with its terms.
	require.NotNil(t, d.Publication)
	page := s.page(d.Publication.URL)
	require.Contains(t, page, "<h1")
	posts := s.posts(id)
	require.Len(t, posts, 1)
	require.Equal(t, shown.Title, html.UnescapeString(posts[0].Title))
	require.NotEmpty(t, posts[0].Categories)
	require.NotEmpty(t, posts[0].Tags)
	require.NotEmpty(t, posts[0].Excerpt)

	// Every citation stands at its byte range in the stored page.
	blobs, quotes := s.artifacts(), 0
	require.NotEmpty(t, shown.Claims)
	for _, claim := range shown.Claims {
		require.NotEmpty(t, claim.Citations, claim.Text)
		for _, c := range claim.Citations {
			text, err := blobs.Get(t.Context(), c.TextHash)
			require.NoError(t, err)
			require.NoError(t, evidence.Verify(text, c))
			quotes++
		}
	}
	t.Logf("%d claims, %d quotes verified, article at %s", len(shown.Claims), quotes, d.Publication.URL)
	s.requireLedgerEqualsLogs(d)
}

// requireLedgerEqualsLogs compares the settled entries with what the model
// server and the reader say they charged, call by call.
func (s *session) requireLedgerEqualsLogs(d view.Detail) {
	s.t.Helper()
	var want, got []string
	var sum ledger.Micros
	for _, e := range s.Model.Entries() {
		cost, err := ledger.Prices.Cost("anthropic", e.Model, e.At, e.Usage)
		require.NoError(s.t, err)
		sum += cost
		want = append(want, fmt.Sprintf("%s %s %d %d %d %d %d", e.RequestID, e.Model, e.Usage.Input, e.Usage.Output, e.Usage.CacheRead, e.Usage.CacheWrite5m, cost))
	}
	calls, err := s.ReaderCalls()
	require.NoError(s.t, err)
	for _, c := range calls {
		cost, err := ledger.Prices.Cost("jina", "reader", d.CreatedAt, ledger.Usage{Output: c.Tokens})
		require.NoError(s.t, err)
		sum += cost
		want = append(want, fmt.Sprintf(" reader 0 %d 0 0 %d", c.Tokens, cost))
	}
	rows, err := s.DB.Owner.Query(s.t.Context(), `
		SELECT concat_ws(' ', request, model, input, output, cache_read, cache_write_5m) || CASE provider WHEN 'jina' THEN ' 0' ELSE '' END || ' ' || micros
		FROM blogposter.entries WHERE kind = 'settlement' AND run_id = $1`, d.ID)
	require.NoError(s.t, err)
	for rows.Next() {
		var line string
		require.NoError(s.t, rows.Scan(&line))
		got = append(got, line)
	}
	require.NoError(s.t, rows.Err())
	for i := range got {
		got[i] = strings.Replace(got[i], " 0 0 0 ", " 0 0 ", 1)
	}
	for i := range want {
		want[i] = strings.Replace(want[i], " 0 0 0 ", " 0 0 ", 1)
	}
	require.ElementsMatch(s.t, want, got)
	require.Equal(s.t, sum, ledger.Micros(d.Cost.Spent))
	require.Zero(s.t, d.Cost.Reserved)
	require.Positive(s.t, sum)
	s.t.Logf("%d entries equal the logs line by line; %s in all", len(got), sum)
}

func (s *session) page(address string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, address, nil)
	require.NoError(s.t, err)
	status, body := s.send(req)
	require.Equal(s.t, http.StatusOK, status)
	return string(body)
}

func TestMainJob_survivesTheDeathOfItsWriter(t *testing.T) { //nolint:paralleltest // builds into the project's folders
	reached, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	isSection := regexp.MustCompile(`(?m)^Task: section`)
	s := open(t, func(r wire.Request) *wire.Fault {
		var f *wire.Fault
		if isSection.MatchString(r.Messages[0].Text) {
			once.Do(func() { close(reached); f = &wire.Fault{Hang: release} })
		}
		return f
	})
	id := s.startRun(topic)
	select {
	case <-reached: // a section is being written: the request was accepted, and will be charged
	case <-t.Context().Done():
		t.Fatal("no section was asked for")
	}
	s.kill("pipeline/draft")
	close(release)
	// The lease ends, as time would make it; no wake-up is left, only tick.
	_, err := s.DB.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET lease_until = now() - interval '1 second' WHERE id = $1 AND state = 'running'`, id)
	require.NoError(t, err)
	d := s.await(id, "ready for review", awaitsApproval, s.tick)

	lost := 0
	for _, a := range d.Attempts {
		if a.Result == "lost" {
			lost++
		}
	}
	require.Equal(t, 1, lost)
	var unknown, sent, steps int
	require.NoError(t, s.DB.Owner.QueryRow(t.Context(), `SELECT count(*) FROM blogposter.entries WHERE kind = 'unknown'`).Scan(&unknown))
	require.NoError(t, s.DB.Owner.QueryRow(t.Context(), `SELECT sum(sends), count(*) FROM blogposter.steps WHERE provider = 'anthropic'`).Scan(&sent, &steps))
	require.Equal(t, 1, unknown, "the call under way stays charged")
	require.Equal(t, steps+1, sent, "only the call under way was sent again")
	require.Len(t, s.Model.Entries(), sent, "the model server saw just what the journal says")
	require.Positive(t, int64(d.Cost.Unknown))
	status, body := s.decide(id, s.Token("reviewer", s.Site.Slug), s.sheet(id).Digest)
	require.Equal(t, http.StatusOK, status, string(body))
	s.await(id, "published", done, nil)
	require.Len(t, s.posts(id), 1)
}

// kill ends the busy process of a function as a crash would.
func (s *session) kill(function string) {
	s.t.Helper()
	var list []struct {
		Fn   string `json:"fn"`
		PID  int    `json:"pid"`
		Busy bool   `json:"busy"`
	}
	require.NoError(s.t, json.Unmarshal(s.platformCall(http.MethodGet, "/_dev/processes"), &list))
	killed := 0
	for _, p := range list {
		if p.Fn == function && p.Busy {
			require.NoError(s.t, syscall.Kill(p.PID, syscall.SIGKILL))
			killed++
		}
	}
	require.Equal(s.t, 1, killed, "%v", list)
}

func TestMainJob_parksForAPersonWhenNothingIsLeftToCite(t *testing.T) { //nolint:paralleltest // builds into the project's folders
	s := openWorld(t, world.Config{Pages: "testdata/worthless"})
	id := s.startRun("Dogs in the park")
	d := s.await(id, "parked", func(d view.Detail) bool { return d.State == pipeline.StateWaiting }, nil)

	require.Equal(t, pipeline.WaitingPerson, d.Waiting)
	require.Len(t, d.Sources, 3)
	for _, src := range d.Sources {
		require.NotEmpty(t, src.Refused, src.URL)
		require.Contains(t, d.Why, src.URL, "the run says which page")
		require.Contains(t, d.Why, strings.TrimSuffix(src.Refused, "."), "and why")
	}
	require.Empty(t, s.Model.Entries(), "no model is paid to find out")
}

func TestFunctions_nameTheSettingsTheyLackBeforeTheFirstEvent(t *testing.T) { //nolint:paralleltest // needs the built functions
	s := open(t, nil)
	_ = s // the functions are built
	binaries, err := filepath.Glob("../../packages/*/*/exec")
	require.NoError(t, err)
	functions, err := filepath.Glob("../../packages/*/*/main.go")
	require.NoError(t, err)
	require.Len(t, binaries, len(functions))
	for _, path := range binaries {
		if strings.HasSuffix(path, "api/health/exec") {
			continue // it has none
		}
		cmd := exec.CommandContext(t.Context(), path)
		// Built to count what they reach, they want to know where to leave it.
		cmd.Env = []string{"PATH=/usr/bin", "GOCOVERDIR=" + config.OS().Get("GOCOVERDIR", "")}
		out, err := cmd.CombinedOutput()
		require.Error(t, err, path)
		text := strings.TrimSpace(string(out))
		require.NotContains(t, text, "\n", "%s says it in one line", path)
		require.Contains(t, text, "DATABASE_URL is not set: Postgres URL of the functions' role", path)
	}
}

func TestAPI_refusesWhatItMustNotServe(t *testing.T) { //nolint:paralleltest // builds into the project's folders
	s := open(t, nil)
	editor := s.Token("editor", s.Site.Slug)
	id := s.insertRun()
	tests := map[string]struct {
		method, path, token string
		body                any
		status              int
		says                string
	}{
		"no token":                   {method: http.MethodGet, path: "/api/runs", status: 401, says: "Bearer"},
		"a token that is not ours":   {method: http.MethodGet, path: "/api/runs", token: "x.y.z", status: 401},
		"another site's run":         {method: http.MethodGet, path: fmt.Sprintf("/api/runs/%d", id), token: s.Token("admin", "elsewhere"), status: 404},
		"another site's review":      {method: http.MethodGet, path: fmt.Sprintf("/api/reviews/%d", id), token: s.Token("admin", "elsewhere"), status: 404},
		"its own run":                {method: http.MethodGet, path: fmt.Sprintf("/api/runs/%d", id), token: editor, status: 200},
		"a body that is not JSON":    {method: http.MethodPost, path: "/api/runs", token: editor, body: "topic=x", status: 400},
		"a field that is not known":  {method: http.MethodPost, path: "/api/runs", token: editor, body: map[string]any{"topik": "x"}, status: 400, says: "topik"},
		"a topic that is too short":  {method: http.MethodPost, path: "/api/runs", token: editor, body: map[string]any{"topic": "x"}, status: 400, says: "topic"},
		"a page outside the sources": {method: http.MethodPost, path: "/api/runs", token: editor, body: map[string]any{"topic": "dogs", "urls": []string{"https://evil.example/"}}, status: 400, says: "urls[0]"},
		"a body over 1 MB":           {method: http.MethodPost, path: "/api/runs", token: editor, body: `{"topic":"` + strings.Repeat("x", 1<<20) + `"}`, status: 413},
		"an editor cannot approve":   {method: http.MethodPost, path: fmt.Sprintf("/api/reviews/%d/decision", id), token: editor, body: map[string]any{"verb": "approve", "digest": strings.Repeat("0", 64)}, status: 403},
		"health":                     {method: http.MethodGet, path: "/api/health", status: 200, says: "ok"},
		"ready":                      {method: http.MethodGet, path: "/api/ready", status: 200, says: "postgres"},
		"a private function":         {method: http.MethodGet, path: "/pipeline/draft", status: 404},
	}
	for name, tc := range tests {
		status, body := s.call(tc.method, tc.path, tc.token, tc.body)
		require.Equal(t, tc.status, status, "%s: %s", name, body)
		require.Contains(t, string(body), tc.says, name)
	}
}

// insertRun adds a Run that no function is woken for.
func (s *session) insertRun() (id int64) {
	s.t.Helper()
	require.NoError(s.t, s.DB.Owner.QueryRow(s.t.Context(), `
		INSERT INTO blogposter.runs (site_id, topic, created_by, pins, stage, state, not_before)
		SELECT id, 'A topic', 'test', '{"prompts": "v1", "small": "s", "large": "l"}', 'draft', 'ready', now() + interval '1 day' FROM blogposter.sites RETURNING id`).Scan(&id))
	_, err := s.DB.Owner.Exec(s.t.Context(), `INSERT INTO blogposter.budgets (site_id, scope, run_id, limit_micros) SELECT site_id, 'article', id, 1 FROM blogposter.runs`)
	require.NoError(s.t, err)
	return id
}
