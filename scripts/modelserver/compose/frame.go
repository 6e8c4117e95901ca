package compose

import (
	"regexp"
	"strings"

	"blogposter/lib/evidence"
)

// covers matches the sentence with which an introduction says what follows.
var covers = regexp.MustCompile(`^This article is about [^.;?!]+\.$`)

// prepositional headings don't read behind a "from".
var prepositional = regexp.MustCompile(`(?i)^(?:before|after|in|at|on|with)\b`)

// frame says what the article is about, in its keyphrase and its first and
// last heading. It states nothing about the world, so nothing in it may look
// as if it did: a heading with a number, a verb or a word of law stays out.
func frame(in material) string {
	phrase := cased(one(in.user, "keyphrase"), one(in.user, "topic"))
	barred := commas(strings.ToLower(one(in.system, "legal_terms")))
	quiet := func(s string) bool {
		for _, w := range barred {
			if strings.Contains(" "+strings.Join(evidence.Words(s), " ")+" ", " "+w+" ") {
				return false
			}
		}
		return s != "" && !law.MatchString(s) && len(evidence.Numbers(s)) == 0 && !strings.ContainsAny(s, ".;:?!")
	}
	if !quiet(phrase) {
		return ""
	}
	var names []string
	for _, p := range find(in.user, "part") {
		if h := p.attrs["heading"]; quiet(h) && !asserts(h) && !asks.MatchString(h) && !prepositional.MatchString(h) {
			names = append(names, inSentence(h))
		}
	}
	if len(names) < 2 {
		return "This article is about " + lowerFirst(phrase) + ", point by point."
	}
	return "This article is about " + lowerFirst(phrase) + ", from " + names[0] + " to " + names[len(names)-1] + "."
}

// inSentence is a heading as it stands in mid-sentence.
func inSentence(h string) string {
	first, _, _ := strings.Cut(h, " ")
	if len(evidence.Terms(first)) > 0 && strings.HasSuffix(first, "'s") { // a name, as far as can be told
		return h
	}
	return lowerFirst(h)
}
