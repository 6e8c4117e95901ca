package markup

import (
	"slices"
	"strings"

	"blogposter/lib/editorial"
)

// How many articles of the same site an article links to.
const (
	MinRelated = 2
	MaxRelated = 6
)

// Related picks the published articles closest to the Draft by the words of
// keyphrase and title: all that share a word, at most MaxRelated, and filled
// up to MinRelated with others, in the order they are given.
func Related(d editorial.Dossier) []editorial.Link {
	if d.Draft == nil {
		return nil
	}
	mine := words(d.Draft.Keyphrase + " " + d.Draft.Title)
	type scored struct {
		link  editorial.Link
		share int
	}
	var all []scored
	for _, l := range d.Published {
		if _, ok := href(l.URL); !ok || isSelf(d, l) {
			continue
		}
		share := 0
		for w := range words(l.Keyphrase + " " + l.Title) {
			if mine[w] {
				share++
			}
		}
		all = append(all, scored{l, share})
	}
	slices.SortStableFunc(all, func(a, b scored) int { return b.share - a.share })
	var out []editorial.Link
	for _, s := range all {
		if len(out) < MaxRelated && (s.share > 0 || len(out) < MinRelated) {
			out = append(out, s.link)
		}
	}
	return out
}

func isSelf(d editorial.Dossier, l editorial.Link) bool {
	return d.Publication != nil && d.Publication.URL != "" && strings.TrimSuffix(d.Publication.URL, "/") == strings.TrimSuffix(l.URL, "/")
}

// fillers are words that two unrelated titles share.
var fillers = set(strings.Fields("a an and are as at by can do does for from how i in is it my of on or should that the to what when which who why with you your"))

func set(list []string) map[string]bool {
	out := map[string]bool{}
	for _, w := range list {
		out[w] = true
	}
	return out
}

// words is the set of words that carry meaning.
func words(s string) map[string]bool {
	out := set(strings.FieldsFunc(strings.ToLower(Clean(s)), func(r rune) bool { return !isWord(r) }))
	for w := range fillers {
		delete(out, w)
	}
	return out
}
