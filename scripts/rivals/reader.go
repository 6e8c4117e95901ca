package rivals

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Reader answers as the reader service does, for the pages of some Rivals: it
// asks for a key, refuses what is over the token budget, and charges.
type Reader struct {
	mu     sync.Mutex
	byHost map[string]*Rival
	reads  []string
}

// NewReader returns a Reader of the Rivals by their hosts, such as
// "127.0.0.1:8080".
func NewReader(byHost map[string]*Rival) *Reader { return &Reader{byHost: byHost} }

// Reads returns the addresses it was asked for since the last call.
func (r *Reader) Reads() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.reads
	r.reads = nil
	return got
}

// ServeHTTP implements http.Handler: GET /http://host/path.
func (r *Reader) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if !strings.HasPrefix(q.Header.Get("Authorization"), "Bearer ") {
		answer(w, http.StatusUnauthorized, map[string]any{"code": http.StatusUnauthorized, "name": "AuthenticationRequiredError", "message": "a key is needed"})
		return
	}
	address := strings.TrimPrefix(q.URL.Path, "/")
	if !strings.Contains(address, "://") { // a cleaned path has one slash left
		address = strings.Replace(address, ":/", "://", 1)
	}
	r.mu.Lock()
	r.reads = append(r.reads, address)
	rival := r.byHost[host(address)]
	r.mu.Unlock()
	title, content, warning, published := "Page not found", "# Page not found\n\nSorry, the page you were looking for does not exist.\n", "Target URL returned error 404: Not Found", ""
	if rival != nil {
		for _, p := range rival.Pages() {
			if strings.HasSuffix(address, p.Path) {
				title, content, warning, published = p.Title, p.Markdown(), "", p.Published.Format(time.RFC3339)
			}
		}
	}
	tokens := (len(content) + 3) / 4
	if budget, err := strconv.Atoi(q.Header.Get("X-Token-Budget")); err == nil && tokens > budget {
		answer(w, http.StatusConflict, map[string]any{"code": http.StatusConflict, "name": "BudgetExceededError", "message": "over the token budget"})
		return
	}
	usage := map[string]any{"tokens": tokens}
	answer(w, http.StatusOK, map[string]any{
		"code": http.StatusOK, "status": 20000, "meta": map[string]any{"usage": usage},
		"data": map[string]any{"title": title, "url": address, "content": content, "warning": warning, "publishedTime": published, "usage": usage},
	})
}

func host(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	h, _, _ := strings.Cut(rest, "/")
	return h
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
