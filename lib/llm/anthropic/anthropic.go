// Package anthropic speaks Anthropic's Messages API through the official SDK.
// One Call is one request: the SDK's retries are off, because whether a lost
// call is sent again is the journal's decision.
package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"blogposter/lib/fault"
	"blogposter/lib/ledger"
	"blogposter/lib/llm"
)

const (
	provider = "anthropic"
	endpoint = "https://api.anthropic.com/"
	// maxBody is the longest answer that is read: 128,000 tokens of output are
	// well under 2 MB.
	maxBody = 4 << 20
	// patience is the longest call when HTTP has no timeout of its own.
	patience = 10 * time.Minute
)

// Config is what a Client is made of.
type Config struct {
	BaseURL string // "" is Anthropic's own endpoint
	APIKey  string
	HTTP    *http.Client     // its Timeout bounds a call; redirects are never followed
	Now     func() time.Time // reads a Retry-After that is a date; nil is time.Now
}

// Client is an llm.Model. It is safe for concurrent use.
type Client struct {
	messages sdk.MessageService
	key      string
	now      func() time.Time
}

var _ llm.Model = (*Client)(nil)

// New returns a Client. It makes no request and reads no environment.
func New(cfg Config) *Client {
	base, timeout := cfg.BaseURL, patience
	if base == "" {
		base = endpoint
	}
	hc := http.Client{}
	if cfg.HTTP != nil {
		hc = *cfg.HTTP
	}
	if hc.Timeout > 0 {
		timeout = hc.Timeout
	}
	// A redirect would carry the key to wherever it points.
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	now := cfg.Now
	if now == nil {
		now = time.Now
	}
	// NewClient would read keys, headers and base URLs from the environment.
	return &Client{key: cfg.APIKey, now: now, messages: sdk.NewMessageService(
		option.WithBaseURL(base), option.WithAPIKey(cfg.APIKey), option.WithHTTPClient(&hc),
		option.WithMaxRetries(0), option.WithMiddleware(guard),
		// Without a timeout of ours the SDK refuses long answers that are not streamed.
		option.WithRequestTimeout(timeout),
	)}
}

// Provider is the name that the price book knows.
func (c *Client) Provider() string { return provider }

// Call makes one request. An error of a call that was charged comes with the
// usage of its Response.
func (c *Client) Call(ctx context.Context, r llm.Request) (llm.Response, error) {
	params, err := body(r)
	if err != nil {
		return llm.Response{}, fault.Permanent(fmt.Errorf("anthropic: %w", err))
	}
	if err := ctx.Err(); err != nil {
		return llm.Response{}, fault.Retryable(fmt.Errorf("anthropic: not sent: %w", err), 0)
	}
	var asked, connected atomic.Bool
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}
	var raw *http.Response
	m, err := c.messages.New(httptrace.WithClientTrace(ctx, trace), params, option.WithResponseInto(&raw))
	if err != nil {
		// Without a connection not a byte was sent; with one, nobody can tell.
		return llm.Response{}, c.classify(err, asked.Load() && !connected.Load())
	}
	return response(m, raw.Header.Get("Request-Id"))
}

// body is the request as Anthropic reads it. Sampling parameters, thinking
// budgets, a forced tool and a begun answer are refused by these models, so
// none of them can be set.
func body(r llm.Request) (sdk.MessageNewParams, error) {
	p := sdk.MessageNewParams{
		Model: r.Model, MaxTokens: r.MaxTokens,
		// Thinking is on unless the effort is low, and would use up MaxTokens.
		OutputConfig: sdk.OutputConfigParam{Effort: sdk.OutputConfigEffortLow},
	}
	if r.System != "" {
		p.System = []sdk.TextBlockParam{{Text: r.System, CacheControl: sdk.NewCacheControlEphemeralParam()}}
	}
	for _, m := range r.Messages {
		switch m.Role {
		case llm.RoleUser:
			p.Messages = append(p.Messages, sdk.NewUserMessage(sdk.NewTextBlock(m.Text)))
		case llm.RoleAssistant:
			p.Messages = append(p.Messages, sdk.NewAssistantMessage(sdk.NewTextBlock(m.Text)))
		default:
			return p, fmt.Errorf("message role %q: use %q or %q", m.Role, llm.RoleUser, llm.RoleAssistant)
		}
	}
	if len(r.Schema) > 0 {
		var schema map[string]any
		if err := json.Unmarshal(r.Schema, &schema); err != nil {
			return p, fmt.Errorf("schema of %s: %w", r.Step, err)
		}
		p.OutputConfig.Format = sdk.JSONOutputFormatParam{Schema: schema}
	}
	return p, nil
}

// response reads an answer in our own terms.
func response(m *sdk.Message, request string) (llm.Response, error) {
	resp := llm.Response{Model: m.Model, Request: request, Usage: usage(m.Usage)}
	if resp.Usage.Prompt() == 0 {
		// Every call reads a prompt: what it cost is not known, and not nothing.
		return llm.Response{}, fault.Retryable(fault.Lost(fmt.Errorf("anthropic: call %s was answered without its usage", request)), 0)
	}
	for _, b := range m.Content {
		if b.Type == "text" {
			resp.Text += b.Text
		}
	}
	switch m.StopReason {
	case sdk.StopReasonEndTurn:
		resp.Stop = llm.StopEnd
	case sdk.StopReasonMaxTokens, sdk.StopReasonModelContextWindowExceeded:
		resp.Stop = llm.StopTruncated
	case sdk.StopReasonRefusal:
		resp.Stop = llm.StopRefused
	case sdk.StopReasonStopSequence, sdk.StopReasonToolUse, sdk.StopReasonPauseTurn: // none of them was asked for
		fallthrough
	default:
		return resp, fault.Permanent(fmt.Errorf("anthropic: call %s stopped with %q, which was not asked for", request, m.StopReason))
	}
	return resp, nil
}

// usage sorts the tokens into the classes that are priced apart. Writes that
// the provider does not split by lifetime are those of five minutes: no other
// is ever asked for.
func usage(u sdk.Usage) ledger.Usage {
	hour := u.CacheCreation.Ephemeral1hInputTokens
	return ledger.Usage{
		Input: u.InputTokens, Output: u.OutputTokens, CacheRead: u.CacheReadInputTokens,
		CacheWrite1h: hour,
		CacheWrite5m: max(u.CacheCreationInputTokens-hour, u.CacheCreation.Ephemeral5mInputTokens),
	}
}

var errTooLong = errors.New("answer is longer than 4 MB")

// guard turns redirects into errors and stops reading an endless body.
func guard(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	resp, err := next(req)
	if err != nil {
		return resp, err
	}
	if resp.StatusCode/100 == 3 {
		_ = resp.Body.Close()
		return nil, &StatusError{Code: resp.StatusCode, Message: "redirect is not followed: set the base URL to where it points"}
	}
	resp.Body = &capped{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

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
