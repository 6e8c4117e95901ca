package evidence

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Heading is a line of a text that names what stands below it.
type Heading struct{ Start, End int }

// Headings finds the lines that read as headings: short, alone in their
// block, beginning with a capital or a digit, and not closed like a sentence.
// A question that stands alone is one, as on pages of questions and answers.
func Headings(text string) []Heading {
	var out []Heading
	for at := 0; at < len(text); {
		size := strings.Index(text[at:]+"\n\n", "\n\n")
		from, to := trim(text, at, at+size)
		if from < to && heading(text[from:to]) {
			out = append(out, Heading{from, to})
		}
		at += size + 2
	}
	return out
}

func heading(block string) bool {
	if strings.Contains(block, "\n") || utf8.RuneCountInString(block) > 120 || len(strings.Fields(block)) > 18 {
		return false
	}
	words := block[len(lead.FindString(block)):]
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(words, `"“‘§ `))
	last, _ := utf8.DecodeLastRuneInString(block)
	return (unicode.IsUpper(first) || unicode.IsDigit(first)) && !strings.ContainsRune(`.!;:,…)"”`, last)
}

// Above is the text of the last heading before byte at, without its mark, or
// "" when there is none.
func Above(text string, headings []Heading, at int) string {
	above := ""
	for _, h := range headings {
		if h.Start >= at {
			break
		}
		above = text[h.Start:h.End]
	}
	return above[len(lead.FindString(above)):]
}
