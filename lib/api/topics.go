package api

import (
	"context"
	"errors"
	"net/http"

	"blogposter/lib/auth"
	"blogposter/lib/faas"
	"blogposter/lib/view"
)

// TopicStore is what /topics needs of the store. Every method sees only the
// rows of the site whose slug it is given.
type TopicStore interface {
	// Topics lists the best Topics first, one more than asked for when there
	// are more.
	Topics(ctx context.Context, site string, f view.TopicFilter) ([]view.Topic, error)
	Topic(ctx context.Context, site string, id int64) (view.TopicDetail, error)
	// DismissTopic sets a Topic aside for good; one that a Run writes on is
	// view.ErrTopicTaken.
	DismissTopic(ctx context.Context, site string, id int64, by string) (view.TopicDetail, error)
}

// Topics serves GET /, GET /{id} and POST /{id}/dismiss of /topics: what is
// worth writing on, and why. Dismissing a Topic again is safe.
type Topics struct {
	Verifier Verifier
	Store    TopicStore
}

// Handler returns the resource's http.Handler.
func (h Topics) Handler() http.Handler {
	rt := newRouter(h.Verifier)
	rt.private("GET /{$}", auth.ActRead, h.list)
	rt.private("GET /{id}", auth.ActRead, h.one)
	rt.private("POST /{id}/dismiss", auth.ActDismiss, h.dismiss)
	return rt
}

func (h Topics) list(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	q := newQuery(r)
	page := q.page()
	f := view.TopicFilter{Limit: page.Limit, After: page.After, State: one(q, "state", view.TopicStates()), Kind: one(q, "kind", view.TopicKinds())}
	site, err := q.site(p)
	if err != nil {
		return err
	}
	found, err := h.Store.Topics(r.Context(), site, f)
	if err != nil {
		return err
	}
	for i := range found {
		found[i].Links = linksOf(r).ofTopic(found[i])
	}
	return sendJSON(w, r, http.StatusOK, newList(q, found, f.Limit, func(t view.Topic) int64 { return t.ID }))
}

func (h Topics) one(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	site, err := newQuery(r).site(p)
	if err != nil {
		return err
	}
	t, err := h.Store.Topic(r.Context(), site, id)
	if err != nil {
		return err
	}
	return h.answer(w, r, t)
}

func (h Topics) dismiss(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	site, err := siteAlone(w, r, p)
	if err != nil {
		return err
	}
	t, err := h.Store.DismissTopic(r.Context(), site, id, p.Subject)
	if errors.Is(err, view.ErrTopicTaken) {
		return faas.NewProblem(http.StatusConflict, "topic-taken", "A run writes on this topic already; "+linksOf(r).topic(id)+" says which.")
	}
	if err != nil {
		return err
	}
	return h.answer(w, r, t)
}

func (h Topics) answer(w http.ResponseWriter, r *http.Request, t view.TopicDetail) error {
	t.Links = linksOf(r).ofTopic(t.Topic)
	return sendJSON(w, r, http.StatusOK, t)
}

func (l links) ofTopic(t view.Topic) map[string]string {
	to := map[string]string{"self": l.topic(t.ID)}
	if t.TakenBy != 0 {
		to["run"] = l.run(t.TakenBy)
	}
	return to
}

// siteAlone reads a request that says no more than its site, in the body or in
// the address, if that.
func siteAlone(w http.ResponseWriter, r *http.Request, p auth.Principal) (string, error) {
	var body struct {
		Site string `json:"site"`
	}
	if r.ContentLength != 0 {
		if err := readBody(w, r, &body); err != nil {
			return "", err
		}
	}
	return namedSite(r, p, body.Site)
}
