package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
)

// LeaseRun hands one due Run of stage to owner for ttl, or reports false. A
// Run whose lease ended is due again; one that cost too many workers their
// lease is parked instead.
func (s *Store) LeaseRun(ctx context.Context, stage pipeline.Stage, owner string, ttl time.Duration) (pipeline.Lease, bool, error) {
	const q = `SELECT run_id, site_id, attempt, epoch, fence, pins FROM blogposter.lease_run($1, $2, $3::interval, $4, true)`
	rows, err := s.db.Query(ctx, q, string(stage), owner, ttl, pipeline.MaxLostLeases)
	if err != nil {
		return pipeline.Lease{}, false, fmt.Errorf("lease a %s run: %w", stage, translate(err))
	}
	leases, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (pipeline.Lease, error) {
		l := pipeline.Lease{Stage: stage, Owner: owner, TTL: ttl}
		var pins []byte
		if err := row.Scan(&l.RunID, &l.SiteID, &l.Attempt, &l.Epoch, &l.Fence, &pins); err != nil {
			return l, err
		}
		return l, json.Unmarshal(pins, &l.Pins)
	})
	if err != nil {
		return pipeline.Lease{}, false, fmt.Errorf("lease a %s run: %w", stage, translate(err))
	}
	if len(leases) == 0 {
		return pipeline.Lease{}, false, nil
	}
	return leases[0], true, nil
}

// holdLease ends the transaction it stands in unless l is still the lease of
// its Run, and gives a sign of life.
func holdLease(b *pgx.Batch, l pipeline.Lease) {
	b.Queue(`SELECT blogposter.hold_lease($1, $2, $3, $4::interval)`, l.RunID, l.Owner, l.Fence, l.TTL)
}

// FinishAttempt writes what the attempt made and what it means for the Run,
// and ends the lease: all of it, or, with pipeline.ErrLeaseLost, nothing.
func (s *Store) FinishAttempt(ctx context.Context, l pipeline.Lease, t pipeline.Transition, w editorial.Work) error {
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		if w.TopicID != 0 { // before the Run goes on to a stage that it can't be at without one
			b.Queue(`SELECT blogposter.take_topic($1, $2)`, l.RunID, w.TopicID)
		}
		b.Queue(`SELECT blogposter.finish_attempt($1, $2, $3, $4, $5, $6, $7, $8::interval, $9, $10, $11)`,
			l.RunID, l.Owner, l.Fence, t.Result, string(t.Stage), string(t.State), orNull(string(t.Waiting)),
			t.Delay, orNull(string(t.Kind)), orNull(t.Error), t.Detail)
		queueWork(b, l, w)
	})
	if err != nil {
		return fmt.Errorf("finish run %d attempt %d: %w", l.RunID, l.Attempt, err)
	}
	return nil
}

// BeginDueResearch begins a research Run, pinned to pins, for each site whose
// look around is due, and says how many. Two calls at once begin one each.
func (s *Store) BeginDueResearch(ctx context.Context, pins pipeline.Pins) (int, error) {
	rows, err := s.db.Query(ctx, `SELECT blogposter.begin_due_research($1::jsonb)`, list(pins))
	if err != nil {
		return 0, fmt.Errorf("begin due research: %w", translate(err))
	}
	n, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
	if err != nil {
		return 0, fmt.Errorf("begin due research: %w", translate(err))
	}
	return n, nil
}

// DueStages lists the stages that have due Runs, with their number.
func (s *Store) DueStages(ctx context.Context) (map[pipeline.Stage]int64, error) {
	rows, err := s.db.Query(ctx, `SELECT stage, due FROM blogposter.due_stages()`)
	if err != nil {
		return nil, fmt.Errorf("list due stages: %w", translate(err))
	}
	due := map[pipeline.Stage]int64{}
	var stage string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&stage, &n}, func() error {
		due[pipeline.Stage(stage)] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list due stages: %w", translate(err))
	}
	return due, nil
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
