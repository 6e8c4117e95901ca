package monitor_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/scheduled/monitor"
)

func TestDiffer_countsASentenceAsOftenAsItStandsThere(t *testing.T) {
	t.Parallel()

	added, removed := monitor.Differ("Dogs wait. Dogs wait. Cats leave.", "Dogs wait. Birds sing. Dogs wait. Dogs wait.")
	require.Equal(t, []string{"Birds sing.", "Dogs wait."}, added)
	require.Equal(t, []string{"Cats leave."}, removed)
}

// sketch has n of its 64 places as the original, the rest as the other copies.
func sketch(n int) []byte {
	return append(bytes.Repeat([]byte{1}, n*8), bytes.Repeat([]byte{2}, (64-n)*8)...)
}

func TestCopies_aCopyIsOfAnOriginalAndTheOlderIsOne(t *testing.T) {
	t.Parallel()

	at := func(day int) time.Time { return time.Date(2026, time.November, day, 0, 0, 0, 0, time.UTC) }
	early := at(1)
	page := func(id int64, seen int, state editorial.PageState, s []byte) editorial.WatchedPage {
		return editorial.WatchedPage{ID: id, State: state, FirstSeenAt: at(seen), Shingles: s}
	}
	said := page(1, 9, editorial.PageLive, sketch(64))
	original := page(2, 9, editorial.PageLive, sketch(64))
	original.PublishedAt = &early // seen later, but it says that it is older
	near := page(3, 10, editorial.PageLive, sketch(45))
	nearer := page(4, 11, editorial.PageLive, sketch(30)) // like the copy, not like the original
	gone := page(5, 12, editorial.PageGone, sketch(64))
	gone.SameAs = 2

	require.Equal(t, map[int64]int64{1: 2, 3: 2, 5: 0}, monitor.Copies([]editorial.WatchedPage{said, original, near, nearer, gone}))
	said.SameAs, near.SameAs, gone.SameAs = 2, 2, 0
	require.Empty(t, monitor.Copies([]editorial.WatchedPage{said, original, near, nearer, gone}), "nothing to change")
}
