// Package isolation_test tries to reach one site's rows from another: from
// every route of the API, and from SQL as the functions' role, through the
// pooler. Each row of a site has the site's own word in all its texts, and
// every answer to the other site is searched for it.
package isolation_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"blogposter/lib/store/storetest"
)

// table is one of the schema's, and the column that says whose a row is.
type table struct{ Name, Site string }

func tables(t *testing.T, db storetest.DB) []table {
	t.Helper()
	rows, err := db.Owner.Query(t.Context(), `
		SELECT t.table_name, CASE t.table_name WHEN 'sites' THEN 'id' ELSE 'site_id' END
		FROM information_schema.tables t WHERE t.table_schema = 'blogposter' AND t.table_type = 'BASE TABLE' AND t.table_name <> 'migrations' ORDER BY 1`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 25)
	return all
}

// rows are all that a site has, as its owner sees it, in one text.
func rows(t *testing.T, db storetest.DB, site int64) string {
	t.Helper()
	var all strings.Builder
	for _, tb := range tables(t, db) {
		var text string
		q := `SELECT coalesce(string_agg(x::text, E'\n' ORDER BY x::text), '') FROM blogposter.` + tb.Name + ` x WHERE ` + tb.Site + ` = $1`
		require.NoError(t, db.Owner.QueryRow(t.Context(), q, site).Scan(&text))
		require.NotEmpty(t, text, "site.sql puts no row into %s", tb.Name)
		all.WriteString(tb.Name + "\n" + text + "\n")
	}
	return all.String()
}

// ids are all the ids of a site's rows, of whatever kind.
func ids(t *testing.T, db storetest.DB, site int64) []int64 {
	t.Helper()
	var all []int64
	for _, tb := range tables(t, db) {
		var has bool
		require.NoError(t, db.Owner.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM information_schema.columns
			WHERE table_schema = 'blogposter' AND table_name = $1 AND column_name = 'id')`, tb.Name).Scan(&has))
		if !has {
			continue
		}
		found, err := db.Owner.Query(t.Context(), `SELECT id FROM blogposter.`+tb.Name+` WHERE `+tb.Site+` = $1`, site)
		require.NoError(t, err)
		some, err := pgx.CollectRows(found, pgx.RowTo[int64])
		require.NoError(t, err)
		all = append(all, some...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
