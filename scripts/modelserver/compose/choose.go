package compose

import (
	"cmp"
	"slices"
	"strings"

	"blogposter/lib/evidence"
)

const (
	unitMost  = 300 // words an article takes from one heading of a page
	unitPage  = 1.8 // what the nearest page's sections have ahead of a page's that has nothing to do with the topic
	leastUnit = 50  // words below which a heading's rest is no help to a reader
	unitHead  = 3   // how often a heading counts against the text below it
	unitName  = 1.2 // what a heading with all words of the subject has ahead of one with none
	unitSize  = 0.3 // what a full section has ahead of a sentence or two
)

// unit is what stands under one heading of a page: an author meant it to be
// read together, so an article takes or leaves it as one.
type unit struct {
	items []item // in the order of the page
	head  string
	score float64
}

// leads reports whether a unit stands under its page's own title: it says
// what the page is about.
func (u unit) leads() bool {
	return u.head != "" && evidence.Overlap(u.head, u.items[0].title) >= 0.75
}

// leading is the evidence under the titles of the pages that the chosen is
// from.
func leading(list, chosen []item) []item {
	var out []item
	for _, u := range units(list) {
		used := slices.ContainsFunc(chosen, func(c item) bool { return c.page == u.items[0].page })
		if used && u.leads() && len(u.items) <= 3 {
			out = append(out, u.items...)
		}
	}
	return out
}

// units cuts evidence by page and heading.
func units(list []item) []unit {
	at := map[string]int{}
	var out []unit
	for _, it := range list {
		key := it.page + "\x00" + it.under
		k, ok := at[key]
		if !ok {
			k, out = len(out), append(out, unit{head: it.under})
			at[key] = k
		}
		out[k].items = append(out[k].items, it)
	}
	return out
}

// weighUnits scores units by the topic: by the words of heading and text, by
// the page they are from, and by the place they speak of.
func weighUnits(list []unit, topic string, about map[string]float64) {
	texts := make([]string, len(list))
	for i, u := range list {
		texts[i] = strings.Repeat(u.head+". ", unitHead) + textOf(u.items)
	}
	index := evidence.NewIndex(texts)
	phrase := keyphrase(topic)
	query, mine := weigh(index, topic+" "+phrase), setting(topic)
	best, titled := 0.0, 0.0
	for i := range list {
		titled = max(titled, namedBy(index, phrase, list[i].items[0].title))
		list[i].score = cosine(query, weigh(index, texts[i]))
		best = max(best, list[i].score)
	}
	for i := range list {
		u := &list[i]
		if best > 0 {
			u.score /= best
		}
		near := about[u.items[0].page]
		// A topic that no title names is spread over pages: then headings tell.
		u.score += unitPage*titled*titled*near*near*near + unitName*namedBy(index, phrase, u.head)
		u.score += unitSize * float64(min(wordsOf(u.items), enoughWords*2)) / (enoughWords * 2)
		inHead, _ := inPlace(u.head, mine)
		inTitle, _ := inPlace(u.items[0].title, mine)
		inText, _ := inPlace(textOf(u.items), mine)
		switch {
		case mine == nil:
		case inTitle > 0:
			u.score += 0.5
		case inHead > 0:
			u.score += 0.2
		case inText == 0:
			u.score -= 0.5
		}
	}
}

// namedBy is the share of the phrase's words that the heading has, the rare
// ones counting most.
func namedBy(index *evidence.Index, phrase, head string) float64 {
	have, sum, all := bag(head), 0.0, 0.0
	for _, t := range unique(evidence.Terms(phrase)) {
		all += index.Weight(t)
		if have[t] {
			sum += index.Weight(t)
		}
	}
	if all == 0 {
		return 0
	}
	return sum / all
}

// choose takes the units nearest to the topic, whole, until the article is
// long enough: more of what is related comes before anything that is less so.
// What says again what is chosen stays out.
func choose(list []item, topic string, words int) []item {
	all := units(list)
	weighUnits(all, topic, pageScores(list, topic+" "+keyphrase(topic)))
	slices.SortStableFunc(all, func(a, b unit) int { return cmp.Compare(b.score, a.score) })
	var chosen, later []item
	var said []string
	take := func(list []item, most int) {
		for _, it := range list {
			mine := split(it.text)
			switch {
			case wordsOf(chosen) >= words || slices.ContainsFunc(mine, func(s string) bool { return among(said, s) }):
			case most < it.words:
				later = append(later, it)
			default:
				most -= it.words
				chosen, said = append(chosen, it), append(said, mine...)
			}
		}
	}
	for _, u := range all {
		best := u.items
		if u.leads() {
			continue // for the introduction
		}
		if fresh := slices.DeleteFunc(slices.Clone(best), func(it item) bool {
			return slices.ContainsFunc(split(it.text), func(s string) bool { return among(said, s) })
		}); wordsOf(fresh) < leastUnit {
			later = append(later, fresh...)
			continue
		}
		if wordsOf(best) > unitMost {
			best = slices.Clone(best)
			slices.SortStableFunc(best, func(a, b item) int { return cmp.Compare(b.score, a.score) })
		}
		take(best, unitMost)
	}
	take(later, words)
	slices.SortFunc(chosen, func(a, b item) int { return cmp.Compare(a.n, b.n) })
	return chosen
}

func split(text string) []string {
	var out []string
	for _, s := range evidence.Sentences(text) {
		out = append(out, s.In(text))
	}
	return out
}

func among(said []string, s string) bool {
	return slices.ContainsFunc(said, func(t string) bool { return alike(s, t) })
}

// bearOut lists, for each chosen number, the other evidence that says the
// same.
func bearOut(chosen, all []item) map[int][]int {
	twins := map[int][]int{}
	taken := map[int]bool{}
	for _, c := range chosen {
		taken[c.n] = true
	}
	for _, it := range all {
		if taken[it.n] {
			continue
		}
		for _, c := range chosen {
			if alike(c.text, it.text) && evidence.Compare(c.text, it.text) == evidence.Entails {
				twins[c.n] = append(twins[c.n], it.n)
				break
			}
		}
	}
	return twins
}
