package seo

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"blogposter/lib/editorial"
	"blogposter/lib/markup"
)

var (
	slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	fileForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*\.(png|jpg|webp)$`)
	tagH     = regexp.MustCompile(`(?i)<h([1-6])[\s>]`)
	tagImg   = regexp.MustCompile(`(?i)<img\b[^>]*>`)
	attrAlt  = regexp.MustCompile(`(?i)\salt="[^"]*[^"\s][^"]*"`)
)

func slugShape(s Subject) []editorial.Finding {
	slug := s.draft().Slug
	if slugForm.MatchString(slug) && len(slug) <= slugMost {
		return nil
	}
	return broken(RuleSlug, "the address %q is not lower-case letters and digits joined by hyphens, at most %d characters", slug, slugMost)
}

// canonical looks at the one address the article would have. The site itself
// names it in the page, as long as no other article has it.
func canonical(s Subject) []editorial.Finding {
	u, err := url.Parse(s.Dossier.Site.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
		return broken(RuleCanonical, "the site's url %q is no address an article's could begin with: mend the site", s.Dossier.Site.URL)
	}
	if id := s.Dossier.Brief.TargetID; id != 0 {
		return doubtful(RuleCanonical, "this version takes the place of article %d and keeps its address; %q is not used", id, s.draft().Slug)
	}
	for _, l := range s.Dossier.Published {
		if p, err := url.Parse(l.URL); err == nil && slices.Contains(strings.Split(p.Path, "/"), s.draft().Slug) {
			return doubtful(RuleCanonical, "%s has the same address; the site will add a number to this one", l.URL)
		}
	}
	return nil
}

func oneH1(s Subject) []editorial.Finding {
	if strings.TrimSpace(s.draft().Title) == "" {
		return broken(RuleH1, "the draft has no title, which is the page's H1")
	}
	for _, m := range tagH.FindAllStringSubmatch(s.Rendered.Markup, -1) {
		if m[1] == "1" {
			return broken(RuleH1, "the text has an H1 of its own; the title is the page's only one")
		}
	}
	return nil
}

func headings(s Subject) []editorial.Finding {
	var out []editorial.Finding
	seen := map[string]bool{}
	for _, h := range []string{markup.HeadingMethod, markup.HeadingSources, markup.HeadingRelated} {
		seen[strings.ToLower(h)] = true
	}
	for i, sec := range s.draft().Body.Sections {
		h := strings.ToLower(markup.Clean(sec.Heading))
		switch {
		case h == "" && i > 0:
			out = append(out, broken(RuleHeadings, "section %d has no heading", i+1)...)
		case h != "" && seen[h]:
			out = append(out, broken(RuleHeadings, "the heading %q stands there twice", sec.Heading)...)
		case h != "" && len(sec.Blocks) == 0:
			out = append(out, broken(RuleHeadings, "nothing stands below the heading %q", sec.Heading)...)
		}
		seen[h] = true
	}
	level := byte('1')
	for _, m := range tagH.FindAllStringSubmatch(s.Rendered.Markup, -1) {
		if m[1][0] > level+1 {
			out = append(out, broken(RuleHeadings, "an H%s follows an H%c: no level may be left out", m[1], level)...)
		}
		level = m[1][0]
	}
	return out
}

func altText(s Subject) []editorial.Finding {
	var out []editorial.Finding
	for _, img := range tagImg.FindAllString(s.Rendered.Markup, -1) {
		if !attrAlt.MatchString(img) {
			out = append(out, broken(RuleAlt, "an image has no alternative text: %.120s", img)...)
		}
	}
	for _, m := range s.Media {
		if n := utf8.RuneCountInString(strings.TrimSpace(m.Alt)); n < altLeast || n > altMost {
			out = append(out, broken(RuleAlt, "the %s image's alternative text has %d characters, %d to %d are read out whole", m.Role, n, altLeast, altMost)...)
		}
		if markup.Clean(m.Alt) != m.Alt {
			out = append(out, broken(RuleAlt, "the %s image's alternative text has signs that nobody reads: %.120q", m.Role, m.Alt)...)
		}
		if !fileForm.MatchString(m.Name) {
			out = append(out, broken(RuleAlt, "the %s image's file name %q is not lower-case letters, digits and hyphens", m.Role, m.Name)...)
		}
	}
	return out
}

// disclaimers wants each one on the page, word for word.
func disclaimers(s Subject) []editorial.Finding {
	if strings.TrimSpace(s.rules().AIDisclosure) == "" {
		return broken(RuleDisclaimers, "the site has no text that says a model wrote the article: set rules.ai_disclosure")
	}
	shown := markup.Lines(s.Rendered.Markup)
	var out []editorial.Finding
	for _, text := range append(slices.Clone(s.rules().Disclaimers), s.rules().AIDisclosure) {
		if !slices.Contains(shown, markup.Clean(text)) {
			out = append(out, broken(RuleDisclaimers, "the page would not show %q", text)...)
		}
	}
	return out
}

func structuredData(s Subject) []editorial.Finding {
	var data struct {
		Context  string `json:"@context"`
		Type     string `json:"@type"`
		Headline string `json:"headline"`
		Author   struct {
			Name string `json:"name"`
		} `json:"author"`
	}
	switch err := json.Unmarshal([]byte(s.Rendered.JSONLD), &data); {
	case err != nil:
		return broken(RuleJSONLD, "the structured data is no JSON: %v", err)
	case data.Context != "https://schema.org" || data.Type != "Article":
		return broken(RuleJSONLD, "the structured data is no schema.org Article")
	case data.Headline != markup.Clean(s.draft().Title) || data.Author.Name == "":
		return broken(RuleJSONLD, "the structured data lacks the article's headline or author: set the site's author or name")
	case strings.Contains(s.Rendered.JSONLD, "<"):
		return broken(RuleJSONLD, "the structured data could end its script element")
	case !strings.Contains(s.Rendered.Markup, s.Rendered.JSONLD):
		return broken(RuleJSONLD, "the structured data is not in the markup")
	}
	return nil
}
