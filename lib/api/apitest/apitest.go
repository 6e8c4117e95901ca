// Package apitest serves the whole API on a real Postgres in which two sites
// have every kind of row there is. Import it from tests only.
package apitest

import (
	"context"
	"crypto/rand"
	_ "embed"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"blogposter/lib/api"
	"blogposter/lib/auth"
	authjwt "blogposter/lib/auth/jwt"
	"blogposter/lib/faas"
	"blogposter/lib/markup"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
)

//go:embed site.sql
var siteSQL string

// Site is one of the two sites.
type Site struct {
	Word string // its slug, and what stands in each of its texts
	Cost string // what each amount of its articles begins with, in dollars
	ID   int64
	Keys map[auth.Role]string // API keys
}

// World is the API and what it works on.
type World struct {
	DB     storetest.DB
	Ours   Site
	Theirs Site
	Cache  api.Cache // of Handlers; nil keeps nothing
}

// Secret signs the tokens of Token.
const Secret = "a-secret-of-thirty-two-bytes-or-more"

// New fills db with two sites whose words occur nowhere else. The ids of ours
// begin at 1000, those of theirs at 900000.
func New(tb testing.TB, db storetest.DB, ours, theirs string) *World {
	tb.Helper()
	return &World{DB: db, Ours: addSite(tb, db, ours, 1000, 12_300), Theirs: addSite(tb, db, theirs, 900_000, 98_700)}
}

// Word is a site's name that no other test uses: they share a cache.
func Word(name string) string { return name + "-" + strings.ToLower(rand.Text()[:8]) }

func addSite(tb testing.TB, db storetest.DB, word string, first, cost int) Site {
	tb.Helper()
	q := strings.NewReplacer("{{word}}", word, "{{first}}", strconv.Itoa(first), "{{cost}}", strconv.Itoa(cost)).Replace(siteSQL)
	_, err := db.Owner.Exec(context.Background(), q)
	require.NoError(tb, err)
	s := Site{Word: word, Cost: fmt.Sprintf("0.%04d", cost/100), Keys: map[auth.Role]string{}}
	require.NoError(tb, db.Owner.QueryRow(context.Background(), `SELECT id FROM blogposter.sites WHERE slug = $1`, word).Scan(&s.ID))
	for _, role := range Roles {
		key, hash := auth.NewKey()
		_, err := db.Owner.Exec(context.Background(), `INSERT INTO blogposter.api_keys (site_id, name, role, hash) VALUES ($1, $2, $3, $4)`,
			s.ID, word+" "+string(role), role, hash)
		require.NoError(tb, err)
		s.Keys[role] = key
	}
	return s
}

// Roles are those that the API knows, the least trusted first.
var Roles = []auth.Role{auth.RoleViewer, auth.RoleEditor, auth.RoleReviewer, auth.RoleAdmin}

// Token is a person's, who works on sites.
func Token(tb testing.TB, role auth.Role, sites ...string) string {
	tb.Helper()
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"aud": "authenticated", "sub": "person", "exp": time.Now().Add(time.Hour).Unix(),
		"app_metadata": map[string]any{"role": role, "sites": sites},
	})
	text, err := t.SignedString([]byte(Secret))
	require.NoError(tb, err)
	return text
}

// asleep is a Waker that wakes nobody.
type asleep struct{}

func (asleep) Wake(context.Context, string) error { return nil }

// Handlers are the functions of the API, by name, as their mains wire them.
func (w *World) Handlers(tb testing.TB) map[string]http.Handler {
	tb.Helper()
	tokens, err := authjwt.New(Secret, time.Now)
	require.NoError(tb, err)
	s := store.New(w.DB.Functions)
	v := auth.NewVerifier(tokens, s)
	pins := pipeline.Pins{Prompts: "v1", Small: "claude-haiku-5-5", Large: "claude-sonnet-5-5"}
	return map[string]http.Handler{
		"articles": api.Articles{Verifier: v, Store: s, Cache: w.Cache, Retractions: s, Waker: asleep{}, Now: time.Now}.Handler(),
		"health":   api.Health(),
		"ready":    api.Ready{Timeout: time.Second, Checks: []api.Check{{Name: "postgres", Probe: s.Ping}}}.Handler(),
		"research": api.Research{Verifier: v, Store: s, Waker: asleep{}, Pins: pins, Now: time.Now}.Handler(),
		"reviews":  api.Reviews{Verifier: v, Store: s, Waker: asleep{}, Markdown: markup.Markdown, Now: time.Now}.Handler(),
		"runs":     api.Runs{Verifier: v, Store: s, Waker: asleep{}, Pins: pins, Now: time.Now}.Handler(),
		"sites":    api.Sites{Verifier: v, Store: s}.Handler(),
		"topics":   api.Topics{Verifier: v, Store: s}.Handler(),
	}
}

// Route is a route of one of the functions.
type Route struct {
	Function string
	api.Route
}

// String is the route as the OpenAPI file has it: GET /runs/{id}.
func (r Route) String() string { return r.Method + " /" + r.Function + r.Path }

// Routes lists the routes of all functions, sorted.
func Routes(functions map[string]http.Handler) []Route {
	var all []Route
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		for _, r := range api.Routes(functions[name]) {
			all = append(all, Route{Function: name, Route: r})
		}
	}
	return all
}

// Request is one request to the API. Path begins with the function's name.
type Request struct {
	Method, Path, Token, Body string
	Header                    map[string]string
}

// Send gives a request to the function that its path names.
func Send(functions map[string]http.Handler, q Request) *httptest.ResponseRecorder {
	name, rest, _ := strings.Cut(strings.TrimPrefix(q.Path, "/"), "/")
	name, query, asked := strings.Cut(name, "?")
	target := "/" + rest
	if asked {
		target += "?" + query
	}
	r := httptest.NewRequest(q.Method, target, strings.NewReader(q.Body))
	if q.Token != "" {
		r.Header.Set("Authorization", "Bearer "+q.Token)
	}
	if q.Body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.Header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	functions[name].ServeHTTP(w, r.WithContext(faas.WithActivation(r.Context(), faas.Call{Name: "/fn-1/api/" + name})))
	return w
}
