package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
)

// MediaFile returns the file in the site's library that has these bytes, as
// far as is known: somebody may have deleted it there. False when none is.
func (s *Store) MediaFile(ctx context.Context, l pipeline.Lease, hash string) (editorial.File, bool, error) {
	const q = `SELECT jsonb_build_object('id', media_id, 'url', url) FROM blogposter.media WHERE site_id = blogposter.current_site() AND hash = $1`
	var f editorial.File
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) { b.Queue(q, hash).QueryRow(object(&f)) })
	if errors.Is(err, ErrNotFound) {
		return editorial.File{}, false, nil
	}
	if err != nil {
		return editorial.File{}, false, fmt.Errorf("look up media %.12s: %w", hash, err)
	}
	return f, true, nil
}

// KeepMediaFile notes which file of the site's library has these bytes, in the
// place of an earlier one.
func (s *Store) KeepMediaFile(ctx context.Context, l pipeline.Lease, hash string, f editorial.File) error {
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		holdLease(b, l)
		b.Queue(`INSERT INTO blogposter.media (site_id, hash, media_id, url) VALUES ($1, $2, $3, $4)
			ON CONFLICT (site_id, hash) DO UPDATE SET media_id = EXCLUDED.media_id, url = EXCLUDED.url`, l.SiteID, hash, f.ID, f.URL)
	})
	if err != nil {
		return fmt.Errorf("keep media %.12s as file %d: %w", hash, f.ID, err)
	}
	return nil
}
