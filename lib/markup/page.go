package markup

import (
	"net/url"
	"slices"
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

// Canonical lists the addresses that a page names as its own for search
// engines. at is where the page was found: an address may be relative to it.
func Canonical(page, at string) []string {
	base, err := url.Parse(at)
	if err != nil {
		return nil
	}
	var named []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch kind := z.Next(); kind { //nolint:exhaustive // links are tags
		case html.ErrorToken:
			return named
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			rel, href := "", ""
			for _, a := range tok.Attr {
				switch a.Key {
				case "rel":
					rel = a.Val
				case "href":
					href = a.Val
				}
			}
			if tok.DataAtom != atom.Link || !slices.Contains(strings.Fields(strings.ToLower(rel)), "canonical") {
				continue
			}
			if u, err := base.Parse(strings.TrimSpace(href)); err == nil {
				href = u.String()
			}
			named = append(named, href)
		}
	}
}

// fold writes what WordPress varies in one way.
func fold(s string) string {
	s = strings.ReplaceAll(sameSign.Replace(Clean(s)), "''", `"`)
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "-")
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, " -", "-"), "- ", "-")
}
