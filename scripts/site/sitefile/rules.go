package sitefile

import (
	"fmt"
	"regexp"

	"blogposter/lib/editorial"
	"blogposter/lib/evidence"
)

func (c *checker) rules() {
	r := c.site.Rules
	c.need(r.LegalMinSources >= 1, "rules.legal_min_sources", "%d: at least 1, 2 for legal topics", r.LegalMinSources)
	c.need(r.MinWords >= 1 && r.MaxWords >= r.MinWords && r.MaxWords <= mostWords, "rules.min_words",
		"%d and max_words %d: use a range such as 1500 and 2500, of at most %d", r.MinWords, r.MaxWords, mostWords)
	c.need(filled(r.AIDisclosure), "rules.ai_disclosure", "is empty: readers must be told")
	for i, term := range r.LegalTerms {
		c.need(filled(term), fmt.Sprintf("rules.legal_terms[%d]", i), "is empty: write a word, or leave it out")
	}
	for i, d := range r.Disclaimers {
		c.need(filled(d), fmt.Sprintf("rules.disclaimers[%d]", i), "is empty: write a sentence, or leave it out")
	}
}

// bans checks each forbidden pattern, and that no sentence which must stand in
// every article is one that may stand in none: nothing could be published.
func (c *checker) bans() {
	type sentences struct{ field, text string }
	required := []sentences{{"rules.ai_disclosure", c.site.Rules.AIDisclosure}}
	for i, d := range c.site.Rules.Disclaimers {
		required = append(required, sentences{fmt.Sprintf("rules.disclaimers[%d]", i), d})
	}
	for i, f := range c.site.Rules.Forbidden {
		at := fmt.Sprintf("rules.forbidden[%d]", i)
		c.need(filled(f.Reason), at+".reason", "is empty: the reviewer reads it")
		pattern, err := regexp.Compile(f.Pattern)
		if err != nil || f.Pattern == "" {
			c.need(false, at+".pattern", "%q: not a regular expression (RE2)", f.Pattern)
			continue
		}
		if pattern.MatchString("") {
			c.need(false, at+".pattern", "%q matches every sentence: name the words that must not be said", f.Pattern)
			continue
		}
		for _, r := range required {
			said := hit(f, r.text)
			c.need(said == "", at+".pattern", "%q matches %s, %q: narrow the pattern, or reword the sentence", f.Pattern, r.field, said)
		}
	}
}

// hit is the first sentence of text that f forbids, judged as articles are.
func hit(f editorial.Forbidden, text string) string {
	bans, err := evidence.NewBans([]editorial.Forbidden{f})
	if err != nil {
		return ""
	}
	for _, s := range evidence.Sentences(text) {
		if _, is := bans.Hit(s.In(text)); is {
			return s.In(text)
		}
	}
	return ""
}
