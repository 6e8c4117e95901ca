package openai

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	sdk "github.com/sashabaranov/go-openai"

	"blogposter/lib/fault"
)

// StatusError is a reply that was not an answer.
type StatusError struct {
	Code    int    // HTTP status
	Type    string // OpenAI's code or type, such as "rate_limit_exceeded"
	Message string
	Request string // the provider's id of the call
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("openai: %d", e.Code)
	if e.Type != "" {
		s += " " + e.Type
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Request != "" {
		s += " (" + e.Request + ")"
	}
	return s
}

// maxMessage is how much of a stranger's message an error repeats.
const maxMessage = 500

// unpaid is the code of a 429 that waiting does not mend.
const unpaid = "insufficient_quota"

// classify maps a failed call to what must happen next.
func (c *Client) classify(err error, e *exchange) error {
	var status *StatusError
	switch {
	case errors.As(err, &status): // a redirect
		return fault.Permanent(status)
	case e.status != 0 && e.status/100 != 2:
		// A refusal counts by its status, even where its body could not be read.
		return statusFault(c.statusError(err, e), retryAfter(e.header, c.now()))
	case errors.Is(err, errTooLong):
		return fault.Permanent(fault.Lost(fmt.Errorf("openai: %w", errTooLong)))
	case e.unsent():
		return fault.Retryable(fmt.Errorf("openai: not sent: %w", err), 0)
	case !e.asked.Load(): // the SDK itself refused to send it
		return fault.Permanent(fmt.Errorf("openai: not sent: %w", err))
	}
	return fault.Retryable(fault.Lost(fmt.Errorf("openai: no answer: %w", err)), 0)
}

// statusError keeps what is worth reading. The SDK's error is not wrapped: it
// may hold the whole body.
func (c *Client) statusError(err error, e *exchange) *StatusError {
	out := &StatusError{Code: e.status, Request: e.request()}
	var api *sdk.APIError
	var raw *sdk.RequestError
	switch {
	case errors.As(err, &api):
		out.Type, out.Message = api.Type, api.Message
		if code, ok := api.Code.(string); ok && code != "" {
			out.Type = code
		}
	case errors.As(err, &raw):
		out.Message = strings.TrimSpace(string(raw.Body))
	}
	out.Message = c.clean(out.Message)
	return out
}

// masked is a key as the provider itself quotes it, with its middle left out:
// even its ends are nobody's business.
var masked = regexp.MustCompile(`\bsk-[A-Za-z0-9_*-]+`)

func (c *Client) clean(message string) string {
	if c.key != "" {
		message = strings.ReplaceAll(message, c.key, "[key]")
	}
	message = masked.ReplaceAllString(message, "[key]")
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + " …"
	}
	return message
}

func statusFault(e *StatusError, after time.Duration) error {
	switch code := e.Code; {
	case code == http.StatusTooManyRequests && e.Type == unpaid:
		return fault.NeedsHuman(e)
	case code == http.StatusTooManyRequests:
		return fault.Retryable(e, after)
	case code == http.StatusRequestTimeout, code >= 500: // it may have been carried out
		return fault.Retryable(fault.Lost(e), after)
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusPaymentRequired:
		return fault.NeedsHuman(e) // a rotated key, a revoked right, an unpaid bill
	}
	return fault.Permanent(e)
}

// retryAfter reads milliseconds, seconds or an HTTP date; 0 when there is none
// of them.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseUint(h.Get("Retry-After-Ms"), 10, 32); err == nil {
		return time.Duration(ms) * time.Millisecond
	}
	header := h.Get("Retry-After")
	if secs, err := strconv.ParseUint(header, 10, 32); err == nil {
		return time.Duration(secs) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
