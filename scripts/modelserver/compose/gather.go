package compose

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"blogposter/lib/evidence"
)

// gather makes sections of evidence. What stood under one heading of a page
// stays together; headings that name the same subject are one section; what
// stood under no telling heading goes where its words are most at home. What
// the topic names a place for gets a section of its own.
func gather(list []item, topic, phrase string) []group {
	own, rest := apart(list, topic)
	groups, single := headed(rest, topic)
	groups = settle(groups, single)
	groups = divide(groups, topic)
	groups = fold(groups, bodySections-min(len(own), 1))
	nameGroups(groups, list)
	if len(own) > 0 {
		groups = append(groups, group{items: own, heading: upperFirst(phrase)})
	}
	return groups
}

// apart takes out the evidence about the topic's own place, when it is enough
// for a section.
func apart(list []item, topic string) (own, rest []item) {
	mine := setting(topic)
	for _, it := range list {
		if here, _ := inPlace(it.title, mine); here > 0 {
			return nil, list // a page on the place: its own headings say more
		}
	}
	for _, it := range list {
		if here, _ := inPlace(it.text+" "+it.asked, mine); here > 0 {
			own = append(own, it)
		} else {
			rest = append(rest, it)
		}
	}
	if wordsOf(own) < enoughWords/2 {
		return nil, list
	}
	return own, rest
}

// headed makes a group of what stood under each telling heading. single is
// what stood under none: a heading is not telling when it is bland, or says no
// more than the topic over a long stretch.
func headed(list []item, topic string) (groups []group, single []item) {
	under := map[string]int{}
	for _, it := range list {
		under[it.page+"\x00"+it.under] += it.words
	}
	at := map[string]int{}
	for _, it := range list {
		key := it.page + "\x00" + it.under
		h := noun(it.under)
		broad := len(subject(it.under, topic)) == 0 && under[key] > 150
		if it.under == "" || bland.MatchString(it.under) || broad {
			single = append(single, it)
			continue
		}
		k, ok := at[key]
		if !ok {
			k = slices.IndexFunc(groups, func(g group) bool { return h != "" && sameSubject(g.heading, h, topic) })
		}
		if k < 0 {
			k, groups = len(groups), append(groups, group{heading: h})
		}
		at[key] = k
		groups[k].items = append(groups[k].items, it)
	}
	return groups, single
}

// subject are the words of a heading that the topic does not have too, cut
// short so that "defined" meets "definition".
func subject(h, topic string) []string {
	skip := map[string]bool{}
	for _, t := range append(evidence.Terms(topic), "animal", "rule", "requir", "general", "act", "peopl", "use") {
		skip[cut(t)] = true
	}
	var out []string
	for _, t := range evidence.Terms(h) {
		if !skip[cut(t)] {
			out = append(out, cut(t))
		}
	}
	return unique(out)
}

func cut(t string) string { return t[:min(len(t), 5)] }

func sameSubject(a, b, topic string) bool {
	x, y := subject(a, topic), subject(b, topic)
	same := hits(x, set(y))
	return same > 0 && 2*same >= min(len(x), len(y))
}

func set(list []string) map[string]bool {
	m := map[string]bool{}
	for _, t := range list {
		m[t] = true
	}
	return m
}

// settle gives each single passage to the group it is most like; what is like
// none makes a last group.
func settle(groups []group, single []item) []group {
	texts := make([]string, 0, len(groups)+len(single))
	for _, g := range groups {
		texts = append(texts, g.heading+" "+g.heading+" "+textOf(g.items))
	}
	for _, it := range single {
		texts = append(texts, it.text+" "+it.asked)
	}
	index := evidence.NewIndex(texts)
	vectors := make([]vector, len(texts))
	for i, t := range texts {
		vectors[i] = weigh(index, t)
	}
	var lost []item
	known := len(groups)
	for i, it := range single {
		best, value := -1, 0.1
		for k := range known {
			v := cosine(vectors[k], vectors[known+i])
			if names(it.text, groups[k].heading, "") {
				v += 0.15
			}
			if v > value {
				best, value = k, v
			}
		}
		if best < 0 {
			lost = append(lost, it)
			continue
		}
		groups[best].items = append(groups[best].items, it)
	}
	if len(lost) > 0 {
		groups = append(groups, group{items: lost})
	}
	return groups
}

// crowded reports whether one heading of a page had more below it than makes
// a section.
func crowded(g group) bool {
	under := map[string]int{}
	for _, it := range g.items {
		under[it.page+"\x00"+it.under] += it.words
	}
	return len(under) == 1 && g.words() > mostWords || len(under) > 1 && g.words() > 2*mostWords
}

// names reports whether a text has a word of its heading's subject.
func names(text, heading, topic string) bool {
	words := subject(text, "")
	return slices.ContainsFunc(subject(heading, topic), func(t string) bool { return slices.Contains(words, t) })
}

// nameGroups gives every group the heading most of it stood under, two when
// one would be too little, and writes it as the article's headings are written.
func nameGroups(groups []group, all []item) {
	spare := []string{"Other points to know", "Further points", "More to know", "Details"}
	for i := range groups {
		h := groups[i].heading
		if !groups[i].facet {
			h = covering(groups[i])
		}
		if h == "" {
			h = facet(groups, i)
		}
		if h == "" {
			h = phrase(groups, i)
		}
		if h == "" {
			h, spare = spare[0], spare[1:]
		}
		groups[i].heading = sentenceCase(h, textOf(all))
	}
}

// covering is the heading that covers most of a group, joined with the next one
// when it covers less than half and the two read well together.
func covering(g group) string {
	weight := map[string]int{}
	var names []string
	for _, it := range g.items {
		h := noun(it.under)
		if h == "" || bland.MatchString(h) {
			continue
		}
		if weight[h] == 0 {
			names = append(names, h)
		}
		weight[h] += it.words
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(weight[b], weight[a]) })
	if len(names) == 0 {
		return g.heading
	}
	first := names[0]
	if len(names) == 1 || weight[first]*2 >= g.words() {
		return first
	}
	second := names[1]
	joined := strings.Contains(" "+first+" "+second+" ", " and ") || strings.ContainsAny(first+second, ",:")
	if joined || asks.MatchString(first) || asks.MatchString(second) || len(strings.Fields(first+" "+second)) > 7 || evidence.Overlap(first, second) > 0 {
		return first
	}
	both := first + " and " + lowerFirst(second)
	return both
}

var (
	statement = regexp.MustCompile(`(?i)^(.+?) (?:must|should|can|may|are|is|will|shall) (?:be )?(.+)$`)
	mark      = regexp.MustCompile(`^(?:§+ ?)?[\d.()]*\d[\d.()]*\s*`)
)

// noun is a heading as a name that states nothing: "Service Animals Must Be
// Under Control" becomes "Service Animals Under Control". A heading that can't
// be one gives "".
func noun(h string) string {
	h = strings.TrimSpace(strings.TrimRight(mark.ReplaceAllString(h, ""), ".:"))
	if n := len(strings.Fields(h)); n == 0 || n > 9 || strings.ContainsAny(h, "|;@/") || strings.Contains(h, " - ") || strings.Contains(h, "::") {
		return ""
	}
	if len(evidence.Numbers(h)) > 0 {
		return "" // a number is a claim
	}
	if asks.MatchString(h) || !states.MatchString(h) {
		return h
	}
	if m := statement.FindStringSubmatch(h); m != nil && !states.MatchString(m[1]+" "+m[2]) {
		return m[1] + " " + m[2]
	}
	return ""
}
