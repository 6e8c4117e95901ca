package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/pipeline"
)

// Vectors returns what the site has of a model's vectors for texts, by the
// hash of the text. A text that has none is not in it; another model's vectors
// never are.
func (s *Store) Vectors(ctx context.Context, l pipeline.Lease, model string, hashes []string) (map[string][]float32, error) {
	// As an array of numbers: the driver knows no other form of a vector.
	const q = `
		SELECT v.text_hash, v.embedding::real[] FROM blogposter.vectors v
		WHERE v.site_id = blogposter.current_site() AND v.model = $1 AND v.text_hash = ANY ($2::text[])`
	found := map[string][]float32{}
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		b.Queue(q, model, hashes).Query(func(rows pgx.Rows) error {
			var hash string
			var v []float32
			_, err := pgx.ForEachRow(rows, []any{&hash, &v}, func() error {
				found[hash], v = v, nil
				return nil
			})
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("load %d vectors of %s for run %d: %w", len(hashes), model, l.RunID, err)
	}
	return found, nil
}

// SaveVectors keeps a model's vectors by the hash of their text. The first one
// kept of a text stays, so it is safe to repeat.
func (s *Store) SaveVectors(ctx context.Context, l pipeline.Lease, model string, vectors map[string][]float32) error {
	// The column turns the numbers into a vector. Naming that type here would take a right to its schema, which not every host
	// gives to a role of ours.
	const q = `
		INSERT INTO blogposter.vectors (site_id, model, text_hash, embedding) VALUES ($1, $2, $3, $4::real[])
		ON CONFLICT DO NOTHING`
	err := s.asSite(ctx, l.SiteID, func(b *pgx.Batch) {
		holdLease(b, l)
		for hash, v := range vectors {
			b.Queue(q, l.SiteID, model, hash, v)
		}
	})
	if err != nil {
		return fmt.Errorf("save %d vectors of %s for run %d: %w", len(vectors), model, l.RunID, err)
	}
	return nil
}
