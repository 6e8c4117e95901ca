package evidence

import (
	"strings"
	"unicode"
)

// titles never end a sentence: a name or a reference follows.
var titles = set(`mr mrs ms dr prof st sen rep gov gen col capt lt sgt rev hon messrs
	e.g i.e cf viz vs v al approx ca esp incl resp
	sec secs art arts ch para paras subpt subch pt amend ord cir fed reg supp stat const`)

// references are abbreviations when a number follows, words otherwise: "No. 3".
var references = set(`no nos fig figs p pp vol eq ex app sched pl
	jan feb mar apr jun jul aug sep sept oct nov dec`)

// closers may end a sentence: they do before a word that begins one.
var closers = set(`etc inc ltd co corp jr sr dept ave blvd bros assn esq ph.d m.d a.m p.m`)

// starters are words that begin a sentence far more often than they go on
// after "U.S." or "Inc.".
var starters = set(`a an the this that these those it its he she they we you i there here if when while where
	in on at by for from to with under after before as since because although however but and or so yet
	who what which why how some many most all any each every no not does do is are can may must should
	people individuals staff owners handlers service also according generally only your their his her our`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// abbreviated reports whether the full stop behind word belongs to it, given
// the text that follows and its first letter.
func abbreviated(word, next string, first rune) bool {
	lower := strings.ToLower(word)
	switch {
	case word == "":
		return false
	case titles[lower]:
		return true
	case references[lower]:
		return unicode.IsDigit(first)
	case closers[lower]:
		return !startsSentence(next)
	case initial(word):
		return true
	case dotted(word):
		return !startsSentence(next)
	}
	return false
}

// initial reports whether word is one capital, as in "J. Doe". "I" is a word.
func initial(word string) bool {
	r := []rune(word)
	return len(r) == 1 && unicode.IsUpper(r[0]) && word != "I"
}

// dotted reports whether word is letters with stops between, as in "U.S" or
// "D.C".
func dotted(word string) bool {
	parts := strings.Split(word, ".")
	for _, p := range parts {
		if r := []rune(p); len(r) == 0 || len(r) > 2 || !unicode.IsLetter(r[0]) {
			return false
		}
	}
	return len(parts) > 1
}

func startsSentence(next string) bool {
	word := strings.TrimLeft(next, `"'“‘«([`)
	if i := strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }); i >= 0 {
		word = word[:i]
	}
	return starters[strings.ToLower(word)]
}
