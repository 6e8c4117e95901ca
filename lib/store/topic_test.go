package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/lib/view"
)

// choosing leases an article's Run that is to find its own topic.
func choosing(t *testing.T, s *store.Store, site, owner string) pipeline.Lease {
	t.Helper()
	_, _, err := s.AddRun(t.Context(), site, view.NewRun{By: "ann", Pins: lookPins})
	require.NoError(t, err)
	return lease(t, s, pipeline.StageTopic, owner)
}

func topic(key string, score float64) editorial.Topic {
	value, at := 0.5, time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	return editorial.Topic{
		Key: key, Title: "On " + key, Keyphrase: key, Kind: editorial.TopicGap, Score: score, KnownWeight: 0.75, Model: "m", Why: "because",
		Terms: []editorial.ScoreTerm{{Name: "frequency", Weight: 0.35, Value: &value, Data: "3 pages", AsOf: &at}, {Name: "search", Weight: 0.2, Data: "unknown"}},
		Pages: []editorial.TopicPage{{ID: 7, URL: "https://rival.example/7", Title: "Seven", Competitor: "Rival", Near: 2}},
	}
}

func titles(topics []editorial.Topic) (out []string) {
	for _, t := range topics {
		out = append(out, t.Title)
	}
	return out
}

func TestStore_SaveTopics_replacesWhatWasRecommended(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	s := store.New(db.Functions)
	l := choosing(t, s, "a", "w")
	had := topic("trains", 0.9)
	had.Kind = editorial.TopicDuplicate
	require.NoError(t, s.SaveTopics(t.Context(), l, []editorial.Topic{topic("planes", 0.25), topic("ships", 0.5), had}))
	open, err := s.OpenTopics(t.Context(), l)
	require.NoError(t, err)
	require.Equal(t, []string{"On ships", "On planes"}, titles(open), "the best first, and none that is published")
	want := topic("planes", 0.25)
	require.False(t, open[1].ScoredAt.IsZero())
	want.ID, want.State, want.ScoredAt = open[1].ID, "open", open[1].ScoredAt
	require.Equal(t, want, open[1])

	known, err := s.KnownTopics(t.Context(), l)
	require.NoError(t, err)
	require.Len(t, known, 3, "of every kind")
	for _, k := range known {
		require.Equal(t, topic(k.Key, 0).Pages, k.Pages)
		require.Equal(t, "On "+k.Key, k.Title)
		require.Equal(t, "open", k.State)
	}

	planes := open[1].ID
	again := topic("planes", 0.75)
	again.Title = "Anew"
	require.NoError(t, s.SaveTopics(t.Context(), l, []editorial.Topic{again}))
	open, err = s.OpenTopics(t.Context(), l)
	require.NoError(t, err)
	require.Equal(t, []string{"Anew"}, titles(open))
	require.Equal(t, planes, open[0].ID, "found again by its key")
	require.InDelta(t, 0.75, open[0].Score, 1e-9)
	require.Equal(t, 2, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.topics WHERE state = 'stale' AND site_id = $1`, site))

	require.NoError(t, s.SaveTopics(t.Context(), l, []editorial.Topic{again, topic("ships", 0.5)}))
	open, err = s.OpenTopics(t.Context(), l)
	require.NoError(t, err)
	require.Equal(t, []string{"Anew", "On ships"}, titles(open), "what comes back is open again")
}

func TestStore_SaveTopics_leavesAloneWhatIsTakenOrDismissed(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	storetest.AddSite(t, db.Owner, "a")
	s := store.New(db.Functions)
	l := choosing(t, s, "a", "w")
	both := []editorial.Topic{topic("planes", 0.25), topic("ships", 0.5)}
	require.NoError(t, s.SaveTopics(t.Context(), l, both))
	open, err := s.OpenTopics(t.Context(), l)
	require.NoError(t, err)
	ok, err := s.TakeTopic(t.Context(), l, open[0].ID)
	require.NoError(t, err)
	require.True(t, ok)
	_, err = s.DismissTopic(t.Context(), "a", open[1].ID, "ann")
	require.NoError(t, err)

	for _, topics := range [][]editorial.Topic{both, nil} {
		require.NoError(t, s.SaveTopics(t.Context(), l, topics))
		open, err = s.OpenTopics(t.Context(), l)
		require.NoError(t, err)
		require.Empty(t, open)
		known, err := s.KnownTopics(t.Context(), l)
		require.NoError(t, err)
		require.Len(t, known, 2, "of every state")
		require.Equal(t, "dismissed,taken", scalar[string](t, db.Owner, `SELECT string_agg(state, ',' ORDER BY state) FROM blogposter.topics`))
	}
}

func TestStore_SaveTopics_dropsWhatAStaleWorkerMade(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	storetest.AddSite(t, db.Owner, "a")
	s := store.New(db.Functions)
	dead := choosing(t, s, "a", "dead")
	endLease(t, db.Owner, dead.RunID)
	heir := lease(t, s, pipeline.StageTopic, "heir")
	require.NoError(t, s.SaveTopics(t.Context(), heir, []editorial.Topic{topic("planes", 0.25)}))
	open, err := s.OpenTopics(t.Context(), heir)
	require.NoError(t, err)

	require.ErrorIs(t, s.SaveTopics(t.Context(), dead, nil), pipeline.ErrLeaseLost)
	_, err = s.TakeTopic(t.Context(), dead, open[0].ID)
	require.ErrorIs(t, err, pipeline.ErrLeaseLost)
	require.ErrorIs(t, s.SaveVectors(t.Context(), dead, "m", map[string][]float32{strings.Repeat("a", 64): {1}}), pipeline.ErrLeaseLost)
	open, err = s.OpenTopics(t.Context(), heir)
	require.NoError(t, err)
	require.Len(t, open, 1)
	require.Zero(t, scalar[int](t, db.Owner, `SELECT count(*) FROM blogposter.vectors`))
}

func TestStore_TakeTopic_givesATopicToOneOfTwoAtOnce(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	storetest.AddSite(t, db.Owner, "a")
	s := store.New(db.Functions)
	first, second := choosing(t, s, "a", "one"), choosing(t, s, "a", "two")
	require.NoError(t, s.SaveTopics(t.Context(), first, []editorial.Topic{topic("planes", 0.25), topic("ships", 0.5)}))
	open, err := s.OpenTopics(t.Context(), first)
	require.NoError(t, err)

	// The first one's transaction stays open until the second one waits for it.
	done := make(chan bool, 1)
	err = pgx.BeginFunc(t.Context(), db.Functions, func(tx pgx.Tx) error {
		ok, err := store.New(tx).TakeTopic(t.Context(), first, open[0].ID)
		require.NoError(t, err)
		require.True(t, ok)
		go func() {
			ok, err := s.TakeTopic(context.WithoutCancel(t.Context()), second, open[0].ID)
			done <- ok || err != nil
		}()
		untilBlocked(t, db)
		return nil
	})
	require.NoError(t, err)
	require.False(t, <-done, "the second one is told, not failed")

	ok, err := s.TakeTopic(t.Context(), first, open[0].ID)
	require.NoError(t, err)
	require.True(t, ok, "its own topic is taken as often as it likes")
	require.NoError(t, s.FinishAttempt(t.Context(), first, next(first), editorial.Work{TopicID: open[0].ID}))
	ok, err = s.TakeTopic(t.Context(), second, open[1].ID)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "On planes,On ships", scalar[string](t, db.Owner, `SELECT string_agg(topic, ',' ORDER BY topic) FROM blogposter.runs`))
}

func TestStore_Topics_pagesTheBestFirst(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	storetest.AddSite(t, db.Owner, "a")
	storetest.AddSite(t, db.Owner, "b")
	s := store.New(db.Functions)
	l := choosing(t, s, "a", "w")
	had := topic("trains", 0.5)
	had.Kind = editorial.TopicDuplicate
	require.NoError(t, s.SaveTopics(t.Context(), l, []editorial.Topic{topic("planes", 0.25), topic("ships", 0.5), had, topic("cars", 0.75)}))

	all, err := s.Topics(t.Context(), "a", view.TopicFilter{Limit: 9})
	require.NoError(t, err)
	require.Len(t, all, 4)
	require.Equal(t, "On cars", all[0].Title)
	require.Equal(t, "On planes", all[3].Title)
	require.Equal(t, 1, all[0].PageCount)
	require.Equal(t, topic("cars", 0.75).Terms, all[0].Terms)
	require.False(t, all[0].CreatedAt.IsZero())
	for i := range all {
		rest, err := s.Topics(t.Context(), "a", view.TopicFilter{Limit: 9, After: all[i].ID})
		require.NoError(t, err)
		require.Equal(t, all[i+1:], rest, "after the %dth, of equal scores too", i+1)
	}
	short, err := s.Topics(t.Context(), "a", view.TopicFilter{Limit: 1})
	require.NoError(t, err)
	require.Len(t, short, 2, "one more than asked for, which says that there are more")

	gaps, err := s.Topics(t.Context(), "a", view.TopicFilter{Limit: 9, Kind: editorial.TopicDuplicate, State: "open"})
	require.NoError(t, err)
	require.Len(t, gaps, 1)
	none, err := s.Topics(t.Context(), "a", view.TopicFilter{Limit: 9, State: "taken"})
	require.NoError(t, err)
	require.Empty(t, none)
	none, err = s.Topics(t.Context(), "b", view.TopicFilter{Limit: 9})
	require.NoError(t, err)
	require.Empty(t, none)

	one, err := s.Topic(t.Context(), "a", all[0].ID)
	require.NoError(t, err)
	require.Equal(t, view.TopicDetail{Topic: all[0], Pages: topic("cars", 0.75).Pages}, one)
	_, err = s.Topic(t.Context(), "b", all[0].ID)
	require.ErrorIs(t, err, view.ErrNotFound)
}

func TestStore_DismissTopic_isForGoodAndNotForWhatIsTaken(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	storetest.AddSite(t, db.Owner, "b")
	s := store.New(db.Functions)
	id := addTopic(t, db, site, "trains")

	_, err := s.DismissTopic(t.Context(), "b", id, "ann")
	require.ErrorIs(t, err, view.ErrNotFound)
	gone, err := s.DismissTopic(t.Context(), "a", id, "ann")
	require.NoError(t, err)
	require.Equal(t, "dismissed", gone.State)
	require.Equal(t, "Dismissed by ann. because", gone.Why)
	again, err := s.DismissTopic(t.Context(), "a", id, "bob")
	require.NoError(t, err)
	require.Equal(t, gone, again)

	id = addTopic(t, db, site, "planes")
	l := choosing(t, s, "a", "w")
	ok, err := s.TakeTopic(t.Context(), l, id)
	require.NoError(t, err)
	require.True(t, ok)
	_, err = s.DismissTopic(t.Context(), "a", id, "ann")
	require.ErrorIs(t, err, view.ErrTopicTaken)
}

func TestStore_OwnArticles_hasTheTextOfWhatIsPublished(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site, other := storetest.AddSite(t, db.Owner, "a"), storetest.AddSite(t, db.Owner, "b")
	published(t, db, site)
	published(t, db, other)
	inReview(t, db, site)
	s := store.New(db.Functions)
	l := choosing(t, s, "a", "w")
	own, err := s.OwnArticles(t.Context(), l)
	require.NoError(t, err)
	require.Len(t, own, 1)
	require.Equal(t, "https://a.example/x", own[0].URL)
	require.True(t, strings.HasPrefix(own[0].Text(), "Dogs on trains\n"), own[0].Text())
	require.Contains(t, own[0].Text(), draft().Body.Sentences()[0].Text)
	require.False(t, own[0].PublishedAt.IsZero())

	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.publications SET state = 'retracted', ended_at = now()`)
	require.NoError(t, err)
	own, err = s.OwnArticles(t.Context(), l)
	require.NoError(t, err)
	require.Empty(t, own)
}
