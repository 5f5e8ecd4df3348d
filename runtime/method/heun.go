package method

// heun is Heun's method of order 2, the explicit trapezoidal rule, with Euler's method embedded.
//
// K. Heun, Neue Methode zur approximativen Integration der Differentialgleichungen einer
// unabhängigen Veränderlichen, Zeitschrift für Mathematik und Physik 45 (1900), 23–38.
var heun = RK{
	Name:   "Heun",
	Order:  2,
	Stages: 2,
	EOrder: 1,
	Doc:    "Heun's method, the explicit trapezoidal rule, order 2 with an error estimate of order 1.",
	Cite:   "Heun, Zeitschrift für Mathematik und Physik 45 (1900) 23–38",

	C: []float64{0, 1, 1},
	A: [][]float64{{}, {1}, {1. / 2, 1. / 2}},
	B: []float64{1. / 2, 1. / 2},
	E: []float64{-1. / 2, 1. / 2},

	DenseOrder: 2,
	Dense:      hermite([]float64{1. / 2, 1. / 2, 0}, 2),
}
