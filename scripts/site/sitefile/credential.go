package sitefile

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/editorial"
	"blogposter/lib/seal"
)

// ErrNoSite means that no site has the slug.
var ErrNoSite = errors.New("there is no such site: import it first")

// holder is the site a credential belongs to.
type holder struct {
	id   int64
	slug string
}

var credentialForm = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,62}$`)

// SetCredential seals a secret of the site. It reports false when the very
// same secret was sealed with the same key before: nothing changes then.
func SetCredential(ctx context.Context, ownerURL string, keys *seal.Keys, slug, name, secret string) (changed bool, err error) {
	switch {
	case !credentialForm.MatchString(name):
		return false, fmt.Errorf("credential name %q: use lower-case letters, digits, dots and underscores, such as %s", name, editorial.CredentialPassword)
	case secret == "":
		return false, fmt.Errorf("credential %s of %s: the value is empty", name, slug)
	}
	err = transact(ctx, ownerURL, func(tx pgx.Tx) error {
		h, err := find(ctx, tx, slug)
		if err == nil {
			changed, err = put(ctx, tx, keys, h, name, secret)
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("set credential %s of %s: %w", name, slug, err)
	}
	return changed, nil
}

func find(ctx context.Context, tx pgx.Tx, slug string) (holder, error) {
	h := holder{slug: slug}
	err := tx.QueryRow(ctx, `SELECT id FROM blogposter.sites WHERE slug = $1`, slug).Scan(&h.id)
	if errors.Is(err, pgx.ErrNoRows) {
		return h, ErrNoSite
	}
	return h, err
}

// put seals secret unless it is kept already, so that the row goes on saying
// since when it is what it is.
func put(ctx context.Context, tx pgx.Tx, keys *seal.Keys, h holder, name, secret string) (changed bool, err error) {
	var kept editorial.Sealed
	err = tx.QueryRow(ctx, `SELECT key_id, sealed FROM blogposter.credentials WHERE site_id = $1 AND name = $2 FOR UPDATE`, h.id, name).Scan(&kept.KeyID, &kept.Bytes)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return false, err
	}
	if err == nil && kept.KeyID == keys.First() {
		if was, err := keys.Open(h.slug, name, kept); err == nil && was == secret {
			return false, nil
		}
	}
	sealed := keys.Seal(h.slug, name, secret)
	_, err = tx.Exec(ctx, `INSERT INTO blogposter.credentials (site_id, name, key_id, sealed) VALUES ($1, $2, $3, $4)
		ON CONFLICT (site_id, name) DO UPDATE SET key_id = EXCLUDED.key_id, sealed = EXCLUDED.sealed, updated_at = now()`,
		h.id, name, sealed.KeyID, sealed.Bytes)
	return err == nil, err
}

// Rotate seals every credential of every site with the first key, in one
// transaction, and says how many it was. Since when a credential is set stays
// as it was. One that can't be opened stops it, and nothing is changed: each
// of those is named.
func Rotate(ctx context.Context, ownerURL string, keys *seal.Keys) (n int, err error) {
	err = transact(ctx, ownerURL, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT c.site_id, s.slug, c.name, c.key_id, c.sealed FROM blogposter.credentials c
			JOIN blogposter.sites s ON s.id = c.site_id WHERE c.key_id <> $1 ORDER BY s.slug, c.name FOR UPDATE OF c`, keys.First())
		if err != nil {
			return err
		}
		type row struct {
			holder
			name   string
			sealed editorial.Sealed
		}
		found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (c row, err error) {
			return c, r.Scan(&c.id, &c.slug, &c.name, &c.sealed.KeyID, &c.sealed.Bytes)
		})
		if err != nil {
			return err
		}
		var errs []error
		for _, c := range found {
			secret, err := keys.Open(c.slug, c.name, c.sealed)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			sealed := keys.Seal(c.slug, c.name, secret)
			if _, err := tx.Exec(ctx, `UPDATE blogposter.credentials SET key_id = $3, sealed = $4 WHERE site_id = $1 AND name = $2`,
				c.id, c.name, sealed.KeyID, sealed.Bytes); err != nil {
				return err
			}
		}
		n = len(found)
		return errors.Join(errs...)
	})
	if err != nil {
		return 0, fmt.Errorf("rotate credentials: %w", err)
	}
	return n, nil
}

// Credential says that a secret of a site is set, and never what it is.
type Credential struct {
	Site, Name, KeyID string
	SetAt             time.Time
}

// Credentials lists which credentials are set; slug "" means of every site.
func Credentials(ctx context.Context, ownerURL, slug string) ([]Credential, error) {
	return ofSite(ctx, ownerURL, `SELECT s.slug AS site, c.name, c.key_id, c.updated_at AS set_at FROM blogposter.credentials c
		JOIN blogposter.sites s ON s.id = c.site_id WHERE $1 = '' OR s.slug = $1 ORDER BY s.slug, c.name`, pgx.RowToStructByNameLax[Credential], slug)
}

// ofSite is query for the rows of one site, or of all of them when slug is "".
// A site that isn't there is ErrNoSite: an empty list would say that it has
// nothing.
func ofSite[T any](ctx context.Context, ownerURL, sql string, scan pgx.RowToFunc[T], slug string) ([]T, error) {
	known, err := query(ctx, ownerURL, `SELECT $1 = '' OR EXISTS (SELECT FROM blogposter.sites WHERE slug = $1)`, pgx.RowTo[bool], slug)
	if err != nil {
		return nil, err
	}
	if !known[0] {
		return nil, fmt.Errorf("list what %s has: %w", slug, ErrNoSite)
	}
	return query(ctx, ownerURL, sql, scan, slug)
}

// query reads rows as the schema's owner.
func query[T any](ctx context.Context, ownerURL, sql string, scan pgx.RowToFunc[T], args ...any) (found []T, err error) {
	err = transact(ctx, ownerURL, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, scan)
		return err
	})
	return found, err
}
