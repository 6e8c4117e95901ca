package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"blogposter/lib/auth"
	"blogposter/lib/faas"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// RunStore is what /runs needs of the store. Every method sees only the rows
// of the site whose slug it is given.
type RunStore interface {
	// Intake returns what an order is checked against, and the Run that was
	// made under the same Idempotency-Key, if there is one.
	Intake(ctx context.Context, site, key string) (view.Intake, error)
	// Updatable returns the article that a Run may update.
	Updatable(ctx context.Context, site string, id int64) (view.Updatable, error)
	// AddRun adds a Run with its budget and its first event. Under a key that
	// was used in the meantime it adds nothing and returns the earlier Run,
	// with false. A topic or a slot that another Run has is view.ErrTopicTaken
	// or view.ErrSlotTaken, a topic there is not view.ErrNotFound.
	AddRun(ctx context.Context, site string, r view.NewRun) (view.Earlier, bool, error)
	// Runs lists the newest Runs, one more than asked for when there are more.
	Runs(ctx context.Context, site string, p view.Page) ([]view.Run, error)
	Run(ctx context.Context, site string, id int64) (view.Detail, error)
}

// Waker says "look now" to a function. It may be lost: tick looks as well.
type Waker interface {
	Wake(ctx context.Context, function string) error
}

// Runs serves POST /, GET / and GET /{id} of /runs. Starting a Run twice
// under the same Idempotency-Key starts it once.
type Runs struct {
	Verifier Verifier
	Store    RunStore
	Waker    Waker
	Pins     pipeline.Pins // what new Runs are pinned to
	Now      func() time.Time
}

// Handler returns the resource's http.Handler.
func (h Runs) Handler() http.Handler {
	rt := newRouter(h.Verifier)
	rt.private("POST /{$}", auth.ActStart, h.start)
	rt.private("GET /{$}", auth.ActRead, h.list)
	rt.private("GET /{id}", auth.ActRead, h.one)
	return rt
}

var keyShape = regexp.MustCompile(`^[!-~]{1,200}$`)

func (h Runs) start(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	var o order
	if err := readBody(w, r, &o); err != nil {
		return err
	}
	site, err := namedSite(r, p, o.Site)
	if err != nil {
		return err
	}
	run := view.NewRun{By: p.Subject, Pins: h.Pins, Key: key, Request: o.fingerprint(site)}
	made, added, err := h.add(r.Context(), site, o, run)
	if err != nil {
		return err
	}
	if !added {
		return h.replay(w, r, made, run.Request)
	}
	wake(r.Context(), h.Waker, made.Run.Stage)
	return h.answer(w, r, http.StatusAccepted, made.Run)
}

// slotTries is how often another request may take the slot that was chosen.
const slotTries = 5

// add checks the order and adds its Run, or returns the Run that was made
// under the same key before, with false. by is what the order doesn't say.
func (h Runs) add(ctx context.Context, site string, o order, by view.NewRun) (view.Earlier, bool, error) {
	for range slotTries {
		in, err := h.Store.Intake(ctx, site, by.Key)
		if err != nil {
			return view.Earlier{}, false, err
		}
		if in.Earlier != nil { // before any check: what was in order once may not be any more
			return *in.Earlier, false, nil
		}
		run, err := o.checked(in, h.Now())
		if err != nil {
			return view.Earlier{}, false, err
		}
		if err := h.target(ctx, site, run.TargetID); err != nil {
			return view.Earlier{}, false, err
		}
		run.By, run.Pins, run.Key, run.Request = by.By, by.Pins, by.Key, by.Request
		made, added, err := h.Store.AddRun(ctx, site, run)
		if !errors.Is(err, view.ErrSlotTaken) {
			return made, added, refusedTopic(err, run.TopicID)
		}
	}
	return view.Earlier{}, false, faas.NewProblem(http.StatusServiceUnavailable, "slots-contended", "Others take slots of the schedule at this moment; try again.").With("Retry-After", "2")
}

// target refuses an article that can't be updated.
func (h Runs) target(ctx context.Context, site string, id int64) error {
	if id == 0 {
		return nil
	}
	_, err := h.Store.Updatable(ctx, site, id)
	if errors.Is(err, view.ErrNotFound) {
		return invalid(faas.FieldError{Field: "article", Detail: "is not an article that is published on this site", Fix: "send the id of one that GET /articles lists"})
	}
	return err
}

// refusedTopic puts what AddRun says of a recommendation into words.
func refusedTopic(err error, id int64) error {
	switch {
	case errors.Is(err, view.ErrTopicTaken):
		return faas.NewProblem(http.StatusConflict, "topic-taken", "This topic is not open: a run writes on it already, or it was dismissed or is out of date. GET /topics?state=open lists those that are.")
	case id != 0 && errors.Is(err, view.ErrNotFound): // the site is there, Intake has found it
		return invalid(faas.FieldError{Field: "topic_id", Detail: "is not a topic of this site", Fix: "send the id of one that GET /topics?state=open lists"})
	}
	return err
}

// replay answers a request whose key was used before.
func (h Runs) replay(w http.ResponseWriter, r *http.Request, e view.Earlier, request string) error {
	if e.Request != request {
		return faas.NewProblem(http.StatusUnprocessableEntity, "idempotency-key-reused",
			"This Idempotency-Key was used for another request on this site; send a new key with a new request.")
	}
	return h.answer(w, r, http.StatusOK, e.Run)
}

func (h Runs) answer(w http.ResponseWriter, r *http.Request, status int, run view.Run) error {
	w.Header().Set("Location", linksOf(r).run(run.ID))
	return sendJSON(w, r, status, linksOf(r).describe(run, h.Now()))
}

func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || !keyShape.MatchString(values[0]) {
		return "", invalid(faas.FieldError{
			Field: "Idempotency-Key", Detail: "is not a key", Fix: "send the header once, with 1 to 200 visible ASCII characters, such as a UUID",
		})
	}
	return values[0], nil
}

// namedSite takes the site from the body or the query, which must agree.
func namedSite(r *http.Request, p auth.Principal, inBody string) (string, error) {
	q := newQuery(r)
	inQuery := q.text("site")
	if inQuery != "" && inBody != "" && inQuery != inBody {
		q.fault("site", "differs between the body and the address", "name it once")
	}
	if err := q.err(); err != nil {
		return "", err
	}
	if inBody == "" {
		inBody = inQuery
	}
	return chooseSite(p, inBody)
}

// wake calls the stage's function after the commit that gave it work. Not
// getting through is no failure of the request.
func wake(ctx context.Context, w Waker, s pipeline.Stage) {
	if err := w.Wake(ctx, s.Function()); err != nil {
		slog.WarnContext(ctx, "wake-up lost, tick will find the run", "stage", s, "err", err)
	}
}

func (h Runs) list(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	q := newQuery(r)
	page := q.page()
	page.State = one(q, "state", pipeline.States())
	page.Stage = one(q, "stage", pipeline.Stages())
	if page.Kind = one(q, "kind", pipeline.Kinds()); page.Kind == "" {
		page.Kind = pipeline.KindArticle
	}
	site, err := q.site(p)
	if err != nil {
		return err
	}
	found, err := h.Store.Runs(r.Context(), site, page)
	if err != nil {
		return err
	}
	for i := range found {
		found[i] = linksOf(r).describe(found[i], h.Now())
	}
	return sendJSON(w, r, http.StatusOK, newList(q, found, page.Limit, func(r view.Run) int64 { return r.ID }))
}

func (h Runs) one(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	site, err := newQuery(r).site(p)
	if err != nil {
		return err
	}
	d, err := h.Store.Run(r.Context(), site, id)
	if err != nil {
		return err
	}
	d.Run = linksOf(r).describe(d.Run, h.Now())
	if len(d.Drafts) > 0 {
		d.Links["review"] = linksOf(r).review(id)
	}
	return sendJSON(w, r, http.StatusOK, d)
}
