package draft

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/prompt"
)

// tokensPerWord is room enough for English and its markers.
const tokensPerWord = 3

// errShort is for an article that stays under the site's minimum.
var errShort = errors.New("the article is too short")

// sections has the large model write the plan, one section after the other:
// each call then reads the instructions from the provider's cache, and only
// one worst case at a time is held from the article's budget.
func (j *job) sections(ctx context.Context, p plan, list []editorial.Evidence, pages []page) (editorial.Body, error) {
	var body editorial.Body
	var texts []string
	unknown, stray := 0, 0
	for i, s := range p.Sections {
		text, got, err := j.section(ctx, p, i, s.Words, pick(list, s.Evidence), pages, "")
		if err != nil {
			return body, err
		}
		unknown, stray = unknown+got.unknown, stray+got.stray
		texts = append(texts, text)
		body.Sections = append(body.Sections, got.section)
	}
	if err := j.lengthen(ctx, p, &body, texts, list, pages); err != nil {
		return body, err
	}
	j.shorten(&body)
	body.Sections = slices.DeleteFunc(body.Sections, func(s editorial.Section) bool { return len(s.Blocks) == 0 })
	if unknown+stray > 0 {
		j.note("%d markers without evidence and %d stray headings taken out", unknown, stray)
	}
	return body, nil
}

// section writes one section, or, with written, what follows it.
func (j *job) section(ctx context.Context, p plan, i, words int, list []editorial.Evidence, pages []page, written string) (string, parsed, error) {
	s := p.Sections[i]
	step := fmt.Sprintf("section:%d", i+1)
	if written != "" {
		step += ":more"
	}
	r, err := j.ask("section", step, j.lease.Pins.Large, with(voice(j.site), prompt.Vars{
		"forbidden": forbidden(j.site.Rules), "legal_sources": max(1, j.site.Rules.LegalMinSources),
		"topic": j.brief.Topic, "keyphrase": p.Keyphrase, "outline": p.parts(), "evidence": passages(list, pages),
		"written": written, "n": i + 1, "of": len(p.Sections), "heading": s.Heading, "words": words, "brief": s.Brief,
	}), int64(max(words, 100)*tokensPerWord))
	if err != nil {
		return "", parsed{}, err
	}
	text, err := j.rooms.Models.Text(ctx, j.lease, r)
	if err != nil {
		return "", parsed{}, fmt.Errorf("section %d: %w", i+1, err)
	}
	got := parse(s.Heading, text, func(n int) bool {
		return slices.ContainsFunc(list, func(e editorial.Evidence) bool { return e.N == n })
	})
	return text, got, nil
}

func pick(list []editorial.Evidence, numbers []int) []editorial.Evidence {
	var out []editorial.Evidence
	for _, n := range numbers {
		out = append(out, list[n-1])
	}
	return out
}

// lengthen asks once more, for the sections that fall shortest of their
// budget, when the article is under the site's minimum: with the evidence
// the section did not use, and what no section was given.
func (j *job) lengthen(ctx context.Context, p plan, body *editorial.Body, texts []string, list []editorial.Evidence, pages []page) error {
	least := j.site.Rules.MinWords
	if body.Words() >= least {
		return nil
	}
	used := usedIn(*body)
	spare := spare(p, list, used)
	for _, i := range shortest(p, *body) {
		missing := least - body.Words()
		if missing <= 0 {
			break
		}
		var mine []editorial.Evidence
		for _, e := range pick(list, p.Sections[i].Evidence) {
			if !used[e.N] {
				mine = append(mine, e)
			}
		}
		share := (len(spare) + 1) / 2 // so that the next shortest gets some too
		mine, spare = append(mine, spare[:share]...), spare[share:]
		if len(mine) == 0 {
			continue
		}
		_, got, err := j.section(ctx, p, i, min(max(missing, 80), 300), mine, pages, texts[i])
		if err != nil {
			return err
		}
		body.Sections[i].Blocks = append(body.Sections[i].Blocks, got.section.Blocks...)
		j.note("section %d extended", i+1)
	}
	if n := body.Words(); n < least {
		return fault.NeedsHuman(fmt.Errorf("%w: %d words after one extension, %d are the minimum: name more pages in the brief, or start a new run", errShort, n, least))
	}
	return nil
}

func usedIn(body editorial.Body) map[int]bool {
	used := map[int]bool{}
	for _, s := range body.Sentences() {
		for _, n := range s.Evidence {
			used[n] = true
		}
	}
	return used
}

// spare is the evidence that no section was given.
func spare(p plan, list []editorial.Evidence, used map[int]bool) []editorial.Evidence {
	given := map[int]bool{}
	for _, s := range p.Sections {
		for _, n := range s.Evidence {
			given[n] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(e editorial.Evidence) bool { return given[e.N] || used[e.N] })
}

// shortest orders the sections by how far they are from their budget. The
// introduction comes last: it is short on purpose.
func shortest(p plan, body editorial.Body) []int {
	order := make([]int, len(p.Sections))
	for i := range order {
		order[i] = i
	}
	lack := func(i int) int {
		if i == 0 {
			return -1 << 30
		}
		return p.Sections[i].Words - words(body.Sections[i])
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lack(b), lack(a)) })
	return order
}

func words(s editorial.Section) int { return editorial.Body{Sections: []editorial.Section{s}}.Words() }

// shorten takes the last block of the longest section until the article is
// within the site's maximum. What was said last matters least, and a cut
// block leaves no half sentence.
func (j *job) shorten(body *editorial.Body) {
	most, cut := j.site.Rules.MaxWords, 0
	for most > 0 && body.Words() > most {
		longest := slices.MaxFunc(body.Sections, func(a, b editorial.Section) int { return cmp.Compare(trimmable(a), trimmable(b)) })
		i := slices.IndexFunc(body.Sections, func(s editorial.Section) bool {
			return s.Heading == longest.Heading && len(s.Blocks) == len(longest.Blocks)
		})
		if len(longest.Blocks) < 2 {
			break
		}
		body.Sections[i].Blocks = longest.Blocks[:len(longest.Blocks)-1]
		cut++
	}
	if cut > 0 {
		j.note("%d blocks cut to keep the length", cut)
	}
}

// trimmable is a section's length, 0 when nothing can be taken from it.
func trimmable(s editorial.Section) int {
	if len(s.Blocks) < 2 {
		return 0
	}
	return words(s)
}

// prose is the body as plain text, for the model that writes its title.
func prose(body editorial.Body) string {
	var b strings.Builder
	for _, s := range body.Sections {
		if s.Heading != "" {
			b.WriteString("## " + s.Heading + "\n\n")
		}
		for _, blk := range s.Blocks {
			for _, item := range blk.Items {
				if blk.Kind == editorial.BlockList {
					b.WriteString("- ")
				}
				for k, sen := range item.Sentences {
					if k > 0 {
						b.WriteString(" ")
					}
					b.WriteString(sen.Text)
				}
				b.WriteString("\n")
			}
			b.WriteString("\n")
		}
	}
	return strings.TrimSpace(b.String())
}
