package markup

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"blogposter/lib/editorial"
)

// maxQuote keeps a quote short enough to be fair use and to be read; the page
// itself is one click away.
const maxQuote = 320

// Source is a page the article rests on, under the number readers see.
type Source struct {
	N        int
	Snapshot editorial.Snapshot
	Quotes   []string // as they stand on the page, each once, in order of use
}

// SourceList numbers the pages of an article in the order they are first used.
type SourceList struct {
	All      []Source
	byPlace  map[string][]editorial.Citation // of checked sentences
	evidence map[int]editorial.Evidence
	number   map[int64]int // by Snapshot
}

// Sources numbers the pages behind the Draft. A sentence that was checked is
// tied to the passages the check found; any other to the evidence its writer
// named. What resolves to no Snapshot is left out: lint reports it.
func Sources(d editorial.Dossier) SourceList {
	l := SourceList{byPlace: map[string][]editorial.Citation{}, evidence: map[int]editorial.Evidence{}, number: map[int64]int{}}
	if d.Draft == nil {
		return l
	}
	for _, c := range d.Claims {
		l.byPlace[c.Place] = append(l.byPlace[c.Place], c.Citations...)
	}
	for _, e := range d.Evidence {
		l.evidence[e.N] = e
	}
	for _, s := range d.Draft.Body.Sentences() {
		for _, p := range l.passages(s.Place, s.Sentence) {
			l.use(d, p)
		}
	}
	return l
}

// passage is a quote and the Snapshot it stands in.
type passage struct {
	snapshot int64
	quote    string
}

func (l SourceList) passages(place string, s editorial.Sentence) []passage {
	var out []passage
	for _, c := range l.byPlace[place] {
		out = append(out, passage{c.SnapshotID, c.Quote})
	}
	if len(out) > 0 {
		return out
	}
	for _, n := range s.Evidence {
		if e, ok := l.evidence[n]; ok {
			out = append(out, passage{e.SnapshotID, e.Quote})
		}
	}
	return out
}

func (l *SourceList) use(d editorial.Dossier, p passage) {
	n, known := l.number[p.snapshot]
	if !known {
		snap, ok := d.Snapshot(p.snapshot)
		if !ok {
			return
		}
		n = len(l.All) + 1
		l.number[p.snapshot] = n
		l.All = append(l.All, Source{N: n, Snapshot: snap})
	}
	s := &l.All[n-1]
	if q := Clean(p.quote); q != "" && !slices.Contains(s.Quotes, q) {
		s.Quotes = append(s.Quotes, q)
	}
}

// For lists the numbers of the pages behind the sentence at place, ascending.
func (l SourceList) For(place string, s editorial.Sentence) []int {
	var out []int
	for _, p := range l.passages(place, s) {
		if n, ok := l.number[p.snapshot]; ok && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// Words names the tier to a reader who has never heard of tiers.
func Words(t editorial.Tier) string {
	if t == editorial.TierAuthoritative {
		return "Official source: the law itself or the body that enforces it."
	}
	return "Secondary source."
}

func (s Source) title() string {
	if t := Clean(s.Snapshot.Title); t != "" {
		return t
	}
	return s.Snapshot.URL
}

// read says when the page was read, since pages change.
func (s Source) read() string {
	if s.Snapshot.FetchedAt.IsZero() {
		return ""
	}
	return " Read on " + s.Snapshot.FetchedAt.UTC().Format("January 2, 2006") + "."
}

func (s Source) line() string {
	return link(s.Snapshot.URL, s.title()) + "<br>" + Escape(Words(s.Snapshot.Tier)+s.read())
}

func (s Source) quoteLines() []string {
	out := make([]string, len(s.Quotes))
	for i, q := range s.Quotes {
		out[i] = "“" + Escape(short(q)) + "”"
	}
	return out
}

// short cuts a quote at a word and says that it did.
func short(q string) string {
	runes := []rune(q)
	if len(runes) <= maxQuote {
		return q
	}
	cut := string(runes[:maxQuote])
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return cut + " …"
}

func cites(numbers []int) string {
	if len(numbers) == 0 {
		return ""
	}
	links := make([]string, len(numbers))
	for i, n := range numbers {
		links[i] = `<a href="#` + anchor(n) + `">[` + strconv.Itoa(n) + `]</a>`
	}
	// Or the number would stand alone at the beginning of the next line.
	return joiner + "<sup>" + strings.Join(links, joiner) + "</sup>"
}

// joiner forbids a line break and shows nothing.
const joiner = "\u2060"

// place and sentencePlace say where a sentence stands, as Claim.Place does.
func place(section, block, item int) string { return fmt.Sprintf("%d.%d.%d", section, block, item) }

func sentencePlace(item string, n int) string { return item + "." + strconv.Itoa(n) }
