package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"blogposter/lib/auth"
	"blogposter/lib/faas"
	"blogposter/lib/fault"
	"blogposter/lib/view"
)

// invalid is a 400 that lists every field at once.
func invalid(errs ...faas.FieldError) *faas.Problem {
	p := faas.NewProblem(http.StatusBadRequest, "invalid-request", "The request is not in order; errors names each field and what to send instead.")
	p.Errors = errs
	return p
}

func notFound(what string) *faas.Problem {
	return faas.NewProblem(http.StatusNotFound, "not-found", what)
}

// problemOf chooses the answer for an error. Only a Problem's text is for the
// caller: any other may hold an address or a query, and is only logged.
func problemOf(err error) *faas.Problem {
	var p *faas.Problem
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
	case fault.RetryAfter(err) > 0:
		return unavailable(fault.RetryAfter(err))
	case fault.IsTimeout(err), errors.As(err, &network):
		return unavailable(moment)
	}
	return faas.NewProblem(http.StatusInternalServerError, "internal", "")
}

// moment is how long a server that didn't answer is left alone.
const moment = 2 * time.Second

func unavailable(wait time.Duration) *faas.Problem {
	return faas.NewProblem(http.StatusServiceUnavailable, "unavailable", "Try again in a moment.").With("Retry-After", retryAfter(wait))
}

// challenge is the one of RFC 6750 for credentials that were sent.
const challenge = `Bearer error="invalid_token"`

func unauthorized(name, detail, authenticate string) *faas.Problem {
	return faas.NewProblem(http.StatusUnauthorized, "token-"+name, detail).With("WWW-Authenticate", authenticate)
}

// fail answers an error, and logs it when the fault is ours.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		slog.ErrorContext(r.Context(), "request failed", "kind", fault.KindOf(err), "err", err, "pattern", r.Pattern)
	}
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", retryAfter(moment)) // unless the problem says otherwise
	}
	p.ServeHTTP(w, r)
}

// retryAfter is a wait as the header says it: whole seconds, at least one.
func retryAfter(wait time.Duration) string {
	return strconv.FormatInt(max(1, int64((wait+time.Second-1)/time.Second)), 10)
}

// sendJSON answers with v.
func sendJSON(w http.ResponseWriter, r *http.Request, status int, v any) error {
	link, body, err := encode(v)
	if err != nil {
		return err
	}
	return sendBody(w, r, status, link, body)
}

// encode makes the body of an answer, and the Link that belongs to it. <, >
// and & stay as they are: escaped, each takes six bytes of the platform's
// megabyte.
func encode(v any) (link string, body []byte, err error) {
	if l, ok := v.(interface{ link() string }); ok {
		link = l.link()
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err = enc.Encode(v)
	return link, b.Bytes(), err
}

func sendBody(w http.ResponseWriter, r *http.Request, status int, link string, body []byte) error {
	if link != "" {
		w.Header().Set("Link", link)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil { //nolint:gosec // JSON, which nosniff keeps from being read as HTML
		slog.WarnContext(r.Context(), "write answer", "err", err, "pattern", r.Pattern)
	}
	return nil
}
