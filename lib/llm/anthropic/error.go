package anthropic

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"

	"blogposter/lib/fault"
)

// StatusError is a reply that was not an answer.
type StatusError struct {
	Code    int    // HTTP status
	Type    string // Anthropic's name, such as "rate_limit_error"
	Message string
	Request string // Anthropic's id of the call
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("anthropic: %d", e.Code)
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

// classify maps a failed call to what must happen next. unsent means that not
// a byte of it left this machine.
func (c *Client) classify(err error, unsent bool) error {
	var api *sdk.Error
	var status *StatusError
	switch {
	case errors.As(err, &api):
		return statusFault(c.statusError(api), retryAfter(api.Response.Header.Get("Retry-After"), c.now()))
	case errors.As(err, &status): // a redirect
		return fault.Permanent(status)
	case errors.Is(err, errTooLong):
		return fault.Permanent(fault.Lost(fmt.Errorf("anthropic: %w", errTooLong)))
	case unsent:
		return fault.Retryable(fmt.Errorf("anthropic: not sent: %w", err), 0)
	}
	return fault.Retryable(fault.Lost(fmt.Errorf("anthropic: no answer: %w", err)), 0)
}

// statusError keeps what is worth reading. The SDK's error is not wrapped: it
// holds the request with its key, and the whole body.
func (c *Client) statusError(api *sdk.Error) *StatusError {
	var envelope struct {
		Error struct{ Type, Message string }
	}
	message := strings.TrimSpace(api.RawJSON())
	if json.Unmarshal([]byte(message), &envelope) == nil {
		message = envelope.Error.Message
	}
	if c.key != "" {
		message = strings.ReplaceAll(message, c.key, "[key]")
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + " …"
	}
	return &StatusError{Code: api.StatusCode, Type: envelope.Error.Type, Message: message, Request: api.RequestID}
}

func statusFault(e *StatusError, after time.Duration) error {
	switch code := e.Code; {
	case code == http.StatusTooManyRequests:
		return fault.Retryable(e, after)
	case code == http.StatusRequestTimeout, code >= 500: // it may have been carried out
		return fault.Retryable(fault.Lost(e), after)
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusPaymentRequired:
		return fault.NeedsHuman(e) // a rotated key, a revoked right, an unpaid bill
	}
	return fault.Permanent(e)
}

// retryAfter reads seconds or an HTTP date; 0 when there is neither.
func retryAfter(header string, now time.Time) time.Duration {
	if secs, err := strconv.ParseUint(header, 10, 32); err == nil {
		return time.Duration(secs) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
