package method

// ssprk43 is the optimal strong-stability-preserving method of order 3 with four stages: each
// stage and the step are convex combinations of steps of Euler's method of half the size. So
// up to twice the step at which Euler's method keeps a bound or a total variation, it does
// too. Its embedded solution has the same property; the cubic Hermite interpolant has not.
//
// J. F. B. M. Kraaijevanger, Contractivity of Runge–Kutta methods, BIT 31 (1991), 482–528. The
// embedded weights (1/3, 1/3, 1/3, 0) are those of OrdinaryDiffEq.jl, after S. Conde, I. Fekete,
// J. N. Shadid, Embedded error estimation and adaptive step-size control for optimal explicit
// strong stability preserving Runge–Kutta methods, arXiv 1806.08693 (2018).
var ssprk43 = RK{
	Name:   "SSPRK43",
	Order:  3,
	Stages: 4,
	EOrder: 2,
	Doc: "Kraaijevanger's strong-stability-preserving method of order 3 with an error estimate of " +
		"order 2: for advection and shocks by the method of lines.",
	Cite: "Kraaijevanger, BIT 31 (1991) 482–528",

	C: []float64{0, 1. / 2, 1, 1. / 2, 1},
	A: [][]float64{
		{},
		{1. / 2},
		{1. / 2, 1. / 2},
		{1. / 6, 1. / 6, 1. / 6},
		{1. / 6, 1. / 6, 1. / 6, 1. / 2},
	},
	B: []float64{1. / 6, 1. / 6, 1. / 6, 1. / 2},
	E: []float64{-1. / 6, -1. / 6, -1. / 6, 1. / 2},

	DenseOrder: 3,
	Dense:      hermite([]float64{1. / 6, 1. / 6, 1. / 6, 1. / 2, 0}, 4),
}
