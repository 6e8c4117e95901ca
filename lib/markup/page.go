package markup

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"blogposter/lib/editorial"
)

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// Plain lists what a reader of the published page must find there, in order:
// the title, then each heading, paragraph and list entry of the approved
// markup.
func Plain(d editorial.Draft) []string {
	lines := []string{Clean(d.Title)}
	return append(lines, Lines(d.Markup)...)
}

// Lines lists the visible text of an HTML document, one entry for each
// element that stands apart.
func Lines(doc string) []string {
	var lines []string
	var line strings.Builder
	flush := func() {
		if s := Clean(line.String()); s != "" {
			lines = append(lines, s)
		}
		line.Reset()
	}
	z := html.NewTokenizer(strings.NewReader(doc))
	hidden := atom.Atom(0) // the element whose text is not shown
	for {
		kind := z.Next()
		switch tok := z.Token(); {
		case kind == html.ErrorToken:
			flush()
			return lines
		case hidden != 0:
			if kind == html.EndTagToken && tok.DataAtom == hidden {
				hidden = 0
			}
		case kind == html.TextToken:
			line.WriteString(tok.Data)
		case kind == html.StartTagToken && notShown[tok.DataAtom]:
			hidden = tok.DataAtom
		case kind != html.CommentToken && !inline[tok.DataAtom]:
			flush()
		}
	}
}

var (
	notShown = map[atom.Atom]bool{
		atom.Script: true, atom.Style: true, atom.Template: true, atom.Noscript: true, atom.Title: true, atom.Textarea: true,
	}
	inline = map[atom.Atom]bool{
		atom.A: true, atom.Abbr: true, atom.B: true, atom.Cite: true, atom.Code: true, atom.Em: true, atom.I: true,
		atom.Mark: true, atom.Q: true, atom.S: true, atom.Small: true, atom.Span: true, atom.Strong: true,
		atom.Sub: true, atom.Sup: true, atom.Time: true, atom.U: true,
	}
)

// Missing lists the lines the page at hand doesn't show, or not in their
// order. WordPress prints quotation marks, dashes and a few signs its own way,
// so those compare equal; words, numbers and every other sign don't.
func Missing(page string, lines []string) []string {
	shown := fold(strings.Join(Lines(page), " "))
	var missing []string
	at := 0
	for _, l := range lines {
		want := fold(l)
		i := strings.Index(shown[at:], want)
		if i < 0 {
			missing = append(missing, l)
			continue
		}
		at += i + len(want)
	}
	return missing
}

var sameSign = strings.NewReplacer(
	"‘", "'", "’", "'", "‚", "'", "′", "'", "`", "'", "´", "'",
	"“", `"`, "”", `"`, "„", `"`, "″", `"`, "«", `"`, "»", `"`,
	"–", "-", "—", "-", "‑", "-", "−", "-", "…", "...", "×", "x", "™", "(tm)",
	"Wordpress", "WordPress", // WordPress mends its own name
)

// fold writes what WordPress varies in one way.
func fold(s string) string {
	s = strings.ReplaceAll(sameSign.Replace(Clean(s)), "''", `"`)
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "-")
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, " -", "-"), "- ", "-")
}
