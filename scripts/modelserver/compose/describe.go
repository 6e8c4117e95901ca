package compose

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"blogposter/lib/evidence"
)

type description struct {
	Title           string   `json:"title"`
	MetaDescription string   `json:"meta_description"`
	Slug            string   `json:"slug"`
	Excerpt         string   `json:"excerpt"`
	Categories      []string `json:"categories"`
	Tags            []string `json:"tags"`
}

// describe writes what goes around an article, in the article's words.
func describe(in material) description {
	topic, phrase, article := one(in.user, "topic"), one(in.user, "keyphrase"), one(in.user, "article")
	statements := declared(article)
	d := description{Title: title(topic, phrase), Excerpt: excerpt(statements), Categories: []string{}, Tags: []string{}}
	d.MetaDescription = meta(statements, topic+" "+phrase)
	d.Slug = strings.Join(slug.FindAllString(strings.NewReplacer("'s", "", "’s", "").Replace(strings.ToLower(phrase)), -1), "-")
	cats := commas(one(in.user, "categories"))
	if best := fitting(cats, topic, article); len(best) > 0 {
		cats = best
	}
	d.Categories = append(d.Categories, cats[:min(len(cats), 1)]...)
	tags := fitting(commas(one(in.user, "tags")), topic, article)
	d.Tags = append(d.Tags, tags[:min(len(tags), 4)]...)
	return d
}

var slug = regexp.MustCompile(`[a-z0-9]+`)

// declared lists the article's sentences that state something.
func declared(article string) []string {
	var out []string
	for _, s := range evidence.Sentences(article) {
		if t := s.In(article); standsAlone(t) && !framing(t) && !strings.HasPrefix(article[s.Mark:], "#") {
			out = append(out, t)
		}
	}
	return out
}

const (
	titleLeast, titleMost = 45, 60
	metaLeast, metaMost   = 140, 160
	excerptMost           = 300
)

// endings make a title of a keyphrase. They assert nothing.
var endings = []string{
	"", ": A Guide", ": The Basics", ": A Plain Guide", ": A Guide for Readers", ": What the Sources Say", ": What to Know, With Sources",
	": Common Questions and Answers", ": A Plain Guide to the Sources", ": A Plain-Language Guide With Sources", ": Answers to the Questions Readers Ask",
}

// title is the topic itself where it has the right length, else the keyphrase
// with an ending that fills it up.
func title(topic, phrase string) string {
	topic = strings.TrimRight(strings.Join(strings.Fields(topic), " "), ".")
	options := []string{upperFirst(topic)}
	if !strings.ContainsAny(topic, ":?") {
		for _, e := range endings[1:] {
			options = append(options, upperFirst(topic)+e)
		}
	}
	for _, e := range endings {
		options = append(options, upperWords(cased(phrase, topic))+e)
	}
	distance := func(s string) int {
		n := utf8.RuneCountInString(s)
		return max(titleLeast-n, n-titleMost, 0)
	}
	return slices.MinFunc(options, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
}

// upperWords writes a phrase as titles are written.
func upperWords(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		if i == 0 || !connectors[w] {
			words[i] = upperFirst(w)
		}
	}
	return strings.Join(words, " ")
}

// meta is one statement of the article, closest to its subject, filled up to
// its length with a remark that states nothing.
func meta(statements []string, subject string) string {
	best, value := "", -1.0
	mine := setting(subject)
	for i, s := range statements {
		for _, m := range append([]string{""}, tails...) {
			whole := strings.TrimSpace(s + " " + m)
			if n := utf8.RuneCountInString(whole); n < metaLeast || n > metaMost {
				continue
			}
			here, _ := inPlace(s, mine)
			v := evidence.Overlap(subject, s) + 0.4*float64(min(here, 1)) - 0.002*float64(len(m)) - 0.003*float64(i)
			if v > value {
				best, value = whole, v
			}
		}
	}
	if best == "" && len(statements) > 0 { // nothing fits: as much as does
		best = statements[0]
	}
	return best
}

// excerpt is the article's first statement, and the second if there is room.
func excerpt(statements []string) string {
	out := ""
	for _, s := range statements[:min(len(statements), 2)] {
		if next := strings.TrimSpace(out + " " + s); len(next) <= excerptMost {
			out = next
		}
	}
	return out
}

// kin are words of topics that belong under a category with another name.
var kin = map[string]map[string]bool{
	"travel":  stems("bus ferry transit hotel flight airport airline taxi trip"),
	"access":  stems("shop store restaurant cafe school college hospital theater fee damage public staff question"),
	"housing": stems("apartment landlord tenant rent lease"),
	"health":  stems("summer heat paw vaccine weight veterinarian retire"),
}

// fitting are the names all of whose words stand in the article: those in its
// topic first, then those in its headings, then those it uses most.
func fitting(names []string, topic, article string) []string {
	have := map[string]int{}
	count := func(text string, times int) {
		for _, t := range evidence.Terms(text) {
			have[cut(t)] += times
		}
	}
	count(article, 1)
	count(topic, 10_000)
	for line := range strings.SplitSeq(article, "\n") {
		if strings.HasPrefix(line, "#") {
			count(line, 50)
		}
	}
	for name, words := range kin {
		if hits(evidence.Terms(topic), words) > 0 {
			have[cut(evidence.Stem(name))] += 20_000
		}
	}
	score := map[string]int{}
	var out []string
	for _, n := range names {
		terms := evidence.Terms(n)
		for i, t := range terms {
			if i == 0 || have[cut(t)] < score[n] {
				score[n] = have[cut(t)]
			}
		}
		if score[n] > 0 {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(score[b], score[a]) })
	return out
}
