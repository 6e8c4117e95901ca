// Package journaltest keeps a journal in memory, for tests of what calls the
// outside world. The real one is in lib/store.
package journaltest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/ledger"
	"blogposter/lib/pipeline"
)

// Step is one row as a test may look at it.
type Step struct {
	journal.Intent
	State   string // sent, done, failed or unknown
	Send    int    // how often it was sent
	Receipt journal.Receipt
	Ending  journal.Ending
}

// Steps is a journal.Steps in memory, safe for concurrent use. The zero value
// has no budget limit.
type Steps struct {
	// Limit is what may be reserved and spent in all; 0 is no limit.
	Limit ledger.Micros
	// BeginErr, FinishErr and EndErr, when set, are returned by that method
	// before it writes anything, as by a lost lease.
	BeginErr, FinishErr, EndErr error

	mu     sync.Mutex
	rows   []*Step
	byKey  map[string]int
	events []string
	spent  ledger.Micros
}

var _ journal.Steps = (*Steps)(nil)

// Events tells what happened in order, such as "begin digest:1" or "finish
// digest:1". A test adds its own with Note.
func (s *Steps) Events() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.events...)
}

// Note adds an event of the test's own.
func (s *Steps) Note(event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, event)
}

// Rows returns every step in the order of its first call.
func (s *Steps) Rows() []Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Step, len(s.rows))
	for i, r := range s.rows {
		out[i] = *r
	}
	return out
}

// Spent is what was charged, with reservations that stay charged.
func (s *Steps) Spent() ledger.Micros {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spent
}

// BeginStep returns the stored answer, or reserves and records the intent.
func (s *Steps) BeginStep(_ context.Context, l pipeline.Lease, in journal.Intent) (journal.Begun, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.BeginErr != nil {
		return journal.Begun{}, s.BeginErr
	}
	for _, k := range in.Keys() {
		if id, ok := s.byKey[place(l, k)]; ok && s.rows[id].State == "done" {
			s.events = append(s.events, "stored "+k.Name)
			return journal.Begun{StepID: int64(id), Send: s.rows[id].Send, Stored: s.rows[id].Receipt.Result}, nil
		}
	}
	key := place(l, in.Keys()[0])
	id, known := s.byKey[key]
	if s.Limit > 0 && s.spent+in.Worst > s.Limit {
		s.events = append(s.events, "denied "+in.Name)
		return journal.Begun{}, fault.NeedsBudget(fmt.Errorf("%w: %s of %s left", journal.ErrBudget, s.Limit-s.spent, s.Limit))
	}
	if !known {
		if s.byKey == nil {
			s.byKey = map[string]int{}
		}
		id = len(s.rows)
		s.byKey[key] = id
		s.rows = append(s.rows, &Step{Intent: in})
	}
	// A step found "sent" was lost: its reservation stays in spent.
	s.spent += in.Worst
	s.rows[id].State = "sent"
	s.rows[id].Send++
	s.events = append(s.events, "begin "+in.Name)
	return journal.Begun{StepID: int64(id), Send: s.rows[id].Send}, nil
}

func place(l pipeline.Lease, k journal.Key) string {
	return fmt.Sprintf("%d/%d/%s/%s/%x", l.RunID, l.Epoch, l.Stage, k.Name, k.Hash())
}

// FinishStep stores the answer and settles the reservation.
func (s *Steps) FinishStep(_ context.Context, _ pipeline.Lease, b journal.Begun, r journal.Receipt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.FinishErr != nil {
		return s.FinishErr
	}
	row := s.rows[b.StepID]
	r.Result = append(json.RawMessage(nil), r.Result...)
	row.State, row.Receipt = "done", r
	s.spent += r.Cost - row.Worst
	s.events = append(s.events, "finish "+row.Name)
	return nil
}

// EndStep closes a call without an answer: what was lost stays charged.
func (s *Steps) EndStep(ctx context.Context, _ pipeline.Lease, b journal.Begun, e journal.Ending) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.EndErr != nil {
		return s.EndErr
	}
	row := s.rows[b.StepID]
	row.State, row.Ending = "failed", e
	if e.Lost {
		row.State = "unknown"
	} else {
		s.spent += e.Cost - row.Worst
	}
	s.events = append(s.events, "end "+row.Name)
	return nil
}
