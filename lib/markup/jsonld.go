package markup

import (
	"encoding/json"
	"fmt"
	"strings"

	"blogposter/lib/editorial"
)

type thing struct {
	Type string `json:"@type"`
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

// article is schema.org's Article. It has no dates: they are not known when
// the text is approved, and the site prints its own.
type article struct {
	Context     string   `json:"@context"`
	Type        string   `json:"@type"`
	Headline    string   `json:"headline"`
	Description string   `json:"description"`
	InLanguage  string   `json:"inLanguage,omitempty"`
	Section     []string `json:"articleSection,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
	Author      thing    `json:"author"`
	Publisher   thing    `json:"publisher"`
	Citation    []thing  `json:"citation,omitempty"`
}

func jsonLD(d editorial.Dossier, src SourceList) (string, error) {
	a := article{
		Context: "https://schema.org", Type: "Article",
		Headline: Clean(d.Draft.Title), Description: Clean(d.Draft.MetaDescription), InLanguage: d.Site.Language,
		Section: d.Draft.Categories, Keywords: keywords(*d.Draft),
		// A byline may name a desk or a person; only that it answers for the
		// text is known, so it is given as an organisation.
		Author:    thing{Type: "Organization", Name: d.Site.Author},
		Publisher: thing{Type: "Organization", Name: d.Site.Name, URL: d.Site.URL},
	}
	if a.Author.Name == "" {
		a.Author = a.Publisher
	}
	for _, s := range src.All {
		address, _ := webURL(s.Snapshot.URL)
		a.Citation = append(a.Citation, thing{Type: "WebPage", Name: s.title(), URL: address})
	}
	// Marshal writes <, > and & as \u escapes: nothing can end the script.
	raw, err := json.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("structured data of draft %d: %w", d.Draft.ID, err)
	}
	return escapeBrackets(string(raw)), nil
}

func keywords(d editorial.Draft) []string {
	if d.Keyphrase == "" {
		return d.Tags
	}
	return append([]string{d.Keyphrase}, d.Tags...)
}

// escapeBrackets writes the brackets inside JSON strings as escapes, since
// WordPress looks for shortcodes in scripts too.
func escapeBrackets(raw string) string {
	var b strings.Builder
	inString, escaped := false, false
	for _, r := range raw {
		switch {
		case inString && r == '[':
			b.WriteString(`\u005b`)
			continue
		case inString && r == ']':
			b.WriteString(`\u005d`)
			continue
		case escaped:
			escaped = false
		case inString && r == '\\':
			escaped = true
		case r == '"':
			inString = !inString
		}
		b.WriteRune(r)
	}
	return b.String()
}
