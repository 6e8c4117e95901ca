// Package nearness says how near two texts are, by one model's vectors. It is
// pure: the vectors come from lib/llm and the limits from Calibrated, which
// lists what scripts/eval measured.
//
// What a vector says beside its text's subject, "this is English prose on
// dogs", is common to all pages of a site and drowns what tells them apart.
// A Space takes that common part out before anything is compared.
package nearness

import (
	"errors"
	"fmt"
	"math"
)

// ErrModels means that vectors of two models, or points of two Spaces, were
// to be compared. What one says of the other is noise.
var ErrModels = errors.New("vectors of two models can't be compared")

// Vector is what a text means to one model. It has length one. The zero
// Vector is no model's.
type Vector struct {
	model  string
	values []float32
}

// New returns a model's vector at length one. It refuses one without a
// direction: an empty one, all zeros, or numbers that are none.
func New(model string, values []float32) (Vector, error) {
	at, ok := unit(values)
	if !ok || model == "" {
		return Vector{}, fmt.Errorf("a vector of %d numbers of model %q has no direction", len(values), model)
	}
	return Vector{model: model, values: at}, nil
}

// Model is whose Vector it is.
func (v Vector) Model() string { return v.model }

// Cosine is the raw similarity of two vectors of one model: 1 for the same
// direction, 0 for none in common, -1 for the opposite.
func Cosine(v, w Vector) (float64, error) {
	if err := sameModel(v.model, len(v.values), w); err != nil {
		return 0, err
	}
	return dot(v.values, w.values), nil
}

// sameModel says what keeps vectors from being compared with those of model.
func sameModel(model string, dims int, vectors ...Vector) error {
	for _, v := range vectors {
		if v.model != model {
			return fmt.Errorf("%w: %q and %q", ErrModels, model, v.model)
		}
		if len(v.values) != dims {
			return fmt.Errorf("%w: %q once with %d and once with %d dimensions", ErrModels, model, dims, len(v.values))
		}
	}
	return nil
}

// dot sums in four lanes, which the processor works on side by side: with a
// single sum it would wait for each addition.
func dot(a, b []float32) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return float64(s0 + s1 + s2 + s3)
}

// tiny is a length below which a direction is rounding noise.
const tiny = 1e-6

func unit(v []float32) ([]float32, bool) {
	var squares float64
	for _, x := range v {
		squares += float64(x) * float64(x)
	}
	length := math.Sqrt(squares)
	if !(length > tiny) || math.IsInf(length, 0) { // NaN is above nothing
		return nil, false
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / length)
	}
	return out, true
}
