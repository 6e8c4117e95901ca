package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
)

const publicationColumns = `jsonb_build_object('id', id, 'draft_id', draft_id, 'digest', digest, 'marker', marker, 'state', state,
	'post_id', coalesce(post_id, 0), 'url', url, 'published_at', published_at)`

// BeginPublication commits the intent to publish a Draft, or returns what is
// known of it already. The database refuses a digest that was not approved
// and a Draft whose claims fail the gate.
func (s *Store) BeginPublication(ctx context.Context, l pipeline.Lease, p editorial.Publication) (editorial.Publication, error) {
	var got editorial.Publication
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		b.Queue(`SELECT blogposter.hold_lease($1, $2, $3, $4::interval)`, l.RunID, l.Owner, l.Fence, l.TTL)
		b.Queue(`INSERT INTO blogposter.publications (run_id, draft_id, site_id, digest, marker, state)
			VALUES ($1, $2, $3, $4, $5, 'intent') ON CONFLICT (run_id) DO NOTHING`, l.RunID, p.DraftID, l.SiteID, p.Digest, p.Marker)
		b.Queue(`SELECT `+publicationColumns+` FROM blogposter.publications WHERE run_id = $1`, l.RunID).QueryRow(object(&got))
	})
	if err != nil {
		return editorial.Publication{}, fmt.Errorf("begin publication of run %d: %w", l.RunID, err)
	}
	return got, nil
}

// MarkPublication records how far the Publication got. p.State is draft or
// published.
func (s *Store) MarkPublication(ctx context.Context, l pipeline.Lease, p editorial.Publication) error {
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		b.Queue(`SELECT blogposter.hold_lease($1, $2, $3, $4::interval)`, l.RunID, l.Owner, l.Fence, l.TTL)
		b.Queue(`UPDATE blogposter.publications SET state = $2, post_id = $3, url = $4,
			       published_at = CASE WHEN $2 = 'published' THEN coalesce(published_at, now()) END
			WHERE run_id = $1`, l.RunID, string(p.State), p.PostID, p.URL)
	})
	if err != nil {
		return fmt.Errorf("mark publication of run %d %s: %w", l.RunID, p.State, err)
	}
	return nil
}
