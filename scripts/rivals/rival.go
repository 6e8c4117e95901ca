package rivals

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Site is one competitor: how it lists its pages, and what its server says to
// ask with again.
type Site struct {
	Key, Name string
	Kind      string // feed, sitemap or page: what List leads to
	List      string // path
	Via       string // how it is meant to be read: direct or reader
	ETags     bool   // its pages carry ETags
	Dates     bool   // its pages carry Last-Modified
}

// Sites returns the eight competitors of the corpus.
func Sites() []Site {
	return []Site{
		{Key: "paws-on-duty", Name: "Paws on Duty", Kind: "feed", List: "/feed.xml", Via: "direct", ETags: true},
		{Key: "handler-weekly", Name: "Handler Weekly", Kind: "feed", List: "/atom.xml", Via: "direct", Dates: true},
		{Key: "trailmates", Name: "Trailmates", Kind: "feed", List: "/feed.json", Via: "direct"},
		{Key: "city-canine", Name: "City Canine", Kind: "sitemap", List: "/sitemap_index.xml", Via: "direct", ETags: true},
		{Key: "vest-and-harness", Name: "Vest & Harness", Kind: "sitemap", List: "/sitemap.xml", Via: "direct", ETags: true},
		{Key: "guidepost-journal", Name: "Guidepost Journal", Kind: "sitemap", List: "/sitemap.xml", Via: "reader"},
		{Key: "four-paws-forum", Name: "Four Paws Forum", Kind: "page", List: "/", Via: "direct", Dates: true},
		{Key: "working-dog-careers", Name: "Working Dog Careers", Kind: "page", List: "/guides/", Via: "direct"},
	}
}

// Request is what a Rival was asked, and answered.
type Request struct {
	Path   string
	Agent  string
	Asked  bool // with a validator
	Status int
}

// Rival serves one Site's pages. Tests change them while it serves.
type Rival struct {
	Site

	mu       sync.Mutex
	pages    map[string]Page
	served   map[string]http.HandlerFunc
	requests []Request
}

// New returns a Rival with those of pages that are its Site's.
func New(s Site, pages []Page) *Rival {
	r := &Rival{Site: s, pages: map[string]Page{}, served: map[string]http.HandlerFunc{}}
	for _, p := range pages {
		if p.Site == s.Key {
			r.pages[p.Path] = p
		}
	}
	return r
}

// Pages are the pages that it lists, by path.
func (r *Rival) Pages() []Page {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.SortedFunc(maps.Values(r.pages), func(a, b Page) int { return strings.Compare(a.Path, b.Path) })
}

// Put adds a page, or changes the one with its path.
func (r *Rival) Put(p Page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pages[p.Path] = p
}

// Remove takes a page away: it is listed no more and answers 404.
func (r *Rival) Remove(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pages, path)
}

// Serve has h answer for path from now on; nil has the Rival do so again.
func (r *Rival) Serve(path string, h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.served[path] = h; h == nil {
		delete(r.served, path)
	}
}

// Requests returns what it was asked since the last call, in order.
func (r *Rival) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.requests
	r.requests = nil
	return got
}

// ServeHTTP implements http.Handler.
func (r *Rival) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		asked := q.Header.Get("If-None-Match") != "" || q.Header.Get("If-Modified-Since") != ""
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests = append(r.requests, Request{Path: q.URL.Path, Agent: q.UserAgent(), Asked: asked, Status: rec.status})
	}()
	r.mu.Lock()
	p, isPage := r.pages[q.URL.Path]
	own := r.served[q.URL.Path]
	r.mu.Unlock()
	switch {
	case own != nil:
		own(rec, q)
	case q.URL.Path == "/robots.txt":
		_, _ = rec.Write([]byte("User-agent: *\nDisallow: /private/\nDisallow: /search\n"))
	case isPage:
		r.page(rec, q, p)
	default:
		r.list(rec, q)
	}
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *Rival) page(w http.ResponseWriter, q *http.Request, p Page) {
	body := r.render(p)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	modified := time.Time{}
	if r.Dates {
		modified = p.Modified
	}
	if r.ETags {
		w.Header().Set("ETag", tag(body))
	}
	http.ServeContent(w, q, "", modified, bytes.NewReader(body)) // answers conditional requests
}

// list answers for what lists the pages, each list with an ETag.
func (r *Rival) list(w http.ResponseWriter, q *http.Request) {
	base := "http://" + q.Host
	var body []byte
	media := "application/xml"
	pages := newestFirst(r.Pages())
	switch path := q.URL.Path; {
	case path == r.List && r.Kind == "page":
		body, media = r.links(pages), "text/html; charset=utf-8"
	case path == "/feed.xml" && r.List == path:
		body, media = r.rss(base, pages), "application/rss+xml"
	case path == "/atom.xml" && r.List == path:
		body, media = r.atom(base, pages), "application/atom+xml"
	case path == "/feed.json" && r.List == path:
		body, media = r.jsonFeed(base, pages), "application/feed+json"
	case path == "/sitemap_index.xml" && r.List == path:
		body = r.index(base, pages)
	case path == "/sitemap-1.xml.gz" && r.List == "/sitemap_index.xml":
		body, media = zip(sitemap(base, pages[:len(pages)/2], true)), "application/x-gzip"
	case path == "/sitemap-2.xml" && r.List == "/sitemap_index.xml":
		body = sitemap(base, pages[len(pages)/2:], true)
	case path == "/sitemap.xml" && r.List == path:
		body = sitemap(base, pages, r.Via == "reader")
	default:
		http.NotFound(w, q)
		return
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("ETag", tag(body))
	http.ServeContent(w, q, "", time.Time{}, bytes.NewReader(body))
}

func newestFirst(pages []Page) []Page {
	slices.SortStableFunc(pages, func(a, b Page) int { return b.Modified.Compare(a.Modified) })
	return pages
}

func tag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

func zip(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body)
	_ = z.Close()
	return b.Bytes()
}
