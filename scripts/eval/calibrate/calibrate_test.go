package calibrate_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
	"blogposter/lib/nearness"
	"blogposter/scripts/eval/calibrate"
	"blogposter/scripts/modelserver/vector"
	"blogposter/scripts/modelserver/wire"
)

// root is the repository.
func root() fs.FS { return os.DirFS("../../..") }

func corpus(t *testing.T) []calibrate.Text {
	t.Helper()
	texts, err := calibrate.Corpus(root())
	require.NoError(t, err)
	return texts
}

// embed gives texts the offline model's vectors.
func embed(t *testing.T) func(string) ([]float32, error) {
	t.Helper()
	env := config.OS()
	name := env.Get("MODEL_VECTORS", "")
	if name == "" && env.Get("CI", "") == "" {
		t.Skip("MODEL_VECTORS is not set")
	}
	require.NotEmpty(t, name, "MODEL_VECTORS is not set: scripts/stack/vectors.sh makes the table")
	table, err := vector.Open(name)
	require.NoError(t, err)
	return func(text string) ([]float32, error) { return table.Embed(text), nil }
}

func TestMeasure_yieldsWhatTheProductHas(t *testing.T) {
	t.Parallel()

	r, err := calibrate.Measure(wire.EmbeddingModel, corpus(t), embed(t))
	require.NoError(t, err)
	known, err := nearness.Calibrated(wire.EmbeddingModel)
	require.NoError(t, err)
	const run = "run make eval, and write what it chooses into lib/nearness/calibration.go"
	require.Equal(t, r.Chosen.Centered, known.Centered, run)
	require.Equal(t, r.Chosen.Components, known.Components, run)
	require.InDelta(t, r.Chosen.Gap, known.Gap, 0.015, run)
	require.InDelta(t, r.Chosen.Subject, known.Subject, 0.015, run)
	require.InDelta(t, r.Chosen.Duplicate, known.Duplicate, 0.015, run)

	require.Less(t, r.Tried[0].Rand, r.Tried[1].Rand, "vectors as they are tell subjects apart worse")
	// With one component less the held-out pages' adjusted Rand index is 0.65, with none 0.6 and less.
	require.GreaterOrEqual(t, r.Held.Rand, 0.7)
	require.GreaterOrEqual(t, r.Held.Purity, 0.85)
	require.GreaterOrEqual(t, r.Held.Accuracy(), 0.9)
	for _, k := range calibrate.Classes() {
		require.GreaterOrEqual(t, r.Held.Right[k], 0.85, k)
		require.GreaterOrEqual(t, r.Held.Precise[k], 0.85, k)
		require.Greater(t, len(r.Held.Pairs[k]), 100, k)
	}
	require.GreaterOrEqual(t, r.Held.Precise[calibrate.Same], 0.97, "what is merged says the same")
}

func TestMeasure_passesOnWhatTheModelRefuses(t *testing.T) {
	t.Parallel()

	gone := errors.New("gone")
	_, err := calibrate.Measure("m", corpus(t), func(string) ([]float32, error) { return nil, gone })
	require.ErrorIs(t, err, gone)
	_, err = calibrate.Measure("m", corpus(t), func(string) ([]float32, error) { return nil, nil })
	require.ErrorContains(t, err, "no direction")
	first := true
	_, err = calibrate.Measure("m", corpus(t), func(string) ([]float32, error) {
		if first {
			first = false
			return []float32{1, 2}, nil
		}
		return []float32{1}, nil
	})
	require.ErrorIs(t, err, nearness.ErrModels)
}

func TestCorpus_sharesNothingBetweenItsParts(t *testing.T) {
	t.Parallel()

	subjects, pages, counts := map[string]calibrate.Part{}, map[string]calibrate.Part{}, map[calibrate.Part]int{}
	for _, x := range corpus(t) {
		require.NotEmpty(t, x.Content, "%s %s", x.Page, x.Variant)
		for key, known := range map[string]map[string]calibrate.Part{x.Subject: subjects, x.Page: pages} {
			if part, ok := known[key]; ok {
				require.Equal(t, part, x.Part, "%s is in both parts", key)
			}
			known[key] = x.Part
		}
		counts[x.Part]++
	}
	require.Greater(t, counts[calibrate.Fit], 400)
	require.Greater(t, counts[calibrate.HeldOut], 400)
}

func TestCorpus_saysWhatIsMissing(t *testing.T) {
	t.Parallel()

	_, err := calibrate.Corpus(fstest.MapFS{})
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "business-guide.md")
}
