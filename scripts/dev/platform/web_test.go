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
