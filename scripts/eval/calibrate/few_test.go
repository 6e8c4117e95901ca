package calibrate

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/config"
	"blogposter/lib/nearness"
	"blogposter/scripts/modelserver/vector"
	"blogposter/scripts/modelserver/wire"
)

// This file is inside the package: no calibration is made from so few pages,
// but sites begin with them, and the limits must hold there, too.

func TestLimits_holdForASiteWithFewPages(t *testing.T) {
	t.Parallel()

	env := config.OS()
	name := env.Get("MODEL_VECTORS", "")
	if name == "" && env.Get("CI", "") == "" {
		t.Skip("MODEL_VECTORS is not set")
	}
	require.NotEmpty(t, name, "MODEL_VECTORS is not set: scripts/stack/vectors.sh makes the table")
	table, err := vector.Open(name)
	require.NoError(t, err)
	texts, err := Corpus(os.DirFS("../../.."))
	require.NoError(t, err)
	c, err := nearness.Calibrated(wire.EmbeddingModel)
	require.NoError(t, err)
	place := func(text string) nearness.Vector {
		v, err := nearness.New(c.Model, table.Embed(text))
		require.NoError(t, err)
		return v
	}
	var passages []nearness.Vector
	for _, p := range nearness.Passages() {
		passages = append(passages, place(p))
	}
	var subjects []string
	bySubject := map[string][]Text{}
	for _, x := range texts {
		if x.Set == "rivals" && x.Part == HeldOut {
			if bySubject[x.Subject] == nil {
				subjects = append(subjects, x.Subject)
			}
			bySubject[x.Subject] = append(bySubject[x.Subject], x)
		}
	}
	for _, n := range []int{1, 2, 4} { // subjects: from 3 pages on
		pairs := Pairs{}
		for from := 0; from+n <= len(subjects); from += n {
			var some []Text
			var vectors []nearness.Vector
			for _, s := range subjects[from : from+n] {
				for _, x := range bySubject[s] {
					some, vectors = append(some, x), append(vectors, place(x.Content))
				}
			}
			m, err := measure(c, passages, some, vectors)
			require.NoError(t, err)
			for k, list := range m.pairs {
				pairs[k] = append(pairs[k], list...)
			}
		}
		share := func(k Class, from, to float64) float64 {
			in := 0
			for _, x := range pairs[k] {
				if x >= from && x < to {
					in++
				}
			}
			return float64(in) / float64(max(1, len(pairs[k])))
		}
		require.GreaterOrEqual(t, share(Near, c.Gap, c.Duplicate), 0.85, "%d subjects", n)
		require.LessOrEqual(t, share(Near, c.Duplicate, 2), 0.03, "%d subjects: articles taken for copies", n)
		require.GreaterOrEqual(t, share(Same, c.Duplicate, 2), 0.9, "%d subjects", n)
		if n > 1 { // 0.72 of two subjects, 0.85 of many: fewer pages say less of what is common
			require.GreaterOrEqual(t, share(Different, -2, c.Gap), 0.7, "%d subjects", n)
		}
	}
}
