package api

import (
	"fmt"
	"time"

	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// describe adds to a Run what the store can't know: why it stands where it
// stands and what happens next, in plain words, and where to go from here.
func (l links) describe(r view.Run, now time.Time) view.Run {
	r.Why, r.Next = why(r), next(r, now)
	r.Links = map[string]string{"self": l.run(r.ID)}
	if r.AwaitsApproval() {
		r.Links["review"] = l.review(r.ID)
	}
	return r
}

// why puts the last error, which the store hands over in Why, into words.
func why(r view.Run) string {
	if r.Why == "" {
		return ""
	}
	switch {
	case r.State == pipeline.StateFailed:
		return "Given up: " + r.Why
	case r.State == pipeline.StateCancelled:
		return "Ended by a person: " + r.Why
	case r.Waiting == pipeline.WaitingBudget:
		return "The budget does not cover the next call: " + r.Why
	case r.State == pipeline.StateWaiting:
		return "A person is needed: " + r.Why
	}
	return "The attempt before this failed: " + r.Why
}

func next(r view.Run, now time.Time) string {
	switch r.State {
	case pipeline.StateReady:
		return nextReady(r, now)
	case pipeline.StateRunning:
		return fmt.Sprintf("The %s stage is at work on it (attempt %d of %d).", r.Stage, r.Attempt, r.Stage.MaxAttempts())
	case pipeline.StateWaiting:
		return nextWaiting(r)
	case pipeline.StateDone:
		return nextDone(r)
	case pipeline.StateFailed:
		return "Nothing: start a new run once the reason is mended."
	case pipeline.StateCancelled:
		return "Nothing: a person ended it."
	}
	return ""
}

func nextDone(r view.Run) string {
	switch r.Kind {
	case pipeline.KindResearch:
		return "Nothing: the look is over, and /topics lists what it made worth writing on."
	case pipeline.KindRetraction:
		return "Nothing: the article is taken back."
	case pipeline.KindArticle:
	}
	return "Nothing: the article is published."
}

func nextReady(r view.Run, now time.Time) string {
	if r.NotBefore.After(now) {
		return fmt.Sprintf("The %s stage takes it up at %s or soon after.", r.Stage, r.NotBefore.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("The %s stage takes it up within a minute.", r.Stage)
}

func nextWaiting(r view.Run) string {
	switch r.Waiting {
	case pipeline.WaitingApproval:
		return "A reviewer approves or rejects the draft."
	case pipeline.WaitingBudget:
		if r.Kind == pipeline.KindResearch {
			return "Nothing by itself: raise research.budget in the site's file, import it, and begin another look."
		}
		return "Nothing by itself: start a new run with a higher max_cost, or on a site with a higher article budget."
	case pipeline.WaitingPerson:
		return "Nothing by itself: a person mends what the reason names and starts a new run."
	case pipeline.WaitingPoison:
		return "Nothing by itself: a person finds out what stops its workers and starts a new run."
	}
	return ""
}

// aWhile is how long a stage takes, roughly; tick looks each minute as well.
const aWhile = time.Minute

// untilNext is how soon a Run may stand elsewhere, and whether it moves by
// itself at all.
func untilNext(r view.Run, now time.Time) (time.Duration, bool) {
	switch r.State {
	case pipeline.StateReady:
		return max(aWhile, r.NotBefore.Sub(now)), true
	case pipeline.StateRunning:
		return aWhile, true
	case pipeline.StateWaiting, pipeline.StateDone, pipeline.StateFailed, pipeline.StateCancelled:
	}
	return 0, false
}
