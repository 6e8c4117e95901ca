package faas

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
)

// problemType is the media type of RFC 9457. The charset is spelled out
// because the platform takes a type it has no entry for, without one, for
// binary, and then tries to read the body as base64.
const problemType = "application/problem+json; charset=utf-8"

// Problem is an RFC 9457 problem document, and the error a web handler
// returns when it knows the answer. All of its text is for the caller.
type Problem struct {
	Type     string       `json:"type"`
	Title    string       `json:"title"`
	Status   int          `json:"status"`
	Detail   string       `json:"detail,omitempty"`
	Instance string       `json:"instance,omitempty"`
	Errors   []FieldError `json:"errors,omitempty"`

	// Members are what this kind of problem says beyond the others, by name.
	Members map[string]any `json:"-"`
	header  http.Header
}

// FieldError names one member of the request, what is wrong with it, and what
// to send instead.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
	Fix    string `json:"fix"`
}

// NewProblem makes a document whose type is our own name for what went wrong.
func NewProblem(status int, name, detail string) *Problem {
	return &Problem{Type: "urn:blogposter:problem:" + name, Title: http.StatusText(status), Status: status, Detail: detail}
}

// With adds a header to the answer.
func (p *Problem) With(name, value string) *Problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
	return p
}

func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// MarshalJSON puts Members beside the members that every problem has, which
// they can't replace.
func (p Problem) MarshalJSON() ([]byte, error) {
	type plain Problem // without this method
	body, err := marshal(plain(p))
	if err != nil || len(p.Members) == 0 {
		return body, err
	}
	doc := maps.Clone(p.Members)
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	return marshal(doc)
}

// ServeHTTP writes the document.
func (p *Problem) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	doc := *p
	if c := Activation(r.Context()); c.ID != "" {
		doc.Instance = "urn:activation:" + c.ID // what to search the logs for
	}
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("Cache-Control", "no-store")
	maps.Copy(w.Header(), p.header)
	w.WriteHeader(p.Status)
	body, err := marshal(doc)
	if err == nil {
		_, err = w.Write(body)
	}
	if err != nil {
		slog.WarnContext(r.Context(), "write problem document", "err", err, "pattern", r.Pattern)
	}
}

// internal is the answer to a fault of ours, which tells the caller nothing.
func internal() *Problem { return NewProblem(http.StatusInternalServerError, "internal", "") }

// problemReply is p as a whole answer, for faults outside any handler.
func problemReply(ctx context.Context, p *Problem) webReply {
	w := newWriter()
	p.ServeHTTP(w, (&http.Request{}).WithContext(ctx))
	return webReply{StatusCode: p.Status, Headers: flatten(w.sent), Body: w.body.String()}
}
