package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"blogposter/lib/pipeline"
	"blogposter/lib/view"
)

// BeginResearch begins a look at the site's competitors now, with its budget
// and its first event. When one is under way it begins none and returns that
// one, with false; of two requests at once, one begins it. A site without
// research settings is view.ErrNoResearch.
func (s *Store) BeginResearch(ctx context.Context, site, by string, pins pipeline.Pins) (view.Run, bool, error) {
	const begin = `
		WITH added AS (
			INSERT INTO blogposter.runs (site_id, kind, created_by, pins, stage, state)
			SELECT s.id, 'research', $1, $2::jsonb, 'monitor', 'ready' FROM blogposter.sites s
			WHERE s.id = blogposter.current_site() AND s.research IS NOT NULL
			ON CONFLICT (site_id) WHERE kind = 'research' AND state IN ('ready', 'running') DO NOTHING
			RETURNING *
		), budget AS (
			INSERT INTO blogposter.budgets (site_id, scope, run_id, limit_micros)
			SELECT r.site_id, 'research', r.id, (s.research ->> 'budget')::bigint
			FROM added r JOIN blogposter.sites s ON s.id = r.site_id
		), event AS (
			INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt, detail)
			SELECT r.id, r.site_id, 'created', r.stage, r.state, 0, r.created_by FROM added r
		)
		SELECT coalesce((SELECT ` + runObject + ` FROM added r), 'null')`
	const known = `
		SELECT jsonb_build_object('watches', s.research IS NOT NULL, 'live', (SELECT ` + runObject + ` FROM blogposter.runs r
			WHERE r.site_id = s.id AND r.kind = 'research' AND r.state IN ('ready', 'running')))
		FROM blogposter.sites s WHERE s.id = blogposter.current_site()`
	for range researchTries {
		var added *view.Run
		var have struct {
			Watches bool      `json:"watches"`
			Live    *view.Run `json:"live"`
		}
		err := s.onSite(ctx, site, func(b *pgx.Batch) {
			b.Queue(begin, by, list(pins)).QueryRow(object(&added))
			b.Queue(known).QueryRow(object(&have))
		})
		switch {
		case err != nil:
			return view.Run{}, false, fmt.Errorf("begin research for %s: %w", site, err)
		case added != nil:
			return *added, true, nil
		case have.Live != nil:
			return *have.Live, false, nil
		case !have.Watches:
			return view.Run{}, false, view.ErrNoResearch
		}
	}
	return view.Run{}, false, fmt.Errorf("begin research for %s: others begin and end all the time", site)
}

// researchTries allows for a look that was under way and ended between the
// statement that finds it and the one that shows it.
const researchTries = 3
