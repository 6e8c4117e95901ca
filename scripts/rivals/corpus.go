// Package rivals is a made-up little web of competitors for tests and for the
// demo: eight sites that write about some forty subjects, each in its own
// words, with copies of one another's articles among them. What it says is the
// same at every start.
package rivals

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Unknown is the number of comments of a page that doesn't say.
const Unknown = -1

// Page is one article of a competitor.
type Page struct {
	Site     string // key of its Site
	Path     string // begins with a slash
	Subject  string // label: what it is about; pages of one subject belong together
	CopyOf   string // label: Site and Path of the article that it copies, "" for an original
	Title    string
	Sections []Section
	// Published is when it first appeared, Modified when its text last changed.
	Published, Modified time.Time
	Comments            int // Unknown when its site shows none
}

// Section is a part of a Page. The first one has no heading.
type Section struct {
	Heading    string
	Paragraphs []string
}

// Key names a Page among all sites: what CopyOf holds.
func (p Page) Key() string { return p.Site + p.Path }

// Text is the article alone: title, headings and paragraphs, one a line.
func (p Page) Text() string {
	lines := []string{p.Title}
	for _, s := range p.Sections {
		if s.Heading != "" {
			lines = append(lines, s.Heading)
		}
		lines = append(lines, s.Paragraphs...)
	}
	return strings.Join(lines, "\n\n")
}

// OffTopic is the one subject of the corpus that has nothing to do with dogs.
const OffTopic = "aquarium-keeping"

//go:embed subjects.txt
var subjectsText string

//go:embed voices.txt
var voicesText string

// today is when the corpus was last added to.
var today = time.Date(2026, time.November, 20, 9, 0, 0, 0, time.UTC)

// Corpus returns every article of every site, sorted by site and path: the
// same at every call.
func Corpus() []Page {
	voices := parse(voicesText)
	subjects := parse(subjectsText)
	var pages []Page
	for n, subject := range subjects {
		d := dice(subject.key)
		many := 3 + d.roll(6)
		first := d.roll(len(voices))
		var written []Page
		for i := range many {
			voice := voices[(first+i*3)%len(voices)] // 3 and 8 have no common divisor: no site twice
			written = append(written, write(subject, voice, i))
		}
		if n%4 == 0 && many < len(voices) {
			written = append(written, syndicate(written[0], voices[(first+many*3)%len(voices)]))
		}
		pages = append(pages, written...)
	}
	slices.SortFunc(pages, func(a, b Page) int { return strings.Compare(a.Key(), b.Key()) })
	return pages
}

// write has one site write on one subject. nth is how many have before.
func write(subject, voice entry, nth int) Page {
	d := dice(subject.key + "/" + voice.key)
	titles := subject.list("titles")
	title := titles[nth%len(titles)]
	if nth >= len(titles) {
		title += ", explained"
	}
	fill := words{subject: subject, d: &d}
	facts, says := shuffled(subject.all("-"), &d), shuffled(voice.all("say"), &d)
	sections := []Section{{Paragraphs: []string{fill.in(strings.Join(shuffled(voice.all("intro"), &d), " ")) + " " + fill.in(facts[0])}}}
	for i, heading := range voice.all("heading") {
		said := says[i*2:]
		lines := []string{fill.in(said[0]), fill.in(facts[1+i]), fill.in(said[1])}
		if i < len(facts)-4 {
			lines = append(lines, fill.in(facts[4+i]))
		}
		if i+6 < len(says) {
			lines = append(lines, fill.in(says[i+6]))
		}
		sections = append(sections, Section{Heading: heading, Paragraphs: []string{strings.Join(lines[:2], " "), strings.Join(lines[2:], " ")}})
	}
	last := &sections[len(sections)-1]
	check := pick(voice.all("check"), &d) + ": " + strings.Join(shuffled(subject.list("acts"), &d), "; ") + "."
	last.Paragraphs = append(last.Paragraphs, check, fill.in(strings.Join(shuffled(voice.all("close"), &d), " ")))
	published := today.Add(-time.Duration(d.roll(120*24)) * time.Hour)
	return Page{
		Site: voice.key, Path: "/articles/" + slug(title), Subject: subject.key, Title: title, Sections: sections,
		Published: published, Modified: published, Comments: d.roll(12) + d.roll(1+len(subject.key)),
	}
}

// syndicate is the article as another site reprints it: under another title,
// with a line above and one below.
func syndicate(p Page, voice entry) Page {
	from := p.Key()
	c := p
	c.Site, c.CopyOf, c.Title = voice.key, from, "Reprint: "+p.Title
	c.Path = "/articles/" + slug(c.Title)
	c.Published = p.Published.Add(36 * time.Hour)
	c.Modified = c.Published
	c.Sections = slices.Clone(p.Sections)
	c.Sections[0].Paragraphs = append([]string{"This article appeared first in another magazine and is printed here with its permission."}, p.Sections[0].Paragraphs...)
	last := &c.Sections[len(c.Sections)-1]
	last.Paragraphs = append(slices.Clone(last.Paragraphs), "Copyright of the first publisher; shortened where needed.")
	return c
}

// entry is one part of subjects.txt or voices.txt.
type entry struct {
	key   string
	lines map[string][]string
}

func (e entry) all(name string) []string { return e.lines[name] }

// list is the semicolon-parted list of the only line of that name.
func (e entry) list(name string) []string {
	parts := strings.Split(strings.Join(e.lines[name], ";"), ";")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

func parse(text string) []entry {
	var entries []entry
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch key, isEntry := strings.CutPrefix(line, "@ "); {
		case line == "" || strings.HasPrefix(line, "#"):
		case isEntry:
			entries = append(entries, entry{key: key, lines: map[string][]string{}})
		case len(entries) == 0:
			panic("rivals: a line before the first entry: " + line)
		default:
			name, rest, found := strings.Cut(line, ": ")
			if said, ok := strings.CutPrefix(line, "- "); ok {
				name, rest, found = "-", said, true
			}
			if !found {
				panic(fmt.Sprintf("rivals: a line of %s without a name: %s", entries[len(entries)-1].key, line))
			}
			lines := entries[len(entries)-1].lines
			lines[name] = append(lines[name], rest)
		}
	}
	return entries
}

func slug(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return strings.Join(words, "-")
}
