package topic

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blogposter/lib/editorial"
	"blogposter/lib/nearness"
	"blogposter/lib/pipeline"
)

// This file is inside the package: pages and groups are no part of its API.

// watcher is a Store that knows what is watched, and nothing else.
type watcher struct {
	Store
	found editorial.Watch
}

func (w watcher) Watch(context.Context, pipeline.Lease) (editorial.Watch, error) { return w.found, nil }

func TestJob_pages_takesTheNewestOfTooMany(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	found := editorial.Watch{Competitors: []editorial.WatchedCompetitor{{Competitor: editorial.Competitor{ID: 1, Name: "Rival"}}}}
	for i := range int64(mostPages + 20) {
		at := now.AddDate(0, 0, -int(i)) // the later its id, the older it is
		p := editorial.WatchedPage{ID: i + 1, CompetitorID: 1, State: editorial.PageLive, TextHash: fmt.Sprint(i), PublishedAt: &at}
		switch i {
		case 3:
			p.PublishedAt = nil // without a date it comes last
		case 4:
			p.State = editorial.PageGone
		case 5:
			p.CompetitorID = 2 // no longer watched
		case 6:
			p.PublishedAt, p.ListedAt = nil, &at
		}
		found.Pages = append(found.Pages, p)
	}
	j := job{rooms: Rooms{Store: watcher{found: found}, Now: func() time.Time { return now }}}
	pages, err := j.pages(t.Context())
	require.NoError(t, err)
	require.Len(t, pages, mostPages)
	require.Equal(t, []string{"only the newest 2000 of 2018 pages are compared"}, j.notes)
	var ids []int64
	for _, p := range pages {
		ids = append(ids, p.ID)
		require.Equal(t, "Rival", p.competitor)
	}
	require.Equal(t, []int64{1, 2, 3, 7}, ids[:4])
	require.Equal(t, int64(mostPages+3), ids[mostPages-1])
	require.IsIncreasing(t, ids)
}

func TestMerge_countsWhatSaysTheSame(t *testing.T) {
	t.Parallel()

	direction := func(values ...float32) nearness.Vector {
		v, err := nearness.New("m", values)
		require.NoError(t, err)
		return v
	}
	a, b, c := direction(1, 0, 0), direction(0, 1, 0), direction(0, 0, 1)
	vectors := []nearness.Vector{a, b, a, c, b, c}
	space, err := nearness.NewSpace(nearness.Calibration{Model: "m"}, nil, vectors)
	require.NoError(t, err)
	points := make([]nearness.Point, len(vectors))
	for i, v := range vectors {
		points[i], err = space.Place(v)
		require.NoError(t, err)
	}
	matrix, err := space.Matrix(points)
	require.NoError(t, err)

	tests := map[string]struct {
		same   map[int]int64 // of which page it is a copy, by the words
		firsts []int
		near   []int
	}{
		"by their vectors":                   {nil, []int{0, 1, 3}, []int{1, 1, 1}},
		"by their words, too":                {map[int]int64{3: 11}, []int{0, 1}, []int{1, 3}},
		"whichever is named first":           {map[int]int64{1: 13}, []int{0, 1}, []int{1, 3}},
		"through a group of others":          {map[int]int64{2: 11, 5: 14}, []int{0}, []int{5}},
		"a copy of what is no longer there":  {map[int]int64{2: 99}, []int{0, 1, 3}, []int{1, 1, 1}},
		"a copy of what it is grouped with":  {map[int]int64{2: 10}, []int{0, 1, 3}, []int{1, 1, 1}},
		"one that is a copy of its own kind": {map[int]int64{2: 12}, []int{0, 1, 3}, []int{1, 1, 1}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			pages := make([]page, len(vectors))
			for i := range pages {
				pages[i].ID, pages[i].SameAs = int64(10+i), tc.same[i]
			}
			require.Equal(t, tc.firsts, merge(pages, matrix, 0.9))
			var near []int
			for _, i := range tc.firsts {
				near = append(near, len(pages[i].also))
			}
			require.Equal(t, tc.near, near)
		})
	}
}

func TestScore_isOverWhatIsKnown(t *testing.T) {
	t.Parallel()

	half, all := 0.5, 1.0
	got, weight := score([]editorial.ScoreTerm{{Weight: 0.35, Value: &half}, {Weight: 0.2}, {Weight: 0.15, Value: &all}})
	require.InDelta(t, (0.35*0.5+0.15)/0.5, got, 1e-4)
	require.InDelta(t, 0.5, weight, 1e-9)
	got, weight = score([]editorial.ScoreTerm{{Weight: 0.35}})
	require.Zero(t, got)
	require.Zero(t, weight)
}

func TestSubject_terms_growWithTheirData(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	of := func(competitor int64, age time.Duration, comments int) page {
		at := now.Add(-age)
		return page{WatchedPage: editorial.WatchedPage{CompetitorID: competitor, PublishedAt: &at, Comments: &comments, CheckedAt: now.Add(-age / 2)}}
	}
	day := 24 * time.Hour
	few := subject{pages: []page{of(1, 180*day, 0), of(1, 360*day, 2)}}
	many := subject{pages: []page{of(1, 90*day, 9), of(2, 100*day, 9), of(3, 400*day, 9)}}
	none := subject{pages: []page{{WatchedPage: editorial.WatchedPage{CompetitorID: 4}}}}
	c := corpus{subjects: []subject{few, many, none}, all: append(append(append([]page{}, few.pages...), many.pages...), none.pages...)}
	by := scaleOf(c, now)

	require.InDelta(t, 1, *many.engagement(by).Value, 1e-9)
	require.InDelta(t, 0.301, *few.engagement(by).Value, 1e-3, "log 2 of log 10")
	require.Nil(t, none.engagement(by).Value)
	require.InDelta(t, 0.5, *many.freshness(by).Value, 1e-4, "half of it is lost in 90 days")
	require.InDelta(t, 0.25, *few.freshness(by).Value, 1e-4)
	require.Nil(t, none.freshness(by).Value)
	require.Equal(t, "the newest page is of 2026-08-24, 90 days old; half of it is lost in 90 days", many.freshness(by).Data)
	require.Equal(t, now.Add(-200*day), *many.freshness(by).AsOf, "as old as the page that was not looked at longest")
	require.InDelta(t, (1.3863/1.6094+1)/2, *many.frequency(by).Value, 1e-3)
	require.InDelta(t, (0.6931/1.6094+1.0986/1.3863)/2, *few.frequency(by).Value, 1e-3)
	require.Equal(t, "3 pages by 3 of 4 competitors, of 6 pages in view", many.frequency(by).Data)
	require.Equal(t, "1 page by 1 of 4 competitors, of 6 pages in view", none.frequency(by).Data)
}
