package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"blogposter/lib/auth"
	"blogposter/lib/editorial"
	"blogposter/lib/faas"
	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// RetractionStore is what POST /articles/{id}/retract needs of the store.
type RetractionStore interface {
	// Retract adds the Run that takes an article back, or returns the one there
	// is. What can't be taken back is a *view.NotRetractable.
	Retract(ctx context.Context, site string, r view.Retraction) (view.Retracting, error)
}

// takeBack is the body of POST /{id}/retract as it comes.
type takeBack struct {
	Site    string `json:"site"`
	Reason  string `json:"reason"`
	Restore bool   `json:"restore"`
}

func (b takeBack) check() error {
	reason := strings.TrimSpace(b.Reason)
	if n := utf8.RuneCountInString(reason); n < 3 || n > maxComment || strings.ContainsFunc(reason, notProse) {
		return invalid(faas.FieldError{
			Field: "reason", Detail: "is missing, too short or too long, or has control characters",
			Fix: fmt.Sprintf("say in 3 to %d characters why the article is taken back: it is kept with it", maxComment),
		})
	}
	return nil
}

// retract takes a published article off its site. Sending it again is safe: an
// article has one retraction.
func (h Articles) retract(w http.ResponseWriter, r *http.Request, p auth.Principal) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	var b takeBack
	if err := readBody(w, r, &b); err != nil {
		return err
	}
	site, err := namedSite(r, p, b.Site)
	if err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	got, err := h.Retractions.Retract(r.Context(), site, view.Retraction{
		ArticleID: id, Reason: strings.TrimSpace(b.Reason), Restore: b.Restore, By: p.Subject,
	})
	var not *view.NotRetractable
	if errors.As(err, &not) {
		return notRetractable(*not, linksOf(r))
	}
	if err != nil {
		return err
	}
	if got.Restore != b.Restore {
		return faas.NewProblem(http.StatusConflict, "retracting", fmt.Sprintf("Run %d takes the article back already, with restore set to %t; %s says where it stands.",
			got.Run.ID, got.Restore, linksOf(r).run(got.Run.ID)))
	}
	if got.Run.State == pipeline.StateReady {
		wake(r.Context(), h.Waker, pipeline.StagePublish)
	}
	run := linksOf(r).describe(got.Run, h.Now())
	w.Header().Set("Location", linksOf(r).run(run.ID))
	return sendJSON(w, r, http.StatusAccepted, run)
}

// notRetractable says why, and what to do instead.
func notRetractable(n view.NotRetractable, to links) *faas.Problem {
	switch {
	case n.State == editorial.PublicationPublished:
		return faas.NewProblem(http.StatusConflict, "nothing-before", "There is no version before this one to restore: leave restore out, and the article is taken off the site.")
	case n.Current != 0:
		return faas.NewProblem(http.StatusConflict, "superseded", fmt.Sprintf("A newer version stands in its place: retract article %d, %s.", n.Current, to.article(n.Current)))
	}
	return faas.NewProblem(http.StatusConflict, "not-published", fmt.Sprintf("The article is not on the site: it is %s.", n.State))
}
