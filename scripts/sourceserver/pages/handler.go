package pages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	_ "embed"
)

// Config is what a Handler serves.
type Config struct {
	Pages []Page
	Log   io.Writer // a JSON line for each call of the reader; nil for none
}

// Handler serves the pages.
type Handler struct {
	pages  []Page
	byURL  map[string]Page
	bySlug map[string]Page
	log    *record
}

// New returns a Handler, or says which two pages claim the same address.
func New(cfg Config) (*Handler, error) {
	if len(cfg.Pages) == 0 {
		return nil, errors.New("no pages to serve: put *.md files with a URL Source line into the folder")
	}
	h := &Handler{pages: cfg.Pages, byURL: map[string]Page{}, bySlug: map[string]Page{}, log: &record{out: cfg.Log}}
	for _, p := range cfg.Pages {
		u, err := url.Parse(p.URL)
		if err != nil {
			return nil, err
		}
		if other, ok := h.byURL[normal(u)]; ok {
			return nil, fmt.Errorf("%s/%s.md and %s/%s.md have the same URL Source %s: remove one", other.Dir, other.Slug, p.Dir, p.Slug, p.URL)
		}
		h.byURL[normal(u)] = p
		if p.Local {
			h.bySlug[strings.TrimPrefix(u.Path, "/")] = p
		} else if _, taken := h.bySlug[p.Slug]; !taken {
			h.bySlug[p.Slug] = p
		}
	}
	return h, nil
}

var slashes = regexp.MustCompile(`^(https?):/+`) // proxies fold two slashes into one

// ServeHTTP answers GET alone. It doesn't use a ServeMux, which would redirect
// /reader/https://… to a path without the double slash.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "only GET is served", http.StatusMethodNotAllowed)
	case strings.HasPrefix(path, "/reader/"):
		h.read(w, r)
	case path == "/index.json":
		h.index(w, r)
	case path == "/_log":
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = w.Write(h.log.all())
	case path == "/":
		h.html(w, http.StatusOK, view{Title: "Source pages", List: h.pages})
	default:
		h.page(w, strings.Trim(path, "/"))
	}
}

// index lists the pages, or those of one folder, for a program that registers
// them as sources.
func (h *Handler) index(w http.ResponseWriter, r *http.Request) {
	type item struct {
		URL   string `json:"url"`
		Title string `json:"title"`
		Tier  string `json:"tier,omitempty"`
	}
	list := []item{}
	dir := r.URL.Query().Get("dir")
	for _, p := range h.pages {
		if dir == "" || p.Dir == filepath.Clean(dir) {
			list = append(list, item{URL: p.URL, Title: p.Title, Tier: p.Tier})
		}
	}
	writeJSON(w, http.StatusOK, list)
}

//go:embed page.html
var layout string

var page = template.Must(template.New("page").Parse(layout))

// render leaves out raw HTML and unsafe addresses, which is goldmark's default.
var render = goldmark.New(goldmark.WithExtensions(extension.Table))

type view struct {
	Title     string
	Elsewhere string // the page's own address, when it is not this server's
	Published string
	Body      template.HTML
	List      []Page
}

func (h *Handler) page(w http.ResponseWriter, slug string) {
	p, ok := h.bySlug[slug]
	if !ok {
		p = unknown(&url.URL{Host: "this server", Path: "/" + slug})
	}
	status := http.StatusOK
	if strings.Contains(p.Warning, "returned error 404") {
		status = http.StatusNotFound
	}
	var body bytes.Buffer
	if err := render.Convert([]byte(p.Content), &body); err != nil {
		http.Error(w, "the page can't be rendered: "+err.Error(), http.StatusInternalServerError)
		return
	}
	v := view{Title: p.Title, Published: p.Published, Body: template.HTML(body.String())} //nolint:gosec // goldmark escapes what it renders
	if !p.Local && ok {
		v.Elsewhere = p.URL
	}
	h.html(w, status, v)
}

func (h *Handler) html(w http.ResponseWriter, status int, v view) {
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// call is one line of the log. The key is only told apart from others.
type call struct {
	At     time.Time `json:"at"`
	URL    string    `json:"url"`
	Tokens int       `json:"tokens"`
	Key    string    `json:"key"`
}

// record is written before a call is answered, so that no answer is missing
// from it.
type record struct {
	mu    sync.Mutex
	out   io.Writer
	lines bytes.Buffer
}

func (l *record) add(c call) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out != nil {
		if _, err := l.out.Write(line); err != nil {
			return err
		}
	}
	_, err = l.lines.Write(line)
	return err
}

func (l *record) all() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.lines.Bytes())
}
