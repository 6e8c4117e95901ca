package compose

import (
	"cmp"
	"slices"
	"strings"

	"blogposter/lib/evidence"
)

const (
	closest   = 12  // passages that show what goes with a topic
	pairHit   = 1.5 // for a pair of words such as "service animal"
	placeHit  = 2.0 // for a word of the topic's place
	elsewhere = 1.0 // taken off for a word of another place
	enough    = 1.5 // below it a passage is about something else
)

// relevance scores texts by the topic: by its words, by the words that go with
// them in the passages nearest to it (an article on service dogs is about
// service animals too), and by the place it names. 0 is off the topic.
func relevance(texts []string, topic string) []float64 {
	index := evidence.NewIndex(texts)
	var near []string
	for _, h := range index.Rank(topic, closest) {
		near = append(near, texts[h.Passage])
	}
	core := unique(evidence.Terms(topic))
	wide, couples := company(near, core)
	couples = append(couples, twos(topic)...)
	mine := setting(topic)
	scores := make([]float64, len(texts))
	for i, text := range texts {
		have := map[string]bool{}
		for _, t := range evidence.Terms(text) {
			have[t] = true
		}
		own := hits(core, have)
		score := 0.25 * float64(min(hits(wide, have), 4))
		for _, t := range core {
			if have[t] {
				score += 0.5 + 0.25*index.Weight(t) // the rarer it is, the more it is the topic's own
			}
		}
		pairs := twos(text)
		switch paired := slices.ContainsFunc(couples, func(c string) bool { return slices.Contains(pairs, c) }); {
		case paired:
			score += pairHit
		case len(couples) > 0 && own < 3: // single words of the topic are everybody's
			continue
		}
		here, other := inPlace(text, mine)
		if here == 0 {
			score -= elsewhere * float64(min(other, 1))
		}
		score += placeHit * float64(min(here, 2))
		if score >= enough {
			scores[i] = score + strength(text)
		}
	}
	return scores
}

// company lists the words that stand in at least a third of the passages near
// the topic, and the pairs with one of its own words in them.
func company(near, core []string) (wide, couples []string) {
	count := map[string]int{}
	for _, text := range near {
		for _, t := range unique(append(evidence.Terms(text), twos(text)...)) {
			count[t]++
		}
	}
	for t, n := range count {
		a, b, pair := strings.Cut(t, " ")
		switch {
		case n*3 < len(near) || n < 2:
		case !pair && !slices.Contains(core, t):
			wide = append(wide, t)
		case pair && (slices.Contains(core, a) || slices.Contains(core, b)):
			couples = append(couples, t)
		}
	}
	byCount := func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) }
	slices.SortFunc(wide, byCount)
	slices.SortFunc(couples, byCount)
	return wide[:min(len(wide), 8)], couples[:min(len(couples), 4)]
}

// twos lists the stemmed words that stand side by side in s.
func twos(s string) []string {
	words := evidence.Words(s)
	var out []string
	for i := 1; i < len(words); i++ {
		a, b := evidence.Terms(words[i-1]), evidence.Terms(words[i])
		if len(a) == 1 && len(b) == 1 {
			out = append(out, a[0]+" "+b[0])
		}
	}
	return out
}

func hits(terms []string, have map[string]bool) int {
	n := 0
	for _, t := range terms {
		if have[t] {
			n++
		}
	}
	return n
}

func unique(list []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, t := range list {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}
