package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// held keeps the answer to a GET back until it is known whether the caller has
// it already.
type held struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *held) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *held) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(b)
}

// send answers with what was held, or with 304 when the caller has it. A
// caller may keep what is its own (private), and asks each time whether it
// still holds.
func (h *held) send(r *http.Request, private bool) {
	if h.status == http.StatusOK {
		tag := etagOf(h.body.Bytes())
		h.Header().Set("ETag", tag)
		if private {
			h.Header().Set("Cache-Control", "private, no-cache")
			h.Header().Set("Vary", "Authorization")
		}
		if named(r.Header.Values("If-None-Match"), tag, weakly) {
			h.Header().Del("Content-Type")
			h.status = http.StatusNotModified
		}
	}
	h.ResponseWriter.WriteHeader(h.status)
	if r.Method != http.MethodHead && h.status != http.StatusNotModified {
		_, _ = h.ResponseWriter.Write(h.body.Bytes()) // a caller who has gone needs no answer
	}
}

// etagOf is the strong entity tag of a body: equal tags, equal bytes.
func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
}

// How two entity tags are compared (RFC 9110 section 8.8.3.2). What is between
// us and the caller may have weakened a strong tag, by compressing the body.
func weakly(theirs, ours string) bool   { return strings.TrimPrefix(theirs, "W/") == ours }
func strongly(theirs, ours string) bool { return theirs == ours }

// named reports whether a list of entity tags, which may be spread over
// several headers, has ours in it, or is the * that stands for any. Reading
// ends at what is no entity tag.
func named(headers []string, ours string, equal func(theirs, ours string) bool) bool {
	rest := strings.Join(headers, ",")
	if strings.TrimSpace(rest) == "*" {
		return true
	}
	for {
		rest = strings.TrimLeft(rest, " \t,")
		mark := 0
		if strings.HasPrefix(rest, "W/") {
			mark = 2
		}
		if len(rest) <= mark || rest[mark] != '"' {
			return false
		}
		end := strings.IndexByte(rest[mark+1:], '"')
		if end < 0 {
			return false
		}
		end += mark + 2
		if equal(rest[:end], ours) {
			return true
		}
		rest = rest[end:]
	}
}
