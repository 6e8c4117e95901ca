package factcheck

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/journal"
	"blogposter/lib/prompt"
)

const (
	perVerdictCall = 6   // claims
	verdictTokens  = 450 // for a claim
	ranked         = 8   // passages searched for a claim
	rankedPerPage  = 2
	windowBytes    = 700 // of a passage with its neighbours
	minQuote       = 4   // words; fewer decide nothing
)

// check gives every claim its verdict.
func (j *job) check(ctx context.Context, claims []claim) error {
	var open []*claim
	for i := range claims {
		c := &claims[i]
		if reason, banned := j.bans.Hit(c.Text); banned {
			c.Verdict, c.Reason = editorial.VerdictRefuted, "The site forbids this statement: "+reason
			continue
		}
		c.Citations = j.verbatim(c.Text)
		if len(c.Citations) > 0 && !j.lacksSources(c.Claim) {
			c.Verdict, c.Reason = editorial.VerdictSupported, "Stands word for word in the source."
			continue
		}
		open = append(open, c)
	}
	groups := slices.Collect(slices.Chunk(open, perVerdictCall))
	dropped := make([]int, len(groups))
	err := journal.Each(ctx, len(groups), callsAtOnce, func(i int) error {
		var err error
		dropped[i], err = j.verdicts(ctx, i+1, groups[i])
		return err
	})
	for _, n := range dropped {
		j.dropped += n
	}
	return err
}

// lacksSources reports whether more pages would help the claim.
func (j *job) lacksSources(c editorial.Claim) bool {
	c.Verdict = editorial.VerdictSupported
	return len(j.dossier.Site.Rules.Judge([]editorial.Claim{c})) > 0
}

// verbatim cites every page in which the claim is a sentence.
func (j *job) verbatim(text string) []editorial.Citation {
	var out []editorial.Citation
	n := evidence.Normal(text)
	for _, p := range j.pages {
		if k, ok := p.normal[n]; ok && len(strings.Fields(n)) >= minQuote {
			out = append(out, p.cite(p.sentences[k].Start, p.sentences[k].End))
		}
	}
	return out
}

func (p page) cite(start, end int) editorial.Citation {
	s := p.snapshot
	return editorial.Citation{
		SnapshotID: s.ID, URL: s.URL, Title: s.Title, Tier: s.Tier, TextHash: s.TextHash,
		Quote: p.text[start:end], Start: start, End: end,
	}
}

// answer is a model's verdict on one claim.
type answer struct {
	N         int               `json:"n"`
	Verdict   editorial.Verdict `json:"verdict"`
	Reason    string            `json:"reason"`
	Citations []struct {
		Page  int    `json:"page"`
		Quote string `json:"quote"`
	} `json:"citations"`
}

// verdicts asks for one group of claims and settles each. It returns how many
// quotes were not found.
func (j *job) verdicts(ctx context.Context, n int, group []*claim) (dropped int, err error) {
	shown := map[int]bool{}
	var tags []prompt.Tag
	for _, c := range group {
		kind := "no"
		if c.Legal {
			kind = "yes"
		}
		tag := prompt.Tag{Name: "claim", Attrs: []string{"n", fmt.Sprint(c.N), "legal", kind}, Text: c.Text}
		for _, w := range j.passages(*c) {
			shown[w.page] = true
			tag.Tags = append(tag.Tags, prompt.Tag{Name: "passage", Attrs: []string{"page", fmt.Sprint(w.page + 1)}, Text: j.pages[w.page].text[w.start:w.end]})
		}
		tags = append(tags, tag)
	}
	var reply struct {
		Verdicts []answer `json:"verdicts"`
	}
	err = j.ask(ctx, "verdicts", fmt.Sprintf("verdicts:%d:%d", j.dossier.Draft.Version, n), prompt.Vars{
		"site": j.dossier.Site.Name, "legal_sources": max(1, j.dossier.Site.Rules.LegalMinSources), "pages": j.titles(shown), "claims": tags,
	}, int64(200+verdictTokens*len(group)), &reply)
	if err != nil {
		return 0, err
	}
	for _, c := range group {
		i := slices.IndexFunc(reply.Verdicts, func(a answer) bool { return a.N == c.N })
		a := answer{Verdict: editorial.VerdictUnsupported, Reason: "The model gave no verdict."}
		if i >= 0 {
			a = reply.Verdicts[i]
		}
		dropped += j.settle(c, a)
	}
	return dropped, nil
}

func (j *job) titles(shown map[int]bool) []prompt.Tag {
	var tags []prompt.Tag
	for i, p := range j.pages {
		if shown[i] {
			tags = append(tags, prompt.Tag{Name: "page", Attrs: []string{"n", fmt.Sprint(i + 1), "url", p.snapshot.URL, "tier", string(p.snapshot.Tier)}, Text: p.snapshot.Title})
		}
	}
	return tags
}

// settle turns a model's answer into a verdict. Quotes that are not in their
// page are dropped, and a verdict without one left becomes unsupported.
func (j *job) settle(c *claim, a answer) (dropped int) {
	verbatim := c.Citations
	var found []editorial.Citation
	for _, q := range a.Citations {
		cite, ok := j.locate(q.Page-1, q.Quote)
		if !ok {
			dropped++
			continue
		}
		found = append(found, cite)
	}
	c.Verdict, c.Reason = a.Verdict, strings.TrimSpace(a.Reason)
	switch {
	case a.Verdict == editorial.VerdictRefuted && len(found) > 0:
		c.Citations = found // against it: what speaks for it would mislead the reviewer
	case a.Verdict == editorial.VerdictSupported || len(verbatim) > 0:
		c.Citations = union(verbatim, slices.DeleteFunc(found, func(f editorial.Citation) bool {
			return a.Verdict != editorial.VerdictSupported || !bears(c.Text, f.Quote)
		}))
		c.Verdict, c.Reason = weigh(c.Text, c.Citations, len(verbatim) > 0, c.Reason)
	default:
		c.Verdict, c.Citations = editorial.VerdictUnsupported, nil
	}
	return dropped
}

// bears reports whether a quote can bear a claim out at all: it shares words
// with it, and does not say the same with a "not" or another number.
func bears(claim, quote string) bool {
	return evidence.Compare(claim, quote) != evidence.Contradicts && evidence.Overlap(claim, quote) >= 0.2
}

// weigh lets a supported claim sink: without a quote, or with a number that
// stands in none of its quotes.
func weigh(text string, cites []editorial.Citation, verbatim bool, reason string) (editorial.Verdict, string) {
	if len(cites) == 0 {
		return editorial.VerdictUnsupported, strings.TrimSpace("No quote that bears it out is in the stored pages. " + reason)
	}
	if verbatim {
		return editorial.VerdictSupported, "Stands word for word in the source."
	}
	var have []string
	for _, c := range cites {
		have = append(have, evidence.Numbers(c.Quote)...)
	}
	for _, n := range evidence.Numbers(text) {
		if !slices.Contains(have, n) {
			return editorial.VerdictUnsupported, fmt.Sprintf("The number %s is in none of its quotes. %s", n, reason)
		}
	}
	return editorial.VerdictSupported, reason
}

// locate finds a quote in the page the model named, and grows it to whole
// sentences.
func (j *job) locate(n int, quote string) (editorial.Citation, bool) {
	if n < 0 || n >= len(j.pages) || len(strings.Fields(quote)) < minQuote {
		return editorial.Citation{}, false
	}
	p := j.pages[n]
	start, end, ok := evidence.Locate(p.text, quote)
	if !ok { // copied with its escapes
		start, end, ok = evidence.Locate(p.text, prompt.Unescape(quote))
	}
	if !ok {
		return editorial.Citation{}, false
	}
	start, end = evidence.Widen(p.text, start, end)
	return p.cite(start, end), true
}

func union(a, b []editorial.Citation) []editorial.Citation {
	out := slices.Clone(a)
	for _, c := range b {
		if !slices.ContainsFunc(out, func(o editorial.Citation) bool {
			return o.SnapshotID == c.SnapshotID && o.Start < c.End && c.Start < o.End
		}) {
			out = append(out, c)
		}
	}
	return out
}

// window is a stretch of a page.
type window struct{ page, start, end int }

// passages are what a claim is judged by: its own evidence, and the sentences
// of all pages that rank best for it, each with its neighbours.
func (j *job) passages(c claim) []window {
	var out []window
	for _, n := range c.evidence {
		i := slices.IndexFunc(j.dossier.Evidence, func(e editorial.Evidence) bool { return e.N == n })
		if i < 0 {
			continue
		}
		e := j.dossier.Evidence[i]
		if k := slices.IndexFunc(j.pages, func(p page) bool { return p.snapshot.ID == e.SnapshotID }); k >= 0 && 0 <= e.Start && e.Start < e.End && e.End <= len(j.pages[k].text) {
			start, end := evidence.Widen(j.pages[k].text, e.Start, e.End)
			out = append(out, window{k, start, end})
		}
	}
	perPage := map[int]int{}
	for _, hit := range j.index.Rank(c.Text, 6*ranked) {
		at := j.where[hit.Passage]
		if perPage[at.page] == rankedPerPage {
			continue
		}
		perPage[at.page]++
		if out = append(out, j.around(at)); len(out) >= ranked {
			break
		}
	}
	return merge(out)
}

// around is a sentence with its neighbours, as far as they are short: a list's
// item means little without the line that leads to it.
func (j *job) around(at place) window {
	p := j.pages[at.page]
	s := p.sentences[at.sentence]
	w := window{at.page, s.Start, s.End}
	if at.sentence > 0 {
		if before := p.sentences[at.sentence-1]; w.end-before.Start <= windowBytes {
			w.start = before.Start
		}
	}
	if at.sentence+1 < len(p.sentences) {
		if after := p.sentences[at.sentence+1]; after.End-w.start <= windowBytes {
			w.end = after.End
		}
	}
	return w
}

// merge joins windows that overlap, in the order of the pages.
func merge(list []window) []window {
	slices.SortFunc(list, func(a, b window) int {
		return cmp.Or(cmp.Compare(a.page, b.page), cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
	var out []window
	for _, w := range list {
		if n := len(out); n > 0 && out[n-1].page == w.page && w.start <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, w.end)
			continue
		}
		out = append(out, w)
	}
	return out
}
