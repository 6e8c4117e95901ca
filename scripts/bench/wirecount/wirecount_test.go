package wirecount_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/scripts/bench/wirecount"
)

func TestProxy_countsEachStatementThatIsExecuted(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	u, err := url.Parse(db.FunctionsURL)
	require.NoError(t, err)
	p, err := wirecount.Listen(t.Context(), u.Host)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close() })
	u.Host = p.Address()
	pool, err := store.Pool(t.Context(), u.String())
	require.NoError(t, err)
	t.Cleanup(pool.Close)

	_, err = pool.Exec(t.Context(), `SELECT $1::int`, 1)
	require.NoError(t, err)
	require.Equal(t, []string{`SELECT $1::int`}, p.Take())

	var b pgx.Batch
	b.Queue(`SELECT 1`)
	b.Queue(`SELECT 2`)
	require.NoError(t, pool.SendBatch(t.Context(), &b).Close())
	require.Len(t, p.Take(), 2, "a batch is one round trip but two statements")

	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return nil }))
	require.Equal(t, []string{"BEGIN", "COMMIT"}, lower(p.Take()))
	require.Empty(t, p.Take())
}

func lower(statements []string) []string {
	out := make([]string, 0, len(statements))
	for _, s := range statements {
		out = append(out, strings.ToUpper(s))
	}
	return out
}
