package method

// euler is Euler's method of 1768, with the derivative at the new point as an extra stage for
// its interpolant.
//
// L. Euler, Institutionum calculi integralis, volume I, St Petersburg 1768, chapter 7.
var euler = RK{
	Name:   "Euler",
	Order:  1,
	Stages: 1,
	Doc:    "Euler's explicit method at a fixed step: to teach with and to compare with.",
	Cite:   "Euler, Institutionum calculi integralis I (1768)",

	C: []float64{0, 1},
	A: [][]float64{{}, {1}},
	B: []float64{1},

	DenseOrder: 1,
	Dense:      hermite([]float64{1, 0}, 1),
}
