package discover

import (
	"fmt"
	"math"
)

// Derivative is a row of the table of ways to differentiate data.
type Derivative struct {
	Name, Doc, Cite string
	// of gives smoothed values and derivatives of y at the times t.
	of    func(t, y []float64) (smooth, rate []float64)
	least int // how many samples it needs
	// ends is how many samples at either end have a much larger error than the others.
	ends int
}

var derivatives = []Derivative{
	{Name: "differences", Doc: "Finite differences of fourth order, on uneven times too: for clean data.", least: 5, of: differences,
		Cite: "B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids, Mathematics of Computation 51 (1988), 699-706"},
	{Name: "savgol", Doc: "Savitzky-Golay: a cubic fitted to nine neighbours at each sample.", least: 9, ends: 4, of: savgol,
		Cite: "A. Savitzky, M. J. E. Golay, Analytical Chemistry 36 (1964), 1627-1639"},
	{Name: "spline", Doc: "A smoothing cubic spline, as smooth as generalised cross-validation finds best.", least: 5, ends: 6, of: smoothing,
		Cite: "C. H. Reinsch, Numerische Mathematik 10 (1967), 177-183; P. Craven, G. Wahba, Numerische Mathematik 31 (1979), 377-403"},
}

// Derivatives lists the table; the weak form, which takes no derivatives, is a function of its own.
func Derivatives() []Derivative { return append([]Derivative(nil), derivatives...) }

// Differentiate gives smoothed values and derivatives of y at rising times t by a row of the table.
func Differentiate(name string, t, y []float64) (smooth, rate []float64, err error) {
	for _, d := range derivatives {
		if d.Name != name {
			continue
		}
		if len(t) < d.least {
			return nil, nil, fmt.Errorf("`%s` needs %d samples or more, here are %d", name, d.least, len(t))
		}
		smooth, rate = d.of(t, y)
		return smooth, rate, nil
	}
	return nil, nil, fmt.Errorf("there is no way of differentiating called `%s`", name)
}

// Ends is how many of n samples at either end a regression should do without: their derivatives by a row of the table are worse
// than the others', a spline's for its natural ends. Few samples are all needed.
func Ends(name string, n int) int {
	for _, d := range derivatives {
		if d.Name == name {
			return min(d.ends, n/50)
		}
	}
	return 0
}

// differences of fourth order: the five samples nearest each.
func differences(t, y []float64) (smooth, rate []float64) {
	n := len(t)
	rate = make([]float64, n)
	for i := range t {
		lo := min(max(i-2, 0), n-5)
		w := fornberg(t[i], t[lo:lo+5])
		rate[i] = dot(w, y[lo:lo+5])
	}
	return append([]float64(nil), y...), rate
}

// fornberg gives the weights of the first derivative at z (Fornberg 1988).
func fornberg(z float64, x []float64) []float64 {
	n := len(x)
	c0, c1 := make([]float64, n), make([]float64, n)
	c0[0] = 1
	a := 1.0
	c4 := x[0] - z
	for i := 1; i < n; i++ {
		b := 1.0
		c5 := c4
		c4 = x[i] - z
		for j := range i {
			c3 := x[i] - x[j]
			b *= c3
			if j == i-1 {
				c1[i] = a * (c0[i-1] - c5*c1[i-1]) / b
				c0[i] = -a * c5 * c0[i-1] / b
			}
			c1[j] = (c4*c1[j] - c0[j]) / c3
			c0[j] = c4 * c0[j] / c3
		}
		a = b
	}
	return c1
}

// savgol fits a cubic to the nine samples nearest each.
func savgol(t, y []float64) (smooth, rate []float64) {
	const window, degree = 9, 3
	n := len(t)
	smooth, rate = make([]float64, n), make([]float64, n)
	x := make([]float64, window*(degree+1))
	coef := make([]float64, degree+1)
	for i := range t {
		lo := min(max(i-window/2, 0), n-window)
		h := (t[lo+window-1] - t[lo]) / 2
		for k := range window {
			s := (t[lo+k] - t[i]) / h
			v := 1.0
			for d := range degree + 1 {
				x[k*(degree+1)+d] = v
				v *= s
			}
		}
		s := newSolver(factor(x, y[lo:lo+window], nil, window, degree+1))
		s.solve([]int{0, 1, 2, 3}, 0, coef)
		smooth[i], rate[i] = coef[0], coef[1]/h
	}
	return smooth, rate
}

// smoothing is the cubic spline that minimises Σ(y − s)² + λ∫s″², with λ where generalised cross-validation is lowest
// (Reinsch 1967; Craven and Wahba 1979).
func smoothing(t, y []float64) (smooth, rate []float64) {
	n := len(t)
	span := t[n-1] - t[0]
	best, at := math.Inf(1), 0.0
	h3 := math.Pow(span/float64(n-1), 3)
	for k := -16; k <= 16; k++ {
		lambda := h3 * math.Pow(10, float64(k)/2)
		_, _, rss, trace := reinsch(t, y, lambda)
		den := 1 - trace/float64(n)
		if gcv := rss / (den * den); den > 1e-8 && gcv < best {
			best, at = gcv, lambda
		}
	}
	smooth, g, _, _ := reinsch(t, y, at)
	rate = make([]float64, n)
	for i := range n - 1 {
		h := t[i+1] - t[i]
		rate[i] = (smooth[i+1]-smooth[i])/h - h/6*(2*g[i]+g[i+1])
	}
	h := t[n-1] - t[n-2]
	rate[n-1] = (smooth[n-1]-smooth[n-2])/h + h/6*(g[n-2]+2*g[n-1])
	return smooth, rate
}

// reinsch gives the smoothing spline for λ: its values, second derivatives, residual sum of squares and the trace of the
// matrix that turns data into values. The second derivatives γ solve (R + λQᵀQ)γ = Qᵀy with five bands; the trace needs
// the five central bands of that matrix's inverse only (M. F. Hutchinson, F. R. de Hoog, Numerische Mathematik 47 (1985), 99–106).
func reinsch(t, y []float64, lambda float64) (s, gamma []float64, rss, trace float64) {
	n := len(t)
	m := n - 2
	h := make([]float64, n-1)
	for i := range h {
		h[i] = t[i+1] - t[i]
	}
	// Column k of Q has 1/h_k, −1/h_k − 1/h_{k+1}, 1/h_{k+1} in rows k, k+1, k+2.
	q := func(k int) (a, b, c float64) { return 1 / h[k], -1/h[k] - 1/h[k+1], 1 / h[k+1] }
	d0, d1, d2 := make([]float64, m), make([]float64, m), make([]float64, m)
	rhs := make([]float64, m)
	for k := range m {
		a, b, c := q(k)
		d0[k] = (h[k]+h[k+1])/3 + lambda*(a*a+b*b+c*c)
		if k+1 < m {
			a1, b1, _ := q(k + 1)
			d1[k] = h[k+1]/6 + lambda*(b*a1+c*b1)
		}
		if k+2 < m {
			a2, _, _ := q(k + 2)
			d2[k] = lambda * c * a2
		}
		rhs[k] = a*y[k] + b*y[k+1] + c*y[k+2]
	}
	// L D Lᵀ, L with two bands below the diagonal.
	dd, l1, l2 := make([]float64, m), make([]float64, m), make([]float64, m)
	for k := range m {
		dd[k] = d0[k]
		if k > 0 {
			dd[k] -= l1[k-1] * l1[k-1] * dd[k-1]
		}
		if k > 1 {
			dd[k] -= l2[k-2] * l2[k-2] * dd[k-2]
		}
		if k+1 < m {
			v := d1[k]
			if k > 0 {
				v -= l1[k-1] * l2[k-1] * dd[k-1]
			}
			l1[k] = v / dd[k]
		}
		if k+2 < m {
			l2[k] = d2[k] / dd[k]
		}
	}
	x := append([]float64(nil), rhs...)
	for k := range m {
		if k > 0 {
			x[k] -= l1[k-1] * x[k-1]
		}
		if k > 1 {
			x[k] -= l2[k-2] * x[k-2]
		}
	}
	for k := range m {
		x[k] /= dd[k]
	}
	for k := m - 1; k >= 0; k-- {
		if k+1 < m {
			x[k] -= l1[k] * x[k+1]
		}
		if k+2 < m {
			x[k] -= l2[k] * x[k+2]
		}
	}
	s = append([]float64(nil), y...)
	gamma = make([]float64, n)
	for k := range m {
		a, b, c := q(k)
		s[k] -= lambda * a * x[k]
		s[k+1] -= lambda * b * x[k]
		s[k+2] -= lambda * c * x[k]
		gamma[k+1] = x[k]
	}
	for i := range y {
		rss += (y[i] - s[i]) * (y[i] - s[i])
	}
	// Central bands of the inverse, from the end.
	b0, b1, b2 := make([]float64, m+2), make([]float64, m+2), make([]float64, m+2)
	for k := m - 1; k >= 0; k-- {
		b1[k] = -l1[k]*b0[k+1] - l2[k]*b1[k+1]
		b2[k] = -l1[k]*b1[k+1] - l2[k]*b0[k+2]
		b0[k] = 1/dd[k] - l1[k]*b1[k] - l2[k]*b2[k]
	}
	trace = float64(n)
	for k := range m {
		a, b, c := q(k)
		v := (a*a + b*b + c*c) * b0[k]
		if k+1 < m {
			a1, b1c, _ := q(k + 1)
			v += 2 * (b*a1 + c*b1c) * b1[k]
		}
		if k+2 < m {
			a2, _, _ := q(k + 2)
			v += 2 * c * a2 * b2[k]
		}
		trace -= lambda * v
	}
	return s, gamma, rss, trace
}

// Weak turns x' = Σ ξ_j θ_j(x) into rows without derivatives: each is the equation times a bump φ that vanishes at the ends
// of a window, integrated by parts, −∫φ'x = Σ ξ_j ∫φ θ_j, by the trapezoidal rule, which is accurate far beyond its order for such
// bumps. theta is n × p; y are the samples of x. Windows of `width` samples begin every `step`.
//
// D. A. Messenger, D. M. Bortz, Weak SINDy: Galerkin-based data-driven model selection, Multiscale Modeling and
// Simulation 19 (2021), 1474–1497.
func Weak(t, y, theta []float64, p, width, step int) (*Data, error) {
	n := len(t)
	if width < 5 || width > n || step < 1 {
		return nil, fmt.Errorf("a window of %d samples, every %d, does not fit %d samples", width, step, n)
	}
	d := &Data{P: p, Series: true}
	for lo := 0; lo+width <= n; lo += step {
		a, b := t[lo], t[lo+width-1]
		row := make([]float64, p)
		left := 0.0
		for i := lo; i < lo+width; i++ {
			w := 0.0
			if i > lo {
				w += (t[i] - t[i-1]) / 2
			}
			if i < lo+width-1 {
				w += (t[i+1] - t[i]) / 2
			}
			// φ = (1 − s²)^4 on the window, s from −1 to 1.
			s := (2*t[i] - a - b) / (b - a)
			u := 1 - s*s
			phi := u * u * u * u
			dphi := -8 * s * u * u * u * 2 / (b - a)
			left -= w * dphi * y[i]
			for j := range p {
				row[j] += w * phi * theta[i*p+j]
			}
		}
		d.X = append(d.X, row...)
		d.Y = append(d.Y, left)
	}
	d.N = len(d.Y)
	return d, nil
}
