package compose

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"blogposter/lib/evidence"
)

const (
	minWords = 7
	maxWords = 58
)

var (
	// leans matches the beginning of a sentence that needs the one before it.
	leans = regexp.MustCompile(`(?i)^(?:however|but|and|or|so|yet|also|thus|hence|therefore|instead|otherwise|similarly|likewise|moreover|furthermore|additionally|consequently|accordingly|nevertheless|nonetheless|meanwhile|rather|still|then|in addition|in fact|in that case|in this case|in these cases|in such cases|in this way|as a result|as such|as stated|as noted|for example|for instance|for this reason|for these reasons|on the other hand|by contrast|in contrast|after that|at that point|if so|if not|even so|even then|that said|the same|the only other|other|others|other people|another|some offer|below|above|it|its|they|them|their|theirs|he|she|his|her|him|this|that|these|those|such|both|neither|either|each of|one of these|here|there it|the former|the latter|the above|the following|nor|because (?:it|they|this|these|he|she)|(?:if|when|while|since|although|unless|as|once) (?:it|they|this|these|those|that|he|she|both|such)|[^,.]{1,45}, (?:however|therefore|though|too)|we|our|us|i|my)\b`)
	// entire matches beginnings that leans would take, but stand alone.
	entire = regexp.MustCompile(`(?i)^(?:it (?:is|was|may be|would be|can be|takes|helps) [a-z]+ (?:to|that|for)\b|both (?:the )?[a-z]+ and |there (?:is|are|was|were) |that (?:a|an|the) |each [a-z]+ )`)
	// inward matches what sends the reader elsewhere on the page, or speaks of
	// the page itself.
	inward = regexp.MustCompile(`(?i)\b(?:this|these|the following|our) (?:publication|document|guidance|page|section|website|web site|article|guide|fact sheet|brochure|post|primer|topic|content|site|requirements|rules|faqs?|questions?)\b|\b(?:see|click|read|visit|view|refer to|learn more|find out|sign up|subscribe|download|contact us|call (?:us|our)|toll-free|for more information|more information|last updated|see question|question \d+|listed (?:below|above)|described (?:below|above)|as follows|the following|cookies?|copyright|all rights reserved|privacy policy|terms of use|newsletter|javascript|browser|http|www\.|\.gov|\.com|e-mail|email|reproduc|duplication|our|as (?:stated|noted|described|discussed|mentioned|explained)|guidance document|available only|navigation|receive many questions|federal register|drafting|website|web site|feedback|this part|this subpart|paragraph \(?[a-z0-9]|paragraphs? \d|alternate formats?|(?:wrote|prints?|hands out) this)\b|\b(?:handbook|guide|workbook|manual|calendar|report|course plan) (?:covers|explains|shows|follows|turns|collects|describes|gives|divides)\b|^The (?:answers|diaries|chapter) (?:show|follow|covers)|https?:|@`)
	// verbal is a word that makes a run of words a statement, as far as that
	// can be told without a grammar.
	verbal = regexp.MustCompile(`(?i)\b(?:is|are|was|were|be|been|am|has|have|had|do|does|did|can|cannot|could|may|might|must|shall|should|will|would|[a-z]{3,}(?:s|ed))\b`)
	stage  = regexp.MustCompile(`^\(?(?:Yes|No|True|False|It depends|Generally,? yes|Generally,? no|Maybe|Sometimes)\b[.,]?`)
	// labelled matches a sentence behind a label: "Breed restrictions: The…".
	labelled = regexp.MustCompile(`^[A-Z][A-Za-z]*(?: [A-Za-z-]+){0,4}: [A-Z]`)
	phone    = regexp.MustCompile(`\d{3}-\d{3,4}`)
	quest    = regexp.MustCompile(`\?`)
)

// standsAlone reports whether a sentence is a statement that can be read
// without the one before it.
func standsAlone(s string) bool {
	return declares(s) && (!leans.MatchString(s) || entire.MatchString(s)) && !dangles(s)
}

// declares reports whether a sentence is a whole statement about the subject,
// not a question, a fragment, a menu or a remark on the page.
func declares(s string) bool {
	n := len(strings.Fields(s))
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, `"“‘`))
	switch {
	case n < minWords || n > maxWords:
		return false
	case !unicode.IsUpper(first) && !unicode.IsDigit(first):
		return false
	case !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, ".”") && !strings.HasSuffix(s, `."`) && !strings.HasSuffix(s, "!"):
		return false
	case inward.MatchString(s), phone.MatchString(s), stage.MatchString(s), labelled.MatchString(s):
		return false
	case quest.MatchString(s) && !strings.Contains(s, "(1)"):
		return false
	}
	return verbal.MatchString(s) && balanced(s)
}

var (
	pointing = regexp.MustCompile(`(?i)\b(?:this|these|those|such) [a-z-]+`)
	announce = regexp.MustCompile(`(?i)such (?:as|a|an)\b|those (?:who|with|of|that|in)\b`)
)

// dangles reports whether a sentence speaks of something as known that it has
// not named: "These exceptions".
func dangles(s string) bool {
	words := strings.Fields(s)
	m := pointing.FindString(strings.Join(words[:min(len(words), 9)], " "))
	return m != "" && !announce.MatchString(m)
}

func balanced(s string) bool {
	return strings.Count(s, "(") == strings.Count(s, ")") && strings.Count(s, "“") == strings.Count(s, "”") && strings.Count(s, `"`)%2 == 0
}

// follows reports whether a sentence can only stand behind the one before it,
// and may: it leans on it, and is no fragment.
func follows(s string) bool { return declares(s) && !standsAlone(s) }

// onward stands where a section has nothing of its own to say. It states
// nothing.
const onward = "More on this below."

// tails fill a description up to its length. They state nothing either.
var tails = []string{
	"A short guide.",
	"A plain guide with sources.",
	"Clear answers, taken from the sources.",
	"A plain guide with its sources, point by point.",
	"Clear answers for everyday situations, with the sources named.",
	"A plain guide for readers in a hurry, with the source of each point named.",
	"A plain guide for readers in a hurry, point by point, with the source of each point named.",
}

// framing reports whether s is one of our own sentences that state nothing.
func framing(s string) bool {
	if covers.MatchString(strings.TrimSpace(s)) {
		return true
	}
	s = evidence.Normal(s)
	return s == evidence.Normal(onward) || slices.ContainsFunc(tails, func(t string) bool { return evidence.Normal(t) == s })
}
