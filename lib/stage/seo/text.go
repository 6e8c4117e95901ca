package seo

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"blogposter/lib/editorial"
	"blogposter/lib/markup"
)

// terms splits text into lower-case words.
func terms(text string) []string {
	return strings.FieldsFunc(strings.ToLower(markup.Clean(text)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’'
	})
}

// count is how often the words of phrase stand in text, in their order.
func count(text, phrase string) int {
	have, want := terms(text), terms(phrase)
	n := 0
	for i := 0; len(want) > 0 && i+len(want) <= len(have); i++ {
		if slices.Equal(have[i:i+len(want)], want) {
			n++
		}
	}
	return n
}

func keyphrase(s Subject) []editorial.Finding {
	d := s.draft()
	if len(terms(d.Keyphrase)) == 0 {
		return doubtful(RuleKeyphrase, "the draft has no keyphrase")
	}
	var out []editorial.Finding
	if count(d.Title, d.Keyphrase) == 0 {
		out = append(out, doubtful(RuleKeyphrase, "the title doesn't say %q", d.Keyphrase)...)
	}
	intro := editorial.Body{Sections: d.Body.Sections[:min(1, len(d.Body.Sections))]}
	if count(prose(intro), d.Keyphrase) == 0 {
		out = append(out, doubtful(RuleKeyphrase, "the introduction doesn't say %q", d.Keyphrase)...)
	}
	return out
}

// density is the share of the body's words that are the keyphrase's. It only
// warns: a text that repeats itself is worse than one that is found less.
func density(s Subject) []editorial.Finding {
	d := s.draft()
	words, phrase := len(terms(prose(d.Body))), len(terms(d.Keyphrase))
	if words == 0 || phrase == 0 {
		return nil
	}
	share := 100 * float64(count(prose(d.Body), d.Keyphrase)*phrase) / float64(words)
	if share >= densityLeast && share <= densityMost {
		return nil
	}
	return doubtful(RuleDensity, "%q makes %.1f %% of the words, %.0f to %.0f are wanted where they read well", d.Keyphrase, share, densityLeast, densityMost)
}

// readability is the Flesch-Kincaid grade: the years of school a reader needs.
func readability(s Subject) []editorial.Finding {
	var sentences, words, syllables int
	for _, sen := range s.draft().Body.Sentences() {
		sentences++
		for _, w := range terms(sen.Text) {
			words++
			syllables += syllablesOf(w)
		}
	}
	if words == 0 {
		return nil
	}
	grade := 0.39*float64(words)/float64(sentences) + 11.8*float64(syllables)/float64(words) - 15.59
	if rounded := math.Round(grade*10) / 10; rounded < gradeLeast || rounded > gradeMost {
		return doubtful(RuleReadability, "the text reads at grade %.1f, %.0f to %.0f are wanted", rounded, gradeLeast, gradeMost)
	}
	return nil
}

var vowels = regexp.MustCompile(`[aeiouy]+`)

// syllablesOf estimates the syllables of an English word by its groups of
// vowels, which is what the grade's own formula was fitted to.
func syllablesOf(word string) int {
	n := len(vowels.FindAllString(word, -1))
	if strings.HasSuffix(word, "e") && !strings.HasSuffix(word, "le") && n > 1 {
		n--
	}
	return max(n, 1)
}

// invisible are characters that part a word for a machine and not for a reader.
var invisible = strings.NewReplacer("\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\u00ad", "")

// says lists the forbidden statements that text makes.
func says(list []editorial.Forbidden, text string) ([]string, error) {
	text = strings.NewReplacer("’", "'", "‑", "-").Replace(markup.Clean(invisible.Replace(text)))
	var out []string
	for _, f := range list {
		re, err := regexp.Compile("(?i)" + f.Pattern)
		if err != nil {
			return nil, fmt.Errorf("the site's forbidden pattern %q is no regular expression: %w", f.Pattern, err)
		}
		if m := re.FindString(text); m != "" {
			out = append(out, fmt.Sprintf("%q (%s)", m, f.Reason))
		}
	}
	return out, nil
}

// forbidden looks at everything the site would say in its own voice. What
// sources say is theirs, and stands in quotation marks.
func forbidden(s Subject) []editorial.Finding {
	d := s.draft()
	texts := []string{d.Title, d.MetaDescription, d.Excerpt, strings.ReplaceAll(d.Slug, "-", " "), d.Keyphrase}
	texts = append(texts, d.Categories...)
	texts = append(texts, d.Tags...)
	for _, sec := range d.Body.Sections {
		texts = append(texts, sec.Heading)
		for _, blk := range sec.Blocks {
			for _, item := range blk.Items {
				texts = append(texts, joined(item)) // a statement may run over two sentences
			}
		}
	}
	var out []editorial.Finding
	for _, text := range texts {
		faults, err := says(s.rules().Forbidden, text)
		if err != nil {
			return broken(RuleForbidden, "%v: mend the site's rules", err)
		}
		for _, f := range faults {
			out = append(out, broken(RuleForbidden, "must never be published: %s in %.120q", f, text)...)
		}
	}
	return out
}
