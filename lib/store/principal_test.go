package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"blogposter/lib/auth"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
)

func TestStore_PrincipalKey_findsOnlyAKeyInForce(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "dogs")
	add := func(hash string, expires, revoked *time.Time) {
		_, err := db.Owner.Exec(t.Context(), `INSERT INTO blogposter.api_keys (site_id, name, role, hash, expires_at, revoked_at)
			VALUES ($1, 'ci', 'editor', $2, $3, $4)`, site, hash, expires, revoked)
		require.NoError(t, err)
	}
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	_, good := auth.NewKey()
	add(good, nil, nil)
	add(strings.Repeat("1", 64), &future, nil)
	add(strings.Repeat("2", 64), &past, nil)
	add(strings.Repeat("3", 64), nil, &past)

	s := store.New(db.Functions)
	k, found, err := s.PrincipalKey(t.Context(), good)
	require.NoError(t, err)
	require.True(t, found)
	require.Positive(t, k.ID)
	k.ID = 0
	require.Equal(t, auth.Key{Name: "ci", Role: auth.RoleEditor, Site: "dogs"}, k)

	for hash, want := range map[string]bool{"1": true, "2": false, "3": false, "4": false} {
		_, found, err = s.PrincipalKey(t.Context(), strings.Repeat(hash, 64))
		require.NoError(t, err)
		require.Equal(t, want, found, hash)
	}
}

func TestStore_Ping_saysWhetherTheSchemaIsThere(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	s := store.New(db.Functions)
	require.NoError(t, s.Ping(t.Context()))
	_, err := db.Owner.Exec(t.Context(), `DROP TABLE blogposter.media`)
	require.NoError(t, err)
	require.ErrorContains(t, s.Ping(t.Context()), "make migrate")
}

func TestStore_Ping_refusesALoginThatSeesEverySite(t *testing.T) {
	t.Parallel()

	err := store.New(storetest.New(t).Owner).Ping(t.Context())
	require.EqualError(t, err, "DATABASE_URL logs in as a role that bypasses row-level security: use the functions' role")
}

func TestStore_failsWithoutADatabase(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	pool, err := pgxpool.New(t.Context(), db.FunctionsURL)
	require.NoError(t, err)
	pool.Close()
	s := store.New(pool)
	require.Error(t, s.Ping(t.Context()))
	_, _, err = s.PrincipalKey(t.Context(), "x")
	require.ErrorContains(t, err, "find api key")
}
