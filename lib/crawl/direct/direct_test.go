package direct_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/crawl/direct"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// fetcher may fetch from this machine and does not wait.
func fetcher() *direct.Fetcher {
	return direct.New(direct.Config{AllowPrivate: true, Pause: -1, PageTime: 2 * time.Second, ListTime: 3 * time.Second})
}

// serve answers each path with a handler; a robots.txt allows all.
func serve(t *testing.T, paths map[string]http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := paths[r.URL.Path]; h != nil {
			h(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func body(media, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		_, _ = io.WriteString(w, text)
	}
}

const prose = "<p>A handler who travels with a trained dog plans the day around water, shade and short breaks for the dog.</p>"

func article(head, inside string) string {
	return "<html><head><title>Trains and dogs</title>" + head + "</head><body><nav><a href='/a'>Menu</a></nav><article><h1>Trains and dogs</h1>" +
		strings.Repeat(prose, 8) + inside + "</article><footer>Copyright</footer></body></html>"
}

func TestFetcher_Page_readsTitleTextDateAndComments(t *testing.T) {
	t.Parallel()

	base := serve(t, map[string]http.HandlerFunc{
		"/a": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") == `"v1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("ETag", `"v1"`)
			w.Header().Set("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT")
			body("text/html", article(`<script type="application/ld+json">{"@context":"https://schema.org","@graph":[{"@type":"Article","datePublished":"2026-10-01T08:00:00Z","commentCount":"17"}]}</script>`, ""))(w, r)
		},
		"/latin": body("text/html; charset=iso-8859-1", article("", "<p>The caf\xe9 at the station has a bowl of water for every dog that asks politely.</p>")),
	})
	p, err := fetcher().Page(t.Context(), base+"/a", editorial.Validators{})
	require.NoError(t, err)
	require.Empty(t, p.Refused)
	require.Equal(t, "Trains and dogs", p.Title)
	require.Equal(t, 17, *p.Comments)
	require.Equal(t, "2026-10-01T08:00:00Z", p.PublishedAt.Format(time.RFC3339))
	require.Equal(t, editorial.Validators{ETag: `"v1"`, LastModified: "Mon, 02 Nov 2026 10:00:00 GMT"}, p.Validators)
	require.NotContains(t, p.Text, "Menu")
	require.NotContains(t, p.Text, "Copyright")
	require.Equal(t, 8, strings.Count(p.Text, "A handler who travels"))

	p, err = fetcher().Page(t.Context(), base+"/a", editorial.Validators{ETag: `"v1"`})
	require.NoError(t, err)
	require.Equal(t, editorial.FoundPage{Unchanged: true}, p)

	p, err = fetcher().Page(t.Context(), base+"/latin", editorial.Validators{})
	require.NoError(t, err)
	require.Contains(t, p.Text, "The café at the station")
	require.Nil(t, p.Comments)
}

func TestFetcher_Page_saysWhatIsWrongWithAPage(t *testing.T) {
	t.Parallel()

	base := serve(t, map[string]http.HandlerFunc{
		"/robots.txt": body("text/plain", "User-agent: blog-poster\nDisallow: /closed\n\nUser-agent: *\nDisallow: /"),
		"/gone":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) },
		"/busy":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"/paid":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPaymentRequired) },
		"/image":      body("image/png", "\x89PNG"),
		"/empty":      body("text/html", "<html><body></body></html>"),
		"/huge":       body("text/html", strings.Repeat(prose, 30_000)),
		"/deep":       body("text/html", strings.Repeat("<div>", 100_000)),
		"/many":       body("text/html", "<article>"+strings.Repeat("<b></b>", 60_000)+"</article>"),
		"/slow":       func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"/loop":       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) },
		"/odd": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		},
		"/drips": drip("text/html", "<html>", "<p>word "),
		"/bomb":  gzipped("text/html", 100<<20),
	})
	for path, want := range map[string]struct {
		reason  string
		passing bool
		gone    bool
	}{
		"/closed": {reason: "robots.txt"},
		"/gone":   {gone: true},
		"/none":   {gone: true},
		"/busy":   {reason: "503", passing: true},
		"/paid":   {reason: "402"},
		"/image":  {reason: "image/png"},
		"/empty":  {reason: "empty"},
		"/huge":   {reason: "over 2 MB"},
		"/deep":   {reason: "can't be read"},
		"/many":   {reason: "can't be read"},
		"/slow":   {reason: "No answer in time", passing: true},
		"/loop":   {reason: "redirects"},
		"/odd":    {reason: `scheme "file"`},
		"/drips":  {reason: "took too long", passing: true},
		"/bomb":   {reason: "over 2 MB"},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()

			p, err := fetcher().Page(t.Context(), base+path, editorial.Validators{})
			require.NoError(t, err)
			require.Contains(t, p.Refused, want.reason)
			require.Equal(t, want.gone, p.Gone)
			require.Equal(t, want.passing, p.Passing, p.Refused)
			require.Empty(t, p.Text)
		})
	}
}

// drip sends first, and then one piece every 50 ms for ever.
func drip(media, first, piece string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", media)
		_, _ = io.WriteString(w, first)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
				_, _ = io.WriteString(w, piece)
				w.(http.Flusher).Flush()
			}
		}
	}
}

// gzipped is n zero bytes, packed, with no word of it in a header.
func gzipped(media string, n int64) http.HandlerFunc {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.CopyN(z, zeros{}, n)
	_ = z.Close()
	return body(media, b.String())
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestFetcher_keepsNothingThatAnotherHostForbids(t *testing.T) {
	t.Parallel()

	other := serve(t, map[string]http.HandlerFunc{
		"/robots.txt": body("text/plain", "User-agent: *\nDisallow: /closed"),
		"/open":       body("text/html", article("", "")),
		"/closed":     body("text/html", article("", "")),
	})
	base := serve(t, map[string]http.HandlerFunc{
		"/a": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other+"/open", http.StatusFound) },
		"/b": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other+"/closed", http.StatusFound) },
	})
	p, err := fetcher().Page(t.Context(), base+"/a", editorial.Validators{})
	require.NoError(t, err)
	require.NotEmpty(t, p.Text)

	p, err = fetcher().Page(t.Context(), base+"/b", editorial.Validators{})
	require.NoError(t, err)
	require.Contains(t, p.Refused, "whose robots.txt does not allow us to fetch it")
	require.False(t, p.Passing)
	_, err = list(t, editorial.CompetitorPage, base+"/b")
	require.ErrorContains(t, err, "whose robots.txt does not allow us to fetch it")
}

// One page or feed that says what can't be kept must not end a site's look.
func TestFetcher_dropsWhatCannotBeKept(t *testing.T) {
	t.Parallel()

	odd := func(inner http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", "\"caf\xe9\"")
			w.Header().Set("Last-Modified", "yesterday\xff")
			inner(w, r)
		}
	}
	base := serve(t, map[string]http.HandlerFunc{
		"/a": odd(body("text/html", article(`<meta property="article:published_time" content="9998-01-01T00:00:00Z">`, ""))),
		"/rss": odd(body("application/rss+xml", `<rss version="2.0" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel>
			<item><link>/a</link><slash:comments>99999999999</slash:comments></item></channel></rss>`)),
	})
	p, err := fetcher().Page(t.Context(), base+"/a", editorial.Validators{})
	require.NoError(t, err)
	require.Empty(t, p.Refused)
	require.Zero(t, p.Validators, "they are no UTF-8")
	require.Nil(t, p.PublishedAt, "it is a day to come")

	l, err := list(t, editorial.CompetitorFeed, base+"/rss")
	require.NoError(t, err)
	require.Zero(t, l.Validators)
	require.Equal(t, []editorial.ListedPage{{URL: base + "/a"}}, l.Pages, "no column counts that far")
}

func TestFetcher_refusesAddressesThatNoPublicPageHas(t *testing.T) {
	t.Parallel()

	var hits atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	require.NoError(t, err)
	f := direct.New(direct.Config{Pause: -1, PageTime: 2 * time.Second})
	for _, address := range []string{
		srv.URL, "http://localhost:" + u.Port(), "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[::1]:" + u.Port() + "/",
		"http://[::ffff:127.0.0.1]:" + u.Port() + "/", "http://2130706433/", "http://0x7f.1/", "ftp://a.example/", "http://user:secret@a.example/", "http:///x", "%zz",
	} {
		p, err := f.Page(t.Context(), address, editorial.Validators{})
		require.NoError(t, err)
		require.NotEmpty(t, p.Refused, address)
		require.False(t, p.Passing, address)
		require.NotContains(t, p.Refused, "secret")
		_, err = f.List(t.Context(), editorial.Competitor{Kind: editorial.CompetitorFeed, URL: address}, editorial.Validators{})
		require.Error(t, err, address)
	}
	require.Zero(t, hits.Load())
}

func TestFetcher_aNameThatLeadsHomeIsNotDialed(t *testing.T) {
	t.Parallel()

	// Whatever a name passes for, what it resolves to is judged when it is dialed.
	for _, home := range []string{
		"127.0.0.1:80", "[::1]:80", "[::ffff:10.0.0.1]:80", "169.254.169.254:80", "[fd00:ec2::254]:80", "[fe80::1%eth0]:80", "0.0.0.0:80",
		"[::10.0.0.1]:80", "[64:ff9b::a00:1]:80", "[64:ff9b:1::a00:1]:80", "[2001::a00:1]:80", "[2002:a00:1::]:80", "[fec0::1]:80", "nonsense",
	} {
		require.EqualError(t, direct.Public("tcp", home, nil), "the host's address is private or local", home)
	}
	require.NoError(t, direct.Public("tcp", "93.184.215.14:443", nil))
	require.NoError(t, direct.Public("tcp", "[2606:2800:21f::1]:443", nil))
}

func TestFetcher_asksAHostOneByOneAndPauses(t *testing.T) {
	t.Parallel()

	var now, most atomic.Int64
	base := serve(t, map[string]http.HandlerFunc{
		"/robots.txt": body("text/plain", "User-agent: *\nCrawl-delay: 0.2"),
		"/a": func(http.ResponseWriter, *http.Request) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
		},
	})
	f := fetcher()
	began := time.Now()
	done := make(chan error)
	for range 4 {
		go func() {
			_, err := f.Page(context.WithoutCancel(t.Context()), base+"/a", editorial.Validators{})
			done <- err
		}()
	}
	for range 4 {
		require.NoError(t, <-done)
	}
	require.Equal(t, int64(1), most.Load())
	require.GreaterOrEqual(t, time.Since(began), 4*200*time.Millisecond)
}

func TestFetcher_aRobotsFileInTroubleAllowsNothing(t *testing.T) {
	t.Parallel()

	base := serve(t, map[string]http.HandlerFunc{
		"/robots.txt": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"/a":          body("text/html", article("", "")),
	})
	p, err := fetcher().Page(t.Context(), base+"/a", editorial.Validators{})
	require.NoError(t, err)
	require.Contains(t, p.Refused, "answered 500")
	require.True(t, p.Passing)
	_, err = fetcher().List(t.Context(), editorial.Competitor{Kind: editorial.CompetitorPage, URL: base + "/a"}, editorial.Validators{})
	require.ErrorContains(t, err, "answered 500")
	require.Equal(t, fault.KindRetryable, fault.KindOf(err))
}

func TestFetcher_endsWithItsCaller(t *testing.T) {
	t.Parallel()

	base := serve(t, map[string]http.HandlerFunc{"/a": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := fetcher().Page(ctx, base+"/a", editorial.Validators{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = fetcher().Allowed(ctx, base+"/a")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func rss(items int, inside string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>`)
	for i := range items {
		fmt.Fprintf(&b, "<item><link>/p/%d</link>%s</item>", i, inside)
	}
	return b.String() + "</channel></rss>"
}
