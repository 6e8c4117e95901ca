// Package evidence finds sentences and quotes in plain text, as byte ranges
// that anyone can check again: text[Start:End] is what was quoted.
//
// A text is what lib/crawl makes of a page: one block (heading, paragraph,
// list item) a line. Nothing here reaches across a line break, except a quote
// that does so itself.
package evidence

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sentence is one sentence of a text. Mark is where its list mark, answer
// letter or heading sign begins, Start where its words do; Mark equals Start
// when there is none. Blocks are counted from 0, blank lines left out.
type Sentence struct {
	Mark, Start, End int
	Block            int
}

// In is the sentence's text.
func (s Sentence) In(text string) string { return text[s.Start:s.End] }

// lead matches what may stand before the words of a block: bullets, "3.",
// "(b)", "##" and the letters of questions and answers ("Q12.", "A.").
var lead = regexp.MustCompile(`^(?:#{1,6}\s+|>\s+|[-*•–—▪◦]\s+|\d{1,3}[.)]\s+|\((?:\d{1,3}|[a-z]|[ivx]{1,5})\)\s*|Q\d*[.:]\s*|A\d*[.:]\s+)+`)

// Sentences splits text. Every byte that is not white space lies in exactly
// one [Mark,End), and no range cuts a character.
func Sentences(text string) []Sentence {
	var out []Sentence
	block := 0
	for at := 0; at < len(text); {
		end := at + strings.IndexByte(text[at:]+"\n", '\n')
		if from, to := trim(text, at, end); from < to {
			out = append(out, split(text, from, to, block)...)
			block++
		}
		at = end + 1
	}
	return out
}

// split cuts the block text[from:to], which neither begins nor ends with
// white space.
func split(text string, from, to, block int) []Sentence {
	mark, start := from, from+len(lead.FindString(text[from:to]))
	if start >= to { // nothing but a mark
		start = from
	}
	var out []Sentence
	for i := start; i < to; {
		r, size := utf8.DecodeRuneInString(text[i:to])
		i += size
		if !strings.ContainsRune(".!?…", r) {
			continue
		}
		end := closing(text, i, to)
		if end < to && !ends(text[start:end], text[i-size:end], text[end:to]) {
			continue
		}
		out = append(out, Sentence{Mark: mark, Start: start, End: end, Block: block})
		start, _ = trim(text, end, to)
		mark, i = start, start
	}
	if start < to {
		out = append(out, Sentence{Mark: mark, Start: start, End: to, Block: block})
	}
	return out
}

// closing moves past further stops, and the quotes and brackets that close
// with the sentence.
func closing(text string, i, to int) int {
	for i < to {
		r, size := utf8.DecodeRuneInString(text[i:to])
		if !strings.ContainsRune(`.!?…"'”’»)]`, r) {
			break
		}
		i += size
	}
	return i
}

// ends reports whether the stop that closes before is the end of a sentence,
// given what comes after.
func ends(before, stop, after string) bool {
	next := strings.TrimLeftFunc(after, unicode.IsSpace)
	if next == after {
		return glued(before, stop, after)
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(next, `"'“‘«([`))
	if unicode.IsLower(first) || strings.HasPrefix(stop, ".)") && unicode.IsLower(first) {
		return false
	}
	if stop != "." {
		return true
	}
	word := before[strings.LastIndexFunc(before[:len(before)-1], breaksWord)+1 : len(before)-1]
	return !abbreviated(word, next, first)
}

// breaksWord reports whether r can't stand within an abbreviation.
func breaksWord(r rune) bool { return r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// glued finds the stop of a sentence that lost the space behind it, as pages
// with bold sentences do: "people with disabilities.Examples include".
func glued(before, stop, after string) bool {
	if stop != "." && stop != "?" && stop != "!" {
		return false
	}
	first, size := utf8.DecodeRuneInString(after)
	second, _ := utf8.DecodeRuneInString(after[size:])
	if !unicode.IsUpper(first) || !unicode.IsLower(second) {
		return false
	}
	word := before[strings.LastIndexFunc(before, unicode.IsSpace)+1:]
	token, _, _ := strings.Cut(after, " ")
	if len(word) < 5 || strings.ContainsAny(word[:len(word)-1], ".@/:_") || strings.ContainsAny(strings.TrimRight(token, ".,;:?!"), ".@/_(") {
		return false // a name such as www.Example.com, or code
	}
	for _, r := range word[:len(word)-1] {
		if !unicode.IsLower(r) && r != '-' {
			return false
		}
	}
	return true
}

// trim returns the range without white space at either end.
func trim(text string, from, to int) (start, end int) {
	start = to - len(strings.TrimLeftFunc(text[from:to], unicode.IsSpace))
	return start, start + len(strings.TrimRightFunc(text[start:to], unicode.IsSpace))
}
