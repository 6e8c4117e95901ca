package direct_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
)

func list(t *testing.T, kind editorial.CompetitorKind, address string) (editorial.Listing, error) {
	t.Helper()
	return fetcher().List(t.Context(), editorial.Competitor{Kind: kind, URL: address}, editorial.Validators{})
}

func TestFetcher_List_takesEveryKindOfList(t *testing.T) {
	t.Parallel()

	base := serve(t, map[string]http.HandlerFunc{
		"/rss": body("application/rss+xml", `<?xml version="1.0" encoding="ISO-8859-1"?><rss version="2.0" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel>
			<item><title>Caf`+"\xe9"+` dogs</title><link>/a?utm_source=x&amp;id=1#top</link><pubDate>Mon, 02 Nov 2026 10:00:00 +0000</pubDate><slash:comments>4</slash:comments></item>
			<item><guid isPermaLink="true">https://Other.example/b</guid></item><item><link>mailto:x@y.z</link></item><item><link>/a?id=1</link></item></channel></rss>`),
		"/atom": body("application/atom+xml", `<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>T</title><link href="/c"/><updated>2026-11-03T10:00:00Z</updated><published>2026-11-01T10:00:00Z</published></entry></feed>`),
		"/json": body("application/feed+json", "\xef\xbb\xbf"+`{"version":"https://jsonfeed.org/version/1.1","author":{"name":"x"},"items":[{"id":"1","url":"/d","title":"T","date_modified":"2026-11-03T10:00:00Z"}]}`),
		"/map":  body("text/xml", `<urlset><url><loc> /e </loc><lastmod>2026-11-03</lastmod></url><url><loc>/f</loc><lastmod>soon</lastmod></url></urlset>`),
		"/news": body("text/xml", `<urlset xmlns:news="n"><url><loc>/n</loc><news:news><news:publication_date>2026-11-02</news:publication_date><news:title>Fresh</news:title></news:news></url></urlset>`),
		"/page": body("text/html", `<nav><a href="/nav">n</a></nav><a href="/g#x">g</a><a href="/g">g</a><a href="/logo.PNG">l</a><a href="https://other.example/">o</a><a href="/page">self</a><a href="javascript:x()">j</a><footer><a href="/foot">f</a></footer>`),
	})
	day := func(d, h int) *time.Time {
		at := time.Date(2026, time.November, d, h, 0, 0, 0, time.UTC)
		return &at
	}
	four := 4
	for path, want := range map[string]struct {
		kind  editorial.CompetitorKind
		pages []editorial.ListedPage
	}{
		"/rss":  {editorial.CompetitorFeed, []editorial.ListedPage{{URL: base + "/a?id=1", Title: "Café dogs", PublishedAt: day(2, 10), Comments: &four}}},
		"/atom": {editorial.CompetitorFeed, []editorial.ListedPage{{URL: base + "/c", Title: "T", ChangedAt: day(3, 10), PublishedAt: day(1, 10)}}},
		"/json": {editorial.CompetitorFeed, []editorial.ListedPage{{URL: base + "/d", Title: "T", ChangedAt: day(3, 10), PublishedAt: day(3, 10)}}},
		"/map":  {editorial.CompetitorSitemap, []editorial.ListedPage{{URL: base + "/e", ChangedAt: day(3, 0)}, {URL: base + "/f"}}},
		"/news": {editorial.CompetitorSitemap, []editorial.ListedPage{{URL: base + "/n", Title: "Fresh", PublishedAt: day(2, 0)}}},
		"/page": {editorial.CompetitorPage, []editorial.ListedPage{{URL: base + "/g"}}},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()

			got, err := list(t, want.kind, base+path)
			require.NoError(t, err)
			require.Empty(t, got.LeftOut)
			require.Equal(t, want.pages, got.Pages)
			require.Equal(t, path == "/rss", got.Elsewhere == 1, "a feed that names another site's page")
		})
	}
}

// Whatever a stranger sends, a look takes what is whole within the caps, says
// what it left out, and goes on.
func TestFetcher_List_cutsBombsAndSaysSo(t *testing.T) {
	t.Parallel()

	nested := strings.Repeat("<a>", 1_000_000)
	lol := `<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>`
	feed, sitemap := editorial.CompetitorFeed, editorial.CompetitorSitemap
	one := rss(1, "")
	tests := map[string]struct {
		kind  editorial.CompetitorKind
		serve http.HandlerFunc
		pages int    // at least; the first entries
		says  string // in LeftOut
		fails string // instead: nothing could be read
	}{
		"a hundred thousand entries":             {feed, body("text/xml", rss(100_000, "")), 2000, "more than 2000", ""},
		"a hundred thousand JSON items":          {feed, body("application/json", `{"items":[`+strings.Repeat(`{"url":"/x"},`, 100_000)+`{"url":"/y"}]}`), 1, "more than 2000", ""},
		"a hundred thousand places":              {sitemap, body("text/xml", "<urlset>"+places(100_000)+"</urlset>"), 20_000, "more than 20000 pages", ""},
		"a hundred megabytes of feed":            {feed, flood("text/xml", strings.TrimSuffix(one, "</channel></rss>"), "<item><link>/x</link><description>"+strings.Repeat("long ", 2000)+"</description></item>"), 2, "over 10 MB", ""},
		"a hundred megabytes of sitemap":         {sitemap, flood("text/xml", "<urlset>"+places(3), "<!-- "+strings.Repeat("x", 9000)+" -->"), 3, "over 10 MB", ""},
		"a hundred megabytes of nothing":         {feed, flood("text/xml", "", strings.Repeat(" ", 9000)), 0, "", "over 10 MB"},
		"nested without end":                     {feed, body("text/xml", one[:len(one)-len("</channel></rss>")]+"<item>"+nested), 1, "nested deeper", ""},
		"nested from the start":                  {feed, body("text/xml", nested), 0, "", "nested deeper"},
		"a sitemap nested without end":           {sitemap, body("text/xml", "<urlset>"+places(2)+nested), 2, "nested deeper", ""},
		"an entry nested without end":            {sitemap, body("text/xml", "<urlset>"+places(2)+"<url>"+nested), 2, "nested deeper", ""},
		"JSON nested without end":                {feed, body("application/json", `{"items":[{"url":"/a"},`+strings.Repeat("[", 1_000_000)), 1, "damaged", ""},
		"a gzip bomb for a feed":                 {feed, gzipped("application/gzip", 100<<20), 0, "", "over 10 MB"},
		"a gzip bomb for a sitemap":              {sitemap, gzipped("application/x-gzip", 20<<20), 0, "", "over 10 MB"},
		"damaged gzip":                           {sitemap, body("application/gzip", "\x1f\x8b nothing"), 0, "", "damaged gzip"},
		"entities that multiply":                 {feed, body("text/xml", strings.Replace(one, "<rss", lol+"<rss", 1)+"<!-- &d; -->"), 1, "", ""},
		"entities in a title":                    {feed, body("text/xml", lol+rss(1, "<title>&d;</title>")), 1, "", ""},
		"an endless stream of entries":           {feed, drip("text/xml", one[:len(one)-len("</channel></rss>")], "<item><link>/x</link></item>"), 2, "took too long", ""},
		"an endless stream of a sitemap":         {sitemap, drip("text/xml", "<urlset>"+places(2), "<url><loc>/x</loc></url>"), 3, "took too long", ""},
		"a feed that breaks off":                 {feed, body("text/xml", rss(9, "")[:200]), 1, "damaged", ""},
		"a page of HTML instead":                 {feed, body("text/html", "<html><body><p>Sorry</p></body></html>"), 0, "", "no"},
		"a page of HTML for a sitemap":           {sitemap, body("text/html", "<html><body><p>Sorry</p></body></html>"), 0, "", "no sitemap"},
		"a picture instead":                      {feed, body("image/png", "\x89PNG"), 0, "", "image/png"},
		"an unknown encoding":                    {feed, body("text/xml", `<?xml version="1.0" encoding="klingon"?><rss/>`), 0, "", "klingon"},
		"an error":                               {feed, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }, 0, "", "418"},
		"JSON without items":                     {feed, body("application/json", `{"version":"1","title":{"a":[1]}}`), 0, "", "no list of items"},
		"JSON whose items are none":              {feed, body("application/json", `{"items":7}`), 0, "", "no list"},
		"links of a page of a hundred megabytes": {editorial.CompetitorPage, flood("text/html", `<a href="/1">1</a>`, `<p>`+strings.Repeat("x", 9000)+"</p>"), 1, "over 10 MB", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			base := serve(t, map[string]http.HandlerFunc{"/list": tc.serve})
			got, err := list(t, tc.kind, base+"/list")
			if tc.fails != "" {
				require.ErrorContains(t, err, tc.fails)
				return
			}
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(got.Pages), tc.pages)
			require.LessOrEqual(t, len(got.Pages), 20_000)
			if tc.says == "" {
				require.Empty(t, got.LeftOut)
				return
			}
			require.Len(t, got.LeftOut, 1)
			require.Contains(t, got.LeftOut[0], tc.says)
		})
	}
}

func places(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<url><loc>/p/%d</loc></url>", i)
	}
	return b.String()
}

// flood sends first, and then more until 100 MB are sent or nobody listens.
func flood(media, first, more string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		if _, err := w.Write([]byte(first)); err != nil {
			return
		}
		for sent := 0; sent < 100<<20; sent += len(more) {
			if _, err := w.Write([]byte(more)); err != nil {
				return
			}
		}
	}
}

func TestFetcher_List_followsIndexesAndNoLoops(t *testing.T) {
	t.Parallel()

	index := func(locs ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			body("text/xml", "<sitemapindex><sitemap><loc>"+strings.Join(locs, "</loc></sitemap><sitemap><loc>")+"</loc></sitemap></sitemapindex>")(w, r)
		}
	}
	many := make([]string, 80)
	paths := map[string]http.HandlerFunc{}
	for i := range many {
		many[i] = fmt.Sprintf("/m%d.xml", i)
		paths[many[i]] = body("text/xml", fmt.Sprintf("<urlset><url><loc>/of/%d</loc></url></urlset>", i))
	}
	paths["/many"] = index(many...)
	paths["/loop"] = index("/loop", "/back", "/m1.xml")
	paths["/back"] = index("/loop", "/m2.xml")
	paths["/deep"] = index("/deep1")
	paths["/deep1"] = index("/deep2")
	paths["/deep2"] = index("/m3.xml")
	paths["/odd"] = index("https://elsewhere.example/s.xml", "/none.xml", "/bad.xml", "/m4.xml")
	paths["/bad.xml"] = body("text/xml", "nothing")
	base := serve(t, paths)
	for path, want := range map[string]struct {
		pages int
		says  []string
	}{
		"/many": {50, []string{"30 sitemaps of"}},
		"/loop": {2, []string{"named by itself or twice", "named by itself or twice"}},
		"/deep": {0, []string{"too deep"}},
		"/odd":  {1, []string{"another host", "answered 404", "no sitemap"}},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()

			got, err := list(t, editorial.CompetitorSitemap, base+path)
			require.NoError(t, err)
			require.Len(t, got.Pages, want.pages)
			require.Len(t, got.LeftOut, len(want.says))
			for i, says := range want.says {
				require.Contains(t, got.LeftOut[i], says)
			}
			require.Empty(t, got.Validators, "an undated index says nothing about its parts")
		})
	}
}
