package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/lib/view"
)

func TestStore_SearchArticles_findsPublishedOnesWithEveryWord(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	dogs, cats := storetest.AddSite(t, db.Owner, "dogs"), storetest.AddSite(t, db.Owner, "cats")
	write := func(site int64, title, excerpt, keyphrase string) int64 {
		run := published(t, db, site)
		_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.drafts SET title = $2, excerpt = $3, keyphrase = $4 WHERE run_id = $1`, run, title, excerpt, keyphrase)
		require.NoError(t, err)
		return run
	}
	trains := write(dogs, "Service dogs on trains", "What the law says of riding.", "dog train rules")
	hotels := write(dogs, "Hotels", "A hotel may not refuse a dog.", "hotel access")
	taken := write(dogs, "Trains, taken back", "x", "y")
	write(cats, "Dogs on trains, as cats see them", "x", "y")
	_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.publications SET state = 'retracted', ended_at = now() WHERE run_id = $1`, taken)
	require.NoError(t, err)

	s := store.New(db.Functions)
	search := func(site, words string, p view.Page) (runs []int64) {
		found, err := s.SearchArticles(t.Context(), site, words, p)
		require.NoError(t, err)
		for _, a := range found {
			runs = append(runs, a.RunID)
		}
		return runs
	}
	all := view.Page{Limit: 10}
	for words, want := range map[string][]int64{
		"dogs":              {hotels, trains}, // by the stem, the newest first
		"ride":              {trains},         // of the excerpt
		"rules":             {trains},         // of the keyphrase
		"dogs trains":       {trains},
		"dog -hotel":        {trains},
		`"dogs on trains"`:  {trains},
		`"trains on dogs"`:  nil,
		"hotel or train":    {hotels, trains},
		"cats":              nil, // another site's
		"the":               nil,
		`'"():*&|! \ --`:    nil, // nothing of it is syntax
		"dogs'; DROP TABLE": nil,
	} {
		require.Equal(t, want, search("dogs", words, all), words)
	}
	require.Len(t, search("cats", "dogs", all), 1)
	require.Empty(t, search("nobody", "dogs", all))

	first, err := s.SearchArticles(t.Context(), "dogs", "dogs", view.Page{Limit: 1})
	require.NoError(t, err)
	require.Len(t, first, 2, "one more than the page holds")
	require.Equal(t, []int64{trains}, search("dogs", "dogs", view.Page{Limit: 1, After: first[0].ID}))

	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.sites SET language = 'de' WHERE slug = 'dogs'`)
	require.NoError(t, err)
	require.Empty(t, search("dogs", "rides", all), "no stems where the language is another")
	require.Equal(t, []int64{trains}, search("dogs", "riding", all))
}

func TestStore_Revision_isAnotherAfterEachChange(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	dogs, cats := storetest.AddSite(t, db.Owner, "dogs"), storetest.AddSite(t, db.Owner, "cats")
	s := store.New(db.Functions)
	seen := map[string]bool{}
	changed := func(what string) {
		t.Helper()
		r, err := s.Revision(t.Context(), "dogs")
		require.NoError(t, err)
		again, err := s.Revision(t.Context(), "dogs")
		require.NoError(t, err)
		require.Equal(t, r, again)
		require.False(t, seen[r], "%s: %s", what, r)
		seen[r] = true
	}
	changed("nothing yet")
	run := published(t, db, dogs)
	changed("an article")

	// What another site does changes nothing.
	before, err := s.Revision(t.Context(), "dogs")
	require.NoError(t, err)
	published(t, db, cats)
	after, err := s.Revision(t.Context(), "dogs")
	require.NoError(t, err)
	require.Equal(t, before, after)

	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.publications SET state = 'retracted', ended_at = now() WHERE run_id = $1`, run)
	require.NoError(t, err)
	changed("taken back, before its run's event")
	second, newest := published(t, db, dogs), published(t, db, dogs)
	changed("two more")
	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.publications SET state = CASE run_id WHEN $1 THEN 'published' ELSE 'retracted' END,
		ended_at = CASE run_id WHEN $1 THEN NULL ELSE now() END WHERE run_id IN ($1, $2)`, run, second)
	require.NoError(t, err)
	require.Greater(t, newest, second)
	changed("one that comes back for another, neither the newest")

	// An event whose id was drawn first and that commits last.
	const add = `INSERT INTO blogposter.events (run_id, site_id, kind, stage, state, attempt) VALUES ($1, $2, 'leased', 'draft', 'running', 1)`
	for range 70 {
		_, err = db.Owner.Exec(t.Context(), add, run, dogs)
		require.NoError(t, err)
	}
	changed("many events")
	late, err := db.Owner.Begin(t.Context())
	require.NoError(t, err)
	_, err = late.Exec(t.Context(), add, run, dogs)
	require.NoError(t, err)
	_, err = db.Owner.Exec(t.Context(), add, run, dogs)
	require.NoError(t, err)
	changed("the later one of two")
	require.NoError(t, late.Commit(t.Context()))
	changed("the earlier one")

	_, err = s.Revision(t.Context(), "nobody")
	require.NoError(t, err)
}

func TestStore_Revision_failsWithoutADatabase(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	db.Functions.Close()
	s := store.New(db.Functions)
	_, err := s.Revision(t.Context(), "dogs")
	require.ErrorContains(t, err, "revision of dogs")
	_, err = s.SearchArticles(t.Context(), "dogs", "x", view.Page{})
	require.ErrorContains(t, err, "search articles of dogs")
}
