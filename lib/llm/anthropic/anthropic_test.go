package anthropic_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/fault"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
	"blogposter/lib/llm/anthropic"
)

const key = "offline-secret-4711"

func ask(step string) llm.Request {
	return llm.Request{
		Step: step, Model: "claude-haiku-5-5", System: "You read pages.", MaxTokens: 300,
		Messages: []llm.Message{
			{Role: llm.RoleUser, Text: "One?"}, {Role: llm.RoleAssistant, Text: "One."}, {Role: llm.RoleUser, Text: "Two?"},
		},
	}
}

// client returns a Client of a server with a path prefix.
func client(t *testing.T, h http.HandlerFunc) *anthropic.Client {
	t.Helper()
	srv := httptest.NewServer(http.StripPrefix("/proxy", h))
	t.Cleanup(srv.Close)
	return anthropic.New(anthropic.Config{BaseURL: srv.URL + "/proxy", APIKey: key, HTTP: srv.Client()})
}

// reply writes an answer with this stop_reason and usage.
func reply(w http.ResponseWriter, stop, usage string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_42")
	_, _ = io.WriteString(w, `{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-5-5","content":[
		{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Tw"},{"type":"text","text":"o."}],
		"stop_reason":"`+stop+`","usage":`+usage+`}`)
}

const someUsage = `{"input_tokens":9,"output_tokens":3}`

func TestClient_Call_sendsWhatTheModelsAccept(t *testing.T) {
	t.Parallel()

	var path, apiKey string
	var body map[string]any
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		path, apiKey = r.URL.Path, r.Header.Get("X-Api-Key")
		_ = json.NewDecoder(r.Body).Decode(&body)
		reply(w, "end_turn", someUsage)
	})
	r := ask("digest:1")
	r.Schema = json.RawMessage(`{"type":"object","additionalProperties":false}`)
	resp, err := c.Call(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, llm.Response{
		Text: "Two.", Stop: llm.StopEnd, Model: "claude-haiku-5-5", Request: "req_42", Usage: ledger.Usage{Input: 9, Output: 3},
	}, resp)
	require.Equal(t, "/v1/messages", path)
	require.Equal(t, key, apiKey)
	want := `{"model":"claude-haiku-5-5","max_tokens":300,
		"system":[{"type":"text","text":"You read pages.","cache_control":{"type":"ephemeral"}}],
		"messages":[{"role":"user","content":[{"type":"text","text":"One?"}]},{"role":"assistant","content":[{"type":"text","text":"One."}]},
			{"role":"user","content":[{"type":"text","text":"Two?"}]}],
		"output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false}}}}`
	got, err := json.Marshal(body)
	require.NoError(t, err)
	require.JSONEq(t, want, string(got))
}

func TestClient_Call_leavesOutWhatIsEmpty(t *testing.T) {
	t.Parallel()

	var body map[string]any
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewDecoder(r.Body).Decode(&body)
		reply(w, "end_turn", someUsage)
	})
	r := ask("x")
	r.System, r.MaxTokens = "", 128_000 // the SDK would refuse so many unless they are streamed
	_, err := c.Call(t.Context(), r)
	require.NoError(t, err)
	require.NotContains(t, body, "system")
	require.Equal(t, map[string]any{"effort": "low"}, body["output_config"])
}

func TestClient_Call_mapsUsageAndStopReason(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		stop, usage string
		want        llm.Stop
		wantUsage   ledger.Usage
		fails       bool
	}{
		"finished":             {stop: "end_turn", usage: someUsage, want: llm.StopEnd, wantUsage: ledger.Usage{Input: 9, Output: 3}},
		"out of tokens":        {stop: "max_tokens", usage: someUsage, want: llm.StopTruncated, wantUsage: ledger.Usage{Input: 9, Output: 3}},
		"out of context":       {stop: "model_context_window_exceeded", usage: someUsage, want: llm.StopTruncated, wantUsage: ledger.Usage{Input: 9, Output: 3}},
		"declined":             {stop: "refusal", usage: someUsage, want: llm.StopRefused, wantUsage: ledger.Usage{Input: 9, Output: 3}},
		"a tool, never asked":  {stop: "tool_use", usage: someUsage, wantUsage: ledger.Usage{Input: 9, Output: 3}, fails: true},
		"a reason of tomorrow": {stop: "tired", usage: someUsage, wantUsage: ledger.Usage{Input: 9, Output: 3}, fails: true},
		"cache writes, not split": {
			stop: "end_turn", usage: `{"input_tokens":1,"output_tokens":2,"cache_read_input_tokens":30,"cache_creation_input_tokens":40}`,
			want: llm.StopEnd, wantUsage: ledger.Usage{Input: 1, Output: 2, CacheRead: 30, CacheWrite5m: 40},
		},
		"cache writes by lifetime": {
			stop: "end_turn", usage: `{"input_tokens":1,"output_tokens":2,"cache_creation_input_tokens":40,"cache_creation":{"ephemeral_5m_input_tokens":30,"ephemeral_1h_input_tokens":10}}`,
			want: llm.StopEnd, wantUsage: ledger.Usage{Input: 1, Output: 2, CacheWrite5m: 30, CacheWrite1h: 10},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := client(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, tc.stop, tc.usage) })
			resp, err := c.Call(t.Context(), ask("x"))
			require.Equal(t, tc.wantUsage, resp.Usage, "a call that was charged says so, even with an error")
			if tc.fails {
				require.Equal(t, fault.KindPermanent, fault.KindOf(err))
				require.ErrorContains(t, err, "req_42")
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, resp.Stop)
		})
	}
}

func TestClient_Call_classifiesStatuses(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		status int
		after  string
		kind   fault.Kind
		wait   time.Duration
		lost   bool
	}{
		"a bad request":               {status: 400, kind: fault.KindPermanent},
		"a rotated key":               {status: 401, kind: fault.KindNeedsHuman},
		"an unpaid bill":              {status: 402, kind: fault.KindNeedsHuman},
		"a revoked right":             {status: 403, kind: fault.KindNeedsHuman},
		"an unknown model":            {status: 404, kind: fault.KindPermanent},
		"a body too large":            {status: 413, kind: fault.KindPermanent},
		"a body of no sense":          {status: 422, kind: fault.KindPermanent},
		"too many, in seconds":        {status: 429, after: "90", kind: fault.KindRetryable, wait: 90 * time.Second},
		"too many, until a date":      {status: 429, after: "Fri, 20 Nov 2026 09:02:00 GMT", kind: fault.KindRetryable, wait: 2 * time.Minute},
		"too many, until a past date": {status: 429, after: "Fri, 20 Nov 2026 08:00:00 GMT", kind: fault.KindRetryable},
		"too many, of no sense":       {status: 429, after: "soon", kind: fault.KindRetryable},
		"timed out over there":        {status: 408, kind: fault.KindRetryable, lost: true},
		"broken over there":           {status: 500, kind: fault.KindRetryable, lost: true},
		"a gateway without an answer": {status: 504, kind: fault.KindRetryable, lost: true},
		"overloaded":                  {status: 529, after: "5", kind: fault.KindRetryable, wait: 5 * time.Second, lost: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			calls := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls++
				w.Header().Set("Request-Id", "req_9")
				w.Header().Set("Retry-After", tc.after)
				w.Header().Set("X-Should-Retry", "true")
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, `{"type":"error","error":{"type":"some_error","message":"not with `+key+`"}}`)
			}))
			t.Cleanup(srv.Close)
			c := anthropic.New(anthropic.Config{BaseURL: srv.URL, APIKey: key, Now: func() time.Time { return now }})
			_, err := c.Call(t.Context(), ask("x"))
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.Equal(t, tc.wait, fault.RetryAfter(err))
			require.Equal(t, tc.lost, fault.IsLost(err))
			require.Equal(t, 1, calls, "the journal decides about another try")
			var se *anthropic.StatusError
			require.ErrorAs(t, err, &se)
			require.Equal(t, anthropic.StatusError{Code: tc.status, Type: "some_error", Message: "not with [key]", Request: "req_9"}, *se)
			require.EqualError(t, err, "anthropic: "+strconv.Itoa(tc.status)+" some_error: not with [key] (req_9)")
		})
	}
}

func TestClient_Call_marksWhatMayHaveBeenCarriedOut(t *testing.T) {
	t.Parallel()

	hijack := func(w http.ResponseWriter, send string) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = buf.WriteString(send)
		_ = buf.Flush()
		_ = conn.Close()
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		kind    fault.Kind
	}{
		"the connection is cut before an answer": {func(w http.ResponseWriter, _ *http.Request) { hijack(w, "") }, fault.KindRetryable},
		"the connection is cut in the middle": {func(w http.ResponseWriter, _ *http.Request) {
			hijack(w, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nContent-Type: application/json\r\n\r\n{\"id\":")
		}, fault.KindRetryable},
		"the answer is no JSON": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{")
		}, fault.KindRetryable},
		"the answer is a web page": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, fault.KindRetryable},
		"the answer has no usage":  {func(w http.ResponseWriter, _ *http.Request) { reply(w, "end_turn", `{}`) }, fault.KindRetryable},
		"the answer never ends": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			chunk := strings.Repeat(" ", 1<<20)
			for {
				if _, err := io.WriteString(w, chunk); err != nil {
					return
				}
			}
		}, fault.KindPermanent},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := client(t, tc.handler).Call(t.Context(), ask("x"))
			require.Error(t, err)
			require.True(t, fault.IsLost(err), err)
			require.Equal(t, tc.kind, fault.KindOf(err))
			require.NotContains(t, err.Error(), key)
		})
	}
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

func TestClient_Call_knowsWhatWasNeverSent(t *testing.T) {
	t.Parallel()

	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	refused := free.Addr().String()
	require.NoError(t, free.Close())
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	gone, cancel := context.WithCancel(t.Context())
	cancel()

	tests := map[string]struct {
		ctx context.Context //nolint:containedctx // a table of callers
		url string
	}{
		"the connection is refused":     {t.Context(), "http://" + refused},
		"the name is unknown":           {t.Context(), "http://model.invalid"},
		"the certificate is not known":  {t.Context(), secure.URL},
		"the caller's time was up":      {gone, secure.URL},
		"the server speaks another TLS": {t.Context(), "https://" + strings.TrimPrefix(plain(t), "http://")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := anthropic.New(anthropic.Config{BaseURL: tc.url, APIKey: key, HTTP: &http.Client{Timeout: 10 * time.Second}})
			_, err := c.Call(tc.ctx, ask("x"))
			require.Equal(t, fault.KindRetryable, fault.KindOf(err))
			require.False(t, fault.IsLost(err), err)
			require.ErrorContains(t, err, "not sent")
			require.NotContains(t, err.Error(), key)
		})
	}
}

func plain(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestClient_Call_carriesTheKeyNowhereElse(t *testing.T) {
	t.Parallel()

	stolen := make(chan string, 1)
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { stolen <- r.Header.Get("X-Api-Key") }))
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
	require.ErrorContains(t, err, "anthropic: 502: <html>")
	require.Less(t, len(err.Error()), 600)
}

func TestClient_Call_refusesWhatItCannotSend(t *testing.T) {
	t.Parallel()

	c := client(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	for name, change := range map[string]func(*llm.Request){
		"another role":    func(r *llm.Request) { r.Messages[0].Role = "system" },
		"a broken schema": func(r *llm.Request) { r.Schema = []byte("{") },
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

	require.Equal(t, "anthropic", anthropic.New(anthropic.Config{APIKey: key}).Provider())
}
