package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api"
	"blogposter/lib/faas"
	"blogposter/lib/view"
)

// drawer is a Cache in memory, or one that can't be reached.
type drawer struct {
	kept map[string][]byte
	ttls []time.Duration
	away bool
}

func (d *drawer) Find(_ context.Context, key string) ([]byte, bool, bool) {
	v, ok := d.kept[key]
	return v, ok && !d.away, !d.away
}

func (d *drawer) Keep(_ context.Context, key string, value []byte, ttl time.Duration) {
	if d.kept == nil {
		d.kept = map[string][]byte{}
	}
	d.kept[key] = value
	d.ttls = append(d.ttls, ttl)
}

// counted counts what reaches the shelf.
type counted struct {
	shelf
	loads int
}

func (c *counted) Articles(ctx context.Context, site string, p view.Page) ([]view.Article, error) {
	c.loads++
	return c.shelf.Articles(ctx, site, p)
}

func (c *counted) Article(ctx context.Context, site string, id int64) (view.CheckedArticle, error) {
	c.loads++
	return c.shelf.Article(ctx, site, id)
}

func TestArticles_answersFromTheCacheTheSameAsWithout(t *testing.T) {
	t.Parallel()

	for _, target := range []string{"/", "/?limit=2", "/?q=dogs+on&limit=1", "/2"} {
		s, d := &counted{}, &drawer{}
		h := api.Articles{Verifier: door{}, Store: s, Cache: d}.Handler()
		without := ask(api.Articles{Verifier: door{}, Store: &counted{}}.Handler(), "viewer", http.MethodGet, target, "")
		require.Equal(t, http.StatusOK, without.Code)

		cold := ask(h, "viewer", http.MethodGet, target, "")
		require.Len(t, d.kept, 1, target)
		loads := s.loads
		warm := ask(h, "viewer", http.MethodGet, target, "")
		require.Equal(t, loads, s.loads, "the second one is not looked up")
		for _, w := range []*httptest.ResponseRecorder{cold, warm} {
			w.Header().Set("X-Request-Id", without.Header().Get("X-Request-Id"))
			require.Equal(t, without.Header(), w.Header(), target)
			require.Equal(t, without.Body.String(), w.Body.String(), target)
		}
		w := ask(h, "viewer", http.MethodGet, target, "", "If-None-Match", cold.Header().Get("ETag"))
		require.Equal(t, http.StatusNotModified, w.Code)
	}
}

func TestArticles_keepsSearchesLonger(t *testing.T) {
	t.Parallel()

	s, d := &counted{}, &drawer{}
	h := api.Articles{Verifier: door{}, Store: s, Cache: d}.Handler()
	for _, target := range []string{"/", "/2", "/?q=%20dogs%20%20on%20trains"} {
		require.Equal(t, http.StatusOK, ask(h, "viewer", http.MethodGet, target, "").Code)
	}
	require.Equal(t, []time.Duration{300 * time.Second, 300 * time.Second, time.Hour}, d.ttls)
	require.Equal(t, "dogs on trains", s.words)
}

func TestArticles_cachesEachAnswerApart(t *testing.T) {
	t.Parallel()

	s, d := &counted{}, &drawer{}
	h := api.Articles{Verifier: door{}, Store: s, Cache: d}.Handler()
	get := func(token, target, function string) {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(faas.WithActivation(r.Context(), faas.Call{Name: function})))
		require.Equal(t, http.StatusOK, w.Code)
	}
	const here = "/fn-7/api/articles"
	steps := []struct {
		name            string
		token, target   string
		function, state string
		want            int // answers kept
	}{
		{"the first", "viewer", "/?limit=2&q=dogs", here, "1", 1},
		{"the same, in another order", "viewer", "/?q=dogs&limit=2", here, "1", 1},
		{"another role", "editor", "/?limit=2&q=dogs", here, "1", 2},
		{"another site", "many", "/?limit=2&q=dogs&site=cats", here, "1", 3},
		{"another page", "viewer", "/?limit=1&q=dogs", here, "1", 4},
		{"other words", "viewer", "/?limit=2&q=cats", here, "1", 5},
		{"another article", "viewer", "/2", here, "1", 6},
		{"and another", "viewer", "/1", here, "1", 7},
		{"its site named, as its links name it then", "viewer", "/1?site=dogs", here, "1", 8},
		{"another namespace, whose links differ", "viewer", "/1", "/fn-8/api/articles", "1", 9},
		{"after a transition", "viewer", "/1", here, "2", 10},
	}
	for _, st := range steps {
		s.revision = st.state
		get(st.token, st.target, st.function)
		require.Len(t, d.kept, st.want, st.name)
	}
	for key := range d.kept {
		require.Regexp(t, `^bp:answer:(dogs|cats):[0-9a-f]{64}$`, key, "what was asked stays hidden")
	}
}

func TestArticles_cachesNoRefusalAndHidesNone(t *testing.T) {
	t.Parallel()

	s, d := &counted{}, &drawer{}
	h := api.Articles{Verifier: door{}, Store: s, Cache: d}.Handler()
	ask(h, "viewer", http.MethodGet, "/1", "")
	require.Len(t, d.kept, 1)

	refused(t, ask(h, "", http.MethodGet, "/1", ""), 401)
	refused(t, ask(h, "forged", http.MethodGet, "/1", ""), 401)
	refused(t, ask(h, "viewer", http.MethodGet, "/1?site=cats", ""), 404)
	refused(t, ask(h, "many", http.MethodGet, "/1", ""), 400)
	s.err = view.ErrNotFound
	refused(t, ask(h, "viewer", http.MethodGet, "/1", ""), 404)
	refused(t, ask(h, "viewer", http.MethodGet, "/2", ""), 404)
	s.err = errors.New("boom")
	refused(t, ask(h, "viewer", http.MethodGet, "/", ""), 500)
	require.Len(t, d.kept, 1)
}

func TestArticles_answersWithoutItsCache(t *testing.T) {
	t.Parallel()

	s, d := &counted{}, &drawer{away: true}
	h := api.Articles{Verifier: door{}, Store: s, Cache: d}.Handler()
	for want := 1; want <= 2; want++ {
		require.Equal(t, http.StatusOK, ask(h, "viewer", http.MethodGet, "/", "").Code)
		require.Equal(t, want, s.loads)
	}
	require.Empty(t, d.kept, "nothing more is asked of it")

	d.away = false
	ask(h, "viewer", http.MethodGet, "/", "")
	for key := range d.kept {
		d.kept[key] = []byte("no line end")
	}
	w := ask(h, "viewer", http.MethodGet, "/", "")
	require.Equal(t, 4, s.loads)
	require.Len(t, decode[page[view.Article]](t, w).Items, 3)
}
