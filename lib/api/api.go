// Package api answers the HTTP API: one http.Handler for each resource, whose
// paths are what follows the function's name. Every error is an RFC 9457
// problem document that names the field and the fix.
//
// A handler needs a Verifier and one small interface of its own; the store
// satisfies them, and health links neither.
package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"

	"blogposter/lib/auth"
	"blogposter/lib/faas"
)

// Verifier says who sent a request; auth.Verifier is one.
type Verifier interface {
	Verify(ctx context.Context, authorization []string) (auth.Principal, error)
}

// links makes the addresses that answers point to. base is the public path of
// the API, without a trailing slash.
type links struct{ base string }

// linksOf follows the platform's own web addresses: a function is told no more
// than its name, and nothing stands in front of it.
func linksOf(r *http.Request) links {
	name := faas.Activation(r.Context()).Name // /namespace/package/function
	if name == "" {
		return links{}
	}
	return links{base: "/api/v1/web" + path.Dir(name)}
}

// self is the address that was asked for.
func (l links) self(r *http.Request) string {
	if l.base == "" {
		return r.URL.Path
	}
	return strings.TrimSuffix("/api/v1/web"+faas.Activation(r.Context()).Name+r.URL.Path, "/")
}

func (l links) run(id int64) string     { return fmt.Sprintf("%s/runs/%d", l.base, id) }
func (l links) review(id int64) string  { return fmt.Sprintf("%s/reviews/%d", l.base, id) }
func (l links) article(id int64) string { return fmt.Sprintf("%s/articles/%d", l.base, id) }
func (l links) topic(id int64) string   { return fmt.Sprintf("%s/topics/%d", l.base, id) }
func (l links) site(slug string) string { return l.base + "/sites/" + slug } // a slug is a path as it is

// action serves one route for a Principal who may use it.
type action func(w http.ResponseWriter, r *http.Request, p auth.Principal) error

// Route is one thing that a handler of this package serves.
type Route struct {
	Method string
	Path   string    // below the function's own, such as /{id}; "" for the function's
	Role   auth.Role // the least trusted one that may use it; "" for everybody
}

// Routes lists what a handler of this package serves, in the order it was
// made; nothing for any other handler.
func Routes(h http.Handler) []Route {
	if rt, ok := h.(*router); ok {
		return rt.routes
	}
	return nil
}

// router adds to a ServeMux what every answer needs.
type router struct {
	mux      *http.ServeMux
	verifier Verifier
	routes   []Route
}

func newRouter(v Verifier) *router { return &router{mux: http.NewServeMux(), verifier: v} }

// private adds a route that takes a Principal whose role may do a.
func (rt *router) private(pattern string, a auth.Action, serve action) {
	rt.add(pattern, a.Needs(), func(w http.ResponseWriter, r *http.Request) error {
		p, err := rt.verifier.Verify(r.Context(), r.Header.Values("Authorization"))
		if err != nil {
			return err
		}
		if !p.Role.Can(a) {
			return faas.NewProblem(http.StatusForbidden, "role", fmt.Sprintf("Your role is %s; %s takes the role %s.", p.Role, a, a.Needs()))
		}
		return serve(w, r, p)
	})
}

// public adds a route for everybody.
func (rt *router) public(pattern string, serve func(w http.ResponseWriter, r *http.Request) error) {
	rt.add(pattern, "", serve)
}

func (rt *router) add(pattern string, role auth.Role, serve func(w http.ResponseWriter, r *http.Request) error) {
	method, path, _ := strings.Cut(pattern, " ")
	rt.routes = append(rt.routes, Route{Method: method, Path: strings.TrimSuffix(strings.TrimSuffix(path, "{$}"), "/"), Role: role})
	rt.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if method != http.MethodGet {
			answer(w, r, serve)
			return
		}
		h := &held{ResponseWriter: w}
		answer(h, r, serve)
		h.send(r, role != "")
	})
}

func answer(w http.ResponseWriter, r *http.Request, serve func(w http.ResponseWriter, r *http.Request) error) {
	if err := serve(w, r); err != nil {
		fail(w, r, err)
	}
}

func (rt *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	w.Header().Set("X-Request-Id", requestID(r))
	if r.URL.Path == "" {
		r = r.Clone(r.Context())
		r.URL.Path = "/"
	}
	if err := rt.unserved(r); err != nil {
		fail(w, r, err)
		return
	}
	rt.mux.ServeHTTP(w, r)
}

// unserved is the problem with a request that no route takes. The mux would
// answer it in plain text, and redirect an unclean path to an address that
// lacks the function's name.
func (rt *router) unserved(r *http.Request) error {
	none := notFound("There is nothing at this address.")
	if path.Clean(r.URL.Path) != strings.TrimSuffix(r.URL.Path, "/") && r.URL.Path != "/" {
		return none
	}
	h, pattern := rt.mux.Handler(r)
	if pattern != "" {
		return nil
	}
	answer := refusal{header: http.Header{}}
	h.ServeHTTP(&answer, r)
	if answer.status != http.StatusMethodNotAllowed {
		return none
	}
	allow := answer.header.Get("Allow")
	return faas.NewProblem(http.StatusMethodNotAllowed, "method", "This address takes "+allow+".").With("Allow", allow)
}

// refusal takes down what the mux says to a request it has no route for.
type refusal struct {
	header http.Header
	status int
}

func (f *refusal) Header() http.Header         { return f.header }
func (f *refusal) WriteHeader(status int)      { f.status = status }
func (f *refusal) Write(b []byte) (int, error) { return len(b), nil }

// secure sets the headers of SPEC section 7. What is only true at this moment
// is kept by no cache; held lets a caller keep what it reads.
func secure(h http.Header) {
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-XSS-Protection", "1; mode=block")
	h.Set("Content-Security-Policy", "default-src 'self'")
	h.Set("Cache-Control", "no-store")
}

var requestIDShape = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// requestID is the edge's, else the platform's, else a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); requestIDShape.MatchString(id) {
		return id
	}
	if c := faas.Activation(r.Context()); c.ID != "" {
		return c.ID
	}
	return rand.Text()
}

// pathID is the positive id in the path; anything else is an address that
// leads nowhere.
func pathID(r *http.Request, name string) (int64, error) {
	text := r.PathValue(name)
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 || strconv.FormatInt(id, 10) != text {
		return 0, notFound("There is nothing at this address: an id is a whole number, such as 7.")
	}
	return id, nil
}

// chooseSite is the site to work on.
func chooseSite(p auth.Principal, named string) (string, error) {
	slug, err := p.Site(named)
	switch {
	case errors.Is(err, auth.ErrSiteNeeded):
		return "", invalid(faas.FieldError{
			Field: "site", Detail: "you work on several sites, and none is named",
			Fix: "name one of " + strings.Join(p.Sites, ", "),
		})
	case err != nil:
		return "", notFound("There is no such site.")
	}
	return slug, nil
}
