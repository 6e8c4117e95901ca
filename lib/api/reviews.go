package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"blogposter/lib/auth"
	"blogposter/lib/editorial"
	"blogposter/lib/faas"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// ReviewStore is what /reviews needs of the store. Every method sees only the
// rows of the site whose slug it is given.
type ReviewStore interface {
	// Reviews lists the Runs that wait for approval, the oldest first, one
	// more than asked for when there are more.
	Reviews(ctx context.Context, site string, p view.Page) ([]view.Run, error)
	Review(ctx context.Context, site string, runID int64) (view.Review, error)
	// Decide records the answer and moves the Run on, both or neither. The
	// same answer of the same reviewer is recorded once; anything else that
	// can't be recorded is a *view.Conflict.
	Decide(ctx context.Context, site string, a view.Answer) (view.Decided, error)
}

// Reviews serves GET /, GET /{run} and POST /{run}/decision of /reviews.
// Sending a Decision again is safe.
type Reviews struct {
	Verifier Verifier
	Store    ReviewStore
	Waker    Waker
	Markdown func(editorial.Dossier) string // of its Draft, for people to read
	Now      func() time.Time
}

// Handler returns the resource's http.Handler.
func (h Reviews) Handler() http.Handler {
	rt := newRouter(h.Verifier)
	rt.private("GET /{$}", auth.ActRead, h.list)
	rt.private("GET /{run}", auth.ActRead, h.one)
	rt.private("POST /{run}/decision", auth.ActDecide, h.decide)
	return rt
}

func (h Reviews) list(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	q := newQuery(r)
	page := q.page()
	site, err := q.site(p)
	if err != nil {
		return err
	}
	found, err := h.Store.Reviews(r.Context(), site, page)
	if err != nil {
		return err
	}
	for i := range found {
		found[i] = linksOf(r).describe(found[i], h.Now())
	}
	return sendJSON(w, r, http.StatusOK, newList(q, found, page.Limit, func(r view.Run) int64 { return r.ID }))
}

// sheet is what a reviewer reads before deciding: all of it belongs to the
// digest, or is what the text rests on.
type sheet struct {
	Run             view.Run            `json:"run"`
	Version         int                 `json:"version"`
	Digest          string              `json:"digest"` // send it back with the decision
	Title           string              `json:"title"`
	Slug            string              `json:"slug"`
	Excerpt         string              `json:"excerpt"`
	MetaDescription string              `json:"meta_description"`
	Keyphrase       string              `json:"keyphrase"`
	Categories      []string            `json:"categories"`
	Tags            []string            `json:"tags"`
	Markdown        string              `json:"markdown"`
	Media           []editorial.Media   `json:"media"`
	Claims          []editorial.Claim   `json:"claims"`
	Findings        []editorial.Finding `json:"findings"`
	Cost            view.Cost           `json:"cost"`
	Decision        *editorial.Decision `json:"decision,omitempty"`
}

func (h Reviews) one(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	id, err := pathID(r, "run")
	if err != nil {
		return err
	}
	site, err := newQuery(r).site(p)
	if err != nil {
		return err
	}
	s, err := h.sheet(r, site, id)
	if err != nil {
		return err
	}
	return sendJSON(w, r, http.StatusOK, s)
}

func (h Reviews) sheet(r *http.Request, site string, id int64) (sheet, error) {
	v, err := h.Store.Review(r.Context(), site, id)
	if err != nil {
		return sheet{}, err
	}
	d := v.Dossier.Draft
	if d == nil {
		return sheet{}, notFound("The run has no draft yet; " + linksOf(r).run(id) + " says where it stands.")
	}
	return sheet{
		Run: linksOf(r).describe(v.Run, h.Now()), Version: d.Version, Digest: d.Digest,
		Title: d.Title, Slug: d.Slug, Excerpt: d.Excerpt, MetaDescription: d.MetaDescription, Keyphrase: d.Keyphrase,
		Categories: d.Categories, Tags: d.Tags, Markdown: h.Markdown(v.Dossier), Cost: v.Cost,
		Media:    append([]editorial.Media{}, d.Media...),
		Claims:   append([]editorial.Claim{}, v.Dossier.Claims...), // [], never null
		Findings: append([]editorial.Finding{}, v.Dossier.Findings...),
		Decision: v.Dossier.Decision,
	}, nil
}

// unchanged checks If-Match, if it was sent, against the review as it would be
// shown now. It guards more than the digest does: the findings and the claims'
// evidence are in it, too.
func (h Reviews) unchanged(r *http.Request, site string, id int64) error {
	tags := r.Header.Values("If-Match")
	if len(tags) == 0 {
		return nil
	}
	s, err := h.sheet(r, site, id)
	if err != nil {
		return err
	}
	_, body, err := encode(s)
	if err != nil {
		return err
	}
	if !named(tags, etagOf(body), strongly) {
		return faas.NewProblem(http.StatusPreconditionFailed, "review-changed", "The review is not the one whose ETag was sent in If-Match; read it again, then decide.")
	}
	return nil
}

// verdict is the body of POST /{run}/decision as it comes.
type verdict struct {
	Site    string `json:"site"`
	Verb    string `json:"verb"`
	Digest  string `json:"digest"`
	Comment string `json:"comment"`
}

const maxComment = 2000

var digestShape = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (v verdict) check() error {
	var errs []faas.FieldError
	if v.Verb != string(editorial.VerbApprove) && v.Verb != string(editorial.VerbReject) {
		errs = append(errs, faas.FieldError{Field: "verb", Detail: "is not an answer", Fix: `send "approve" or "reject"`})
	}
	if !digestShape.MatchString(v.Digest) {
		errs = append(errs, faas.FieldError{Field: "digest", Detail: "is not a digest", Fix: "send the digest that the review showed"})
	}
	if utf8.RuneCountInString(v.Comment) > maxComment || strings.ContainsFunc(v.Comment, notProse) {
		errs = append(errs, faas.FieldError{Field: "comment", Detail: "is too long or has control characters", Fix: fmt.Sprintf("send at most %d characters of text", maxComment)})
	}
	if len(errs) > 0 {
		return invalid(errs...)
	}
	return nil
}

func notProse(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }

func (h Reviews) decide(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	id, err := pathID(r, "run")
	if err != nil {
		return err
	}
	var v verdict
	if err := readBody(w, r, &v); err != nil {
		return err
	}
	site, err := namedSite(r, p, v.Site)
	if err != nil {
		return err
	}
	if err := v.check(); err != nil {
		return err
	}
	if err := h.unchanged(r, site, id); err != nil {
		return err
	}
	got, err := h.Store.Decide(r.Context(), site, view.Answer{
		RunID: id, Verb: editorial.Verb(v.Verb), Digest: v.Digest, Comment: strings.TrimSpace(v.Comment), Reviewer: p.Subject,
	})
	var c *view.Conflict
	if errors.As(err, &c) {
		return conflict(*c, v.Digest, h.Now())
	}
	if err != nil {
		return err
	}
	if at := got.Run.PublishAt; got.New && got.Run.State == pipeline.StateReady && (at == nil || !at.After(h.Now())) {
		wake(r.Context(), h.Waker, pipeline.StagePublish)
	}
	return sendJSON(w, r, http.StatusOK, decided{linksOf(r).describe(got.Run, h.Now()), got.Decision})
}

// decided is what a Decision did.
type decided struct {
	Run      view.Run            `json:"run"`
	Decision *editorial.Decision `json:"decision"`
}

func conflict(c view.Conflict, sent string, now time.Time) *faas.Problem {
	switch {
	case !c.Run.AwaitsApproval():
		p := faas.NewProblem(http.StatusConflict, "not-waiting", fmt.Sprintf("The run does not wait for a decision: it is %s at the %s stage.", c.Run.State, c.Run.Stage))
		if wait, moves := untilNext(c.Run, now); moves {
			p = p.With("Retry-After", retryAfter(wait))
		}
		return p
	case c.Digest == sent:
		return faas.NewProblem(http.StatusConflict, "already-decided", "This draft has its answer already; only a changed text, which is a new draft, can be decided anew.")
	}
	p := faas.NewProblem(http.StatusConflict, "draft-changed", "The draft is not the one that was shown; read the review again, then decide with its digest.")
	p.Members = map[string]any{"current_digest": c.Digest}
	return p
}
