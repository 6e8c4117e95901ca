package compose

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"blogposter/lib/evidence"
)

const maxPoints = 30

type point struct {
	Point string `json:"point"`
	Quote string `json:"quote"`
}

type digestAnswer struct {
	Points []point `json:"points"`
}

// passage is one or more sentences of a page that stand together.
type passage struct {
	text  string
	under string // the heading above
	asked string // the question above
	at    int    // its place in the page
	score float64
}

// digest copies the passages of a page that speak of the topic.
func digest(in material) digestAnswer {
	answer := digestAnswer{Points: []point{}}
	pages := find(in.user, "page")
	if len(pages) == 0 {
		return answer
	}
	text := unescape(pages[0].inner)
	list := passages(text)
	texts := make([]scored, 0, len(list))
	for _, p := range list {
		texts = append(texts, scored{pages[0].attrs["title"], p.under + ". " + p.asked + " " + p.text})
	}
	for i, score := range relevance(texts, one(in.user, "topic")) {
		list[i].score = score
	}
	list = slices.DeleteFunc(whole(list), func(p passage) bool { return p.score <= 0 })
	if len(list) > maxPoints {
		list = join(list, text)
	}
	slices.SortStableFunc(list, func(a, b passage) int { return cmp.Compare(b.score, a.score) })
	list = list[:min(len(list), maxPoints)]
	slices.SortFunc(list, func(a, b passage) int { return cmp.Compare(a.at, b.at) })
	for _, p := range list {
		answer.Points = append(answer.Points, point{Point: label(p), Quote: p.text})
	}
	return answer
}

// whole keeps what stands under a heading that speaks of the topic together:
// a sentence between two that are about it seldom is about something else.
func whole(list []passage) []passage {
	good := map[string]int{}
	count := map[string]int{}
	for _, p := range list {
		count[p.under]++
		if p.score > 0 {
			good[p.under]++
		}
	}
	for i, p := range list {
		if p.score <= 0 && 3*good[p.under] >= count[p.under] {
			list[i].score = 0.1
		}
	}
	return list
}

// join makes one passage of up to three that follow each other in a
// paragraph, so that a long page's points hold more of it.
func join(list []passage, text string) []passage {
	var out []passage
	parts := 0
	for _, p := range list {
		if k := len(out) - 1; k >= 0 {
			last := &out[k]
			end := last.at + len(last.text)
			gap := text[end:p.at]
			long := len(strings.Fields(last.text)) + len(strings.Fields(p.text))
			if strings.TrimSpace(gap) == "" && !strings.Contains(gap, "\n") && parts < 3 && long <= 80 && last.under == p.under && last.asked == p.asked {
				last.text, last.score = text[last.at:p.at+len(p.text)], max(last.score, p.score)
				parts++
				continue
			}
		}
		out, parts = append(out, p), 1
	}
	return out
}

// passages cuts a page into what can be quoted: a sentence that stands alone,
// with those behind it in its block that lean on it.
func passages(text string) []passage {
	heads := evidence.Headings(text)
	sentences := evidence.Sentences(text)
	var out []passage
	for i := 0; i < len(sentences); i++ {
		s := sentences[i]
		under, asked := evidence.Above(text, heads, s.Start)
		if !standsAlone(s.In(text)) || known(s.In(text), before(text, sentences, i)+" "+asked) || afterLead(text, sentences, i) {
			continue
		}
		end := s.End
		for i+1 < len(sentences) && sentences[i+1].Block == s.Block {
			next := sentences[i+1].In(text)
			leaning := follows(next) || standsAlone(next) && known(next, text[s.Start:end])
			if !leaning || len(strings.Fields(text[s.Start:sentences[i+1].End])) > 100 {
				break
			}
			i++
			end = sentences[i].End
		}
		out = append(out, passage{text: text[s.Start:end], under: under, asked: asked, at: s.Start})
	}
	return out
}

// before is what stands in the block before a sentence.
func before(text string, sentences []evidence.Sentence, i int) string {
	start := sentences[i].Mark
	for k := i - 1; k >= 0 && sentences[k].Block == sentences[i].Block; k-- {
		start = sentences[k].Start
	}
	return text[start:sentences[i].Mark]
}

// definite matches what a sentence begins with when it speaks of something as
// known: "The patient", "If the device", "Both dogs".
var definite = regexp.MustCompile(`(?i)^(?:(?:if|when|while|unless|once|where|as|because|although|for|in|on|at) )?(?:the|both) ((?:[a-z][a-z-]+ ){0,1}[a-z][a-z-]+)`)

// known reports whether a sentence begins with something that the text before
// it brought up.
func known(s, earlier string) bool {
	m := definite.FindStringSubmatch(strings.ReplaceAll(s, "’", "'"))
	if m == nil {
		return false
	}
	have := map[string]bool{}
	for _, t := range evidence.Terms(earlier) {
		have[t] = true
	}
	for _, t := range evidence.Terms(strings.Fields(m[1])[0]) {
		if have[t] && strings.ToLower(m[1][:1]) == m[1][:1] {
			return true
		}
	}
	return false
}

// afterLead reports whether a sentence stands in an enumeration that a line
// such as "Animals may be excluded only if:" leads to: alone it would say
// something else. A mere label such as "Examples:" does not bind.
func afterLead(text string, sentences []evidence.Sentence, i int) bool {
	for k := i - 1; k >= 0; k-- {
		before, gap := sentences[k].In(text), text[sentences[k].End:sentences[k+1].Mark]
		if strings.HasSuffix(before, "—") || strings.HasSuffix(before, ":") {
			return sentences[k].Block != sentences[i].Block && len(strings.Fields(before)) > 5
		}
		open := strings.HasSuffix(before, ";") || strings.HasSuffix(before, "; or") || strings.HasSuffix(before, "; and")
		if strings.Count(gap, "\n") > 1 && !open {
			return false
		}
	}
	return false
}

// strength prefers sentences that say who must or may do what.
func strength(s string) float64 {
	var n float64
	for _, w := range evidence.Words(s) {
		switch w {
		case "must", "may", "cannot", "required", "require", "requires", "allowed", "defined", "means", "not", "unless", "generally":
			n += 0.25
		}
	}
	return min(n, 1)
}

// label says in a few words what a passage is about.
func label(p passage) string {
	words := strings.Fields(p.text)
	s := strings.Join(words[:min(len(words), 9)], " ")
	if p.under != "" && len(strings.Fields(p.under)) <= 8 {
		s = p.under
	}
	return strings.TrimRight(s, ".,;:?")
}
