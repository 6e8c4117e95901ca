package nearness

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

//go:embed general.txt
var general string

// Passages are short English texts on everyday subjects, none of them any
// site's. What their vectors have in common is what all of a model's vectors
// have in common.
func Passages() []string {
	return strings.Split(strings.TrimSpace(general), "\n\n")
}

// What a Space is built from few vectors.
const (
	// passagesWeigh is how many pages the passages stand for in the common
	// part: all of it for a site without pages, hardly anything beside a
	// hundred. Without them two pages would be each other's opposites.
	passagesWeigh = 10
	// vectorsPerComponent is how many vectors must bear a principal component:
	// that of fewer is one page's subject, not what all have in common.
	vectorsPerComponent = 50
)

// Space is where the texts of one site are compared: the model's, without what
// all of them have in common. The same vectors make the same Space.
type Space struct {
	calibration Calibration
	dims        int
	mean        []float32
	components  [][]float32
}

// Point is a text's place in a Space.
type Point struct {
	space *Space
	at    []float32
}

// NewSpace returns the Space of corpus, all the texts that are compared with
// each other, for the model of c. passages are the vectors of Passages; they
// may be left out for a model whose vectors are compared as they are.
func NewSpace(c Calibration, passages, corpus []Vector) (*Space, error) {
	s := &Space{calibration: c}
	switch {
	case len(passages) > 0:
		s.dims = len(passages[0].values)
	case c.Centered:
		return nil, errors.New("a space needs the vectors of the general passages")
	case len(corpus) > 0:
		s.dims = len(corpus[0].values)
	}
	for _, vectors := range [][]Vector{passages, corpus} {
		if err := sameModel(c.Model, s.dims, vectors...); err != nil {
			return nil, fmt.Errorf("build a space: %w", err)
		}
	}
	if !c.Centered {
		return s, nil
	}
	s.mean = common(s.dims, passages, corpus)
	if most := len(corpus) / vectorsPerComponent; most > 0 {
		s.components = principal(s.mean, corpus, min(c.Components, most))
	}
	return s, nil
}

// common is the mean of the corpus, with the mean of the passages in it as so
// many pages.
func common(dims int, passages, corpus []Vector) []float32 {
	sum := make([]float64, dims)
	add := func(vectors []Vector, weight float64) {
		for _, v := range vectors {
			for i, x := range v.values {
				sum[i] += weight * float64(x)
			}
		}
	}
	add(corpus, 1)
	add(passages, passagesWeigh/float64(len(passages)))
	mean := make([]float32, dims)
	for i, x := range sum {
		mean[i] = float32(x / float64(len(corpus)+passagesWeigh))
	}
	return mean
}

// Place is where v lies in the Space. A text that is nothing but what all have
// in common lies nowhere: it is near to no other.
func (s *Space) Place(v Vector) (Point, error) {
	if err := sameModel(s.calibration.Model, s.dims, v); err != nil {
		return Point{}, err
	}
	at := v.values
	if s.mean != nil {
		at = minus(v.values, s.mean)
		for _, c := range s.components {
			strip(at, c)
		}
		at, _ = unit(at)
	}
	return Point{space: s, at: at}, nil
}

// Near is how near two points are: 1 for the same, 0 for nothing in common.
// Limits for it are the calibration's.
func (s *Space) Near(p, q Point) (float64, error) {
	if p.space != s || q.space != s {
		return 0, fmt.Errorf("%w: points of another space", ErrModels)
	}
	if p.at == nil || q.at == nil {
		return 0, nil
	}
	return dot(p.at, q.at), nil
}

// Middle is the point that is nearest to all of points together.
func (s *Space) Middle(points []Point) (Point, error) {
	sum := make([]float32, s.dims)
	for _, p := range points {
		if p.space != s {
			return Point{}, fmt.Errorf("%w: points of another space", ErrModels)
		}
		for i, x := range p.at {
			sum[i] += x
		}
	}
	at, _ := unit(sum)
	return Point{space: s, at: at}, nil
}

func minus(v, w []float32) []float32 {
	out := make([]float32, len(v))
	for i := range v {
		out[i] = v[i] - w[i]
	}
	return out
}

// strip takes the part along direction out of v.
func strip(v, direction []float32) {
	along := float32(dot(v, direction))
	for i := range v {
		v[i] -= along * direction[i]
	}
}
