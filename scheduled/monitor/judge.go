package monitor

import (
	"context"
	"fmt"
	"strings"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
	"blogposter/lib/shingle"
)

// judge compares a page as it was found with what is known of it.
func (v *visit) judge(ctx context.Context, t task, found editorial.FoundPage) (editorial.PageFinding, error) {
	p := t.page
	was, before := p.State, p.TextHash
	p.ListedAt, p.Refused = t.dated, ""
	switch {
	case found.Gone:
		p.State = editorial.PageGone
	case found.Refused != "":
		p = refuse(p, found)
	case found.Unchanged:
		p.State = editorial.PageLive
	default:
		if err := v.keep(ctx, &p, found); err != nil {
			return editorial.PageFinding{}, err
		}
	}
	f := editorial.PageFinding{Page: p, Checked: true}
	kind := changeOf(was, p, before)
	if kind == "" {
		return f, nil
	}
	c := editorial.PageChange{Kind: kind, TextHash: p.TextHash, Before: before, Summary: summaries[kind]}
	if kind == editorial.ChangeGone {
		c.TextHash = ""
	}
	if before != "" && before != p.TextHash {
		if err := v.compare(ctx, &c, found.Text); err != nil {
			return f, err
		}
	}
	f.Change = &c
	return f, nil
}

var summaries = map[editorial.ChangeKind]string{
	editorial.ChangeNew:  "A page that was not seen before.",
	editorial.ChangeGone: "The page is no longer there.",
	editorial.ChangeBack: "The page is there again.",
}

// changeOf names what is new of page p, "" for nothing, given its state and
// its text's hash before. A page that could not be read until now is new.
func changeOf(was editorial.PageState, p editorial.WatchedPage, before string) editorial.ChangeKind {
	switch {
	case p.State == editorial.PageGone && was == editorial.PageLive:
		return editorial.ChangeGone
	case p.State != editorial.PageLive:
		return ""
	case was == editorial.PageGone && before != "":
		return editorial.ChangeBack
	case before == "":
		return editorial.ChangeNew
	case before != p.TextHash:
		return editorial.ChangeChanged
	}
	return ""
}

// refuse notes why a page is of no use. What may pass leaves a live page live,
// and without a date, so that it is asked for again after a day.
func refuse(p editorial.WatchedPage, found editorial.FoundPage) editorial.WatchedPage {
	if found.Passing {
		p.ListedAt = nil
	}
	if found.Passing && p.State == editorial.PageLive {
		return p
	}
	p.State, p.Refused = editorial.PageRefused, found.Refused
	p.ETag, p.LastModified = "", "" // they belong to a text that is not there
	return p
}

// keep stores the text of a page and describes it.
func (v *visit) keep(ctx context.Context, p *editorial.WatchedPage, found editorial.FoundPage) error {
	hash, err := v.rooms.Artifacts.Put(ctx, []byte(found.Text))
	if err != nil {
		return fmt.Errorf("store the text of %s: %w", p.URL, err)
	}
	p.State, p.TextHash, p.TextBytes = editorial.PageLive, hash, len(found.Text)
	p.Words, p.Shingles = len(evidence.Words(found.Text)), shingle.Sketch(found.Text)
	p.ETag, p.LastModified = found.Validators.ETag, found.Validators.LastModified
	if found.Title != "" {
		p.Title = beginning(found.Title)
	}
	if found.PublishedAt != nil {
		p.PublishedAt = found.PublishedAt
	}
	if found.Comments != nil {
		p.Comments = found.Comments
	}
	return nil
}

// beginning is what of a title is kept. A stranger decides how long it is, and
// an answer of the API that lists pages has a limit of its own.
func beginning(title string) string {
	if r := []rune(title); len(r) > mostTitle {
		return string(r[:mostTitle]) + "…"
	}
	return title
}

// compare counts the sentences that were added and removed, and shows the
// first of each.
func (v *visit) compare(ctx context.Context, c *editorial.PageChange, now string) error {
	before, err := v.rooms.Artifacts.Get(ctx, c.Before)
	if err != nil {
		return fmt.Errorf("text before: %w", err)
	}
	added, removed := differ(string(before), now)
	c.Added, c.Removed = len(added), len(removed)
	parts := []string{summaries[c.Kind]}
	for _, side := range []struct {
		verb      string
		sentences []string
	}{{"added", added}, {"removed", removed}} {
		if n := len(side.sentences); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: “%s”", n, side.verb, first(side.sentences[0])))
		}
	}
	if len(added)+len(removed) == 0 {
		parts = append(parts, "The same sentences in another order.")
	}
	c.Summary = strings.TrimSpace(strings.Join(parts, " "))
	return nil
}

// differ returns the sentences that only one of two texts has, in its order. A
// sentence that stands there more often counts as often.
func differ(before, now string) (added, removed []string) {
	return only(now, before), only(before, now)
}

func only(in, notIn string) []string {
	there := map[string]int{}
	for _, s := range evidence.Sentences(notIn) {
		there[evidence.Normal(s.In(notIn))]++
	}
	var left []string
	for _, s := range evidence.Sentences(in) {
		if key := evidence.Normal(s.In(in)); there[key] > 0 {
			there[key]--
			continue
		}
		left = append(left, s.In(in))
	}
	return left
}

// first is the beginning of a sentence that is shown.
func first(s string) string {
	if r := []rune(s); len(r) > 140 {
		return string(r[:140]) + "…"
	}
	return s
}
