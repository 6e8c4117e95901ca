package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/view"
)

// Reviews lists the Runs of the site that wait for approval, the oldest first,
// one more than the page holds when there are more.
func (s *Store) Reviews(ctx context.Context, site string, p view.Page) ([]view.Run, error) {
	const q = `
		SELECT coalesce(jsonb_agg(x.o ORDER BY x.id), '[]') FROM (
			SELECT r.id, ` + runObject + ` AS o FROM blogposter.runs r
			WHERE r.site_id = blogposter.current_site() AND r.state = 'waiting' AND r.waiting = 'approval' AND r.id > $1::bigint
			ORDER BY r.id LIMIT $2) x`
	var found []view.Run
	err := s.onSite(ctx, site, func(b *pgx.Batch) { b.Queue(q, p.After, p.Limit+1).QueryRow(object(&found)) })
	if err != nil {
		return nil, fmt.Errorf("list reviews of %s: %w", site, err)
	}
	return found, nil
}

// Review returns what a reviewer needs to judge the latest Draft of a Run of
// the site, in one round trip.
func (s *Store) Review(ctx context.Context, site string, runID int64) (view.Review, error) {
	const q = `SELECT jsonb_build_object('run', ` + runObject + `, 'cost', ` + costObject + `)
		FROM blogposter.runs r WHERE r.id = $1 AND r.site_id = blogposter.current_site()`
	var v view.Review
	err := s.onSite(ctx, site, func(b *pgx.Batch) {
		b.Queue(q, runID).QueryRow(object(&v))
		b.Queue(dossierQuery, runID).QueryRow(object(&v.Dossier))
	})
	if err != nil {
		return view.Review{}, fmt.Errorf("show review of run %d: %w", runID, err)
	}
	return v, nil
}

// decideQuery records the answer to the latest draft and moves its run on, if
// the run waits for approval and the draft is the one that was shown.
const decideQuery = `
WITH decided AS (
	INSERT INTO blogposter.decisions (run_id, draft_id, site_id, verb, digest, reviewer, comment)
	SELECT r.id, d.id, r.site_id, $2, $3, $4, $5` + runAndDraft + `
	  AND r.state = 'waiting' AND r.waiting = 'approval' AND d.digest = $3 AND d.digest <> ''
	ON CONFLICT (draft_id) DO NOTHING
	RETURNING run_id, verb, reviewer, comment
), moved AS (
	UPDATE blogposter.runs r SET
		stage = CASE z.verb WHEN 'approve' THEN 'publish' ELSE r.stage END,
		state = CASE z.verb WHEN 'approve' THEN 'ready' ELSE 'cancelled' END,
		not_before = greatest(now(), r.publish_at),
		finished_at = CASE z.verb WHEN 'reject' THEN clock_timestamp() END,
		error = CASE z.verb WHEN 'reject' THEN concat_ws(': ', 'the draft was rejected', nullif(z.comment, '')) END,
		waiting = NULL, attempt = 0, lost_leases = 0, error_kind = NULL, updated_at = now()
	FROM decided z WHERE r.id = z.run_id
	RETURNING r.id, r.site_id, r.stage, r.state, z.verb, z.reviewer, z.comment
)
INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt, detail)
SELECT id, site_id, 'decided', stage, state, 0, concat_ws(': ', verb || ' by ' || reviewer, nullif(comment, '')) FROM moved
RETURNING run_id`

// Decide records a reviewer's answer and moves the Run on, both or neither.
// The same answer of the same reviewer is recorded once; what can't be
// recorded is a *view.Conflict.
func (s *Store) Decide(ctx context.Context, site string, a view.Answer) (view.Decided, error) {
	const now = `SELECT jsonb_build_object('run', ` + runObject + `, 'decision', ` + decisionObject + `, 'digest', coalesce(d.digest, ''))` + runAndDraft
	var d view.Decided
	var added []int64
	err := s.onSite(ctx, site, func(b *pgx.Batch) {
		// Of two reviewers at once the second waits here; its next statement
		// then sees what the first one decided.
		b.Queue(`SELECT FROM blogposter.runs WHERE id = $1 AND site_id = blogposter.current_site() FOR UPDATE`, a.RunID)
		b.Queue(decideQuery, a.RunID, string(a.Verb), a.Digest, a.Reviewer, a.Comment).Query(func(rows pgx.Rows) (err error) {
			added, err = pgx.CollectRows(rows, pgx.RowTo[int64])
			return err
		})
		b.Queue(now, a.RunID).QueryRow(object(&d))
	})
	if err != nil {
		return view.Decided{}, fmt.Errorf("decide on run %d: %w", a.RunID, err)
	}
	d.New = len(added) == 1
	if z := d.Decision; d.New || z != nil && z.Verb == a.Verb && z.Digest == a.Digest && z.Reviewer == a.Reviewer {
		return d, nil
	}
	return view.Decided{}, fmt.Errorf("decide on run %d: %w", a.RunID, &view.Conflict{Run: d.Run, Digest: d.Digest})
}
