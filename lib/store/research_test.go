package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/lib/view"
)

var lookPins = pipeline.Pins{Prompts: "v1", Small: "s", Large: "l", Embedding: "e"}

func watching(t *testing.T, db storetest.DB, slug string) int64 {
	t.Helper()
	site := storetest.AddSite(t, db.Owner, slug)
	_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.sites SET research = '{"every_minutes": 360, "budget": 20000}' WHERE id = $1`, site)
	require.NoError(t, err)
	return site
}

func addTopic(t *testing.T, db storetest.DB, site int64, key string) (id int64) {
	t.Helper()
	require.NoError(t, db.Owner.QueryRow(t.Context(), `
		INSERT INTO blogposter.topics (site_id, key, title, kind, score, known_weight, terms, pages, model, why)
		VALUES ($1, $2, 'Dogs on trains', 'gap', 0.5, 1, '[]', '[]', 'm', 'because') RETURNING id`, site, key).Scan(&id))
	return id
}

func TestStore_BeginDueResearch_beginsOneLookForEachSiteThatIsDue(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := watching(t, db, "watching")
	storetest.AddSite(t, db.Owner, "watches-nobody")
	s := store.New(db.Functions)
	due, err := s.DueStages(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[pipeline.Stage]int64{pipeline.StageMonitor: 1}, due)

	n, err := s.BeginDueResearch(t.Context(), lookPins)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = s.BeginDueResearch(t.Context(), lookPins)
	require.NoError(t, err)
	require.Zero(t, n, "one is under way")

	l, found, err := s.LeaseRun(t.Context(), pipeline.StageMonitor, "w", time.Minute)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, lookPins, l.Pins)
	d, err := s.Dossier(t.Context(), l)
	require.NoError(t, err)
	require.Equal(t, string(pipeline.KindResearch), d.Brief.Kind)
	require.Equal(t, int64(20000), d.Site.Research.Budget)
	require.Equal(t, int64(20000), scalar[int64](t, db.Owner, `SELECT limit_micros FROM blogposter.budgets WHERE scope = 'research'`))
	older := `UPDATE blogposter.runs SET created_at = created_at - interval '7 hours' WHERE site_id = $1`
	_, err = db.Owner.Exec(t.Context(), older, site)
	require.NoError(t, err)
	due, err = s.DueStages(t.Context())
	require.NoError(t, err)
	require.Empty(t, due, "a long look is not begun again beside itself")
	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET created_at = now() WHERE site_id = $1`, site)
	require.NoError(t, err)
	require.NoError(t, s.FinishAttempt(t.Context(), l, pipeline.Decide(l, pipeline.Outcome{}, nil), editorial.Work{}))
	l, found, err = s.LeaseRun(t.Context(), pipeline.StageTopic, "w", time.Minute)
	require.NoError(t, err)
	require.True(t, found)
	require.NoError(t, s.FinishAttempt(t.Context(), l, pipeline.Decide(l, pipeline.Outcome{Done: true}, nil), editorial.Work{}))
	n, err = s.BeginDueResearch(t.Context(), lookPins)
	require.NoError(t, err)
	require.Zero(t, n, "the last look is not six hours ago")

	_, err = db.Owner.Exec(t.Context(), older, site)
	require.NoError(t, err)
	n, err = s.BeginDueResearch(t.Context(), lookPins)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestStore_AddRun_letsTheTopicStageChoose(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	topic, taken := addTopic(t, db, site, "trains"), addTopic(t, db, site, "planes")
	s := store.New(db.Functions)
	made, _, err := s.AddRun(t.Context(), "a", view.NewRun{By: "ann", Pins: lookPins})
	require.NoError(t, err)
	require.Equal(t, pipeline.StageTopic, made.Run.Stage)
	require.Empty(t, made.Run.Topic)

	l, _, err := s.LeaseRun(t.Context(), pipeline.StageTopic, "w", time.Minute)
	require.NoError(t, err)
	err = s.FinishAttempt(t.Context(), l, pipeline.Decide(l, pipeline.Outcome{}, nil), editorial.Work{})
	require.ErrorContains(t, err, "runs_article_has_topic", "nothing is written about nothing")
	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.topics SET state = 'dismissed' WHERE id = $1`, taken)
	require.NoError(t, err)
	err = s.FinishAttempt(t.Context(), l, pipeline.Decide(l, pipeline.Outcome{}, nil), editorial.Work{TopicID: taken})
	require.ErrorIs(t, err, view.ErrTopicTaken)
	require.NoError(t, s.FinishAttempt(t.Context(), l, pipeline.Decide(l, pipeline.Outcome{}, nil), editorial.Work{TopicID: topic}))
	run, err := s.Run(t.Context(), "a", made.Run.ID)
	require.NoError(t, err)
	require.Equal(t, "Dogs on trains", run.Topic)
	require.Equal(t, pipeline.StageDraft, run.Stage)
	require.Equal(t, made.Run.ID, scalar[int64](t, db.Owner, `SELECT taken_by FROM blogposter.topics WHERE state = 'taken'`))
}

func TestStore_AddRun_takesARecommendationOnce(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site, other := storetest.AddSite(t, db.Owner, "a"), storetest.AddSite(t, db.Owner, "b")
	mine, theirs := addTopic(t, db, site, "trains"), addTopic(t, db, other, "trains")
	s := store.New(db.Functions)
	made, added, err := s.AddRun(t.Context(), "a", view.NewRun{TopicID: mine, By: "ann", Pins: lookPins, Key: "k", Request: strings.Repeat("c", 64)})
	require.NoError(t, err)
	require.True(t, added)
	require.Equal(t, "Dogs on trains", made.Run.Topic)
	require.Equal(t, pipeline.StageDraft, made.Run.Stage)
	_, added, err = s.AddRun(t.Context(), "a", view.NewRun{TopicID: mine, By: "ann", Pins: lookPins, Key: "k", Request: strings.Repeat("c", 64)})
	require.NoError(t, err)
	require.False(t, added, "the same request again")
	_, _, err = s.AddRun(t.Context(), "a", view.NewRun{TopicID: mine, By: "ann", Pins: lookPins})
	require.ErrorIs(t, err, view.ErrTopicTaken)
	_, err = db.Functions.Exec(t.Context(), fmt.Sprintf(`BEGIN; SELECT set_config('app.site_id', '%d', true); SELECT blogposter.take_topic(%d, %d); COMMIT`,
		site, made.Run.ID, theirs))
	require.ErrorContains(t, err, "there is no topic")
	_, _, err = s.AddRun(t.Context(), "a", view.NewRun{TopicID: theirs, By: "ann", Pins: lookPins})
	require.ErrorIs(t, err, view.ErrNotFound)
	require.Equal(t, 1, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.runs`))
}

func TestSites_research_saysHowOftenAndForHowMuchOrNothing(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	for _, half := range []string{`{}`, `null`, `{"every_minutes": 360}`, `{"budget": 20000}`, `{"every_minutes": null, "budget": 20000}`} {
		_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.sites SET research = $1 WHERE id = $2`, half, site)
		require.ErrorContains(t, err, "sites_research_check", half)
	}
	_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.sites SET research = NULL WHERE id = $1`, site)
	require.NoError(t, err)
}

// Tick asks each minute: what it reads must not grow with all the looks a site ever had.
func TestStore_DueStages_readsNoLookThatEndedLongAgo(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := watching(t, db, "a")
	_, err := db.Owner.Exec(t.Context(), `
		INSERT INTO blogposter.runs (site_id, kind, created_by, pins, stage, state, finished_at, created_at)
		SELECT $1, 'research', 'schedule', '{"prompts": "v1", "small": "s", "large": "l"}', 'topic', 'done', now(), now() - make_interval(days => n)
		FROM generate_series(1, 3000) n`, site)
	require.NoError(t, err)
	_, err = db.Owner.Exec(t.Context(), `ANALYZE blogposter.runs`)
	require.NoError(t, err)

	tx, err := db.Owner.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
	var due, read int64
	require.NoError(t, tx.QueryRow(t.Context(), `SELECT due FROM blogposter.due_stages() WHERE stage = 'monitor'`).Scan(&due))
	require.NoError(t, tx.QueryRow(t.Context(), `
		SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relid = 'blogposter.runs'::regclass`).Scan(&read))
	require.EqualValues(t, 1, due)
	require.Less(t, read, int64(100), "rows")
}

func TestStore_BeginDueResearch_endsTheLookThatWaitsForAPerson(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site, other := watching(t, db, "a"), watching(t, db, "b")
	s := store.New(db.Functions)
	n, err := s.BeginDueResearch(t.Context(), lookPins)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET state = 'waiting', waiting = 'person', created_at = created_at - interval '7 hours' * (site_id = $1)::int`, site)
	require.NoError(t, err)
	n, err = s.BeginDueResearch(t.Context(), lookPins)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	states := `SELECT string_agg(state, ' ' ORDER BY id) FROM blogposter.runs WHERE site_id = $1`
	require.Equal(t, "cancelled ready", scalar[string](t, db.Owner, strings.Replace(states, "$1", fmt.Sprint(site), 1)))
	require.Equal(t, "waiting", scalar[string](t, db.Owner, strings.Replace(states, "$1", fmt.Sprint(other), 1)))
	require.Equal(t, 1, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.events WHERE kind = 'finished' AND detail LIKE 'run % looks anew'`))
}

func TestLeaseRun_givesThePreviousReleaseNewArticlesAlone(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	article := published(t, db, site)
	_, err := db.Owner.Exec(t.Context(), `
		INSERT INTO blogposter.runs (site_id, kind, topic, created_by, pins, stage, state, target_id, reason)
		SELECT site_id, k, 'A topic', 'ann', pins, 'publish', 'ready', (SELECT id FROM blogposter.publications), 'wrong'
		FROM blogposter.runs, unnest(ARRAY['retraction', 'article']) k WHERE id = $1`, article)
	require.NoError(t, err)
	old := `SELECT count(*) FROM blogposter.lease_run('publish', 'old', '1 minute', 5)`
	require.Zero(t, scalar[int](t, db.Functions, old), "a retraction, an update")
	s := store.New(db.Functions)
	lease(t, s, pipeline.StagePublish, "new")
	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.runs SET lease_until = now() - interval '1 second' WHERE state = 'running'`)
	require.NoError(t, err)
	require.Zero(t, scalar[int](t, db.Functions, old), "nor where their lease has ended")
	lease(t, s, pipeline.StagePublish, "new")
	lease(t, s, pipeline.StagePublish, "new")

	fresh := storetest.AddRun(t, db.Owner, site, "publish")
	require.Equal(t, fresh, scalar[int64](t, db.Functions, `SELECT run_id FROM blogposter.lease_run('publish', 'old', '1 minute', 5)`))
}
