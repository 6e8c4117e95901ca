package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/auth"
	"blogposter/lib/view"
)

// PrincipalKey finds who holds the API key with this hash; false for one that
// is unknown, expired or revoked.
func (s *Store) PrincipalKey(ctx context.Context, hash string) (auth.Key, bool, error) {
	rows, err := s.db.Query(ctx, `SELECT key_id, name, role, site FROM blogposter.principal_by_key($1)`, hash)
	if err != nil {
		return auth.Key{}, false, fmt.Errorf("find api key: %w", translate(err))
	}
	keys, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.Key, error) {
		var k auth.Key
		err := row.Scan(&k.ID, &k.Name, &k.Role, &k.Site)
		return k, err
	})
	if err != nil {
		return auth.Key{}, false, fmt.Errorf("find api key: %w", translate(err))
	}
	if len(keys) == 0 {
		return auth.Key{}, false, nil
	}
	return keys[0], true, nil
}

// onSite is asSite for a caller that knows the site's slug: found and entered
// in the same round trip. An unknown slug enters no site, so it has no rows.
func (s *Store) onSite(ctx context.Context, slug string, add func(b *pgx.Batch)) error {
	var b pgx.Batch
	b.Queue(`SELECT set_config('app.site_id', coalesce(blogposter.site_by_slug($1)::text, ''), true)`, slug)
	add(&b)
	return shown(translate(s.db.SendBatch(ctx, &b).Close()))
}

// shown turns this room's ErrNotFound into the one the API's handlers know.
func shown(err error) error {
	if errors.Is(err, ErrNotFound) {
		return view.ErrNotFound
	}
	return err
}

// Ping checks that Postgres answers, that its schema has what this release
// works on, and that this login sees one site at a time.
func (s *Store) Ping(ctx context.Context) error {
	var ready, scoped bool
	var b pgx.Batch
	b.Queue(`SELECT to_regclass('blogposter.media') IS NOT NULL, coalesce(row_security_active(to_regclass('blogposter.runs')), false)`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&ready, &scoped) })
	if err := s.db.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("ask postgres: %w", translate(err))
	}
	if !ready {
		return errors.New("schema blogposter lacks what this release needs: run make migrate")
	}
	if !scoped {
		return errors.New("DATABASE_URL logs in as a role that bypasses row-level security: use the functions' role")
	}
	return nil
}
