package sitefile

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// AddKey stores the hash of a new API key of the site, and says its id. Only
// its holder ever knows the key. The zero expiry is none.
func AddKey(ctx context.Context, ownerURL, slug, name, role, hash string, expires time.Time) (id int64, err error) {
	var until *time.Time
	if !expires.IsZero() {
		until = &expires
	}
	err = transact(ctx, ownerURL, func(tx pgx.Tx) error {
		h, err := find(ctx, tx, slug)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `INSERT INTO blogposter.api_keys (site_id, name, role, hash, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
			h.id, name, role, hash, until).Scan(&id)
	})
	if err != nil {
		return 0, fmt.Errorf("add key to %s: %w", slug, err)
	}
	return id, nil
}

// Key is an API key as far as anybody but its holder knows it.
type Key struct {
	ID                   int64
	Site, Name, Role     string
	CreatedAt            time.Time
	ExpiresAt, RevokedAt *time.Time
}

// State is how the key stands at now: live, expired or revoked.
func (k Key) State(now time.Time) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked"
	case k.ExpiresAt != nil && !k.ExpiresAt.After(now):
		return "expired"
	}
	return "live"
}

// Keys lists API keys; slug "" means of every site.
func Keys(ctx context.Context, ownerURL, slug string) ([]Key, error) {
	return ofSite(ctx, ownerURL, `SELECT k.id, s.slug AS site, k.name, k.role, k.created_at, k.expires_at, k.revoked_at FROM blogposter.api_keys k
		JOIN blogposter.sites s ON s.id = k.site_id WHERE $1 = '' OR s.slug = $1 ORDER BY k.id`, pgx.RowToStructByName[Key], slug)
}

// RevokeKey ends an API key of the site for good. Doing so again changes
// nothing.
func RevokeKey(ctx context.Context, ownerURL, slug string, id int64) error {
	return transact(ctx, ownerURL, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE blogposter.api_keys k SET revoked_at = coalesce(k.revoked_at, now())
			FROM blogposter.sites s WHERE s.id = k.site_id AND s.slug = $1 AND k.id = $2`, slug, id)
		if err != nil {
			return fmt.Errorf("revoke key %d: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("revoke key %d: site %q has no such key; `site key list -site %s` shows those it has", id, slug, slug)
		}
		return nil
	})
}
