package nearness

import "math"

// principal returns the first n directions in which vectors differ most from
// mean, by power iteration. It starts from a fixed direction and stops after a
// fixed count, so equal input has an equal answer; directions that have not
// settled by then are of nearly the same weight, and either will do.
func principal(mean []float32, vectors []Vector, n int) [][]float32 {
	const rounds, settled = 60, 1e-5
	rows := make([][]float32, len(vectors))
	for i, v := range vectors {
		rows[i] = minus(v.values, mean)
	}
	var found [][]float32
	for range n {
		direction := start(len(mean))
		for range rounds {
			next, ok := unit(spread(rows, direction))
			if !ok { // nothing is left to differ in
				return found
			}
			moved := 1 - math.Abs(dot(next, direction))
			direction = next
			if moved < settled {
				break
			}
		}
		for _, row := range rows {
			strip(row, direction)
		}
		found = append(found, direction)
	}
	return found
}

// spread is the rows' scatter matrix times direction, without the matrix.
func spread(rows [][]float32, direction []float32) []float32 {
	out := make([]float32, len(direction))
	for _, row := range rows {
		along := float32(dot(row, direction))
		for i, x := range row {
			out[i] += along * x
		}
	}
	return out
}

// start is a direction that no real one is at right angles to, as far as can
// be: it favors no axis and has no period.
func start(dims int) []float32 {
	v := make([]float32, dims)
	for i := range v {
		v[i] = float32(math.Sin(float64(i*i + 1)))
	}
	out, _ := unit(v)
	return out
}
