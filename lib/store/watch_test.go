package store_test

import (
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

// looking is a site with two competitors, one of them dropped, whose look is
// leased.
func looking(t *testing.T) (storetest.DB, *store.Store, pipeline.Lease, int64) {
	t.Helper()
	db := storetest.New(t)
	site := watching(t, db, "dogs")
	_, err := db.Owner.Exec(t.Context(), `INSERT INTO blogposter.competitors (site_id, name, kind, url, most, active)
		VALUES ($1, 'Rival', 'feed', 'https://rival.example/feed', 50, true), ($1, 'Dropped', 'page', 'https://dropped.example/', 9, false)`, site)
	require.NoError(t, err)
	s := store.New(db.Functions)
	_, err = s.BeginDueResearch(t.Context(), lookPins)
	require.NoError(t, err)
	return db, s, lease(t, s, pipeline.StageMonitor, "w"), scalar[int64](t, db.Owner, `SELECT id FROM blogposter.competitors WHERE active`)
}

func livePage(competitor int64, url, hash string) editorial.WatchedPage {
	seven := 7
	at := time.Date(2026, time.November, 2, 10, 0, 0, 0, time.UTC)
	return editorial.WatchedPage{
		CompetitorID: competitor, URL: url, Title: "Trains", State: editorial.PageLive, TextHash: strings.Repeat(hash, 64), TextBytes: 900, Words: 150,
		Shingles: []byte(strings.Repeat("\x00\xff\x10sketch..", 60)), Comments: &seven, ETag: `"v1"`, LastModified: "Mon", ListedAt: &at, PublishedAt: &at,
	}
}

func TestStore_KeepPages_savesPagesAndSaysEachChangeOnce(t *testing.T) {
	t.Parallel()

	db, s, l, rival := looking(t)
	first := livePage(rival, "https://rival.example/1", "a")
	found := []editorial.PageFinding{
		{Page: first, Checked: true, Change: &editorial.PageChange{Kind: editorial.ChangeNew, TextHash: first.TextHash, Summary: "new"}},
		{Page: editorial.WatchedPage{CompetitorID: rival, URL: "https://rival.example/2", State: editorial.PageRefused, Refused: "robots"}, Checked: true},
	}
	for range 2 {
		require.NoError(t, s.KeepPages(t.Context(), l, found))
	}
	w, err := s.Watch(t.Context(), l)
	require.NoError(t, err)
	require.Len(t, w.Competitors, 1)
	require.Equal(t, editorial.Competitor{ID: rival, Name: "Rival", Kind: editorial.CompetitorFeed, URL: "https://rival.example/feed", Via: editorial.ViaDirect, Most: 50}, w.Competitors[0].Competitor)
	require.Nil(t, w.Competitors[0].CheckedAt)
	require.WithinDuration(t, w.Now, w.StartedAt, time.Minute)
	require.Len(t, w.Pages, 2)
	got := w.Pages[0]
	require.Equal(t, first.Shingles, got.Shingles)
	require.False(t, got.CheckedAt.Before(w.StartedAt))
	listed, published := got.ListedAt.UTC(), got.PublishedAt.UTC()
	got.ListedAt, got.PublishedAt = &listed, &published
	got.ID, got.FirstSeenAt, got.CheckedAt, got.ChangedAt = 0, time.Time{}, time.Time{}, time.Time{}
	require.Equal(t, first, got)
	require.Equal(t, "robots", w.Pages[1].Refused)
	require.Equal(t, int64(1), scalar[int64](t, db.Owner, `SELECT count(*) FROM blogposter.page_changes`))

	_, err = db.Owner.Exec(t.Context(), `UPDATE blogposter.watched_pages SET checked_at = '2026-01-01', changed_at = '2026-01-01'`)
	require.NoError(t, err)
	noted := first
	eight := 8
	noted.Comments = &eight
	require.NoError(t, s.KeepPages(t.Context(), l, []editorial.PageFinding{{Page: noted}}))
	require.Equal(t, int64(2), scalar[int64](t, db.Owner, `SELECT count(*) FROM blogposter.watched_pages WHERE checked_at = '2026-01-01' AND changed_at = '2026-01-01'`), "its server was not asked")
	gone := first
	gone.State = editorial.PageGone
	require.NoError(t, s.KeepPages(t.Context(), l, []editorial.PageFinding{{Page: gone, Checked: true}}))
	require.Equal(t, int64(1), scalar[int64](t, db.Owner, `SELECT count(*) FROM blogposter.watched_pages WHERE gone_at IS NOT NULL AND checked_at > '2026-01-01' AND changed_at = '2026-01-01'`))
	changed := livePage(rival, first.URL, "b")
	require.NoError(t, s.KeepPages(t.Context(), l, []editorial.PageFinding{{Page: changed, Checked: true}}))
	require.Equal(t, int64(1), scalar[int64](t, db.Owner, `SELECT count(*) FROM blogposter.watched_pages WHERE gone_at IS NULL AND changed_at > '2026-01-01'`))
}

func TestStore_aLookThatLostItsLeaseWritesNothing(t *testing.T) {
	t.Parallel()

	db, s, l, rival := looking(t)
	stale := l
	stale.Fence--
	page := livePage(rival, "https://rival.example/1", "a")
	require.NoError(t, s.KeepPages(t.Context(), l, []editorial.PageFinding{{Page: page, Checked: true}}))
	id := scalar[int64](t, db.Owner, `SELECT id FROM blogposter.watched_pages`)
	page.Title = "Stale"
	require.ErrorIs(t, s.KeepPages(t.Context(), stale, []editorial.PageFinding{{Page: page, Checked: true}}), pipeline.ErrLeaseLost)
	require.ErrorIs(t, s.KeepPages(t.Context(), stale, nil), pipeline.ErrLeaseLost)
	require.ErrorIs(t, s.KeepCompetitor(t.Context(), stale, rival, editorial.Validators{ETag: "x"}, "stale", true), pipeline.ErrLeaseLost)
	require.ErrorIs(t, s.MarkCopies(t.Context(), stale, map[int64]int64{id: 0}), pipeline.ErrLeaseLost)
	require.Equal(t, "Trains", scalar[string](t, db.Owner, `SELECT title FROM blogposter.watched_pages`))
	require.Empty(t, scalar[string](t, db.Owner, `SELECT report || etag FROM blogposter.competitors WHERE active`))
}

func TestStore_KeepCompetitor_keepsWhatToAskWithOnlyAtTheEnd(t *testing.T) {
	t.Parallel()

	_, s, l, rival := looking(t)
	require.NoError(t, s.KeepCompetitor(t.Context(), l, rival, editorial.Validators{ETag: "e", LastModified: "m"}, "", true))
	require.NoError(t, s.KeepCompetitor(t.Context(), l, rival, editorial.Validators{}, "in trouble", false))
	w, err := s.Watch(t.Context(), l)
	require.NoError(t, err)
	require.Equal(t, editorial.Validators{ETag: "e", LastModified: "m"}, w.Competitors[0].Validators)
	require.NotNil(t, w.Competitors[0].CheckedAt)
	shown, err := s.Competitors(t.Context(), "dogs")
	require.NoError(t, err)
	require.Len(t, shown, 2)
	require.Equal(t, "in trouble", shown[0].Report)
	require.False(t, shown[1].Active)
}

func TestStore_WatchedPages_leavesOutCopiesAndWhatIsNotLive(t *testing.T) {
	t.Parallel()

	db, s, l, rival := looking(t)
	dropped := scalar[int64](t, db.Owner, `SELECT id FROM blogposter.competitors WHERE NOT active`)
	gone := livePage(rival, "https://rival.example/3", "c")
	gone.State = editorial.PageGone
	var found []editorial.PageFinding
	for _, p := range []editorial.WatchedPage{
		livePage(rival, "https://rival.example/1", "a"), livePage(rival, "https://rival.example/2", "b"), gone, livePage(dropped, "https://dropped.example/1", "d"),
	} {
		found = append(found, editorial.PageFinding{Page: p, Checked: true, Change: &editorial.PageChange{Kind: editorial.ChangeNew, TextHash: p.TextHash, Added: 2, Summary: "s"}})
	}
	require.NoError(t, s.KeepPages(t.Context(), l, found))
	w, err := s.Watch(t.Context(), l)
	require.NoError(t, err)
	one, two := w.Pages[0].ID, w.Pages[1].ID
	require.NoError(t, s.MarkCopies(t.Context(), l, nil))
	require.NoError(t, s.MarkCopies(t.Context(), l, map[int64]int64{two: one}))
	urls := func() (urls []string) {
		pages, err := s.WatchedPages(t.Context(), l)
		require.NoError(t, err)
		for _, p := range pages {
			urls = append(urls, p.URL)
		}
		return urls
	}
	require.Equal(t, []string{"https://rival.example/1"}, urls())
	shown, err := s.Competitors(t.Context(), "dogs")
	require.NoError(t, err)
	require.Equal(t, []int{2, 1, 0, 1}, []int{shown[0].Live, shown[0].Copies, shown[0].Refused, shown[0].Gone})
	require.NoError(t, s.MarkCopies(t.Context(), l, map[int64]int64{two: 0}))
	require.Len(t, urls(), 2)

	changes, err := s.Changes(t.Context(), "dogs", view.Page{Limit: 2})
	require.NoError(t, err)
	require.Len(t, changes, 3, "one more than the page holds")
	require.Equal(t, "https://dropped.example/1", changes[0].URL)
	require.Equal(t, "Dropped", changes[0].Competitor)
	require.Equal(t, 2, changes[0].Added)
	changes, err = s.Changes(t.Context(), "dogs", view.Page{Limit: 2, After: changes[1].ID})
	require.NoError(t, err)
	require.Len(t, changes, 2)

	storetest.AddSite(t, db.Owner, "cats")
	changes, err = s.Changes(t.Context(), "cats", view.Page{Limit: 9})
	require.NoError(t, err)
	require.Empty(t, changes)
	shown, err = s.Competitors(t.Context(), "cats")
	require.NoError(t, err)
	require.Empty(t, shown)
	_, err = s.Watch(t.Context(), pipeline.Lease{RunID: l.RunID, SiteID: l.SiteID + 1})
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = s.Changes(t.Context(), "nobody", view.Page{Limit: 9})
	require.NoError(t, err)
}
