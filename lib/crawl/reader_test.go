package crawl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"blogposter/lib/crawl"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

const key = "jina_secret_0123456789"

// serve starts a reader below a path prefix, and returns a Reader for it.
func serve(t *testing.T, h http.HandlerFunc) *crawl.Reader {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	base, err := url.Parse(srv.URL + "/reader/")
	require.NoError(t, err)
	return crawl.New(crawl.Config{BaseURL: base, APIKey: key, HTTP: srv.Client(), TokenBudget: 50_000})
}

func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

const good = `{"code":200,"status":20000,"data":{"title":" Dogs &\u200b work ","description":"","url":"https://city.example/dogs?a=1",
"content":"# Dogs\n\nA **dog** [works](https://x.example).","publishedTime":"Tue, 29 Jul 2025 21:00:39 GMT","warning":"old copy","usage":{"tokens":1234}},
"meta":{"usage":{"tokens":1234}}}`

func TestReader_Fetch_asksOnceWithKeyAndBudgetAndKeepsTheAnswer(t *testing.T) {
	t.Parallel()

	var calls atomic.Int32
	r := serve(t, func(w http.ResponseWriter, req *http.Request) {
		calls.Add(1)
		require.Equal(t, "/reader/https://city.example/dogs?a=1", req.URL.RequestURI())
		require.Equal(t, "Bearer "+key, req.Header.Get("Authorization"))
		require.Equal(t, "application/json", req.Header.Get("Accept"))
		require.Equal(t, "50000", req.Header.Get("X-Token-Budget"))
		answer(200, good, "Content-Type", "application/json")(w, req)
	})

	p, err := r.Fetch(t.Context(), "https://City.example/dogs?a=1#part")

	require.NoError(t, err)
	require.EqualValues(t, 1, calls.Load())
	require.Equal(t, "https://city.example/dogs?a=1", p.URL)
	require.Equal(t, "https://city.example/dogs?a=1", p.Final)
	require.Equal(t, "Dogs & work", p.Title)
	require.Equal(t, "Dogs\n\nA dog works.", p.Text)
	require.Equal(t, good, string(p.Raw)) //nolint:testifylint // byte for byte, not only the same JSON
	require.Equal(t, time.Date(2025, 7, 29, 21, 0, 39, 0, time.UTC), *p.PublishedAt)
	require.EqualValues(t, 1234, p.Tokens)
	require.Equal(t, "old copy", p.Warning)
}

func TestReader_Fetch_takesTheTextForm(t *testing.T) {
	t.Parallel()

	body, err := os.ReadFile("testdata/ada-2010-revised.md")
	require.NoError(t, err)
	r := serve(t, answer(200, string(body), "Content-Type", "text/plain; charset=utf-8", "X-Usage-Tokens", "1700"))

	p, err := r.Fetch(t.Context(), "https://www.ada.gov/law-and-regs/")

	require.NoError(t, err)
	require.Equal(t, "Page not found", p.Title)
	require.Equal(t, "https://www.ada.gov/law-and-regs/regulations/2010-revised-requirements/", p.Final)
	require.Equal(t, "Target URL returned error 404: Not Found", p.Warning)
	require.Nil(t, p.PublishedAt)
	require.EqualValues(t, 1700, p.Tokens)
	require.True(t, strings.HasPrefix(p.Text, "Page not found | ADA.gov\n\n"), p.Text[:60])
}

func TestReader_Fetch_keepsTheBeginningOfATitleWithoutEnd(t *testing.T) {
	t.Parallel()

	p, err := serve(t, answer(200, strings.Replace(good, " Dogs ", strings.Repeat("Dogs ", 50_000), 1), "Content-Type", "application/json")).Fetch(t.Context(), "https://city.example/dogs")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(p.Title, "Dogs Dogs "))
	require.LessOrEqual(t, utf8.RuneCountInString(p.Title), 301, "or the paid step that keeps it is over its limit")
	p, err = serve(t, answer(200, strings.Replace(good, " Dogs &\\u200b work ", " ", 1), "Content-Type", "application/json")).Fetch(t.Context(), "https://city.example/dogs")
	require.NoError(t, err)
	require.Empty(t, p.Title)
}

func TestReader_Fetch_chargesAGuessWhenTheReaderNamesNoTokens(t *testing.T) {
	t.Parallel()

	r := serve(t, answer(200, "Title: T\n\nURL Source: https://a.example/\n\nPublished Time: 2025-07-29T21:00:39+00:00\n\nMarkdown Content:\n0123456789"))

	p, err := r.Fetch(t.Context(), "https://a.example/")

	require.NoError(t, err)
	require.EqualValues(t, 4, p.Tokens)
	require.Equal(t, 2025, p.PublishedAt.Year())
}

func TestReader_Fetch_saysWhatToDoWithARefusal(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		handler http.HandlerFunc
		kind    fault.Kind
		lost    bool
		after   time.Duration
		says    string
	}{
		"a bad key needs a person, and the key is not repeated": {
			handler: answer(401, `{"data":null,"code":401,"name":"AuthenticationFailedError","status":40103,"message":"Invalid API key `+key+`"}`),
			kind:    fault.KindNeedsHuman, says: "answered 401: AuthenticationFailedError: Invalid API key [key]: check the reader's API key",
		},
		"a forbidden call needs a person": {handler: answer(403, "no"), kind: fault.KindNeedsHuman, says: "JINA_API_KEY"},
		"an empty balance needs a person": {
			handler: answer(402, `{"code":402,"status":40203,"readableMessage":"InsufficientBalanceError: Account balance not enough"}`),
			kind:    fault.KindNeedsHuman, says: "balance not enough: top up",
		},
		"too many calls wait as long as asked":      {handler: answer(429, "", "Retry-After", "17"), kind: fault.KindRetryable, after: 17 * time.Second, says: "no reason given"},
		"a page that can't be opened is final":      {handler: answer(422, `{"code":422,"message":"Failed to goto"}`), kind: fault.KindPermanent, says: "Failed to goto"},
		"a bad request is final":                    {handler: answer(400, "bad"), kind: fault.KindPermanent, says: "answered 400: bad"},
		"a page over the token budget is final":     {handler: answer(409, `{"code":409,"status":40904,"message":"over"}`), kind: fault.KindPermanent, says: "longer than the 50000 tokens"},
		"a failing reader may have charged":         {handler: answer(503, "", "Retry-After", "5"), kind: fault.KindRetryable, lost: true, after: 5 * time.Second},
		"a reader's own timeout may have charged":   {handler: answer(408, ""), kind: fault.KindRetryable, lost: true},
		"an error within a good status is an error": {handler: answer(200, `{"code":422,"data":null,"message":"No content available"}`), kind: fault.KindPermanent, says: "answered 422: No content"},
		"a redirect is not followed":                {handler: answer(302, "", "Location", "https://evil.example/"), kind: fault.KindNeedsHuman, says: "base URL"},
		"JSON that can't be decoded was charged":    {handler: answer(200, `{"code":200,`, "Content-Type", "application/json"), kind: fault.KindRetryable, lost: true, says: "can't be decoded"},
		"a picture is no page":                      {handler: answer(200, "x", "Content-Type", "image/png"), kind: fault.KindPermanent, lost: true, says: "image/png"},
		"an answer over the limit is final":         {handler: answer(200, strings.Repeat("x", crawl.MaxBytes+1), "Content-Type", "text/plain"), kind: fault.KindPermanent, lost: true, says: "over 2097152 bytes"},
		"an answer that breaks off may be charged": {
			handler: answer(200, "half", "Content-Length", "100"), kind: fault.KindRetryable, lost: true, says: "broke off",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := serve(t, tc.handler).Fetch(t.Context(), "https://a.example/page")

			require.Equal(t, tc.kind, fault.KindOf(err), err)
			require.Equal(t, tc.lost, fault.IsLost(err), err)
			require.Equal(t, tc.after, fault.RetryAfter(err))
			require.ErrorContains(t, err, "read page https://a.example/page: ")
			require.ErrorContains(t, err, tc.says)
			require.NotContains(t, err.Error(), key)
		})
	}
}

func TestReader_Fetch_tellsALostCallFromOneThatNeverLeft(t *testing.T) {
	t.Parallel()

	t.Run("a timeout after the request went out is lost", func(t *testing.T) {
		t.Parallel()

		ctx, cancel := context.WithCancel(t.Context())
		r := serve(t, func(_ http.ResponseWriter, req *http.Request) {
			cancel()
			<-req.Context().Done()
		})
		_, err := r.Fetch(ctx, "https://a.example/")
		require.True(t, fault.IsLost(err), err)
		require.True(t, fault.IsTimeout(err), err)
		require.Equal(t, fault.KindRetryable, fault.KindOf(err))
	})
	t.Run("a refused connection is not", func(t *testing.T) {
		t.Parallel()

		srv := httptest.NewServer(http.NotFoundHandler())
		base, err := url.Parse(srv.URL)
		require.NoError(t, err)
		srv.Close()
		r := crawl.New(crawl.Config{BaseURL: base, HTTP: srv.Client()})
		_, err = r.Fetch(t.Context(), "https://a.example/")
		require.False(t, fault.IsLost(err), err)
		require.Equal(t, fault.KindRetryable, fault.KindOf(err))
	})
}

func TestReader_Fetch_asksForNothingItShouldNot(t *testing.T) {
	t.Parallel()

	bad := []string{
		"", "page", "ftp://a.example/x", "file:///etc/passwd", "javascript:alert(1)", "https://", "https://user:hunter2@a.example/",
		"https://user:hunter2@a.example:bad/", "http://localhost/", "http://LOCALHOST.:80/", "http://a.localhost/", "http://127.0.0.1/", "http://127.1/", "http://2130706433/",
		"http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://10.1.2.3/", "http://172.16.0.1/",
		"http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/", "http://[fe80::1]/", "http://[fd00::1]/",
		"http://[64:ff9b::7f00:1]/", "http://0.0.0.0/", "http://[::ffff:100.64.0.1]/", "http://db/", "http://db.internal/", "http://printer.local/", "http://nas.lan/",
	}
	r := serve(t, func(_ http.ResponseWriter, req *http.Request) { t.Errorf("asked for %s", req.URL) })
	for _, page := range bad {
		_, err := r.Fetch(t.Context(), page)
		require.Equal(t, fault.KindPermanent, fault.KindOf(err), "%q: %v", page, err)
		require.False(t, fault.IsLost(err), page)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestReader_Fetch_asksAReaderOnThisMachineForPrivatePages(t *testing.T) {
	t.Parallel()

	srv := httptest.NewServer(answer(200, "Title: T\n\nMarkdown Content:\ntext"))
	t.Cleanup(srv.Close)
	base, err := url.Parse(srv.URL)
	require.NoError(t, err)
	r := crawl.New(crawl.Config{BaseURL: base, HTTP: srv.Client(), AllowPrivate: true})

	p, err := r.Fetch(t.Context(), "http://127.0.0.1:58091/page")

	require.NoError(t, err)
	require.Equal(t, "text", p.Text)
}

func TestReader_Read_hasTheVerdictOnThePage(t *testing.T) {
	t.Parallel()

	r := serve(t, answer(200, good))
	p, err := r.Read(t.Context(), "https://city.example/dogs?a=1")
	require.NoError(t, err)
	want, err := r.Fetch(t.Context(), "https://city.example/dogs?a=1")
	require.NoError(t, err)
	require.Equal(t, editorial.Page{
		URL: want.URL, Title: "Dogs & work", Raw: []byte(good), Text: "Dogs\n\nA dog works.", PublishedAt: want.PublishedAt,
		Tokens: 1234, Worthless: crawl.Worthless(want),
	}, p)
	require.NotEmpty(t, p.Worthless)

	_, err = serve(t, answer(422, "")).Read(t.Context(), "https://city.example/")
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))
}

func TestNew_panicsWithoutABaseURL(t *testing.T) {
	t.Parallel()

	require.Panics(t, func() { crawl.New(crawl.Config{HTTP: &http.Client{}}) })
}

func ExampleReader_Read() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"code": 200, "data": map[string]any{
			"title": "Two questions", "content": "Staff may ask **two** questions.",
		}})
	}))
	defer srv.Close()
	base, _ := url.Parse(srv.URL)
	r := crawl.New(crawl.Config{BaseURL: base, HTTP: srv.Client()})

	p, err := r.Read(context.Background(), "https://city.example/dogs")
	fmt.Println(p.Text, err)
	fmt.Println(p.Worthless)
	// Output:
	// Staff may ask two questions. <nil>
	// The page has too little text to cite: 5 words in sentences, where at least 60 are needed.
}

func TestReader_Read_asksWithoutAKeyWhenThereIsNone(t *testing.T) {
	t.Parallel()

	for _, none := range []string{"", crawl.NoKey} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if got, sent := r.Header["Authorization"]; sent {
				t.Errorf("sent %q", got)
			}
			_, _ = w.Write([]byte(`{"code":200,"status":20000,"data":{"title":"T","url":"https://a.example/","content":"Text."}}`))
		}))
		base, err := url.Parse(srv.URL)
		require.NoError(t, err)
		r := crawl.New(crawl.Config{BaseURL: base, APIKey: none, HTTP: &http.Client{Timeout: time.Second}})
		_, err = r.Read(t.Context(), "https://a.example/")
		require.NoError(t, err)
		srv.Close()
	}
}
