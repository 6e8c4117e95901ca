package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/ledger"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
)

func intent(name string, worst ledger.Micros) journal.Intent {
	return journal.Intent{Name: name, Input: []byte("in"), Provider: "anthropic", Model: "claude-haiku-5-5", Prompt: "v1/digest", Worst: worst}
}

// budget is what the run's article budget holds, and its ledger entries as
// "kind amount" lines.
func budget(t *testing.T, owner *pgxpool.Pool) (reserved, spent, unknown int64, entries []string) {
	t.Helper()
	require.NoError(t, owner.QueryRow(t.Context(), `SELECT reserved_micros, spent_micros, unknown_micros FROM blogposter.budgets`).Scan(&reserved, &spent, &unknown))
	rows, err := owner.Query(t.Context(), `SELECT kind || ' ' || micros FROM blogposter.entries ORDER BY id`)
	require.NoError(t, err)
	entries, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return reserved, spent, unknown, entries
}

func journaled(t *testing.T) (storetest.DB, *store.Store, pipeline.Lease) {
	t.Helper()
	db := storetest.New(t)
	storetest.AddRun(t, db.Owner, storetest.AddSite(t, db.Owner, "a"), "draft")
	s := store.New(db.Functions)
	return db, s, lease(t, s, pipeline.StageDraft, "w")
}

func TestStore_BeginStep_reservesThenSettlesAndReturnsTheStoredAnswer(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	b, err := s.BeginStep(t.Context(), l, intent("digest:1", 900))
	require.NoError(t, err)
	require.Equal(t, 1, b.Send)
	require.Nil(t, b.Stored)
	reserved, _, _, _ := budget(t, db.Owner)
	require.Equal(t, int64(900), reserved)

	receipt := journal.Receipt{Result: json.RawMessage(`{"text": "yes"}`), Cost: 120, Usage: ledger.Usage{Input: 7, Output: 5}, Request: "req_1"}
	require.NoError(t, s.FinishStep(t.Context(), l, b, receipt))
	reserved, spent, unknown, entries := budget(t, db.Owner)
	require.Equal(t, []int64{0, 120, 0}, []int64{reserved, spent, unknown})
	require.Equal(t, []string{"reservation 900", "settlement 120"}, entries)
	require.Equal(t, "7 5 req_1", scalar[string](t, db.Owner, `SELECT concat_ws(' ', input, output, request) FROM blogposter.entries WHERE kind = 'settlement'`))

	b, err = s.BeginStep(t.Context(), l, intent("digest:1", 900))
	require.NoError(t, err)
	require.JSONEq(t, `{"text": "yes"}`, string(b.Stored))
	_, _, _, entries = budget(t, db.Owner)
	require.Len(t, entries, 2, "a stored answer is not bought again")

	other := intent("digest:1", 900)
	other.Input = []byte("changed")
	b, err = s.BeginStep(t.Context(), l, other)
	require.NoError(t, err)
	require.Nil(t, b.Stored, "another input is another step")
}

func TestStore_BeginStep_keepsALostAnswerChargedAndReservesAgain(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	_, err := s.BeginStep(t.Context(), l, intent("digest:1", 900))
	require.NoError(t, err)
	endLease(t, db.Owner, l.RunID) // the worker died between sent and stored
	heir := lease(t, s, pipeline.StageDraft, "heir")
	b, err := s.BeginStep(t.Context(), heir, intent("digest:1", 900))
	require.NoError(t, err)
	require.Equal(t, 2, b.Send)
	reserved, spent, unknown, entries := budget(t, db.Owner)
	require.Equal(t, []int64{900, 0, 900}, []int64{reserved, spent, unknown})
	require.Equal(t, []string{"reservation 900", "unknown 900", "reservation 900"}, entries)

	require.Equal(t, "sent", scalar[string](t, db.Owner, `SELECT state FROM blogposter.steps`))

	// The dead worker's answer comes after all: it belongs to no lease.
	late := s.FinishStep(t.Context(), l, journal.Begun{StepID: b.StepID, Send: 1}, journal.Receipt{Result: json.RawMessage(`{}`), Cost: 1})
	require.ErrorIs(t, late, pipeline.ErrLeaseLost)
}

func TestStore_LeaseRun_showsALostCallEvenWhenTheBudgetDeniesItsResend(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	_, err := s.BeginStep(t.Context(), l, intent("section:1", 100_000))
	require.NoError(t, err)
	endLease(t, db.Owner, l.RunID)
	heir := lease(t, s, pipeline.StageDraft, "heir")
	_, err = s.BeginStep(t.Context(), heir, intent("section:1", 100_000))
	require.ErrorIs(t, err, journal.ErrBudget)

	reserved, spent, unknown, entries := budget(t, db.Owner)
	require.Equal(t, []int64{0, 0, 100_000}, []int64{reserved, spent, unknown})
	require.Equal(t, []string{"reservation 100000", "unknown 100000"}, entries)
	require.Equal(t, "unknown", scalar[string](t, db.Owner, `SELECT state FROM blogposter.steps`))
}

func TestStore_FinishAttempt_leavesNoCallUnderWay(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	_, err := s.BeginStep(t.Context(), l, intent("section:1", 900)) // its answer could not be stored
	require.NoError(t, err)
	parked := pipeline.Transition{Stage: pipeline.StageDraft, State: pipeline.StateWaiting, Waiting: pipeline.WaitingPerson, Result: "waiting"}
	require.NoError(t, s.FinishAttempt(t.Context(), l, parked, editorial.Work{}))
	reserved, _, unknown, _ := budget(t, db.Owner)
	require.Equal(t, []int64{0, 900}, []int64{reserved, unknown})
}

func TestStore_BeginStep_looksUpACallTheProviderKeepsUnderAName(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	in := intent("batch:1", 900)
	in.External = "run-1-batch-1"
	_, err := s.BeginStep(t.Context(), l, in)
	require.NoError(t, err)
	endLease(t, db.Owner, l.RunID)
	heir := lease(t, s, pipeline.StageDraft, "heir")
	b, err := s.BeginStep(t.Context(), heir, in)
	require.NoError(t, err)
	require.True(t, b.Pending)
	require.Equal(t, 1, b.Send)
	require.NoError(t, s.FinishStep(t.Context(), heir, b, journal.Receipt{Result: json.RawMessage(`{}`), Cost: 50}))
	_, _, _, entries := budget(t, db.Owner)
	require.Equal(t, []string{"reservation 900", "settlement 50"}, entries)
}

func TestStore_functionsCannotRaiseALimitOrRewriteWhatAStepStandsFor(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	_, err := s.BeginStep(t.Context(), l, intent("digest:1", 900))
	require.NoError(t, err)
	for _, q := range []string{
		`UPDATE blogposter.budgets SET limit_micros = 10000000`, `UPDATE blogposter.steps SET name = 'x'`, `UPDATE blogposter.steps SET input_hash = repeat('0', 64)`,
		`UPDATE blogposter.runs SET pins = '{}'`, `UPDATE blogposter.runs SET topic = 'other'`, `UPDATE blogposter.attempts SET owner = 'x'`, `DELETE FROM blogposter.events`,
	} {
		_, err := db.Functions.Exec(t.Context(), q)
		require.ErrorContains(t, err, "permission denied", q)
	}
}

func TestStore_FinishAttempt_givesAContinuedAttemptBack(t *testing.T) {
	t.Parallel()

	_, s, l := journaled(t)
	goOn := pipeline.Transition{Stage: pipeline.StageDraft, State: pipeline.StateReady, Result: "continued"}
	require.NoError(t, s.FinishAttempt(t.Context(), l, goOn, editorial.Work{}))
	require.Equal(t, 1, lease(t, s, pipeline.StageDraft, "w").Attempt)
}

func TestStore_EndStep_releasesARefusedCallAndKeepsALostOneCharged(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		ending  journal.Ending
		state   string
		budget  []int64 // reserved, spent, unknown
		entries []string
	}{
		"refused: released":               {ending: journal.Ending{Err: errors.New("429")}, state: "failed", budget: []int64{0, 0, 0}, entries: []string{"reservation 900", "release 900"}},
		"lost: charged at its worst case": {ending: journal.Ending{Err: errors.New("timeout"), Lost: true}, state: "unknown", budget: []int64{0, 0, 900}, entries: []string{"reservation 900", "unknown 900"}},
		"useless but billed: settled":     {ending: journal.Ending{Err: errors.New("refusal"), Cost: 50}, state: "failed", budget: []int64{0, 50, 0}, entries: []string{"reservation 900", "settlement 50"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db, s, l := journaled(t)
			b, err := s.BeginStep(t.Context(), l, intent("digest:1", 900))
			require.NoError(t, err)
			require.NoError(t, s.EndStep(t.Context(), l, b, tc.ending))
			reserved, spent, unknown, entries := budget(t, db.Owner)
			held := []int64{reserved, spent, unknown}
			require.Equal(t, tc.budget, held)
			require.Equal(t, tc.entries, entries)
			require.Equal(t, tc.state, scalar[string](t, db.Owner, `SELECT state FROM blogposter.steps`))
			require.ErrorIs(t, s.EndStep(t.Context(), l, b, tc.ending), pipeline.ErrLeaseLost, "a send ends once")

			b, err = s.BeginStep(t.Context(), l, intent("digest:1", 900))
			require.NoError(t, err)
			require.Equal(t, 2, b.Send)
		})
	}
}

func TestStore_BeginStep_deniesWhatTheBudgetCannotHold(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t) // $0.15 for the article
	b, err := s.BeginStep(t.Context(), l, intent("section:1", 150_000))
	require.NoError(t, err, "the last micro-dollar may be used")
	_, err = s.BeginStep(t.Context(), l, intent("section:2", 1))

	require.ErrorIs(t, err, journal.ErrBudget)
	require.True(t, fault.IsBudget(err))
	require.ErrorContains(t, err, "section:2 needs 1 of 0 micro-dollars left in the article budget of 150000")
	require.Equal(t, 1, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.steps`), "a denied call leaves no intent")

	require.NoError(t, s.FinishStep(t.Context(), l, b, journal.Receipt{Result: json.RawMessage(`{}`), Cost: 149_999}))
	_, err = s.BeginStep(t.Context(), l, intent("section:2", 2))
	require.ErrorIs(t, err, journal.ErrBudget)
	_, err = s.BeginStep(t.Context(), l, intent("section:2", 1))
	require.NoError(t, err)
}

func TestStore_FinishStep_recordsACallThatCostMoreThanItsWorstCase(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	b, err := s.BeginStep(t.Context(), l, intent("section:1", 150_000))
	require.NoError(t, err)
	require.NoError(t, s.FinishStep(t.Context(), l, b, journal.Receipt{Result: json.RawMessage(`{}`), Cost: 150_010}))
	require.Equal(t, int64(10), scalar[int64](t, db.Owner, `SELECT overrun_micros FROM blogposter.budgets`))
	_, err = s.BeginStep(t.Context(), l, intent("section:2", 1))
	require.ErrorIs(t, err, journal.ErrBudget, "an overrun is no new money")
}

func TestStore_BeginStep_extendsTheLease(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET lease_until = now() + interval '1 second'`)
	require.NoError(t, err)
	_, err = s.BeginStep(t.Context(), l, intent("wordpress:create", 0))
	require.NoError(t, err)
	require.Greater(t, scalar[float64](t, db.Owner, `SELECT extract(epoch FROM lease_until - now())::float8 FROM blogposter.runs`), 50.0)
	_, _, _, entries := budget(t, db.Owner)
	require.Empty(t, entries, "an unpaid call has no entries")
}

func TestStore_entriesAreAppendOnly(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	_, err := s.BeginStep(t.Context(), l, intent("digest:1", 900))
	require.NoError(t, err)
	for _, q := range []string{`UPDATE blogposter.entries SET micros = 0`, `DELETE FROM blogposter.entries`} {
		_, err := db.Functions.Exec(t.Context(), q)
		require.ErrorContains(t, err, "permission denied", q)
	}
}

func TestStore_budgetsRefuseToBeCrossed(t *testing.T) {
	t.Parallel()

	db, _, _ := journaled(t)
	_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.budgets SET spent_micros = limit_micros + 1`)
	require.ErrorContains(t, err, "budgets_never_crossed")
}

func TestJournal_Do_againstTheDatabase(t *testing.T) {
	t.Parallel()

	db, s, l := journaled(t)
	j := journal.New(s)
	calls := 0
	ask := func() (json.RawMessage, error) {
		return j.Do(t.Context(), l, intent("digest:1", 900), func(context.Context) (journal.Receipt, error) {
			calls++
			return journal.Receipt{Result: json.RawMessage(`"` + strings.Repeat("x", 10) + `"`), Cost: 3}, nil
		})
	}
	first, err := ask()
	require.NoError(t, err)
	second, err := ask()
	require.NoError(t, err)
	require.JSONEq(t, string(first), string(second))
	require.Equal(t, 1, calls)
	_, spent, _, _ := budget(t, db.Owner)
	require.Equal(t, int64(3), spent)
}
