package compose

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"blogposter/lib/evidence"
)

var (
	// bland are headings that say nothing about what is below them.
	bland = regexp.MustCompile(`(?i)^(?:overview|introduction|general(?: rules| information)?|basics?|background|summary|conclusion|resources|contents?|about|faqs?|frequently asked.*|more|other|miscellaneous|key points?|important.*|examples?.*|note.*|home|page \d+|q\d+.*|a|part \d+.*|title .*|section .*|chapter .*|last .*|.* :: .*)$`)
	// claims are words that make a heading a statement.
	states = regexp.MustCompile(`(?i)\b(?:is|are|was|were|must|may|can|cannot|shall|should|will|has|have|do|does|not|no|never|always|only|all|every|needs?|requires?|required|allows?|prohibits?|bans?|protects?|guarantees?|legal|illegal|exempt|matters?|comes|more|less|better|best|than|\d+)\b`)
	asks   = regexp.MustCompile(`(?i)^(?:what|when|where|which|who|how|why)\b`)
)

// phrase is the pair of words that tells a group apart from the others, ""
// when none stands in several of its passages.
func phrase(groups []group, i int) string {
	texts := make([]string, len(groups))
	for k, g := range groups {
		texts[k] = textOf(g.items)
	}
	index := evidence.NewIndex(texts)
	count := map[string]int{}
	for _, it := range groups[i].items {
		for _, p := range unique(pairs(it.text)) {
			count[p]++
		}
	}
	value := func(p string) float64 {
		var v float64
		for _, t := range evidence.Terms(p) {
			v += index.Weight(t)
		}
		return v * float64(count[p])
	}
	var best string
	for p, n := range count {
		if n >= 2 && (best == "" || value(p) > value(best) || value(p) == value(best) && p < best) {
			best = p
		}
	}
	return upperFirst(best)
}

var (
	notNoun = regexp.MustCompile(`(?i)(?:ed|ly|ing)$`)
	joint   = map[string]bool{"of": true, "and": true, "for": true, "or": true}
)

// pairs lists runs such as "service animals", "health codes" and "care or
// supervision": two words that may be nouns, with at most a joint between.
func pairs(s string) []string {
	var out []string
	for _, clause := range clauses.Split(s, -1) {
		words := evidence.Words(clause)
		for i := range words {
			if !content(words[i]) {
				continue
			}
			if i+1 < len(words) && content(words[i+1]) && !notNoun.MatchString(words[i+1]) {
				out = append(out, words[i]+" "+words[i+1])
			}
			if i+2 < len(words) && joint[words[i+1]] && content(words[i+2]) && !notNoun.MatchString(words[i]) && !notNoun.MatchString(words[i+2]) {
				out = append(out, strings.Join(words[i:i+3], " "))
			}
		}
	}
	return out
}

func content(w string) bool {
	return len(w) > 3 && len(evidence.Terms(w)) > 0 && !unicode.IsDigit(rune(w[0])) && len(evidence.Numbers(w)) == 0 && !states.MatchString(w)
}

// sentenceCase lowers the words of a heading, but for initials and names:
// what the sources write with a capital in mid-sentence, and never without.
func sentenceCase(h, corpus string) string {
	lower, name := map[string]bool{}, map[string]bool{}
	before := "."
	for _, w := range strings.Fields(corpus) {
		b := core(w)
		if b == strings.ToLower(b) {
			lower[b] = true
		} else if !strings.ContainsAny(before[len(before)-1:], `.:?!"”`) {
			name[b] = true
		}
		before = w
	}
	words := strings.Fields(h)
	for i, w := range words {
		b := core(w)
		l := strings.ToLower(b)
		if strings.ToUpper(b) == b && len(b) > 1 || name[b] && !lower[l] {
			continue
		}
		words[i] = strings.ToLower(w)
	}
	return upperFirst(strings.Join(words, " "))
}

// core is a word without the punctuation around it.
func core(w string) string { return strings.Trim(w, `.,;:()"'“”‘’?!`) }

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// lowerFirst lowers the first letter, unless the word is a name in capitals.
func lowerFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	next, _ := utf8.DecodeRuneInString(s[min(size, len(s)):])
	if unicode.IsUpper(next) {
		return s
	}
	return string(unicode.ToLower(r)) + s[size:]
}

// connectors may stand inside a keyphrase.
var connectors = map[string]bool{"in": true, "at": true, "for": true, "of": true, "on": true, "to": true, "and": true, "with": true, "a": true, "an": true, "the": true}

const phraseMost = 5 // words of a keyphrase

// keyphrase is the longest run of the topic that reads as a name: words that
// mean something, joined by small ones, the first of equals. What stands
// before a colon names the subject, if it has a name at all.
func keyphrase(topic string) string {
	if head, rest, ok := strings.Cut(topic, ": "); ok && strings.TrimSpace(rest) != "" {
		if p := keyphrase(head); len(strings.Fields(p)) > 1 {
			return p
		}
	}
	best, value := "", 0
	for _, clause := range clauses.Split(strings.ToLower(topic), -1) {
		words := strings.Fields(clause)
		for i := range words {
			for k := i + 1; k <= min(len(words), i+phraseMost); k++ {
				run := words[i:k]
				cutOff := i > 0 && meaning(words[i-1]) || k < len(words) && meaning(words[k])
				if v := phraseValue(run); v > value && !cutOff {
					best, value = strings.Join(run, " "), v
				}
			}
		}
	}
	if best == "" {
		words := strings.Fields(clauses.ReplaceAllString(strings.ToLower(topic), " "))
		return strings.Join(words[:min(len(words), 4)], " ")
	}
	return best
}

var clauses = regexp.MustCompile(`[.,;:!?"“”()]+|\s[–—-]\s`)

// cased is a phrase as the topic writes it: with its capitals.
func cased(phrase, topic string) string {
	if i := strings.Index(strings.ToLower(topic), phrase); i >= 0 && len(topic) == len(strings.ToLower(topic)) {
		return topic[i : i+len(phrase)]
	}
	return phrase
}

// meaning reports whether a word may stand at the end of a name.
func meaning(w string) bool { return len(evidence.Terms(w)) > 0 && !says[w] }

// phraseValue counts the words of a run that mean something, 0 when it can't
// be a name or is too long for one.
func phraseValue(run []string) int {
	n, telling := len(run), 0
	for i, w := range run {
		switch {
		case meaning(w):
			telling++
		case i == 0 || i == n-1 || !connectors[w]:
			return 0
		}
	}
	if telling > 4 {
		return 0
	}
	return telling
}

// says are the verbs of topics, which belong in no keyphrase.
var says = map[string]bool{"says": true, "say": true, "know": true, "explained": true, "explains": true, "guide": true, "works": true, "means": true, "need": true, "needs": true, "understand": true, "understanding": true, "ask": true, "asked": true}
