package nearness_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"blogposter/lib/nearness"
)

var (
	asItIs   = nearness.Calibration{Model: "m"}
	centered = nearness.Calibration{Model: "m", Centered: true}
)

func vec(tb testing.TB, values ...float32) nearness.Vector {
	tb.Helper()
	v, err := nearness.New("m", values)
	require.NoError(tb, err)
	return v
}

func near(t *testing.T, s *nearness.Space, v, w nearness.Vector) float64 {
	t.Helper()
	p, err := s.Place(v)
	require.NoError(t, err)
	q, err := s.Place(w)
	require.NoError(t, err)
	x, err := s.Near(p, q)
	require.NoError(t, err)
	return x
}

// random makes vectors that share a large common part and differ in the rest.
func random(tb testing.TB, n, dims int, common float64) []nearness.Vector {
	tb.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(dims)))
	out := make([]nearness.Vector, n)
	for i := range out {
		values := make([]float32, dims)
		for k := range values {
			values[k] = float32(common*math.Cos(float64(k)) + rng.NormFloat64())
		}
		out[i] = vec(tb, values...)
	}
	return out
}

func TestNew_refusesWhatHasNoDirection(t *testing.T) {
	t.Parallel()

	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, values := range [][]float32{nil, {0, 0}, {nan, 1}, {inf, 1}} {
		_, err := nearness.New("m", values)
		require.Error(t, err, values)
	}
	_, err := nearness.New("", []float32{1})
	require.Error(t, err)
	require.Equal(t, "m", vec(t, 1).Model())
}

func TestCosine_comparesVectorsOfOneModelOnly(t *testing.T) {
	t.Parallel()

	x, err := nearness.Cosine(vec(t, 3, 4, 0, 0, 0), vec(t, 6, 8, 0, 0, 0))
	require.NoError(t, err)
	require.InDelta(t, 1, x, 1e-6)
	x, err = nearness.Cosine(vec(t, 1, 0, 0, 0, 1), vec(t, 0, 1, 0, 0, 1))
	require.NoError(t, err)
	require.InDelta(t, 0.5, x, 1e-6)

	other, err := nearness.New("n", []float32{3, 4})
	require.NoError(t, err)
	_, err = nearness.Cosine(vec(t, 3, 4), other)
	require.ErrorIs(t, err, nearness.ErrModels)
	require.ErrorContains(t, err, `"m" and "n"`)
	_, err = nearness.Cosine(vec(t, 3, 4), vec(t, 3, 4, 5))
	require.ErrorIs(t, err, nearness.ErrModels, "one model's vectors are of one length")
	_, err = nearness.Cosine(vec(t, 3, 4), nearness.Vector{})
	require.ErrorIs(t, err, nearness.ErrModels)
}

func TestSpace_keepsModelsAndSpacesApart(t *testing.T) {
	t.Parallel()

	other, err := nearness.New("n", []float32{3, 4})
	require.NoError(t, err)
	mine := []nearness.Vector{vec(t, 1, 2), vec(t, 2, 1)}
	for name, both := range map[string][2][]nearness.Vector{"passages": {{other}, mine}, "corpus": {mine, {other}}} {
		_, err = nearness.NewSpace(centered, both[0], both[1])
		require.ErrorIs(t, err, nearness.ErrModels, name)
	}
	_, err = nearness.NewSpace(centered, nil, mine)
	require.ErrorContains(t, err, "passages")

	s, err := nearness.NewSpace(centered, mine, mine)
	require.NoError(t, err)
	_, err = s.Place(other)
	require.ErrorIs(t, err, nearness.ErrModels)
	p, err := s.Place(mine[0])
	require.NoError(t, err)
	second, err := nearness.NewSpace(centered, mine, nil)
	require.NoError(t, err)
	q, err := second.Place(mine[0])
	require.NoError(t, err)
	_, err = s.Near(p, q)
	require.ErrorIs(t, err, nearness.ErrModels)
	_, err = s.Near(q, p)
	require.ErrorIs(t, err, nearness.ErrModels)
	_, err = s.Middle([]nearness.Point{p, q})
	require.ErrorIs(t, err, nearness.ErrModels)
	_, err = s.Matrix([]nearness.Point{p, q})
	require.ErrorIs(t, err, nearness.ErrModels)
}

func TestSpace_takesOutWhatAllHaveInCommon(t *testing.T) {
	t.Parallel()

	all := random(t, 40, 60, 6)
	raw, err := nearness.NewSpace(asItIs, nil, all)
	require.NoError(t, err)
	s, err := nearness.NewSpace(centered, all[30:], all[:30])
	require.NoError(t, err)
	for i := range 29 {
		require.Greater(t, near(t, raw, all[i], all[i+1]), 0.9, "as they are, all are near")
		require.Less(t, math.Abs(near(t, s, all[i], all[i+1])), 0.5)
		require.InDelta(t, 1, near(t, s, all[i], all[i]), 1e-5)
	}
}

func TestSpace_isSoundWithFewPages(t *testing.T) {
	t.Parallel()

	passages := random(t, 20, 60, 6)
	rng := rand.New(rand.NewPCG(7, 7))
	page := func(subject float64) nearness.Vector {
		values := make([]float32, 60)
		for k := range values {
			values[k] = float32(6*math.Cos(float64(k)) + subject*math.Sin(3*float64(k)) + 0.3*rng.NormFloat64())
		}
		return vec(t, values...)
	}
	two := []nearness.Vector{page(3), page(3)}
	for n := range 3 {
		s, err := nearness.NewSpace(centered, passages, two[:n])
		require.NoError(t, err)
		require.Greater(t, near(t, s, two[0], two[1]), 0.9, "two pages on one subject, and %d known: without the passages they would be opposites", n)
		require.Less(t, near(t, s, two[0], page(-3)), 0.0, "another subject, and %d known", n)
	}
}

func TestSpace_takesOutComponentsThatEnoughPagesBear(t *testing.T) {
	t.Parallel()

	// Each page is in one of two styles, which says more of its vector than its subject.
	pages := func(n int) (out []nearness.Vector) {
		rng := rand.New(rand.NewPCG(3, 3))
		for i := range n {
			values := make([]float32, 40)
			style := float64(i%2*2 - 1)
			for k := range values {
				values[k] = float32(5 + 3*style*math.Cos(2*float64(k)) + math.Sin(float64(k*(i/2%5+3))) + 0.2*rng.NormFloat64())
			}
			out = append(out, vec(t, values...))
		}
		return out
	}
	c := centered
	c.Components = 1
	for n, apart := range map[int]bool{49: false, 50: true, 120: true} {
		all := pages(n)
		s, err := nearness.NewSpace(c, all, all)
		require.NoError(t, err)
		same := near(t, s, all[0], all[1]) // one subject in two styles
		if apart {
			require.Greater(t, same, 0.8, "%d pages", n)
			continue
		}
		require.Less(t, same, 0.0, "%d pages bear no component", n)
	}
}

func TestSpace_comparesAsItIsWhatIsNotCentered(t *testing.T) {
	t.Parallel()

	v, w := vec(t, 1, 1, 0), vec(t, 1, 0, 0)
	s, err := nearness.NewSpace(asItIs, nil, []nearness.Vector{v, w})
	require.NoError(t, err)
	require.InDelta(t, math.Sqrt(0.5), near(t, s, v, w), 1e-6)
	empty, err := nearness.NewSpace(asItIs, []nearness.Vector{v}, nil)
	require.NoError(t, err)
	require.InDelta(t, math.Sqrt(0.5), near(t, empty, v, w), 1e-6)
}

func TestSpace_putsNowhereWhatIsOnlyCommon(t *testing.T) {
	t.Parallel()

	v := vec(t, 1, 1, 0)
	s, err := nearness.NewSpace(centered, []nearness.Vector{v}, []nearness.Vector{v, v})
	require.NoError(t, err)
	require.Zero(t, near(t, s, v, vec(t, 0, 0, 1)))
	require.Zero(t, near(t, s, v, v))
	p, err := s.Place(v)
	require.NoError(t, err)
	m, err := s.Matrix([]nearness.Point{p, p})
	require.NoError(t, err)
	require.Len(t, m.Clusters(0.1), 2)
}

func TestSpace_Middle_isNearToAll(t *testing.T) {
	t.Parallel()

	s, err := nearness.NewSpace(asItIs, nil, []nearness.Vector{vec(t, 1, 0)})
	require.NoError(t, err)
	a, err := s.Place(vec(t, 1, 0))
	require.NoError(t, err)
	b, err := s.Place(vec(t, 0, 1))
	require.NoError(t, err)
	m, err := s.Middle([]nearness.Point{a, b})
	require.NoError(t, err)
	for _, p := range []nearness.Point{a, b} {
		x, err := s.Near(m, p)
		require.NoError(t, err)
		require.InDelta(t, math.Sqrt(0.5), x, 1e-6)
	}
}

func matrix(tb testing.TB, vectors []nearness.Vector) nearness.Matrix {
	tb.Helper()
	s, err := nearness.NewSpace(asItIs, nil, vectors)
	require.NoError(tb, err)
	points := make([]nearness.Point, len(vectors))
	for i, v := range vectors {
		points[i], err = s.Place(v)
		require.NoError(tb, err)
	}
	m, err := s.Matrix(points)
	require.NoError(tb, err)
	return m
}

// plainly is average linkage as the books have it: merge the nearest two
// groups, by the mean of all pairs, until none are near enough.
func plainly(m nearness.Matrix, n int, limit float64) [][]int {
	groups := make([][]int, n)
	for i := range groups {
		groups[i] = []int{i}
	}
	for {
		best, a, b := limit, -1, -1
		for i := range groups {
			for j := range i {
				sum := 0.0
				for _, x := range groups[i] {
					for _, y := range groups[j] {
						sum += m.At(x, y)
					}
				}
				if mean := sum / float64(len(groups[i])*len(groups[j])); mean >= best {
					best, a, b = mean, j, i
				}
			}
		}
		if a < 0 {
			break
		}
		groups[a] = append(groups[a], groups[b]...)
		groups = slices.Delete(groups, b, b+1)
	}
	for _, g := range groups {
		slices.Sort(g)
	}
	slices.SortFunc(groups, func(x, y []int) int { return x[0] - y[0] })
	return groups
}

func TestMatrix_Clusters_isAverageLinkage(t *testing.T) {
	t.Parallel()

	for dims := 3; dims < 9; dims++ {
		m := matrix(t, random(t, 60, dims, 0.5))
		for _, limit := range []float64{-0.5, 0, 0.2, 0.4, 0.6, 0.8, 0.95} {
			require.Equal(t, plainly(m, 60, limit), m.Clusters(limit), "%d dimensions, limit %.2f", dims, limit)
		}
	}
}

func TestMatrix_Clusters_takesEqualsAndNothing(t *testing.T) {
	t.Parallel()

	require.Empty(t, matrix(t, nil).Clusters(0.5))
	same := []nearness.Vector{vec(t, 1, 0), vec(t, 1, 0), vec(t, 0, 1), vec(t, 1, 0), vec(t, 0, 1)}
	require.Equal(t, [][]int{{0, 1, 3}, {2, 4}}, matrix(t, same).Clusters(0.5))
	require.Equal(t, [][]int{{0, 1, 3}, {2, 4}}, matrix(t, same).Clusters(1), "the limit itself is near enough")
	require.Equal(t, [][]int{{0, 1, 2, 3, 4}}, matrix(t, same).Clusters(-1))
}

func TestMatrix_Only_andCentral(t *testing.T) {
	t.Parallel()

	m := matrix(t, []nearness.Vector{vec(t, 0, 0, 1), vec(t, 1, 0, 0), vec(t, 1, 1, 0), vec(t, 0, 1, 0)})
	require.Equal(t, []int{2, 1, 3}, m.Central([]int{3, 1, 2}), "of equals, the earlier")
	few := m.Only([]int{3, 2})
	require.InDelta(t, m.At(3, 2), few.At(0, 1), 0)
	require.InDelta(t, 1, few.At(1, 1), 1e-6)
}

func TestCalibrated_refusesAModelThatWasNeverMeasured(t *testing.T) {
	t.Parallel()

	_, err := nearness.Calibrated("new")
	require.ErrorContains(t, err, `"new" is not calibrated`)
	require.ErrorContains(t, err, "make eval")
	c, err := nearness.Calibrated("text-embedding-3-small")
	require.NoError(t, err)
	require.Equal(t, nearness.Calibration{
		Model: "text-embedding-3-small", Gap: 0.7, Subject: 0.7, Duplicate: 0.9, MeasuredOn: c.MeasuredOn, Date: c.Date,
	}, c, "SPEC section 1")
	require.Contains(t, c.MeasuredOn, "not measured here")
}

func TestPassages_areManyAndShort(t *testing.T) {
	t.Parallel()

	all := nearness.Passages()
	require.GreaterOrEqual(t, len(all), 20)
	for _, p := range all {
		require.Greater(t, len(p), 150, p)
		require.Less(t, len(p), 500, p)
	}
}

// As many pages as the topic stage compares, by vectors of either length.
func BenchmarkClusters(b *testing.B) {
	for _, dims := range []int{100, 1536} {
		b.Run(fmt.Sprintf("2000 pages of %d dimensions", dims), func(b *testing.B) {
			all := random(b, 2000, dims, 3)
			c := nearness.Calibration{Model: "m", Centered: true, Components: 2}
			for b.Loop() {
				s, err := nearness.NewSpace(c, all[:24], all)
				require.NoError(b, err)
				points := make([]nearness.Point, len(all))
				for i, v := range all {
					points[i], err = s.Place(v)
					require.NoError(b, err)
				}
				m, err := s.Matrix(points)
				require.NoError(b, err)
				m.Clusters(0.9)
				require.NotEmpty(b, m.Clusters(0.2))
			}
		})
	}
}

func Example() {
	// Two texts share most of their direction: that they are English.
	train, _ := nearness.New("m", []float32{9, 1, 0})
	plane, _ := nearness.New("m", []float32{9, 0, 1})
	raw, _ := nearness.Cosine(train, plane)

	space, _ := nearness.NewSpace(nearness.Calibration{Model: "m", Centered: true}, []nearness.Vector{train, plane}, nil)
	p, _ := space.Place(train)
	q, _ := space.Place(plane)
	x, _ := space.Near(p, q)
	fmt.Printf("as they are %.2f, without what they have in common %.2f\n", raw, x)
	// Output: as they are 0.99, without what they have in common -1.00
}
