package cmstest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// Proxy stands before a WordPress, counts what is asked of it and loses what
// it is told to lose.
type Proxy struct {
	URL string

	mu    sync.Mutex
	calls []string
	lose  func(r *http.Request) Loss
}

// Loss is what becomes of one call.
type Loss int

// What can become of a call.
const (
	Nothing Loss = iota // it goes through
	Request             // it never reaches the site
	Answer              // it is carried out, and its answer lost
)

// NewProxy starts a Proxy before target that ends with the test.
func NewProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	to, err := url.Parse(target)
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{}
	forward := &httputil.ReverseProxy{
		Transport: Client(tb).Transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p.record(r) {
		case Nothing:
			forward.ServeHTTP(w, r)
		case Answer:
			forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case Request:
			panic(http.ErrAbortHandler)
		}
	}))
	tb.Cleanup(srv.Close)
	p.URL = srv.URL
	return p
}

func (p *Proxy) record(r *http.Request) Loss {
	p.mu.Lock()
	p.calls = append(p.calls, r.Method+" "+r.URL.Path)
	lose := p.lose
	p.mu.Unlock() // a test's lose may look at the calls
	if lose == nil {
		return Nothing
	}
	return lose(r)
}

// Lose decides the fate of every call from now on; nil lets all through.
func (p *Proxy) Lose(f func(r *http.Request) Loss) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = f
}

// Calls lists what was asked, such as "POST /wp-json/wp/v2/posts".
func (p *Proxy) Calls() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.calls...)
}
