package apitest_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"blogposter/lib/api/apitest"
	"blogposter/lib/store/storetest"
)

// settled are the columns whose values are drawn from a closed set, or are
// hashes: they can't tell one site's row from another's.
var settled = map[string]bool{
	"attempts.stage": true, "attempts.result": true, "attempts.error_kind": true, "budgets.scope": true, "claims.verdict": true,
	"competitors.kind": true, "competitors.via": true, "credentials.name": true, "decisions.verb": true, "decisions.digest": true,
	"drafts.digest": true, "entries.stage": true, "entries.input_hash": true, "entries.kind": true, "events.kind": true, "events.stage": true,
	"events.state": true, "findings.severity": true, "media.hash": true, "page_changes.kind": true, "page_changes.text_hash": true,
	"page_changes.before": true, "publications.digest": true, "publications.verb": true, "publications.marker": true, "publications.state": true,
	"runs.request_hash": true, "runs.marker": true, "runs.stage": true, "runs.state": true, "runs.waiting": true, "runs.error_kind": true,
	"runs.kind": true, "sites.time_zone": true, "sites.language": true, "sites.research": true, "sites.schedule": true, "snapshots.tier": true,
	"snapshots.text_hash": true, "snapshots.raw_hash": true, "sources.tier": true, "steps.stage": true, "steps.input_hash": true,
	"steps.state": true, "topics.state": true, "topics.kind": true, "vectors.text_hash": true, "watched_pages.state": true,
	"watched_pages.text_hash": true, "api_keys.role": true, "api_keys.hash": true,
}

func TestNew_putsTheSitesWordIntoEveryText(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	w := apitest.New(t, db, "dogs", "cats")
	rows, err := db.Owner.Query(t.Context(), `
		SELECT c.table_name || '.' || c.column_name, format('SELECT count(*) FROM blogposter.%I WHERE %s = $1 AND %s LIKE $2', c.table_name,
			CASE c.table_name WHEN 'sites' THEN 'id' ELSE 'site_id' END,
			CASE c.udt_name WHEN 'bytea' THEN format('encode(%I, ''escape'')', c.column_name) ELSE format('%I::text', c.column_name) END)
		FROM information_schema.columns c WHERE c.table_schema = 'blogposter' AND c.udt_name IN ('text', '_text', 'jsonb', 'bytea') AND c.table_name <> 'migrations'`)
	require.NoError(t, err)
	type column struct{ Name, Query string }
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	require.NoError(t, err)
	require.Greater(t, len(columns), 100)
	for _, c := range columns {
		if settled[c.Name] {
			continue
		}
		for _, s := range []apitest.Site{w.Ours, w.Theirs} {
			var n int
			require.NoError(t, db.Owner.QueryRow(t.Context(), c.Query, s.ID, "%"+s.Word+"%").Scan(&n))
			require.Positive(t, n, "%s: put {{word}} into site.sql, or the column on the list of settled ones", c.Name)
		}
	}
}

func TestHandlers_areAllThereAre(t *testing.T) {
	t.Parallel()

	dirs, err := os.ReadDir("../../../packages/api")
	require.NoError(t, err)
	w := &apitest.World{DB: storetest.New(t)}
	functions := w.Handlers(t)
	for _, d := range dirs {
		require.Contains(t, functions, d.Name(), "wire it in Handlers, so that every test of the API covers it")
	}
	require.Len(t, functions, len(dirs))
}
