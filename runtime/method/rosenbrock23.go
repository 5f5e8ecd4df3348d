package method

import "math"

// rosenbrock23 is the modified Rosenbrock pair of orders 2 and 3 of the code ode23s, with its continuous extension of order 2.
//
// L. F. Shampine, M. W. Reichelt, The MATLAB ODE suite, SIAM Journal on Scientific Computing 18 (1997), 1–22, section 3. There, with W = M − hdJ,
//
//	W k1 = F0 + hd ∂f/∂t,  W (k2 − k1) = F1 − M k1,  W k3 = F2 − e32 (M k2 − F1) − 2 (M k1 − F0) + hd ∂f/∂t,  x1 = x + h k2,
//
// F0, F1, F2 being f at x, at x + h k1/2 and at x1. Eliminating F0 and F1 from the third equation by the first two,
// M k2 − F1 = hdJ (k2 − k1) and M k1 − F0 = hdJ k1 + hd ∂f/∂t, leaves a Rosenbrock method with Γ = d·[1; −1 1; e32−2 −e32 1], which no other stage's f
// enters: the row is exact for any mass matrix. With u = hΓk, Γ⁻¹ = (1/d)·[1; 1 1; 2 e32 1] gives what stands below.
var rosenbrock23 = func() Rosenbrock {
	const (
		s = math.Sqrt2
		w = 2 + s // 1/d
		e = 6 + s // e32
	)
	return Rosenbrock{
		Name:       "Rosenbrock23",
		Order:      2,
		EOrder:     3,
		DenseOrder: 2,
		FSAL:       true,
		Stability:  "L-stable",
		Doc: "Shampine and Reichelt's pair of ode23s: stiff problems and differential-algebraic equations at loose tolerances (1e-2 to 1e-4), rough right-hand sides; " +
			"three solves a step with one matrix. Of order 2, it takes ten times the steps for a hundredth of the tolerance.",
		Cite: "Shampine, Reichelt, SIAM Journal on Scientific Computing 18 (1997) 1–22",

		Stages: 3,
		Gamma:  1 / w,
		C:      []float64{0, 1. / 2, 1},
		D:      []float64{1 / w, 0, -1 / w},
		A:      [][]float64{{}, {w / 2}, {w, w}},
		G:      [][]float64{{}, {-w}, {-2 * w, -e * w}},
		B:      []float64{w, w, 0},
		E:      []float64{-w / 6, (2 - e) * w / 6, -w / 6}, // h (−k1 + 2 k2 − k3)/6
		// x + h [θ(1−θ) k1 + θ(θ−2d) k2]/(1−2d), 1 − 2d = √2·d.
		Dense: [][]float64{{w}, {-s * w, w * w / s}, {}},
	}
}()
