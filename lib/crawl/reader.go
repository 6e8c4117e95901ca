// Package crawl reads web pages through a reader service: one paid request a
// page, its answer as it came, and the page's plain text that quotes are cut
// from. It also says why a page is not worth citing.
//
// The service fetches the page, so nothing here opens a connection to a
// stranger's host.
package crawl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// MaxBytes is the longest answer of the reader that is taken.
const MaxBytes = 2 << 20

// NoKey stands for no key in settings, where an empty value counts as missing.
const NoKey = "none"

// Config is what a Reader needs. HTTP must have a Timeout.
type Config struct {
	BaseURL *url.URL // of the reader service; a path prefix is kept
	APIKey  string   // "" or NoKey asks without one
	HTTP    *http.Client
	// TokenBudget is the most tokens one page may cost; the reader refuses a
	// longer page without charging it. 0 sets no limit.
	TokenBudget int
	// AllowPrivate lets pages on private and loopback hosts be asked for. It
	// is for a reader on this machine: a remote one must not learn such names.
	AllowPrivate bool
}

// Reader asks the reader service for pages.
type Reader struct {
	cfg  Config
	http *http.Client
}

// Page is one page as the reader returned it.
type Page struct {
	URL   string // as it was asked for, without a fragment
	Final string // where the reader says the text came from; "" when it doesn't say
	Title string
	Raw   []byte // the reader's answer, byte for byte
	Text  string // Plain of the page's Markdown: what quotes and byte offsets refer to
	// PublishedAt is what the page or its server says, when it says anything.
	PublishedAt *time.Time
	// Tokens is what the reader charged. When it doesn't say, it is one for
	// every three bytes, which is more than a tokenizer makes of prose.
	Tokens  int64
	Warning string // the reader's own doubts, such as an error status of the page
}

// New returns a Reader. It panics when the base URL or the client is missing.
func New(cfg Config) *Reader {
	if cfg.BaseURL == nil || cfg.HTTP == nil {
		panic("crawl: a Reader needs a base URL and an HTTP client")
	}
	if cfg.APIKey == NoKey {
		cfg.APIKey = ""
	}
	hc := *cfg.HTTP
	// A redirect would be a second request, and could carry the key elsewhere.
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Reader{cfg: cfg, http: &hc}
}

// Fetch asks for one page with one request and never repeats it: a call whose
// answer was lost may have been charged, which the error says (fault.IsLost).
// A page the reader can't deliver is fault.KindPermanent.
func (r *Reader) Fetch(ctx context.Context, page string) (Page, error) {
	u, err := r.target(page)
	if err != nil {
		return Page{}, err
	}
	p, err := r.read(ctx, u.String())
	if err != nil {
		return Page{}, fmt.Errorf("read page %s: %w", u, err)
	}
	return p, nil
}

// Read is Fetch as the stages see it: the page with the verdict of Worthless.
func (r *Reader) Read(ctx context.Context, page string) (editorial.Page, error) {
	p, err := r.Fetch(ctx, page)
	if err != nil {
		return editorial.Page{}, err
	}
	return editorial.Page{
		URL: p.URL, Title: p.Title, Raw: p.Raw, Text: p.Text,
		PublishedAt: p.PublishedAt, Tokens: p.Tokens, Worthless: Worthless(p),
	}, nil
}

func (r *Reader) read(ctx context.Context, page string) (Page, error) {
	var sent atomic.Bool // a request whose headers were never written can't have been charged
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(r.cfg.BaseURL.String(), "/")+"/"+page, nil)
	if err != nil {
		return Page{}, fault.Permanent(err)
	}
	req.Header.Set("Accept", "application/json")
	if r.cfg.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+r.cfg.APIKey)
	}
	if r.cfg.TokenBudget > 0 {
		req.Header.Set("X-Token-Budget", strconv.Itoa(r.cfg.TokenBudget))
	}
	resp, err := r.http.Do(req)
	if err != nil {
		err = fault.Retryable(fmt.Errorf("no answer from the reader: %w", err), 0)
		if sent.Load() {
			err = fault.Lost(err)
		}
		return Page{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBytes+1))
	if err != nil {
		return Page{}, fault.Lost(fault.Retryable(fmt.Errorf("the reader's answer broke off: %w", err), 0))
	}
	if err := r.classify(resp, body); err != nil {
		return Page{}, err
	}
	if len(body) > MaxBytes {
		return Page{}, fault.Lost(fault.Permanent(fmt.Errorf("the reader's answer is over %d bytes: name a shorter page, or set a token budget", MaxBytes)))
	}
	return decode(resp.Header, body, page)
}

// StatusError is a refusal of the reader.
type StatusError struct {
	Code    int    // HTTP status
	Message string // the reader's words, cut short, without the key
	Fix     string // what to do about it; "" when there is nothing to say
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("the reader answered %d: %s", e.Code, e.Message)
	if e.Fix != "" {
		s += ": " + e.Fix
	}
	return s
}

// classify maps a reply to a fault kind. The envelope of a JSON answer may
// carry an error although the status line says 200.
func (r *Reader) classify(resp *http.Response, body []byte) error {
	code, message := resp.StatusCode, ""
	if e, ok := envelopeOf(body); ok {
		message = e.explain()
		if code == http.StatusOK && e.Code >= 400 {
			code = e.Code
		}
	} else if code != http.StatusOK {
		message = string(body)
	}
	if code == http.StatusOK {
		return nil
	}
	if r.cfg.APIKey != "" { // a reader may repeat what it was sent
		message = strings.ReplaceAll(message, r.cfg.APIKey, "[key]")
	}
	se := &StatusError{Code: code, Message: short(message, 300)}
	switch {
	case code == http.StatusPaymentRequired:
		se.Fix = "top up the reader account's balance, then resume the run"
		return fault.NeedsHuman(se)
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		se.Fix = "check the reader's API key (JINA_API_KEY)"
		return fault.NeedsHuman(se)
	case code/100 != 4 && code/100 != 5:
		se.Fix = "check the reader's base URL"
		return fault.NeedsHuman(se)
	case code == http.StatusTooManyRequests:
		return fault.Retryable(se, retryAfter(resp.Header.Get("Retry-After"), time.Now()))
	case code == http.StatusRequestTimeout, code >= 500:
		return fault.Lost(fault.Retryable(se, retryAfter(resp.Header.Get("Retry-After"), time.Now())))
	case code == http.StatusConflict && r.cfg.TokenBudget > 0:
		se.Fix = fmt.Sprintf("the page is longer than the %d tokens allowed for one page", r.cfg.TokenBudget)
		return fault.Permanent(se)
	default:
		return fault.Permanent(se)
	}
}

// retryAfter reads seconds or an HTTP date; anything else leaves the wait to
// the backoff.
func retryAfter(value string, now time.Time) time.Duration {
	if secs, err := strconv.Atoi(value); err == nil && secs > 0 {
		return min(time.Duration(secs)*time.Second, 24*time.Hour)
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return min(at.Sub(now), 24*time.Hour)
	}
	return 0
}

// short returns the first max runes of s on one line.
func short(s string, limit int) string {
	s = tidy(s)
	if s == "" {
		return "no reason given"
	}
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}

var errAddress = errors.New("not an address to read")
