package draft

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/fault"
	"blogposter/lib/journal"
	"blogposter/lib/prompt"
)

const (
	chunkBytes   = 12_000 // of a page, for one digest
	digestsAtOne = 4
	digestTokens = 4_000
	minQuote     = 5     // words; fewer say nothing by themselves
	maxQuote     = 1_200 // bytes; more is no passage but a page
)

// errThin is for pages that can't carry an article.
var errThin = errors.New("too little evidence")

type points struct {
	Points []struct {
		Point string `json:"point"`
		Quote string `json:"quote"`
	} `json:"points"`
}

// chunk is a part of a page: text[start:end].
type chunk struct{ page, start, end int }

// digest has the small model pick passages from every page, and keeps those
// that stand there word for word.
func (j *job) digest(ctx context.Context, pages []page) ([]editorial.Evidence, error) {
	var chunks []chunk
	for i, p := range pages {
		chunks = append(chunks, split(i, p)...)
	}
	answers := make([]points, len(chunks))
	err := journal.Each(ctx, len(chunks), digestsAtOne, func(i int) error {
		c := chunks[i]
		p := pages[c.page]
		r, err := j.ask("digest", fmt.Sprintf("digest:%d:%d", c.page+1, c.start), j.lease.Pins.Small, prompt.Vars{
			"site": j.site.Name, "audience": j.site.Audience, "topic": j.brief.Topic,
			"page": []prompt.Tag{{
				Name: "page", Attrs: []string{"n", fmt.Sprint(c.page + 1), "url", p.snapshot.URL, "title", p.snapshot.Title},
				Text: "\n" + p.text[c.start:c.end] + "\n",
			}},
		}, digestTokens)
		if err != nil {
			return err
		}
		return j.rooms.Models.JSON(ctx, j.lease, r, &answers[i])
	})
	if err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	return j.gather(pages, chunks, answers)
}

// gather turns the points into numbered Evidence and judges whether it is
// enough. What it found is returned even when it isn't.
func (j *job) gather(pages []page, chunks []chunk, answers []points) ([]editorial.Evidence, error) {
	var all []editorial.Evidence
	asked, lost := 0, 0
	for i, a := range answers {
		c := chunks[i]
		for _, p := range a.Points {
			asked++
			e, ok := locate(pages[c.page], c, p.Quote)
			if !ok {
				lost++
				continue
			}
			e.Point = strings.TrimSpace(p.Point)
			all = append(all, e)
		}
	}
	kept := number(all)
	words := 0
	for _, e := range kept {
		words += len(strings.Fields(e.Quote))
	}
	j.note("%d passages from %d quotes, %d of them not word for word and dropped", len(kept), asked, lost)
	if need := j.site.Rules.MinWords / 2; len(kept) == 0 || words < need {
		return kept, fault.NeedsHuman(fmt.Errorf("%w: %d passages with %d words from %d pages (%d quotes dropped), where %d words of article need about %d: name more pages in the brief, or add sources to the site",
			errThin, len(kept), words, len(pages), lost, j.site.Rules.MinWords, need))
	}
	return kept, nil
}

// locate finds a quote in its part of the page, and grows it to whole
// sentences.
func locate(p page, c chunk, quote string) (editorial.Evidence, bool) {
	part := p.text[c.start:c.end]
	start, end, ok := evidence.Locate(part, quote)
	if !ok { // copied with its escapes
		start, end, ok = evidence.Locate(part, prompt.Unescape(quote))
	}
	if !ok {
		return editorial.Evidence{}, false
	}
	start, end = evidence.Widen(part, start, end)
	found := part[start:end]
	if len(strings.Fields(found)) < minQuote || len(found) > maxQuote {
		return editorial.Evidence{}, false
	}
	return editorial.Evidence{SnapshotID: p.snapshot.ID, Quote: found, Start: c.start + start, End: c.start + end}, true
}

// number drops what overlaps with a longer passage of the same page, or
// repeats one of it word for word, and numbers the rest in the order of the
// pages. The same words on two pages are two sources.
func number(all []editorial.Evidence) []editorial.Evidence {
	byLength := slices.Clone(all)
	slices.SortStableFunc(byLength, func(a, b editorial.Evidence) int { return cmp.Compare(b.End-b.Start, a.End-a.Start) })
	var kept []editorial.Evidence
	for _, e := range byLength {
		if !slices.ContainsFunc(kept, func(k editorial.Evidence) bool {
			return k.SnapshotID == e.SnapshotID && (e.Start < k.End && k.Start < e.End || evidence.Normal(k.Quote) == evidence.Normal(e.Quote))
		}) {
			kept = append(kept, e)
		}
	}
	rank := map[int64]int{}
	for _, e := range all {
		if _, ok := rank[e.SnapshotID]; !ok {
			rank[e.SnapshotID] = len(rank)
		}
	}
	slices.SortFunc(kept, func(a, b editorial.Evidence) int {
		return cmp.Or(cmp.Compare(rank[a.SnapshotID], rank[b.SnapshotID]), cmp.Compare(a.Start, b.Start))
	})
	for i := range kept {
		kept[i].N = i + 1
	}
	return kept
}

// split cuts a long page between blocks, before a heading where there is one
// in the second half of the piece.
func split(n int, p page) []chunk {
	var out []chunk
	start := 0
	for len(p.text)-start > chunkBytes {
		limit := start + chunkBytes
		cut := 0
		for _, h := range p.headings {
			if h.Start > start+chunkBytes/2 && h.Start <= limit {
				cut = h.Start
			}
		}
		if cut == 0 {
			cut = border(p.text, start, limit)
		}
		out = append(out, chunk{n, start, cut})
		start = cut
	}
	if strings.TrimSpace(p.text[start:]) == "" {
		return out
	}
	return append(out, chunk{n, start, len(p.text)})
}

// border is the last place before limit where a block, or else a sentence,
// ends.
func border(text string, start, limit int) int {
	if i := strings.LastIndex(text[start:limit], "\n"); i > 0 {
		return start + i + 1
	}
	cut := limit
	for _, s := range evidence.Sentences(text[start:limit]) {
		if s.Mark > 0 {
			cut = start + s.Mark
		}
	}
	for cut > start+1 && text[cut]&0xC0 == 0x80 { // within a character
		cut--
	}
	return cut
}
