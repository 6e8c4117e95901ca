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
// A question that stands alone is one, as on pages of questions and answers,
// and so is a label such as "Access rights:".
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
	n := len(strings.Fields(block))
	if strings.Contains(block, "\n") || utf8.RuneCountInString(block) > 160 || n > 25 {
		return false
	}
	words := block[len(lead.FindString(block)):]
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(words, `"“‘§ `))
	last, _ := utf8.DecodeLastRuneInString(block)
	if !unicode.IsUpper(first) && !unicode.IsDigit(first) {
		return false
	}
	switch last {
	case '?':
		return true
	case ':':
		return n <= 5
	}
	return n <= 18 && !strings.ContainsRune(`.!;,…)"”—`, last)
}

// Above is the last heading before byte at, and the last question that stands
// between it and at, both without marks; "" where there is none.
func Above(text string, headings []Heading, at int) (title, question string) {
	for _, h := range headings {
		if h.Start >= at {
			break
		}
		line := text[h.Start:h.End]
		line = strings.TrimSuffix(line[len(lead.FindString(line)):], ":")
		if strings.HasSuffix(line, "?") {
			question = line
		} else {
			title, question = line, ""
		}
	}
	return title, question
}
