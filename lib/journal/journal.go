// Package journal makes an external call a step of its Run that is never
// bought twice: a committed intent, with its worst case reserved, comes before
// the call; the answer is committed before it is used; a stored answer is
// returned without a call.
//
// A worker that dies between the two leaves the step "sent". Where the next
// lease of the Run begins it becomes unknown, its reservation stays charged,
// and it is sent again only if the budget still allows. A call that the
// provider keeps under a name of ours (External) is looked up instead.
package journal

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"blogposter/lib/fault"
	"blogposter/lib/ledger"
	"blogposter/lib/pipeline"
)

// MaxResult is the longest answer a step keeps in its row, in bytes.
const MaxResult = 100_000

// Writing down what a call came to is tried so often, since the call is paid
// by then: a short fault of the database must not lose it.
const (
	writes       = 3
	writeTimeout = 10 * time.Second
	writePause   = 300 * time.Millisecond
)

// ErrBudget means that a reservation was denied; it is wrapped in
// fault.NeedsBudget.
var ErrBudget = errors.New("budget spent")

// ErrPending means that the call is under way at the provider, under the
// Intent's External name: it is to be looked up there, never sent again.
var ErrPending = errors.New("call is under way at the provider")

// Intent is what is about to be asked of the outside world.
type Intent struct {
	Name     string        // unique within the Run's stage, such as "digest:2"
	Input    []byte        // everything the answer depends on; stored as its hash
	Provider string        // "anthropic", "jina", "wordpress"
	Model    string        // "" for an unpaid call
	Prompt   string        // version of the prompt, such as "v1/digest"
	External string        // a name of ours that the provider keeps with the call, such as a batch's custom id
	Worst    ledger.Micros // 0 for an unpaid call
	// Or names other steps of the Run's stage whose stored answer serves as
	// well: it is returned, and nothing is sent.
	Or []Key
}

// Key is what a step is found by, within its Run's stage.
type Key struct {
	Name  string
	Input []byte // as in Intent
}

// Receipt is what a call brought: its answer, and what it cost.
type Receipt struct {
	Result  json.RawMessage
	Usage   ledger.Usage
	Cost    ledger.Micros
	Request string // the provider's id of the call
}

// Hash is the SHA-256 of the Intent's input.
func (in Intent) Hash() [sha256.Size]byte { return Key{Input: in.Input}.Hash() }

// Hash is the SHA-256 of the Key's input.
func (k Key) Hash() [sha256.Size]byte { return sha256.Sum256(k.Input) }

// Keys are those of every step whose stored answer serves, its own first.
func (in Intent) Keys() []Key { return append([]Key{{in.Name, in.Input}}, in.Or...) }

// Begun is a step that may be called now, or, with Stored set, one whose
// answer is known.
type Begun struct {
	StepID  int64
	Send    int // 1 on the first call; each has its own reservation
	Stored  json.RawMessage
	Pending bool // sent under an External name and not answered yet
}

// Ending says how a call without an answer ended.
type Ending struct {
	Err  error
	Lost bool          // it may have been carried out: the reservation stays charged
	Cost ledger.Micros // charged although useless, such as a refusal; 0 releases all
}

// Steps is the journal's table. Every method refuses a lease that is no
// longer held, and extends one that is. BeginStep looks for the answers of all
// of the Intent's Keys before it reserves anything.
type Steps interface {
	BeginStep(ctx context.Context, l pipeline.Lease, in Intent) (Begun, error)
	FinishStep(ctx context.Context, l pipeline.Lease, b Begun, r Receipt) error
	EndStep(ctx context.Context, l pipeline.Lease, b Begun, e Ending) error
}

// Journal runs calls as steps.
type Journal struct{ steps Steps }

// New returns a Journal kept in steps.
func New(steps Steps) *Journal { return &Journal{steps: steps} }

// Do returns the stored answer of the step, or of one that serves as well, or
// makes the call and stores its answer first. An error of call is returned as it is, after the step was
// closed; fault.IsLost decides whether its reservation stays charged.
func (j *Journal) Do(ctx context.Context, l pipeline.Lease, in Intent, call func(ctx context.Context) (Receipt, error)) (json.RawMessage, error) {
	b, err := j.steps.BeginStep(ctx, l, in)
	if err != nil {
		return nil, fmt.Errorf("begin step %s of run %d: %w", in.Name, l.RunID, err)
	}
	if b.Stored != nil {
		return b.Stored, nil
	}
	if b.Pending {
		return nil, fault.Retryable(fmt.Errorf("step %s of run %d, %q: %w", in.Name, l.RunID, in.External, ErrPending), time.Minute)
	}
	r, err := call(ctx)
	if err != nil {
		return nil, j.end(ctx, l, in, b, Ending{Err: err, Lost: fault.IsLost(err), Cost: r.Cost})
	}
	if len(r.Result) == 0 {
		r.Result = json.RawMessage("null") // a nil answer would read as "not answered" and be bought again
	}
	if err := storable(r.Result); err != nil {
		err = fault.Permanent(fmt.Errorf("step %s of run %d: %w", in.Name, l.RunID, err))
		return nil, j.end(ctx, l, in, b, Ending{Err: err, Cost: r.Cost})
	}
	if err := write(ctx, func(ctx context.Context) error { return j.steps.FinishStep(ctx, l, b, r) }); err != nil {
		return nil, fmt.Errorf("finish step %s of run %d: %w", in.Name, l.RunID, err)
	}
	return r.Result, nil
}

// end closes a step that has no answer to keep, with what it cost, and returns
// why.
func (j *Journal) end(ctx context.Context, l pipeline.Lease, in Intent, b Begun, e Ending) error {
	if err := write(ctx, func(ctx context.Context) error { return j.steps.EndStep(ctx, l, b, e) }); err != nil {
		return errors.Join(e.Err, fmt.Errorf("end step %s of run %d: %w", in.Name, l.RunID, err))
	}
	return e.Err
}

// write writes down what a call came to, although the caller's time may be up.
func write(ctx context.Context, do func(ctx context.Context) error) error {
	ctx = context.WithoutCancel(ctx)
	for try := 1; ; try++ {
		once, cancel := context.WithTimeout(ctx, writeTimeout)
		err := do(once)
		cancel()
		if err == nil || try == writes || errors.Is(err, pipeline.ErrLeaseLost) || fault.KindOf(err) != fault.KindRetryable {
			return err
		}
		<-time.After(time.Duration(try) * writePause)
	}
}

// storable refuses an answer that the table would refuse: by then the call is
// paid, and a step without a record would be paid again.
func storable(result json.RawMessage) error {
	if len(result) > MaxResult {
		return fmt.Errorf("answer of %d bytes is over %d: keep it as an artifact and return its hash", len(result), MaxResult)
	}
	if !json.Valid(result) {
		return errors.New("answer is not JSON: encode it before it is returned")
	}
	return nil
}
