package markup

import (
	"strconv"
	"strings"
)

// writer collects blocks in the form WordPress's own editor stores them:
// comment, element, comment, with one empty line between blocks.
type writer struct {
	b     strings.Builder
	class string // of the first block, then empty
}

// listItem is one entry of a list.
type listItem struct {
	id   string
	html string
}

// block writes one block. attrs are the constants of this file, and the class
// is hexadecimal, so neither needs escaping in the comment's JSON.
func (w *writer) block(name, attrs, html string) {
	if w.b.Len() > 0 {
		w.b.WriteString("\n\n")
	}
	w.b.WriteString(comment(name, attrs, html))
}

func comment(name, attrs, html string) string {
	if attrs != "" {
		attrs = "{" + attrs + "} "
	}
	return "<!-- wp:" + name + " " + attrs + "-->\n" + html + "\n<!-- /wp:" + name + " -->"
}

// mark returns the block attribute and the HTML class list of an element whose
// block has the class own by itself; the article's marker goes to the first
// block that asks.
func (w *writer) mark(own, attrs string) (blockAttrs, class string) {
	names := own
	if w.class != "" {
		if attrs != "" {
			attrs += ","
		}
		attrs += `"className":"` + w.class + `"`
		names = strings.TrimSpace(own + " " + w.class)
		w.class = ""
	}
	if names != "" {
		names = ` class="` + names + `"`
	}
	return attrs, names
}

func (w *writer) heading(text, id string) {
	attrs, class := w.mark("wp-block-heading", "")
	if id != "" {
		class += ` id="` + id + `"`
	}
	w.block("heading", attrs, "<h2"+class+">"+Escape(text)+"</h2>")
}

func (w *writer) paragraph(html string) {
	attrs, class := w.mark("", "")
	w.block("paragraph", attrs, "<p"+class+">"+html+"</p>")
}

func (w *writer) list(ordered bool, html []string) {
	items := make([]listItem, len(html))
	for i, h := range html {
		items[i] = listItem{html: h}
	}
	w.items(ordered, items)
}

func (w *writer) items(ordered bool, items []listItem) {
	attrs := ""
	if ordered {
		attrs = `"ordered":true`
	}
	attrs, class := w.mark("wp-block-list", attrs)
	w.block("list", attrs, listHTML(ordered, class, items))
}

func listHTML(ordered bool, class string, items []listItem) string {
	tag := "ul"
	if ordered {
		tag = "ol"
	}
	parts := make([]string, len(items))
	for i, it := range items {
		id := ""
		if it.id != "" {
			id = ` id="` + it.id + `"`
		}
		parts[i] = comment("list-item", "", "<li"+id+">"+it.html+"</li>")
	}
	return "<" + tag + class + ">" + strings.Join(parts, "\n\n") + "</" + tag + ">"
}

func (w *writer) separator() {
	attrs, class := w.mark("wp-block-separator has-alpha-channel-opacity", "")
	w.block("separator", attrs, "<hr"+class+"/>")
}

// folded is a part that opens at a click, with a paragraph and a list for each
// of its entries.
func (w *writer) folded(summary string, entries []foldedEntry) {
	attrs, class := w.mark("wp-block-details", "")
	var inner []string
	for _, e := range entries {
		items := make([]listItem, len(e.list))
		for i, html := range e.list {
			items[i] = listItem{html: html}
		}
		inner = append(inner, comment("paragraph", "", "<p>"+e.lead+"</p>"),
			comment("list", "", listHTML(false, ` class="wp-block-list"`, items)))
	}
	w.block("details", attrs, "<details"+class+"><summary>"+Escape(summary)+"</summary>"+strings.Join(inner, "\n\n")+"</details>")
}

type foldedEntry struct {
	lead string
	list []string
}

func (w *writer) html(raw string) { w.block("html", "", raw) }

func anchor(n int) string { return "source-" + strconv.Itoa(n) }
