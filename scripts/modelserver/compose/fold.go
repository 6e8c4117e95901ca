package compose

import (
	"cmp"
	"slices"

	"blogposter/lib/evidence"
)

// fold joins groups that are too small for a section with those most like
// them, and then the most alike, until there are not too many.
func fold(groups []group, most int) []group {
	for len(groups) > fewest {
		var from []int
		for i, g := range groups {
			if g.words() < enoughWords {
				from = append(from, i)
			}
		}
		slices.SortStableFunc(from, func(a, b int) int { return cmp.Compare(groups[a].words(), groups[b].words()) })
		switch {
		case len(from) > 0:
			from = from[:1]
		case len(groups) <= most:
			return groups
		default:
			for i := range groups {
				from = append(from, i)
			}
		}
		small, big := nearest(groups, from)
		if groups[big].facet = groups[big].facet && groups[small].facet || groups[big].facet && groups[big].words() > 2*groups[small].words(); groups[big].heading == "" {
			groups[big].heading = groups[small].heading
		}
		groups[big].items = append(groups[big].items, groups[small].items...)
		groups = slices.Delete(groups, small, small+1)
	}
	return groups
}

// nearest finds which of from is most like another group, and rather a short
// one.
func nearest(groups []group, from []int) (small, big int) {
	texts := make([]string, len(groups))
	for i, g := range groups {
		texts[i] = g.heading + " " + textOf(g.items)
	}
	index := evidence.NewIndex(texts)
	vectors := make([]vector, len(groups))
	for i, t := range texts {
		vectors[i] = weigh(index, t)
	}
	best := -1.0
	for _, i := range from {
		for k := range groups {
			if k == i || groups[k].words() < groups[i].words() {
				continue
			}
			v := cosine(vectors[i], vectors[k])
			v *= v / float64(200+groups[k].words())
			if neighbours(groups[i], groups[k]) {
				v *= 2
			}
			if groups[k].words()+groups[i].words() > mostWords*3/2 {
				v /= 100
			}
			if v > best {
				small, big, best = i, k, v
			}
		}
	}
	if best < 0 { // the longest of all: joins the next
		small = from[0]
		big = (small + 1) % len(groups)
	}
	return small, big
}

// neighbours reports whether two groups stood one after the other on a page.
func neighbours(a, b group) bool {
	for _, x := range a.items {
		for _, y := range b.items {
			if x.page == y.page && (x.n-y.n == 1 || y.n-x.n == 1) {
				return true
			}
		}
	}
	return false
}
