package api_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/api"
	"blogposter/lib/editorial"
	"blogposter/lib/view"
)

// shelf has three articles, 3 to 1.
type shelf struct {
	site     string
	page     view.Page
	words    string
	revision string
	err      error
}

func (s *shelf) Articles(_ context.Context, site string, p view.Page) ([]view.Article, error) {
	s.site, s.page = site, p
	found := []view.Article{}
	for id := int64(3); id > 0 && len(found) <= p.Limit; id-- {
		if p.After == 0 || id < p.After {
			found = append(found, view.Article{ID: id, RunID: 10 + id, Title: "Dogs on trains", Cost: 77})
		}
	}
	return found, s.err
}

func (s *shelf) SearchArticles(ctx context.Context, site, words string, p view.Page) ([]view.Article, error) {
	s.words = words
	return s.Articles(ctx, site, p)
}

func (s *shelf) Revision(context.Context, string) (string, error) { return s.revision, s.err }

func (s *shelf) Article(_ context.Context, site string, id int64) (view.CheckedArticle, error) {
	s.site = site
	return view.CheckedArticle{Article: view.Article{ID: id, RunID: 10 + id}, Claims: []editorial.Claim{{N: 1, Text: "Dogs may ride."}}}, s.err
}

type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next_cursor"`
}

func TestArticles_list_followsItsCursorToTheEnd(t *testing.T) {
	t.Parallel()

	h := articles().Handler()
	var ids []int64
	target := "/?limit=2"
	const link = `</api/v1/web/fn-7/api/any?cursor=%s&limit=2>; rel="next"`
	first := ask(h, "viewer", http.MethodGet, target, "")
	require.Equal(t, fmt.Sprintf(link, decode[page[view.Article]](t, first).Next), first.Header().Get("Link"))
	for range 2 {
		w := ask(h, "viewer", http.MethodGet, target, "")
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		p := decode[page[view.Article]](t, w)
		require.Equal(t, p.Next != "", w.Header().Get("Link") != "")
		for _, a := range p.Items {
			ids = append(ids, a.ID)
			require.Equal(t, "/api/v1/web/fn-7/api/articles/"+string(rune('0'+a.ID)), a.Links["self"])
		}
		target = "/?limit=2&cursor=" + p.Next
	}
	require.Equal(t, []int64{3, 2, 1}, ids)
	require.Equal(t, "/?limit=2&cursor=", target, "the last page has no cursor")
}

func TestArticles_one_showsItsClaimsAndItsCost(t *testing.T) {
	t.Parallel()

	w := ask(articles().Handler(), "viewer", http.MethodGet, "/2", "")
	require.Equal(t, http.StatusOK, w.Code)
	a := decode[view.CheckedArticle](t, w)
	require.Equal(t, int64(2), a.ID)
	require.Equal(t, "Dogs may ride.", a.Claims[0].Text)
	require.Equal(t, map[string]string{"self": "/api/v1/web/fn-7/api/articles/2", "run": "/api/v1/web/fn-7/api/runs/12"}, a.Links)
}

func TestQuery_namesEveryParameterThatIsNotInOrder(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		target string
		want   []string
	}{
		"a limit over the most":            {"/?limit=101", []string{"limit"}},
		"a limit of none":                  {"/?limit=0", []string{"limit"}},
		"a limit that is no number":        {"/?limit=ten", []string{"limit"}},
		"a cursor made by hand":            {"/?cursor=7", []string{"cursor"}},
		"a name misspelt":                  {"/?limits=2", []string{"limits"}},
		"one given twice":                  {"/?site=dogs&site=cats", []string{"site"}},
		"one that is unreadable":           {"/?limit=%zz", []string{"query"}},
		"all at once":                      {"/?limit=x&cursor=x&x=1", []string{"cursor", "limit", "x"}},
		"too little to search for":         {"/?q=+a+", []string{"q"}},
		"nothing to search for":            {"/?q=", []string{"q"}},
		"no words to search for":           {"/?q=%3F%3F", []string{"q"}},
		"words with a NUL":                 {"/?q=dog%00s", []string{"q"}},
		"a parameter of the list, for one": {"/1?limit=2", []string{"limit"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tc.want, fields(refused(t, ask(articles().Handler(), "viewer", http.MethodGet, tc.target, ""), 400)))
		})
	}
	s := &shelf{}
	h := api.Articles{Verifier: door{}, Store: s}.Handler()
	require.Equal(t, http.StatusOK, ask(h, "viewer", http.MethodGet, "/?limit=100", "").Code)
	require.Equal(t, 100, s.page.Limit)
	ask(h, "viewer", http.MethodGet, "/", "")
	require.Equal(t, view.Page{Limit: 20}, s.page)
}
