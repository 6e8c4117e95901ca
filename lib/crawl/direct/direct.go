// Package direct fetches strangers' pages and the lists of them by ourselves:
// feeds, sitemaps, pages of links, and the main text of an article.
//
// A stranger decides what comes back, so everything has a cap: the address
// that is dialed, the number of redirects, the bytes and the time of an
// answer, what is unpacked, the nesting and the number of entries of a list.
// What is over a cap is left out and said; it fails nothing else. Hosts are
// asked one request at a time, as their robots.txt allows.
package direct

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"blogposter/lib/crawl"
	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// agent is who we say we are. Its first word is our name in a robots.txt.
const agent = "Blog-Poster/1.0 (reads what robots.txt allows, to see what is new)"

const agentName = "Blog-Poster"

// Limits that no setting raises.
const (
	maxRedirects = 5
	maxRobots    = 500 << 10
	// longestDelay bounds what a robots.txt may make us wait between requests.
	longestDelay = 10 * time.Second
	// A robots.txt is believed for an hour, a failure to read it for a minute.
	robotsAge, troubleAge = time.Hour, time.Minute
)

// Config is how a Fetcher works. The zero value is fit for production.
type Config struct {
	// AllowPrivate lets private and loopback addresses be fetched: only for
	// tests and the demo, whose pages are on this machine.
	AllowPrivate bool
	// PageTime and ListTime bound one page and one whole list, connecting
	// included; 0 means 20 s and 90 s.
	PageTime, ListTime time.Duration
	// Pause is the least time between two requests to a host; 0 means 200 ms,
	// below 0 none.
	Pause time.Duration
	// PageBytes and ListBytes are the most that is read of one page and of one
	// feed or sitemap, unpacked; 0 means 2 and 10 MiB.
	PageBytes, ListBytes int
}

// Fetcher fetches pages. It is safe for concurrent use.
type Fetcher struct {
	cfg  Config
	http *http.Client

	mu    sync.Mutex
	hosts map[string]*host
}

// errPrivate is for a name that leads to an address which must not be asked.
var errPrivate = errors.New("the host's address is private or local")

// New returns a Fetcher. It opens no connection.
func New(cfg Config) *Fetcher {
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{{&cfg.PageTime, 20 * time.Second}, {&cfg.ListTime, 90 * time.Second}, {&cfg.Pause, 200 * time.Millisecond}} {
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	for _, n := range []struct {
		value *int
		def   int
	}{{&cfg.PageBytes, 2 << 20}, {&cfg.ListBytes, 10 << 20}} {
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	if !cfg.AllowPrivate {
		dialer.Control = public
	}
	f := &Fetcher{cfg: cfg, hosts: map[string]*host{}}
	f.http = &http.Client{
		Transport: &http.Transport{ // no proxy: it would dial for us, past the guard
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 20 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: f.redirect,
	}
	return f
}

// public refuses to connect to an address that no public page has. It sees
// what a name was resolved to, at each connection, so that a name can't change
// its meaning between a check and the dialing.
func public(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || crawl.Private(ap.Addr()) {
		return errPrivate
	}
	return nil
}

func (f *Fetcher) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fault.Permanent(fmt.Errorf("more than %d redirects", maxRedirects))
	}
	_, err := crawl.Address(req.URL.String(), f.cfg.AllowPrivate)
	return err
}

// answer is what a server said.
type answer struct {
	status int
	header http.Header
	final  *url.URL
	body   []byte
	cut    string // why body is not all of it, in words for an editor
}

func (a answer) validators() editorial.Validators {
	return editorial.Validators{ETag: short(a.header.Get("ETag")), LastModified: short(a.header.Get("Last-Modified"))}
}

// short drops a validator that no honest server sends, or that can't be kept.
func short(v string) string {
	if len(v) > 300 || !utf8.ValidString(v) {
		return ""
	}
	return v
}

// ask sends one GET, when it is this host's turn, and reads at most limit
// bytes of its answer.
func (f *Fetcher) ask(ctx context.Context, u *url.URL, since editorial.Validators, accept string, limit int) (answer, error) {
	release, err := f.turn(ctx, u)
	if err != nil {
		return answer{}, err
	}
	a, err := f.send(ctx, u, since, accept, limit)
	release()
	if err != nil || strings.EqualFold(a.final.Host, u.Host) {
		return a, err
	}
	return a, f.followed(ctx, a.final)
}

// followed is an error unless the robots.txt of the other host that redirects
// led to lets us keep what it answered.
func (f *Fetcher) followed(ctx context.Context, final *url.URL) error {
	ok, err := f.allowed(ctx, final)
	if err == nil && !ok {
		err = fault.Permanent(fmt.Errorf("it leads to %s, whose robots.txt does not allow us to fetch it", final.Host))
	}
	return err
}

func (f *Fetcher) send(ctx context.Context, u *url.URL, since editorial.Validators, accept string, limit int) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return answer{}, fault.Permanent(err)
	}
	req.Header.Set("User-Agent", agent)
	req.Header.Set("Accept", accept)
	if since.ETag != "" {
		req.Header.Set("If-None-Match", since.ETag)
	}
	if since.LastModified != "" {
		req.Header.Set("If-Modified-Since", since.LastModified)
	}
	resp, err := f.http.Do(req)
	if err != nil {
		if err = why(err); fault.KindOf(err) != fault.KindPermanent {
			err = fault.Retryable(err, 0)
		}
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header, final: resp.Request.URL}
	if a.status == http.StatusNotModified {
		return a, nil
	}
	a.body, a.cut, err = read(ctx, resp.Body, limit)
	return a, err
}

// why says what went wrong without Go's own words around it.
func why(err error) error {
	var ue *url.Error
	switch {
	case errors.Is(err, errPrivate):
		return fault.Permanent(errPrivate)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.As(err, &ue):
		return ue.Err
	}
	return err
}
