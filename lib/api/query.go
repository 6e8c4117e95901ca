package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
	address string // of the resource, as callers reach it
	list    string // the resource's name
	values  url.Values
	asked   []string
	errs    []faas.FieldError

	chosen string // site; set by site
	after  int64  // what the cursor says; 0 without one
}

func newQuery(r *http.Request) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: values, address: linksOf(r).self(r), list: path.Base(faas.Activation(r.Context()).Name) + r.URL.Path}
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
		id, ok := positionOf(text)
		if !ok {
			q.errs = append(q.errs, badCursor)
		}
		p.After, q.after = id, id
	}
	return p
}

var badCursor = faas.FieldError{
	Field: "cursor", Detail: "is not one of this list",
	Fix: "send next_cursor of the page before, as it is and with the same other parameters, or leave it out to begin at the start",
}

const (
	minWords = 2
	maxWords = 200
)

// words reads what to search for, with single spaces; "" when it isn't asked
// for.
func (q *query) words(name string) string {
	if len(q.values[name]) == 0 {
		q.asked = append(q.asked, name)
		return ""
	}
	text := strings.Join(strings.Fields(q.text(name)), " ")
	if n := utf8.RuneCountInString(text); n < minWords || n > maxWords || !isLine(text) {
		q.fault(name, "is not something to search for", fmt.Sprintf("send words, %d to %d characters", minWords, maxWords))
		return ""
	}
	q.values.Set(name, text)
	return text
}

// normal spells the parameters in one way, whatever their order. The site is
// among them although it may go without saying: the links in an answer name it
// just where the request did.
func (q *query) normal() string { return q.values.Encode() }

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
			fix := "leave it out"
			if len(q.asked) > 0 {
				fix += ", or use one of " + strings.Join(q.asked, ", ")
			}
			q.fault(name, "is not a parameter of this address", fix)
		}
	}
	if len(q.errs) == 0 {
		return nil
	}
	slices.SortFunc(q.errs, func(a, b faas.FieldError) int { return strings.Compare(a.Field, b.Field) })
	return invalid(q.errs...)
}

// site ends the reading of parameters where site is the only one that is left.
func (q *query) site(p auth.Principal) (string, error) {
	named := q.text("site")
	if err := q.err(); err != nil {
		return "", err
	}
	slug, err := chooseSite(p, named)
	if err != nil {
		return "", err
	}
	q.chosen = slug
	if q.after != 0 && q.cursor(q.after) != q.values.Get("cursor") {
		return "", invalid(badCursor)
	}
	return slug, nil
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
	next  string // the next page's address
}

// link is the header that leads to the next page (RFC 8288).
func (l list[T]) link() string {
	if l.next == "" {
		return ""
	}
	return "<" + l.next + `>; rel="next"`
}

// newList makes a page of what was found, which is one more than limit when
// there is another page. id is what the next page begins after.
func newList[T any](q *query, found []T, limit int, id func(T) int64) list[T] {
	if len(found) <= limit {
		return list[T]{Items: append([]T{}, found...)} // [], never null
	}
	found = found[:limit]
	cursor := q.cursor(id(found[limit-1]))
	v := maps.Clone(q.values)
	v.Set("cursor", cursor)
	return list[T]{Items: found, Next: cursor, next: q.address + "?" + v.Encode()}
}

const (
	cursorVersion = 2
	cursorCheck   = 8 // bytes
)

// cursor hides the id a page ended at, so that nobody builds cursors by hand
// and the order of a list can change. It holds for this list alone: the same
// resource, site and filters. A check is enough where a signature would guard
// nothing: whatever a cursor says, a site sees only its own rows.
func (q *query) cursor(id int64) string {
	v := maps.Clone(q.values)
	for _, name := range []string{"cursor", "limit", "site"} {
		v.Del(name)
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{q.list, q.chosen, v.Encode(), strconv.FormatInt(id, 10)}, "\n")))
	b := binary.AppendVarint([]byte{cursorVersion}, id)
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:cursorCheck]...))
}

// positionOf reads the id in a cursor, before it is known whether the cursor
// belongs to this list.
func positionOf(s string) (int64, bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 2+cursorCheck || b[0] != cursorVersion {
		return 0, false
	}
	id, _ := binary.Varint(b[1:])
	return id, id > 0
}
