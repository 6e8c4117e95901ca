package seo

import (
	"fmt"
	"unicode/utf8"

	"blogposter/lib/editorial"
	"blogposter/lib/markup"
)

// The rules' names.
const (
	RuleTitleLength  = "title-length"
	RuleMetaLength   = "meta-length"
	RuleExcerpt      = "excerpt"
	RuleSlug         = "slug"
	RuleH1           = "one-h1"
	RuleHeadings     = "headings"
	RuleAlt          = "alt-text"
	RuleKeyphrase    = "keyphrase"
	RuleDensity      = "keyphrase-density"
	RuleLinks        = "internal-links"
	RuleJSONLD       = "json-ld"
	RuleReadability  = "readability"
	RuleCanonical    = "canonical"
	RuleWords        = "word-count"
	RuleDisclaimers  = "disclaimers"
	RuleForbidden    = "forbidden"
	RuleCitations    = "citations"
	titleLeast       = 45
	titleMost        = 60
	metaLeast        = 140
	metaMost         = 160
	excerptLeast     = 1
	excerptMost      = 300
	slugMost         = 60
	altLeast         = 5
	altMost          = 250 // what a screen reader says in one breath or two
	densityLeast     = 2.0 // percent of the words
	densityMost      = 3.0
	gradeLeast       = 8.0
	gradeMost        = 10.0
	defaultLeastWord = 1500 // where the site says nothing
	defaultMostWord  = 2500
)

// Subject is what is linted: a Draft with all it rests on, as it would be
// rendered. Dead and Unchecked are addresses of the site that were left out of
// the links: they don't resolve, or did not answer in time.
type Subject struct {
	Dossier   editorial.Dossier
	Rendered  markup.Rendered
	Media     []editorial.Media
	Dead      []string
	Unchecked []string
}

func (s Subject) draft() editorial.Draft { return *s.Dossier.Draft }
func (s Subject) rules() editorial.Rules { return s.Dossier.Site.Rules }

// Lint applies every rule, in one order.
func Lint(s Subject) []editorial.Finding {
	var all []editorial.Finding
	for _, rule := range []func(Subject) []editorial.Finding{
		titleLength, metaLength, excerptLength, slugShape, canonical, oneH1, headings, altText, wordCount,
		keyphrase, density, readability, internalLinks, citations, disclaimers, forbidden, structuredData,
	} {
		all = append(all, rule(s)...)
	}
	return all
}

func broken(rule, format string, args ...any) []editorial.Finding {
	return []editorial.Finding{{Rule: rule, Severity: editorial.SeverityError, Message: fmt.Sprintf(format, args...)}}
}

func doubtful(rule, format string, args ...any) []editorial.Finding {
	return []editorial.Finding{{Rule: rule, Severity: editorial.SeverityWarning, Message: fmt.Sprintf(format, args...)}}
}

func titleLength(s Subject) []editorial.Finding {
	return length(RuleTitleLength, "title", s.draft().Title, titleLeast, titleMost)
}

func metaLength(s Subject) []editorial.Finding {
	return length(RuleMetaLength, "meta description", s.draft().MetaDescription, metaLeast, metaMost)
}

func excerptLength(s Subject) []editorial.Finding {
	return length(RuleExcerpt, "excerpt", s.draft().Excerpt, excerptLeast, excerptMost)
}

func length(rule, what, text string, least, most int) []editorial.Finding {
	if off(text, least, most) == 0 {
		return nil
	}
	return broken(rule, "the %s has %d characters, %d to %d are shown whole", what, utf8.RuneCountInString(text), least, most)
}

func wordCount(s Subject) []editorial.Finding {
	least, most := s.rules().MinWords, s.rules().MaxWords
	if least == 0 {
		least = defaultLeastWord
	}
	if most == 0 {
		most = defaultMostWord
	}
	if n := s.draft().Body.Words(); n < least || n > most {
		return broken(RuleWords, "the body has %d words, the site asks for %d to %d", n, least, most)
	}
	return nil
}

func internalLinks(s Subject) []editorial.Finding {
	var out []editorial.Finding
	for _, url := range s.Dead {
		out = append(out, doubtful(RuleLinks, "%s is published and doesn't resolve; it is not linked", url)...)
	}
	for _, url := range s.Unchecked {
		out = append(out, doubtful(RuleLinks, "%s could not be checked, since the site is slow or down; it is not linked", url)...)
	}
	if n := len(markup.Related(s.Dossier)); n < markup.MinRelated {
		out = append(out, doubtful(RuleLinks, "the article links to %d others of the site, %d to %d are wanted: the site has no more that resolve", n, markup.MinRelated, markup.MaxRelated)...)
	}
	return out
}

// citations finds numbers that lead nowhere: a reader could not check them.
func citations(s Subject) []editorial.Finding {
	known := map[int]int64{}
	for _, e := range s.Dossier.Evidence {
		known[e.N] = e.SnapshotID
	}
	var out []editorial.Finding
	for _, sen := range s.draft().Body.Sentences() {
		for _, n := range sen.Evidence {
			id, ok := known[n]
			if _, there := s.Dossier.Snapshot(id); !ok || !there {
				out = append(out, broken(RuleCitations, "sentence %s cites evidence %d, which has no page: %q", sen.Place, n, sen.Text)...)
			}
		}
	}
	for _, c := range s.Dossier.Claims {
		for _, cite := range c.Citations {
			if _, there := s.Dossier.Snapshot(cite.SnapshotID); !there {
				out = append(out, broken(RuleCitations, "claim %d cites page %s, which this run did not read", c.N, cite.URL)...)
			}
		}
	}
	if len(markup.Sources(s.Dossier).All) == 0 {
		out = append(out, broken(RuleCitations, "no sentence cites a source")...)
	}
	return out
}
