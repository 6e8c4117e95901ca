package storetest_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
)

// connect opens one connection as the functions' role, set up by change.
func connect(tb testing.TB, address string, change func(*pgx.ConnConfig)) *pgx.Conn {
	tb.Helper()
	cfg, err := pgx.ParseConfig(address)
	require.NoError(tb, err)
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	if change != nil {
		change(cfg)
	}
	conn, err := pgx.ConnectConfig(context.Background(), cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// text is the only value of a query's only row.
func text(tb testing.TB, conn *pgx.Conn, sql string, args ...any) string {
	tb.Helper()
	var s string
	require.NoError(tb, conn.QueryRow(tb.Context(), sql, args...).Scan(&s))
	return s
}

func TestNew_goesThroughThePoolerWhenTold(t *testing.T) {
	host := func(db storetest.DB) string {
		u, err := url.Parse(db.FunctionsURL)
		require.NoError(t, err)
		return u.Host
	}
	pooler := host(storetest.NewPooled(t))
	t.Setenv("TEST_THROUGH_POOLER", "1")
	require.Equal(t, pooler, host(storetest.New(t)))
	t.Setenv("TEST_THROUGH_POOLER", "")
	require.NotEqual(t, pooler, host(storetest.New(t)))
}

const backend = `SELECT pg_backend_pid()::text`

func TestNewPooled_sharesServerConnectionsBetweenClients(t *testing.T) {
	t.Parallel()

	backends := func(address string) map[string]bool {
		pids := map[string]bool{}
		for range 12 {
			pids[text(t, connect(t, address, nil), backend)] = true
		}
		return pids
	}
	// One after the other, so each finds the connection that the last gave back.
	db := storetest.NewPooled(t)
	require.Len(t, backends(db.FunctionsURL), 1)

	pooled, err := url.Parse(db.FunctionsURL)
	require.NoError(t, err)
	owner, err := url.Parse(db.OwnerURL)
	require.NoError(t, err)
	require.NotEqual(t, owner.Host, pooled.Host, "the owner goes past the pooler")
	direct := *pooled
	direct.Host = owner.Host
	require.Len(t, backends(direct.String()), 12)
}

func TestNewPooled_isInTransactionMode(t *testing.T) {
	t.Parallel()

	db := storetest.NewPooled(t)
	require.NotEmpty(t, text(t, connect(t, db.FunctionsURL, nil), backend))
	u, err := url.Parse(db.FunctionsURL)
	require.NoError(t, err)
	name := u.Path[1:]
	u.Path = "/pgbouncer" // its console, which knows the simple protocol alone
	console := connect(t, u.String(), func(c *pgx.ConnConfig) { c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol })

	rows, err := console.Query(t.Context(), "SHOW POOLS")
	require.NoError(t, err)
	pools, err := pgx.CollectRows(rows, pgx.RowToMap)
	require.NoError(t, err)
	modes := map[any]any{}
	for _, p := range pools {
		modes[p["database"]] = p["pool_mode"]
	}
	require.Equal(t, "transaction", modes[name])
}

// The reason for the exec mode in store.Pool: what a connection has prepared
// is there for a stranger, under a name that the stranger uses as well.
func TestNewPooled_breaksPreparedStatements(t *testing.T) {
	t.Parallel()

	db := storetest.NewPooled(t)
	prepare := func(c *pgx.ConnConfig) { c.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement }
	const q = `SELECT $1::text`
	require.Equal(t, "first", text(t, connect(t, db.FunctionsURL, prepare), q, "first"))

	var s string
	err := connect(t, db.FunctionsURL, prepare).QueryRow(t.Context(), q, "second").Scan(&s)
	var refused *pgconn.PgError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "42P05", refused.Code, "the prepared statement exists already")
}

// The reason for setting app.site_id for one transaction only.
func TestNewPooled_handsASessionsSettingsToStrangers(t *testing.T) {
	t.Parallel()

	db := storetest.NewPooled(t)
	const site = `SELECT coalesce(current_setting('app.site_id', true), '')`

	one, two := connect(t, db.FunctionsURL, nil), connect(t, db.FunctionsURL, nil)
	_, err := one.Exec(t.Context(), `SELECT set_config('app.site_id', '7', false)`)
	require.NoError(t, err)
	require.Equal(t, "7", text(t, two, site), "the pooler has given the second client another server connection")
}

// requireNoSite looks from the store's own pool, and as a stranger.
func requireNoSite(t *testing.T, db storetest.DB, after string) {
	t.Helper()
	conn, err := db.Functions.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	for _, c := range []*pgx.Conn{conn.Conn(), connect(t, db.FunctionsURL, nil)} {
		require.Empty(t, text(t, c, `SELECT coalesce(current_setting('app.site_id', true), '')`), after)
		require.Equal(t, "0", text(t, c, `SELECT count(*)::text FROM blogposter.runs`), after)
	}
}

func TestStore_throughThePoolerLeavesNoSiteBehind(t *testing.T) {
	t.Parallel()

	db := storetest.NewPooled(t)
	run := storetest.AddRun(t, db.Owner, storetest.AddSite(t, db.Owner, "dogs"), "draft")
	s := store.New(db.Functions)
	// A site is set by its name for a request, and by its number for a worker.
	uses := map[string]func() error{
		"a request": func() error {
			_, err := s.Run(t.Context(), "dogs", run)
			return err
		},
		"a worker": func() error {
			l, ok, err := s.LeaseRun(t.Context(), pipeline.StageDraft, "w", time.Minute)
			require.True(t, ok)
			return errors.Join(err, s.FinishAttempt(t.Context(), l, pipeline.Transition{Stage: pipeline.StageDraft, State: pipeline.StateReady, Result: "retry"}, editorial.Work{}))
		},
	}
	for name, use := range uses {
		require.NoError(t, use(), name)
		requireNoSite(t, db, name)
	}
}
