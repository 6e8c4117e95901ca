package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"time"

	"blogposter/lib/auth"
	"blogposter/lib/faas"
)

// Cache keeps answers for a while, or loses them; cache.Cache is one. up is
// false when it can't be reached, so that nothing more is asked of it.
type Cache interface {
	Find(ctx context.Context, key string) (value []byte, found, up bool)
	Keep(ctx context.Context, key string, value []byte, ttl time.Duration)
}

// How long an answer may be kept (SPEC section 3).
const (
	answerTTL = 300 * time.Second
	searchTTL = 3600 * time.Second
)

// answerFormat is raised when an answer says something else although neither
// its fields nor what Postgres holds has changed: two releases may share a
// cache.
const answerFormat = "1"

// reader is what a cached answer is made of: for whom, of which site, and
// from which state of it. A nil cache keeps nothing.
type reader struct {
	cache    Cache
	revision func(ctx context.Context, site string) (string, error)
	who      auth.Principal
	site     string // the one that was chosen for who
	ttl      time.Duration
}

// sendCached answers with what load finds, or with what it found before for
// the same question, role and revision of the site. It comes after every check
// of who asks. The revision is read before the answer's data, so an answer is
// never older than what its key says.
func sendCached[T any](w http.ResponseWriter, r *http.Request, q *query, rd reader, load func() (T, error)) error {
	if rd.cache == nil {
		found, err := load()
		if err != nil {
			return err
		}
		return sendJSON(w, r, http.StatusOK, found)
	}
	revision, err := rd.revision(r.Context(), rd.site)
	if err != nil {
		return err
	}
	key := rd.key(r, q, revision, reflect.TypeFor[T]())
	kept, found, up := rd.cache.Find(r.Context(), key)
	if link, body, whole := bytes.Cut(kept, []byte("\n")); found && whole {
		return sendBody(w, r, http.StatusOK, string(link), body)
	}
	v, err := load()
	if err != nil {
		return err
	}
	link, body, err := encode(v)
	if err != nil {
		return err
	}
	if up {
		rd.cache.Keep(r.Context(), key, append([]byte(link+"\n"), body...), rd.ttl)
	}
	return sendBody(w, r, http.StatusOK, link, body)
}

// key names the site, for who looks into Redis, and hides what was asked.
func (rd reader) key(r *http.Request, q *query, revision string, answer reflect.Type) string {
	h := sha256.New()
	for _, part := range []string{
		answerFormat, shapeOf(answer),
		faas.Activation(r.Context()).Name, // links in the answer begin with its namespace
		r.URL.Path, q.normal(), rd.site, string(rd.who.Role), revision,
	} {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return "bp:answer:" + rd.site + ":" + hex.EncodeToString(h.Sum(nil))
}

// shapes keeps what shapeOf found: a type doesn't change while a process lives.
var shapes sync.Map

func shapeOf(t reflect.Type) string {
	if known, ok := shapes.Load(t); ok {
		return known.(string)
	}
	s := shape(t, nil)
	shapes.Store(t, s)
	return s
}

// shape spells a type out, field by field, so that a release whose answers
// have other fields doesn't take them for its own. around are the types that t
// is part of.
func shape(t reflect.Type, around []reflect.Type) string {
	for _, a := range around {
		if a == t {
			return t.String()
		}
	}
	around = append(around, t)
	switch t.Kind() { //nolint:exhaustive // the others have no parts
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return "[" + shape(t.Elem(), around) + "]"
	case reflect.Map:
		return "map[" + shape(t.Elem(), around) + "]"
	case reflect.Struct:
		text := t.String() + "{"
		for i := range t.NumField() {
			f := t.Field(i)
			text += f.Name + " " + string(f.Tag) + " " + shape(f.Type, around) + ";"
		}
		return text + "}"
	}
	return t.String()
}
