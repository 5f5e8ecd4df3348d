package method

import "math"

// trbdf2 is the trapezoidal rule followed by the backward differentiation formula of order 2, taken as an ESDIRK pair of orders 2 and 3; the cubic Hermite
// interpolant serves as its continuous extension.
//
// M. E. Hosea, L. F. Shampine, Analysis and implementation of TR-BDF2, Applied Numerical Mathematics 20 (1996), 21–37. The abscissa 2 − √2 makes both implicit
// stages share one matrix. They advise to solve once with that matrix for the error, M − hγJ, lest stiff components dominate it.
var trbdf2 = func() DIRK {
	const (
		s = math.Sqrt2
		g = 2 - s // the abscissa of the second stage
		d = g / 2 // the diagonal
		w = s / 4
	)
	a := [][]float64{{0}, {d, d}, {w, w, d}}
	b := []float64{w, w, d}
	c := []float64{0, g, 1}
	return DIRK{
		Name:       "TRBDF2",
		Order:      2,
		EOrder:     3,
		DenseOrder: 2,
		Stability:  "L-stable, stiffly accurate",
		Doc: "Trapezoidal rule and BDF2 in one step: stiff problems at loose tolerances (1e-2 to 1e-4), discontinuous right-hand sides and circuits, where it damps " +
			"without ringing. Of order 2, it takes ten times the steps for a hundredth of the tolerance.",
		Cite: "Hosea, Shampine, Applied Numerical Mathematics 20 (1996) 21–37",

		Stages:  3,
		Gamma:   d,
		A:       a,
		B:       b,
		C:       c,
		E:       []float64{w - (1-w)/3, -1. / 3, 2 * d / 3},
		Predict: extrapolated(a, c, d),
		Dense:   hermite(b, 2),
	}
}()
