package direct

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/temoto/robotstxt"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

// host is what is known of a server: whose turn it is, when it was asked last
// and what it lets us do.
type host struct {
	turn     chan struct{} // holds one token while nobody asks it
	lastAt   time.Time
	rules    *robotstxt.Group
	rulesAt  time.Time
	rulesErr error
}

// turn waits until nobody else asks u's host and its pause is over. release
// hands the host on.
func (f *Fetcher) turn(ctx context.Context, u *url.URL) (release func(), err error) {
	h := f.host(u)
	if err := h.take(ctx); err != nil {
		return nil, err
	}
	if err := f.pause(ctx, h); err != nil {
		h.give()
		return nil, err
	}
	return func() {
		h.lastAt = time.Now()
		h.give()
	}, nil
}

// take makes the host ours alone until give.
func (h *host) take(ctx context.Context) error {
	select {
	case <-h.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *host) give() { h.turn <- struct{}{} }

// pause waits as long as the host wants between two requests.
func (f *Fetcher) pause(ctx context.Context, h *host) error {
	pause := f.cfg.Pause
	if h.rules != nil {
		pause = max(pause, min(h.rules.CrawlDelay, longestDelay))
	}
	wait := time.Until(h.lastAt.Add(pause))
	if h.lastAt.IsZero() || wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *Fetcher) host(u *url.URL) *host {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := u.Scheme + "://" + u.Host
	h, known := f.hosts[key]
	if !known {
		h = &host{turn: make(chan struct{}, 1)}
		h.turn <- struct{}{}
		f.hosts[key] = h
	}
	return h
}

// allowed reports whether the host's robots.txt lets us fetch u. A robots.txt
// that can't be read because the server is in trouble allows nothing, as its
// standard (RFC 9309) has it; one that isn't there allows all.
func (f *Fetcher) allowed(ctx context.Context, u *url.URL) (bool, error) {
	h := f.host(u)
	if err := h.take(ctx); err != nil {
		return false, err
	}
	defer h.give()
	if age := time.Since(h.rulesAt); h.rulesAt.IsZero() || age > robotsAge || h.rulesErr != nil && age > troubleAge {
		rules, err := f.robots(ctx, u)
		if err != nil && ctx.Err() != nil {
			return false, err // says nothing about the host
		}
		h.rules, h.rulesErr, h.rulesAt, h.lastAt = rules, err, time.Now(), time.Now()
	}
	if h.rulesErr != nil {
		return false, h.rulesErr
	}
	return h.rules.Test(u.RequestURI()), nil
}

func (f *Fetcher) robots(ctx context.Context, u *url.URL) (*robotstxt.Group, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.PageTime)
	defer cancel()
	at := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/robots.txt"}
	a, err := f.send(ctx, at, editorial.Validators{}, "text/plain,*/*;q=0.1", maxRobots)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", at, err)
	}
	if a.status >= http.StatusInternalServerError || a.status == http.StatusTooManyRequests {
		return nil, fault.Retryable(fmt.Errorf("read %s: the server answered %d, which allows nothing", at, a.status), 0)
	}
	data, err := robotstxt.FromStatusAndBytes(a.status, a.body)
	if err != nil { // nonsense where rules belong, such as a page of HTML, forbids nothing
		data, err = robotstxt.FromString("")
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", at, err)
	}
	return data.FindGroup(agentName), nil
}
