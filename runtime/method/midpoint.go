package method

// midpoint is the explicit midpoint rule of order 2, with Euler's method embedded.
//
// C. Runge, Über die numerische Auflösung von Differentialgleichungen, Mathematische Annalen
// 46 (1895), 167–178.
var midpoint = RK{
	Name:   "Midpoint",
	Order:  2,
	Stages: 2,
	EOrder: 1,
	Doc:    "The explicit midpoint rule, order 2 with an error estimate of order 1.",
	Cite:   "Runge, Mathematische Annalen 46 (1895) 167–178",

	C: []float64{0, 1. / 2, 1},
	A: [][]float64{{}, {1. / 2}, {0, 1}},
	B: []float64{0, 1},
	E: []float64{-1, 1},

	DenseOrder: 2,
	Dense:      hermite([]float64{0, 1, 0}, 2),
}
