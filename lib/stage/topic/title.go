package topic

import (
	"cmp"
	"html"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"blogposter/lib/evidence"
)

// What a title may be. It comes from a stranger's page and goes, as the topic
// of a Run, into prompts and on the desk.
const (
	mostTitle     = 110 // letters
	mostWords     = 18
	leastWords    = 2
	mostKeyphrase = 60 // letters
	candidates    = 8  // of a subject's titles, the most central ones
)

// steering matches what is said to a machine and not to a reader.
var steering = regexp.MustCompile(`(?i)\b(ignore|disregard|forget|override|bypass)\b.{0,60}\b(instructions?|prompts?|rules?|above|previous|prior|everything)\b` +
	`|\b(system|developer) (prompt|message|role)\b|\bjailbreak|\byou are (now )?(an?|the|my) (ai|assistant|model|bot|editor)\b|^\W*(system|assistant|user|human)\s*:` +
	`|\b(as an ai|language model|prompt injection|do not (mention|tell|cite))\b`)

// address matches what leads somewhere: a topic is no advertisement.
var address = regexp.MustCompile(`(?i)https?:|www\.|\b[a-z0-9-]{2,}\.[a-z]{2,}\b|@`)

// part separates a page's title from its site's name.
var part = regexp.MustCompile(`\s+[|–—·»•-]+\s+|\s*::\s*|:\s+`)

// titles cleans the titles of a site's competitors.
type titles struct {
	bans *evidence.Bans
	// frames counts the first and last parts of each competitor's titles, in
	// their simplest form. One that many share is its name, or a column's.
	frames map[int64]map[string]int
	// seen counts on how many subjects a term stands in a title.
	seen     map[string]int
	subjects int
}

// framed is on how many pages of a competitor a part of a title is its frame.
const framed = 3

func newTitles(bans *evidence.Bans, subjects []subject) *titles {
	t := &titles{bans: bans, frames: map[int64]map[string]int{}, seen: map[string]int{}, subjects: len(subjects)}
	for _, s := range subjects {
		for _, p := range s.every() {
			if t.frames[p.CompetitorID] == nil {
				t.frames[p.CompetitorID] = map[string]int{}
			}
			if pieces := part.Split(p.Title, -1); len(pieces) > 1 {
				t.frames[p.CompetitorID][simple(pieces[0])]++
				t.frames[p.CompetitorID][simple(pieces[len(pieces)-1])]++
			}
		}
	}
	for _, s := range subjects {
		once := map[string]bool{}
		for _, p := range s.every() {
			if title, ok := t.clean(p); ok {
				for _, term := range evidence.Terms(title) {
					once[term] = true
				}
			}
		}
		for term := range once {
			t.seen[term]++
		}
	}
	return t
}

// simple is the form in which two spellings of a name are the same.
func simple(s string) string { return strings.Join(evidence.Words(s), " ") }

// clean is a page's title as a topic of ours, or false: it can't be one.
func (t *titles) clean(p page) (string, bool) {
	if !utf8.ValidString(p.Title) {
		return "", false
	}
	if disguised(p.Title) {
		return "", false
	}
	title := strings.Join(strings.Fields(p.Title), " ")
	title = leading(t.unframed(title, p))
	title = strings.TrimSpace(strings.Trim(title, `|–—·»•-:;,. `))
	words := len(strings.Fields(title))
	switch {
	case words < leastWords, words > mostWords, utf8.RuneCountInString(title) > mostTitle,
		strings.ContainsAny(title, "<>{}[]`\\^~|*_#="), html.UnescapeString(title) != title, address.MatchString(p.Title), steering.MatchString(p.Title), len(evidence.Terms(title)) == 0:
		return "", false
	}
	for _, form := range []string{p.Title, title, title + "."} {
		if _, hit := t.bans.Hit(form); hit {
			return "", false
		}
	}
	return title, true
}

// disguised reports letters that are not what they look like, or can't be
// seen: a ban that doesn't find its words bans nothing.
func disguised(title string) bool {
	latin, other := false, false
	for _, r := range title {
		switch {
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.So, r), unicode.Is(unicode.Nl, r), unicode.IsControl(r) && !unicode.IsSpace(r):
			return true
		case r >= 0xFF00 && r <= 0xFFEF, r >= 0x1D400 && r <= 0x1D7FF: // Latin letters at full width, and those of mathematics
			return true
		case unicode.Is(unicode.Latin, r):
			latin = true
		case unicode.IsLetter(r):
			other = true
		}
	}
	return latin && other
}

// unframed takes the competitor's frames off both ends of a title, as long as
// a title is left.
func (t *titles) unframed(title string, p page) string {
	for {
		at := part.FindAllStringIndex(title, -1)
		if len(at) == 0 {
			return title
		}
		first, last := at[0], at[len(at)-1]
		head, tail := title[:last[0]], title[first[1]:]
		switch {
		case t.frame(title[last[1]:], p) && len(strings.Fields(head)) >= leastWords:
			title = head
		case t.frame(title[:first[0]], p) && len(strings.Fields(tail)) >= leastWords:
			title = tail
		default:
			return title
		}
	}
}

// bar stands between a title and what is never one: nobody writes it in prose.
var bar = regexp.MustCompile(`\s*[|»·]\s*|\s*::\s*`)

// leading is what stands before the first bar, or, where that is a mere word
// or two, the longest of what the bars part.
func leading(title string) string {
	pieces := bar.Split(title, -1)
	if len(strings.Fields(pieces[0])) > leastWords {
		return pieces[0]
	}
	return slices.MaxFunc(pieces, func(a, b string) int { return cmp.Compare(utf8.RuneCountInString(a), utf8.RuneCountInString(b)) })
}

// frame reports whether a part of a title is the competitor's frame.
func (t *titles) frame(piece string, p page) bool {
	form := simple(piece)
	return form == simple(p.competitor) || t.frames[p.CompetitorID][form] >= framed
}

// name finds a subject its title: of the most central pages' titles the one
// whose words stand in most of the others', since what one page alone says, or
// wants, is not the subject. False when none can be used.
func (t *titles) name(s subject) (title, keyphrase string, ok bool) {
	var clean []string
	for _, p := range s.every() {
		if c, ok := t.clean(p); ok {
			clean = append(clean, c)
		}
	}
	if len(clean) == 0 {
		return "", "", false
	}
	shared := map[string]int{}
	for _, c := range clean {
		for _, term := range unique(evidence.Terms(c)) {
			shared[term]++
		}
	}
	best := -1.0
	for _, c := range clean[:min(candidates, len(clean))] {
		worth := 0.0
		terms := unique(evidence.Terms(c))
		for _, term := range terms {
			worth += float64(shared[term]-1) * t.rare(term)
		}
		worth /= math.Sqrt(float64(len(terms)))
		if worth > best+1e-9 { // of equals, the more central
			best, title = worth, c
		}
	}
	return title, t.keyphrase(title, shared), true
}

// keyphrase is what readers would search for: up to three words of the title
// that carry meaning, in a row, of those that most titles of the subject share
// and few of the others.
func (t *titles) keyphrase(title string, shared map[string]int) string {
	var words, terms []string
	for _, w := range evidence.Words(title) {
		if found := evidence.Terms(w); len(found) > 0 && !slices.Contains(terms, found[0]) {
			words, terms = append(words, w), append(terms, found[0])
		}
	}
	best, phrase := -1.0, ""
	for from := range words {
		worth := 0.0
		for to := from; to < min(from+3, len(words)); to++ {
			worth += float64(shared[terms[to]]) * t.rare(terms[to])
			if p := strings.Join(words[from:to+1], " "); worth/math.Sqrt(float64(to-from+1)) > best && utf8.RuneCountInString(p) <= mostKeyphrase {
				best, phrase = worth/math.Sqrt(float64(to-from+1)), p
			}
		}
	}
	return phrase
}

// rare is how telling a term is: the fewer subjects have it, the more.
func (t *titles) rare(term string) float64 {
	return math.Log(1 + float64(t.subjects+1)/float64(t.seen[term]+1))
}

// normal is a subject in one form, whatever the order of its words and their
// endings.
func normal(title string) string { return strings.Join(unique(evidence.Terms(title)), "-") }

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
