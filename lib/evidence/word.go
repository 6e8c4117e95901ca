package evidence

import (
	"strings"
	"unicode"
)

// stop are words that say nothing about what a sentence is about.
var stop = set(`a an the this that these those it its he she they them his her their him we us our you your i my me
	and or but nor so yet if then than as at by for from in into of on onto off out over to up with about
	is are was were be been being am do does did done doing have has had having
	can could may might must shall should will would not no
	there here who whom whose which what when where why how all any both each few more most other some such
	also only own same too very just however while because during through between after before again once
	under above below until against s t`)

// Words are the lower-case words and numbers of s, in order. An apostrophe or
// a hyphen between letters stays, as do "1,500" and "35.136".
func Words(s string) []string {
	folded, _ := fold(s)
	var words []string
	start := -1
	for i, r := range folded + " " {
		if wordRune(r) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 && !within(folded, i) {
			words = append(words, strings.ToLower(folded[start:i]))
			start = -1
		}
	}
	return words
}

// Terms are the stemmed words of s that carry its meaning.
func Terms(s string) []string {
	var terms []string
	for _, w := range Words(s) {
		for _, part := range strings.Split(w, "-") {
			part = strings.TrimSuffix(part, "'s")
			if part != "" && !stop[part] && !negates(part) {
				terms = append(terms, Stem(part))
			}
		}
	}
	return terms
}

// Stem takes the commonest English endings off a lower-case word, so that
// "animals", "trained" and "requires" meet "animal", "train" and "require".
// It is light on purpose: two words that merely look alike must not meet.
func Stem(w string) string {
	if len(w) < 4 || strings.IndexFunc(w, unicode.IsDigit) >= 0 {
		return w
	}
	switch {
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		return w[:len(w)-3] + "y"
	case hasAny(w, "sses", "xes", "ches", "shes", "zes"):
		w = w[:len(w)-2]
	case strings.HasSuffix(w, "s") && !hasAny(w, "ss", "us", "is"):
		w = w[:len(w)-1]
	}
	switch {
	case strings.HasSuffix(w, "ied") && len(w) > 4:
		return w[:len(w)-3] + "y"
	case strings.HasSuffix(w, "ing") && len(w) > 5 && hasVowel(w[:len(w)-3]):
		w = undouble(w[:len(w)-3])
	case strings.HasSuffix(w, "ed") && len(w) > 4 && hasVowel(w[:len(w)-2]):
		w = undouble(w[:len(w)-2])
	case strings.HasSuffix(w, "ly") && len(w) > 5:
		w = w[:len(w)-2]
	}
	return strings.TrimSuffix(w, "e")
}

func hasAny(w string, endings ...string) bool {
	for _, e := range endings {
		if strings.HasSuffix(w, e) {
			return true
		}
	}
	return false
}

func hasVowel(w string) bool { return strings.ContainsAny(w, "aeiouy") }

// undouble turns "permitt" into "permit".
func undouble(w string) string {
	if n := len(w); n > 3 && w[n-1] == w[n-2] && !strings.ContainsRune("lsz", rune(w[n-1])) {
		return w[:n-1]
	}
	return w
}

// Normal is s reduced to what makes two sentences the same: no difference in
// white space, quotation marks and dashes, nor in what stands at its ends.
func Normal(s string) string {
	folded, _ := fold(s)
	return strings.TrimFunc(folded, func(r rune) bool { return !wordRune(r) && !strings.ContainsRune(`$€£%()§"`, r) })
}
