package factcheck

import (
	"context"
	"fmt"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/llm"
	"blogposter/lib/prompt"
)

const (
	callsAtOnce   = 6
	perClaimsCall = 40 // sentences
	claimsTokens  = 40 // for a sentence
)

// sentence is one candidate of the Draft.
type sentence struct {
	place    string
	text     string
	evidence []int
	title    bool // a title or heading: a name, unless it asserts something
}

// claim is a Claim with the evidence its sentence names.
type claim struct {
	editorial.Claim
	evidence []int
}

// sentences lists everything a reader or a search engine will see.
func sentences(d editorial.Draft) []sentence {
	out := []sentence{{place: "title", text: d.Title, title: true}}
	for _, part := range []struct{ place, text string }{{"meta", d.MetaDescription}, {"excerpt", d.Excerpt}} {
		for _, s := range evidence.Sentences(part.text) {
			out = append(out, sentence{place: part.place, text: part.text[s.Mark:s.End]})
		}
	}
	for i, sec := range d.Body.Sections {
		if sec.Heading != "" {
			out = append(out, sentence{place: fmt.Sprint(i), text: sec.Heading, title: true})
		}
		for _, s := range (editorial.Body{Sections: []editorial.Section{sec}}).Sentences() {
			rest := strings.TrimPrefix(s.Place, "0")
			out = append(out, sentence{place: fmt.Sprint(i) + rest, text: s.Text, evidence: s.Evidence})
		}
	}
	return out
}

// claims are the sentences to check: those a model names, and those a rule
// names. What a rule calls a claim, or legal, no model can call otherwise.
func (j *job) claims(ctx context.Context) ([]claim, error) {
	all := sentences(*j.dossier.Draft)
	var groups [][]sentence
	for start := 0; start < len(all); start += perClaimsCall {
		groups = append(groups, all[start:min(start+perClaimsCall, len(all))])
	}
	answers := make([]map[int]mark, len(groups))
	err := journal.Each(ctx, len(groups), callsAtOnce, func(i int) error {
		var err error
		answers[i], err = j.marks(ctx, i+1, groups[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []claim
	for i, s := range all {
		m := answers[i/perClaimsCall][i%perClaimsCall+1]
		isClaim, legal := j.rule(s)
		if _, banned := j.bans.Hit(s.text); banned {
			isClaim, legal = true, true
		}
		if !isClaim && !m.Claim && !m.Legal {
			continue
		}
		out = append(out, claim{
			Claim:    editorial.Claim{N: len(out) + 1, Place: s.place, Text: s.text, Legal: legal || m.Legal},
			evidence: s.evidence,
		})
	}
	return out, nil
}

// rule says what plain words make of a sentence.
func (j *job) rule(s sentence) (isClaim, legal bool) {
	legal = j.terms.in(s.text)
	if s.title {
		isClaim = asserts(s.text)
		return isClaim, isClaim && legal
	}
	return legal || len(s.evidence) > 0 || len(evidence.Numbers(s.text)) > 0, legal
}

// mark is a model's word on one sentence.
type mark struct {
	N     int  `json:"n"`
	Claim bool `json:"claim"`
	Legal bool `json:"legal"`
}

func (j *job) marks(ctx context.Context, n int, group []sentence) (map[int]mark, error) {
	var tags []prompt.Tag
	for i, s := range group {
		attrs := []string{"n", fmt.Sprint(i + 1)}
		if s.title {
			attrs = append(attrs, "kind", "heading")
		}
		tags = append(tags, prompt.Tag{Name: "sentence", Attrs: attrs, Text: s.text})
	}
	site := j.dossier.Site
	var answer struct {
		Sentences []mark `json:"sentences"`
	}
	err := j.ask(ctx, "claims", fmt.Sprintf("claims:%d:%d", j.dossier.Draft.Version, n), prompt.Vars{
		"site": site.Name, "legal_terms": strings.Join(site.Rules.LegalTerms, ", "), "topic": j.dossier.Brief.Topic, "sentences": tags,
	}, int64(200+claimsTokens*len(group)), &answer)
	if err != nil {
		return nil, err
	}
	marks := map[int]mark{}
	for _, m := range answer.Sentences {
		marks[m.N] = m
	}
	for i := range group {
		if _, ok := marks[i+1]; !ok { // not judged: checked
			marks[i+1] = mark{N: i + 1, Claim: true}
		}
	}
	return marks, nil
}

// ask puts one question to the small model.
func (j *job) ask(ctx context.Context, name, step string, vars prompt.Vars, maxTokens int64, out any) error {
	p, err := prompt.Load(j.lease.Pins.Prompts, name)
	if err != nil {
		return err
	}
	system, user, err := p.Render(vars)
	if err != nil {
		return fault.Permanent(err)
	}
	return j.models.JSON(ctx, j.lease, llm.Request{
		Step: step, Prompt: p.Version, Model: j.lease.Pins.Small, System: system, Schema: p.Schema,
		Messages: []llm.Message{{Role: llm.RoleUser, Text: user}}, MaxTokens: maxTokens,
	}, out)
}
