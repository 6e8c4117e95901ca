package isolation_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"blogposter/lib/api/apitest"
	"blogposter/lib/store/storetest"
)

// denied reports whether Postgres refused for want of rights.
func denied(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "42501"
}

// counts are the rows of a table that the functions' role sees: all of them,
// and those with a word in them. -1 when it may not read the table at all.
func counts(t *testing.T, tx pgx.Tx, tb table, word string) (all, with int) {
	t.Helper()
	var err error
	savepoint, err := tx.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = savepoint.Rollback(t.Context()) }()
	q := `SELECT count(*), count(*) FILTER (WHERE to_jsonb(x)::text LIKE '%' || $1 || '%') FROM blogposter.` + tb.Name + ` x`
	err = savepoint.QueryRow(t.Context(), q, word).Scan(&all, &with)
	if denied(err) {
		return -1, -1
	}
	require.NoError(t, err, tb.Name)
	return all, with
}

// begin begins a transaction that ends with the test at the latest: also when
// the test fails in its middle, or the pool would wait for it for ever.
func begin(t *testing.T, db storetest.DB) pgx.Tx {
	t.Helper()
	tx, err := db.Functions.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// asSite runs fn in one transaction, for the site when it is not 0.
func asSite(t *testing.T, db storetest.DB, site int64, fn func(tx pgx.Tx)) {
	t.Helper()
	tx := begin(t, db)
	var err error
	if site != 0 {
		_, err = tx.Exec(t.Context(), `SELECT set_config('app.site_id', $1::bigint::text, true)`, site)
		require.NoError(t, err)
	}
	fn(tx)
	require.NoError(t, tx.Commit(t.Context()))
}

func backend(t *testing.T, tx pgx.Tx) (pid int) {
	t.Helper()
	require.NoError(t, tx.QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid))
	return pid
}

func TestSQL_theFunctionsRoleSeesOneSiteAndOnlyInItsTransaction(t *testing.T) {
	t.Parallel()

	db := storetest.NewPooled(t)
	w := apitest.New(t, db, apitest.Word("ours"), apitest.Word("theirs"))
	readable := 0
	for _, tb := range tables(t, db) {
		var served, after int
		asSite(t, db, w.Theirs.ID, func(tx pgx.Tx) {
			served = backend(t, tx)
			all, with := counts(t, tx, tb, w.Theirs.Word)
			if all == -1 {
				require.Contains(t, []string{"api_keys"}, tb.Name, "no function may read it")
				return
			}
			readable++
			require.Positive(t, all, "%s shows a site its own", tb.Name)
			if tb.Name != "budgets" { // has no text of its own
				require.Positive(t, with, tb.Name)
			}
		})
		// On the very connection that has just served the other site.
		asSite(t, db, 0, func(tx pgx.Tx) {
			after = backend(t, tx)
			all, _ := counts(t, tx, tb, "")
			require.LessOrEqual(t, all, 0, "%s without a site", tb.Name)
		})
		require.Equal(t, served, after, "the pooler has handed the same server connection out again")
		asSite(t, db, w.Ours.ID, func(tx pgx.Tx) {
			all, with := counts(t, tx, tb, w.Theirs.Word)
			require.LessOrEqual(t, with, 0, "%s shows another site's rows", tb.Name)
			mine := all
			if all == -1 {
				return
			}
			require.NoError(t, tx.QueryRow(t.Context(), `SELECT count(*) FROM blogposter.`+tb.Name+` WHERE `+tb.Site+` = $1`, w.Ours.ID).Scan(&all))
			require.Equal(t, mine, all, "all that %s shows is the site's own", tb.Name)
		})
		for _, none := range []string{"", "0", "-1"} {
			asSite(t, db, 0, func(tx pgx.Tx) {
				_, err := tx.Exec(t.Context(), `SELECT set_config('app.site_id', $1, true)`, none)
				require.NoError(t, err)
				all, _ := counts(t, tx, tb, "")
				require.LessOrEqual(t, all, 0, "%s for the site %q", tb.Name, none)
			})
		}
	}
	require.GreaterOrEqual(t, readable, 24)
}

func TestSQL_aRolledBackTransactionLeavesNoSiteBehind(t *testing.T) {
	t.Parallel()

	db := storetest.NewPooled(t)
	w := apitest.New(t, db, apitest.Word("ours"), apitest.Word("theirs"))
	tx := begin(t, db)
	_, err := tx.Exec(t.Context(), `SELECT set_config('app.site_id', $1::bigint::text, true)`, w.Theirs.ID)
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `SELECT 1 / 0`)
	require.Error(t, err)
	require.NoError(t, tx.Rollback(t.Context()))
	asSite(t, db, 0, func(tx pgx.Tx) {
		all, _ := counts(t, tx, table{Name: "runs", Site: "site_id"}, "")
		require.Zero(t, all)
	})
}

func TestSQL_aSiteCannotChangeAnothersRows(t *testing.T) {
	t.Parallel()

	db := storetest.NewPooled(t)
	w := apitest.New(t, db, apitest.Word("ours"), apitest.Word("theirs"))
	before := rows(t, db, w.Theirs.ID)

	found, err := db.Owner.Query(t.Context(), `SELECT table_name, column_name FROM information_schema.column_privileges
		WHERE table_schema = 'blogposter' AND grantee = 'blogposter_functions' AND privilege_type = 'UPDATE' ORDER BY 1, 2`)
	require.NoError(t, err)
	type column struct{ Table, Name string }
	columns, err := pgx.CollectRows(found, pgx.RowToStructByPos[column])
	require.NoError(t, err)
	require.Greater(t, len(columns), 30)
	for _, site := range []int64{w.Ours.ID, 0} {
		for _, c := range columns {
			asSite(t, db, site, func(tx pgx.Tx) {
				tag, err := tx.Exec(t.Context(), `UPDATE blogposter.`+c.Table+` SET `+c.Name+` = NULL WHERE site_id = $1`, w.Theirs.ID)
				require.NoError(t, err, "%s.%s", c.Table, c.Name)
				require.Zero(t, tag.RowsAffected(), "%s.%s", c.Table, c.Name)
			})
		}
		for _, tb := range tables(t, db) {
			tx := begin(t, db)
			_, err := tx.Exec(t.Context(), `SELECT set_config('app.site_id', $1::bigint::text, true)`, site)
			require.NoError(t, err)
			tag, err := tx.Exec(t.Context(), `DELETE FROM blogposter.`+tb.Name+` WHERE `+tb.Site+` = $1`, w.Theirs.ID)
			require.True(t, denied(err) || err == nil && tag.RowsAffected() == 0, "delete from %s: %v", tb.Name, err)
			require.NoError(t, tx.Rollback(t.Context()))
		}
	}
	require.Equal(t, before, rows(t, db, w.Theirs.ID))
}

// What runs with its owner's rights sees every site, so each one is tried for
// itself. A new one fails here until somebody has thought about it.
func TestSQL_whatSeesEverySiteGivesNothingAway(t *testing.T) {
	t.Parallel()

	db := storetest.NewPooled(t)
	w := apitest.New(t, db, apitest.Word("ours"), apitest.Word("theirs"))
	found, err := db.Owner.Query(t.Context(), `SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'blogposter'::regnamespace
		AND p.prosecdef AND has_function_privilege('blogposter_functions', p.oid, 'EXECUTE') ORDER BY 1`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(t, err)
	calls := map[string]string{
		"begin_due_research": `SELECT blogposter.begin_due_research('{"prompts": "v1", "small": "s", "large": "l"}')::text`,
		"due_stages":         `SELECT string_agg(stage || due, ',') FROM blogposter.due_stages()`,
		// It is a worker's: the models are all it learns of a Run before it has entered its site.
		"lease_run":        `SELECT concat_ws(',', run_id, site_id, attempt, epoch, fence) FROM blogposter.lease_run('seo', 'w', '1 minute', 3)`,
		"principal_by_key": `SELECT coalesce((SELECT site FROM blogposter.principal_by_key(repeat('0', 64))), 'nobody')`,
		"site_by_slug":     `SELECT blogposter.site_by_slug('` + w.Theirs.Word + `')::text`,
		"take_topic":       ``, // below
	}
	for _, name := range names {
		q, known := calls[name]
		require.True(t, known, "%s runs with its owner's rights: add what a site may learn from it", name)
		if q == "" {
			continue
		}
		asSite(t, db, w.Ours.ID, func(tx pgx.Tx) {
			var text *string
			err := tx.QueryRow(t.Context(), q).Scan(&text)
			if !errors.Is(err, pgx.ErrNoRows) {
				require.NoError(t, err, name)
			}
			if text != nil {
				require.NotContains(t, *text, w.Theirs.Word, name)
			}
		})
	}

	const take = `SELECT blogposter.take_topic((SELECT max(id) FROM blogposter.runs WHERE kind = 'article' AND state = 'ready'), $1)`
	var topic int64
	require.NoError(t, db.Owner.QueryRow(t.Context(), `SELECT max(id) FROM blogposter.topics WHERE site_id = $1`, w.Theirs.ID).Scan(&topic))
	tx := begin(t, db)
	_, err = tx.Exec(t.Context(), `SELECT set_config('app.site_id', $1::bigint::text, true)`, w.Ours.ID)
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), take, topic)
	require.ErrorContains(t, err, "there is no topic")
	require.NotContains(t, err.Error(), w.Theirs.Word)
	require.NoError(t, tx.Rollback(t.Context()))
}
