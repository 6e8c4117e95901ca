package cms

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/sethvargo/go-retry"

	"blogposter/lib/fault"
)

// Reader fetches a site's public pages as anybody would: without a password,
// past caches.
type Reader struct {
	http    *http.Client
	backoff func() retry.Backoff
}

// NewReader returns a Reader. hc must have a Timeout.
func NewReader(hc *http.Client) *Reader {
	page := *hc
	page.Jar = nil
	page.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) >= 5 {
			return errors.New("stopped after 5 redirects")
		}
		if req.URL.Host != via[0].URL.Host {
			return fmt.Errorf("redirects to another host, %s", req.URL.Host)
		}
		return nil
	}
	return &Reader{http: &page, backoff: newBackoff}
}

// Page returns the HTML at address.
func (r *Reader) Page(ctx context.Context, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fault.Permanent(fmt.Errorf("page %q: not a web address", address))
	}
	var page []byte
	err = again(ctx, r.backoff(), func(ctx context.Context) (err error) {
		page, err = r.fetch(ctx, u)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("page %s: %w", u.Redacted(), err)
	}
	return string(page), nil
}

// Resolves reports whether anybody can read the page at address.
func (r *Reader) Resolves(ctx context.Context, address string) bool {
	_, err := r.Page(ctx, address)
	return err == nil
}

func (r *Reader) fetch(ctx context.Context, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault.Permanent(err)
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Cache-Control", "no-cache")
	resp, err := r.http.Do(req)
	if err != nil {
		return nil, fault.Retryable(err, 0)
	}
	defer resp.Body.Close()
	data, err := readAll(resp.Body)
	if err != nil {
		return nil, fault.Retryable(err, 0)
	}
	se := &StatusError{Code: resp.StatusCode, Reason: http.StatusText(resp.StatusCode)}
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return data, nil
	case code == http.StatusTooManyRequests, code >= http.StatusInternalServerError:
		return nil, fault.Retryable(se, retryAfter(resp))
	default:
		return nil, fault.NeedsHuman(se)
	}
}

// Visible returns the HTML at address as anybody would get it, and whether
// anybody gets it: not when the site says that there is nothing, or nothing for
// them.
func (w *WordPress) Visible(ctx context.Context, address string) (string, bool, error) {
	page, err := w.Page(ctx, address)
	var se *StatusError
	if errors.As(err, &se) {
		switch se.Code {
		case http.StatusNotFound, http.StatusGone, http.StatusUnauthorized, http.StatusForbidden:
			return "", false, nil
		}
	}
	return page, err == nil, err
}

// Page returns the HTML at address as anybody would get it.
func (w *WordPress) Page(ctx context.Context, address string) (string, error) {
	r := NewReader(w.http)
	r.backoff = w.backoff
	return r.Page(ctx, address)
}
