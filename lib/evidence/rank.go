package evidence

import (
	"cmp"
	"math"
	"slices"
)

// The usual parameters of BM25: how fast a repeated word stops counting, and
// how much a long passage is held back.
const (
	bm25K = 1.2
	bm25B = 0.75
)

// Index ranks passages by the words they share with a question (BM25). Equal
// input gives equal output.
type Index struct {
	postings map[string][]posting
	lengths  []int
	mean     float64
}

type posting struct{ passage, count int }

// Hit is a passage by its place in the list given to NewIndex.
type Hit struct {
	Passage int
	Score   float64
}

// NewIndex returns an Index of passages.
func NewIndex(passages []string) *Index {
	x := &Index{postings: map[string][]posting{}, lengths: make([]int, len(passages))}
	total := 0
	for i, p := range passages {
		counts := map[string]int{}
		terms := Terms(p)
		for _, t := range terms {
			counts[t]++
		}
		for t, n := range counts {
			x.postings[t] = append(x.postings[t], posting{i, n})
		}
		x.lengths[i] = len(terms)
		total += len(terms)
	}
	x.mean = float64(total) / float64(max(1, len(passages)))
	return x
}

// Rank returns the passages that share a term with query, best first; of
// equals, the earlier. There are at most limit of them.
func (x *Index) Rank(query string, limit int) []Hit {
	scores := map[int]float64{}
	terms := Terms(query)
	slices.Sort(terms)
	for _, t := range slices.Compact(terms) { // in a fixed order: sums of floats depend on it
		weight := x.Weight(t)
		for _, p := range x.postings[t] {
			n := float64(p.count)
			norm := bm25K * (1 - bm25B + bm25B*float64(x.lengths[p.passage])/max(1, x.mean))
			scores[p.passage] += weight * n * (bm25K + 1) / (n + norm)
		}
	}
	hits := make([]Hit, 0, len(scores))
	for p, s := range scores {
		hits = append(hits, Hit{p, s})
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Passage, b.Passage))
	})
	return hits[:min(limit, len(hits))]
}

// Weight is how telling a stemmed term is: the rarer, the more.
func (x *Index) Weight(term string) float64 {
	n, total := float64(len(x.postings[term])), float64(len(x.lengths))
	return math.Log(1 + (total-n+0.5)/(n+0.5))
}
