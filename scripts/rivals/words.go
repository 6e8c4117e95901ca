package rivals

import (
	"hash/fnv"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// chance is a row of numbers that its seed decides alone.
type chance uint64

func dice(seed string) chance {
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed))
	return chance(h.Sum64())
}

// roll is the next number below n, by SplitMix64.
func (c *chance) roll(n int) int {
	*c += 0x9e3779b97f4a7c15
	z := uint64(*c)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return int(z>>33) % n
}

func pick(from []string, d *chance) string { return from[d.roll(len(from))] }

func shuffled(list []string, d *chance) []string {
	out := slices.Clone(list)
	for i := len(out) - 1; i > 0; i-- {
		j := d.roll(i + 1)
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// words fills the gaps of a sentence with those of a subject.
type words struct {
	subject entry
	d       *chance
}

var gap = regexp.MustCompile(`\{[^{}]*\}`)

// lists says which list fills which gap.
var lists = map[string]string{"who": "who", "where": "where", "thing": "things", "thing2": "things", "act": "acts", "act2": "acts"}

// in returns the sentence with its gaps filled; no gap of it gets the same
// words as another.
func (w words) in(sentence string) string {
	used := map[string]bool{}
	return gap.ReplaceAllStringFunc(sentence, func(g string) string {
		g = g[1 : len(g)-1]
		if strings.Contains(g, "|") {
			return pick(strings.Split(g, "|"), w.d)
		}
		name := strings.ToLower(g)
		list, ok := lists[name]
		if !ok {
			panic("rivals: nothing fills {" + g + "}")
		}
		choices := slices.DeleteFunc(w.subject.list(list), func(s string) bool { return used[s] })
		said := pick(choices, w.d)
		used[said] = true
		if first, _ := utf8.DecodeRuneInString(g); unicode.IsUpper(first) {
			return strings.ToUpper(said[:1]) + said[1:]
		}
		return said
	})
}
