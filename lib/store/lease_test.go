package store_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
)

const ttl = time.Minute

// lease takes the one due Run of stage.
func lease(t *testing.T, s *store.Store, stage pipeline.Stage, owner string) pipeline.Lease {
	t.Helper()
	l, ok, err := s.LeaseRun(t.Context(), stage, owner, ttl)
	require.NoError(t, err)
	require.True(t, ok, "no %s run is due", stage)
	return l
}

// endLease makes the Run's lease run out, as time would.
func endLease(t *testing.T, owner *pgxpool.Pool, runID int64) {
	t.Helper()
	_, err := owner.Exec(t.Context(), `UPDATE blogposter.runs SET lease_until = now() - interval '1 second' WHERE id = $1`, runID)
	require.NoError(t, err)
}

func scalar[T any](t *testing.T, owner *pgxpool.Pool, q string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, owner.QueryRow(t.Context(), q, args...).Scan(&v))
	return v
}

func TestStore_LeaseRun_skipsRunsAnotherWorkerIsTaking(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	first, second := storetest.AddRun(t, db.Owner, site, "draft"), storetest.AddRun(t, db.Owner, site, "draft")
	s := store.New(db.Functions)

	// The first lease stays uncommitted, so without SKIP LOCKED the second
	// one would wait for it and run into its deadline.
	err := pgx.BeginFunc(t.Context(), db.Functions, func(tx pgx.Tx) error {
		mine, ok, err := store.New(tx).LeaseRun(t.Context(), pipeline.StageDraft, "a", ttl)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, first, mine.RunID)

		_, err = db.Functions.Exec(t.Context(), `SELECT 1`)
		require.NoError(t, err)
		theirs, ok, err := withTimeout(t, s)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, second, theirs.RunID)
		return nil
	})
	require.NoError(t, err)
}

func TestStore_LeaseRun_takesOverAnEndedLeaseAsTheSameAttempt(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run := storetest.AddRun(t, db.Owner, storetest.AddSite(t, db.Owner, "a"), "draft")
	s := store.New(db.Functions)
	dead := lease(t, s, pipeline.StageDraft, "dead")
	_, ok, err := s.LeaseRun(t.Context(), pipeline.StageDraft, "early", ttl)
	require.NoError(t, err)
	require.False(t, ok, "a lease that has not ended is left alone")

	endLease(t, db.Owner, run)
	heir := lease(t, s, pipeline.StageDraft, "heir")

	require.Equal(t, dead.Attempt, heir.Attempt)
	require.Greater(t, heir.Fence, dead.Fence)
	require.Equal(t, "lost", scalar[string](t, db.Owner, `SELECT result FROM blogposter.attempts WHERE run_id = $1 AND fence = $2`, run, dead.Fence))
	require.Equal(t, 1, scalar[int](t, db.Owner, `SELECT lost_leases FROM blogposter.runs WHERE id = $1`, run))

	// The dead worker wakes up: nothing of what it writes may land.
	late := pipeline.Transition{Stage: pipeline.StageFactCheck, State: pipeline.StateReady, Result: "done"}
	err = s.FinishAttempt(t.Context(), dead, late, editorial.Work{Draft: draft()})
	require.ErrorIs(t, err, pipeline.ErrLeaseLost)
	require.Zero(t, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.drafts`))
	require.Equal(t, "draft", scalar[string](t, db.Owner, `SELECT stage FROM blogposter.runs WHERE id = $1`, run))

	require.NoError(t, s.FinishAttempt(t.Context(), heir, late, editorial.Work{Draft: draft()}))
	require.Equal(t, 1, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.drafts`))
	require.Zero(t, scalar[int](t, db.Owner, `SELECT lost_leases FROM blogposter.runs WHERE id = $1`, run))
}

func TestStore_LeaseRun_parksARunThatKeepsCostingItsWorkers(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run := storetest.AddRun(t, db.Owner, storetest.AddSite(t, db.Owner, "a"), "draft")
	s := store.New(db.Functions)
	for range pipeline.MaxLostLeases {
		l := lease(t, s, pipeline.StageDraft, "doomed")
		require.Equal(t, 1, l.Attempt)
		endLease(t, db.Owner, run)
	}
	_, ok, err := s.LeaseRun(t.Context(), pipeline.StageDraft, "next", ttl)

	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, "waiting poison", scalar[string](t, db.Owner, `SELECT state || ' ' || waiting FROM blogposter.runs WHERE id = $1`, run))
	require.Equal(t, pipeline.MaxLostLeases, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.events WHERE kind = 'lost'`))
}

func TestStore_FinishAttempt_waitsBeforeARetryAndCountsTheNextTry(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run := storetest.AddRun(t, db.Owner, storetest.AddSite(t, db.Owner, "a"), "draft")
	s := store.New(db.Functions)
	l := lease(t, s, pipeline.StageDraft, "a")
	retry := pipeline.Transition{Stage: pipeline.StageDraft, State: pipeline.StateReady, Result: "retry", Delay: time.Hour, Error: "busy", Kind: "retryable"}
	require.NoError(t, s.FinishAttempt(t.Context(), l, retry, editorial.Work{}))

	_, ok, err := s.LeaseRun(t.Context(), pipeline.StageDraft, "a", ttl)
	require.NoError(t, err)
	require.False(t, ok)
	due, err := s.DueStages(t.Context())
	require.NoError(t, err)
	require.Empty(t, due)

	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET not_before = now() WHERE id = $1`, run)
	require.NoError(t, err)
	due, err = s.DueStages(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[pipeline.Stage]int64{pipeline.StageDraft: 1}, due)
	require.Equal(t, 2, lease(t, s, pipeline.StageDraft, "a").Attempt)
	require.Equal(t, "draft retry: busy", scalar[string](t, db.Owner, `SELECT detail FROM blogposter.events WHERE kind = 'finished'`))
}

func TestStore_DueStages_seesRunsWhoseWorkerDied(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run := storetest.AddRun(t, db.Owner, storetest.AddSite(t, db.Owner, "a"), "seo")
	s := store.New(db.Functions)
	lease(t, s, pipeline.StageSEO, "dead")
	due, err := s.DueStages(t.Context())
	require.NoError(t, err)
	require.Empty(t, due)

	endLease(t, db.Owner, run)
	due, err = s.DueStages(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[pipeline.Stage]int64{pipeline.StageSEO: 1}, due)
}
