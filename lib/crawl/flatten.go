package crawl

import (
	"strings"
	"unicode/utf8"
)

// The parser's time grows with the square of some repetitions, so that a page
// of two megabytes could hold it for an hour; within these bounds it takes
// seconds. No page that people wrote comes near them.
const (
	maxMarkers = 20        // quotation and list marks at the start of one line
	maxBlock   = 16 * 1024 // bytes of lines without a blank one between
	maxIndent  = 60        // columns before a line's text
)

var (
	marker = pattern(`^[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$))`)
	inline = pattern(`\(\s*<?data:[^)\s>]*>?`) // an image as part of its address
)

// flatten takes from Markdown what would make parsing it slow.
func flatten(page string) string {
	page = inline().ReplaceAllString(page, "(")
	var b strings.Builder
	b.Grow(len(page))
	block := 0
	for l := range strings.Lines(page) {
		l = unnest(l)
		for len(l) > maxBlock {
			cut := maxBlock
			if at := strings.LastIndexByte(l[:cut], ' '); at > 0 {
				cut = at
			}
			for !utf8.RuneStart(l[cut]) {
				cut--
			}
			b.WriteString("\n\n" + l[:cut] + "\n\n")
			l, block = l[cut:], 0
		}
		if block += len(l); strings.TrimSpace(l) == "" {
			block = 0
		} else if block > maxBlock {
			b.WriteString("\n")
			block = len(l)
		}
		b.WriteString(l)
	}
	return b.String()
}

// unnest keeps the first marks of a line that has too many.
func unnest(l string) string {
	if text := strings.TrimLeft(l, " \t"); len(l)-len(text) > maxIndent {
		l = strings.Repeat(" ", maxIndent) + text
	}
	rest, kept := l, 0
	for n := 0; ; n++ {
		at := marker().FindStringIndex(rest)
		if at == nil {
			break
		}
		if n < maxMarkers {
			kept += at[1]
		}
		rest = rest[at[1]:]
	}
	return l[:kept] + rest
}
