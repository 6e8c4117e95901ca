package faas

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHTTP_givesTheHandlerTheRequestThatWasSent(t *testing.T) {
	t.Parallel()

	// The handler says what it saw; each row is one thing the platform does
	// to a request on its way.
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s q=%v type=%s host=%s/%s from=%s len=%d body=%s", r.Method, r.URL.Path,
			r.URL.Query()["q"], r.Header.Get("Content-Type"), r.Host, r.Header.Get("Host"), r.RemoteAddr, r.ContentLength, body)
	})
	tests := map[string]struct{ event, want string }{
		"the method comes in lower case": {
			`{"method":"post","path":"/runs"}`, "POST /runs q=[] type= host=/ from=0.0.0.0:0 len=0 body=",
		},
		"the path may lack its slash": {
			`{"method":"get","path":"runs/7"}`, "GET /runs/7 q=[] type= host=/ from=0.0.0.0:0 len=0 body=",
		},
		"no path is the root": {
			`{"method":"get"}`, "GET / q=[] type= host=/ from=0.0.0.0:0 len=0 body=",
		},
		"an escaped path is unescaped once": {
			`{"method":"get","path":"/a%20b%2Fc"}`, "GET /a b/c q=[] type= host=/ from=0.0.0.0:0 len=0 body=",
		},
		"a path that cannot be escaped is taken as it is": {
			`{"method":"get","path":"/100%"}`, "GET /100% q=[] type= host=/ from=0.0.0.0:0 len=0 body=",
		},
		"repeated query keys survive": {
			`{"method":"get","queryString":"q=1&q=a%26b"}`, "GET / q=[1 a&b] type= host=/ from=0.0.0.0:0 len=0 body=",
		},
		"header names are lower case": {
			`{"method":"put","headers":{"content-type":"text/plain","host":"api.example"}}`,
			"PUT / q=[] type=text/plain host=api.example/ from=0.0.0.0:0 len=0 body=",
		},
		"a header may be a list": {
			`{"method":"put","headers":{"content-type":["text/plain","text/css"]}}`,
			"PUT / q=[] type=text/plain host=/ from=0.0.0.0:0 len=0 body=",
		},
		"the first forwarded address is the caller": {
			`{"method":"get","headers":{"x-forwarded-for":"203.0.113.9, 10.0.0.1"}}`,
			"GET / q=[] type= host=/ from=203.0.113.9:0 len=0 body=",
		},
		"a forwarded address may have a port": {
			`{"method":"get","headers":{"x-forwarded-for":"[2001:db8::1]:443"}}`,
			"GET / q=[] type= host=/ from=[2001:db8::1]:0 len=0 body=",
		},
		"a forwarded name is no address": {
			`{"method":"get","headers":{"x-forwarded-for":"unknown"}}`, "GET / q=[] type= host=/ from=0.0.0.0:0 len=0 body=",
		},
		"a plain body is plain, even if it looks encoded": {
			`{"method":"post","body":"aGk="}`, "POST / q=[] type= host=/ from=0.0.0.0:0 len=4 body=aGk=",
		},
		"a body marked base64 is decoded whatever its type": {
			`{"method":"post","body":"eyJhIjoxfQ==","isBase64Encoded":true,"headers":{"content-type":"application/json"}}`,
			`POST / q=[] type=application/json host=/ from=0.0.0.0:0 len=7 body={"a":1}`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			reply := call1(t, echo, `{"http":`+tc.event+`}`)
			require.Equal(t, http.StatusOK, reply.StatusCode)
			require.Equal(t, tc.want, reply.Body)
		})
	}
}

func TestHTTP_refusesEventsNoHandlerShouldSee(t *testing.T) {
	t.Parallel()

	never := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("called") })
	tests := map[string]struct {
		event  string
		status int
		detail string
	}{
		"not JSON":                   {`{"http":`, 400, "not readable"},
		"a header that is no text":   {`{"http":{"method":"get","headers":{"a":{}}}}`, 400, "not readable"},
		"no method: not a web event": {`{"name":"cron"}`, 400, "http.method"},
		"a method that is no token":  {`{"http":{"method":"GE T"}}`, 400, "invalid method"},
		"a body wrongly marked":      {`{"http":{"method":"post","body":"%","isBase64Encoded":true}}`, 400, "base64"},
		"a body over 1 MB":           {`{"http":{"method":"post","body":"` + strings.Repeat("x", maxPayload+1) + `"}}`, 413, "send at most 1048576"},
		"a body over 1 MB, encoded": {
			`{"http":{"method":"post","isBase64Encoded":true,"body":"` + base64.StdEncoding.EncodeToString(make([]byte, maxPayload+1)) + `"}}`, 413, "send at most 1048576",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			reply := call1(t, never, tc.event)
			require.Equal(t, tc.status, reply.StatusCode)
			require.Equal(t, problemType, reply.Headers["Content-Type"])
			p := problemOf(t, reply)
			require.Equal(t, tc.status, p.Status)
			require.Contains(t, p.Detail, tc.detail)
		})
	}
}

func TestHTTP_encodesTheAnswerByThePlatformsRules(t *testing.T) {
	t.Parallel()

	png := "\x89PNG\r\n\x1a\n"
	tests := map[string]struct {
		contentType, body string
		wantType, want    string
	}{
		"text keeps its charset": {"text/html; charset=utf-8", "<b>é</b>", "text/html; charset=utf-8", "<b>é</b>"},
		"text without a charset gets one, or a type the platform does not know would be binary": {"text/markdown", "# é", "text/markdown; charset=utf-8", "# é"},
		"JSON is text, its charset is fixed":                                                    {"application/json", `{"a":1}`, "application/json", `{"a":1}`},
		"a JSON dialect needs the charset":                                                      {"application/ld+json", `{"a":1}`, "application/ld+json; charset=utf-8", `{"a":1}`},
		"JSON that looks like base64 is encoded, as the platform will decode it":                {"application/json", "true\n", "application/json", "dHJ1ZQo="},
		"an XML dialect is text":                                                                {"application/rss+xml", "<rss/>", "application/rss+xml; charset=utf-8", "<rss/>"},
		"an unknown type with a charset is text":                                                {"application/toml; charset=utf-8", "a = 1", "application/toml; charset=utf-8", "a = 1"},
		"an unknown type without one is binary":                                                 {"application/toml", "a = 1", "application/toml", "YSA9IDE="},
		"an image is binary":                                                                    {"image/png", png, "image/png", "iVBORw0KGgo="},
		"SVG is an image, hence binary":                                                         {"image/svg+xml", "<svg/>", "image/svg+xml", "PHN2Zy8+"},
		"octets stay binary whatever the charset":                                               {"application/octet-stream; charset=utf-8", "a", "application/octet-stream; charset=utf-8", "YQ=="},
		"no type is guessed as net/http does":                                                   {"", png, "image/png", "iVBORw0KGgo="},
		"a guessed text has its charset":                                                        {"", "plain", "text/plain; charset=utf-8", "plain"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			reply := call1(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if tc.contentType != "" {
					w.Header().Set("Content-Type", tc.contentType)
				}
				_, _ = io.WriteString(w, tc.body)
			}), `{"http":{"method":"get"}}`)
			require.Equal(t, tc.wantType, reply.Headers["Content-Type"])
			require.Equal(t, tc.want, reply.Body)
		})
	}
}

func TestHTTP_answersAsNetHTTPWould(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		method  string
		handler http.HandlerFunc
		want    webReply
	}{
		"nothing written is 200": {
			"get", func(http.ResponseWriter, *http.Request) {}, webReply{StatusCode: 200, Headers: map[string]any{}},
		},
		"the first status wins": {
			"get", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(200) },
			webReply{StatusCode: 404, Headers: map[string]any{}},
		},
		"early hints are not the answer": {
			"get", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(202) },
			webReply{StatusCode: 202, Headers: map[string]any{}},
		},
		"a header set too late is lost": {
			"get", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); w.Header().Set("Location", "/late") },
			webReply{StatusCode: 202, Headers: map[string]any{}},
		},
		"every cookie is kept": {
			"get", func(w http.ResponseWriter, _ *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
				http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
				w.Header().Set("Location", "/one")
				w.Header()["X-Unset"] = nil
				w.WriteHeader(303)
			},
			webReply{StatusCode: 303, Headers: map[string]any{"Set-Cookie": []string{"a=1", "b=2"}, "Location": "/one"}},
		},
		"framing is the platform's": {
			"get", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "3")
				_, _ = io.WriteString(w, "abc")
			},
			webReply{StatusCode: 200, Headers: map[string]any{"Content-Type": "text/plain; charset=utf-8"}, Body: "abc"},
		},
		"HEAD has no body": {
			"head", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "abc") },
			webReply{StatusCode: 200, Headers: map[string]any{}},
		},
		"304 has no body": {
			"get", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304); _, _ = io.WriteString(w, "abc") },
			webReply{StatusCode: 304, Headers: map[string]any{}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tc.want, call1(t, tc.handler, `{"http":{"method":"`+tc.method+`"}}`))
		})
	}
}

func TestHTTP_answersFaultsWithoutLeakingThem(t *testing.T) {
	t.Parallel()

	tests := map[string]http.HandlerFunc{
		"a panic":               func(http.ResponseWriter, *http.Request) { panic("password=hunter2") },
		"a panic after writing": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hunter2"); panic("late") },
		"a type that is no type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "hunter2;=")
			_, _ = io.WriteString(w, "x")
		},
		"text that is not UTF-8": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "hunter2\xff")
		},
	}
	for name, h := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			reply := call1(t, h, `{"http":{"method":"get"}}`)
			require.Equal(t, http.StatusInternalServerError, reply.StatusCode)
			require.Equal(t, problemType, reply.Headers["Content-Type"])
			require.NotContains(t, reply.Body, "hunter2")
			require.Equal(t, *internal(), problemOf(t, reply))
		})
	}
}

func TestHTTP_answersTooLargeAResultWithAProblem(t *testing.T) {
	t.Parallel()

	h := HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, maxPayload))
	}))
	var reply webReply
	line := answer(h, []byte(`{"activation_id":"ab12","value":{"http":{"method":"get"}}}`))
	require.NoError(t, json.Unmarshal(line, &reply))
	require.Equal(t, http.StatusInternalServerError, reply.StatusCode)
	require.Equal(t, "urn:blogposter:problem:answer-too-large", problemOf(t, reply).Type)
}

func FuzzHTTP_survivesAnyEvent(f *testing.F) {
	f.Add([]byte(`{"http":{"method":"post","path":"/runs/7","queryString":"dry=1","headers":{"content-type":"application/json"},"body":"e30=","isBase64Encoded":true}}`))
	f.Add([]byte(`{"http":{"method":"get","path":"%2e%2e//%zz?#","headers":{"x-forwarded-for":"::1%eth0,","host":["a","b"]}}}`))
	f.Add([]byte(`{"http":null}`))
	f.Fuzz(func(t *testing.T, event []byte) {
		req, refused := request(t.Context(), event)
		if refused != nil {
			require.GreaterOrEqual(t, refused.Status, 400)
			require.Less(t, refused.Status, 500, "what a caller sends is never our fault")
			return
		}
		require.True(t, strings.HasPrefix(req.URL.Path, "/"), "path %q", req.URL.Path)
		_, err := netip.ParseAddrPort(req.RemoteAddr)
		require.NoError(t, err)
		require.Equal(t, strings.ToUpper(req.Method), req.Method)
		// A router must be able to work on it.
		http.NewServeMux().ServeHTTP(newWriter(), req)
	})
}

// call1 serves one event and returns the answer as the platform would read it.
func call1(t *testing.T, h http.Handler, event string) webReply {
	t.Helper()
	got, err := HTTP(h)(t.Context(), json.RawMessage(event))
	require.NoError(t, err)
	reply, ok := got.(webReply)
	require.True(t, ok)
	return reply
}

func problemOf(t *testing.T, reply webReply) Problem {
	t.Helper()
	var p Problem
	require.NoError(t, json.Unmarshal([]byte(reply.Body), &p), reply.Body)
	return p
}
