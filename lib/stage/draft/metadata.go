package draft

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"blogposter/lib/editorial"
	"blogposter/lib/fault"
	"blogposter/lib/prompt"
)

const (
	metadataTokens = 800
	maxSlug        = 60
)

type metadata struct {
	Title           string   `json:"title"`
	MetaDescription string   `json:"meta_description"`
	Slug            string   `json:"slug"`
	Excerpt         string   `json:"excerpt"`
	Categories      []string `json:"categories"`
	Tags            []string `json:"tags"`
}

// metadata asks for everything around the body. Its lengths are the seo
// stage's to judge and mend; categories and tags that the site doesn't have
// are dropped here.
func (j *job) metadata(ctx context.Context, keyphrase string, body editorial.Body) (editorial.Draft, error) {
	vars := voice(j.site)
	r, err := j.ask("metadata", "metadata", j.lease.Pins.Small, with(vars, prompt.Vars{
		"forbidden": forbidden(j.site.Rules), "topic": j.brief.Topic, "keyphrase": keyphrase,
		"categories": strings.Join(j.site.Categories, ", "), "tags": strings.Join(j.site.Tags, ", "), "article": prose(body),
	}), metadataTokens)
	if err != nil {
		return editorial.Draft{}, err
	}
	var m metadata
	if err := j.rooms.Models.JSON(ctx, j.lease, r, &m); err != nil {
		return editorial.Draft{}, fmt.Errorf("metadata: %w", err)
	}
	d := editorial.Draft{
		Title: line(m.Title), MetaDescription: line(m.MetaDescription), Excerpt: line(m.Excerpt), Keyphrase: keyphrase,
		Categories: j.listed("categories", m.Categories, j.site.Categories), Tags: j.listed("tags", m.Tags, j.site.Tags),
	}
	if d.Title == "" {
		return d, fault.NeedsHuman(fmt.Errorf("metadata of run %d has no title: start a new run for another answer", j.lease.RunID))
	}
	if d.Slug = slug(m.Slug); d.Slug == "" {
		d.Slug = slug(d.Title)
	}
	return d, nil
}

// line is s as one line of plain text, free of Markdown and markers.
func line(s string) string {
	return strings.Join(strings.Fields(bare(marker.ReplaceAllString(s, ""))), " ")
}

// listed keeps what the site has, spelled as the site spells it.
func (j *job) listed(what string, got, have []string) []string {
	kept := []string{}
	for _, g := range got {
		i := slices.IndexFunc(have, func(h string) bool { return strings.EqualFold(h, strings.TrimSpace(g)) })
		switch {
		case i < 0:
			j.note("%s: the site has no %q", what, g)
		case !slices.Contains(kept, have[i]):
			kept = append(kept, have[i])
		}
	}
	return kept
}

// slug is s as a part of an address: lower-case ASCII letters and digits,
// words joined by hyphens, cut between words.
func slug(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	out := ""
	for _, w := range words {
		if len(out)+len(w)+1 > maxSlug && out != "" {
			break
		}
		out = strings.TrimPrefix(out+"-"+w, "-")
	}
	return out[:min(len(out), maxSlug)]
}
