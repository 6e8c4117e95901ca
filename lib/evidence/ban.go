package evidence

import (
	"fmt"
	"regexp"
	"strings"

	"blogposter/lib/editorial"
)

// Bans are a site's forbidden statements, ready to match.
//
// A pattern is matched without regard to case against one sentence, in which
// quotation marks and dashes are straight and every run of white space is one
// space. It hits wherever it matches: nothing is guessed about negation, so a
// pattern names subject and verb in a row, such as
// `service (dog|animal)s? (must|have to|need to) be registered`, which
// "service dogs do not have to be registered" does not match. Only an open
// question, "Does a service dog have to be registered?", states nothing and is
// never hit; "Did you know that …?" is no open question.
type Bans struct {
	rules    []editorial.Forbidden
	patterns []*regexp.Regexp
}

// NewBans compiles the patterns; an error names the one that is broken.
func NewBans(rules []editorial.Forbidden) (*Bans, error) {
	b := &Bans{rules: rules}
	for i, rule := range rules {
		re, err := regexp.Compile("(?i)" + rule.Pattern)
		if err != nil {
			return nil, fmt.Errorf("forbidden pattern %d of the site, %q, is no RE2 expression: %w", i+1, rule.Pattern, err)
		}
		b.patterns = append(b.patterns, re)
	}
	return b, nil
}

// Hit returns the reason of the first rule that sentence breaks.
func (b *Bans) Hit(sentence string) (reason string, hit bool) {
	folded, _ := fold(strings.TrimSpace(sentence))
	if open.MatchString(folded) {
		return "", false
	}
	for i, re := range b.patterns {
		if re.MatchString(folded) {
			return b.rules[i].Reason, true
		}
	}
	return "", false
}

// open matches one question that can be answered yes or no.
var open = regexp.MustCompile(`(?i)^(do|does|is|are|must|can|should|will|has|have|need) [^.?!:;—]*\?$`)
