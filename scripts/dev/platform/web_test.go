package platform_test

import (
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/scripts/dev/platform"
)

// plain marks a request body as text, so that it reaches the function as it is.
var plain = map[string]string{"Content-Type": "text/plain"}

func TestWeb_makesTheEventOfARawFunction(t *testing.T) {
	t.Parallel()

	// Rows are the platform's rules for raw functions: what it makes of a
	// request, seen by a function that answers with its event.
	p := start(t)
	tests := map[string]struct {
		method, rest, body string
		header             map[string]string
		want               map[string]any // members of http
		headers            map[string]any // members of http.headers; nil for absent
	}{
		"the method is in lower case": {
			method: "PATCH", want: map[string]any{"method": "patch"},
		},
		"no body is an empty string": {
			method: "GET", want: map[string]any{"body": "", "isBase64Encoded": false},
		},
		"the path is what follows the function": {
			method: "GET", rest: "/runs/7", want: map[string]any{"path": "/runs/7"},
		},
		"nothing follows": {
			method: "GET", want: map[string]any{"path": ""},
		},
		"a bare slash follows": {
			method: "GET", rest: "/", want: map[string]any{"path": "/"},
		},
		"the path stays escaped and unclean": {
			method: "GET", rest: "//a%20b%2Fc/../d", want: map[string]any{"path": "//a%20b%2Fc/../d"},
		},
		"the query is raw, so that repeated keys survive": {
			method: "GET", rest: "?tag=a&tag=b%26c&flag", want: map[string]any{"queryString": "tag=a&tag=b%26c&flag"},
		},
		"an extension names the format, not the function": {
			method: "GET", rest: ".http/x", want: map[string]any{"path": "/x"},
		},
		"JSON comes as base64, although it is text": {
			method: "POST", body: `{"a":1}`, header: map[string]string{"Content-Type": "application/json"},
			want: map[string]any{"body": "eyJhIjoxfQ==", "isBase64Encoded": true},
		},
		"JSON with a charset too": {
			method: "POST", body: `{"a":1}`, header: map[string]string{"Content-Type": "application/json; charset=utf-8"},
			want: map[string]any{"body": "eyJhIjoxfQ==", "isBase64Encoded": true},
		},
		"a form is text": {
			method: "POST", body: `a=1&b=%20`, header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
			want: map[string]any{"body": "a=1&b=%20", "isBase64Encoded": false},
		},
		"plain text is text": {
			method: "POST", body: "é", header: plain, want: map[string]any{"body": "é", "isBase64Encoded": false},
		},
		"a multipart form is binary": {
			method: "POST", body: "--x--", header: map[string]string{"Content-Type": "multipart/form-data; boundary=x"},
			want: map[string]any{"body": "LS14LS0=", "isBase64Encoded": true},
		},
		"an image is binary": {
			method: "POST", body: "\xff", header: map[string]string{"Content-Type": "image/png"},
			want: map[string]any{"body": "/w==", "isBase64Encoded": true},
		},
		"no type is binary": {
			method: "POST", body: "a", want: map[string]any{"body": "YQ==", "isBase64Encoded": true},
		},
		"an unknown type is binary": {
			method: "POST", body: "a", header: map[string]string{"Content-Type": "application/problem+json"},
			want: map[string]any{"body": "YQ==", "isBase64Encoded": true},
		},
		"an unknown type with a charset is text": {
			method: "POST", body: "a", header: map[string]string{"Content-Type": "application/problem+json; charset=utf-8"},
			want: map[string]any{"body": "a", "isBase64Encoded": false},
		},
		"header names are in lower case, framing is left out": {
			method: "POST", body: "a", header: map[string]string{"X-Custom": "1", "Content-Type": "text/plain"},
			headers: map[string]any{"x-custom": "1", "X-Custom": nil, "content-type": "text/plain", "content-length": nil},
		},
		"the front says who calls": {
			method:  "GET",
			headers: map[string]any{"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "host": strings.TrimPrefix(p.URL(), "http://")},
		},
		"the front adds itself to those before it, and keeps their words": {
			method: "GET", header: map[string]string{"X-Forwarded-For": "203.0.113.9", "X-Request-Id": "r1", "X-Forwarded-Proto": "https"},
			headers: map[string]any{"x-forwarded-for": "203.0.113.9, 127.0.0.1", "x-request-id": "r1", "x-forwarded-proto": "https"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			a := web(t, p, tc.method, "web/echo"+tc.rest, tc.body, tc.header)
			require.Equal(t, http.StatusOK, a.status, a.body)
			event, ok := a.json(t)["http"].(map[string]any)
			require.True(t, ok, a.body)
			for k, want := range tc.want {
				require.Equal(t, want, event[k], k)
			}
			headers, ok := event["headers"].(map[string]any)
			require.True(t, ok)
			require.NotEmpty(t, headers["x-request-id"])
			for k, want := range tc.headers {
				require.Equal(t, want, headers[k], k)
			}
		})
	}
}

func TestWeb_keepsTheLastOfARepeatedHeader(t *testing.T) {
	t.Parallel()

	p := start(t)
	req := request(t, http.MethodGet, p.URL()+"/api/v1/web/local/web/echo", nil, nil)
	req.Header["X-Twice"] = []string{"one", "two"}
	event, ok := do(t, req).json(t)["http"].(map[string]any)
	require.True(t, ok)
	headers, ok := event["headers"].(map[string]any)
	require.True(t, ok)
	require.Equal(t, "two", headers["x-twice"], "a name has one string")
}

func TestWeb_turnsAResultIntoAResponse(t *testing.T) {
	t.Parallel()

	// Rows are the platform's rules for results: the function answers with
	// the text of the request's body.
	p := start(t)
	tests := map[string]struct {
		result      string
		suffix      string
		status      int
		contentType string
		body        string // "error: ..." for a refusal with that text
		header      http.Header
	}{
		"a string is HTML unless it says otherwise": {
			result: `{"body":"<b>é</b>"}`, status: 200, contentType: "text/html; charset=UTF-8", body: "<b>é</b>",
		},
		"a status as a number": {
			result: `{"statusCode":201,"body":"x"}`, status: 201, contentType: "text/html; charset=UTF-8", body: "x",
		},
		"a status as a numeric string": {
			result: `{"statusCode":"404","body":"x"}`, status: 404, contentType: "text/html; charset=UTF-8", body: "x",
		},
		"a status that HTTP does not know": {
			result: `{"statusCode":799,"body":"x"}`, status: 400, body: "error: Response is not valid 'message/http'.",
		},
		"a status that is no number": {
			result: `{"statusCode":"fine","body":"x"}`, status: 400, body: "error: Response is not valid 'message/http'.",
		},
		"a fraction is no status": {
			result: `{"statusCode":200.5,"body":"x"}`, status: 400, body: "error: Response is not valid 'message/http'.",
		},
		"no body is 204":                 {result: `{}`, status: 204},
		"a null body is 204":             {result: `{"body":null}`, status: 204},
		"an empty body is 204":           {result: `{"body":"","headers":{"content-type":"text/plain"}}`, status: 204},
		"no body with a status keeps it": {result: `{"statusCode":202,"headers":{"content-type":"text/plain"}}`, status: 202},
		"JSON goes out as JSON": {
			result: `{"body":{"a":[1,"<"]}}`, status: 200, contentType: "application/json", body: `{"a":[1,"<"]}`,
		},
		"JSON may be a bare value": {
			result: `{"body":false}`, status: 200, contentType: "application/json", body: `false`,
		},
		"JSON may be a dialect": {
			result: `{"body":{"a":1},"headers":{"content-type":"application/problem+json"}}`, status: 200,
			contentType: "application/problem+json; charset=UTF-8", body: `{"a":1}`,
		},
		"JSON may not be called text": {
			result: `{"body":{"a":1},"headers":{"content-type":"text/plain"}}`, status: 400,
			body: "error: Response type in header did not match generated content type.",
		},
		"a JSON text stays as it is": {
			result: `{"body":"{\"a\": 1}","headers":{"Content-Type":"application/json"}}`, status: 200,
			contentType: "application/json", body: `{"a": 1}`,
		},
		"a JSON text in base64 is decoded": {
			result: `{"body":"eyJhIjoxfQ==","headers":{"content-type":"application/json"}}`, status: 200,
			contentType: "application/json", body: `{"a":1}`,
		},
		"a binary type is base64": {
			result: `{"body":"/w==","headers":{"content-type":"image/png"}}`, status: 200, contentType: "image/png", body: "\xff",
		},
		"SVG is an image, hence binary": {
			result: `{"body":"<svg/>","headers":{"content-type":"image/svg+xml"}}`, status: 400,
			body: "error: Response type in header did not match generated content type.",
		},
		"a type the platform does not know is binary": {
			result: `{"body":"# x","headers":{"content-type":"text/markdown"}}`, status: 400,
			body: "error: Response type in header did not match generated content type.",
		},
		"unless it has a charset": {
			result: `{"body":"# x","headers":{"content-type":"text/markdown; charset=utf-8"}}`, status: 200,
			contentType: "text/markdown; charset=UTF-8", body: "# x",
		},
		"a type that is none": {
			result: `{"body":"x","headers":{"content-type":"nonsense"}}`, status: 400,
			body: "error: Response did not specify a known content-type.",
		},
		"headers may be strings, numbers, booleans and lists": {
			result: `{"body":"x","headers":{"X-S":"a","x-n":7,"x-b":true,"Set-Cookie":["a=1","b=2"]}}`, status: 200,
			contentType: "text/html; charset=UTF-8", body: "x",
			header: http.Header{"X-S": {"a"}, "X-N": {"7"}, "X-B": {"true"}, "Set-Cookie": {"a=1", "b=2"}},
		},
		"a header may not be an object": {
			result: `{"body":"x","headers":{"a":{}}}`, status: 400, body: "error: Response is not valid 'message/http'.",
		},
		"nor a list of objects": {
			result: `{"body":"x","headers":{"a":[{}]}}`, status: 400, body: "error: Response is not valid 'message/http'.",
		},
		"headers may not be a list": {
			result: `{"body":"x","headers":[]}`, status: 400, body: "error: Response is not valid 'message/http'.",
		},
		"the length is the platform's to say": {
			result: `{"body":"xyz","headers":{"content-length":"1"}}`, status: 200, contentType: "text/html; charset=UTF-8", body: "xyz",
		},
		"an application error is unwrapped": {
			result: `{"error":{"statusCode":409,"body":"x"},"statusCode":200}`, status: 409,
			contentType: "text/html; charset=UTF-8", body: "x",
		},
		"an application error that is a string has no HTTP form": {
			result: `{"error":"boom"}`, status: 400, body: "error: Response is not valid 'message/http'.",
		},
		".json gives the whole result": {
			result: `{"statusCode":404,"body":"x"}`, suffix: ".json", status: 200, contentType: "application/json",
			body: `{"statusCode":404,"body":"x"}`,
		},
		".json cannot give a string": {
			result: `{"error":"boom"}`, suffix: ".json", status: 400, body: "error: Response is not valid 'application/json'.",
		},
		"a list is no result":      {result: `[1]`, status: 400, body: "error: There was an error processing your request."},
		"null is no result":        {result: `null`, status: 400, body: "error: There was an error processing your request."},
		"broken JSON is no result": {result: `{"body":`, status: 400, body: "error: There was an error processing your request."},
		"exactly 1 MB passes":      {suffix: "?size=1048577", status: 200, contentType: "text/html; charset=UTF-8", body: strings.Repeat("x", 1<<20-len(`{"body":""}`))},
		"one byte more does not":   {suffix: "?size=1048578", status: 400, body: "error: Response is not valid 'message/http'."},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			a := web(t, p, http.MethodPost, "web/answer"+tc.suffix, tc.result, plain)
			require.Equal(t, tc.status, a.status, "%.200s", a.body)
			require.Len(t, a.header.Get("X-Openwhisk-Activation-Id"), 32)
			if message, ok := strings.CutPrefix(tc.body, "error: "); ok {
				require.Equal(t, message, a.json(t)["error"])
				require.NotEmpty(t, a.json(t)["code"])
				return
			}
			require.Equal(t, tc.contentType, a.header.Get("Content-Type"))
			require.Equal(t, tc.body, a.body)
			for k, vs := range tc.header {
				require.Equal(t, vs, a.header.Values(k))
			}
		})
	}
}

func TestWeb_servesAnOrdinaryHandlerThroughTheAdapter(t *testing.T) {
	t.Parallel()

	p := start(t)

	a := web(t, p, http.MethodPost, "web/site/runs/a%20b?tag=1&tag=2", `{"a":1}`, map[string]string{"Content-Type": "application/json", "X-Forwarded-For": "203.0.113.9"})
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, `a b "{\"a\":1}" [1 2] application/json from 203.0.113.9:0`, a.body)

	a = web(t, p, http.MethodGet, "web/site/cookies", "", nil)
	require.Equal(t, http.StatusNoContent, a.status)
	require.Equal(t, []string{"a=1", "b=2"}, a.header.Values("Set-Cookie"))

	for contentType, body := range map[string]string{
		"image/png": "not a png", "image/svg+xml": "<svg/>", "text/markdown": "# é", "application/problem+json": `{"a":1}`,
		"application/json": "true", "application/rss+xml": "<rss/>", "application/x-unknown": "u", "text/html": "<p>",
		"application/ld+json": "1234", "text/plain; version=0.0.4": "up 1",
	} {
		query := url.Values{"type": {contentType}, "body": {body}}.Encode()
		a := web(t, p, http.MethodGet, "web/site/type?"+query, "", nil)
		require.Equal(t, http.StatusOK, a.status, "%s: %s", contentType, a.body)
		require.Equal(t, body, a.body, contentType)
		asked, params, err := mime.ParseMediaType(contentType)
		require.NoError(t, err)
		got, gotParams, err := mime.ParseMediaType(a.header.Get("Content-Type"))
		require.NoError(t, err)
		require.Equal(t, asked, got)
		require.Equal(t, params["version"], gotParams["version"])
	}

	first := web(t, p, http.MethodGet, "web/site/pid", "", nil).body
	a = web(t, p, http.MethodGet, "web/site/panic", "", nil)
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.Equal(t, "application/problem+json; charset=UTF-8", a.header.Get("Content-Type"))
	require.NotContains(t, a.body, "hunter2")
	a = web(t, p, http.MethodGet, "web/site/big", "", nil)
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.Contains(t, a.body, "Response too large")
	require.Equal(t, http.StatusNotFound, web(t, p, http.MethodGet, "web/site/nowhere", "", nil).status)
	require.Equal(t, first, web(t, p, http.MethodGet, "web/site/pid", "", nil).body, "the process has outlived it all")
}

func TestWeb_leavesNoRecord(t *testing.T) {
	t.Parallel()

	p := start(t)
	a := web(t, p, http.MethodGet, "web/echo", "", nil)
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, "[]", api(t, p, http.MethodGet, activations, "").body)
	require.Equal(t, http.StatusNotFound, api(t, p, http.MethodGet, activations+"/"+a.header.Get("X-Openwhisk-Activation-Id"), "").status)
}

func TestWeb_refusals(t *testing.T) {
	t.Parallel()

	p := start(t)
	tests := map[string]struct {
		method, path string
		body         int
		status       int
	}{
		"a private function is not there":       {"GET", "local/work/step", 0, 404},
		"an unknown function":                   {"GET", "local/web/nobody", 0, 404},
		"an unknown namespace":                  {"GET", "other/web/echo", 0, 404},
		"no function":                           {"GET", "local/web", 0, 404},
		"a method the platform does not take":   {"LOCK", "local/web/echo", 0, 405},
		"a body over 1 MB":                      {"POST", "local/web/echo", 1<<20 + 1, 413},
		"a body that is over 1 MB once encoded": {"POST", "local/web/echo", 1 << 20, 413},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			a := do(t, request(t, tc.method, p.URL()+"/api/v1/web/"+tc.path, make([]byte, tc.body), nil))
			require.Equal(t, tc.status, a.status)
			require.NotEmpty(t, a.json(t)["error"])
		})
	}
}

func TestWeb_refusesABodyOfUnsaidLengthOver1MB(t *testing.T) {
	t.Parallel()

	p := start(t)
	req := request(t, http.MethodPost, p.URL()+"/api/v1/web/local/web/echo", make([]byte, 1<<20+1), plain)
	req.ContentLength = -1
	require.Equal(t, http.StatusRequestEntityTooLarge, do(t, req).status)
}

func TestWeb_takesABodyJustUnder1MB(t *testing.T) {
	t.Parallel()

	p := start(t)
	size := 1<<20 - 2000 // room for the headers in the event
	a := web(t, p, http.MethodPost, "web/site/runs/7", strings.Repeat("x", size), plain)
	require.Equal(t, http.StatusOK, a.status, "%.200s", a.body)
	a = web(t, p, http.MethodPost, "web/site/runs/7", base64.StdEncoding.EncodeToString(make([]byte, size*3/4-3)), plain)
	require.Equal(t, http.StatusOK, a.status, "%.200s", a.body)
}

func TestWeb_answersOptionsItselfUnlessToldNotTo(t *testing.T) {
	t.Parallel()

	p := start(t)
	a := web(t, p, http.MethodOptions, "web/echo", "", map[string]string{"Access-Control-Request-Headers": "x-mine"})
	require.Equal(t, http.StatusOK, a.status)
	require.Empty(t, a.body, "the function was not asked")
	require.Equal(t, "*", a.header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "x-mine", a.header.Get("Access-Control-Allow-Headers"))

	a = web(t, p, http.MethodOptions, "web/guarded", "", nil)
	require.Equal(t, "guarded OPTIONS", a.body, "web-custom-options: the function answers, secret or not")
	require.Equal(t, []string{"https://desk.example"}, a.header.Values("Access-Control-Allow-Origin"))
}

func TestWeb_asksForTheSecretOfASecuredFunction(t *testing.T) {
	t.Parallel()

	p := start(t)
	require.Equal(t, http.StatusUnauthorized, web(t, p, http.MethodGet, "web/guarded", "", nil).status)
	wrong := map[string]string{"X-Require-Whisk-Auth": "guess"}
	require.Equal(t, http.StatusUnauthorized, web(t, p, http.MethodGet, "web/guarded", "", wrong).status)
	right := map[string]string{"X-Require-Whisk-Auth": "open sesame"}
	require.Equal(t, "guarded GET", web(t, p, http.MethodGet, "web/guarded", "", right).body)
}

func TestWeb_callThatTakesLongIsAcceptedWithoutAResult(t *testing.T) {
	t.Parallel()

	p, m := start(t, func(c *platform.Config) { c.Wait = 50 * time.Millisecond }), meet(t)
	a := web(t, p, http.MethodGet, "web/hang?addr="+m.addr, "", nil)
	require.Equal(t, http.StatusAccepted, a.status)
	require.Equal(t, "Response not yet ready.", a.json(t)["error"])
	held := m.next(t)
	require.Positive(t, held.pid, strconv.Itoa(held.pid))
	held.gone(t)
}
