package discover

import "math"

// seriesErrors are the standard errors of the coefficients of a model of a series, whose residuals depend on each other:
// neighbours of a smooth curve are off together, and where one derivative is too large the next ones are too small. What counts
// is how the sums of residuals times columns over long stretches scatter.
//
// W. K. Newey, K. D. West, A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent covariance
// matrix, Econometrica 55 (1987), 703–708: with its weights, which fall linearly, the middle of the sandwich is the mean over all stretches of one
// length of the square of such a sum.
func seriesErrors(d *Data, w []float64, m *Model, n int) []float64 {
	k := len(m.Set)
	out := make([]float64, k)
	if k == 0 {
		return out
	}
	// The columns, scaled to norm 1, and the scores.
	scale := make([]float64, k)
	x := make([]float64, d.N*k)
	for c, j := range m.Set {
		for i := range d.N {
			v := d.X[i*d.P+j]
			if w != nil {
				v *= math.Sqrt(w[i])
			}
			x[i*k+c] = v
			scale[c] = math.Hypot(scale[c], v)
		}
		for i := range d.N {
			x[i*k+c] /= scale[c]
		}
	}
	a := make([]float64, k*k)
	g := make([]float64, d.N*k)
	for i := range d.N {
		r := m.residual(d, i)
		if w != nil {
			r *= math.Sqrt(w[i])
		}
		row := x[i*k : (i+1)*k]
		for c, v := range row {
			g[i*k+c] = r * v
			for e, u := range row {
				a[c*k+e] += v * u
			}
		}
	}
	stretch := max(1, d.N/stretches)
	mid := make([]float64, k*k)
	sum := make([]float64, k)
	for i := range d.N + stretch - 1 {
		for c := range sum {
			if i < d.N {
				sum[c] += g[i*k+c]
			}
			if i >= stretch {
				sum[c] -= g[(i-stretch)*k+c]
			}
		}
		for c, v := range sum {
			for e, u := range sum {
				mid[c*k+e] += v * u / float64(stretch)
			}
		}
	}
	if !cholesky(a, k) {
		for c := range out {
			out[c] = math.Inf(1)
		}
		return out
	}
	// A⁻¹ M A⁻¹, by its diagonal.
	f := float64(n) / math.Max(1, float64(n-k))
	col := make([]float64, k)
	for c := range k {
		clear(col)
		col[c] = 1
		substitute(a, k, col)
		v := 0.0
		for i := range k {
			for j := range k {
				v += col[i] * mid[i*k+j] * col[j]
			}
		}
		out[c] = math.Sqrt(math.Max(v, 0)*f) / scale[c]
	}
	return out
}

// stretches is how many stretches a series is taken in.
const stretches = 20
