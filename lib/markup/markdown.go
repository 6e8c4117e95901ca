package markup

import (
	"fmt"
	"regexp"
	"strings"

	"blogposter/lib/editorial"
)

var (
	markdownSpecial = regexp.MustCompile("[\\\\`*_\\[\\]<>~|&]")
	markdownStart   = regexp.MustCompile(`^([#+=-]|\d+[.)])`)
)

// Markdown renders the Draft for a reviewer: the text with the numbers of its
// sources, the parts below it, and what each source says.
func Markdown(d editorial.Dossier) string {
	if d.Draft == nil {
		return ""
	}
	src := Sources(d)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", md(d.Draft.Title))
	for s, sec := range d.Draft.Body.Sections {
		if sec.Heading != "" {
			fmt.Fprintf(&b, "## %s\n\n", md(sec.Heading))
		}
		for k, blk := range sec.Blocks {
			for i, item := range blk.Items {
				if blk.Kind == editorial.BlockList {
					b.WriteString("- ")
				}
				b.WriteString(mdItem(item, src, place(s, k, i)) + "\n")
				if blk.Kind != editorial.BlockList {
					b.WriteString("\n")
				}
			}
			if blk.Kind == editorial.BlockList {
				b.WriteString("\n")
			}
		}
	}
	mdBelow(&b, d, src)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func mdBelow(b *strings.Builder, d editorial.Dossier, src SourceList) {
	fmt.Fprintf(b, "## %s\n\n", HeadingMethod)
	for _, text := range append(append([]string{}, d.Site.Rules.Disclaimers...), d.Site.Rules.AIDisclosure) {
		if text != "" {
			b.WriteString(md(text) + "\n\n")
		}
	}
	if len(src.All) > 0 {
		fmt.Fprintf(b, "## %s\n\n", HeadingSources)
	}
	for _, s := range src.All {
		fmt.Fprintf(b, "%d. %s. %s%s\n", s.N, mdLink(s.Snapshot.URL, s.title()), Words(s.Snapshot.Tier), s.read())
		for _, q := range s.Quotes {
			fmt.Fprintf(b, "   > %s\n", md(short(q)))
		}
	}
	if links := Related(d); len(links) > 0 {
		fmt.Fprintf(b, "\n## %s\n\n", HeadingRelated)
		for _, l := range links {
			fmt.Fprintf(b, "- %s\n", mdLink(l.URL, l.Title))
		}
	}
}

func mdItem(item editorial.Item, src SourceList, at string) string {
	parts := make([]string, len(item.Sentences))
	for n, s := range item.Sentences {
		text := Clean(s.Text)
		if n == 0 {
			parts[n] = md(text)
		} else {
			parts[n] = mdEscape(text)
		}
		for _, c := range src.For(sentencePlace(at, n), s) {
			parts[n] += fmt.Sprintf(`\[%d\]`, c)
		}
	}
	return strings.Join(parts, " ")
}

func mdLink(address, text string) string {
	h, ok := href(address)
	if !ok {
		return md(text)
	}
	return "[" + mdEscape(Clean(text)) + "](<" + h + ">)"
}

// md is text at the beginning of a line.
func md(s string) string {
	s = mdEscape(Clean(s))
	return markdownStart.ReplaceAllStringFunc(s, func(m string) string {
		return m[:len(m)-1] + `\` + m[len(m)-1:]
	})
}

func mdEscape(s string) string { return markdownSpecial.ReplaceAllString(s, `\$0`) }
