package monitor

import (
	"cmp"
	"context"
	"slices"
	"time"

	"blogposter/lib/editorial"
	"blogposter/lib/pipeline"
	"blogposter/lib/shingle"
)

// markCopies marks the live pages that say nearly the same as an older one.
func (s *Stage) markCopies(ctx context.Context, l pipeline.Lease) error {
	w, err := s.rooms.Store.Watch(ctx, l)
	if err != nil {
		return err
	}
	return s.rooms.Store.MarkCopies(ctx, l, copies(w.Pages))
}

// copies maps the pages whose mark is to change to the older page that they
// repeat, 0 for none. A copy is one of an original, never of another copy.
func copies(pages []editorial.WatchedPage) map[int64]int64 {
	pages = slices.Clone(pages)
	slices.SortStableFunc(pages, func(a, b editorial.WatchedPage) int {
		return cmp.Or(age(a).Compare(age(b)), cmp.Compare(a.ID, b.ID))
	})
	changed := map[int64]int64{}
	var originals []editorial.WatchedPage
	for _, p := range pages {
		same := int64(0)
		if p.State == editorial.PageLive {
			same = original(originals, p)
		}
		if same == 0 && p.State == editorial.PageLive {
			originals = append(originals, p)
		}
		if same != p.SameAs {
			changed[p.ID] = same
		}
	}
	return changed
}

// original is the page among the older ones that p is most like, if it is a
// copy at all.
func original(older []editorial.WatchedPage, p editorial.WatchedPage) int64 {
	same, best := int64(0), shingle.Same
	for _, o := range older {
		if s := shingle.Similarity(o.Shingles, p.Shingles); s >= best {
			same, best = o.ID, s+1e-9 // of two as like, the older
		}
	}
	return same
}

// age is when a page first appeared: as it says, or as we saw it.
func age(p editorial.WatchedPage) time.Time {
	if p.PublishedAt != nil && p.PublishedAt.Before(p.FirstSeenAt) {
		return *p.PublishedAt
	}
	return p.FirstSeenAt
}
