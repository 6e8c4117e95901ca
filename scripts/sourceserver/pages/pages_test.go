package pages_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/crawl"
	"blogposter/lib/fault"
	"blogposter/scripts/sourceserver/pages"
)

const (
	captured = "../../../lib/crawl/testdata" // real pages of ada.gov and ecfr.gov
	base     = "http://127.0.0.1:58091"
)

const own = `Title: Dogs on Buses
URL Source: /buses
Tier: authoritative
Published Time: 2026-03-02
Markdown Content:
# Dogs on Buses

A dog rides **free**. <script>alert(1)</script>
`

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func serve(t *testing.T, log io.Writer) *httptest.Server {
	t.Helper()
	mine, err := pages.Load(folder(t, map[string]string{"bus.md": own, "README.md": "# About\n\nNo page."}), base)
	require.NoError(t, err)
	theirs, err := pages.Load(captured, base)
	require.NoError(t, err)
	h, err := pages.New(pages.Config{Pages: append(mine, theirs...), Log: log})
	require.NoError(t, err)
	return start(t, h)
}

func serveList(t *testing.T, list []pages.Page) *httptest.Server {
	t.Helper()
	h, err := pages.New(pages.Config{Pages: list})
	require.NoError(t, err)
	return start(t, h)
}

func start(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func reader(t *testing.T, srv *httptest.Server, key string, budget int) *crawl.Reader {
	t.Helper()
	u, err := url.Parse(srv.URL + "/reader")
	require.NoError(t, err)
	return crawl.New(crawl.Config{BaseURL: u, APIKey: key, HTTP: srv.Client(), TokenBudget: budget, AllowPrivate: true})
}

type reply struct {
	code   int
	header http.Header
	body   string
}

func get(t *testing.T, srv *httptest.Server, path string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, http.NoBody)
	require.NoError(t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := srv.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	require.NoError(t, err)
	return reply{code: resp.StatusCode, header: resp.Header, body: b.String()}
}

func TestHandler_ServeHTTP_isReadByTheReaderOfTheFunctions(t *testing.T) {
	t.Parallel()

	var log bytes.Buffer
	srv := serve(t, &log)
	r := reader(t, srv, "offline-demo", 50_000)

	p, err := r.Fetch(t.Context(), base+"/buses#top")
	require.NoError(t, err)
	require.Equal(t, base+"/buses", p.URL)
	require.Equal(t, base+"/buses", p.Final)
	require.Equal(t, "Dogs on Buses", p.Title)
	require.Equal(t, 2026, p.PublishedAt.Year())
	require.Contains(t, p.Text, "A dog rides free.")
	require.EqualValues(t, pages.Tokens("# Dogs on Buses\n\nA dog rides **free**. <script>alert(1)</script>\n"), p.Tokens)

	for address, worthless := range map[string]bool{
		"https://www.ada.gov/service_animals_2010.htm":                                     false,
		"https://www.ada.gov/resources/service-animals-faqs":                               false,
		"https://www.ada.gov/resources/title-ii-primer/":                                   false,
		"https://www.ecfr.gov/current/title-28/chapter-I/part-35/subpart-E/section-35.136": false,
		"https://www.ada.gov/law-and-regs/regulations/2010-revised-requirements/":          true,
		"https://www.ada.gov/no-such-page":                                                 true,
		base + "/no-such-page?x=1":                                                         true,
	} {
		p, err := r.Fetch(t.Context(), address)
		require.NoError(t, err)
		require.Equal(t, worthless, crawl.Worthless(p) != "", "%s: %s", address, crawl.Worthless(p))
		if worthless {
			require.Equal(t, "Target URL returned error 404: Not Found", p.Warning)
		}
	}
	primer, err := r.Fetch(t.Context(), "https://www.ada.gov/resources/title-ii-primer/")
	require.NoError(t, err)
	require.Equal(t, "ADA Update: A Primer for State and Local Governments", primer.Title)
	require.NotContains(t, primer.Text, "Scraped:")

	require.Equal(t, 9, strings.Count(log.String(), "\n"))
	require.NotContains(t, log.String(), "offline-demo")
	shown := get(t, srv, "/_log").body
	require.Equal(t, log.String(), shown)
	var first struct {
		At, URL, Key string
		Tokens       int64
	}
	require.NoError(t, json.Unmarshal([]byte(strings.SplitN(shown, "\n", 2)[0]), &first))
	require.Equal(t, base+"/buses", first.URL)
	require.Equal(t, p.Tokens, first.Tokens)
	require.Len(t, first.Key, 12)
}

func TestHandler_ServeHTTP_sendsTextToWhoAsksForIt(t *testing.T) {
	t.Parallel()

	got := get(t, serve(t, nil), "/reader/"+base+"/buses", "Authorization", "Bearer offline-x")
	require.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
	require.Equal(t, "17", got.header.Get("X-Usage-Tokens"))
	require.True(t, strings.HasPrefix(got.body, "Title: Dogs on Buses\n\nURL Source: "+base+"/buses\n\nPublished Time: 2026-03-02\n\nMarkdown Content:\n# Dogs on Buses\n"), got.body)
}

func TestHandler_ServeHTTP_refusesAsTheReaderDoes(t *testing.T) {
	t.Parallel()

	var log bytes.Buffer
	srv := serve(t, &log)
	for _, key := range []string{"", "jina_real_key"} {
		_, err := reader(t, srv, key, 0).Fetch(t.Context(), base+"/buses")
		require.Equal(t, fault.KindNeedsHuman, fault.KindOf(err), err)
	}
	_, err := reader(t, srv, "offline-x", 10).Fetch(t.Context(), base+"/buses")
	require.Equal(t, fault.KindPermanent, fault.KindOf(err))
	require.ErrorContains(t, err, "Token budget (10) exceeded, intended charge amount 17")

	got := get(t, srv, "/reader/ftp://a.example/", "Authorization", "Bearer offline-x")
	require.Equal(t, http.StatusBadRequest, got.code)
	require.Contains(t, got.body, `"status":40001`)
	require.Empty(t, log.String(), "a refused call is not charged")

	resp, err := srv.Client().Post(srv.URL+"/buses", "", nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk is full") }

func TestHandler_ServeHTTP_doesNotAnswerWhatItCannotLog(t *testing.T) {
	t.Parallel()

	h, err := pages.New(pages.Config{Pages: []pages.Page{{URL: base + "/a", Local: true}}, Log: full{}})
	require.NoError(t, err)
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/reader/"+base+"/a", http.NoBody)
	req.Header.Set("Authorization", "Bearer offline-x")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Contains(t, w.Body.String(), "disk is full")
}

func TestHandler_ServeHTTP_showsPagesToPeople(t *testing.T) {
	t.Parallel()

	srv := serve(t, nil)
	got := get(t, srv, "/buses")
	require.Equal(t, http.StatusOK, got.code)
	require.Contains(t, got.body, "A dog rides <strong>free</strong>.")
	require.NotContains(t, got.body, "<script>")
	require.Contains(t, got.body, "served from this computer")
	require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'")

	require.Contains(t, get(t, srv, "/doj-guidance").body, `A copy of <a href="https://www.ada.gov/resources/service-animals-faqs/">`)

	for _, path := range []string{"/ada-2010-revised", "/nothing"} {
		require.Equal(t, http.StatusNotFound, get(t, srv, path).code, path)
	}
	body := get(t, srv, "/").body
	require.Contains(t, body, `<a href="`+base+`/buses">Dogs on Buses</a>`)
	require.Contains(t, body, `<a href="/cfr-35-136">`)
}

func TestHandler_ServeHTTP_listsPagesByFolder(t *testing.T) {
	t.Parallel()

	srv := serve(t, nil)
	all := get(t, srv, "/index.json").body
	require.Equal(t, 6, strings.Count(all, `"url"`))
	some := get(t, srv, "/index.json?dir="+url.QueryEscape(captured+"/")).body
	require.Equal(t, 5, strings.Count(some, `"url"`))
	require.NotContains(t, some, "tier")
	require.Contains(t, all, `{"url":"`+base+`/buses","title":"Dogs on Buses","tier":"authoritative"}`)
	none := get(t, srv, "/index.json?dir=elsewhere").body
	require.JSONEq(t, "[]", none)
}

func TestLoad_saysWhatIsWrongWithAPage(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ file, says string }{
		"a tier nobody knows":   {"Title: T\nURL Source: /t\nTier: law\nMarkdown Content:\nx", `a.md: Tier "law"; write authoritative or secondary`},
		"an address that isn't": {"Title: T\nURL Source: t\nMarkdown Content:\nx", "neither an address nor a path"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := pages.Load(folder(t, map[string]string{"a.md": tc.file}), base)
			require.ErrorContains(t, err, tc.says)
		})
	}
	_, err := pages.Load(filepath.Join(t.TempDir(), "none"), base)
	require.ErrorContains(t, err, "no folder of pages")
	_, err = pages.New(pages.Config{})
	require.ErrorContains(t, err, "URL Source line")
	twice, err := pages.Load(folder(t, map[string]string{"a.md": own, "b.md": own}), base)
	require.NoError(t, err)
	_, err = pages.New(pages.Config{Pages: twice})
	require.ErrorContains(t, err, "the same URL Source")
}
