package faas

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"blogposter/lib/fault"
)

// problemType is the media type of RFC 9457. The charset is spelled out
// because the platform takes a type it has no entry for, without one, for
// binary, and then tries to read the body as base64.
const problemType = "application/problem+json; charset=utf-8"

// Problem is an RFC 9457 problem document, and the error a web handler
// returns when it knows the answer's status itself.
type Problem struct {
	Type     string       `json:"type,omitempty"`
	Title    string       `json:"title"`
	Status   int          `json:"status"`
	Detail   string       `json:"detail,omitempty"`
	Instance string       `json:"instance,omitempty"`
	Errors   []FieldError `json:"errors,omitempty"`

	retryAfter time.Duration
}

// FieldError names one member of the request and how to mend it.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// ServeHTTP writes the document.
func (p *Problem) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	doc := *p
	if doc.Title == "" {
		doc.Title = http.StatusText(doc.Status)
	}
	if c := Activation(r.Context()); doc.Instance == "" && c.ID != "" {
		doc.Instance = "urn:activation:" + c.ID // what to search the logs for
	}
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("Cache-Control", "no-store")
	if doc.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((doc.retryAfter+time.Second-1)/time.Second)))
	}
	w.WriteHeader(doc.Status)
	body, err := marshal(&doc)
	if err == nil {
		_, err = w.Write(body)
	}
	if err != nil {
		slog.WarnContext(r.Context(), "write problem document", "err", err)
	}
}

// BadRequest is a 400 that says what is malformed and how to mend it.
func BadRequest(format string, args ...any) *Problem {
	return &Problem{Status: http.StatusBadRequest, Title: "Malformed request", Detail: fmt.Sprintf(format, args...)}
}

// ProblemOf chooses the answer for an error: a Problem is itself, a permanent
// fault is 422, one that needs a person 409, a retryable one or a timeout 503.
// The texts of permanent and needs-human faults are for the caller; any other
// error may hold an address or a query, and is only logged.
func ProblemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var fe *fault.Error
	if !errors.As(err, &fe) && !fault.IsTimeout(err) {
		return &Problem{Status: http.StatusInternalServerError, Title: "Internal error"}
	}
	switch fault.KindOf(err) {
	case fault.KindPermanent:
		return &Problem{Status: http.StatusUnprocessableEntity, Title: "Cannot be processed", Detail: err.Error()}
	case fault.KindNeedsHuman:
		return &Problem{Status: http.StatusConflict, Title: "A person must decide first", Detail: err.Error()}
	case fault.KindRetryable:
	}
	return &Problem{
		Status: http.StatusServiceUnavailable, Title: "Temporarily unavailable", Detail: "Try again later.",
		retryAfter: max(fault.RetryAfter(err), time.Second),
	}
}

// HandlerFunc is an http.Handler that may fail; its error is answered by
// ProblemOf and, when the fault is ours, logged. It must not have written
// anything when it returns one.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

func (f HandlerFunc) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := f(w, r)
	if err == nil {
		return
	}
	p := ProblemOf(err)
	if p.Status >= http.StatusInternalServerError {
		slog.ErrorContext(r.Context(), "request failed", "kind", fault.KindOf(err), "err", err, "pattern", r.Pattern)
	}
	p.ServeHTTP(w, r)
}

// problemReply is p as a whole answer, for faults outside any handler.
func problemReply(ctx context.Context, p *Problem) webReply {
	w := newWriter()
	p.ServeHTTP(w, (&http.Request{}).WithContext(ctx))
	return webReply{StatusCode: p.Status, Headers: flatten(w.sent), Body: w.body.String()}
}
