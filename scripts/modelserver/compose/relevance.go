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
	telling   = 1.8 // weight of the topic's words from which they are no accident
)

// scored is a text to be scored, and the title of the page it is from.
type scored struct{ title, text string }

// relevance scores texts by the topic: by its words, by the words that go with
// them in the passages nearest to it (an article on service dogs is about
// service animals too), and by the place it names. What the title of the page
// speaks of counts half. 0 is off the topic.
func relevance(list []scored, topic string) []float64 {
	texts := make([]string, 0, len(list))
	for _, s := range list {
		texts = append(texts, s.text)
	}
	index := evidence.NewIndex(texts)
	var near []string
	for _, h := range index.Rank(topic, closest) {
		near = append(near, texts[h.Passage])
	}
	core := unique(evidence.Terms(topic))
	wide, couples := company(near, core)
	couples = append(couples, twos(topic)...)
	mine := setting(topic)
	scores := make([]float64, len(list))
	for i, s := range list {
		have, above := bag(s.text), bag(s.title)
		score := 0.25 * float64(min(hits(wide, have), 4))
		weight := 0.0
		for _, t := range core {
			w := 0.5 + 0.25*index.Weight(t) // the rarer it is, the more it is the topic's own
			switch {
			case have[t]:
				score += w
				weight += index.Weight(t)
			case above[t]:
				score += w / 2
			}
		}
		paired, titled := shares(couples, s.text), shares(couples, s.title)
		here, other := inPlace(s.text, mine)
		hereToo, otherToo := inPlace(s.title, mine)
		if weight == 0 && !paired && !titled {
			here = 0 // of the place, but not of the subject
		}
		if !paired && here == 0 && weight < telling && (!titled && hereToo == 0 || score < 0.5) {
			continue // single words of the topic are everybody's
		}
		if paired {
			score += pairHit
		}
		score += placeHit*float64(min(here, 2)) + placeHit/2*float64(min(hereToo, 1))
		if here == 0 && hereToo == 0 {
			score -= elsewhere * float64(min(other, 1)+min(otherToo, 1))
		}
		scores[i] = max(score+strength(s.text), 0.1)
	}
	return scores
}

func bag(s string) map[string]bool {
	have := map[string]bool{}
	for _, t := range evidence.Terms(s) {
		have[t] = true
	}
	return have
}

func shares(couples []string, s string) bool {
	pairs := twos(s)
	return slices.ContainsFunc(couples, func(c string) bool { return slices.Contains(pairs, c) })
}

// company lists the words that stand in at least a third of the passages near
// the topic, and the pairs with one of its own words in them, or that stand in
// half of the passages.
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
		case pair && (n*2 >= len(near) || slices.Contains(core, a) || slices.Contains(core, b)):
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
