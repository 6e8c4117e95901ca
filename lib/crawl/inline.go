package crawl

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
)

// border stands where emphasis or a link begins or ends until spaces are
// decided. It is a private-use rune, and keep lets none of those in.
const border = '\uE000'

// line is the text of a block, and how much of it is the text of links.
type line struct {
	text         string
	chars, links int // letters and digits
}

// line reads the inline nodes below n.
func (w *writer) line(n ast.Node) line {
	var b strings.Builder
	var l line
	w.inline(n, &b, &l.links, 0)
	l.text = space(unmark(b.String()))
	l.chars = letters(l.text)
	return l
}

func (w *writer) inline(parent ast.Node, b *strings.Builder, links *int, depth int) {
	for n := parent.FirstChild(); n != nil && depth < maxDepth; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			raw := string(n.Segment.Value(w.src))
			if !n.IsRaw() {
				raw = unescape(raw)
			}
			b.WriteString(strings.Map(keep, raw))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.WriteString(strings.Map(keep, string(n.Value)))
		case *ast.CodeSpan:
			w.inline(n, b, links, depth+1)
		case *ast.AutoLink:
			label := string(n.Label(w.src))
			*links += letters(label)
			b.WriteString(strings.Map(keep, label))
		case *ast.RawHTML:
			if isBreak(n.Segments.Value(w.src)) {
				b.WriteByte(' ')
			}
		case *ast.Image:
		case *ast.Link:
			b.WriteRune(border)
			before := b.Len()
			w.inline(n, b, new(int), depth+1)
			*links += letters(b.String()[before:])
			b.WriteRune(border)
		default: // emphasis of any kind
			b.WriteRune(border)
			w.inline(n, b, links, depth+1)
			b.WriteRune(border)
		}
	}
}

func isBreak(tag []byte) bool {
	t := strings.ToLower(string(tag))
	return strings.HasPrefix(t, "<br") || strings.HasPrefix(t, "<wbr")
}

// unescape resolves backslash escapes and character references in one pass,
// so that what one of them yields is never read as the other.
func unescape(s string) string {
	if !strings.ContainsAny(s, `\&`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] < utf8.RuneSelf && (unicode.IsPunct(rune(s[i+1])) || unicode.IsSymbol(rune(s[i+1]))):
			i++
			b.WriteByte(s[i])
		case s[i] == '&':
			if end := strings.IndexByte(s[i:min(len(s), i+33)], ';'); end > 1 {
				b.WriteString(html.UnescapeString(s[i : i+end+1]))
				i += end
				continue
			}
			b.WriteByte('&')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// Emphasis that ends in punctuation and is followed by a letter, as in
// "**People first.**Then", is none to a Markdown parser, yet readers write it
// wherever a page has two elements side by side.
var (
	strong     = pattern(`\*{1,3}([^\s*][^*]*[.?!:;,)”])\*{1,3}([\pL“(])`)
	underlined = pattern(`\b_{1,3}([^\s_][^_]*[.?!:;,)”])_{1,3}([\pL“(])`)
	leftover   = pattern(`\*{2,}|_{3,}`)
	heading    = pattern(`#{2,6}(?:\s|$)`) // one that the reader put into a line of text
)

func unmark(s string) string {
	if !strings.ContainsAny(s, "*_#") {
		return s
	}
	b := string(border)
	s = heading().ReplaceAllString(s, " ")
	s = strong().ReplaceAllString(s, b+"${1}"+b+"${2}")
	s = underlined().ReplaceAllString(s, b+"${1}"+b+"${2}")
	return leftover().ReplaceAllString(s, b)
}

// space drops the borders, and puts a space where one joined two words or
// sentences: after closing punctuation before a capital or an opening mark,
// and between a small letter and a capital.
func space(s string) string {
	if !strings.ContainsRune(s, border) {
		return s
	}
	var b strings.Builder
	var last, before rune // the two runes written last
	atBorder := false
	for _, r := range s {
		if r == border {
			atBorder = true
			continue
		}
		if atBorder && joined(before, last, r) {
			b.WriteByte(' ')
		}
		atBorder = false
		b.WriteRune(r)
		before, last = last, r
	}
	return b.String()
}

func joined(before, last, next rune) bool {
	opens := unicode.IsUpper(next) || next == '“' || next == '('
	switch last {
	case '.':
		return opens && !unicode.IsUpper(before) // "U." before "S."
	case '?', '!', ')', '”':
		return opens
	case ':', ';', ',':
		return opens || unicode.IsLetter(next)
	}
	return unicode.IsLower(last) && unicode.IsUpper(next)
}

// keep maps what no reader sees to nothing and what breaks lines to a space.
// Control characters become the replacement character, so that binary data
// still shows that it isn't text.
func keep(r rune) rune {
	switch {
	case r == '\n', r == '\t', r == '\r':
		return r
	case r == '\u0085', r == '\u2028', r == '\u2029', r == '\v', r == '\f':
		return '\n'
	case unicode.IsSpace(r), unicode.Is(unicode.Zs, r):
		return ' '
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r == '\u034F':
		return -1 // zero-width and direction marks, soft hyphens, icons of private fonts
	case unicode.IsControl(r):
		return utf8.RuneError
	}
	return r
}

// tidy makes one line of s with single spaces.
func tidy(s string) string {
	return strings.Join(strings.Fields(strings.Map(keep, strings.ToValidUTF8(s, "\uFFFD"))), " ")
}

// letters counts the letters and digits of s.
func letters(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// says reports whether a line holds more than rules, arrows and crosses.
func says(s string) bool { return strings.ContainsFunc(s, isWordRune) }

func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == utf8.RuneError
}

var (
	tags    = pattern(`(?s)<!--.*?-->|<[/!?]?[A-Za-z][^<>]*>`)
	unseen  = pattern(`(?is)<(?:script|style|template)\b.*?(?:</(?:script|style|template)\s*>|$)`)
	newLine = pattern(`(?i)<(?:br|/?p|/?div|/?li|/?tr|/?h[1-6])\b[^<>]*>`)
)

// untag leaves the text of an HTML block.
func untag(s string) string {
	s = newLine().ReplaceAllString(unseen().ReplaceAllString(s, ""), "\n")
	return html.UnescapeString(tags().ReplaceAllString(s, " "))
}
