package api

import (
	"context"
	"net/http"

	"blogposter/lib/auth"
	"blogposter/lib/view"
)

// SiteStore is what /sites needs of the store.
type SiteStore interface {
	// Sites lists those of the named sites that exist.
	Sites(ctx context.Context, slugs []string) ([]view.Site, error)
	Site(ctx context.Context, slug string) (view.SiteSettings, error)
}

// Sites serves GET / and GET /{slug} of /sites: the caller's own ones. Sites
// are changed by importing their files, not here.
type Sites struct {
	Verifier Verifier
	Store    SiteStore
}

// Handler returns the resource's http.Handler.
func (h Sites) Handler() http.Handler {
	rt := newRouter(h.Verifier)
	rt.private("GET /{$}", auth.ActRead, h.list)
	rt.private("GET /{slug}", auth.ActConfigure, h.one)
	return rt
}

// list has no pages: a caller's sites fit into a token.
func (h Sites) list(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	if err := newQuery(r).err(); err != nil {
		return err
	}
	found, err := h.Store.Sites(r.Context(), p.Sites)
	if err != nil {
		return err
	}
	for i := range found {
		found[i].Links = linksOf(r).ofSite(found[i].Slug)
	}
	return sendJSON(w, r, http.StatusOK, list[view.Site]{Items: append([]view.Site{}, found...)}) // [], never null
}

func (h Sites) one(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	if err := newQuery(r).err(); err != nil {
		return err
	}
	site, err := chooseSite(p, r.PathValue("slug"))
	if err != nil {
		return err
	}
	found, err := h.Store.Site(r.Context(), site)
	if err != nil {
		return err
	}
	found.Links = linksOf(r).ofSite(site)
	return sendJSON(w, r, http.StatusOK, found)
}

func (l links) ofSite(slug string) map[string]string {
	q := "?site=" + slug
	return map[string]string{
		"self": l.site(slug), "runs": l.base + "/runs" + q, "topics": l.base + "/topics" + q,
		"research": l.base + "/research" + q, "articles": l.base + "/articles" + q,
	}
}
