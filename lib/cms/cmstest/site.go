// Package cmstest is a WordPress in memory, as far as this module talks to
// one, and a proxy that loses answers on purpose. The real one is used where
// WP_URL says where it is.
package cmstest

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// User and Password are what a Site accepts.
const (
	User     = "desk"
	Password = "abcd efgh ijkl"
)

// Post is one stored post.
type Post struct {
	ID                                    int64
	Type                                  string `json:"-"` // "posts" or "pages"
	Status, Slug, Title, Content, Excerpt string
	Categories, Tags                      []int64
	Picture                               int64 `json:"featured_media"`
	Meta                                  map[string]string
	dated                                 time.Time
}

// Site is a WordPress in memory.
type Site struct {
	URL string
	// Save, when set, changes a post as a plugin's filter would, whenever one
	// is stored.
	Save func(*Post)
	// Refuse, when set, says that a change is refused after the texts were
	// stored, as the real one refuses a field that the user may not write. It
	// may set them back.
	Refuse func(*Post) bool
	// Show, when set, changes the public page of a post.
	Show func(page string) string
	// Missing, when set, is the page at an address where no post is, as a cache
	// or a friendly theme answers it: with 200.
	Missing func() string
	// Capabilities of the user.
	Capabilities map[string]bool
	// Fields that the API takes for "posts" and "pages"; others are dropped.
	Fields map[string][]string
	// Namespaces of plugins.
	Namespaces []string
	// Zone and Offset are what WordPress is set to.
	Zone   string
	Offset float64
	// Squeeze, when set, changes an upload as an image plugin would.
	Squeeze func(data []byte) []byte

	mu     sync.Mutex
	files  map[int64]*File
	posts  map[int64]*Post
	terms  map[string][]string // by taxonomy; the id is the index + 1
	nextID int64
	// lastFile is the newest file's id.
	lastFile int64
	public   map[int64]bool
}

// New starts a Site that ends with the test.
func New(tb testing.TB) *Site {
	tb.Helper()
	s := &Site{
		posts: map[int64]*Post{}, files: map[int64]*File{}, terms: map[string][]string{}, public: map[int64]bool{},
		Fields: map[string][]string{}, Zone: "UTC", Capabilities: editor(),
	}
	mux := http.NewServeMux()
	const api = "/wp-json/wp/v2/"
	mux.HandleFunc("GET "+api+"users/me", s.auth(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, map[string]any{"capabilities": s.Capabilities})
	}))
	mux.HandleFunc("GET /wp-json/{$}", s.index)
	for _, kind := range []string{"posts", "pages"} {
		mux.HandleFunc("OPTIONS "+api+kind, s.options(kind))
		mux.HandleFunc("GET "+api+kind, s.auth(s.search(kind)))
		mux.HandleFunc("POST "+api+kind, s.auth(s.create(kind)))
		mux.HandleFunc("GET "+api+kind+"/{id}", s.auth(s.one(kind, s.read)))
		mux.HandleFunc("POST "+api+kind+"/{id}", s.auth(s.one(kind, s.update)))
		mux.HandleFunc("DELETE "+api+kind+"/{id}", s.auth(s.one(kind, s.remove)))
	}
	s.library(mux, api+"media")
	mux.HandleFunc("GET "+api+"{taxonomy}", s.auth(s.findTerms))
	mux.HandleFunc("POST "+api+"{taxonomy}", s.auth(s.createTerm))
	mux.HandleFunc("GET /{slug}/", s.page)
	srv := httptest.NewServer(mux)
	tb.Cleanup(srv.Close)
	s.URL = srv.URL
	return s
}

func editor() map[string]bool {
	all := map[string]bool{"manage_categories": true, "unfiltered_html": true, "upload_files": true}
	for _, kind := range []string{"posts", "pages"} {
		for _, may := range []string{"edit_", "publish_", "edit_published_", "delete_"} {
			all[may+kind] = true
		}
	}
	return all
}

// Posts lists what is stored, the oldest first.
func (s *Site) Posts() []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Post
	for _, p := range s.posts {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Post) int { return int(a.ID - b.ID) })
	return out
}

// Post returns a stored post.
func (s *Site) Post(id int64) Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.posts[id]
}

// Change edits a stored post, as a person would.
func (s *Site) Change(id int64, edit func(*Post)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(s.posts[id])
}

// WasPublic reports whether the post was ever public.
func (s *Site) WasPublic(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.public[id]
}

func (s *Site) auth(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != User || password != Password {
			refuse(w, 401, "rest_not_logged_in", "You are not currently logged in.", nil)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		next(w, r)
	}
}

func (s *Site) index(w http.ResponseWriter, _ *http.Request) {
	reply(w, 200, map[string]any{"timezone_string": s.Zone, "gmt_offset": s.Offset, "namespaces": append([]string{"wp/v2"}, s.Namespaces...)})
}

// options describes a post type. PHP writes an object without members as [].
func (s *Site) options(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		var fields any = []string{}
		if names := s.Fields[kind]; len(names) > 0 {
			described := map[string]any{}
			for _, n := range names {
				described[n] = map[string]string{"type": "string"}
			}
			fields = described
		}
		reply(w, 200, map[string]any{"schema": map[string]any{"properties": map[string]any{"meta": map[string]any{"properties": fields}}}})
	}
}

func (s *Site) one(kind string, next func(http.ResponseWriter, *http.Request, *Post)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
		p := s.posts[id]
		if p == nil || p.Type != kind {
			refuse(w, 404, "rest_post_invalid_id", "Invalid post ID.", nil)
			return
		}
		next(w, r, p)
	}
}

func (s *Site) search(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.list(kind, w, r) }
}

func (s *Site) list(kind string, w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size, _ := strconv.Atoi(q.Get("per_page"))
	page, _ := strconv.Atoi(q.Get("page"))
	var hits []*Post
	for id := int64(1); id <= s.nextID; id++ {
		p := s.posts[id]
		if p != nil && p.Type == kind && p.Status != "trash" && strings.Contains(p.Title+p.Excerpt+p.Content, q.Get("search")) {
			hits = append(hits, p)
		}
	}
	pages := (len(hits) + size - 1) / size
	w.Header().Set("X-WP-TotalPages", strconv.Itoa(pages))
	list := []any{}
	for i := (page - 1) * size; i < min(page*size, len(hits)); i++ {
		list = append(list, s.wire(hits[i]))
	}
	reply(w, 200, list)
}

func (s *Site) create(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.nextID++
		p := &Post{ID: s.nextID, Type: kind, Status: "draft", Meta: map[string]string{}}
		s.posts[p.ID] = p
		s.store(p, r)
		reply(w, 201, s.wire(p))
	}
}

func (s *Site) read(w http.ResponseWriter, _ *http.Request, p *Post) { reply(w, 200, s.wire(p)) }

func (s *Site) update(w http.ResponseWriter, r *http.Request, p *Post) {
	s.store(p, r)
	if s.Refuse != nil && s.Refuse(p) {
		refuse(w, 403, "rest_cannot_update", "Sorry, you are not allowed to edit this custom field.", nil)
		return
	}
	reply(w, 200, s.wire(p))
}

func (s *Site) remove(w http.ResponseWriter, r *http.Request, p *Post) {
	if r.URL.Query().Get("force") != "true" {
		p.Status = "trash"
		reply(w, 200, s.wire(p))
		return
	}
	delete(s.posts, p.ID)
	reply(w, 200, map[string]any{"deleted": true})
}

func (s *Site) store(p *Post, r *http.Request) {
	_ = json.NewDecoder(r.Body).Decode(p) // the field names differ in nothing but case
	for name := range p.Meta {
		if !slices.Contains(s.Fields[p.Type], name) {
			delete(p.Meta, name)
		}
	}
	if s.Save != nil {
		s.Save(p)
	}
	if p.Status != "publish" {
		return
	}
	s.public[p.ID] = true
	if p.dated.IsZero() {
		p.dated = time.Now()
	}
	for base, n := p.Slug, 2; s.taken(p); n++ {
		p.Slug = fmt.Sprintf("%s-%d", base, n)
	}
}

func (s *Site) taken(p *Post) bool {
	for _, other := range s.posts {
		if other != p && other.Status == "publish" && other.Slug == p.Slug {
			return true
		}
	}
	return false
}

func (s *Site) wire(p *Post) map[string]any {
	raw := func(text string) map[string]string { return map[string]string{"raw": text} }
	var meta any = p.Meta
	if len(p.Meta) == 0 {
		meta = []string{}
	}
	wire := map[string]any{
		"id": p.ID, "status": p.Status, "slug": p.Slug, "link": fmt.Sprintf("%s/?p=%d", s.URL, p.ID), "permalink_template": s.URL + "/%postname%/",
		"title": raw(p.Title), "content": raw(p.Content), "excerpt": raw(p.Excerpt), "featured_media": p.Picture, "meta": meta,
		"date_gmt": p.dated.UTC().Format("2006-01-02T15:04:05"),
	}
	if p.Status == "publish" {
		wire["link"] = s.address(p)
	}
	if p.Type == "posts" {
		wire["categories"], wire["tags"] = p.Categories, p.Tags
	}
	return wire
}

func (s *Site) address(p *Post) string { return s.URL + "/" + p.Slug + "/" }

func (s *Site) findTerms(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for i, name := range s.terms[r.PathValue("taxonomy")] {
		if strings.Contains(name, r.URL.Query().Get("search")) {
			list = append(list, map[string]any{"id": i + 1, "name": name})
		}
	}
	reply(w, 200, list)
}

func (s *Site) createTerm(w http.ResponseWriter, r *http.Request) {
	var in struct{ Name string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	taxonomy, name := r.PathValue("taxonomy"), html.EscapeString(in.Name)
	if i := slices.IndexFunc(s.terms[taxonomy], func(n string) bool { return strings.EqualFold(n, name) }); i >= 0 {
		refuse(w, 400, "term_exists", "A term with the name provided already exists.", map[string]any{"term_id": i + 1})
		return
	}
	s.terms[taxonomy] = append(s.terms[taxonomy], name)
	reply(w, 201, map[string]any{"id": len(s.terms[taxonomy]), "name": name})
}

var comments = regexp.MustCompile(`<!--.*?-->`)

func (s *Site) page(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, has := r.BasicAuth(); has {
		http.Error(w, "a reader sends no password", http.StatusTeapot)
		return
	}
	for _, p := range s.posts {
		if p.Status == "publish" && p.Slug == r.PathValue("slug") {
			page := "<!doctype html><title>x</title><link rel=\"canonical\" href=\"" + s.address(p) + "\" /><h1>" + p.Title + "</h1>" + comments.ReplaceAllString(p.Content, "")
			if s.Show != nil {
				page = s.Show(page)
			}
			_, _ = w.Write([]byte(page))
			return
		}
	}
	if s.Missing != nil {
		_, _ = w.Write([]byte(s.Missing()))
		return
	}
	http.NotFound(w, r)
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, code int, reason, message string, data map[string]any) {
	reply(w, code, map[string]any{"code": reason, "message": message, "data": data})
}
