package draft

import (
	"fmt"
	"maps"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/fault"
	"blogposter/lib/llm"
	"blogposter/lib/prompt"
)

// request fills in a prompt.
func request(set, name string, vars prompt.Vars) (llm.Request, error) {
	p, err := prompt.Load(set, name)
	if err != nil {
		return llm.Request{}, err
	}
	system, user, err := p.Render(vars)
	if err != nil {
		return llm.Request{}, fault.Permanent(err)
	}
	return llm.Request{
		Prompt: p.Version, System: system, Schema: p.Schema,
		Messages: []llm.Message{{Role: llm.RoleUser, Text: user}},
	}, nil
}

// voice are the values with which a site speaks in a system part.
func voice(site editorial.Site) prompt.Vars {
	return prompt.Vars{
		"site": site.Name, "audience": site.Audience, "voice": site.Voice, "language": site.Language,
		"legal_terms": strings.Join(site.Rules.LegalTerms, ", "),
	}
}

func with(vars, more prompt.Vars) prompt.Vars {
	maps.Copy(vars, more)
	return vars
}

// forbidden lists what must not be said, in the site's own words.
func forbidden(rules editorial.Rules) string {
	var reasons []string
	for _, f := range rules.Forbidden {
		reasons = append(reasons, f.Reason)
	}
	if len(reasons) == 0 {
		return "anything the evidence does not bear out."
	}
	return strings.Join(reasons, "; ") + "."
}

// passages are Evidence as tags, with the page they are from, and the heading
// and the question they stand under there.
func passages(list []editorial.Evidence, pages []page) []prompt.Tag {
	tags := make([]prompt.Tag, 0, len(list))
	for _, e := range list {
		attrs := []string{"n", fmt.Sprint(e.N)}
		for i, p := range pages {
			if p.snapshot.ID == e.SnapshotID {
				under, asked := evidence.Above(p.text, p.headings, e.Start)
				attrs = append(attrs, "page", fmt.Sprint(i+1), "under", under)
				if asked != "" {
					attrs = append(attrs, "asked", asked)
				}
			}
		}
		tags = append(tags, prompt.Tag{Name: "evidence", Attrs: attrs, Text: e.Quote})
	}
	return tags
}

// titles says what the pages are.
func titles(pages []page) []prompt.Tag {
	tags := make([]prompt.Tag, 0, len(pages))
	for i, p := range pages {
		tags = append(tags, prompt.Tag{Name: "page", Attrs: []string{"n", fmt.Sprint(i + 1), "tier", string(p.snapshot.Tier)}, Text: p.snapshot.Title})
	}
	return tags
}
