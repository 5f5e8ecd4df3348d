package method

import (
	"fmt"
	"slices"
)

// BDF is a family of backward differentiation formulas of orders 1 to MaxOrder in fixed-leading-coefficient form, with the order and the step chosen by
// the error:
//
//	P the polynomial through the last k+1 points, γ_k·(x1 − P(t1)) = h·(x'(t1) − P'(t1)),  M·x'(t1) = f(t1, x1),  γ_k = Σ_{j≤k} 1/j.
//
// The numerical differentiation formulas of Shampine and Reichelt, which give up a little stability for smaller error constants up to order 4, were measured to
// be no better at equal error.
//
// K. R. Jackson, R. Sacks-Davis, An alternative implementation of variable step-size multistep formulas for stiff ODEs, ACM Transactions on Mathematical
// Software 6 (1980), 295–318.
//
// The methods of the table are shared: read them, never write to them.
type BDF struct {
	Name     string
	MaxOrder int

	// Linear says how the linear equations are solved: "direct", "krylov" (GMRES with an incomplete factorisation), or "auto", the cheaper of both.
	Linear string

	Stability string
	Doc, Cite string
}

// Info implements Method.
func (m *BDF) Info() Info {
	return Info{Name: m.Name, Family: Multistep, Order: m.MaxOrder, Dense: m.MaxOrder, Adaptive: true, Mass: true, Stability: m.Stability, Doc: m.Doc, Cite: m.Cite}
}

// Linears are the values of BDF.Linear, the default first.
func (m *BDF) Linears() []string { return []string{"auto", "direct", "krylov"} }

// With is the method with a highest order, of 1 to MaxOrder, and a way to solve linear equations, one of Linears; 0 and "" leave them. It is false where there is no
// such method.
func (m *BDF) With(order int, linear string) (*BDF, bool) {
	w := *m
	if order != 0 {
		if order < 1 || order > m.MaxOrder {
			return nil, false
		}
		if w.MaxOrder = order; order < m.MaxOrder {
			w.Name = fmt.Sprintf("%s(order = %d)", m.Name, order)
		}
	}
	if linear != "" {
		if w.Linear = linear; !slices.Contains(m.Linears(), linear) {
			return nil, false
		}
	}
	return &w, true
}

// bdf is the method for large stiff systems.
var bdf = BDF{
	Name:      "BDF",
	MaxOrder:  5,
	Linear:    "auto",
	Stability: "A-stable to order 2, A(α)-stable beyond with α = 86°, 73°, 52°; L-stable at infinity",
	Doc: "Backward differentiation formulas of orders 1 to 5: large stiff systems and differential-algebraic equations, where factorisations are dear; " +
		"less so for solutions that oscillate with little damping. With a fixed step the first steps are of the lower orders.",
	Cite: "Jackson, Sacks-Davis, ACM Transactions on Mathematical Software 6 (1980) 295–318; Brenan, Campbell, Petzold, Numerical Solution of " +
		"Initial-Value Problems in Differential-Algebraic Equations, SIAM 1996, chapter 5",
}
