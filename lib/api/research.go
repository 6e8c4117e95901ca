package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"blogposter/lib/auth"
	"blogposter/lib/faas"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// ResearchStore is what /research needs of the store. Every method sees only
// the rows of the site whose slug it is given.
type ResearchStore interface {
	// Competitors lists whom the site watches, and how the last look went.
	Competitors(ctx context.Context, site string) ([]view.Competitor, error)
	// Changes lists what looks found new, the newest first, one more than
	// asked for when there are more.
	Changes(ctx context.Context, site string, p view.Page) ([]view.PageChange, error)
	// BeginResearch begins a look now, or returns the one that is under way,
	// with false. A site that watches nobody is view.ErrNoResearch.
	BeginResearch(ctx context.Context, site, by string, pins pipeline.Pins) (view.Run, bool, error)
}

// Research serves GET / and POST / of /research: whom a site watches, what
// changed there, and a look at them right now. Beginning a look while one is
// under way begins none.
type Research struct {
	Verifier Verifier
	Store    ResearchStore
	Waker    Waker
	Pins     pipeline.Pins // what new Runs are pinned to
	Now      func() time.Time
}

// Handler returns the resource's http.Handler.
func (h Research) Handler() http.Handler {
	rt := newRouter(h.Verifier)
	rt.private("GET /{$}", auth.ActRead, h.show)
	rt.private("POST /{$}", auth.ActStart, h.begin)
	return rt
}

// watch is whom a site watches, and one page of what changed there.
type watch struct {
	Competitors []view.Competitor `json:"competitors"`
	list[view.PageChange]
}

func (h Research) show(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	q := newQuery(r)
	page := q.page()
	site, err := q.site(p)
	if err != nil {
		return err
	}
	watched, err := h.Store.Competitors(r.Context(), site)
	if err != nil {
		return err
	}
	changes, err := h.Store.Changes(r.Context(), site, page)
	if err != nil {
		return err
	}
	return sendJSON(w, r, http.StatusOK, watch{
		Competitors: append([]view.Competitor{}, watched...), // [], never null
		list:        newList(q, changes, page.Limit, func(c view.PageChange) int64 { return c.ID }),
	})
}

func (h Research) begin(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	site, err := siteAlone(w, r, p)
	if err != nil {
		return err
	}
	run, begun, err := h.Store.BeginResearch(r.Context(), site, p.Subject, h.Pins)
	if errors.Is(err, view.ErrNoResearch) {
		return faas.NewProblem(http.StatusConflict, "no-research", "This site watches nobody: give its file competitors, and research with every and budget, then import it.")
	}
	if err != nil {
		return err
	}
	status := http.StatusOK
	if begun {
		status = http.StatusAccepted
		wake(r.Context(), h.Waker, run.Stage)
	}
	w.Header().Set("Location", linksOf(r).run(run.ID))
	return sendJSON(w, r, status, linksOf(r).describe(run, h.Now()))
}
