package storetest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// AddSite inserts a minimal site and returns its id. Its article budget is
// $0.15 and a legal claim needs two pages.
func AddSite(tb testing.TB, owner *pgxpool.Pool, slug string) int64 {
	tb.Helper()
	id, err := InsertSite(context.Background(), owner, slug)
	require.NoError(tb, err)
	return id
}

// AddRun inserts a ready Run at stage with an article budget, and returns its id.
func AddRun(tb testing.TB, owner *pgxpool.Pool, siteID int64, stage string) int64 {
	tb.Helper()
	id, err := InsertRun(context.Background(), owner, siteID, stage)
	require.NoError(tb, err)
	return id
}

// InsertSite is AddSite for programs that are no tests.
func InsertSite(ctx context.Context, owner *pgxpool.Pool, slug string) (id int64, err error) {
	const q = `
		WITH s AS (
			INSERT INTO blogposter.sites (slug, name, url, time_zone, language, author, categories, rules, cms, article_budget_micros)
			VALUES ($1, $1, 'https://' || $1 || '.example', 'UTC', 'en-US', 'Desk', '{Guides}',
			        '{"legal_min_sources": 2, "min_words": 10, "max_words": 100}', '{"kind": "wordpress", "url": "https://cms.example", "user": "bot"}', 150000)
			RETURNING id
		), o AS (
			INSERT INTO blogposter.sources (site_id, prefix, tier, start) SELECT id, 'https://law.example/', 'authoritative', true FROM s
		)
		SELECT id FROM s`
	err = owner.QueryRow(ctx, q, slug).Scan(&id)
	return id, err
}

// InsertRun is AddRun for programs that are no tests.
func InsertRun(ctx context.Context, owner *pgxpool.Pool, siteID int64, stage string) (id int64, err error) {
	const q = `
		WITH r AS (
			INSERT INTO blogposter.runs (site_id, topic, created_by, pins, stage, state)
			VALUES ($1, 'A topic', 'test', '{"prompts": "v1", "small": "claude-haiku-5-5", "large": "claude-sonnet-5-5"}', $2, 'ready') RETURNING id, site_id
		), b AS (
			INSERT INTO blogposter.budgets (site_id, scope, run_id, limit_micros) SELECT site_id, 'article', id, 150000 FROM r
		)
		SELECT id FROM r`
	err = owner.QueryRow(ctx, q, siteID, stage).Scan(&id)
	return id, err
}
