package nearness

import (
	"fmt"
	"slices"
)

// Matrix is how near each of some points is to each other one.
type Matrix struct {
	n      int
	values []float32
}

// Matrix compares all points with each other.
func (s *Space) Matrix(points []Point) (Matrix, error) {
	n := len(points)
	m := Matrix{n: n, values: make([]float32, n*n)}
	for i, p := range points {
		if p.space != s {
			return Matrix{}, fmt.Errorf("%w: points of another space", ErrModels)
		}
		m.set(i, i, 1)
		for j := range i {
			if p.at != nil && points[j].at != nil {
				m.set(i, j, float32(dot(p.at, points[j].at)))
			}
		}
	}
	return m, nil
}

// At is how near i and j are.
func (m Matrix) At(i, j int) float64 { return float64(m.values[i*m.n+j]) }

func (m Matrix) set(i, j int, near float32) {
	m.values[i*m.n+j] = near
	m.values[j*m.n+i] = near
}

// Only is the Matrix of some of the points, in that order.
func (m Matrix) Only(points []int) Matrix {
	out := Matrix{n: len(points), values: make([]float32, len(points)*len(points))}
	for i, p := range points {
		for j, q := range points {
			out.values[i*out.n+j] = m.values[p*m.n+q]
		}
	}
	return out
}

// Central orders members by how near each is to all the others together, the
// most central first; of equals, the earlier point.
func (m Matrix) Central(members []int) []int {
	sums := make(map[int]float64, len(members))
	for _, i := range members {
		for _, j := range members {
			sums[i] += m.At(i, j)
		}
	}
	out := slices.Clone(members)
	slices.SortFunc(out, func(a, b int) int {
		if sums[a] != sums[b] {
			if sums[a] > sums[b] {
				return -1
			}
			return 1
		}
		return a - b
	})
	return out
}

// Clusters parts the points into groups whose members are, on average, at
// least limit near to each other (agglomerative, average linkage). Every point
// is in one group, points of a group and groups are in the order of the
// points, and equal input has an equal answer.
//
// Average linkage, since single linkage strings subjects together over one
// page that is about two, and complete linkage breaks a large subject up over
// one odd pair. Merging along chains of nearest neighbors finds the same
// groups as always merging the nearest two, in n² steps instead of n³.
func (m Matrix) Clusters(limit float64) [][]int {
	l := linkage{near: slices.Clone(m.values), n: m.n, size: make([]int, m.n), of: make([]int, m.n), done: make([]bool, m.n)}
	for i := range m.n {
		l.size[i], l.of[i] = 1, i
	}
	l.merge(float32(limit))
	groups := map[int][]int{}
	var order []int
	for i := range m.n {
		root := l.root(i)
		if groups[root] == nil {
			order = append(order, root)
		}
		groups[root] = append(groups[root], i)
	}
	out := make([][]int, len(order))
	for i, root := range order {
		out[i] = groups[root]
	}
	return out
}

// linkage merges groups. A group is known by one of its points; size is 0 for
// points that stand for none any more.
type linkage struct {
	near []float32
	n    int
	size []int
	of   []int
	done []bool // nothing near enough is left to join
}

func (l *linkage) root(i int) int {
	for l.of[i] != i {
		i = l.of[i]
	}
	return i
}

// merge follows chains of nearest neighbors. Groups whose nearest neighbor is
// below limit are done: average linkage never brings two groups nearer by
// merging others.
func (l *linkage) merge(limit float32) {
	for begin := range l.n {
		chain := []int{begin}
		for len(chain) > 0 {
			top := chain[len(chain)-1]
			if l.size[top] == 0 || l.done[top] {
				chain = chain[:len(chain)-1]
				continue
			}
			before := -1
			if len(chain) > 1 {
				before = chain[len(chain)-2]
			}
			next, near := l.nearest(top, before)
			switch {
			case next < 0 || near < limit:
				l.done[top] = true
				chain = chain[:len(chain)-1]
			case next == before:
				l.join(before, top)
				// What led here may be nearer to another one now: it looks anew.
				if chain = chain[:len(chain)-2]; len(chain) == 0 {
					chain = append(chain, before)
				}
			default:
				chain = append(chain, next)
			}
		}
	}
}

// nearest is the group nearest to i, of equals the one that the chain came
// from, else the earliest: so a chain never runs in a circle.
func (l *linkage) nearest(i, before int) (int, float32) {
	best, near := -1, float32(-2)
	if before >= 0 && l.size[before] > 0 {
		best, near = before, l.near[i*l.n+before]
	}
	row := l.near[i*l.n : (i+1)*l.n]
	for j, x := range row {
		if x > near && j != i && l.size[j] > 0 && !l.done[j] {
			best, near = j, x
		}
	}
	return best, near
}

// join makes b part of a.
func (l *linkage) join(a, b int) {
	wa, wb := float32(l.size[a]), float32(l.size[b])
	for j := range l.n {
		if j == a || l.size[j] == 0 {
			continue
		}
		x := (wa*l.near[a*l.n+j] + wb*l.near[b*l.n+j]) / (wa + wb)
		l.near[a*l.n+j], l.near[j*l.n+a] = x, x
	}
	l.size[a] += l.size[b]
	l.size[b] = 0
	l.of[b] = a
}
