package nearness

import (
	"fmt"
	"slices"
	"strings"
)

// Calibration is what is known of one model's vectors. Its limits mean nothing
// for another's.
type Calibration struct {
	Model string
	// Centered says that what all texts have in common is taken out before
	// anything is compared; Components is how many principal components beyond
	// the mean that is.
	Centered   bool
	Components int
	Gap        float64 // texts below it are on different subjects
	Subject    float64 // pages are of one subject when on average at least this near
	Duplicate  float64 // texts from it on say the same
	MeasuredOn string  // in words
	Date       string  // when, 2026-11-23
}

// calibrations is the table. scripts/eval prints what its figures come from,
// and a test there fails when they no longer do.
var calibrations = []Calibration{
	{
		Model: "glove-100d-offline", Centered: true, Components: 2, Gap: 0.24, Subject: 0.46, Duplicate: 0.85,
		MeasuredOn: "the labelled pages of scripts/eval", Date: "2026-11-23",
	},
	{
		Model: "text-embedding-3-small", Gap: 0.7, Subject: 0.7, Duplicate: 0.9,
		MeasuredOn: "not measured here: the limits of SPEC section 1, for vectors compared as they are", Date: "2026-11-23",
	},
}

// Calibrated returns what is known of a model. One that was never calibrated
// is an error that says what to do: its figures would decide by chance.
func Calibrated(model string) (Calibration, error) {
	i := slices.IndexFunc(calibrations, func(c Calibration) bool { return c.Model == model })
	if i < 0 {
		known := make([]string, len(calibrations))
		for i, c := range calibrations {
			known[i] = c.Model
		}
		return Calibration{}, fmt.Errorf("embedding model %q is not calibrated: use %s, or measure it with `make eval` and add a line to lib/nearness/calibration.go",
			model, strings.Join(known, " or "))
	}
	return calibrations[i], nil
}
