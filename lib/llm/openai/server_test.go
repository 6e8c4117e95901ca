package openai_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/journal/journaltest"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/openai"
	"blogposter/lib/pipeline"
	"blogposter/scripts/modelserver/vector"
	"blogposter/scripts/modelserver/wire"
)

// These tests run the whole way: Client, SDK, HTTP, the offline server.

type composer func(wire.Request) string

func (f composer) Compose(_ context.Context, r wire.Request) (string, error) { return f(r), nil }

var lease = pipeline.Lease{RunID: 7, Stage: pipeline.StageDraft}

func now() time.Time { return time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC) }

type offline struct {
	client *openai.Client
	steps  *journaltest.Steps
	server *wire.Server
}

func start(t *testing.T, cfg wire.Config) offline {
	t.Helper()
	server := wire.New(cfg)
	srv := httptest.NewServer(server)
	t.Cleanup(srv.Close)
	client := openai.New(openai.Config{BaseURL: srv.URL + "/v1", APIKey: "offline-test", HTTP: srv.Client()})
	return offline{client, &journaltest.Steps{}, server}
}

func (o offline) chat() *llm.Client {
	return llm.New(o.client, journal.New(o.steps), ledger.Prices, now)
}

func (o offline) embedder() *llm.Embedder {
	return llm.NewEmbedder(o.client, journal.New(o.steps), ledger.Prices, now)
}

func user(step, text string) llm.Request {
	return llm.Request{
		Step: step, Model: "gpt-6-sol", System: strings.Repeat("Write plainly and cite what you use. ", 200),
		Messages: []llm.Message{{Role: llm.RoleUser, Text: text}}, MaxTokens: 120,
	}
}

// requireBilled holds the journal against the server's own log: every call is
// charged once, at its price, under its reservation and its id.
func requireBilled(t *testing.T, o offline) {
	t.Helper()
	rows, log := o.steps.Rows(), o.server.Entries()
	require.Len(t, rows, len(log))
	var sum ledger.Micros
	for i, row := range rows {
		require.Equal(t, log[i].Usage, row.Receipt.Usage)
		require.Equal(t, log[i].RequestID, row.Receipt.Request)
		require.Equal(t, "openai", row.Provider)
		cost, err := ledger.Prices.Cost("openai", log[i].Model, log[i].At, log[i].Usage)
		require.NoError(t, err)
		require.Equal(t, cost, row.Receipt.Cost)
		require.GreaterOrEqual(t, row.Worst, cost)
		sum += cost
	}
	require.Equal(t, sum, o.steps.Spent())
}

func TestClient_Text_continuesATextThatTheServerCut(t *testing.T) {
	t.Parallel()

	whole := strings.TrimSpace(strings.Repeat("A handler need not show a certificate [E3,E7]. Staff may ask two questions.\n\n", 18))
	o := start(t, wire.Config{Now: now, Composer: composer(func(r wire.Request) string {
		if n := len(r.Messages); n == 3 { // go on behind the partial answer
			return strings.TrimPrefix(whole, r.Messages[1].Text)
		}
		return whole
	})})
	got, err := o.chat().Text(t.Context(), lease, user("section:1", "Write."))
	require.NoError(t, err)
	require.Equal(t, whole, got)

	log := o.server.Entries()
	require.Greater(t, len(log), 1)
	require.Equal(t, "length", log[0].StopReason)
	require.Equal(t, "stop", log[len(log)-1].StopReason)
	require.Zero(t, log[0].Usage.CacheRead)
	require.GreaterOrEqual(t, log[1].Usage.CacheRead, int64(1024), "the beginning of the prompt is read from the cache")
	require.Less(t, log[1].Usage.Input, log[0].Usage.Input, "what was read from the cache is not counted twice")
	requireBilled(t, o)

	_, err = o.chat().Text(t.Context(), lease, user("section:1", "Write."))
	require.NoError(t, err)
	require.Len(t, o.server.Entries(), len(log), "a stored answer is not bought again")
}

func TestClient_JSON_repairsAnAnswerOfTheServer(t *testing.T) {
	t.Parallel()

	o := start(t, wire.Config{
		Now:      now,
		Composer: composer(func(wire.Request) string { return `{"title":"Leashes"}` }),
		Script:   func(r wire.Request) *wire.Fault { return &wire.Fault{Garble: len(r.Messages) == 1} },
	})
	r := user("outline", "Outline.")
	r.Schema = json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"title":{"type":"string"}},"required":["title"]}`)
	var out struct{ Title string }
	require.NoError(t, o.chat().JSON(t.Context(), lease, r, &out))
	require.Equal(t, "Leashes", out.Title)
	requireBilled(t, o)
}

func TestClient_Text_reportsWhatTheServerRefuses(t *testing.T) {
	t.Parallel()

	optional := json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"}},"required":[]}`)
	tests := map[string]struct {
		fault  *wire.Fault
		change func(*llm.Request)
		kind   fault.Kind
		lost   bool
		want   string
		state  string
	}{
		"too many requests":      {fault: &wire.Fault{Status: 429, RetryAfter: "12"}, kind: fault.KindRetryable, want: "rate_limit_exceeded", state: "failed"},
		"overloaded":             {fault: &wire.Fault{Status: 503}, kind: fault.KindRetryable, lost: true, want: "server_error", state: "unknown"},
		"cut in the middle":      {fault: &wire.Fault{Cut: true}, kind: fault.KindRetryable, lost: true, want: "unexpected EOF", state: "unknown"},
		"declined":               {fault: &wire.Fault{Refuse: true}, kind: fault.KindNeedsHuman, want: "declined", state: "done"},
		"a key that is revoked":  {fault: &wire.Fault{Status: 401}, kind: fault.KindNeedsHuman, want: "invalid_api_key", state: "failed"},
		"an optional property":   {change: func(r *llm.Request) { r.Schema = optional }, kind: fault.KindPermanent, want: "Missing 'a'", state: "failed"},
		"an answer too long":     {change: func(r *llm.Request) { r.MaxTokens = 200_000 }, kind: fault.KindPermanent, want: "max_tokens is too large", state: "failed"},
		"a turn without content": {change: func(r *llm.Request) { r.Messages[0].Text = "" }, kind: fault.KindPermanent, want: "expected a string", state: "failed"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			o := start(t, wire.Config{
				Now: now, Composer: composer(func(wire.Request) string { return `{"a":1}` }), Script: func(wire.Request) *wire.Fault { return tc.fault },
			})
			r := user("s", "Write.")
			if tc.change != nil {
				tc.change(&r)
			}
			var err error
			if r.Schema != nil {
				err = o.chat().JSON(t.Context(), lease, r, &struct{}{})
			} else {
				_, err = o.chat().Text(t.Context(), lease, r)
			}
			require.ErrorContains(t, err, tc.want)
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.Equal(t, tc.lost, fault.IsLost(err))
			require.Equal(t, tc.state, o.steps.Rows()[0].State)
			if tc.fault != nil && tc.fault.RetryAfter != "" {
				require.Equal(t, 12*time.Second, fault.RetryAfter(err))
			}
			if tc.state == "failed" {
				require.Zero(t, o.steps.Spent())
			}
		})
	}
}

// table is the real one where the stack has made it, else one of four words.
func table(t *testing.T) *vector.Table {
	t.Helper()
	if name := config.OS().Get("MODEL_VECTORS", ""); name != "" {
		tab, err := vector.Open(name)
		require.NoError(t, err)
		return tab
	}
	return tiny(t)
}

func TestEmbedder_Embed_againstTheServer(t *testing.T) {
	t.Parallel()

	words := table(t)
	o := start(t, wire.Config{Now: now, Vectors: words})
	texts := make([]string, 400)
	for i := range texts {
		texts[i] = strings.Repeat("dog ", i%7+1) + "leash"
	}
	got, err := o.embedder().Embed(t.Context(), lease, "embed:pages", wire.EmbeddingModel, texts)
	require.NoError(t, err)
	require.Len(t, got, len(texts))
	for i, v := range got {
		require.Len(t, v, vector.Dimensions)
		require.Equal(t, words.Embed(texts[i]), v, "text %d", i)
	}
	require.Len(t, o.server.Entries(), 3, "185 vectors fit into a step")
	var tokens int64
	for _, e := range o.server.Entries() {
		tokens += e.Usage.Input
	}
	require.Positive(t, tokens)

	_, err = o.embedder().Embed(t.Context(), lease, "embed:pages", wire.EmbeddingModel, texts)
	require.NoError(t, err)
	require.Len(t, o.server.Entries(), 3, "stored vectors are not bought again")
}
