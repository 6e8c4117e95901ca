package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// read answers as the reader service does. A page it doesn't have is one that
// answered 404: status 200, with the error page's text and a warning.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || !strings.HasPrefix(key, "offline-") {
		h.refuse(w, http.StatusUnauthorized, 40103, "AuthenticationRequiredError", "This is the offline stand-in of a reader: use a key that begins with offline-")
		return
	}
	asked := strings.TrimPrefix(r.URL.Path, "/reader/")
	if r.URL.RawQuery != "" {
		asked += "?" + r.URL.RawQuery
	}
	u, err := url.Parse(slashes.ReplaceAllString(asked, "$1://"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		h.refuse(w, http.StatusBadRequest, 40001, "ParamValidationError", "Invalid URL")
		return
	}
	p, ok := h.byURL[normal(u)]
	if !ok {
		p = unknown(u)
	}
	tokens := Tokens(p.Content)
	if budget, err := strconv.Atoi(r.Header.Get("X-Token-Budget")); err == nil && tokens > budget {
		h.refuse(w, http.StatusConflict, 40904, "BudgetExceededError", fmt.Sprintf("Token budget (%d) exceeded, intended charge amount %d", budget, tokens))
		return
	}
	sum := sha256.Sum256([]byte(key))
	if err := h.log.add(call{At: time.Now().UTC(), URL: u.String(), Tokens: tokens, Key: hex.EncodeToString(sum[:6])}); err != nil {
		h.refuse(w, http.StatusInternalServerError, 50000, "InternalServerError", "the call could not be logged: "+err.Error())
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		writeJSON(w, http.StatusOK, answer(p, u.String(), tokens))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("X-Usage-Tokens", strconv.Itoa(tokens))
	_, _ = w.Write([]byte(textForm(p, u.String()))) //nolint:gosec // plain text, and a page never runs as HTML
}

func answer(p Page, address string, tokens int) map[string]any {
	usage := map[string]any{"tokens": tokens}
	data := map[string]any{
		"title": p.Title, "description": "", "url": address, "content": p.Content,
		"metadata": map[string]any{}, "external": map[string]any{}, "usage": usage,
	}
	if p.Published != "" {
		data["publishedTime"] = p.Published
	}
	if p.Warning != "" {
		data["warning"] = p.Warning
	}
	return map[string]any{"code": http.StatusOK, "status": 20000, "data": data, "meta": map[string]any{"usage": usage}}
}

func textForm(p Page, address string) string {
	var b strings.Builder
	for _, line := range []struct{ key, value string }{
		{"Title", p.Title}, {"URL Source", address}, {"Published Time", p.Published}, {"Warning", p.Warning},
	} {
		if line.value != "" {
			fmt.Fprintf(&b, "%s: %s\n\n", line.key, line.value)
		}
	}
	return b.String() + "Markdown Content:\n" + p.Content
}

func (h *Handler) refuse(w http.ResponseWriter, code, status int, name, message string) {
	writeJSON(w, code, map[string]any{
		"data": nil, "code": code, "status": status, "name": name, "message": message, "readableMessage": name + ": " + message,
	})
}

func writeJSON(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// Tokens is about what a tokenizer makes of Markdown in English.
func Tokens(s string) int { return (len(s) + 3) / 4 }

func unknown(u *url.URL) Page {
	return Page{
		Title: "Page not found", Warning: "Target URL returned error 404: Not Found",
		Content: "# Page not found\n\nSorry, there is no page at " + u.Path + " on " + u.Host + ".\n\n*   [Home](/)\n",
	}
}

// normal is the form in which addresses are compared.
func normal(u *url.URL) string {
	s := strings.ToLower(u.Host) + strings.TrimSuffix(u.EscapedPath(), "/")
	if u.RawQuery != "" {
		s += "?" + u.RawQuery
	}
	return s
}
