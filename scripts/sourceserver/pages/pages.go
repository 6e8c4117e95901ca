// Package pages serves Markdown files as a reader service would, and as HTML.
package pages

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Page is one file of a folder.
type Page struct {
	Slug      string // the file's name: where its HTML is served
	URL       string // what the reader is asked for, and what a citation names
	Local     bool   // URL is this server's own HTML
	Title     string
	Published string // as the file says it
	Warning   string // what the reader says of the page, such as an error status
	Tier      string // "authoritative", "secondary" or "": the file doesn't say
	Content   string // Markdown
	Dir       string
}

// Load reads the *.md files of dir. A page whose URL Source is a path is
// served by this server at base.
func Load(dir, base string) ([]Page, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("no folder of pages: %w", err)
	}
	var list []Page
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // the folder is named by whoever starts the program
		if err != nil {
			return nil, err
		}
		p := parse(string(text))
		if p.URL == "" {
			continue // a note beside the pages, such as a README
		}
		p.Slug, p.Dir = strings.TrimSuffix(filepath.Base(file), ".md"), filepath.Clean(dir)
		if p.Local = strings.HasPrefix(p.URL, "/"); p.Local {
			p.URL = strings.TrimSuffix(base, "/") + p.URL
		}
		if u, err := url.Parse(p.URL); err != nil || u.Host == "" {
			return nil, fmt.Errorf("%s: URL Source %q is neither an address nor a path that begins with /", file, p.URL)
		}
		if p.Tier != "" && p.Tier != "authoritative" && p.Tier != "secondary" {
			return nil, fmt.Errorf("%s: Tier %q; write authoritative or secondary", file, p.Tier)
		}
		list = append(list, p)
	}
	return list, nil
}

// bold is a header line as people write it in Markdown: **URL Source:** …
var bold = regexp.MustCompile(`^\*\*([A-Za-z ]+):\*\*\s*(.*)$`)

// parse reads a page in the reader's text form (Title: …, Markdown Content:),
// or as a Markdown file whose heading is followed by bold header lines.
func parse(file string) Page {
	file = strings.ReplaceAll(strings.TrimPrefix(file, "\uFEFF"), "\r\n", "\n")
	if head, content, ok := strings.Cut(file, "\nMarkdown Content:\n"); ok {
		var p Page
		for line := range strings.SplitSeq(head, "\n") {
			key, value, _ := strings.Cut(line, ":")
			p.set(key, strings.TrimSpace(value))
		}
		p.Content = content
		return p
	}
	var p Page
	lines := strings.Split(file, "\n")
	title, ok := strings.CutPrefix(lines[0], "# ")
	if !ok {
		return p
	}
	p.Title = strings.TrimSpace(title)
	rest := lines[1:]
	for len(rest) > 0 {
		m := bold.FindStringSubmatch(strings.TrimSpace(rest[0]))
		if m == nil && strings.TrimSpace(rest[0]) != "" {
			break
		}
		if m != nil {
			p.set(m[1], m[2])
		}
		rest = rest[1:]
	}
	p.Content = lines[0] + "\n\n" + strings.Join(rest, "\n")
	return p
}

func (p *Page) set(key, value string) {
	switch key {
	case "Title":
		p.Title = value
	case "URL Source":
		p.URL = value
	case "Published Time", "Published":
		p.Published = value
	case "Warning":
		p.Warning = value
	case "Tier":
		p.Tier = strings.ToLower(value)
	}
}
