package discover

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// Weak turns x' = Σ ξ_j θ_j(x) into rows without derivatives: each is the equation times a bump φ that vanishes at the ends
// of a window, integrated by parts, −∫φ'x = Σ ξ_j ∫φ θ_j. Between the samples both x and θ are the polynomials through those nearest,
// and the products are integrated exactly: the trapezoidal rule over few samples has errors of per cents that are the same in every
// row, where no residual shows them. theta is n × p; y are the samples of x. Windows of `width` samples begin every `step`.
//
// D. A. Messenger, D. M. Bortz, Weak SINDy: Galerkin-based data-driven model selection, Multiscale Modeling and
// Simulation 19 (2021), 1474–1497.
func Weak(t, y, theta []float64, p, width, step int) (*Data, error) {
	n := len(t)
	if width < 5 || width > n || step < 1 {
		return nil, fmt.Errorf("a window of %d samples, every %d, does not fit %d samples", width, step, n)
	}
	d := &Data{P: p, Series: true}
	between := through(t)
	phi, dphi := make([]float64, n), make([]float64, n)
	for lo := 0; lo+width <= n; lo += step {
		a, b := t[lo], t[lo+width-1]
		from, to := max(lo-3, 0), min(lo+width+3, n) // the polynomials reach out of the window
		clear(phi[from:to])
		clear(dphi[from:to])
		for i := lo; i < lo+width-1; i++ {
			for _, q := range between[i] {
				// φ = (1 − s²)^4 on the window, s from −1 to 1.
				s := (2*q.t - a - b) / (b - a)
				u := 1 - s*s
				f, g := q.w*u*u*u*u, -8*s*u*u*u*2/(b-a)*q.w
				for k, l := range q.l {
					phi[q.lo+k] += f * l
					dphi[q.lo+k] += g * l
				}
			}
		}
		row := make([]float64, p)
		left := 0.0
		for i := from; i < to; i++ {
			left -= dphi[i] * y[i]
			for j := range p {
				row[j] += phi[i] * theta[i*p+j]
			}
		}
		d.X = append(d.X, row...)
		d.Y = append(d.Y, left)
	}
	d.N = len(d.Y)
	return d, nil
}

// node is a point between two samples with its weight in an integral, and what stands there: Σ l_k x_(lo+k).
type node struct {
	t, w float64
	lo   int
	l    []float64
}

// largestLebesgue is the largest sum of |l| that is taken. Where samples lie close together, polynomials through them magnify their noise: then
// fewer samples are used, in the end the straight line.
const largestLebesgue = 4

// through gives Gauss points between neighbouring samples, with the polynomials of up to six samples about them.
func through(t []float64) [][]node {
	const points = 7 // exact for degree 8 of the bump and 5 of the polynomial
	n := len(t)
	out := make([][]node, n-1)
	x, w := make([]float64, points), make([]float64, points)
	for i := range out {
		quad.Legendre{}.FixedLocations(x, w, t[i], t[i+1])
		for _, size := range []int{6, 4, 2} {
			if size > n {
				continue
			}
			lo := min(max(i+1-size/2, 0), n-size)
			nodes := make([]node, points)
			worst := 0.0
			for k := range nodes {
				nodes[k] = node{t: x[k], w: w[k], lo: lo, l: lagrange(x[k], t[lo:lo+size])}
				sum := 0.0
				for _, v := range nodes[k].l {
					sum += math.Abs(v)
				}
				worst = math.Max(worst, sum)
			}
			if worst <= largestLebesgue || size == 2 {
				out[i] = nodes
				break
			}
		}
	}
	return out
}

// lagrange are the values at z of the polynomials that are 1 at one of x and 0 at the others.
func lagrange(z float64, x []float64) []float64 {
	l := make([]float64, len(x))
	for i := range x {
		l[i] = 1
		for j := range x {
			if j != i {
				l[i] *= (z - x[j]) / (x[i] - x[j])
			}
		}
	}
	return l
}
