package direct

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
)

const (
	// maxParts is the most sitemaps that are read of one competitor, maxIndexes
	// how deep indexes may lead to indexes.
	maxParts   = 50
	maxIndexes = 2
)

// entry is a url of a sitemap, or a sitemap of an index.
type entry struct{ loc, lastMod, title, published string }

// sitemap reads a sitemap, or the sitemaps that an index names on its host. A
// part that can't be read is left out.
func (l *lister) sitemap(ctx context.Context, a answer, depth int) error {
	parts, err := l.entries(a)
	if err != nil {
		if depth > 0 {
			l.leaveOut("the sitemap %s: %v", a.final, err)
			return nil
		}
		return err
	}
	if len(parts) > 0 && depth >= maxIndexes {
		l.leaveOut("%d sitemaps of %s: its index lies too deep in other indexes", len(parts), a.final)
		return nil
	}
	if undated(parts) {
		// The index may stay as it is while its parts change.
		l.out.Validators = editorial.Validators{}
	}
	l.read[a.final.String()] = true
	for i, part := range parts {
		if len(l.read) > maxParts {
			l.leaveOut("%d sitemaps of %s: more than %d are named", len(parts)-i, a.final, maxParts)
			break
		}
		at, err := a.final.Parse(strings.TrimSpace(part.loc))
		switch {
		case err != nil || !strings.EqualFold(at.Host, a.final.Host):
			l.leaveOut("the sitemap %.200s: it is on another host than its index", part.loc)
			continue
		case l.read[at.String()]:
			l.leaveOut("the sitemap %s: it is named by itself or twice", at)
			continue
		}
		l.read[at.String()] = true
		child, err := l.get(ctx, at.String(), editorial.Validators{})
		if err != nil {
			if ctx.Err() != nil {
				l.leaveOut("%d sitemaps of %s: the time for one list was up", len(parts)-i, a.final)
				return nil
			}
			l.leaveOut("the sitemap %s: %v", at, err)
			continue
		}
		if err := l.sitemap(ctx, child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func undated(parts []entry) bool {
	for _, p := range parts {
		if timeOf(p.lastMod) == nil {
			return true
		}
	}
	return false
}

// entries streams one sitemap file: its pages go to the list, the sitemaps of
// an index are returned.
func (l *lister) entries(a answer) (parts []entry, err error) {
	body, err := a.xml()
	if err != nil {
		return nil, err
	}
	d := lenient(body)
	var open []string
	found, why := 0, a.cut
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			why = firstOf(a.cut, "it is damaged there")
			break
		}
		start, isStart := tok.(xml.StartElement)
		if _, isEnd := tok.(xml.EndElement); isEnd && len(open) > 0 {
			open = open[:len(open)-1]
		}
		if !isStart {
			continue
		}
		if start.Name.Local != "url" && start.Name.Local != "sitemap" {
			if open = append(open, start.Name.Local); len(open) > maxNesting {
				why = fmt.Sprintf("it is nested deeper than %d elements", maxNesting)
				break
			}
			continue
		}
		e, err := l.entry(d)
		if err != nil {
			why = firstOf(a.cut, err.Error())
			break
		}
		found++
		if start.Name.Local == "sitemap" {
			parts = append(parts, e)
			continue
		}
		l.add(a.final, editorial.ListedPage{URL: e.loc, Title: e.title, ChangedAt: timeOf(e.lastMod), PublishedAt: timeOf(e.published)})
		if len(l.out.Pages) >= maxListed {
			why = fmt.Sprintf("more than %d pages are listed", maxListed)
			break
		}
	}
	if found == 0 {
		return nil, fault.Permanent(fmt.Errorf("it is no sitemap that can be read%s", because(why)))
	}
	l.more = 0
	if why != "" {
		l.leaveOut("what %s names after its first %d entries: %s", a.final, found, why)
	}
	return parts, nil
}

// entry reads one url or sitemap element, whose start was read. Its own
// nesting is bounded, as is its text.
func (l *lister) entry(d *xml.Decoder) (entry, error) {
	var e entry
	open := []string{}
	for {
		tok, err := d.Token()
		if err != nil {
			return e, errors.New("it is damaged there")
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if open = append(open, t.Name.Local); len(open) > maxNesting {
				return e, fmt.Errorf("it is nested deeper than %d elements", maxNesting)
			}
		case xml.EndElement:
			if len(open) == 0 {
				return e, nil
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(t) > 4096 {
				continue
			}
			switch strings.Join(open, "/") {
			case "loc":
				e.loc += string(t)
			case "lastmod":
				e.lastMod += string(t)
			case "news/title":
				e.title += string(t)
			case "news/publication_date":
				e.published += string(t)
			}
		}
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}
