package compose

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"blogposter/lib/evidence"
)

const (
	bodySections = 7
	fewest       = 3   // groups of evidence an article can be made of
	enoughWords  = 90  // in a group; a smaller one joins another
	mostWords    = 300 // in a section
	introWords   = 110
	introParts   = 3 // paragraphs
)

type part struct {
	Heading  string `json:"heading"`
	Brief    string `json:"brief"`
	Evidence []int  `json:"evidence"`
	Words    int    `json:"words"`
}

type outlineAnswer struct {
	Keyphrase string `json:"keyphrase"`
	Sections  []part `json:"sections"`
}

// item is one piece of numbered evidence.
type item struct {
	n     int
	page  string
	title string // of the page
	under string // the heading it stood under
	asked string // the question it answers
	text  string
	words int
	score float64 // how much it has to do with the topic
}

func items(in material) []item {
	titles := map[string]string{}
	for _, t := range find(in.user, "page") {
		titles[t.attrs["n"]] = t.text()
	}
	var out []item
	for _, t := range find(in.user, "evidence") {
		n, err := strconv.Atoi(t.attrs["n"])
		if err != nil {
			continue
		}
		text := t.text()
		out = append(out, item{n: n, page: t.attrs["page"], title: titles[t.attrs["page"]], under: t.attrs["under"], asked: t.attrs["asked"], text: text, words: len(strings.Fields(text))})
	}
	return out
}

// group is evidence that makes a section.
type group struct {
	items   []item
	heading string
	facet   bool // the heading is of ours, for what stood under many of theirs
}

func (g group) words() int { return wordsOf(g.items) }

// outline groups the evidence into an article.
func outline(in material) outlineAnswer {
	topic := one(in.user, "topic")
	list := items(in)
	weighItems(list, topic)
	least, most := limits(in.system)
	kept := choose(list, topic, least+min(least, most-least)/6)
	phrase := keyphrase(topic)
	intro, rest := opening(kept, leading(list, kept), topic)
	twins := bearOut(slices.Concat(intro, rest), list)
	groups := gather(rest, topic, cased(phrase, topic))
	arrange(groups, list)

	answer := outlineAnswer{Keyphrase: phrase, Sections: []part{}}
	if len(kept) == 0 {
		return answer
	}
	answer.Sections = append(answer.Sections, part{
		Brief: "Say what the article is about and give the rule everything else rests on.", Evidence: numbers(intro, twins), Words: introWords,
	})
	for _, g := range groups {
		answer.Sections = append(answer.Sections, part{
			Heading: g.heading, Brief: "Cover " + lowerFirst(g.heading) + ", and nothing the other sections cover.",
			Evidence: numbers(g.items, twins), Words: g.words() + 15,
		})
	}
	return answer
}

var bound = regexp.MustCompile(`between (\d+) and (\d+) words`)

// limits reads the article's length from the instructions.
func limits(system string) (least, most int) {
	m := bound.FindStringSubmatch(system)
	if m == nil {
		return 1500, 2500
	}
	least, _ = strconv.Atoi(m[1]) // digits, as the pattern says
	most, _ = strconv.Atoi(m[2])
	return least, max(least, most)
}

// weighItems scores evidence by the topic.
func weighItems(list []item, topic string) {
	texts := make([]scored, 0, len(list))
	for _, it := range list {
		texts = append(texts, scored{it.title, it.under + ". " + it.asked + " " + it.text})
	}
	about := pageScores(list, topic)
	for i, score := range relevance(texts, topic) {
		list[i].score = score + pageWeight*about[list[i].page]
	}
}

// pageWeight is what the best page's evidence has ahead of a page's that has
// nothing to do with the topic.
const pageWeight = 3

// pageScores says how near each page as a whole is to the topic: 1 for the
// nearest.
func pageScores(list []item, topic string) map[string]float64 {
	texts := map[string][]string{}
	var order []string
	for _, it := range list {
		if texts[it.page] == nil {
			texts[it.page] = []string{strings.Repeat(it.title+". ", 5)}
			order = append(order, it.page)
		}
		texts[it.page] = append(texts[it.page], it.under+". "+it.text)
	}
	all := make([]string, 0, len(order))
	for _, p := range order {
		all = append(all, strings.Join(texts[p], " "))
	}
	index := evidence.NewIndex(all)
	query := weigh(index, topic)
	scores, best := map[string]float64{}, 0.0
	for i, p := range order {
		scores[p] = cosine(query, weigh(index, all[i]))
		best = max(best, scores[p])
	}
	for p := range scores {
		if best > 0 {
			scores[p] /= best
		}
	}
	return scores
}

// distinct keeps one of each pair that says the same. twins has, for each
// kept number, those that bear it out as well.
func distinct(list []item) (kept []item, twins map[int][]int) {
	twins = map[int][]int{}
	for _, it := range list {
		i := slices.IndexFunc(kept, func(k item) bool { return alike(k.text, it.text) })
		switch {
		case i < 0:
			kept = append(kept, it)
		case evidence.Compare(kept[i].text, it.text) == evidence.Entails:
			twins[kept[i].n] = append(twins[kept[i].n], it.n)
		case evidence.Compare(it.text, kept[i].text) == evidence.Entails && kept[i].words > it.words+12:
			twins[kept[i].n] = append(twins[kept[i].n], it.n) // part of it
		}
	}
	return kept, twins
}

// alike reports whether two passages would read as a repetition: either says
// most of what the other says, or one says nearly all of it.
func alike(a, b string) bool {
	x, y := evidence.Overlap(a, b), evidence.Overlap(b, a)
	return max(x, y) >= 0.75 && min(x, y) >= 0.55 || max(x, y) >= 0.93
}

var general = regexp.MustCompile(`(?i)\b(?:(?:is|are) defined as|is an? [a-z]+ that|means|generally must|must generally|must (?:allow|permit)|in all areas|only [a-z]+ are)\b`)

// opening takes the evidence of the introduction: what the thing is, the rule
// for the topic's own place, and what else says most in general.
// What stands under a page's title goes there or nowhere.
func opening(kept, leads []item, topic string) (intro, rest []item) {
	list := slices.Concat(leads, kept)
	mine := setting(topic)
	isLead := func(it item) bool { return slices.ContainsFunc(leads, func(l item) bool { return l.n == it.n }) }
	about := func(it item) float64 {
		v := 2*evidence.Overlap(topic+" "+keyphrase(topic), it.text) + 0.1*it.score - float64(it.words)/60
		if isLead(it) {
			v += 2
		}
		return v
	}
	lead := func(it item) float64 {
		if !isLead(it) {
			return 0
		}
		return about(it)
	}
	defines := func(it item) float64 {
		if !general.MatchString(it.text) || evidence.Overlap(keyphrase(topic), it.text) < 0.5 {
			return 0
		}
		return 1 + about(it)
	}
	local := func(it item) float64 {
		if here, _ := inPlace(it.text, mine); here == 0 {
			return 0
		}
		return 1 + about(it)
	}
	var chosen []item
	for _, value := range []func(item) float64{lead, defines, local, about} {
		best, most := -1, 0.0
		for i, it := range list {
			taken := slices.ContainsFunc(chosen, func(c item) bool { return c.n == it.n })
			if v := value(it); v > most && !taken && wordsOf(chosen)+it.words <= introWords+15 {
				best, most = i, v
			}
		}
		if best >= 0 && len(chosen) < introParts {
			chosen = append(chosen, list[best])
		}
	}
	if len(list) < 8 {
		chosen = slices.Clone(list[:min(1, len(list))])
	}
	slices.SortStableFunc(chosen, func(a, b item) int {
		return cmp.Or(cmp.Compare(min(lead(b), 1), min(lead(a), 1)), cmp.Compare(min(local(b), 1), min(local(a), 1)), cmp.Compare(about(b), about(a)))
	})
	for _, it := range kept {
		if !slices.ContainsFunc(chosen, func(c item) bool { return c.n == it.n }) {
			rest = append(rest, it)
		}
	}
	return chosen, rest
}

func numbers(list []item, twins map[int][]int) []int {
	out := []int{}
	for _, it := range list {
		out = append(out, it.n)
		out = append(out, twins[it.n]...)
	}
	return out
}
