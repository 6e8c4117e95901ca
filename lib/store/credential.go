package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
)

// Credential returns a sealed secret of the site; false for one it doesn't
// have.
func (s *Store) Credential(ctx context.Context, siteID int64, name string) (editorial.Sealed, bool, error) {
	const q = `SELECT c.key_id, c.sealed FROM blogposter.credentials c WHERE c.site_id = $1 AND c.site_id = blogposter.current_site() AND c.name = $2`
	var found editorial.Sealed
	err := s.asSite(ctx, siteID, func(b *pgx.Batch) {
		b.Queue(q, siteID, name).QueryRow(func(row pgx.Row) error { return row.Scan(&found.KeyID, &found.Bytes) })
	})
	if errors.Is(err, ErrNotFound) {
		return editorial.Sealed{}, false, nil
	}
	if err != nil {
		return editorial.Sealed{}, false, fmt.Errorf("load credential %s of site %d: %w", name, siteID, err)
	}
	return found, true, nil
}
