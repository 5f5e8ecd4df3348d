package method

// BDF is the family of backward differentiation formulas of variable order in backward differences on a quasi-constant step, in the variant with κ, called NDF,
// that damps their leading error. The formula of order k for M·x' = f is, with the predictor x⁰ = Σ_{m=0..k} ∇^m x_n,
//
//	(1 − Kappa[k]) Gamma[k] M (x_{n+1} − x⁰) + M Σ_{m=1..k} Gamma[m] ∇^m x_n = h f(t_{n+1}, x_{n+1}),
//
// x_{n+1} − x⁰ being ∇^(k+1) x_{n+1}; the local error is Error[k] ∇^(k+1) x_{n+1}, that of order k − 1 Error[k−1] ∇^k x_{n+1}, of order k + 1
// Error[k+1] ∇^(k+2) x_{n+1}. The continuous extension is the polynomial through the last values, x(t_{n+1} + σh) = Σ_{m=0..k} ∇^m x_{n+1} Π_{i<m} (σ+i)/(i+1).
//
// L. F. Shampine, M. W. Reichelt, The MATLAB ODE suite, SIAM Journal on Scientific Computing 18 (1997), 1–22, section 2; the κ are those of their table 1, of
// R. W. Klopfenstein, Numerical differentiation formulas for stiff systems of ordinary differential equations, RCA Review 32 (1971), 447–462.
//
// Why so. The common forms differ in what a change of step does: coefficients that vary with every step (VODE, CVODE in the fixed-leading-coefficient form) keep
// stable under rapid changes but spoil the factorised matrix M·c/h − J; a quasi-constant step is changed seldom, after k + 1 equal steps, by Rescale, and in
// return every quantity is linear in the differences, so that derivatives through the steps are plain. The κ let a step be 26 % longer for the same error at the
// orders 1 to 3 and 12 % at order 4, for stability angles of 90°, 90°, 80°, 66° and 51° instead of 90°, 90°, 86°, 73° and 51°. Plain BDF is κ = 0.
type BDF struct {
	Name                string
	MaxOrder            int
	Gamma, Kappa, Error []float64 // by order; index 0 belongs to none, MaxOrder + 1 exists in Error alone, for a raise from MaxOrder to be refused with a figure

	Doc, Cite string
}

// Info implements Method.
func (m *BDF) Info() Info {
	return Info{Name: m.Name, Family: Multistep, Order: m.MaxOrder, Dense: m.MaxOrder, Adaptive: true, Mass: true,
		Stability: "orders 1 and 2 L-stable, 3 to 5 L(α)-stable: α = 80°, 66°, 51°", Doc: m.Doc, Cite: m.Cite}
}

// Rescale writes the k×k matrix w, row-major, that takes the differences ∇^1 … ∇^k of step h to those of step ratio·h: new ∇^(j+1) = Σ_i w[i·k+j] ∇^(i+1).
// It is R(ratio)·R(1) of Shampine and Reichelt, R_ij(ρ) = Π_{m<i} (m − jρ)/(m + 1), i, j = 1 … k.
func (m *BDF) Rescale(w []float64, k int, ratio float64) {
	r := func(i, j int, rho float64) float64 {
		v := 1.0
		for m := range i {
			v *= (float64(m) - float64(j)*rho) / float64(m+1)
		}
		return v
	}
	for i := 1; i <= k; i++ {
		for j := 1; j <= k; j++ {
			s := 0.0
			for l := 1; l <= k; l++ {
				s += r(i, l, ratio) * r(l, j, 1)
			}
			w[(i-1)*k+j-1] = s
		}
	}
}

var bdf = func() BDF {
	m := BDF{
		Name:     "BDF",
		MaxOrder: 5,
		Gamma:    []float64{0},
		Kappa:    []float64{0, -0.1850, -1. / 9, -0.0823, -0.0415, 0},
		Error:    []float64{0},
		Doc: "Backward differentiation of orders 1 to 5 (NDF variant): large stiff systems, costly right-hand sides and Jacobians, at tolerances from 1e-3 to 1e-8; " +
			"one solve a step. Not for eigenvalues near the imaginary axis.",
		Cite: "Shampine, Reichelt, SIAM Journal on Scientific Computing 18 (1997) 1–22",
	}
	for k := 1; k <= m.MaxOrder; k++ {
		m.Gamma = append(m.Gamma, m.Gamma[k-1]+1/float64(k))
		m.Error = append(m.Error, m.Kappa[k]*m.Gamma[k]+1/float64(k+1))
	}
	m.Error = append(m.Error, 1/float64(m.MaxOrder+2))
	return m
}()
