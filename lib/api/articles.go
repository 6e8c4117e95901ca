package api

import (
	"context"
	"net/http"

	"blogposter/lib/auth"
	"blogposter/lib/view"
)

// ArticleStore is what /articles needs of the store. Every method sees only
// the rows of the site whose slug it is given.
type ArticleStore interface {
	// Articles lists the newest articles, one more than asked for when there
	// are more.
	Articles(ctx context.Context, site string, p view.Page) ([]view.Article, error)
	Article(ctx context.Context, site string, id int64) (view.CheckedArticle, error)
}

// Articles serves GET / and GET /{id} of /articles: what was published.
type Articles struct {
	Verifier Verifier
	Store    ArticleStore
}

// Handler returns the resource's http.Handler.
func (h Articles) Handler() http.Handler {
	rt := newRouter(h.Verifier)
	rt.private("GET /{$}", auth.ActRead, h.list)
	rt.private("GET /{id}", auth.ActRead, h.one)
	return rt
}

func (h Articles) list(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	q := newQuery(r)
	page := q.page()
	site, err := q.site(p)
	if err != nil {
		return err
	}
	found, err := h.Store.Articles(r.Context(), site, page)
	if err != nil {
		return err
	}
	for i := range found {
		found[i].Links = linksOf(r).ofArticle(found[i])
	}
	return sendJSON(w, r, http.StatusOK, newList(found, page.Limit, func(a view.Article) int64 { return a.ID }))
}

func (h Articles) one(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	site, err := newQuery(r).site(p)
	if err != nil {
		return err
	}
	a, err := h.Store.Article(r.Context(), site, id)
	if err != nil {
		return err
	}
	a.Links = linksOf(r).ofArticle(a.Article)
	return sendJSON(w, r, http.StatusOK, a)
}

func (l links) ofArticle(a view.Article) map[string]string {
	return map[string]string{"self": l.article(a.ID), "run": l.run(a.RunID)}
}
