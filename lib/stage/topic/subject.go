package topic

import (
	"cmp"
	"context"
	"slices"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/nearness"
)

// mostPages is how many pages are compared with each other, the newest: more
// would not fit into the stage's time.
const mostPages = 2000

// page is a competitor's page, with those that say nearly the same.
type page struct {
	editorial.WatchedPage
	competitor string
	also       []page // the others that say nearly the same
	vector     nearness.Vector
	point      nearness.Point // in the Space of the site's pages
}

// date is when the page was written, as far as anyone says; nil when nobody
// does, or the date is one to come.
func (p page) date(now time.Time) *time.Time {
	for _, at := range []*time.Time{p.PublishedAt, p.ListedAt} {
		if at != nil && at.Before(now.Add(24*time.Hour)) { // a time zone's worth of doubt
			return at
		}
	}
	return nil
}

// subject is what some pages have in common: the most central page first.
type subject struct{ pages []page }

// every is all pages of the subject: the most central first, near-copies last.
func (s subject) every() []page {
	all := slices.Clone(s.pages)
	for _, p := range s.pages {
		all = append(all, p.also...)
	}
	return all
}

// corpus is what a pass works with.
type corpus struct {
	calibration nearness.Calibration
	space       *nearness.Space   // of the pages
	all         []page            // in view, near-copies included
	passages    []nearness.Vector // nil when the model needs none
	subjects    []subject
}

// competitors is how many have a page in view.
func (c corpus) competitors() int {
	who := map[int64]bool{}
	for _, p := range c.all {
		who[p.CompetitorID] = true
	}
	return len(who)
}

// pages loads the pages that are live and belong to competitors the site
// still watches, the newest mostPages of them, by their id.
func (j *job) pages(ctx context.Context) ([]page, error) {
	watch, err := j.rooms.Store.Watch(ctx, j.lease)
	if err != nil {
		return nil, err
	}
	names := map[int64]string{}
	for _, c := range watch.Competitors {
		names[c.ID] = c.Name
	}
	var live []page
	for _, p := range watch.Pages {
		if name, watched := names[p.CompetitorID]; watched && p.State == editorial.PageLive && p.TextHash != "" {
			live = append(live, page{WatchedPage: p, competitor: name})
		}
	}
	if len(live) > mostPages {
		j.note("only the newest %d of %d pages are compared", mostPages, len(live))
		now := j.rooms.Now()
		slices.SortFunc(live, func(a, b page) int {
			return cmp.Or(newer(a.date(now), b.date(now)), cmp.Compare(b.ID, a.ID))
		})
		live = live[:mostPages]
	}
	slices.SortFunc(live, func(a, b page) int { return cmp.Compare(a.ID, b.ID) })
	return live, nil
}

// newer orders dates, the newest first and the unknown last.
func newer(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return b.Compare(*a)
}

// group places the pages and finds their subjects.
func (c *corpus) group() error {
	pages := c.all
	vectors := make([]nearness.Vector, len(pages))
	for i, p := range pages {
		vectors[i] = p.vector
	}
	var err error
	if c.space, err = nearness.NewSpace(c.calibration, c.passages, vectors); err != nil {
		return err
	}
	points := make([]nearness.Point, len(pages))
	for i := range pages {
		if points[i], err = c.space.Place(pages[i].vector); err != nil {
			return err
		}
		pages[i].point = points[i]
	}
	matrix, err := c.space.Matrix(points)
	if err != nil {
		return err
	}
	firsts := merge(pages, matrix, c.calibration.Duplicate)
	kept := matrix.Only(firsts)
	for _, members := range kept.Clusters(c.calibration.Subject) {
		var s subject
		for _, i := range kept.Central(members) {
			s.pages = append(s.pages, pages[firsts[i]])
		}
		c.subjects = append(c.subjects, s)
	}
	return nil
}

// merge finds the pages that say nearly the same, by the sketch of their words
// or by their vectors, and returns the first of each such group: the page with
// the lowest id, which is counted with the others as near to it.
func merge(pages []page, matrix nearness.Matrix, duplicate float64) []int {
	first := make([]int, len(pages))
	for _, group := range matrix.Clusters(duplicate) {
		for _, i := range group {
			first[i] = group[0]
		}
	}
	at := map[int64]int{}
	for i, p := range pages {
		at[p.ID] = i
	}
	for i, p := range pages {
		original, known := at[p.SameAs]
		if !known || first[original] == first[i] {
			continue
		}
		into, from := min(first[original], first[i]), max(first[original], first[i])
		for k := range first {
			if first[k] == from {
				first[k] = into
			}
		}
	}
	var firsts []int
	for i, f := range first {
		if f == i {
			firsts = append(firsts, i)
		} else {
			pages[f].also = append(pages[f].also, pages[i])
		}
	}
	return firsts
}
