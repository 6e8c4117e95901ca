package compose

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"blogposter/lib/evidence"
)

// order are the cues by which a section comes early or late: what a thing is,
// where it applies, what is asked, what is paid, what the limits are, what to
// do.
var order = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\b(?:defin\w+|means?|what is|qualif\w+|work or tasks?|trained to|basics)\b`),
	regexp.MustCompile(`(?i)\b(?:where|access|areas?|enter|accompany)\b`),
	regexp.MustCompile(`(?i)\b(?:ask\w*|questions?|inquir\w+|document\w*|certif\w+|proof|identif\w+|regist\w+)\b`),
	regexp.MustCompile(`(?i)\b(?:fees?|charg\w+|surcharge\w*|pay|deposit|cost|damages?|price)\b`),
	regexp.MustCompile(`(?i)\b(?:control|leash\w*|harness\w*|exclu\w+|remov\w+|refus\w+|threat|except\w*|limit\w*|breeds?)\b`),
	regexp.MustCompile(`(?i)\b(?:complain\w*|enforce\w*|report|file|contact|prepare|checklist|care|feed\w*|violation\w*)\b`),
}

// arrange sorts groups from the general to the practical, the one nearest to
// the topic first; the passages of each by how near they are to it.
func arrange(groups []group, topic, phrase string) {
	first := nearestTo(groups, topic, phrase)
	place := func(g group) float64 {
		if g.items[0].n == first {
			return -1
		}
		sum, total := 0.0, 0.0
		for k, re := range order {
			n := float64(len(re.FindAllString(textOf(g.items), -1))) + 4*float64(len(re.FindAllString(g.heading, -1)))
			sum += float64(k) * n
			total += n
		}
		if total == 0 {
			return 3
		}
		return sum / total
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(place(a), place(b)) })
	for _, g := range groups {
		slices.SortStableFunc(g.items, func(a, b item) int { return cmp.Compare(b.score, a.score) })
	}
}

// nearestTo is the first number of the group that answers the topic itself:
// the one about its place, or else the one with most of the words that set the
// topic apart.
func nearestTo(groups []group, topic, phrase string) int {
	texts := make([]string, len(groups))
	for i, g := range groups {
		texts[i] = g.heading + " " + g.heading + " " + textOf(g.items)
	}
	index := evidence.NewIndex(texts)
	best, value := 0, 0.0
	for i, g := range groups {
		v := cosine(weigh(index, topic), weigh(index, texts[i]))
		if strings.EqualFold(g.heading, phrase) {
			v += 10
		}
		if v > value {
			best, value = g.items[0].n, v
		}
	}
	return best
}
