package calibrate

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"blogposter/lib/nearness"
)

// mostComponents is how many principal components are tried: as many as the
// pages of one part can bear.
const mostComponents = 2

// Result is what a model's vectors yield: the limits that the fit part
// chooses, and how they do on the part that had no say in them.
type Result struct {
	Chosen nearness.Calibration
	Fit    Judged
	Held   Judged
	Tried  []Try // one for each count of components
}

// Try is how well the fit part comes apart with so many components taken out.
type Try struct {
	Components int     // -1: the vectors as they are
	Parted     float64 // share of the pairs, different and near, on the right side of the best limit
	Rand       float64 // adjusted Rand index of the best clusters
}

// Judged is how one part comes out under the chosen limits.
type Judged struct {
	Pairs Pairs
	// Right is the share of each class's pairs that the limits sort into it.
	Right map[Class]float64
	// Precise is the share of what the limits call a class that is of it, with
	// as many pairs of each class.
	Precise map[Class]float64
	Pages   int
	// Rand and Purity compare the clusters with the labels: the adjusted Rand
	// index is 1 for the same groups and 0 for chance, purity is the share of
	// pages in a cluster whose most frequent subject is theirs.
	Subjects, Clusters int
	Rand, Purity       float64
}

// Accuracy is the mean of Right over the classes.
func (j Judged) Accuracy() float64 {
	sum := 0.0
	for _, c := range Classes() {
		sum += j.Right[c]
	}
	return sum / float64(len(Classes()))
}

// Measure calibrates a model. embed gives texts their vectors.
func Measure(model string, texts []Text, embed func(text string) ([]float32, error)) (Result, error) {
	vector := func(text string) (nearness.Vector, error) {
		values, err := embed(text)
		if err != nil {
			return nearness.Vector{}, err
		}
		return nearness.New(model, values)
	}
	var passages []nearness.Vector
	for _, p := range nearness.Passages() {
		v, err := vector(p)
		if err != nil {
			return Result{}, err
		}
		passages = append(passages, v)
	}
	parts, vectors := map[Part][]Text{}, map[Part][]nearness.Vector{}
	for _, t := range texts {
		v, err := vector(t.Content)
		if err != nil {
			return Result{}, err
		}
		parts[t.Part], vectors[t.Part] = append(parts[t.Part], t), append(vectors[t.Part], v)
	}

	var r Result
	var fit measured
	best := 0.0
	for k := -1; k <= mostComponents; k++ {
		c := nearness.Calibration{Model: model, Centered: k >= 0, Components: max(0, k)}
		m, err := measure(c, passages, parts[Fit], vectors[Fit])
		if err != nil {
			return r, err
		}
		t := Try{Components: k}
		c.Gap, t.Parted = limit(m.pairs[Different], m.pairs[Near])
		c.Subject, t.Rand = subjectLimit(m)
		c.Duplicate = cautious(m.pairs[Near])
		r.Tried = append(r.Tried, t)
		if k < 0 || t.Rand > best+leastGain {
			best, r.Chosen, fit = t.Rand, c, m
		}
	}
	held, err := measure(r.Chosen, passages, parts[HeldOut], vectors[HeldOut])
	r.Fit, r.Held = judge(r.Chosen, fit), judge(r.Chosen, held)
	return r, err
}

const (
	// leastGain is what one more component must add to the adjusted Rand index
	// to be worth taking out: less is the luck of these pages.
	leastGain = 0.02
	// mistaken is the share of pairs on one subject that may be taken for
	// copies. Copies that are missed are counted twice; two articles taken for
	// one are lost, so this limit is not the one that is right most often.
	mistaken = 0.01
)

// cautious is the lowest limit, to two digits, that at most mistaken of an
// ascending list reaches.
func cautious(near []float64) float64 {
	return (math.Floor(Quantile(near, 1-mistaken)*100) + 1) / 100
}

// limit parts two classes, both in ascending order: the limit that sorts the
// greatest share of both rightly (the mean of the two shares), in the middle
// of the room it has, to two digits.
func limit(below, above []float64) (at, share float64) {
	steps := make([]float64, 0, 201)
	for i := -100; i <= 100; i++ {
		steps = append(steps, float64(i)/100)
	}
	return plateau(steps, func(x float64) float64 { return (shareBelow(below, x) + 1 - shareBelow(above, x)) / 2 })
}

// subjectLimit is where clusters fit the labels best, and their adjusted Rand
// index there.
func subjectLimit(m measured) (at, rand float64) {
	var steps []float64
	for i := 10; i < 100; i++ {
		steps = append(steps, float64(i)/100)
	}
	return plateau(steps, func(x float64) float64 {
		rand, _ := quality(m.matrix.Clusters(x), m.labels)
		return rand
	})
}

// plateau is the middle of the steps at which worth is greatest, and that
// worth; of several such stretches, the longest.
func plateau(steps []float64, worth func(float64) float64) (at, best float64) {
	best = math.Inf(-1)
	from, length, longest := 0, 0, 0
	for i, x := range steps {
		w := worth(x)
		switch {
		case w > best:
			best, length, longest = w, 1, 0
		case w == best:
			length++
		default:
			length = 0
		}
		if length > longest {
			longest, from = length, i-length+1
		}
	}
	return steps[from+(longest-1)/2], best
}

// shareBelow is the share of an ascending list that is below x.
func shareBelow(list []float64, x float64) float64 {
	return float64(sort.SearchFloat64s(list, x)) / float64(max(1, len(list)))
}

func judge(c nearness.Calibration, m measured) Judged {
	sort := func(k Class) map[Class]float64 {
		list := m.pairs[k]
		gap, dup := shareBelow(list, c.Gap), shareBelow(list, c.Duplicate)
		return map[Class]float64{Different: gap, Near: dup - gap, Same: 1 - dup}
	}
	j := Judged{Pairs: m.pairs, Right: map[Class]float64{}, Precise: map[Class]float64{}, Pages: len(m.labels)}
	for _, k := range Classes() {
		called := 0.0
		for _, really := range Classes() {
			called += sort(really)[k]
		}
		j.Right[k] = sort(k)[k]
		j.Precise[k] = j.Right[k] / max(called, 1e-9)
	}
	groups := m.matrix.Clusters(c.Subject)
	j.Clusters = len(groups)
	j.Subjects = len(slices.Compact(slices.Sorted(slices.Values(m.labels))))
	j.Rand, j.Purity = quality(groups, m.labels)
	return j
}

// Quantile is the value below which that share of an ascending list lies.
func Quantile(list []float64, share float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	return list[int(math.Round(share*float64(len(list)-1)))]
}

// quality compares groups of pages with their labels.
func quality(groups [][]int, labels []string) (rand, purity float64) {
	pairs := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
	subjects := map[string]int{}
	var both, grouped, labelled float64
	pure := 0
	for _, g := range groups {
		counts := map[string]int{}
		for _, i := range g {
			counts[labels[i]]++
			subjects[labels[i]]++
		}
		most := 0
		for _, n := range counts {
			both += pairs(n)
			most = max(most, n)
		}
		pure += most
		grouped += pairs(len(g))
	}
	for _, n := range subjects {
		labelled += pairs(n)
	}
	chance := grouped * labelled / max(1, pairs(len(labels)))
	rand = (both - chance) / max((grouped+labelled)/2-chance, 1e-9)
	return rand, float64(pure) / float64(max(1, cmp.Or(len(labels), 1)))
}
