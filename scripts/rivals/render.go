package rivals

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"strings"
	"time"
)

// render is the page as its site shows it, between a head and a foot that are
// the same on all of its pages.
func (r *Rival) render(p Page) []byte {
	var b strings.Builder
	ld := map[string]any{"@context": "https://schema.org", "@type": "Article", "headline": p.Title, "datePublished": p.Published.Format(time.RFC3339)}
	if p.Comments != Unknown && r.Key != "city-canine" {
		ld["interactionStatistic"] = map[string]any{
			"@type": "InteractionCounter", "interactionType": "https://schema.org/CommentAction", "userInteractionCount": p.Comments,
		}
	}
	data, _ := json.Marshal(ld)
	name := html.EscapeString(r.Name)
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s | %s</title>\n<script type=\"application/ld+json\">%s</script></head>\n<body>", html.EscapeString(p.Title), name, data)
	fmt.Fprintf(&b, "<header><a href=\"/\">%s</a></header>\n<nav><ul><li><a href=\"/about\">About us</a></li><li><a href=\"/archive\">Archive</a></li><li><a href=\"/shop\">Shop</a></li></ul></nav>\n", name)
	b.WriteString("<main><article>\n<h1>" + html.EscapeString(p.Title) + "</h1>\n")
	for _, s := range p.Sections {
		if s.Heading != "" {
			b.WriteString("<h2>" + html.EscapeString(s.Heading) + "</h2>\n")
		}
		for _, text := range s.Paragraphs {
			b.WriteString("<p>" + html.EscapeString(text) + "</p>\n")
		}
	}
	fmt.Fprintf(&b, "</article></main>\n<aside><h3>More from %s</h3><ul><li><a href=\"/newsletter\">Newsletter</a></li></ul></aside>\n<footer><p>%s. All rights reserved.</p><a href=\"/imprint\">Imprint</a></footer></body></html>\n", name, name)
	return []byte(b.String())
}

// Markdown is the page as the reader service returns it.
func (p Page) Markdown() string {
	var b strings.Builder
	b.WriteString("# " + p.Title + "\n\n")
	for _, s := range p.Sections {
		if s.Heading != "" {
			b.WriteString("## " + s.Heading + "\n\n")
		}
		b.WriteString(strings.Join(s.Paragraphs, "\n\n") + "\n\n")
	}
	return b.String()
}

func (r *Rival) links(pages []Page) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html><html><head><title>%s</title></head><body><nav><a href=\"/about\">About</a></nav><main><h1>%s</h1><ul>\n", html.EscapeString(r.Name), html.EscapeString(r.Name))
	for _, p := range pages {
		fmt.Fprintf(&b, "<li><a href=\"%s#top\">%s</a></li>\n", p.Path, html.EscapeString(p.Title))
	}
	b.WriteString("</ul><a href=\"/logo.png\">Logo</a> <a href=\"https://elsewhere.example/\">Friends</a></main><footer><a href=\"/imprint\">Imprint</a></footer></body></html>\n")
	return []byte(b.String())
}

func (r *Rival) rss(base string, pages []Page) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:slash=\"http://purl.org/rss/1.0/modules/slash/\"><channel><title>%s</title><link>%s/</link>\n", text(r.Name), base)
	for _, p := range pages {
		fmt.Fprintf(&b, "<item><title>%s</title><link>%s%s?utm_source=feed</link><pubDate>%s</pubDate><slash:comments>%d</slash:comments></item>\n",
			text(p.Title), base, p.Path, p.Published.Format(time.RFC1123Z), max(p.Comments, 0))
	}
	b.WriteString("</channel></rss>\n")
	return b.Bytes()
}

func (r *Rival) atom(base string, pages []Page) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>%s</title><id>%s/</id>\n", text(r.Name), base)
	for _, p := range pages {
		fmt.Fprintf(&b, "<entry><title>%s</title><id>%s%s</id><link href=\"%s%s\"/><published>%s</published><updated>%s</updated></entry>\n",
			text(p.Title), base, p.Path, base, p.Path, p.Published.Format(time.RFC3339), p.Modified.Format(time.RFC3339))
	}
	b.WriteString("</feed>\n")
	return b.Bytes()
}

func (r *Rival) jsonFeed(base string, pages []Page) []byte {
	items := []map[string]any{}
	for _, p := range pages {
		items = append(items, map[string]any{
			"id": base + p.Path, "url": base + p.Path, "title": p.Title,
			"date_published": p.Published.Format(time.RFC3339), "date_modified": p.Modified.Format(time.RFC3339),
		})
	}
	body, _ := json.Marshal(map[string]any{"version": "https://jsonfeed.org/version/1.1", "title": r.Name, "items": items})
	return body
}

// index leads to two sitemaps, each dated by its newest page.
func (r *Rival) index(base string, pages []Page) []byte {
	half := len(pages) / 2
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n")
	for _, part := range []struct {
		path  string
		pages []Page
	}{{"/sitemap-1.xml.gz", pages[:half]}, {"/sitemap-2.xml", pages[half:]}} {
		newest := today.AddDate(-1, 0, 0)
		for _, p := range part.pages {
			if p.Modified.After(newest) {
				newest = p.Modified
			}
		}
		fmt.Fprintf(&b, "<sitemap><loc>%s%s</loc><lastmod>%s</lastmod></sitemap>\n", base, part.path, newest.Add(time.Duration(len(part.pages))*time.Second).Format(time.RFC3339))
	}
	b.WriteString("</sitemapindex>\n")
	return b.Bytes()
}

func sitemap(base string, pages []Page, dated bool) []byte {
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n")
	for _, p := range pages {
		fmt.Fprintf(&b, "<url><loc>%s%s</loc>", base, p.Path)
		if dated {
			fmt.Fprintf(&b, "<lastmod>%s</lastmod>", p.Modified.Format(time.RFC3339))
		}
		b.WriteString("</url>\n")
	}
	b.WriteString("</urlset>\n")
	return b.Bytes()
}

func text(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
