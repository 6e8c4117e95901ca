package anthropic_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/journal/journaltest"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/anthropic"
	"blogposter/lib/pipeline"
	"blogposter/scripts/modelserver/wire"
)

// These tests run the whole way: Client, SDK, HTTP, the offline server.

type composer func(wire.Request) string

func (f composer) Compose(_ context.Context, r wire.Request) (string, error) { return f(r), nil }

var lease = pipeline.Lease{RunID: 7, Stage: pipeline.StageDraft}

func stack(t *testing.T, cfg wire.Config) (*llm.Client, *journaltest.Steps, *wire.Server) {
	t.Helper()
	server := wire.New(cfg)
	srv := httptest.NewServer(server)
	t.Cleanup(srv.Close)
	steps := &journaltest.Steps{}
	model := anthropic.New(anthropic.Config{BaseURL: srv.URL, APIKey: "offline-test", HTTP: srv.Client()})
	now := func() time.Time { return time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC) }
	return llm.New(model, journal.New(steps), ledger.Prices, now), steps, server
}

func user(step, text string) llm.Request {
	return llm.Request{
		Step: step, Model: "claude-sonnet-5-5", System: strings.Repeat("Write plainly and cite what you use. ", 120),
		Messages: []llm.Message{{Role: llm.RoleUser, Text: text}}, MaxTokens: 120,
	}
}

func TestClient_Text_continuesATextThatTheServerCut(t *testing.T) {
	t.Parallel()

	whole := strings.TrimSpace(strings.Repeat("A handler need not show a certificate [E3,E7]. Staff may ask two questions.\n\n", 14))
	c, steps, server := stack(t, wire.Config{Composer: composer(func(r wire.Request) string {
		if n := len(r.Messages); n == 3 { // go on behind the partial answer
			return strings.TrimPrefix(whole, r.Messages[1].Text)
		}
		return whole
	})})
	got, err := c.Text(t.Context(), lease, user("section:1", "Write."))
	require.NoError(t, err)
	require.Equal(t, whole, got)

	log := server.Entries()
	require.Greater(t, len(log), 1)
	require.Equal(t, "max_tokens", log[0].StopReason)
	require.Equal(t, "end_turn", log[len(log)-1].StopReason)
	require.Positive(t, log[1].Usage.CacheRead, "the system prompt is read from the cache")
	requireBilled(t, steps, log)

	_, err = c.Text(t.Context(), lease, user("section:1", "Write."))
	require.NoError(t, err)
	require.Len(t, server.Entries(), len(log), "a stored answer is not bought again")
}

// requireBilled holds the journal against the server's own log: every call is
// charged once, at its price, under its reservation and its id.
func requireBilled(t *testing.T, steps *journaltest.Steps, log []wire.Entry) {
	t.Helper()
	rows := steps.Rows()
	require.Len(t, rows, len(log))
	var sum ledger.Micros
	for i, row := range rows {
		require.Equal(t, log[i].Usage, row.Receipt.Usage)
		require.Equal(t, log[i].RequestID, row.Receipt.Request)
		cost, err := ledger.Prices.Cost("anthropic", log[i].Model, log[i].At, log[i].Usage)
		require.NoError(t, err)
		require.Equal(t, cost, row.Receipt.Cost)
		require.GreaterOrEqual(t, row.Worst, cost)
		sum += cost
	}
	require.Equal(t, sum, steps.Spent())
}

func TestClient_JSON_repairsAnAnswerOfTheServer(t *testing.T) {
	t.Parallel()

	c, steps, server := stack(t, wire.Config{
		Composer: composer(func(wire.Request) string { return `{"title":"Leashes"}` }),
		Script: func(r wire.Request) *wire.Fault {
			return &wire.Fault{Garble: len(r.Messages) == 1}
		},
	})
	r := user("outline", "Outline.")
	r.Schema = json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"title":{"type":"string"}},"required":["title"]}`)
	var out struct{ Title string }
	require.NoError(t, c.JSON(t.Context(), lease, r, &out))
	require.Equal(t, "Leashes", out.Title)
	requireBilled(t, steps, server.Entries())
}

func TestClient_Text_reportsWhatTheServerRefuses(t *testing.T) {
	t.Parallel()

	unclosed := json.RawMessage(`{"type":"object","properties":{}}`)
	tests := map[string]struct {
		fault  *wire.Fault
		change func(*llm.Request)
		kind   fault.Kind
		lost   bool
		want   string
		state  string
	}{
		"too many requests":      {fault: &wire.Fault{Status: 429, RetryAfter: "12"}, kind: fault.KindRetryable, want: "rate_limit_error", state: "failed"},
		"overloaded":             {fault: &wire.Fault{Status: 529}, kind: fault.KindRetryable, lost: true, want: "overloaded_error", state: "unknown"},
		"cut in the middle":      {fault: &wire.Fault{Cut: true}, kind: fault.KindRetryable, lost: true, want: "unexpected EOF", state: "unknown"},
		"declined":               {fault: &wire.Fault{Refuse: true}, kind: fault.KindNeedsHuman, want: "declined", state: "done"},
		"an open schema":         {change: func(r *llm.Request) { r.Schema = unclosed }, kind: fault.KindPermanent, want: "additionalProperties", state: "failed"},
		"an answer too long":     {change: func(r *llm.Request) { r.MaxTokens = 200_000 }, kind: fault.KindPermanent, want: "max_tokens: 200000 > 128000", state: "failed"},
		"a turn without content": {change: func(r *llm.Request) { r.Messages[0].Text = " " }, kind: fault.KindPermanent, want: "non-whitespace", state: "failed"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c, steps, _ := stack(t, wire.Config{
				Composer: composer(func(wire.Request) string { return `{"a":1}` }),
				Script:   func(wire.Request) *wire.Fault { return tc.fault },
			})
			r := user("s", "Write.")
			if tc.change != nil {
				tc.change(&r)
			}
			var err error
			if r.Schema != nil {
				err = c.JSON(t.Context(), lease, r, &struct{}{})
			} else {
				_, err = c.Text(t.Context(), lease, r)
			}
			require.ErrorContains(t, err, tc.want)
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.Equal(t, tc.lost, fault.IsLost(err))
			require.Equal(t, tc.state, steps.Rows()[0].State)
			if tc.fault != nil && tc.fault.RetryAfter != "" {
				require.Equal(t, 12*time.Second, fault.RetryAfter(err))
			}
			if tc.state == "failed" {
				require.Zero(t, steps.Spent())
			}
		})
	}
}
