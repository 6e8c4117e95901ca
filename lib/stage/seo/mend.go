package seo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/llm"
	"blogposter/lib/markup"
	"blogposter/lib/pipeline"
	"blogposter/lib/prompt"
)

// repairTokens is room for three texts of the longest kind.
const repairTokens = 600

// place is where the text that breaks a rule stands, as Claim.Place says it.
var place = map[string]string{RuleTitleLength: "title", RuleMetaLength: "meta", RuleExcerpt: "excerpt", RuleSlug: "slug"}

type patches struct {
	Patches []struct {
		Place string `json:"place"`
		Text  string `json:"text"`
	} `json:"patches"`
}

// mend returns the next version of the Draft with better texts, or nil when
// there are none. The address needs no model.
func (s *Stage) mend(ctx context.Context, l pipeline.Lease, d editorial.Dossier, broken []string) (*editorial.Draft, error) {
	next := *d.Draft
	next.ID, next.Version = 0, d.Draft.Version+1
	next.Markup, next.JSONLD, next.Digest = "", "", ""
	changed := false
	if findings, texts := wrong(d.Draft, broken); len(texts) > 0 {
		r, err := request(l, d, findings, texts)
		if err != nil {
			return nil, err
		}
		var answer patches
		if err := s.models.JSON(ctx, l, r, &answer); err != nil {
			return nil, fmt.Errorf("mend draft %d: %w", d.Draft.ID, err)
		}
		for _, p := range answer.Patches {
			changed = take(&next, d.Site.Rules, broken, p.Place, markup.Clean(p.Text)) || changed
		}
	}
	if slug := Slug(next.Title); slug != "" && slices.Contains(broken, RuleSlug) {
		next.Slug, changed = slug, true
	}
	if !changed {
		return nil, nil //nolint:nilnil // no better text is no error: the length becomes a warning
	}
	return &next, nil
}

// take accepts a patch for a text that is broken if it comes closer to the
// rule and says nothing forbidden; anything else would be bought for nothing.
func take(d *editorial.Draft, rules editorial.Rules, broken []string, at, text string) bool {
	for _, rule := range broken {
		field, least, most := limits(d, rule)
		if place[rule] != at || field == nil || text == "" || off(text, least, most) >= off(*field, least, most) {
			continue
		}
		if faults, err := says(rules.Forbidden, text); err != nil || len(faults) > 0 {
			continue
		}
		*field = text
		return true
	}
	return false
}

// limits are the text a length rule is about and how long it may be.
func limits(d *editorial.Draft, rule string) (field *string, least, most int) {
	switch rule {
	case RuleTitleLength:
		return &d.Title, titleLeast, titleMost
	case RuleMetaLength:
		return &d.MetaDescription, metaLeast, metaMost
	case RuleExcerpt:
		return &d.Excerpt, excerptLeast, excerptMost
	}
	return nil, 0, 0
}

// off is by how many characters text misses its range.
func off(text string, least, most int) int {
	n := utf8.RuneCountInString(text)
	return max(least-n, n-most, 0)
}

// wrong are the texts a model is asked to mend, and what is wrong with each.
func wrong(d *editorial.Draft, broken []string) (findings, texts []prompt.Tag) {
	for _, rule := range broken {
		field, least, most := limits(d, rule)
		if field == nil {
			continue
		}
		at := []string{"place", place[rule]}
		findings = append(findings, prompt.Tag{Name: "finding", Attrs: at, Text: fmt.Sprintf(
			"It has %d characters, spaces included; it must have %d to %d.", utf8.RuneCountInString(*field), least, most)})
		texts = append(texts, prompt.Tag{Name: "text", Attrs: at, Text: *field})
	}
	return findings, texts
}

func request(l pipeline.Lease, d editorial.Dossier, findings, texts []prompt.Tag) (llm.Request, error) {
	p, err := prompt.Load(l.Pins.Prompts, "repair")
	if err != nil {
		return llm.Request{}, err
	}
	reasons := make([]string, len(d.Site.Rules.Forbidden))
	for i, f := range d.Site.Rules.Forbidden {
		reasons[i] = f.Reason
	}
	system, user, err := p.Render(prompt.Vars{
		"site": d.Site.Name, "audience": d.Site.Audience, "voice": d.Site.Voice, "language": d.Site.Language,
		"legal_terms": strings.Join(d.Site.Rules.LegalTerms, ", "), "forbidden": strings.Join(reasons, "; "),
		"topic": d.Brief.Topic, "keyphrase": d.Draft.Keyphrase, "findings": findings, "texts": texts, "article": prose(d.Draft.Body),
	})
	if err != nil {
		return llm.Request{}, fault.Permanent(err)
	}
	return llm.Request{
		Step: fmt.Sprintf("repair:%d", d.Draft.Version), Prompt: p.Version, Model: l.Pins.Small, System: system, Schema: p.Schema,
		Messages: []llm.Message{{Role: llm.RoleUser, Text: user}}, MaxTokens: repairTokens,
	}, nil
}

// prose is the body as plain text.
func prose(b editorial.Body) string {
	var out []string
	for _, sec := range b.Sections {
		if sec.Heading != "" {
			out = append(out, "## "+sec.Heading)
		}
		for _, blk := range sec.Blocks {
			var items []string
			for _, item := range blk.Items {
				text := joined(item)
				if blk.Kind == editorial.BlockList {
					text = "- " + text
				}
				items = append(items, text)
			}
			out = append(out, strings.Join(items, "\n"))
		}
	}
	return strings.Join(out, "\n\n")
}

func joined(item editorial.Item) string {
	parts := make([]string, len(item.Sentences))
	for i, s := range item.Sentences {
		parts[i] = s.Text
	}
	return strings.Join(parts, " ")
}

func listed(rules []string) string { return strings.Join(rules, ", ") }

// Slug is a title as a part of an address: ASCII, hyphens between words, no
// word cut.
func Slug(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	out := ""
	for _, w := range words {
		if len(out)+1+len(w) > slugMost {
			break
		}
		out = strings.TrimPrefix(out+"-"+w, "-")
	}
	return out
}
