package discover

import (
	"fmt"

	"github.com/udl-lang/udl/runtime/train"
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
	{Name: "spline", Doc: "A smoothing cubic spline, as smooth as generalised cross-validation finds best.", least: 5, ends: 6, of: train.Smooth,
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
