package openai_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/openai"
)

const key = "offline-secret-4711"

func ask(step string) llm.Request {
	return llm.Request{
		Step: step, Model: "gpt-6-luna", System: "You read pages.", MaxTokens: 300,
		Messages: []llm.Message{
			{Role: llm.RoleUser, Text: "One?"}, {Role: llm.RoleAssistant, Text: "One."}, {Role: llm.RoleUser, Text: "Two?"},
		},
	}
}

// client returns a Client of a server with a path prefix.
func client(t *testing.T, h http.HandlerFunc) *openai.Client {
	t.Helper()
	srv := httptest.NewServer(http.StripPrefix("/proxy", h))
	t.Cleanup(srv.Close)
	return openai.New(openai.Config{BaseURL: srv.URL + "/proxy/v1", APIKey: key, HTTP: srv.Client()})
}

// reply writes an answer with this message, finish_reason and usage.
func reply(w http.ResponseWriter, message, finish, usage string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Request-Id", "req_42")
	_, _ = io.WriteString(w, `{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-6-luna-2026-09-22",
		"choices":[{"index":0,"message":`+message+`,"finish_reason":`+finish+`}],"usage":`+usage+`}`)
}

const (
	two       = `{"role":"assistant","content":"Two.","refusal":null}`
	someUsage = `{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}`
)

func TestClient_Call_sendsWhatTheModelsAccept(t *testing.T) {
	t.Parallel()

	var path, auth string
	var body []byte
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		path, auth = r.URL.Path, r.Header.Get("Authorization")
		body, _ = io.ReadAll(r.Body)
		reply(w, two, `"stop"`, someUsage)
	})
	r := ask("digest:1")
	r.Schema = json.RawMessage(`{"type":"object","additionalProperties":false}`)
	resp, err := c.Call(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, llm.Response{
		Text: "Two.", Stop: llm.StopEnd, Model: "gpt-6-luna-2026-09-22", Request: "req_42", Usage: ledger.Usage{Input: 9, Output: 3},
	}, resp)
	require.Equal(t, "/v1/chat/completions", path)
	require.Equal(t, "Bearer "+key, auth)
	require.JSONEq(t, `{"model":"gpt-6-luna","max_completion_tokens":300,"stream":false,"reasoning_effort":"none",
		"messages":[{"role":"system","content":"You read pages."},{"role":"user","content":"One?"},{"role":"assistant","content":"One."},{"role":"user","content":"Two?"}],
		"response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":{"type":"object","additionalProperties":false}}}}`, string(body))
}

func TestClient_Call_sendsACompatibleServerNothingOfOpenAIsOwn(t *testing.T) {
	t.Parallel()

	var body map[string]any
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewDecoder(r.Body).Decode(&body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"cmpl-7","choices":[{"message":`+two+`,"finish_reason":"stop"}],"usage":`+someUsage+`}`)
	})
	r := ask("x")
	r.System, r.Model = "", "some-open-model"
	resp, err := c.Call(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, "cmpl-7", resp.Request, "without a header the answer's id is the call's")
	require.NotContains(t, body, "reasoning_effort")
	require.NotContains(t, body, "response_format")
	require.Len(t, body["messages"], 3)
}

func TestClient_Call_mapsUsageAndFinishReason(t *testing.T) {
	t.Parallel()

	plain := ledger.Usage{Input: 9, Output: 3}
	tests := map[string]struct {
		message, finish, usage string
		want                   llm.Stop
		text                   string
		wantUsage              ledger.Usage
		fails                  bool
	}{
		"finished":                {message: two, finish: `"stop"`, usage: someUsage, want: llm.StopEnd, text: "Two.", wantUsage: plain},
		"out of tokens":           {message: two, finish: `"length"`, usage: someUsage, want: llm.StopTruncated, text: "Two.", wantUsage: plain},
		"only thoughts":           {message: `{"role":"assistant","content":null}`, finish: `"length"`, usage: someUsage, want: llm.StopTruncated, wantUsage: plain},
		"declined":                {message: `{"role":"assistant","content":null,"refusal":"I can't."}`, finish: `"stop"`, usage: someUsage, want: llm.StopRefused, wantUsage: plain},
		"filtered":                {message: two, finish: `"content_filter"`, usage: someUsage, want: llm.StopRefused, wantUsage: plain},
		"in parts":                {message: `{"role":"assistant","content":[{"type":"text","text":"Tw"},{"type":"text","text":"o."}]}`, finish: `"stop"`, usage: someUsage, want: llm.StopEnd, text: "Two.", wantUsage: plain},
		"a tool, never asked for": {message: two, finish: `"tool_calls"`, usage: someUsage, wantUsage: plain, fails: true},
		"no reason":               {message: two, finish: `null`, usage: someUsage, wantUsage: plain, fails: true},
		"cached tokens are not counted twice": {
			message: two, finish: `"stop"`, usage: `{"prompt_tokens":2000,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":1920}}`,
			want: llm.StopEnd, text: "Two.", wantUsage: ledger.Usage{Input: 80, CacheRead: 1920, Output: 3},
		},
		"more cached than read": {
			message: two, finish: `"stop"`, usage: `{"prompt_tokens":20,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":1920}}`,
			want: llm.StopEnd, text: "Two.", wantUsage: ledger.Usage{CacheRead: 20, Output: 3},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := client(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, tc.message, tc.finish, tc.usage) })
			resp, err := c.Call(t.Context(), ask("x"))
			require.Equal(t, tc.wantUsage, resp.Usage, "a call that was charged says so, even with an error")
			if tc.fails {
				require.Equal(t, fault.KindPermanent, fault.KindOf(err))
				require.ErrorContains(t, err, "req_42")
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, resp.Stop)
			require.Equal(t, tc.text, resp.Text)
		})
	}
}

func TestClient_Call_chargesAnAnswerWithoutAChoice(t *testing.T) {
	t.Parallel()

	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"c-1","choices":[],"usage":`+someUsage+`}`)
	})
	resp, err := c.Call(t.Context(), ask("x"))
	require.ErrorContains(t, err, "call c-1 was answered without a choice")
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))
	require.Equal(t, ledger.Usage{Input: 9, Output: 3}, resp.Usage)
}

func TestClient_Call_classifiesStatuses(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		status   int
		after    string
		afterMS  string
		code     string
		kind     fault.Kind
		wait     time.Duration
		lost     bool
		wantType string
	}{
		"a bad request":                    {status: 400, kind: fault.KindPermanent},
		"a rotated key":                    {status: 401, code: "invalid_api_key", kind: fault.KindNeedsHuman, wantType: "invalid_api_key"},
		"an unpaid bill":                   {status: 402, kind: fault.KindNeedsHuman},
		"a revoked right":                  {status: 403, kind: fault.KindNeedsHuman},
		"an unknown model":                 {status: 404, code: "model_not_found", kind: fault.KindPermanent, wantType: "model_not_found"},
		"a body too large":                 {status: 413, kind: fault.KindPermanent},
		"too many, in seconds":             {status: 429, after: "90", kind: fault.KindRetryable, wait: 90 * time.Second},
		"too many, in milliseconds":        {status: 429, after: "2", afterMS: "1500", kind: fault.KindRetryable, wait: 1500 * time.Millisecond},
		"too many, until a date":           {status: 429, after: "Fri, 20 Nov 2026 09:02:00 GMT", kind: fault.KindRetryable, wait: 2 * time.Minute},
		"too many, until a past date":      {status: 429, after: "Fri, 20 Nov 2026 08:00:00 GMT", kind: fault.KindRetryable},
		"too many, of no sense":            {status: 429, after: "soon", kind: fault.KindRetryable},
		"a quota that waiting won't raise": {status: 429, after: "5", code: "insufficient_quota", kind: fault.KindNeedsHuman, wantType: "insufficient_quota"},
		"timed out over there":             {status: 408, kind: fault.KindRetryable, lost: true},
		"broken over there":                {status: 500, kind: fault.KindRetryable, lost: true},
		"overloaded":                       {status: 503, after: "5", kind: fault.KindRetryable, wait: 5 * time.Second, lost: true},
		"a gateway without an answer":      {status: 504, kind: fault.KindRetryable, lost: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			calls := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls++
				w.Header().Set("X-Request-Id", "req_9")
				w.Header().Set("Retry-After", tc.after)
				w.Header().Set("Retry-After-Ms", tc.afterMS)
				w.WriteHeader(tc.status)
				code, _ := json.Marshal(tc.code)
				_, _ = io.WriteString(w, `{"error":{"message":"not with `+key+` nor sk-proj-ab***yz","type":"some_error","param":null,"code":`+string(code)+`}}`)
			}))
			t.Cleanup(srv.Close)
			c := openai.New(openai.Config{BaseURL: srv.URL, APIKey: key, Now: func() time.Time { return now }})
			_, err := c.Call(t.Context(), ask("x"))
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.Equal(t, tc.wait, fault.RetryAfter(err))
			require.Equal(t, tc.lost, fault.IsLost(err))
			require.Equal(t, 1, calls, "the journal decides about another try")
			var se *openai.StatusError
			require.ErrorAs(t, err, &se)
			want := tc.wantType
			if want == "" {
				want = "some_error"
			}
			require.Equal(t, openai.StatusError{Code: tc.status, Type: want, Message: "not with [key] nor [key]", Request: "req_9"}, *se)
			require.ErrorContains(t, err, " "+want+": not with [key] nor [key] (req_9)")
		})
	}
}

func hijack(w http.ResponseWriter, send string) {
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = buf.WriteString(send)
	_ = buf.Flush()
	_ = conn.Close()
}

func TestClient_marksWhatMayHaveBeenCarriedOut(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		handler http.HandlerFunc
		kind    fault.Kind
	}{
		"the connection is cut before an answer": {func(w http.ResponseWriter, _ *http.Request) { hijack(w, "") }, fault.KindRetryable},
		"the connection is cut in the middle": {func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nContent-Type: application/json\r\n\r\n{\"id\":")
		}, fault.KindRetryable},
		"the answer is a web page": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, fault.KindRetryable},
		"the answer has no usage":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"choices":[],"data":[]}`) }, fault.KindRetryable},
		"the answer never ends": {func(w http.ResponseWriter, _ *http.Request) {
			chunk := strings.Repeat(" ", 1<<20)
			for {
				if _, err := io.WriteString(w, chunk); err != nil {
					return
				}
			}
		}, fault.KindPermanent},
	}
	calls := map[string]func(context.Context, *openai.Client) error{
		"chat": func(ctx context.Context, c *openai.Client) error { _, err := c.Call(ctx, ask("x")); return err },
		"embeddings": func(ctx context.Context, c *openai.Client) error {
			_, err := c.Embed(ctx, "text-embedding-3-small", []string{"x"})
			return err
		},
	}
	for name, tc := range tests {
		for api, call := range calls {
			t.Run(api+": "+name, func(t *testing.T) {
				t.Parallel()

				err := call(t.Context(), client(t, tc.handler))
				require.Error(t, err)
				require.True(t, fault.IsLost(err), err)
				require.Equal(t, tc.kind, fault.KindOf(err))
				require.NotContains(t, err.Error(), key)
			})
		}
	}
}

func TestClient_Call_countsARefusalByItsStatusAlthoughItsBodyIsCut(t *testing.T) {
	t.Parallel()

	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		hijack(w, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 500\r\n\r\n{\"error\":")
	})
	_, err := c.Call(t.Context(), ask("x"))
	require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err))
	require.False(t, fault.IsLost(err))
	require.EqualError(t, err, "openai: 401")
}

func TestClient_Call_marksATimeoutAfterTheRequestWasSent(t *testing.T) {
	t.Parallel()

	arrived, release := make(chan struct{}), make(chan struct{})
	c := client(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-release
	})
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := c.Call(ctx, ask("x"))
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, fault.IsLost(err))
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
}

func TestClient_knowsWhatWasNeverSent(t *testing.T) {
	t.Parallel()

	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	refused := ln.Addr().String()
	require.NoError(t, ln.Close())
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	tests := map[string]struct {
		ctx context.Context
		url string
	}{
		"the connection is refused":    {t.Context(), "http://" + refused},
		"the name is unknown":          {t.Context(), "http://model.invalid"},
		"the certificate is not known": {t.Context(), secure.URL},
		"the caller's time was up":     {gone, secure.URL},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := openai.New(openai.Config{BaseURL: tc.url, APIKey: key, HTTP: &http.Client{Timeout: 10 * time.Second}})
			_, chat := c.Call(tc.ctx, ask("x"))
			_, embeddings := c.Embed(tc.ctx, "text-embedding-3-small", []string{"x"})
			for _, err := range []error{chat, embeddings} {
				require.Equal(t, fault.KindRetryable, fault.KindOf(err))
				require.False(t, fault.IsLost(err), err)
				require.ErrorContains(t, err, "not sent")
				require.NotContains(t, err.Error(), key)
			}
		})
	}
}

func TestClient_Call_carriesTheKeyNowhereElse(t *testing.T) {
	t.Parallel()

	stolen := make(chan string, 1)
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { stolen <- r.Header.Get("Authorization") }))
	t.Cleanup(thief.Close)
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
	})
	_, err := c.Call(t.Context(), ask("x"))
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))
	require.False(t, fault.IsLost(err))
	require.ErrorContains(t, err, "307: redirect is not followed")
	require.Empty(t, stolen)
}

func TestClient_Call_shortensAStrangersMessage(t *testing.T) {
	t.Parallel()

	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html>"+strings.Repeat("ü", 4000))
	})
	_, err := c.Call(t.Context(), ask("x"))
	require.ErrorContains(t, err, "openai: 502: <html>")
	require.Less(t, len(err.Error()), 600)
}

func TestClient_Call_refusesWhatItCannotSend(t *testing.T) {
	t.Parallel()

	c := client(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	for name, change := range map[string]func(*llm.Request){
		"another role":                 func(r *llm.Request) { r.Messages[0].Role = "system" },
		"a broken schema":              func(r *llm.Request) { r.Schema = []byte("{") },
		"a model that the SDK refuses": func(r *llm.Request) { r.Model = "text-davinci-003" },
	} {
		r := ask("x")
		change(&r)
		_, err := c.Call(t.Context(), r)
		require.Equal(t, fault.KindPermanent, fault.KindOf(err), name)
		require.False(t, fault.IsLost(err), name)
	}
}

func TestNew_needsOnlyAKey(t *testing.T) {
	t.Parallel()

	require.Equal(t, "openai", openai.New(openai.Config{APIKey: key}).Provider())
}
