package monitor

import (
	"cmp"
	"slices"
	"time"

	"blogposter/lib/editorial"
)

// task is one page that is to be looked at: as it was found last, with what
// the list says now.
type task struct {
	page    editorial.WatchedPage // ID 0: never seen
	missing bool                  // the list no longer names it
	noted   bool                  // nothing to fetch: only the list says something new
	dated   *time.Time            // when it last changed, as the list says
}

// choose decides what of a list is fetched: the newest pages it names, as far
// as they may have changed, and those it should name and doesn't.
func (v *visit) choose(list editorial.Listing) []task {
	if list.Unchanged {
		return v.rested()
	}
	listed := slices.Clone(list.Pages)
	slices.SortStableFunc(listed, func(a, b editorial.ListedPage) int { return newer(date(a), date(b)) })
	if over := len(listed) - v.c.Most; over > 0 {
		v.note("%d older pages are not kept in view: %d are wanted.", over, v.c.Most)
		listed = listed[:v.c.Most]
	}
	var tasks []task
	for _, l := range listed {
		if t, ok := v.task(l); ok {
			tasks = append(tasks, t)
		}
	}
	if len(list.LeftOut) > 0 {
		return tasks // what a list lacks means nothing when part of it wasn't read
	}
	return append(tasks, v.missing(list.Pages)...)
}

func (v *visit) task(l editorial.ListedPage) (task, bool) {
	known, seen := v.pages[l.URL]
	if seen && known.CompetitorID != v.c.ID && v.active[known.CompetitorID] || !v.take(l.URL) {
		return task{}, false // another competitor's, who lists it as well
	}
	t := task{page: known, dated: l.ChangedAt}
	t.page.CompetitorID, t.page.URL = v.c.ID, l.URL
	if t.page.Title == "" {
		t.page.Title = beginning(l.Title)
	}
	if t.page.PublishedAt == nil {
		t.page.PublishedAt = l.PublishedAt
	}
	if l.Comments != nil {
		t.page.Comments = l.Comments
	}
	switch {
	case !seen || v.due(known, l):
		return t, true
	case l.Comments != nil && (known.Comments == nil || *known.Comments != *l.Comments):
		t.noted = true
		return t, true
	}
	return task{}, false
}

// take reports whether a page is this competitor's in this look.
func (v *visit) take(url string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if by, taken := v.taken[url]; taken {
		return by == v.c.ID
	}
	v.taken[url] = v.c.ID
	return true
}

// due reports whether a page that was seen before may have changed.
func (v *visit) due(known editorial.WatchedPage, l editorial.ListedPage) bool {
	if !known.CheckedAt.Before(v.watch.StartedAt) {
		return false // this look has asked for it
	}
	rested := known.CheckedAt.Add(again).Before(v.watch.Now)
	switch {
	case l.ChangedAt != nil && known.ListedAt != nil:
		return l.ChangedAt.After(*known.ListedAt)
	case l.ChangedAt != nil: // it failed, or was not dated before
		return rested || l.ChangedAt.After(known.CheckedAt)
	}
	return rested || known.State == editorial.PageLive && (known.ETag != "" || known.LastModified != "") && v.c.Via == editorial.ViaDirect
}

// rested are the pages that a list which is not modified says nothing about,
// and that were not asked for in a day.
func (v *visit) rested() []task {
	var tasks []task
	for _, p := range v.mine() {
		if p.ListedAt == nil && p.State != editorial.PageGone && p.CheckedAt.Before(v.watch.StartedAt) && p.CheckedAt.Add(again).Before(v.watch.Now) {
			tasks = append(tasks, task{page: p})
		}
	}
	return tasks
}

// missing are the live pages that a whole list no longer names. A feed names
// the newest alone: a page that it would not name anyhow is asked for once a
// day.
func (v *visit) missing(pages []editorial.ListedPage) []task {
	named := map[string]bool{}
	var oldest *time.Time
	for _, l := range pages {
		named[l.URL] = true
		if d := date(l); d != nil && (oldest == nil || d.Before(*oldest)) {
			oldest = d
		}
	}
	var tasks []task
	for _, p := range v.mine() {
		if named[p.URL] || p.State != editorial.PageLive || !p.CheckedAt.Before(v.watch.StartedAt) {
			continue
		}
		at := cmp.Or(p.ListedAt, p.PublishedAt)
		expected := v.c.Kind != editorial.CompetitorFeed || at != nil && oldest != nil && at.After(*oldest)
		if expected || p.CheckedAt.Add(again).Before(v.watch.Now) {
			tasks = append(tasks, task{page: p, missing: true, dated: p.ListedAt})
		}
	}
	return tasks
}

// mine are the competitor's pages in view: the newest of those that were seen.
func (v *visit) mine() []editorial.WatchedPage {
	var mine []editorial.WatchedPage
	for _, p := range v.watch.Pages {
		if p.CompetitorID == v.c.ID {
			mine = append(mine, p)
		}
	}
	slices.SortStableFunc(mine, func(a, b editorial.WatchedPage) int { return b.FirstSeenAt.Compare(a.FirstSeenAt) })
	return mine[:min(len(mine), v.c.Most)]
}

func date(l editorial.ListedPage) *time.Time { return cmp.Or(l.ChangedAt, l.PublishedAt) }

// newer sorts the newest first, and what has no date last.
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
