package draft

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/prompt"
)

const (
	outlineTokens = 4_000
	minSections   = 4 // with the introduction; below that it is no article
	maxSections   = 9
)

// plan is an article before it is written.
type plan struct {
	Keyphrase string `json:"keyphrase"`
	Sections  []part `json:"sections"`
}

type part struct {
	Heading  string `json:"heading"`
	Brief    string `json:"brief"`
	Evidence []int  `json:"evidence"`
	Words    int    `json:"words"`
}

// outline is the small model's work: it sorts what was read. The large one
// writes.
func (j *job) outline(ctx context.Context, pages []page, list []editorial.Evidence) (plan, error) {
	r, err := j.ask("outline", "outline", j.lease.Pins.Small, with(voice(j.site), prompt.Vars{
		"topic": j.brief.Topic, "pages": titles(pages), "evidence": passages(list, pages), "legal_sources": max(1, j.site.Rules.LegalMinSources),
		"min_words": j.site.Rules.MinWords, "max_words": j.site.Rules.MaxWords,
	}), outlineTokens)
	if err != nil {
		return plan{}, err
	}
	var p plan
	if err := j.rooms.Models.JSON(ctx, j.lease, r, &p); err != nil {
		return plan{}, fmt.Errorf("outline: %w", err)
	}
	dropped := p.mend(len(list))
	if dropped > 0 {
		j.note("%d numbers of the outline stand for no evidence", dropped)
	}
	if n := len(p.Sections); n < minSections || n > maxSections {
		return plan{}, fault.NeedsHuman(fmt.Errorf("outline has %d sections with evidence, not %d to %d: start a new run, or name more pages in it",
			n, minSections, maxSections))
	}
	p.fit(j.site.Rules.MinWords, j.site.Rules.MaxWords)
	return p, nil
}

// mend takes out what the evidence doesn't hold: unknown numbers, sections
// left without any. It returns how many numbers were dropped.
func (p *plan) mend(known int) int {
	dropped := 0
	for i := range p.Sections {
		s := &p.Sections[i]
		seen := map[int]bool{}
		s.Heading = strings.TrimRight(strings.Join(strings.Fields(s.Heading), " "), ".:")
		s.Evidence = slices.DeleteFunc(s.Evidence, func(n int) bool {
			if n < 1 || n > known {
				dropped++
				return true
			}
			again := seen[n]
			seen[n] = true
			return again
		})
	}
	p.Sections = slices.DeleteFunc(p.Sections, func(s part) bool { return len(s.Evidence) == 0 })
	for i := range p.Sections {
		s := &p.Sections[i]
		switch {
		case i == 0:
			s.Heading = "" // an introduction has none
		case s.Heading == "":
			s.Heading = firstWords(s.Brief, 8)
		}
	}
	p.Keyphrase = strings.ToLower(strings.Join(strings.Fields(p.Keyphrase), " "))
	return dropped
}

// fit scales the sections' lengths so that they aim a little above the
// minimum's half way to the maximum: a writer falls short more often than
// long.
func (p *plan) fit(least, most int) {
	sum := 0
	for i := range p.Sections {
		p.Sections[i].Words = min(max(p.Sections[i].Words, 60), 600)
		sum += p.Sections[i].Words
	}
	low, high := least+(most-least)/4, most-(most-least)/4
	aim := min(max(sum, low), high)
	for i := range p.Sections {
		p.Sections[i].Words = p.Sections[i].Words * aim / sum
	}
}

func firstWords(s string, n int) string {
	words := strings.Fields(s)
	return strings.TrimRight(strings.Join(words[:min(n, len(words))], " "), ".,;:")
}

// parts lists the plan for the writer of one section.
func (p plan) parts() []prompt.Tag {
	tags := make([]prompt.Tag, 0, len(p.Sections))
	for i, s := range p.Sections {
		tags = append(tags, prompt.Tag{Name: "part", Attrs: []string{"n", fmt.Sprint(i + 1), "heading", s.Heading}, Text: s.Brief})
	}
	return tags
}
