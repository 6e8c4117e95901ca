package api

import (
	"context"
	"net/http"
	"time"

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
	// SearchArticles is Articles for those that have every word.
	SearchArticles(ctx context.Context, site, words string, p view.Page) ([]view.Article, error)
	// Revision is another text after each change to the site's articles.
	Revision(ctx context.Context, site string) (string, error)
}

// Articles serves GET /, GET /{id} and POST /{id}/retract of /articles: what was
// published, and a way to take it back. What it shows is cached, as only a Run's transition changes them; those of /runs
// and /reviews say where things stand at this moment, and are not.
type Articles struct {
	Verifier Verifier
	Store    ArticleStore
	Cache    Cache // nil keeps nothing

	Retractions RetractionStore
	Waker       Waker
	Now         func() time.Time
}

// Handler returns the resource's http.Handler.
func (h Articles) Handler() http.Handler {
	rt := newRouter(h.Verifier)
	rt.private("GET /{$}", auth.ActRead, h.list)
	rt.private("GET /{id}", auth.ActRead, h.one)
	rt.private("POST /{id}/retract", auth.ActRetract, h.retract)
	return rt
}

func (h Articles) list(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	q := newQuery(r)
	words := q.words("q")
	page := q.page()
	site, err := q.site(p)
	if err != nil {
		return err
	}
	rd := h.reader(p, site, answerTTL)
	find := h.Store.Articles
	if words != "" {
		rd.ttl = searchTTL
		find = func(ctx context.Context, site string, page view.Page) ([]view.Article, error) {
			return h.Store.SearchArticles(ctx, site, words, page)
		}
	}
	return sendCached(w, r, q, rd, func() (list[view.Article], error) {
		found, err := find(r.Context(), site, page)
		for i := range found {
			found[i].Links = linksOf(r).ofArticle(found[i])
		}
		return newList(q, found, page.Limit, func(a view.Article) int64 { return a.ID }), err
	})
}

func (h Articles) one(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	q := newQuery(r)
	site, err := q.site(p)
	if err != nil {
		return err
	}
	return sendCached(w, r, q, h.reader(p, site, answerTTL), func() (view.CheckedArticle, error) {
		a, err := h.Store.Article(r.Context(), site, id)
		a.Links = linksOf(r).ofArticle(a.Article)
		return a, err
	})
}

func (h Articles) reader(p auth.Principal, site string, ttl time.Duration) reader {
	return reader{cache: h.Cache, revision: h.Store.Revision, who: p, site: site, ttl: ttl}
}

func (l links) ofArticle(a view.Article) map[string]string {
	to := map[string]string{"self": l.article(a.ID), "run": l.run(a.RunID)}
	if a.ReplacedBy != 0 {
		to["replaced_by"] = l.article(a.ReplacedBy)
	}
	return to
}
