// Package openai speaks OpenAI's chat completions and embeddings through
// go-openai, to OpenAI or to any server that is compatible. One Call is one
// request, never repeated: whether a lost call is sent again is the journal's
// decision.
package openai

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	sdk "github.com/sashabaranov/go-openai"

	"blogposter/lib/llm"
)

const (
	provider = "openai"
	endpoint = "https://api.openai.com/v1"
	// maxBody is the longest answer that is read: 128,000 tokens of output are
	// well under 2 MB, and 185 vectors too.
	maxBody = 4 << 20
	// patience is the longest call when HTTP has no timeout of its own.
	patience = 10 * time.Minute
)

// NoKey is the key of who has none, since an empty value can't be deployed.
// Nothing is embedded with it.
const NoKey = "none"

// Config is what a Client is made of.
type Config struct {
	BaseURL string           // with its version, such as https://api.openai.com/v1; "" is OpenAI's own
	APIKey  string           // NoKey for none
	HTTP    *http.Client     // its Timeout bounds a call; redirects are never followed
	Now     func() time.Time // reads a Retry-After that is a date; nil is time.Now
}

// Client is an llm.Model and an llm.EmbeddingModel. It is safe for concurrent
// use.
type Client struct {
	api *sdk.Client
	key string
	now func() time.Time
}

var (
	_ llm.Model          = (*Client)(nil)
	_ llm.EmbeddingModel = (*Client)(nil)
)

// New returns a Client. It makes no request and reads no environment.
func New(cfg Config) *Client {
	hc := http.Client{}
	if cfg.HTTP != nil {
		hc = *cfg.HTTP
	}
	if hc.Timeout == 0 {
		hc.Timeout = patience
	}
	// A redirect would carry the key to wherever it points.
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	now := cfg.Now
	if now == nil {
		now = time.Now
	}
	c := sdk.DefaultConfig(cfg.APIKey)
	c.HTTPClient, c.BaseURL = line{&hc}, endpoint
	if cfg.BaseURL != "" {
		c.BaseURL = cfg.BaseURL
	}
	return &Client{api: sdk.NewClientWithConfig(c), key: cfg.APIKey, now: now}
}

// Provider is the name that the price book knows.
func (c *Client) Provider() string { return provider }

// exchange is what one request saw of the way to the server. It travels in the
// request's context, because the SDK's errors tell no headers.
type exchange struct {
	asked, connected atomic.Bool
	status           int // 0 without an answer
	header           http.Header
}

type exchangeKey struct{}

func begin(ctx context.Context) (context.Context, *exchange) {
	e := &exchange{}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { e.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { e.connected.Store(true) },
	})
	return context.WithValue(ctx, exchangeKey{}, e), e
}

// unsent means that not a byte left this machine: without a connection nothing
// was sent; with one, nobody can tell.
func (e *exchange) unsent() bool { return e.asked.Load() && !e.connected.Load() }

// request is the provider's id of the call.
func (e *exchange) request() string { return e.header.Get("X-Request-Id") }

// line carries the SDK's requests.
type line struct{ http *http.Client }

// Do notes what came back, turns redirects into errors and stops reading an
// endless body.
func (l line) Do(req *http.Request) (*http.Response, error) {
	resp, err := l.http.Do(req) //nolint:gosec // G704: the address is a setting
	if err != nil {
		return nil, err
	}
	if e, ok := req.Context().Value(exchangeKey{}).(*exchange); ok {
		e.status, e.header = resp.StatusCode, resp.Header
	}
	if resp.StatusCode/100 == 3 {
		_ = resp.Body.Close()
		return nil, &StatusError{Code: resp.StatusCode, Message: "redirect is not followed: set the base URL to where it points"}
	}
	resp.Body = &capped{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

var errTooLong = errors.New("answer is longer than 4 MB")

// capped fails a read past its end, unlike io.LimitReader, which would make an
// answer that is cut off look whole.
type capped struct {
	io.ReadCloser
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.ReadCloser.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		return n, errTooLong
	}
	return n, err
}
