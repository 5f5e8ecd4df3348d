package method

// bs3 is the pair of orders 3 and 2 of Bogacki and Shampine; the cubic Hermite interpolant
// costs it nothing, since its last stage is the derivative at the new point.
//
// P. Bogacki, L. F. Shampine, A 3(2) pair of Runge–Kutta formulas, Applied Mathematics Letters
// 2 (1989), 321–325.
var bs3 = RK{
	Name:   "BS3",
	Order:  3,
	Stages: 4,
	EOrder: 2,
	FSAL:   true,
	Doc:    "Bogacki and Shampine's 3(2) pair: for loose tolerances, and mildly stiff problems.",
	Cite:   "Bogacki, Shampine, Applied Mathematics Letters 2 (1989) 321–325",

	C: []float64{0, 1. / 2, 3. / 4, 1},
	A: [][]float64{
		{},
		{1. / 2},
		{0, 3. / 4},
		{2. / 9, 1. / 3, 4. / 9},
	},
	B: []float64{2. / 9, 1. / 3, 4. / 9, 0},
	E: []float64{2./9 - 7./24, 1./3 - 1./4, 4./9 - 1./3, -1. / 8},

	DenseOrder: 3,
	Dense:      hermite([]float64{2. / 9, 1. / 3, 4. / 9, 0}, 3),
}
