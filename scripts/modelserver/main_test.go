package main

import (
	"bytes"
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/journal"
	"blogposter/lib/journal/journaltest"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/anthropic"
	"blogposter/lib/llm/openai"
	"blogposter/lib/pipeline"
	"blogposter/scripts/modelserver/vector"
	"blogposter/scripts/modelserver/wire"
)

func TestRun_answersTheRealClientUntilItIsStopped(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	log := filepath.Join(t.TempDir(), "calls.jsonl")
	addr, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-listen", "127.0.0.1:0", "-log", log, "-latency", "1ms"}, os.Stderr, func(a string) { addr <- a })
	}()
	url := "http://" + <-addr

	model := anthropic.New(anthropic.Config{BaseURL: url, APIKey: "offline-demo", HTTP: &http.Client{Timeout: time.Minute}})
	c := llm.New(model, journal.New(&journaltest.Steps{}), ledger.Prices, time.Now)
	text, err := c.Text(t.Context(), pipeline.Lease{RunID: 1}, llm.Request{
		Step: "hello", Model: "claude-haiku-5-5", MaxTokens: 200,
		Messages: []llm.Message{{Role: llm.RoleUser, Text: "Who are you?"}},
	})
	require.NoError(t, err)
	require.Contains(t, text, "offline model")

	lines, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, 1, bytes.Count(lines, []byte("\n")))
	require.NotContains(t, string(lines), "offline-demo", "a key is logged as its hash")

	cancel()
	require.NoError(t, <-done)
}

// What the offline server refuses, the real one would refuse in production.
func TestRun_acceptsTheSchemaOfEveryPrompt(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("../../lib/prompt/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	srv := httptest.NewServer(wire.New(wire.Config{Composer: newComposer()}))
	t.Cleanup(srv.Close)
	models := map[string]llm.Model{
		"claude-haiku-5-5": anthropic.New(anthropic.Config{BaseURL: srv.URL, APIKey: "offline-demo", HTTP: srv.Client()}),
		"gpt-6-luna":       openai.New(openai.Config{BaseURL: srv.URL + "/v1", APIKey: "offline-demo", HTTP: srv.Client()}),
	}
	for _, name := range files {
		schema, err := os.ReadFile(name)
		require.NoError(t, err)
		for model, m := range models {
			resp, err := m.Call(t.Context(), llm.Request{
				Step: name, Model: model, MaxTokens: 200, Schema: schema,
				Messages: []llm.Message{{Role: llm.RoleUser, Text: "Who are you?"}},
			})
			require.NoError(t, err, name)
			require.Contains(t, resp.Text, "offline model", "the same composer is behind both")
		}
	}
}

func TestRun_embedsWithTheTableItIsGiven(t *testing.T) {
	t.Parallel()

	v := make([]float32, vector.Dimensions)
	v[7] = 1
	var b bytes.Buffer
	require.NoError(t, vector.Write(&b, []vector.Row{{Word: "dog", Vector: v}}))
	table := filepath.Join(t.TempDir(), "table.bin")
	require.NoError(t, os.WriteFile(table, b.Bytes(), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	addr, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-listen", "127.0.0.1:0", "-vectors", table}, os.Stderr, func(a string) { addr <- a })
	}()
	m := openai.New(openai.Config{BaseURL: "http://" + <-addr + "/v1", APIKey: "offline-demo", HTTP: &http.Client{Timeout: time.Minute}})
	e := llm.NewEmbedder(m, journal.New(&journaltest.Steps{}), ledger.Prices, time.Now)
	got, err := e.Embed(t.Context(), pipeline.Lease{RunID: 1}, "embed", wire.EmbeddingModel, []string{"A dog."})
	require.NoError(t, err)
	require.InDelta(t, 1, got[0][7], 1e-6)
	cancel()
	require.NoError(t, <-done)
}

func TestRun_namesTheFlagThatIsWrong(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		args []string
		want string
	}{
		"an address that is none":    {[]string{"-listen", "nowhere"}, "-listen: "},
		"a log that can't be opened": {[]string{"-log", filepath.Join(t.TempDir(), "no", "such", "folder")}, "-log: "},
		"vectors that are none":      {[]string{"-vectors", os.Args[0]}, "-vectors: "},
		"an unknown flag":            {[]string{"-port", "1"}, "-port"},
		"an argument":                {[]string{"now"}, `unexpected argument "now"`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var out strings.Builder
			err := run(t.Context(), tc.args, &out, func(string) { t.Error("listens") })
			require.ErrorContains(t, err, tc.want)
		})
	}
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, &strings.Builder{}, nil), flag.ErrHelp)
}
