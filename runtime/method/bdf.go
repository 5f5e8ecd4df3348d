package method

// BDF is a family of backward differentiation formulas of orders 1 to MaxOrder in fixed-leading-coefficient form, with the order and the step chosen by
// the error:
//
//	P the polynomial through the last k+1 points, (1 − Kappa[k])·γ_k·(x1 − P(t1)) = h·(x'(t1) − P'(t1)),  M·x'(t1) = f(t1, x1),  γ_k = Σ_{j≤k} 1/j.
//
// Kappa = 0 are the formulas themselves; others, the numerical differentiation formulas, give up a little stability for a smaller error.
//
// K. R. Jackson, R. Sacks-Davis, An alternative implementation of variable step-size multistep formulas for stiff ODEs, ACM Transactions on Mathematical
// Software 6 (1980), 295–318; L. F. Shampine, M. W. Reichelt, The MATLAB ODE suite, SIAM Journal on Scientific Computing 18 (1997), 1–22, for Kappa.
//
// The methods of the table are shared: read them, never write to them.
type BDF struct {
	Name     string
	MaxOrder int
	Kappa    []float64 // by order, from 0, which is no order

	// Linear says how the linear equations are solved: "direct", "krylov" (GMRES with an incomplete factorisation), or "auto", the cheaper of both.
	Linear string

	Stability string
	Doc, Cite string
}

// Info implements Method.
func (m *BDF) Info() Info {
	return Info{Name: m.Name, Family: Multistep, Order: m.MaxOrder, Dense: m.MaxOrder, Adaptive: true, Mass: true, Stability: m.Stability, Doc: m.Doc, Cite: m.Cite}
}

// Gamma is γ_k, the leading coefficient of the formula of order k for Kappa = 0.
func (m *BDF) Gamma(k int) float64 {
	g := 0.0
	for j := 1; j <= k; j++ {
		g += 1 / float64(j)
	}
	return g
}

// bdf is the method for large stiff systems.
var bdf = BDF{
	Name:      "BDF",
	MaxOrder:  5,
	Kappa:     []float64{0, 0, 0, 0, 0, 0},
	Linear:    "auto",
	Stability: "A-stable to order 2, A(α)-stable beyond with α = 86°, 73°, 52°; L-stable at infinity",
	Doc: "Backward differentiation formulas of orders 1 to 5: large stiff systems and differential-algebraic equations, where factorisations are dear; " +
		"less so for solutions that oscillate with little damping.",
	Cite: "Jackson, Sacks-Davis, ACM Transactions on Mathematical Software 6 (1980) 295–318; Brenan, Campbell, Petzold, Numerical Solution of " +
		"Initial-Value Problems in Differential-Algebraic Equations, SIAM 1996, chapter 5",
}
