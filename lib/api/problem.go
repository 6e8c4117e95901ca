package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"blogposter/lib/auth"
	"blogposter/lib/faas"
	"blogposter/lib/fault"
	"blogposter/lib/view"
)

// Problem is an RFC 9457 problem document, and the error a handler returns
// when it knows the answer. It has two members more than faas.Problem has: a
// fix for each field, and the digest a stale Decision should have named.
type Problem struct {
	Type     string       `json:"type"`
	Title    string       `json:"title"`
	Status   int          `json:"status"`
	Detail   string       `json:"detail,omitempty"`
	Instance string       `json:"instance,omitempty"`
	Errors   []FieldError `json:"errors,omitempty"`
	Digest   string       `json:"current_digest,omitempty"`

	header http.Header
}

// FieldError names one member of the request, what is wrong with it, and what
// to send instead.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
	Fix    string `json:"fix"`
}

func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// problem makes a document whose type is our own name for what went wrong.
func problem(status int, name, detail string) *Problem {
	return &Problem{Type: "urn:blogposter:problem:" + name, Title: http.StatusText(status), Status: status, Detail: detail}
}

// with adds a header to the answer.
func (p *Problem) with(name, value string) *Problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
	return p
}

// invalid is a 400 that lists every field at once.
func invalid(errs ...FieldError) *Problem {
	p := problem(http.StatusBadRequest, "invalid-request", "The request is not in order; errors names each field and what to send instead.")
	p.Errors = errs
	return p
}

func notFound(what string) *Problem {
	return problem(http.StatusNotFound, "not-found", what)
}

// write sends the document.
func (p *Problem) write(w http.ResponseWriter, r *http.Request) {
	doc := *p
	if c := faas.Activation(r.Context()); c.ID != "" {
		doc.Instance = "urn:activation:" + c.ID // what to search the logs for
	}
	for name, values := range p.header {
		w.Header()[name] = values
	}
	send(w, r, "application/problem+json; charset=utf-8", p.Status, &doc)
}

// problemOf chooses the answer for an error. Only a Problem's text is for the
// caller: any other may hold an address or a query, and is only logged.
func problemOf(err error) *Problem {
	var p *Problem
	var network net.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, view.ErrNotFound):
		return notFound("There is no such thing on this site.")
	case errors.Is(err, auth.ErrMissing):
		return unauthorized("missing", "Send the header Authorization: Bearer, followed by your token or API key.", "Bearer")
	case errors.Is(err, auth.ErrMalformed):
		return unauthorized("malformed", "The Authorization header must be Bearer, a space, and one token or API key.", challenge)
	case errors.Is(err, auth.ErrExpired):
		return unauthorized("expired", "The token has expired: sign in again, or use a current API key.", challenge)
	case errors.Is(err, auth.ErrRefused):
		return unauthorized("refused", "The token is not accepted: sign in again, or use a current API key.", challenge)
	case fault.IsTimeout(err), errors.As(err, &network):
		return problem(http.StatusServiceUnavailable, "unavailable", "Try again in a moment.").with("Retry-After", "2")
	}
	return problem(http.StatusInternalServerError, "internal", "")
}

// challenge is the one of RFC 6750 for credentials that were sent.
const challenge = `Bearer error="invalid_token"`

func unauthorized(name, detail, authenticate string) *Problem {
	return problem(http.StatusUnauthorized, "token-"+name, detail).with("WWW-Authenticate", authenticate)
}

// fail answers an error, and logs it when the fault is ours.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		slog.ErrorContext(r.Context(), "request failed", "kind", fault.KindOf(err), "err", err, "pattern", r.Pattern)
	}
	p.write(w, r)
}

// send writes a JSON answer. <, > and & stay as they are: escaped, each takes
// six bytes of the platform's megabyte.
func send(w http.ResponseWriter, r *http.Request, contentType string, status int, v any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		slog.WarnContext(r.Context(), "write answer", "err", err, "pattern", r.Pattern)
	}
}

func sendJSON(w http.ResponseWriter, r *http.Request, status int, v any) error {
	send(w, r, "application/json", status, v)
	return nil
}
