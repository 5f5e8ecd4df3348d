package method

// hermite is the cubic Hermite interpolant between the two ends of a step, in the form of
// RK.Dense: for methods that bring no interpolant of their own. b are the weights of the step, padded by
// zeros to all stages, and end is the stage that is f at the new point.
//
// E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd edition,
// Springer 1993, section II.6, formula (6.7).
func hermite(b []float64, end int) [][]float64 {
	d := make([][]float64, len(b))
	for i, w := range b {
		// x1 − x0 = h Σ b_i k_i is weighted by 3θ² − 2θ³.
		d[i] = []float64{0, 3 * w, -2 * w}
	}
	// The slopes at the two ends: θ − 2θ² + θ³ and −θ² + θ³.
	for m, c := range []float64{1, -2, 1} {
		d[0][m] += c
	}
	for m, c := range []float64{0, -1, 1} {
		d[end][m] += c
	}
	for i, row := range d {
		if row[0] == 0 && row[1] == 0 && row[2] == 0 {
			d[i] = nil
		}
	}
	return d
}
