package method

// dp5 is the pair of orders 5 and 4 of Dormand and Prince, with the interpolant of order 4
// that Shampine made for it.
//
// J. R. Dormand, P. J. Prince, A family of embedded Runge–Kutta formulae, Journal of
// Computational and Applied Mathematics 6 (1980), 19–26. The interpolant: L. F. Shampine, Some
// practical Runge–Kutta formulas, Mathematics of Computation 46 (1986), 135–150, as in
// E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd edition,
// Springer 1993, section II.6.
var dp5 = RK{
	Name:   "DP5",
	Order:  5,
	Stages: 7,
	EOrder: 4,
	FSAL:   true,
	Doc:    "Dormand and Prince's 5(4) pair, known as ode45 and dopri5; Tsit5 is a little better.",
	Cite:   "Dormand, Prince, Journal of Computational and Applied Mathematics 6 (1980) 19–26",

	C: []float64{0, 1. / 5, 3. / 10, 4. / 5, 8. / 9, 1, 1},
	A: [][]float64{
		{},
		{1. / 5},
		{3. / 40, 9. / 40},
		{44. / 45, -56. / 15, 32. / 9},
		{19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729},
		{9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656},
		dp5B[:6],
	},
	B: dp5B[:],
	E: []float64{71. / 57600, 0, -71. / 16695, 71. / 1920, -17253. / 339200, 22. / 525, -1. / 40},

	DenseOrder: 4,
	Dense:      dp5Dense(),
}

var dp5B = [7]float64{35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84, 0}

// dp5Dense adds to the cubic Hermite interpolant the one quartic that leaves both ends and
// both slopes alone, θ²(1−θ)² Σ d_i k_i.
func dp5Dense() [][]float64 {
	d := [7]float64{
		-12715105075. / 11282082432, 0, 87487479700. / 32700410799, -10690763975. / 1880347072,
		701980252875. / 199316789632, -1453857185. / 822651844, 69997945. / 29380423,
	}
	dense := hermite(dp5B[:], 6)
	for i, w := range d {
		if w == 0 {
			continue
		}
		p := dense[i]
		dense[i] = []float64{p[0], p[1] + w, p[2] - 2*w, w}
	}
	return dense
}
