package compose

import (
	"regexp"
	"slices"
	"strings"
)

// facets are subjects that pages about rules have in common, under whatever
// heading they put them.
var facets = []struct {
	heading string
	cue     *regexp.Regexp
}{
	{"Control of the animal", regexp.MustCompile(`(?i)\b(?:under control|out of control|leash\w*|harness\w*|tether\w*|housebroken|bark\w*)\b`)},
	{"Fees and charges", regexp.MustCompile(`(?i)\b(?:fees?|charg(?:e|es|ed|ing)|surcharges?|pay|deposits?|costs?|damages?)\b`)},
	{"Questions and proof", regexp.MustCompile(`(?i)\b(?:ask|asked|inquir\w+|questions?|documentation|proof|certified|identification|id|demonstrate)\b`)},
	{"Training and tasks", regexp.MustCompile(`(?i)\b(?:train|trained|training|tasks?)\b`)},
	{"Care and supervision", regexp.MustCompile(`(?i)\b(?:care|caring|supervis\w+|feeding|grooming|toileting)\b`)},
	{"Access to public places", regexp.MustCompile(`(?i)\b(?:access|areas?|enter|admit\w*|accompan\w+|facilit\w+|premises|public)\b`)},
	{"Complaints and enforcement", regexp.MustCompile(`(?i)\b(?:complaints?|lawsuit|enforce\w*|mediation)\b`)},
}

// facet is the heading of the subject that at least half of a group's
// passages speak of, unless another group has it.
func facet(groups []group, i int) string {
	best, most := "", (len(groups[i].items)+1)/2
	for _, f := range facets {
		n := 0
		for _, it := range groups[i].items {
			if f.cue.MatchString(it.text) {
				n++
			}
		}
		used := slices.ContainsFunc(groups, func(g group) bool { return strings.EqualFold(g.heading, f.heading) })
		if n >= most && !used {
			best, most = f.heading, n+1
		}
	}
	return best
}

// divide takes from groups that are too long for a section what belongs to a
// subject of its own, when that makes a section, or goes with one there is.
func divide(groups []group, topic string) []group {
	for _, f := range facets {
		var moved []item
		for i := range groups {
			if !crowded(groups[i]) || sameSubject(groups[i].heading, f.heading, topic) {
				continue
			}
			for _, it := range groups[i].items {
				if f.cue.MatchString(it.text) && !names(it.text, groups[i].heading, topic) {
					moved = append(moved, it)
				}
			}
		}
		home := slices.IndexFunc(groups, func(g group) bool { return sameSubject(g.heading, f.heading, topic) })
		if home < 0 && wordsOf(moved) < enoughWords {
			continue
		}
		for i := range groups {
			if i != home {
				groups[i].items = slices.DeleteFunc(groups[i].items, func(it item) bool {
					return slices.ContainsFunc(moved, func(m item) bool { return m.n == it.n })
				})
			}
		}
		if home >= 0 {
			groups[home].items = append(groups[home].items, moved...)
		} else {
			groups = append(groups, group{items: moved, heading: f.heading, facet: true})
		}
		groups = slices.DeleteFunc(groups, func(g group) bool { return len(g.items) == 0 })
	}
	return groups
}
