package compose

import (
	"cmp"
	"slices"
)

// arrange sorts groups as the authors of the pages did: what stands early on
// its page comes early, what stands late comes late. The passages of one
// heading stay together in their order, those of the group's main heading
// first.
func arrange(groups []group, all []item) {
	first, last := map[string]int{}, map[string]int{}
	for _, it := range all {
		if n, ok := first[it.page]; !ok || it.n < n {
			first[it.page] = it.n
		}
		last[it.page] = max(last[it.page], it.n)
	}
	place := func(g group) float64 {
		sum := 0.0
		for _, it := range g.items {
			sum += float64(it.words*(it.n-first[it.page])) / float64(max(1, last[it.page]-first[it.page]))
		}
		return sum / float64(max(1, g.words()))
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(place(a), place(b)) })
	for _, g := range groups {
		weight := map[string]int{}
		key := func(it item) string { return it.page + "\x00" + it.under }
		for _, it := range g.items {
			weight[key(it)] += it.words
		}
		slices.SortFunc(g.items, func(a, b item) int {
			return cmp.Or(cmp.Compare(weight[key(b)], weight[key(a)]), cmp.Compare(key(a), key(b)), cmp.Compare(a.n, b.n))
		})
	}
}
