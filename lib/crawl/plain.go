package crawl

import (
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// PlainVersion names the rules of Plain. Texts are stored under their hash
// and quoted by byte offset, so any change of its output is a new version.
const PlainVersion = "plain/1"

// maxDepth bounds nesting: markup deeper than that is no page but an attack
// on the parser.
const maxDepth = 100

// grammar keeps no state between pages.
var grammar = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough)).Parser()

// Plain is the text of a page's Markdown as a person reads it. One block is
// one line; a blank line parts blocks; list items, rows of a table and lines
// of code stand on lines of their own, without marker. It has no link
// targets, images or emphasis marks; white space is collapsed; quotation
// marks stay as they are. Lists and short paragraphs that are nothing but
// links, and notices every site has, are left out as navigation.
//
// It never fails, and the same input gives the same bytes.
func Plain(page string) string {
	return strings.Join(plain(flatten(strings.Map(keep, strings.ToValidUTF8(page, "\uFFFD"))), 0), "\n\n")
}

func plain(page string, depth int) []string {
	w := writer{src: []byte(page)}
	w.blocks(grammar.Parse(text.NewReader(w.src)), depth)
	return w.out
}

// writer collects the blocks of a page.
type writer struct {
	src []byte
	out []string
}

func (w *writer) add(lines ...string) {
	var kept []string
	for _, l := range lines {
		if l = tidy(l); says(l) && !notice(l) {
			kept = append(kept, l)
		}
	}
	if len(kept) > 0 {
		w.out = append(w.out, strings.Join(kept, "\n"))
	}
}

func (w *writer) blocks(parent ast.Node, depth int) {
	for n := parent.FirstChild(); n != nil && depth < maxDepth; n = n.NextSibling() {
		w.block(n, depth)
	}
}

func (w *writer) block(n ast.Node, depth int) {
	switch n.Kind() {
	case ast.KindHeading:
		w.add(w.line(n).text)
	case ast.KindParagraph, ast.KindTextBlock:
		if l := w.line(n); !menu([]line{l}) {
			w.add(l.text)
		}
	case ast.KindList:
		var items []line
		w.list(n, &items, depth)
		lines := make([]string, 0, len(items))
		for _, item := range items {
			lines = append(lines, item.text)
		}
		w.add(lines...)
	case extast.KindTable:
		w.add(w.rows(n)...)
	case ast.KindCodeBlock:
		// Readers fence code. What is merely indented is text that stood in a
		// box of the page's layout.
		w.out = append(w.out, plain(string(n.Lines().Value(w.src)), depth+1)...)
	case ast.KindFencedCodeBlock:
		w.add(strings.Split(string(n.Lines().Value(w.src)), "\n")...)
	case ast.KindHTMLBlock:
		w.add(strings.Split(untag(string(n.Lines().Value(w.src))), "\n")...)
	default:
		w.blocks(n, depth+1)
	}
}

// list appends the lines of a list's items, sublists included, unless the
// list is navigation.
func (w *writer) list(list ast.Node, to *[]line, depth int) {
	var mine []line
	for item := list.FirstChild(); item != nil && depth < maxDepth; item = item.NextSibling() {
		for n := item.FirstChild(); n != nil; n = n.NextSibling() {
			switch n.Kind() {
			case ast.KindList:
				w.list(n, &mine, depth+1)
			case ast.KindParagraph, ast.KindTextBlock, ast.KindHeading:
				mine = append(mine, w.line(n))
			default: // a quotation, a table or code inside an item
				inner := writer{src: w.src}
				inner.block(n, depth+1)
				for _, block := range inner.out {
					for l := range strings.SplitSeq(block, "\n") {
						mine = append(mine, line{text: l, chars: letters(l)})
					}
				}
			}
		}
	}
	if !menu(mine) {
		*to = append(*to, mine...)
	}
}

// rows gives each row of a table as its cells, parted by semicolons.
func (w *writer) rows(table ast.Node) []string {
	var rows []string
	for row := table.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			if c := tidy(w.line(cell).text); says(c) {
				cells = append(cells, c)
			}
		}
		rows = append(rows, strings.Join(cells, "; "))
	}
	return rows
}
