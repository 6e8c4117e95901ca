// Package markup turns an approved body into what a site shows: WordPress
// blocks exactly as its editor would store them, structured data, Markdown for
// the reviewer. It is pure, and the same Dossier always gives the same bytes,
// so that what is read back from a site can be compared byte for byte.
//
// Every text is data: nothing a page or a model wrote can end a block, open a
// tag, call a shortcode, or become an embed.
package markup

import (
	"errors"
	"strconv"

	"blogposter/lib/editorial"
)

// Rendered is a Draft as its site gets it.
type Rendered struct {
	Markup string // Gutenberg blocks; JSONLD stands in the last one
	JSONLD string // schema.org Article, safe inside a script element
}

// Headings of the parts that stand below every article.
const (
	HeadingMethod  = "How this article was made"
	HeadingSources = "Sources"
	HeadingRelated = "Related reading"
)

const summaryQuotes = "The passages this article rests on"

// Render renders the Dossier's Draft. The title is not part of it: the theme
// prints it as the page's only H1. Links lead to the first of d.Published that
// Related picks; what doesn't resolve must be taken out before.
func Render(d editorial.Dossier) (Rendered, error) {
	if d.Draft == nil {
		return Rendered{}, errors.New("nothing to render: the run has no draft")
	}
	if d.Brief.Marker == "" {
		return Rendered{}, errors.New("nothing to find the post by: the run has no marker")
	}
	src := Sources(d)
	ld, err := jsonLD(d, src)
	if err != nil {
		return Rendered{}, err
	}
	w := &writer{class: d.Brief.Marker}
	w.body(d.Draft.Body, src)
	w.separator()
	w.method(d.Site.Rules)
	w.sources(src)
	w.related(Related(d))
	w.html(`<script type="application/ld+json">` + ld + `</script>`)
	return Rendered{Markup: w.b.String(), JSONLD: ld}, nil
}

func (w *writer) body(b editorial.Body, src SourceList) {
	for s, sec := range b.Sections {
		if sec.Heading != "" {
			w.heading(sec.Heading, "")
		}
		for k, blk := range sec.Blocks {
			items := make([]string, len(blk.Items))
			for i, item := range blk.Items {
				items[i] = sentences(item, src, place(s, k, i))
			}
			if blk.Kind == editorial.BlockList {
				w.list(false, items)
				continue
			}
			for _, text := range items {
				w.paragraph(text)
			}
		}
	}
}

// method tells the reader who wrote this, in the site's own words.
func (w *writer) method(r editorial.Rules) {
	w.heading(HeadingMethod, "")
	for _, text := range append(append([]string{}, r.Disclaimers...), r.AIDisclosure) {
		if text != "" {
			w.paragraph(Escape(text))
		}
	}
}

func (w *writer) sources(src SourceList) {
	if len(src.All) == 0 {
		return
	}
	w.heading(HeadingSources, "sources")
	items := make([]listItem, len(src.All))
	var quoted []foldedEntry
	for i, s := range src.All {
		items[i] = listItem{id: anchor(s.N), html: s.line()}
		if len(s.Quotes) > 0 {
			quoted = append(quoted, foldedEntry{lead: "<strong>[" + strconv.Itoa(s.N) + "] " + Escape(s.title()) + "</strong>", list: s.quoteLines()})
		}
	}
	w.items(true, items)
	if len(quoted) > 0 {
		w.folded(summaryQuotes, quoted) // or the page would be half quotes
	}
}

func (w *writer) related(links []editorial.Link) {
	if len(links) == 0 {
		return
	}
	w.heading(HeadingRelated, "")
	items := make([]string, len(links))
	for i, l := range links {
		items[i] = link(l.URL, l.Title)
	}
	w.list(false, items)
}
