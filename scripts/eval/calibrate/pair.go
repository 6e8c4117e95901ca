package calibrate

import (
	"fmt"
	"slices"

	"blogposter/lib/nearness"
)

// Class is how near two texts really are.
type Class string

// The classes of pairs.
const (
	Different Class = "different" // two subjects
	Near      Class = "near"      // two texts on one subject, or the halves of one page
	Same      Class = "same"      // a text, and the same one shortened or reprinted
)

// Classes lists them, the farthest first.
func Classes() []Class { return []Class{Different, Near, Same} }

// class is what two texts are to each other; "" for a pair that says nothing,
// such as a page and its own half.
func class(a, b Text) Class {
	switch {
	case a.Set != b.Set, a.Copy && b.Copy:
		return ""
	case a.Subject != b.Subject:
		if a.Variant != "" || b.Variant != "" || a.Copy || b.Copy {
			return "" // the whole pages say it already
		}
		return Different
	case a.Page == b.Page && a.Variant == "" && b.Variant == "" && a.Copy != b.Copy:
		return Same
	case a.Page == b.Page && a.Variant != "" && b.Variant != "" && a.Variant != b.Variant:
		return Near
	case a.Page != b.Page && a.Variant == "" && b.Variant == "" && !a.Copy && !b.Copy:
		return Near
	}
	return ""
}

// Pairs is how near the pairs of one Part are by the vectors, in ascending
// order.
type Pairs map[Class][]float64

// measured is one Part in the Space that its whole pages make.
type measured struct {
	pairs  Pairs
	labels []string // subject of each whole page of the competitors
	matrix nearness.Matrix
}

func measure(c nearness.Calibration, passages []nearness.Vector, texts []Text, vectors []nearness.Vector) (measured, error) {
	m := measured{pairs: Pairs{}}
	var corpus []nearness.Vector
	for i, t := range texts {
		if t.Variant == "" && !t.Copy {
			corpus = append(corpus, vectors[i])
		}
	}
	space, err := nearness.NewSpace(c, passages, corpus)
	if err != nil {
		return m, err
	}
	points := make([]nearness.Point, len(texts))
	var wholes []nearness.Point
	for i, t := range texts {
		if points[i], err = space.Place(vectors[i]); err != nil {
			return m, fmt.Errorf("%s: %w", t.Page, err)
		}
		if t.Set == "rivals" && t.Variant == "" && !t.Copy {
			wholes, m.labels = append(wholes, points[i]), append(m.labels, t.Subject)
		}
	}
	all, err := space.Matrix(points)
	if err != nil {
		return m, err
	}
	for i := range texts {
		for j := range i {
			if k := class(texts[i], texts[j]); k != "" {
				m.pairs[k] = append(m.pairs[k], all.At(i, j))
			}
		}
	}
	for _, list := range m.pairs {
		slices.Sort(list)
	}
	m.matrix, err = space.Matrix(wholes)
	return m, err
}
