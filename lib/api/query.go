package api

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"blogposter/lib/auth"
	"blogposter/lib/faas"
	"blogposter/lib/view"
)

const (
	defaultLimit = 20
	maxLimit     = 100
)

// query reads a request's parameters and collects what is wrong with them.
// One it isn't asked for is refused: a misspelt filter would otherwise answer
// with everything.
type query struct {
	values url.Values
	asked  []string
	errs   []faas.FieldError
}

func newQuery(r *http.Request) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.fault("query", "is not readable", "escape each value, and part them by &")
	}
	return q
}

func (q *query) fault(field, detail, fix string) {
	q.errs = append(q.errs, faas.FieldError{Field: field, Detail: detail, Fix: fix})
}

func (q *query) text(name string) string {
	q.asked = append(q.asked, name)
	if len(q.values[name]) > 1 {
		q.fault(name, "is given more than once", "give it once")
	}
	return q.values.Get(name)
}

// page reads limit and cursor.
func (q *query) page() view.Page {
	p := view.Page{Limit: defaultLimit}
	if text := q.text("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			q.fault("limit", "is out of range", fmt.Sprintf("a whole number from 1 to %d", maxLimit))
		}
		p.Limit = n
	}
	if text := q.text("cursor"); text != "" {
		id, ok := parseCursor(text)
		if !ok {
			q.fault("cursor", "is not one of ours", "send next_cursor of the page before, as it is, or leave it out to begin at the start")
		}
		p.After = id
	}
	return p
}

// one reads a parameter whose values are listed; empty means any.
func one[T ~string](q *query, name string, allowed []T) T {
	v := T(q.text(name))
	if v != "" && !slices.Contains(allowed, v) {
		q.fault(name, "is not known", "one of "+joined(allowed))
	}
	return v
}

// err reports what was wrong, parameters nobody asked for included.
func (q *query) err() error {
	for name := range q.values {
		if !slices.Contains(q.asked, name) {
			q.fault(name, "is not a parameter of this address", "leave it out, or use one of "+strings.Join(q.asked, ", "))
		}
	}
	if len(q.errs) == 0 {
		return nil
	}
	slices.SortFunc(q.errs, func(a, b faas.FieldError) int { return strings.Compare(a.Field, b.Field) })
	return invalid(q.errs...)
}

// site ends the reading of parameters where site is the only one.
func (q *query) site(p auth.Principal) (string, error) {
	named := q.text("site")
	if err := q.err(); err != nil {
		return "", err
	}
	return chooseSite(p, named)
}

func joined[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}

// list is one page of a resource.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next_cursor,omitempty"` // absent on the last page
}

// newList makes a page of what was found, which is one more than limit when
// there is another page.
func newList[T any](found []T, limit int, id func(T) int64) list[T] {
	if len(found) <= limit {
		return list[T]{Items: append([]T{}, found...)} // [], never null
	}
	found = found[:limit]
	return list[T]{Items: found, Next: formatCursor(id(found[limit-1]))}
}

const cursorVersion = 1

// formatCursor hides the id a page ended at, so that nobody builds cursors by
// hand and the order of a list can change.
func formatCursor(id int64) string {
	b := binary.AppendVarint([]byte{cursorVersion}, id)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor takes what formatCursor made, and only that.
func parseCursor(s string) (int64, bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 2 || b[0] != cursorVersion {
		return 0, false
	}
	id, _ := binary.Varint(b[1:])
	if id < 1 || formatCursor(id) != s { // no other spelling, and nothing behind it
		return 0, false
	}
	return id, true
}
