package method

// rk4 is the classical method of order 4.
//
// W. Kutta, Beitrag zur näherungsweisen Integration totaler Differentialgleichungen,
// Zeitschrift für Mathematik und Physik 46 (1901), 435–453.
var rk4 = RK{
	Name:   "RK4",
	Order:  4,
	Stages: 4,
	Doc:    "The classical Runge–Kutta method of order 4 at a fixed step.",
	Cite:   "Kutta, Zeitschrift für Mathematik und Physik 46 (1901) 435–453",

	C: []float64{0, 1. / 2, 1. / 2, 1, 1},
	A: [][]float64{
		{},
		{1. / 2},
		{0, 1. / 2},
		{0, 0, 1},
		{1. / 6, 1. / 3, 1. / 3, 1. / 6},
	},
	B: []float64{1. / 6, 1. / 3, 1. / 3, 1. / 6},

	DenseOrder: 3,
	Dense:      hermite([]float64{1. / 6, 1. / 3, 1. / 3, 1. / 6, 0}, 4),
}
