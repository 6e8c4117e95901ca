package calibrate

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// This file is inside the package: the arithmetic that chooses a limit is best
// shown on a handful of figures.

func TestLimit_liesInTheMiddleOfItsRoom(t *testing.T) {
	t.Parallel()

	at, share := limit([]float64{0.1, 0.2}, []float64{0.6, 0.7})
	require.InDelta(t, 0.4, at, 0.011)
	require.InDelta(t, 1, share, 1e-9)
	at, share = limit([]float64{0.1, 0.2, 0.65}, []float64{0.6, 0.7})
	require.Greater(t, at, 0.2)
	require.Less(t, at, 0.61)
	require.InDelta(t, (2.0/3+1)/2, share, 1e-9)
}

func TestCautious_letsHardlyAnyThrough(t *testing.T) {
	t.Parallel()

	var near []float64
	for i := range 1001 {
		near = append(near, float64(i)/1000*0.8)
	}
	at := cautious(near)
	require.InDelta(t, 0.8, at, 1e-9)
	require.LessOrEqual(t, 1-shareBelow(near, at), mistaken)
}

func TestQuality_comparesGroupsWithLabels(t *testing.T) {
	t.Parallel()

	labels := []string{"a", "a", "b", "b"}
	rand, purity := quality([][]int{{0, 1}, {2, 3}}, labels)
	require.InDelta(t, 1, rand, 1e-9)
	require.InDelta(t, 1, purity, 1e-9)
	rand, purity = quality([][]int{{0, 2}, {1, 3}}, labels)
	require.InDelta(t, -0.5, rand, 1e-9)
	require.InDelta(t, 0.5, purity, 1e-9)
	rand, purity = quality([][]int{{0, 1, 2, 3}}, labels)
	require.InDelta(t, 0, rand, 1e-9, "one group says nothing")
	require.InDelta(t, 0.5, purity, 1e-9)
	rand, _ = quality([][]int{{0}, {1}, {2}, {3}}, labels)
	require.InDelta(t, 0, rand, 1e-9)
}

func TestClass_saysWhatAPairIs(t *testing.T) {
	t.Parallel()

	whole := Text{Set: "pages", Subject: "s", Page: "p"}
	with := func(change func(*Text)) Text {
		x := whole
		change(&x)
		return x
	}
	first, second := with(func(x *Text) { x.Variant = "first" }), with(func(x *Text) { x.Variant = "second" })
	copied, page := with(func(x *Text) { x.Copy = true }), with(func(x *Text) { x.Page = "q" })
	other := with(func(x *Text) { x.Page, x.Subject = "q", "o" })
	for name, tc := range map[string]struct {
		a, b Text
		want Class
	}{
		"a page and its copy":                 {whole, copied, Same},
		"two copies say nothing new":          {copied, copied, ""},
		"two pages of a subject":              {whole, page, Near},
		"the halves of a page":                {first, second, Near},
		"a page and its own half say nothing": {whole, first, ""},
		"a half with itself says nothing":     {first, first, ""},
		"another's copy says nothing new":     {page, copied, ""},
		"two subjects":                        {whole, other, Different},
		"half a subject says nothing new":     {first, other, ""},
		"a copy of another says nothing new":  {other, copied, ""},
		"two sets are never compared":         {whole, with(func(x *Text) { x.Set = "rivals" }), ""},
	} {
		require.Equal(t, tc.want, class(tc.a, tc.b), name)
		require.Equal(t, tc.want, class(tc.b, tc.a), name)
	}
}

func TestRead_refusesALineItCannotUse(t *testing.T) {
	t.Parallel()

	for line, want := range map[string]string{
		"fit": "a line is", "neither shops x.md": "a line is", "fit nobody-writes-this": "nobody in scripts/rivals", "fit shops x.md": "x.md",
	} {
		_, err := read(fstest.MapFS{}, line, nil)
		require.ErrorContains(t, err, want, line)
	}
}
