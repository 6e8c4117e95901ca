package factcheck

import (
	"regexp"
	"strings"

	"blogposter/lib/evidence"
)

// lawWords speak of law on any site. What names the law itself (an act, an
// agency) is in the site's legal terms.
var lawWords = []string{
	"must", "must not", "may not", "shall", "cannot", "can't", "have to", "has to", "need to", "needs to", "required", "requires", "require",
	"not allowed", "not permitted", "permissible", "illegal", "unlawful", "lawful", "legal", "legally", "law", "laws", "statute", "statutes",
	"regulation", "regulations", "prohibited", "prohibits", "prohibit", "forbidden", "entitled", "obligated", "obliged", "exempt",
	"violation", "violate", "violates", "liable", "sue", "fined", "penalty", "penalties", "discriminate", "discrimination",
}

// assertive are the words that make a title say something.
var assertive = regexp.MustCompile(`(?i)\b(is|are|was|were|must|may|can|cannot|shall|should|will|has|have|had|do|does|did|don't|doesn't|not|no|never|always|only|all|every|need|needs|requires?|required|allows?|allowed|prohibits?|prohibited|bans?|banned|protects?|protected|guarantees?|entitles?|entitled|illegal|legal|exempt)\b`)

// asking begins a title that asks, or announces, without saying anything.
var asking = regexp.MustCompile(`(?i)^(what|when|where|which|who|whose|how|why)\b`)

// terms finds the words that make a sentence a statement of law.
type terms struct{ re *regexp.Regexp }

func newTerms(site []string) *terms {
	var alternatives []string
	for _, t := range append(append([]string{}, lawWords...), site...) {
		if t = strings.Join(strings.Fields(strings.ToLower(t)), " "); t != "" {
			alternatives = append(alternatives, strings.ReplaceAll(regexp.QuoteMeta(t), " ", `\s+`))
		}
	}
	return &terms{regexp.MustCompile(`(?i)(?:^|[^\pL\pN])(?:` + strings.Join(alternatives, "|") + `)(?:$|[^\pL\pN])`)}
}

func (t *terms) in(sentence string) bool {
	return t.re.MatchString(strings.ReplaceAll(sentence, "’", "'"))
}

// clause parts a title: "Fees: what a handler may be charged" says nothing on
// either side of the colon.
var clause = regexp.MustCompile(`[:;]\s|\s[–—-]\s`)

// asserts reports whether a title or heading says something that could be
// wrong, as far as words can tell. Names such as "ADA rules for restaurants"
// and questions don't.
func asserts(title string) bool {
	if len(evidence.Numbers(title)) > 0 {
		return true
	}
	if strings.HasSuffix(strings.TrimSpace(title), "?") {
		return false
	}
	for _, c := range clause.Split(title, -1) {
		if c = strings.TrimSpace(c); !asking.MatchString(c) && assertive.MatchString(c) {
			return true
		}
	}
	return false
}
