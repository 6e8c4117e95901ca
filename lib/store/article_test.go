package store_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/store"
	"blogposter/lib/store/storetest"
	"blogposter/lib/view"
)

func TestStore_Articles_listsWhatWasPublished(t *testing.T) {
	t.Parallel()

	db := storetest.New(t)
	site := storetest.AddSite(t, db.Owner, "a")
	older, newer := published(t, db, site), published(t, db, site)
	inReview(t, db, site)
	_, err := db.Owner.Exec(t.Context(), `UPDATE blogposter.budgets SET reserved_micros = 5, spent_micros = 70, unknown_micros = 7`)
	require.NoError(t, err)
	s := store.New(db.Functions)

	all, err := s.Articles(t.Context(), "a", view.Page{Limit: 9})
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, newer, all[0].RunID)
	require.Equal(t, "Dogs on trains", all[0].Title)
	require.Equal(t, "https://a.example/x", all[0].URL)
	require.Equal(t, strings.Repeat("d", 64), all[0].Digest)
	require.Equal(t, view.Amount(77), all[0].Cost, "spent, and what may have been")
	require.False(t, all[0].PublishedAt.IsZero())

	rest, err := s.Articles(t.Context(), "a", view.Page{Limit: 9, After: all[0].ID})
	require.NoError(t, err)
	require.Len(t, rest, 1)
	require.Equal(t, older, rest[0].RunID)

	one, err := s.Article(t.Context(), "a", all[0].ID)
	require.NoError(t, err)
	require.Equal(t, all[0], one.Article)
	require.Equal(t, "Dögs may ride.", one.Claims[0].Citations[0].Quote)

	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.publications SET state = 'draft', published_at = NULL WHERE id = $1`, all[0].ID)
	require.NoError(t, err)
	_, err = s.Article(t.Context(), "a", all[0].ID)
	require.ErrorIs(t, err, view.ErrNotFound, "a draft on the site is not an article yet")
	all, err = s.Articles(t.Context(), "a", view.Page{Limit: 9})
	require.NoError(t, err)
	require.Len(t, all, 1)
}
