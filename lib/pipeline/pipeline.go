// Package pipeline is the state machine of a Run: which Stage comes next, and
// what a finished Attempt does to the Run. It is pure: no clock, no database.
package pipeline

import (
	"errors"
	"slices"
	"time"

	"blogposter/lib/fault"
)

// ErrLeaseLost means that another worker owns the Run now: whatever this one
// still holds is dropped.
var ErrLeaseLost = errors.New("lease lost")

// Stage names one step of the editorial pipeline. The strings are stored in
// Postgres: never rename one without a migration.
type Stage string

// The stages in the order a Run passes them. A Run of kind research takes the
// first two; an article's begins at topic when it is to find its own, else at
// draft.
const (
	StageMonitor   Stage = "monitor"
	StageTopic     Stage = "topic"
	StageDraft     Stage = "draft"
	StageFactCheck Stage = "factcheck"
	StageSEO       Stage = "seo"
	StageReview    Stage = "review"
	StagePublish   Stage = "publish"
)

var order = []Stage{StageMonitor, StageTopic, StageDraft, StageFactCheck, StageSEO, StageReview, StagePublish}

// Stages lists the stages in the order a Run passes them.
func Stages() []Stage { return slices.Clone(order) }

// Next returns the stage after s, or false after the last one.
func (s Stage) Next() (Stage, bool) {
	i := slices.Index(order, s)
	if i < 0 || i+1 == len(order) {
		return "", false
	}
	return order[i+1], true
}

// Function is the name of the function that works on s, "" for review, which
// a person does.
func (s Stage) Function() string {
	switch s {
	case StageReview:
		return ""
	case StageMonitor:
		return "scheduled/monitor"
	case StageTopic, StageDraft, StageFactCheck, StageSEO, StagePublish:
	}
	return "pipeline/" + string(s)
}

// MaxAttempts is how often s is tried before the Run fails (SPEC section 1).
func (s Stage) MaxAttempts() int {
	switch s {
	case StageFactCheck, StageReview:
		return 1
	case StageDraft, StageSEO:
		return 2
	case StageTopic, StagePublish:
		return 3
	case StageMonitor:
		return 5
	}
	return 1
}

// Need is how much time a whole attempt at s is given room for. One that
// takes longer is cut, and goes on with what was answered.
func (s Stage) Need() time.Duration {
	switch s {
	case StageDraft:
		return 6 * time.Minute
	case StageMonitor:
		return 5 * time.Minute
	case StageTopic, StageFactCheck, StagePublish:
		return 3 * time.Minute
	case StageSEO:
		return 2 * time.Minute
	case StageReview: // a person's time is not a function's
	}
	return 0
}

// spacing is the wait after the first failed attempt at s; it doubles.
func (s Stage) spacing() time.Duration {
	switch s {
	case StageDraft:
		return 10 * time.Minute
	case StageMonitor:
		return 5 * time.Minute
	case StageTopic, StageFactCheck, StageSEO, StageReview, StagePublish:
	}
	return 30 * time.Second
}

// Kind says what a Run is for.
type Kind string

// The kinds of Run.
const (
	KindArticle    Kind = "article"    // one article's trip to its site
	KindResearch   Kind = "research"   // one look at the competitors, and the Topics it makes
	KindRetraction Kind = "retraction" // one article is taken off its site, or set back
)

// Kinds lists the kinds of Run.
func Kinds() []Kind { return []Kind{KindArticle, KindResearch, KindRetraction} }

// State is where a Run stands within its Stage.
type State string

// The states of a Run.
const (
	StateReady     State = "ready"     // may be leased once NotBefore has passed
	StateRunning   State = "running"   // leased by a worker
	StateWaiting   State = "waiting"   // parked; Waiting says for what
	StateDone      State = "done"      // published
	StateFailed    State = "failed"    // can be replayed
	StateCancelled State = "cancelled" // ended by a person
)

// States lists the states, those of a live Run first.
func States() []State {
	return []State{StateReady, StateRunning, StateWaiting, StateDone, StateFailed, StateCancelled}
}

// Waiting says what a parked Run waits for.
type Waiting string

// What a Run can wait for; "" unless its State is waiting.
const (
	WaitingApproval Waiting = "approval" // a reviewer's Decision
	WaitingBudget   Waiting = "budget"   // more money
	WaitingPerson   Waiting = "person"   // judgement: nothing to cite, a rotated key
	WaitingPoison   Waiting = "poison"   // it keeps costing its workers their lease
)

// MaxLostLeases is how many workers a Run may cost before it is parked as
// poison. Lost leases are counted apart from attempts.
const MaxLostLeases = 5

// Pins are the versions a Run was started with and keeps to its end.
type Pins struct {
	Prompts string `json:"prompts"` // the set of prompt files, such as "v1"
	Small   string `json:"small"`   // model that reads
	Large   string `json:"large"`   // model that writes what a person will read
	// Embedding is the model whose vectors say how near two texts are.
	Embedding string `json:"embedding,omitempty"`
}

// Lease is the timed right of one worker to one Run. Fence grows with every
// lease of the Run: whatever carries an older one is refused by the store.
type Lease struct {
	RunID   int64
	SiteID  int64
	Stage   Stage
	Attempt int // 1 on the first try of the current Stage
	Epoch   int // raised by a replay afresh; part of every step's key
	Owner   string
	Fence   int64
	TTL     time.Duration
	Pins    Pins
}

// Outcome is what a successful Attempt asks for beyond going on: a Stage to
// go back to after it changed text, or the Run's end.
type Outcome struct {
	Back   Stage  // "" goes on to the next Stage
	Done   bool   // the Run ends here, which only research may before publish
	Detail string // one line for the Run's events
}

// Transition is what a finished Attempt writes back to its Run.
type Transition struct {
	Stage   Stage
	State   State
	Waiting Waiting
	Delay   time.Duration // from the database's now() to the earliest lease
	Result  string        // of the Attempt: done, retry, continued (not counted), waiting, failed
	Error   string
	Kind    fault.Kind
	Detail  string
}

// Wakes returns the function to invoke after the Transition, "" when nothing
// is due at once.
func (t Transition) Wakes() string {
	if t.State != StateReady || t.Delay > 0 {
		return ""
	}
	return t.Stage.Function()
}

// Decide turns the outcome of one Attempt into the Run's next Transition.
func Decide(l Lease, out Outcome, err error) Transition {
	if err == nil {
		return advance(l.Stage, out)
	}
	t := Transition{Stage: l.Stage, Error: err.Error(), Kind: fault.KindOf(err)}
	switch {
	case t.Kind == fault.KindNeedsHuman && fault.IsBudget(err):
		t.State, t.Waiting, t.Result = StateWaiting, WaitingBudget, "waiting"
	case t.Kind == fault.KindNeedsHuman:
		t.State, t.Waiting, t.Result = StateWaiting, WaitingPerson, "waiting"
	case t.Kind == fault.KindPermanent:
		t.State, t.Result = StateFailed, "failed"
	case fault.IsNotYet(err):
		t.State, t.Result, t.Delay = StateReady, "continued", fault.RetryAfter(err)
	case l.Attempt < l.Stage.MaxAttempts():
		t.State, t.Result = StateReady, "retry"
		t.Delay = max(fault.RetryAfter(err), Backoff(l.Stage, l.Attempt))
	case l.Stage == StageFactCheck: // one try, then a person
		t.State, t.Waiting, t.Result = StateWaiting, WaitingPerson, "waiting"
	default:
		t.State, t.Result = StateFailed, "failed"
	}
	return t
}

func advance(s Stage, out Outcome) Transition {
	t := Transition{Stage: out.Back, State: StateReady, Result: "done", Detail: out.Detail}
	if out.Back != "" {
		return t
	}
	if out.Done {
		t.Stage, t.State = s, StateDone
		return t
	}
	next, ok := s.Next()
	switch {
	case !ok:
		t.Stage, t.State = s, StateDone
	case next == StageReview:
		t.Stage, t.State, t.Waiting = next, StateWaiting, WaitingApproval
	default:
		t.Stage = next
	}
	return t
}

// Backoff is the wait after the nth failed attempt at s: its spacing, doubled
// each time, at most an hour.
func Backoff(s Stage, attempt int) time.Duration {
	return min(s.spacing()<<max(0, min(attempt-1, 10)), time.Hour)
}
