package wire_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/ledger"
	"blogposter/scripts/modelserver/wire"
)

// post sends a body to OpenAI's API as a caller with this key.
func post(t *testing.T, h http.Handler, path, key, body string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+key)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

func chat(t *testing.T, h http.Handler, extra string) *httptest.ResponseRecorder {
	t.Helper()
	return post(t, h, "/v1/chat/completions", "offline-1", withChat(t, extra))
}

// withChat returns a valid request, changed by the members of extra; "-"
// deletes one.
func withChat(t *testing.T, extra string) string {
	t.Helper()
	return changed(t, `{"model":"gpt-6-sol","max_completion_tokens":100,"reasoning_effort":"none","messages":[{"role":"user","content":"Say hello."}]}`, extra)
}

func changed(t *testing.T, body, extra string) string {
	t.Helper()
	var all, more map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(body), &all))
	require.NoError(t, json.Unmarshal([]byte("{"+extra+"}"), &more))
	for k, v := range more {
		all[k] = v
		if string(v) == `"-"` {
			delete(all, k)
		}
	}
	out, err := json.Marshal(all)
	require.NoError(t, err)
	return string(out)
}

type completion struct {
	ID, Object, Model string
	Choices           []struct {
		Message struct {
			Role    string
			Content *string
			Refusal *string
		}
		Finish string `json:"finish_reason"`
	}
	Usage struct {
		Prompt     int64 `json:"prompt_tokens"`
		Completion int64 `json:"completion_tokens"`
		Total      int64 `json:"total_tokens"`
		PromptOf   struct {
			Cached int64 `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
		CompletionOf struct {
			Reasoning int64 `json:"reasoning_tokens"`
		} `json:"completion_tokens_details"`
	}
	Error *struct {
		Message, Type string
		Param, Code   *string
	}
}

func completed(t *testing.T, w *httptest.ResponseRecorder) completion {
	t.Helper()
	var c completion
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &c), w.Body.String())
	return c
}

func TestServer_ServeHTTP_chatsInOpenAIsShape(t *testing.T) {
	t.Parallel()

	var got wire.Request
	var lines strings.Builder
	s := wire.New(wire.Config{Log: &lines, Composer: compose(func(r wire.Request) (string, error) {
		got = r
		return "Hello there.", nil
	})})
	w := chat(t, s, `"messages":[{"role":"system","content":"Task: greet"},{"role":"developer","content":[{"type":"text","text":"Be "},{"type":"text","text":"kind."}]},
		{"role":"user","content":"Hi."},{"role":"assistant","content":"Yes?"},{"role":"user","content":"Say hello.","name":"ann"}],
		"store":false,"stream":false,"n":1,"temperature":0.2,"seed":7,"user":"u","response_format":{"type":"text"},"stop":null,"logprobs":false`)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, "true", w.Header().Get("X-Blogposter-Offline"))
	c := completed(t, w)
	require.Equal(t, []string{"chat.completion", "gpt-6-sol", "stop", "assistant", "Hello there."},
		[]string{c.Object, c.Model, c.Choices[0].Finish, c.Choices[0].Message.Role, *c.Choices[0].Message.Content})
	require.Equal(t, wire.Request{
		Model: "gpt-6-sol", System: "Task: greet\nBe kind.", MaxTokens: 100,
		Messages: []wire.Message{{Role: "user", Text: "Hi."}, {Role: "assistant", Text: "Yes?"}, {Role: "user", Text: "Say hello."}},
	}, got)

	log := s.Entries()
	require.Len(t, log, 1)
	require.Equal(t, []string{"openai", "gpt-6-sol", "greet", "stop", w.Header().Get("X-Request-Id")},
		[]string{log[0].Provider, log[0].Model, log[0].Task, log[0].StopReason, log[0].RequestID})
	require.Equal(t, ledger.Usage{Input: c.Usage.Prompt, Output: c.Usage.Completion}, log[0].Usage)
	require.Equal(t, c.Usage.Prompt+c.Usage.Completion, c.Usage.Total)
	require.Contains(t, lines.String(), `"provider":"openai"`)
	require.NotContains(t, lines.String(), "offline-1")

	require.Equal(t, http.StatusOK, chat(t, s, "").Code)
	require.Equal(t, http.StatusOK, chat(t, s, "").Code)
	require.Len(t, s.Entries(), 3, "what is sent twice is billed twice")
}

func TestServer_ServeHTTP_refusesWhatOpenAIRefuses(t *testing.T) {
	t.Parallel()

	long, _ := json.Marshal(strings.Repeat("a b c ", 400_000))
	tests := map[string]struct {
		extra       string
		status      int // 0 is 400
		param, code string
		want        string
	}{
		"no model":                     {extra: `"model":"-"`, want: "you must provide a model parameter"},
		"a model that is a number":     {extra: `"model":6`, param: "model", code: "invalid_type", want: "expected a string, but got 6"},
		"an unknown model":             {extra: `"model":"gpt-7"`, status: 404, code: "model_not_found", want: "The model `gpt-7` does not exist or you do not have access to it."},
		"another provider's model":     {extra: `"model":"claude-sonnet-5-5"`, status: 404, code: "model_not_found", want: "does not exist"},
		"an embedding model":           {extra: `"model":"glove-100d-offline"`, status: 404, param: "model", want: "This is not a chat model"},
		"an unknown parameter":         {extra: `"max_output":1`, param: "max_output", code: "unknown_parameter", want: "Unknown parameter: 'max_output'."},
		"Anthropic's system":           {extra: `"system":"x"`, param: "system", code: "unknown_parameter", want: "Unknown parameter: 'system'."},
		"max_tokens":                   {extra: `"max_tokens":100`, param: "max_tokens", code: "unsupported_parameter", want: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."},
		"a temperature while thinking": {extra: `"reasoning_effort":"-","temperature":0.3`, param: "temperature", code: "unsupported_value", want: "Unsupported value: 'temperature' does not support 0.3 with this model. Only the default (1) value is supported."},
		"top_p while thinking":         {extra: `"reasoning_effort":"low","top_p":0.9`, param: "top_p", code: "unsupported_value", want: "'top_p' does not support 0.9"},
		"a temperature out of range":   {extra: `"temperature":3`, param: "temperature", code: "decimal_above_max_value", want: "out of range"},
		"a temperature below zero":     {extra: `"temperature":-1`, param: "temperature", code: "decimal_above_max_value", want: "out of range"},
		"a temperature that is text":   {extra: `"temperature":"hot"`, param: "temperature", code: "invalid_type", want: "expected a number"},
		"several choices":              {extra: `"n":2`, param: "n", code: "unsupported_value", want: "Only the default (1)"},
		"stop sequences":               {extra: `"stop":["x"]`, param: "stop", code: "unsupported_parameter", want: "'stop' is not supported"},
		"an unknown effort":            {extra: `"reasoning_effort":"minimal"`, param: "reasoning_effort", code: "unsupported_value", want: "does not support 'minimal'"},
		"an effort that is a number":   {extra: `"reasoning_effort":1`, param: "reasoning_effort", code: "invalid_type", want: "expected a string"},
		"too many tokens":              {extra: `"max_completion_tokens":200000`, param: "max_completion_tokens", code: "invalid_value", want: "max_tokens is too large: 200000. This model supports at most 128000 completion tokens"},
		"no tokens":                    {extra: `"max_completion_tokens":0`, param: "max_completion_tokens", code: "integer_below_min_value", want: "integer below minimum value"},
		"half a token":                 {extra: `"max_completion_tokens":0.5`, param: "max_completion_tokens", code: "invalid_type", want: "expected an integer"},
		"a stream":                     {extra: `"stream":true`, param: "stream", want: "answers in one piece"},
		"tools":                        {extra: `"tools":[]`, param: "tools", want: "this offline server does not serve it"},
		"no messages":                  {extra: `"messages":"-"`, param: "messages", code: "missing_required_parameter", want: "Missing required parameter: 'messages'."},
		"an empty list":                {extra: `"messages":[]`, param: "messages", code: "empty_array", want: "empty array"},
		"messages that are text":       {extra: `"messages":"hi"`, param: "messages", code: "invalid_type", want: "expected an array of objects"},
		"a message without a role":     {extra: `"messages":[{"content":"x"}]`, param: "messages[0].role", code: "missing_required_parameter", want: "Missing required parameter: 'messages[0].role'."},
		"an unknown role":              {extra: `"messages":[{"role":"judge","content":"x"}]`, param: "messages[0].role", code: "invalid_value", want: `Invalid value: "judge"`},
		"a message without content":    {extra: `"messages":[{"role":"user"}]`, param: "messages[0].content", want: "expected a string, got nothing"},
		"content that is null":         {extra: `"messages":[{"role":"user","content":null}]`, param: "messages[0].content", want: "expected a string, got null"},
		"an image":                     {extra: `"messages":[{"role":"user","content":[{"type":"image_url"}]}]`, param: "messages[0].content", want: "parts of type 'text' only"},
		"a message with more":          {extra: `"messages":[{"role":"user","content":"x","cache_control":{}}]`, param: "cache_control", code: "unknown_parameter", want: "Unknown parameter"},
		"a prompt too long":            {extra: `"messages":[{"role":"user","content":` + string(long) + `}]`, param: "messages", code: "context_length_exceeded", want: "Input tokens exceed the configured limit of 922000 tokens."},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := wire.New(wire.Config{Composer: says("hi")})
			w := chat(t, s, tc.extra)
			require.Equal(t, max(tc.status, http.StatusBadRequest), w.Code, w.Body.String())
			e := completed(t, w).Error
			require.Contains(t, e.Message, tc.want)
			require.Equal(t, "invalid_request_error", e.Type)
			require.Equal(t, tc.param, orEmpty(e.Param), e.Message)
			require.Equal(t, tc.code, orEmpty(e.Code), e.Message)
			require.Empty(t, s.Entries(), "a refused call is not charged")
		})
	}
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestServer_ServeHTTP_knowsItsCallersAsOpenAIDoes(t *testing.T) {
	t.Parallel()

	s := wire.New(wire.Config{Composer: says("hi"), Vectors: lengthOf{}})
	for _, path := range []string{"/v1/chat/completions", "/v1/embeddings"} {
		w := post(t, s, path, "sk-real-1234", "{}")
		require.Equal(t, http.StatusUnauthorized, w.Code)
		e := completed(t, w).Error
		require.Equal(t, "invalid_api_key", orEmpty(e.Code))
		require.Contains(t, e.Message, "Incorrect API key provided: sk-r****1234")
		require.NotContains(t, e.Message, "real")

		w = post(t, s, path, "", "{}")
		require.Equal(t, http.StatusUnauthorized, w.Code)
		require.Contains(t, completed(t, w).Error.Message, "You didn't provide an API key")
		require.Nil(t, completed(t, w).Error.Code)

		for _, body := range []string{"", "[]", "null", "{"} {
			w = post(t, s, path, "offline-1", body)
			require.Equal(t, http.StatusBadRequest, w.Code)
			require.Contains(t, completed(t, w).Error.Message, "We could not parse the JSON body of your request.")
		}
		w = post(t, s, path, "offline-1", `{"model":"`+strings.Repeat("x", 33<<20)+`"}`)
		require.Equal(t, http.StatusRequestEntityTooLarge, w.Code)

		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		w = httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.Equal(t, http.StatusMethodNotAllowed, w.Code)
		require.Contains(t, completed(t, w).Error.Message, "Not allowed to GET on "+path)
	}
	require.Empty(t, s.Entries())
}

func TestServer_ServeHTTP_thinksAwayTheAnswerOfWhoForgetsTheEffort(t *testing.T) {
	t.Parallel()

	s := wire.New(wire.Config{Composer: says("Hello there.")})
	c := completed(t, chat(t, s, `"reasoning_effort":"-"`)) // medium thinks more than 100 tokens
	require.Equal(t, "length", c.Choices[0].Finish)
	require.Empty(t, *c.Choices[0].Message.Content)
	require.Equal(t, []int64{100, 100}, []int64{c.Usage.Completion, c.Usage.CompletionOf.Reasoning})

	c = completed(t, chat(t, s, `"reasoning_effort":null,"max_completion_tokens":null`))
	require.Equal(t, "stop", c.Choices[0].Finish, "without a limit there is room for both")
	require.Equal(t, "Hello there.", *c.Choices[0].Message.Content)
	require.Equal(t, int64(512), c.Usage.CompletionOf.Reasoning)
	require.Greater(t, c.Usage.Completion, int64(512))
}

func TestServer_ServeHTTP_cutsAChatsAnswerAtItsLimit(t *testing.T) {
	t.Parallel()

	s := wire.New(wire.Config{Composer: says(strings.Repeat("word ", 50))})
	c := completed(t, chat(t, s, `"max_completion_tokens":10`))
	require.Equal(t, "length", c.Choices[0].Finish)
	require.Equal(t, strings.TrimSpace(strings.Repeat("word ", 10)), *c.Choices[0].Message.Content)
	require.Equal(t, int64(10), c.Usage.Completion)
}

func TestServer_ServeHTTP_readsTheBeginningOfAChatFromTheCache(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("A handler never has to show a certificate for a dog. ", 200)
	body := func(system, question string) string {
		return `"messages":[{"role":"system","content":` + strconv.Quote(system) + `},{"role":"user","content":` + strconv.Quote(question) + `}]`
	}
	type call struct {
		after time.Duration
		key   string
		extra string
		read  bool
	}
	first := call{extra: body(long, "One?")}
	tests := map[string][]call{
		"the same prompt":             {first, {extra: body(long, "One?"), read: true}},
		"another question":            {first, {extra: body(long, "Two, and why?"), read: true}},
		"another beginning":           {first, {extra: body("B"+long, "One?")}},
		"another key":                 {first, {key: "offline-2", extra: body(long, "One?")}},
		"another model":               {first, {extra: body(long, "One?") + `,"model":"gpt-6-luna"`}},
		"after five minutes":          {first, {after: 5 * time.Minute, extra: body(long, "One?")}},
		"within five minutes":         {first, {after: 4 * time.Minute, extra: body(long, "One?"), read: true}},
		"a prompt that is too short":  {{extra: body(long[:1000], "One?")}, {extra: body(long[:1000], "One?")}},
		"another schema comes before": {first, {extra: body(long, "One?") + `,"response_format":` + strictFormat(`{"type":"object","properties":{},"required":[],"additionalProperties":false}`)}},
	}
	for name, calls := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			hand := &clock{at: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
			s := wire.New(wire.Config{Composer: says("{}"), Now: hand.now})
			for i, c := range calls {
				hand.move(c.after)
				key := c.key
				if key == "" {
					key = "offline-1"
				}
				w := post(t, s, "/v1/chat/completions", key, withChat(t, c.extra))
				require.Equal(t, http.StatusOK, w.Code, w.Body.String())
				u := completed(t, w).Usage
				require.Equal(t, c.read, u.PromptOf.Cached > 0, "call %d: %+v", i, u)
				fresh := completed(t, chat(t, wire.New(wire.Config{Composer: says("{}")}), c.extra)).Usage
				require.Equal(t, fresh.Prompt, u.Prompt, "a prompt has as many tokens whether or not it is read from the cache")
				require.Zero(t, u.PromptOf.Cached%128)
				require.LessOrEqual(t, u.PromptOf.Cached, u.Prompt)
				require.Equal(t, ledger.Usage{Input: u.Prompt - u.PromptOf.Cached, CacheRead: u.PromptOf.Cached, Output: u.Completion}, s.Entries()[i].Usage)
			}
		})
	}
}

func TestServer_ServeHTTP_remembersSoManyPromptsAndNoMore(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("A handler never has to show a certificate for a dog. ", 100)
	s := wire.New(wire.Config{Composer: says("ok")})
	cached := func(prompt string) bool {
		w := chat(t, s, `"messages":[{"role":"user","content":`+strconv.Quote(prompt)+`}]`)
		return completed(t, w).Usage.PromptOf.Cached > 0
	}
	require.False(t, cached(long))
	require.True(t, cached(long))
	for i := range 64 {
		require.False(t, cached(strconv.Itoa(i)))
	}
	require.False(t, cached(long), "the oldest prompt was forgotten")
}

func TestServer_ServeHTTP_goesWrongInOpenAIsWay(t *testing.T) {
	t.Parallel()

	server := func(f wire.Fault) *wire.Server {
		return wire.New(wire.Config{Composer: says("One two three four five six."), Vectors: lengthOf{}, Script: func(wire.Request) *wire.Fault { return &f }})
	}
	tests := map[string]struct {
		fault      wire.Fault
		kind, code string
	}{
		"too many requests": {wire.Fault{Status: 429, RetryAfter: "7"}, "requests", "rate_limit_exceeded"},
		"overloaded":        {wire.Fault{Status: 503}, "server_error", ""},
		"a revoked key":     {wire.Fault{Status: 401}, "invalid_request_error", "invalid_api_key"},
		"a revoked right":   {wire.Fault{Status: 403}, "invalid_request_error", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := server(tc.fault)
			for _, w := range []*httptest.ResponseRecorder{chat(t, s, ""), embed(t, s, "")} {
				require.Equal(t, tc.fault.Status, w.Code)
				require.Equal(t, tc.fault.RetryAfter, w.Header().Get("Retry-After"))
				e := completed(t, w).Error
				require.Equal(t, []string{tc.kind, tc.code}, []string{e.Type, orEmpty(e.Code)})
			}
			require.Empty(t, s.Entries())
		})
	}
	refused := completed(t, chat(t, server(wire.Fault{Refuse: true}), ""))
	require.Nil(t, refused.Choices[0].Message.Content)
	require.Contains(t, *refused.Choices[0].Message.Refusal, "I can't help")
	require.Equal(t, "stop", refused.Choices[0].Finish)
	half := completed(t, chat(t, server(wire.Fault{Truncate: true}), ""))
	require.Equal(t, "length", half.Choices[0].Finish)
	require.Equal(t, "One two three", *half.Choices[0].Message.Content)
	require.Contains(t, *completed(t, chat(t, server(wire.Fault{Garble: true}), "")).Choices[0].Message.Content, "not JSON")

	s := server(wire.Fault{Cut: true})
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { chat(t, s, "") })
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { embed(t, s, "") })
	require.Len(t, s.Entries(), 2, "a cut answer is charged")
}

func TestServer_ServeHTTP_chargesACallerWhoLeaves(t *testing.T) {
	t.Parallel()

	never := make(chan struct{})
	s := wire.New(wire.Config{Composer: says("hi"), Vectors: lengthOf{}, Script: func(wire.Request) *wire.Fault { return &wire.Fault{Hang: never} }})
	for path, body := range map[string]string{"/v1/chat/completions": withChat(t, ""), "/v1/embeddings": `{"model":"glove-100d-offline","input":"x"}`} {
		ctx, cancel := canceled(t)
		cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer offline-1")
		require.PanicsWithValue(t, http.ErrAbortHandler, func() { s.ServeHTTP(httptest.NewRecorder(), r) })
	}
	require.Len(t, s.Entries(), 2)
}
