package wire_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/ledger"
	"blogposter/scripts/modelserver/wire"
)

// compose is a Composer from a function.
type compose func(wire.Request) (string, error)

func (f compose) Compose(_ context.Context, r wire.Request) (string, error) { return f(r) }

// says is a Composer that always says the same.
func says(text string) compose { return func(wire.Request) (string, error) { return text, nil } }

// ask posts a body as a caller with this key.
func ask(t *testing.T, h http.Handler, key, body string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/messages", strings.NewReader(body))
	req.Header.Set("X-Api-Key", key)
	req.Header.Set("Anthropic-Version", "2023-06-01")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

// with returns a valid request, changed by the members of extra; a null there
// is kept, "-" deletes.
func with(t *testing.T, extra string) string {
	t.Helper()
	all := map[string]json.RawMessage{
		"model": json.RawMessage(`"claude-sonnet-5-5"`), "max_tokens": json.RawMessage(`100`),
		"messages": json.RawMessage(`[{"role":"user","content":"Say hello."}]`),
	}
	var more map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte("{"+extra+"}"), &more))
	for k, v := range more {
		all[k] = v
		if string(v) == `"-"` {
			delete(all, k)
		}
	}
	body, err := json.Marshal(all)
	require.NoError(t, err)
	return string(body)
}

type reply struct {
	Type      string
	RequestID string `json:"request_id"`
	Error     struct{ Type, Message string }
	Model     string
	Content   []struct{ Type, Text string }
	Stop      string `json:"stop_reason"`
	Usage     struct {
		Input  int64 `json:"input_tokens"`
		Output int64 `json:"output_tokens"`
		Read   int64 `json:"cache_read_input_tokens"`
		Write  int64 `json:"cache_creation_input_tokens"`
		Split  struct {
			Short int64 `json:"ephemeral_5m_input_tokens"`
			Long  int64 `json:"ephemeral_1h_input_tokens"`
		} `json:"cache_creation"`
	}
}

func read(t *testing.T, w *httptest.ResponseRecorder) reply {
	t.Helper()
	var r reply
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &r), w.Body.String())
	return r
}

func TestServer_ServeHTTP_answersInTheProvidersShape(t *testing.T) {
	t.Parallel()

	var got wire.Request
	s := wire.New(wire.Config{Composer: compose(func(r wire.Request) (string, error) {
		got = r
		return "Hello there.", nil
	})})
	w := ask(t, s, "offline-1", with(t, `"system":[{"type":"text","text":"Task: greet"},{"type":"text","text":"Be kind."}],
		"output_config":{"effort":"low"},"thinking":{"type":"adaptive"},"metadata":{"user_id":"x"},"service_tier":"auto","stream":false`))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, "true", w.Header().Get("X-Blogposter-Offline"))
	require.Contains(t, w.Header().Get("Request-Id"), "req_offline_")
	r := read(t, w)
	require.Equal(t, "claude-sonnet-5-5", r.Model)
	require.Equal(t, "end_turn", r.Stop)
	require.Equal(t, "Hello there.", r.Content[0].Text)
	require.Equal(t, "Task: greet\nBe kind.", got.System)
	require.Equal(t, []wire.Message{{Role: "user", Text: "Say hello."}}, got.Messages)
	require.Equal(t, 100, got.MaxTokens)

	log := s.Entries()
	require.Len(t, log, 1)
	require.Equal(t, "greet", log[0].Task)
	require.Equal(t, w.Header().Get("Request-Id"), log[0].RequestID)
	require.Equal(t, ledger.Usage{Input: r.Usage.Input, Output: r.Usage.Output}, log[0].Usage)
	require.NotContains(t, log[0].Key, "offline")
}

func TestServer_ServeHTTP_refusesWhatTheProviderRefuses(t *testing.T) {
	t.Parallel()

	block := `{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}`
	tests := map[string]struct {
		extra  string
		status int
		want   string
	}{
		"an unknown field":             {`"temprature":1`, 400, "temprature: Extra inputs are not permitted"},
		"no model":                     {`"model":"-"`, 400, "model: Field required"},
		"a null model":                 {`"model":null`, 400, "model: Input should be a valid string"},
		"an empty model":               {`"model":""`, 400, "model: String should have at least 1 character"},
		"an unknown model":             {`"model":"claude-sonnet-9"`, 404, "model: claude-sonnet-9"},
		"no max_tokens":                {`"max_tokens":"-"`, 400, "max_tokens: Field required"},
		"max_tokens as text":           {`"max_tokens":"many"`, 400, "max_tokens: Input should be a valid integer"},
		"max_tokens 0":                 {`"max_tokens":0`, 400, "max_tokens: must be greater than or equal to 1"},
		"max_tokens over the cap":      {`"max_tokens":128001`, 400, "max_tokens: 128001 > 128000, which is the maximum allowed number of output tokens for claude-sonnet-5-5"},
		"no messages":                  {`"messages":"-"`, 400, "messages: Field required"},
		"empty messages":               {`"messages":[]`, 400, "messages: at least one message is required"},
		"messages as text":             {`"messages":"hi"`, 400, "messages: Input should be a valid array"},
		"an assistant first":           {`"messages":[{"role":"assistant","content":"x"},{"role":"user","content":"y"}]`, 400, `messages: first message must use the "user" role`},
		"a prefilled answer":           {`"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"{"}]`, 400, "does not support assistant message prefill"},
		"another role":                 {`"messages":[{"role":"system","content":"x"}]`, 400, `messages: Unexpected role "system"`},
		"no role":                      {`"messages":[{"content":"x"}]`, 400, "messages.0.role: Field required"},
		"no content":                   {`"messages":[{"role":"user"}]`, 400, "messages.0.content: Field required"},
		"null content":                 {`"messages":[{"role":"user","content":null}]`, 400, "messages.0.content: Input should be a valid array"},
		"an empty list of blocks":      {`"messages":[{"role":"user","content":[]}]`, 400, "messages.0: user messages must have non-empty content"},
		"empty text":                   {`"messages":[{"role":"user","content":""}]`, 400, "messages: text content blocks must be non-empty"},
		"blank text":                   {`"messages":[{"role":"user","content":" \n"}]`, 400, "messages: text content blocks must contain non-whitespace text"},
		"blank system text":            {`"system":[{"type":"text","text":" "}]`, 400, "system: text content blocks must contain non-whitespace text"},
		"system as a number":           {`"system":7`, 400, "system: Input should be a valid array"},
		"an unknown message field":     {`"messages":[{"role":"user","content":"x","bogus":1}]`, 400, "messages.0.bogus: Extra inputs are not permitted"},
		"an unknown block field":       {`"messages":[{"role":"user","content":[{"type":"text","text":"x","bogus":1}]}]`, 400, "messages.0.content.0.text.bogus: Extra inputs are not permitted"},
		"a block without a type":       {`"messages":[{"role":"user","content":[{"text":"x"}]}]`, 400, "messages.0.content.0.type: Field required"},
		"a block without text":         {`"messages":[{"role":"user","content":[{"type":"text"}]}]`, 400, "messages.0.content.0.text.text: Field required"},
		"a block with a number":        {`"messages":[{"role":"user","content":[{"type":"text","text":7}]}]`, 400, "Input should be a valid string"},
		"a block that is no object":    {`"messages":[{"role":"user","content":[7]}]`, 400, "messages.0.content.0: Input should be an object"},
		"a picture":                    {`"messages":[{"role":"user","content":[{"type":"image"}]}]`, 400, "text blocks only"},
		"temperature":                  {`"temperature":1`, 400, "`temperature` is deprecated for this model."},
		"top_p":                        {`"top_p":0.5`, 400, "`top_p` is deprecated for this model."},
		"top_k":                        {`"top_k":5`, 400, "`top_k` is deprecated for this model."},
		"a thinking budget":            {`"thinking":{"type":"enabled","budget_tokens":1024}`, 400, `"thinking.type.enabled" is not supported for this model`},
		"thinking off":                 {`"thinking":{"type":"disabled"}`, 400, `"thinking.type.disabled" is not supported`},
		"thinking of another kind":     {`"thinking":{"type":"deep"}`, 400, `Input tag "deep"`},
		"thinking as text":             {`"thinking":"on"`, 400, "thinking: Input should be an object"},
		"any tool forced":              {`"tool_choice":{"type":"any"}`, 400, "forces tool use, which is not supported"},
		"one tool forced":              {`"tool_choice":{"type":"tool","name":"x"}`, 400, "forces tool use, which is not supported"},
		"a tool choice without tools":  {`"tool_choice":{"type":"auto"}`, 400, "may only be specified while providing tools"},
		"a tool choice of no kind":     {`"tool_choice":{"type":"some"}`, 400, "does not match any of the expected tags"},
		"a tool choice as text":        {`"tool_choice":"auto"`, 400, "tool_choice: Input should be an object"},
		"tools":                        {`"tools":[]`, 400, "tools: this offline server does not serve it; the real API does"},
		"an unknown effort":            {`"output_config":{"effort":"lazy"}`, 400, "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'"},
		"an unknown output field":      {`"output_config":{"mood":"dry"}`, 400, "output_config.mood: Extra inputs are not permitted"},
		"output_config as text":        {`"output_config":"low"`, 400, "output_config: Input does not match the expected shape."},
		"another output format":        {`"output_config":{"format":{"type":"xml","schema":{}}}`, 400, "output_config.format.type"},
		"an unknown format field":      {`"output_config":{"format":{"type":"json_schema","schema":{},"name":"x"}}`, 400, "output_config.format.name: Extra inputs"},
		"a format as text":             {`"output_config":{"format":"json"}`, 400, "output_config.format: Input does not match"},
		"five breakpoints":             {`"system":[` + block + `,` + block + `,` + block + `],"messages":[{"role":"user","content":[` + block + `,` + block + `]}]`, 400, "A maximum of 4 blocks with cache_control may be provided. Found 5."},
		"a long life after a short":    {`"system":[` + block + `,{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"1h"}}]`, 400, "must not come after"},
		"another life":                 {`"system":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"2h"}}]`, 400, "ttl: Input should be '5m' or '1h'"},
		"another kind of cache":        {`"cache_control":{"type":"forever"}`, 400, "expected tags: 'ephemeral'"},
		"an unknown cache field":       {`"cache_control":{"type":"ephemeral","x":1}`, 400, "cache_control.ephemeral.x: Extra inputs"},
		"cache_control as text":        {`"cache_control":"x"`, 400, "cache_control: Input should be an object"},
		"cache_control on empty text":  {`"system":[{"type":"text","text":"","cache_control":{"type":"ephemeral"}}]`, 400, "cannot be set for empty text blocks"},
		"streaming":                    {`"stream":true`, 400, "stream: this offline server answers in one piece, though the real API streams"},
		"stream as text":               {`"stream":"yes"`, 400, "stream: Input should be a valid boolean"},
		"a known field before unknown": {`"zzz":1,"temperature":1`, 400, "`temperature`"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := wire.New(wire.Config{Composer: says("x")})
			w := ask(t, s, "offline-1", with(t, tc.extra))
			require.Equal(t, tc.status, w.Code, w.Body.String())
			r := read(t, w)
			require.Equal(t, "error", r.Type)
			require.Contains(t, r.Error.Message, tc.want)
			require.Equal(t, map[int]string{400: "invalid_request_error", 404: "not_found_error"}[tc.status], r.Error.Type)
			require.Equal(t, w.Header().Get("Request-Id"), r.RequestID)
			require.Empty(t, s.Entries(), "what is refused is not charged")
		})
	}
}

func TestServer_ServeHTTP_refusesACallerOrABodyItCannotRead(t *testing.T) {
	t.Parallel()

	valid := with(t, ``)
	tests := map[string]struct {
		method, path, key, version, body string
		status                           int
		kind                             string
	}{
		"no key":             {"POST", "/v1/messages", "", "2023-06-01", valid, 401, "authentication_error"},
		"a real key":         {"POST", "/v1/messages", "sk-ant-1", "2023-06-01", valid, 401, "authentication_error"},
		"no version":         {"POST", "/v1/messages", "offline-1", "", valid, 400, "invalid_request_error"},
		"another version":    {"POST", "/v1/messages", "offline-1", "2030-01-01", valid, 400, "invalid_request_error"},
		"no JSON":            {"POST", "/v1/messages", "offline-1", "2023-06-01", "{", 400, "invalid_request_error"},
		"a JSON list":        {"POST", "/v1/messages", "offline-1", "2023-06-01", "[]", 400, "invalid_request_error"},
		"null":               {"POST", "/v1/messages", "offline-1", "2023-06-01", "null", 400, "invalid_request_error"},
		"over 32 MB":         {"POST", "/v1/messages", "offline-1", "2023-06-01", strings.Repeat(" ", 32<<20) + valid, 413, "request_too_large"},
		"another path":       {"POST", "/v1/complete", "offline-1", "2023-06-01", valid, 404, "not_found_error"},
		"another method":     {"GET", "/v1/messages", "offline-1", "2023-06-01", "", 405, "invalid_request_error"},
		"over the window":    {"POST", "/v1/messages", "offline-1", "2023-06-01", with(t, `"system":"`+strings.Repeat("long prompt, ", 300_000)+`"`), 400, "invalid_request_error"},
		"a composer at loss": {"POST", "/v1/messages", "offline-1", "2023-06-01", with(t, `"system":"lost"`), 400, "invalid_request_error"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := wire.New(wire.Config{Composer: compose(func(r wire.Request) (string, error) {
				if r.System == "lost" {
					return "", errors.New("no task in the prompt")
				}
				return "x", nil
			})})
			req := httptest.NewRequestWithContext(t.Context(), tc.method, tc.path, strings.NewReader(tc.body))
			req.Header.Set("X-Api-Key", tc.key)
			req.Header.Set("Anthropic-Version", tc.version)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, req)
			require.Equal(t, tc.status, w.Code, w.Body.String())
			require.Equal(t, tc.kind, read(t, w).Error.Type)
			require.NotContains(t, w.Body.String(), "sk-ant-1")
			require.Empty(t, s.Entries())
		})
	}
}

func TestServer_ServeHTTP_cutsTheAnswerAtMaxTokens(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("A service dog is trained to do work. ", 50)
	s := wire.New(wire.Config{Composer: says(long)})
	r := read(t, ask(t, s, "offline-1", with(t, `"max_tokens":40`)))
	require.Equal(t, "max_tokens", r.Stop)
	require.LessOrEqual(t, r.Usage.Output, int64(40))
	require.Greater(t, r.Usage.Output, int64(35))
	require.True(t, strings.HasPrefix(long, r.Content[0].Text))
	require.Less(t, len(r.Content[0].Text), len(long))
}

func TestServer_ServeHTTP_logsBeforeItAnswersAndNeverDeduplicates(t *testing.T) {
	t.Parallel()

	var log bytes.Buffer
	release := make(chan struct{})
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	s := wire.New(wire.Config{
		Composer: says("x"), Log: &log, Now: func() time.Time { return at },
		Script: func(wire.Request) *wire.Fault { return &wire.Fault{Hang: release} },
	})
	// The callers have gone before the answer comes.
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/messages", strings.NewReader(with(t, ``)))
		req.Header.Set("X-Api-Key", "offline-1")
		req.Header.Set("Anthropic-Version", "2023-06-01")
		require.PanicsWithValue(t, http.ErrAbortHandler, func() { s.ServeHTTP(httptest.NewRecorder(), req) })
	}
	require.Equal(t, 2, strings.Count(log.String(), "\n"))

	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/_log", http.NoBody))
	require.Equal(t, log.String(), w.Body.String())
	var e wire.Entry
	require.NoError(t, json.NewDecoder(w.Body).Decode(&e))
	require.Equal(t, at, e.At)
	require.Equal(t, "end_turn", e.StopReason)
	require.Positive(t, e.Usage.Input)
}

func TestServer_ServeHTTP_doesNotAnswerWhatItCannotLog(t *testing.T) {
	t.Parallel()

	s := wire.New(wire.Config{Composer: says("x"), Log: full{}})
	w := ask(t, s, "offline-1", with(t, ``))
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Equal(t, "api_error", read(t, w).Error.Type)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestServer_ServeHTTP_waitsItsLatency(t *testing.T) {
	t.Parallel()

	s := wire.New(wire.Config{Composer: says("x"), Latency: 20 * time.Millisecond})
	start := time.Now()
	require.Equal(t, http.StatusOK, ask(t, s, "offline-1", with(t, ``)).Code)
	require.GreaterOrEqual(t, time.Since(start), 20*time.Millisecond)
}

func TestServer_ServeHTTP_goesWrongAsScripted(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		fault   wire.Fault
		status  int
		stop    string
		text    string
		charged int
	}{
		"refused for now": {wire.Fault{Status: 429, RetryAfter: "7"}, 429, "", "", 0},
		"overloaded":      {wire.Fault{Status: 529}, 529, "", "", 0},
		"declined":        {wire.Fault{Refuse: true}, 200, "refusal", "", 1},
		"truncated":       {wire.Fault{Truncate: true}, 200, "max_tokens", `{"title":"A `, 1},
		"garbled":         {wire.Fault{Garble: true}, 200, "end_turn", `{ "this is": not JSON`, 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := wire.New(wire.Config{Composer: says(`{"title":"A dog"}`), Script: func(wire.Request) *wire.Fault { return &tc.fault }})
			w := ask(t, s, "offline-1", with(t, ``))
			require.Equal(t, tc.status, w.Code)
			require.Equal(t, tc.fault.RetryAfter, w.Header().Get("Retry-After"))
			require.Len(t, s.Entries(), tc.charged)
			r := read(t, w)
			require.Equal(t, tc.stop, r.Stop)
			if len(r.Content) > 0 {
				require.True(t, strings.HasPrefix(tc.text, r.Content[0].Text), r.Content[0].Text)
			}
		})
	}
}
