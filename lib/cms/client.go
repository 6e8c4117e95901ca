// Package cms speaks to a site's WordPress through its REST API.
//
// Reads are repeated here, twice at most. Writes are made once: whether a
// write whose answer was lost (fault.IsLost) was carried out is for the caller
// to look up, never to assume.
package cms

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/sethvargo/go-retry"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

const (
	maxBody   = 16 << 20 // a longer answer is an error, never cut
	userAgent = "blogposter"
)

// WordPress is one site. It is safe for concurrent use.
type WordPress struct {
	cms      editorial.CMS // how to publish there; the zero value is a blog's posts
	base     *url.URL
	user     string
	password string
	http     *http.Client
	backoff  func() retry.Backoff
}

// New returns a client for the site at base, such as https://blog.example,
// which acts as user with an application password. hc must have a Timeout.
func New(base *url.URL, user, appPassword string, hc *http.Client) *WordPress {
	api := *hc
	// Go answers a redirected POST with a GET, whose success would be taken
	// for the write's.
	api.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	clean := *base
	clean.User = nil // an address is shown in errors
	return &WordPress{base: &clean, user: user, password: appPassword, http: &api, backoff: newBackoff}
}

// Open is New for the site that c describes, published to as c says.
func Open(c editorial.CMS, appPassword string, hc *http.Client) (*WordPress, error) {
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" {
		return nil, fault.NeedsHuman(errors.New("cms.url is no web address: set it to the one of the WordPress site"))
	}
	w := New(base, c.User, appPassword, hc)
	w.cms = c
	return w, nil
}

// isPage reports whether articles become pages, which have no terms.
func (w *WordPress) isPage() bool { return w.cms.PostType == "page" }

// route is where the API keeps the posts of the site's post type.
func (w *WordPress) route() string {
	if w.isPage() {
		return "pages"
	}
	return "posts"
}

func newBackoff() retry.Backoff {
	return retry.WithMaxRetries(2, retry.WithJitterPercent(20, retry.NewExponential(250*time.Millisecond)))
}

// StatusError is an answer outside 2xx.
type StatusError struct {
	Code    int
	Reason  string // WordPress's own code, such as rest_forbidden
	Message string // WordPress's own, or the kind of answer where it gave none
	data    json.RawMessage
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("status %d %.80s: %.200s", e.Code, e.Reason, e.Message)
}

// call is one request to the API.
type call struct {
	method string
	path   []string // below wp/v2; nil is the API's own index
	query  url.Values
	body   any   // sent as JSON; nil for none
	form   *form // sent instead of body
	what   string
}

// form is a body that is ready to be sent.
type form struct {
	contentType string
	data        []byte
}

// content is the body and its type, "" for none.
func (c call) content() (string, io.Reader, error) {
	switch {
	case c.form != nil:
		return c.form.contentType, bytes.NewReader(c.form.data), nil
	case c.body == nil:
		return "", nil, nil
	}
	raw, err := json.Marshal(c.body)
	return "application/json", bytes.NewReader(raw), err
}

func (c call) address(base *url.URL) string {
	u := base.JoinPath("wp-json/")
	if c.path != nil {
		u = base.JoinPath(append([]string{"wp-json", "wp", "v2"}, c.path...)...)
	}
	u.RawQuery = c.query.Encode()
	return u.String()
}

// get makes c, which must be safe to repeat, at most three times. It is a GET
// unless it names another method.
func (w *WordPress) get(ctx context.Context, c call, out any) (http.Header, error) {
	c.method = cmp.Or(c.method, http.MethodGet)
	var header http.Header
	err := again(ctx, w.backoff(), func(ctx context.Context) (err error) {
		header, err = w.do(ctx, c, out)
		return err
	})
	return header, err
}

// again repeats a read that may work later, unless the site asked for a longer
// wait than a function should be held open for.
func again(ctx context.Context, b retry.Backoff, read func(context.Context) error) error {
	return retry.Do(ctx, b, func(ctx context.Context) error {
		err := read(ctx)
		if fault.KindOf(err) == fault.KindRetryable && fault.RetryAfter(err) == 0 && ctx.Err() == nil {
			return retry.RetryableError(err)
		}
		return err
	})
}

// do makes c once and decodes its answer into out. Errors name the site and
// what was asked of it; they never hold the password.
func (w *WordPress) do(ctx context.Context, c call, out any) (http.Header, error) {
	header, err := w.send(ctx, c, out)
	if err != nil {
		return nil, fmt.Errorf("wordpress at %s: %s: %w", w.base.Host, c.what, err)
	}
	return header, nil
}

func (w *WordPress) send(ctx context.Context, c call, out any) (http.Header, error) {
	contentType, payload, err := c.content()
	if err != nil {
		return nil, fault.Permanent(err)
	}
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, c.method, c.address(w.base), payload)
	if err != nil {
		return nil, fault.Permanent(err)
	}
	req.SetBasicAuth(w.user, w.password)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return nil, unanswered(c.method, sent.Load(), err)
	}
	defer resp.Body.Close()
	data, err := readAll(resp.Body)
	if err != nil {
		return nil, unanswered(c.method, true, err)
	}
	if err := w.classify(c.method, resp, data); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, out); err != nil {
		return nil, lostIfWrite(c.method, fault.NeedsHuman(fmt.Errorf(
			"answered %d with %s instead of the JSON of its REST API: look for a plugin or a server that shows a page of its own, or prints PHP notices (WP_DEBUG_DISPLAY)",
			resp.StatusCode, kindOf(resp, data))))
	}
	return resp.Header, nil
}

var errLong = errors.New("answer is over " + strconv.Itoa(maxBody) + " bytes")

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && len(data) > maxBody {
		err = errLong
	}
	return data, err
}

// unanswered is a call without an answer. Only one that never left is known
// not to have been carried out.
func unanswered(method string, sent bool, err error) error {
	err = fault.Retryable(err, 0)
	if sent {
		return lostIfWrite(method, err)
	}
	return err
}

func lostIfWrite(method string, err error) error {
	if method == http.MethodGet || method == http.MethodOptions {
		return err
	}
	return fault.Lost(err)
}

// classify maps an answer to a fault. 401 and 403 need a person, never a storm
// of retries that locks the user out.
func (w *WordPress) classify(method string, resp *http.Response, data []byte) error {
	code := resp.StatusCode
	if code/100 == 2 {
		return nil
	}
	se := &StatusError{Code: code, Reason: http.StatusText(code), Message: kindOf(resp, data)}
	var wire struct {
		Code    string          `json:"code"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	isWordPress := json.Unmarshal(data, &wire) == nil && wire.Code != ""
	if isWordPress {
		se.Reason, se.Message, se.data = wire.Code, wire.Message, wire.Data
	}
	switch {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return fault.NeedsHuman(w.refusal(se, isWordPress))
	case code == http.StatusTooManyRequests:
		return fault.Retryable(se, retryAfter(resp))
	case code == http.StatusRequestTimeout, code >= http.StatusInternalServerError:
		return lostIfWrite(method, fault.Retryable(se, retryAfter(resp)))
	case code/100 == 3:
		return fault.NeedsHuman(fmt.Errorf("redirects its REST API to %s: set the site's cms.url to the address it redirects to", location(resp)))
	case code == http.StatusNotFound && !isWordPress:
		return fault.NeedsHuman(fmt.Errorf("%w: there is no REST API: check the site's cms.url, and that its permalinks are not set to Plain", se))
	default:
		return fault.Permanent(se)
	}
}

// refusal says who refuses, as far as the answer shows, and what to do.
func (w *WordPress) refusal(se *StatusError, isWordPress bool) error {
	switch {
	case !isWordPress:
		return fmt.Errorf("%w: something in front of WordPress refuses the call: check that no security plugin or server rule blocks the REST API", se)
	case se.Code == http.StatusUnauthorized:
		// It answers so to a wrong password and to none at all.
		return fmt.Errorf("%w: it refuses user %q: check that its application password was not revoked (Users, Profile, Application Passwords: make a new one and store it) "+
			"and that no server in front drops the Authorization header", se, w.user)
	}
	return fmt.Errorf("%w: it knows user %q and refuses the call: check that the user's role may do this, and that no security plugin restricts the REST API", se, w.user)
}

// kindOf says what an answer was without a word of it: a page may show
// anything, and errors are logged.
func kindOf(resp *http.Response, data []byte) string {
	return fmt.Sprintf("%d bytes of type %.60q", len(data), resp.Header.Get("Content-Type"))
}

// retryAfter is the wait a site asks for in seconds; a date is left to the
// pipeline's own backoff.
func retryAfter(resp *http.Response) time.Duration {
	secs, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil {
		return 0
	}
	return min(time.Duration(max(secs, 0))*time.Second, time.Hour)
}

func location(resp *http.Response) string {
	u, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

func reason(err error) string {
	var se *StatusError
	if errors.As(err, &se) {
		return se.Reason
	}
	return ""
}
