package compose

import (
	"math"
	"slices"

	"blogposter/lib/evidence"
)

// vector is a text as the weights of its words.
type vector map[string]float64

// weigh makes the vector of a text; words that are rare in the index weigh
// most.
func weigh(index *evidence.Index, text string) vector {
	v := vector{}
	for _, t := range evidence.Terms(text) {
		v[t]++
	}
	for t, n := range v {
		v[t] = (1 + math.Log(n)) * index.Weight(t)
	}
	return v
}

// cosine is 1 for texts of the same words, 0 for texts that share none.
func cosine(a, b vector) float64 {
	dot, x, y := 0.0, 0.0, 0.0
	for _, t := range sorted(a) { // in a fixed order: sums of floats depend on it
		dot += a[t] * b[t]
		x += a[t] * a[t]
	}
	for _, t := range sorted(b) {
		y += b[t] * b[t]
	}
	if x == 0 || y == 0 {
		return 0
	}
	return dot / math.Sqrt(x*y)
}

func sorted(v vector) []string {
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
