package network_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
)

// far is a site with one Run, and its store across a link.
type far struct {
	storetest.DB
	link  *link
	store *store.Store
	site  int64
	run   int64
}

func openFar(t *testing.T) far {
	t.Helper()
	db := storetest.New(t)
	l := before(t, host(t, db.FunctionsURL))
	pool, err := store.Pool(t.Context(), l.of(db.FunctionsURL))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	site := storetest.AddSite(t, db.Owner, "dogs")
	f := far{DB: db, link: l, store: store.New(pool), site: site, run: storetest.AddRun(t, db.Owner, site, "draft")}
	require.NoError(t, f.store.Ping(t.Context()), "the connection stands before the network goes bad")
	return f
}

func (f far) lease(t *testing.T, owner string) pipeline.Lease {
	t.Helper()
	l, ok, err := f.store.LeaseRun(t.Context(), pipeline.StageDraft, owner, time.Minute)
	require.NoError(t, err)
	require.True(t, ok, "no Run is due")
	return l
}

// standing is what the owner sees of the Run: its state, how many outcomes
// were written, and how many rows of work.
func (f far) standing(t *testing.T) string {
	t.Helper()
	return standing(t, f.Owner, f.run)
}

func standing(t *testing.T, owner *pgxpool.Pool, run int64) (s string) {
	t.Helper()
	require.NoError(t, owner.QueryRow(t.Context(), `
		SELECT r.stage || ' ' || r.state || ', ' || (SELECT count(*) FROM blogposter.events e WHERE e.run_id = r.id AND e.kind = 'finished') || ' finished, '
			|| (SELECT count(*) FROM blogposter.run_sources x WHERE x.run_id = r.id) || ' sources'
		FROM blogposter.runs r WHERE id = $1`, run).Scan(&s))
	return s
}

var onward = pipeline.Transition{Stage: pipeline.StageFactCheck, State: pipeline.StateReady, Result: "done"}

// bulky is work of about 200 KB, so that a cut falls between statements that
// were carried out and the end of their transaction.
func bulky() editorial.Work {
	var w editorial.Work
	for n := range 2000 {
		w.Sources = append(w.Sources, editorial.SourceUse{URL: fmt.Sprintf("https://law.example/%d", n), Refused: "it holds nothing to cite, only a list of other pages of its site"})
	}
	return w
}

func TestPostgres_worksAcrossASlowNetwork(t *testing.T) {
	t.Parallel()

	const latency = 250 * time.Millisecond
	f := openFar(t)
	f.link.spoil("latency", toClient, map[string]int{"latency": int(latency.Milliseconds())})

	start := time.Now()
	l := f.lease(t, "slow")
	require.GreaterOrEqual(t, time.Since(start), latency)
	start = time.Now()
	require.NoError(t, f.store.FinishAttempt(t.Context(), l, onward, bulky()))
	require.GreaterOrEqual(t, time.Since(start), latency)
	require.Equal(t, "factcheck ready, 1 finished, 2000 sources", f.standing(t))
}

func TestPostgres_worksAcrossANarrowNetwork(t *testing.T) {
	t.Parallel()

	f := openFar(t)
	l := f.lease(t, "narrow")
	f.link.spoil("bandwidth", toServer, map[string]int{"rate": 200}) // KB/s
	start := time.Now()
	require.NoError(t, f.store.FinishAttempt(t.Context(), l, onward, bulky()))
	require.GreaterOrEqual(t, time.Since(start), time.Second/2)
	require.Equal(t, "factcheck ready, 1 finished, 2000 sources", f.standing(t))
}

// Wherever the connection ends, there is all of the outcome or none of it.
func TestPostgres_writesNothingOfAnOutcomeThatWasCutOff(t *testing.T) {
	t.Parallel()

	f := openFar(t)
	l := f.lease(t, "cut")
	for _, bytes := range []int{1, 100, 1_000, 10_000, 100_000, 200_000} {
		// A new connection needs about 400 bytes; one that stands needs none.
		require.NoError(t, f.store.Ping(t.Context()))
		f.link.cut(toServer, bytes)
		err := f.store.FinishAttempt(t.Context(), l, onward, bulky())
		f.link.heal()
		require.Error(t, err, "%d bytes arrived", bytes)
		require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
		require.Equal(t, "draft running, 0 finished, 0 sources", f.standing(t), "%d bytes arrived", bytes)
	}
	require.NoError(t, f.store.FinishAttempt(t.Context(), l, onward, bulky()), "the lease holds, and the pool has found a new connection")
	require.Equal(t, "factcheck ready, 1 finished, 2000 sources", f.standing(t))
}

// The outcome was written and nobody was told: telling it again changes
// nothing.
func TestPostgres_keepsAnOutcomeWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()

	f := openFar(t)
	l := f.lease(t, "deaf")
	f.link.spoil("reset_peer", toClient, map[string]int{"timeout": 0})
	err := f.store.FinishAttempt(t.Context(), l, onward, bulky())
	require.Error(t, err)
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
	require.Equal(t, "factcheck ready, 1 finished, 2000 sources", f.standing(t))

	f.link.heal()
	err = f.store.FinishAttempt(t.Context(), l, onward, bulky())
	require.ErrorIs(t, err, pipeline.ErrLeaseLost)
	require.Equal(t, "factcheck ready, 1 finished, 2000 sources", f.standing(t))
}

// A lease whose answer was lost belongs to nobody who knows of it. It ends
// with its time, and the next worker takes the same attempt over.
func TestPostgres_leasesARunAgainWhoseLeaseNobodyHeardOf(t *testing.T) {
	t.Parallel()

	f := openFar(t)
	f.link.spoil("reset_peer", toClient, map[string]int{"timeout": 0})
	_, ok, err := f.store.LeaseRun(t.Context(), pipeline.StageDraft, "deaf", time.Minute)
	require.Error(t, err)
	require.False(t, ok)
	f.link.heal()
	_, ok, err = f.store.LeaseRun(t.Context(), pipeline.StageDraft, "early", time.Minute)
	require.NoError(t, err)
	require.False(t, ok, "it is still leased")

	_, err = f.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET lease_until = now() - interval '1 second' WHERE id = $1`, f.run)
	require.NoError(t, err)
	l := f.lease(t, "next")
	require.Equal(t, f.run, l.RunID)
	require.Equal(t, 1, l.Attempt, "a lost lease is no attempt")
	require.NoError(t, f.store.FinishAttempt(t.Context(), l, onward, bulky()))
	require.Equal(t, "factcheck ready, 1 finished, 2000 sources", f.standing(t))
}

func TestPostgres_isNotWaitedForLongerThanTheCallerHas(t *testing.T) {
	t.Parallel()

	f := openFar(t)
	f.link.silence()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
	defer cancel()
	_, ok, err := f.store.LeaseRun(ctx, pipeline.StageDraft, "impatient", time.Minute)
	require.False(t, ok)
	require.Equal(t, fault.KindRetryable, fault.KindOf(err), err)
	require.True(t, fault.IsTimeout(err), err)
	f.link.heal()
	require.NoError(t, f.store.Ping(t.Context()), "the pool has given the silent connection up")
}
