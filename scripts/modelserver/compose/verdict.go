package compose

import (
	"regexp"
	"strconv"
	"strings"

	"blogposter/lib/evidence"
)

type judged struct {
	N     int  `json:"n"`
	Claim bool `json:"claim"`
	Legal bool `json:"legal"`
}

type claimsAnswer struct {
	Sentences []judged `json:"sentences"`
}

// law matches words that state what law or an authority asks for or allows.
// "The temperament is right" and "dogs allowed to rest" are none.
var law = regexp.MustCompile(`(?i)\b(?:must|shall|may not|cannot|required?|requires|laws?|legal(?:ly)?|illegal\w*|(?:un)?lawful\w*|regulations?|prohibit\w*|entitled|(?:is|are|be|not) (?:allowed|permitted)|(?:civil|equal|legal|no) rights?|rights? (?:to|of|under|in)|(?:have|has|had) (?:a|the) right)\b`)

// claims calls everything a claim that is no question, no heading and none of
// our own sentences.
func claims(in material) claimsAnswer {
	answer := claimsAnswer{Sentences: []judged{}}
	for _, t := range find(in.user, "sentence") {
		n, err := strconv.Atoi(t.attrs["n"])
		if err != nil {
			continue
		}
		text := t.text()
		m := judged{N: n, Claim: !framing(text) && !quest.MatchString(text)}
		if t.attrs["kind"] == "heading" {
			m.Claim = m.Claim && asserts(text)
		}
		m.Legal = m.Claim && law.MatchString(text)
		answer.Sentences = append(answer.Sentences, m)
	}
	return answer
}

// asserts reports whether a heading says something: one of its clauses has a
// verb, and does not ask.
func asserts(heading string) bool {
	for _, c := range strings.Split(heading, ": ") {
		if states.MatchString(c) && !asks.MatchString(c) {
			return true
		}
	}
	return false
}

type citation struct {
	Page  int    `json:"page"`
	Quote string `json:"quote"`
}

type verdict struct {
	N         int        `json:"n"`
	Verdict   string     `json:"verdict"`
	Reason    string     `json:"reason"`
	Citations []citation `json:"citations"`
}

type verdictsAnswer struct {
	Verdicts []verdict `json:"verdicts"`
}

// verdicts judges claims by words: supported is what a passage says in nearly
// the same words, refuted what it says but for a "not" or a number.
func verdicts(in material) verdictsAnswer {
	answer := verdictsAnswer{Verdicts: []verdict{}}
	for _, t := range find(in.user, "claim") {
		n, err := strconv.Atoi(t.attrs["n"])
		if err != nil {
			continue
		}
		answer.Verdicts = append(answer.Verdicts, judge(n, t))
	}
	return answer
}

func judge(n int, claim tag) verdict {
	v := verdict{N: n, Verdict: "unsupported", Reason: "No passage says this in nearly the same words.", Citations: []citation{}}
	var pro, contra []citation
	seen := map[int]bool{}
	for _, p := range find(claim.inner, "passage") {
		page, err := strconv.Atoi(p.attrs["page"])
		if err != nil {
			continue
		}
		text := p.text()
		for _, s := range evidence.Sentences(text) {
			switch evidence.Compare(claim.text(), s.In(text)) {
			case evidence.Entails:
				if !seen[page] {
					pro = append(pro, citation{page, s.In(text)})
				}
				seen[page] = true
			case evidence.Contradicts:
				contra = append(contra, citation{page, s.In(text)})
			case evidence.Unrelated:
			}
		}
	}
	switch {
	case len(contra) > 0:
		v.Verdict, v.Reason, v.Citations = "refuted", "A passage says the same but for a negation or a number.", contra
	case len(pro) > 0:
		v.Verdict, v.Reason, v.Citations = "supported", "The passage says it in nearly the same words.", pro
	}
	return v
}
