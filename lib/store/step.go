package store

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/journal"
	"blogposter/lib/ledger"
	"blogposter/lib/pipeline"
)

// BeginStep commits the intent of a call and reserves its worst case, or
// returns the stored answer, its own or one that serves as well. A denied
// reservation is journal.ErrBudget.
func (s *Store) BeginStep(ctx context.Context, l pipeline.Lease, in journal.Intent) (journal.Begun, error) {
	// The look-up is part of the statement, so that it costs no round trip; the
	// function, which takes its row, can't run before it.
	const q = `WITH answered AS (
			SELECT k.name, k.hash FROM unnest($8::text[], $9::text[]) WITH ORDINALITY AS k (name, hash, n)
			JOIN blogposter.steps s ON s.run_id = $1 AND s.epoch = $5 AND s.stage = $6 AND s.name = k.name AND s.input_hash = k.hash AND s.state = 'done'
			ORDER BY k.n LIMIT 1),
		chosen AS (
			SELECT name, hash FROM answered
			UNION ALL SELECT ($8::text[])[1], ($9::text[])[1] WHERE NOT EXISTS (SELECT FROM answered))
		SELECT b.step_id, b.send, b.stored, b.pending
		FROM chosen CROSS JOIN LATERAL blogposter.begin_step($1, $2, $3, $4::interval, $5, $6, $7, chosen.name, chosen.hash, $10, $11, $12, $13, $14) AS b`
	var names, hashes []string
	for _, k := range in.Keys() {
		hash := k.Hash()
		names, hashes = append(names, k.Name), append(hashes, hex.EncodeToString(hash[:]))
	}
	var got journal.Begun
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		b.Queue(q, l.RunID, l.Owner, l.Fence, l.TTL, l.Epoch, string(l.Stage), l.Attempt,
			names, hashes, in.Provider, in.Model, in.Prompt, in.External, int64(in.Worst),
		).QueryRow(func(row pgx.Row) error {
			var stored []byte
			if err := row.Scan(&got.StepID, &got.Send, &stored, &got.Pending); err != nil {
				return err
			}
			got.Stored = stored
			return nil
		})
	})
	if err != nil {
		return journal.Begun{}, err
	}
	return got, nil
}

// FinishStep stores the answer and settles the reservation.
func (s *Store) FinishStep(ctx context.Context, l pipeline.Lease, b journal.Begun, r journal.Receipt) error {
	return s.endStep(ctx, l, b, "done", string(r.Result), "", r.Request, r.Cost, r.Usage)
}

// EndStep closes a call that brought no answer: released or charged as e
// says, or left charged as unknown when it may have been carried out.
func (s *Store) EndStep(ctx context.Context, l pipeline.Lease, b journal.Begun, e journal.Ending) error {
	state := "failed"
	if e.Lost {
		state = "unknown"
	}
	return s.endStep(ctx, l, b, state, "", e.Err.Error(), "", e.Cost, ledger.Usage{})
}

func (s *Store) endStep(ctx context.Context, l pipeline.Lease, b journal.Begun, state, result, fault, request string, cost ledger.Micros, u ledger.Usage) error {
	const q = `SELECT blogposter.end_step($1, $2, $3, $4::interval, $5, $6, $7, $8, $9::jsonb, $10, $11, $12, $13, $14, $15, $16, $17)`
	err := s.asSite(ctx, l.SiteID, func(batch *pgx.Batch) {
		batch.Queue(q, l.RunID, l.Owner, l.Fence, l.TTL, l.Attempt, b.StepID, b.Send, state, orNull(result), orNull(fault), request,
			int64(cost), u.Input, u.Output, u.CacheRead, u.CacheWrite5m, u.CacheWrite1h)
	})
	if err != nil {
		return fmt.Errorf("step %d of run %d: %w", b.StepID, l.RunID, err)
	}
	return nil
}
