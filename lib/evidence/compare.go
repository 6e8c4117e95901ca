package evidence

import (
	"slices"
	"strings"
)

// negative are the words that turn a statement round.
var negative = set(`not no never nor neither none nobody nothing nowhere without cannot hardly
	unable unlawful illegal impermissible prohibited prohibits prohibit forbidden forbids forbid barred`)

// numerals are numbers written out.
var numerals = map[string]string{
	"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
	"seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
}

// Negations counts the words of s that turn a statement round.
func Negations(s string) int {
	n := 0
	for _, w := range Words(s) {
		if negates(w) {
			n++
		}
	}
	return n
}

func negates(word string) bool { return negative[word] || strings.HasSuffix(word, "n't") }

// force are the small words that say how strongly, and how widely, a
// statement holds.
var force = map[string]string{
	"must": "must", "shall": "must", "may": "may", "can": "may", "could": "may", "might": "may", "should": "should",
	"only": "only", "all": "all", "every": "all", "any": "all", "always": "always",
	"except": "unless", "unless": "unless", "if": "if",
}

// conditions narrow a statement: a claim that leaves one out says more than
// the passage does.
var conditions = set(`only unless if`)

// sameForce reports whether passage holds as strongly and widely as claim.
func sameForce(claim, passage string) bool {
	c, p := forces(claim), forces(passage)
	for f := range c {
		if !p[f] {
			return false
		}
	}
	for f := range p {
		if conditions[f] && !c[f] {
			return false
		}
	}
	return true
}

func forces(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range Words(s) {
		if f := force[w]; f != "" {
			m[f] = true
		}
	}
	return m
}

// Numbers are the numbers of s in digits, without separators of thousands.
// Written-out numbers count, but "one", which is a pronoun as often as not.
func Numbers(s string) []string {
	var out []string
	for _, w := range Words(s) {
		if d, ok := numerals[w]; ok && w != "one" {
			w = d
		}
		if w[0] >= '0' && w[0] <= '9' {
			out = append(out, strings.ReplaceAll(w, ",", ""))
		}
	}
	return out
}

// Overlap is the share of a's terms that b has too, counted with repetition:
// 1 when everything a speaks of is in b, 0 when a has no terms.
func Overlap(a, b string) float64 {
	have := map[string]int{}
	for _, t := range Terms(b) {
		have[t]++
	}
	terms, shared := Terms(a), 0
	for _, t := range terms {
		if have[t] > 0 {
			have[t]--
			shared++
		}
	}
	if len(terms) == 0 {
		return 0
	}
	return float64(shared) / float64(len(terms))
}

// Relation is what one sentence says about another, judged by words alone.
type Relation int

// The relations of a passage to a claim.
const (
	Unrelated   Relation = iota // words alone can't tell
	Entails                     // it says the same, or more
	Contradicts                 // it says the same, but for a negation or a number
)

// near is the Overlap from which two sentences speak of the same thing.
const near = 0.9

// Compare judges by words whether passage says what claim says. It is strict:
// what it calls Entails has nearly every word of the claim in its order, as
// many negations, the same numbers, no weaker verb and no further condition; everything it can't tell is Unrelated.
func Compare(claim, passage string) Relation {
	c, p := Normal(claim), Normal(passage)
	if strings.EqualFold(c, p) {
		return Entails
	}
	if len(Terms(claim)) < 3 || Overlap(withoutNumbers(claim), withoutNumbers(passage)) < near {
		return Unrelated
	}
	numbers := sameNumbers(claim, passage)
	polarity := Negations(claim) == Negations(passage)
	alike := Overlap(withoutNumbers(passage), withoutNumbers(claim)) >= near
	switch {
	case numbers && polarity && sameForce(claim, passage) && ordered(claim, passage):
		return Entails
	case alike && (!polarity || !numbers && len(Numbers(passage)) > 0 && len(Numbers(claim)) > 0):
		return Contradicts
	}
	return Unrelated
}

func sameNumbers(claim, passage string) bool {
	have := Numbers(passage)
	for _, n := range Numbers(claim) {
		if !slices.Contains(have, n) {
			return false
		}
	}
	return true
}

// ordered reports whether claim's terms come in the same order in passage,
// but for a few: "dogs may exclude staff" is not "staff may exclude dogs".
func ordered(claim, passage string) bool {
	a, b := Terms(claim), Terms(passage)
	row := make([]int, len(b)+1)
	for _, t := range a {
		diagonal := 0
		for j, u := range b {
			above := row[j+1]
			if t == u {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = above
		}
	}
	return float64(row[len(b)]) >= 0.8*float64(len(a))
}

func withoutNumbers(s string) string {
	words := slices.DeleteFunc(Words(s), func(w string) bool {
		return numerals[w] != "" || w[0] >= '0' && w[0] <= '9'
	})
	return strings.Join(words, " ")
}
