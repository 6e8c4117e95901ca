package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
)

// publicationObject is the publication p.
const publicationObject = `jsonb_build_object('id', p.id, 'draft_id', p.draft_id, 'digest', p.digest, 'marker', p.marker, 'state', p.state,
	'post_id', coalesce(p.post_id, 0), 'url', p.url, 'published_at', p.published_at, 'replaces_id', coalesce(p.replaces_id, 0),
	'ended_at', p.ended_at, 'ended_why', p.ended_why)`

// BeginPublication commits the intent to publish a Draft, or returns what is
// known of it already. The database refuses a digest that was not approved
// and a Draft whose claims fail the gate. With p.ReplacesID the intent is to
// take over that Publication's post: it must be published, and no other Run
// be at work on the same.
func (s *Store) BeginPublication(ctx context.Context, l pipeline.Lease, p editorial.Publication) (editorial.Publication, error) {
	const add = `
		INSERT INTO blogposter.publications (run_id, draft_id, site_id, digest, marker, state, replaces_id)
		SELECT $1, $2, $3, $4, $5, 'intent', nullif($6::bigint, 0)
		WHERE $6 = 0 OR EXISTS (SELECT FROM blogposter.publications t WHERE t.id = $6 AND t.site_id = $3 AND t.state = 'published'
			AND NOT EXISTS (SELECT` + busyWith + `))
		ON CONFLICT (run_id) DO NOTHING`
	var got editorial.Publication
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		holdLease(b, l)
		// Of two that would replace the same, the second waits here and then sees the first one's intent.
		b.Queue(`SELECT FROM blogposter.publications WHERE id = $1 FOR UPDATE`, p.ReplacesID)
		b.Queue(add, l.RunID, p.DraftID, l.SiteID, p.Digest, p.Marker, p.ReplacesID)
		b.Queue(`SELECT `+publicationObject+` FROM blogposter.publications p WHERE p.run_id = $1`, l.RunID).QueryRow(object(&got))
	})
	if errors.Is(err, ErrNotFound) && p.ReplacesID != 0 {
		err = fault.Retryable(fmt.Errorf("article %d can't be replaced at the moment", p.ReplacesID), 0)
	}
	if err != nil {
		return editorial.Publication{}, fmt.Errorf("begin publication of run %d: %w", l.RunID, err)
	}
	return got, nil
}

// busyWith is another run than $1 that is at work on replacing the publication t.
const busyWith = ` FROM blogposter.publications o JOIN blogposter.runs w ON w.id = o.run_id
	WHERE o.replaces_id = t.id AND o.site_id = t.site_id AND o.state = 'intent' AND o.run_id <> $1 AND w.state IN ('ready', 'running')`

// MarkPublication records how far the Publication got. p.State is draft or
// published.
func (s *Store) MarkPublication(ctx context.Context, l pipeline.Lease, p editorial.Publication) error {
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		holdLease(b, l)
		b.Queue(`UPDATE blogposter.publications SET state = $2, post_id = $3, url = $4,
			       published_at = CASE WHEN $2 = 'published' THEN coalesce(published_at, now()) END
			WHERE run_id = $1 AND state NOT IN ('superseded', 'retracted')`, l.RunID, string(p.State), p.PostID, p.URL)
	})
	if err != nil {
		return fmt.Errorf("mark publication of run %d %s: %w", l.RunID, p.State, err)
	}
	return nil
}

// Supersede records that the Run's Publication stands on the post of the one
// that it replaces, and that one no longer: both or neither. One that was taken
// back meanwhile needs a person.
func (s *Store) Supersede(ctx context.Context, l pipeline.Lease, p editorial.Publication) error {
	var ended, begun int64
	err := s.inTx(ctx, func(tx *Store) error {
		err := tx.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
			holdLease(b, l)
			b.Queue(`WITH ended AS (UPDATE blogposter.publications SET state = 'superseded', ended_at = clock_timestamp(), ended_why = 'run ' || $2::bigint
				WHERE id = $1 AND state = 'published' AND post_id = $3 RETURNING id) SELECT count(*) FROM ended`,
				p.ReplacesID, l.RunID, p.PostID).QueryRow(scan(&ended))
			b.Queue(`WITH begun AS (UPDATE blogposter.publications SET state = 'published', post_id = $2, url = $3, published_at = now()
				WHERE run_id = $1 AND state = 'intent' RETURNING id) SELECT count(*) FROM begun`, l.RunID, p.PostID, p.URL).QueryRow(scan(&begun))
		})
		if err == nil && (ended != 1 || begun != 1) {
			err = fault.NeedsHuman(fmt.Errorf("article %d was taken back or replaced meanwhile", p.ReplacesID))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("let run %d replace article %d: %w", l.RunID, p.ReplacesID, err)
	}
	return nil
}

// inTx runs fn on a Store bound to one transaction: committed when fn returns
// nil, rolled back otherwise.
func (s *Store) inTx(ctx context.Context, fn func(*Store) error) error {
	return pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error { return fn(&Store{db: tx}) })
}

func scan(dst any) func(pgx.Row) error {
	return func(row pgx.Row) error { return row.Scan(dst) }
}
