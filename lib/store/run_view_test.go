package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/lib/view"
)

var pins = pipeline.Pins{Prompts: "v1", Small: "claude-haiku-5-5", Large: "claude-sonnet-5-5"}

func asked(key, request string) view.NewRun {
	return view.NewRun{Topic: "Dogs on trains", By: "ann", Pins: pins, Key: key, Request: strings.Repeat(request, 64)}
}

func TestStore_AddRun_addsItsBudgetAndItsFirstEvent(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	storetest.AddSite(t, db.Owner, "a")
	s := store.New(db.Functions)
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	r := asked("", "")
	r.URLs, r.MaxCost, r.PublishAt = []string{"https://law.example/1"}, 90_000, &at
	made, added, err := s.AddRun(t.Context(), "a", r)
	require.NoError(t, err)
	require.True(t, added)

	d, err := s.Run(t.Context(), "a", made.Run.ID)
	require.NoError(t, err)
	require.Equal(t, made.Run.CreatedAt, d.CreatedAt)
	require.Equal(t, "Dogs on trains", d.Topic)
	require.Equal(t, []string{"https://law.example/1"}, d.URLs)
	require.Equal(t, view.Cost{Limit: 90_000}, d.Cost)
	require.True(t, at.Equal(*d.PublishAt), "%s", d.PublishAt)
	require.Equal(t, pipeline.StageDraft, d.Stage)
	require.Equal(t, pipeline.StateReady, d.State)
	require.Equal(t, "created", d.Events[0].Kind)
	require.Empty(t, d.Sources)
	require.NotNil(t, d.Sources)
	require.Nil(t, d.Decision)

	l := lease(t, s, pipeline.StageDraft, "w")
	require.Equal(t, pins, l.Pins)

	r.MaxCost = 0
	made, _, err = s.AddRun(t.Context(), "a", r)
	require.NoError(t, err, "without a key the same request is another run")
	d, err = s.Run(t.Context(), "a", made.Run.ID)
	require.NoError(t, err)
	require.Equal(t, view.Amount(150_000), d.Cost.Limit, "the site's article budget")

	r.MaxCost = 999_999
	made, _, err = s.AddRun(t.Context(), "a", r)
	require.NoError(t, err)
	d, err = s.Run(t.Context(), "a", made.Run.ID)
	require.NoError(t, err)
	require.Equal(t, view.Amount(150_000), d.Cost.Limit, "never more than the site's")
}

func TestStore_AddRun_returnsTheEarlierRunOfAKey(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	storetest.AddSite(t, db.Owner, "a")
	storetest.AddSite(t, db.Owner, "b")
	s := store.New(db.Functions)
	first, added, err := s.AddRun(t.Context(), "a", asked("k", "1"))
	require.NoError(t, err)
	require.True(t, added)

	again, added, err := s.AddRun(t.Context(), "a", asked("k", "2"))
	require.NoError(t, err)
	require.False(t, added)
	require.Equal(t, first, again, "the earlier run with the earlier request, for the caller to compare")

	in, err := s.Intake(t.Context(), "a", "k")
	require.NoError(t, err)
	require.Equal(t, &first, in.Earlier)
	require.Equal(t, []editorial.Source{{Prefix: "https://law.example/", Tier: editorial.TierAuthoritative, Start: true}}, in.Site.Sources)
	require.Equal(t, int64(150_000), in.Site.ArticleBudget)

	other, added, err := s.AddRun(t.Context(), "b", asked("k", "1"))
	require.NoError(t, err)
	require.True(t, added, "another site's keys are its own")
	require.NotEqual(t, first.Run.ID, other.Run.ID)
}

func TestStore_AddRun_addsOneOfTwoAtOnce(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	storetest.AddSite(t, db.Owner, "a")
	var first, second view.Earlier
	var added bool
	done := make(chan error, 1)

	// The first stays uncommitted until the second waits for it.
	err := pgx.BeginFunc(t.Context(), db.Functions, func(tx pgx.Tx) (err error) {
		first, _, err = store.New(tx).AddRun(t.Context(), "a", asked("k", "1"))
		require.NoError(t, err)
		go func() {
			var err error
			second, added, err = store.New(db.Functions).AddRun(t.Context(), "a", asked("k", "1"))
			done <- err
		}()
		untilBlocked(t, db)
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, <-done)
	require.False(t, added)
	require.Equal(t, first.Run.ID, second.Run.ID)
	require.Equal(t, 1, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.runs`))
	require.Equal(t, 1, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.budgets`))
}

// untilBlocked returns once a statement on the database waits for a lock.
func untilBlocked(t *testing.T, db storetest.DB) {
	t.Helper()
	require.Eventually(t, func() bool {
		var n int
		err := db.Owner.QueryRow(context.Background(), `
			SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`).Scan(&n)
		return err == nil && n > 0
	}, 20*time.Second, 5*time.Millisecond)
}

func TestStore_Runs_pagesTheNewestFirst(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	a, b := storetest.AddSite(t, db.Owner, "a"), storetest.AddSite(t, db.Owner, "b")
	var ids []int64
	for range 3 {
		ids = append(ids, storetest.AddRun(t, db.Owner, a, "draft"))
		storetest.AddRun(t, db.Owner, b, "draft")
	}
	failed := storetest.AddRun(t, db.Owner, a, "seo")
	_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET state = 'failed', finished_at = now(), error = 'boom' WHERE id = $1`, failed)
	require.NoError(t, err)

	tests := map[string]struct {
		page view.Page
		want []int64
	}{
		"one more than asked for":   {view.Page{Limit: 2}, []int64{failed, ids[2], ids[1]}},
		"from a cursor on":          {view.Page{Limit: 2, After: ids[1]}, []int64{ids[0]}},
		"of a state":                {view.Page{Limit: 9, State: "failed"}, []int64{failed}},
		"of a stage":                {view.Page{Limit: 9, Stage: "draft"}, []int64{ids[2], ids[1], ids[0]}},
		"of both":                   {view.Page{Limit: 9, Stage: "draft", State: "failed"}, []int64{}},
		"a cursor before the start": {view.Page{Limit: 9, After: 1}, []int64{}},
	}
	s := store.New(db.Functions)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			found, err := s.Runs(t.Context(), "a", tc.page)
			require.NoError(t, err)
			got := []int64{}
			for _, r := range found {
				got = append(got, r.ID)
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestStore_Run_showsTheWholeTrip(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run := published(t, db, storetest.AddSite(t, db.Owner, "a"))
	d, err := store.New(db.Functions).Run(t.Context(), "a", run)
	require.NoError(t, err)
	require.Equal(t, pipeline.StateDone, d.State)
	require.Equal(t, "Law", d.Sources[0].Title)
	require.Equal(t, editorial.TierAuthoritative, d.Sources[0].Tier)
	require.Equal(t, strings.Repeat("a", 64), d.Sources[0].TextHash)
	require.Equal(t, "an error page", d.Sources[1].Refused)
	require.Equal(t, 1, d.Drafts[0].Version)
	require.Equal(t, strings.Repeat("d", 64), d.Drafts[0].Digest)
	require.Len(t, d.Attempts, 4)
	require.Equal(t, pipeline.StageDraft, d.Attempts[0].Stage)
	require.Equal(t, "done", d.Attempts[3].Result)
	require.Equal(t, editorial.VerbApprove, d.Decision.Verb)
	require.Equal(t, editorial.PublicationPublished, d.Publication.State)
	require.Equal(t, view.Cost{Unknown: 900, Limit: 150_000}, d.Cost, "the step that was begun and never ended")
	require.IsIncreasing(t, []int64{d.Events[0].At.UnixNano(), d.Events[1].At.UnixNano(), d.Events[2].At.UnixNano()})
}

func TestStore_API_neverShowsAnotherSite(t *testing.T) {
	t.Parallel()

	// The owner bypasses row-level security, so it is the queries alone that
	// hide the other site from it.
	logins := map[string]func(storetest.DB) *pgxpool.Pool{
		"the functions' role": func(db storetest.DB) *pgxpool.Pool { return db.Functions },
		"the owner":           func(db storetest.DB) *pgxpool.Pool { return db.Owner },
	}
	for name, login := range logins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := storetest.New(t)
			run := published(t, db, storetest.AddSite(t, db.Owner, "a"))
			article := scalar[int64](t, db.Owner, `SELECT id FROM blogposter.publications`)
			waiting, digest := inReview(t, db, scalar[int64](t, db.Owner, `SELECT id FROM blogposter.sites`))
			storetest.AddSite(t, db.Owner, "b")
			s := store.New(login(db))

			for _, site := range []string{"b", "nobody", ""} {
				one := map[string]func() error{
					"run":      func() error { _, err := s.Run(t.Context(), site, run); return err },
					"review":   func() error { _, err := s.Review(t.Context(), site, waiting); return err },
					"article":  func() error { _, err := s.Article(t.Context(), site, article); return err },
					"decision": func() error { _, err := s.Decide(t.Context(), site, approve(waiting, digest)); return err },
				}
				if site != "b" {
					one["intake"] = func() error { _, err := s.Intake(t.Context(), site, ""); return err }
					one["new run"] = func() error { _, _, err := s.AddRun(t.Context(), site, asked("", "")); return err }
				}
				for name, call := range one {
					require.ErrorIs(t, call(), view.ErrNotFound, "%s as %q", name, site)
				}
				requireEmptyLists(t, s, site)
			}
			require.Equal(t, 1, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.decisions`), "the published run's alone")
			_, err := s.Run(t.Context(), "a", run)
			require.NoError(t, err, "what is hidden above is there")
			reviews, err := s.Reviews(t.Context(), "a", view.Page{Limit: 9})
			require.NoError(t, err)
			require.Len(t, reviews, 1)
		})
	}
}

func TestStore_Decide_doesNotWaitOnAnotherSitesRun(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	run, digest := inReview(t, db, storetest.AddSite(t, db.Owner, "a"))
	storetest.AddSite(t, db.Owner, "b")

	// Were the lock not the site's own, this would wait for the one that is
	// held here and run into its deadline.
	err := pgx.BeginFunc(t.Context(), db.Owner, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT FROM blogposter.runs WHERE id = $1 FOR UPDATE`, run)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err = store.New(db.Owner).Decide(ctx, "b", approve(run, digest))
		require.ErrorIs(t, err, view.ErrNotFound)
		return nil
	})
	require.NoError(t, err)
}

func requireEmptyLists(t *testing.T, s *store.Store, site string) {
	t.Helper()
	runs, err := s.Runs(t.Context(), site, view.Page{Limit: 9})
	require.NoError(t, err)
	reviews, err := s.Reviews(t.Context(), site, view.Page{Limit: 9})
	require.NoError(t, err)
	articles, err := s.Articles(t.Context(), site, view.Page{Limit: 9})
	require.NoError(t, err)
	require.Zero(t, len(runs)+len(reviews)+len(articles), "lists as %q", site)
}

func TestStore_Lists_readAnIndexAndNoMoreThanAPage(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	a := storetest.AddSite(t, db.Owner, "a")
	_, err := db.Owner.Exec(t.Context(), `
		INSERT INTO blogposter.runs (site_id, topic, created_by, pins, stage, state)
		SELECT $1, 'A topic', 'test', '{"prompts": "v1", "small": "s", "large": "l"}', 'draft', 'ready' FROM generate_series(1, 3000)`, a)
	require.NoError(t, err)
	_, err = db.Owner.Exec(t.Context(), `ANALYZE blogposter.runs`)
	require.NoError(t, err)

	var plan []string
	err = pgx.BeginFunc(t.Context(), db.Functions, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SELECT set_config('app.site_id', $1, true)`, fmt.Sprint(a)); err != nil {
			return err
		}
		rows, err := tx.Query(t.Context(), `EXPLAIN SELECT r.id FROM blogposter.runs r
			WHERE r.site_id = blogposter.current_site() AND r.id < 2000 ORDER BY r.id DESC LIMIT 21`)
		if err != nil {
			return err
		}
		plan, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	require.NoError(t, err)
	text := strings.Join(plan, "\n")
	require.NotContains(t, text, "Seq Scan")
	require.NotContains(t, text, "Sort")
}
