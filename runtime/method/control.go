package method

import "math"

// The step-size control is proportional-integral: after a step with scaled error e_n the next is
//
//	h_{n+1} = h_n · Safety · e_n^(−Alpha/k) · e_{n−1}^(Beta/k),  k one more than the lower of both orders,
//
// and after a rejected one h · Safety · e_n^(−1/k). The error is the root mean square of e_i/(atol_i + rtol·max(|x_i|, |y_i|)).
//
// K. Gustafsson, Control theoretic techniques for stepsize selection in explicit Runge–Kutta
// methods, ACM Transactions on Mathematical Software 17 (1991), 533–554; E. Hairer, G. Wanner,
// Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, section IV.2, whose constants for non-stiff problems (those of their
// DOPRI5) are taken.
const (
	Safety   = 0.9
	Alpha    = 0.85 // 1 − ¾·Beta
	Beta     = 0.2
	Shrink   = 0.2   // the strongest cut after a step
	Grow     = 10.0  // the strongest growth after a step
	BadCut   = 0.2   // after a value that is not finite there is no error to go by
	MinError = 1e-4  // errors below are taken for this one, lest a lucky step dictate the next
	Stretch  = 1.001 // the last step is stretched so far, so that no sliver is left over
)

// ErrorOrder is k of the step-size control.
func (m *RK) ErrorOrder() int { return min(m.Order, m.EOrder) + 1 }

// The powers of the step-size control need few digits but are computed at every step, after everything else: five figures do, and save
// as much as a stage costs. Both polynomials are minimax, fitted by Remez's exchange.
var (
	// Log2Poly is log2 x on 1..2 to 1.3e-5, lowest coefficient first.
	Log2Poly = [...]float64{-2.8003641251732176, 5.091711140520146, -3.5507933982374236, 1.6311490986726591, -0.4165638032961424, 0.04487362622340797}
	// Exp2Poly is 2^x on −½..½ to 2.6e-6.
	Exp2Poly = [...]float64{1.0000001510795526, 0.693121035828777, 0.24021865494575917, 0.055922025830151274, 0.009685711421261461}
)

// Log2 is the binary logarithm of a positive normal number to five figures.
func Log2(x float64) float64 {
	b := math.Float64bits(x)
	m := math.Float64frombits(b&(1<<52-1) | 1023<<52)
	p := 0.0
	for i := len(Log2Poly) - 1; i >= 0; i-- {
		p = p*m + Log2Poly[i]
	}
	return float64(int(b>>52)-1023) + p
}

// Exp2 is 2^x to six figures, for |x| up to 1000.
func Exp2(x float64) float64 {
	k := math.RoundToEven(x)
	r := x - k
	p := 0.0
	for i := len(Exp2Poly) - 1; i >= 0; i-- {
		p = p*r + Exp2Poly[i]
	}
	return p * math.Float64frombits(uint64(int(k)+1023)<<52)
}

// shareFrom is the relative tolerance up to which local errors of the tolerance itself add up to no more than some dozens of it, with methods of order 2.
const shareFrom = 1e-3

// leastRtol is what rounding leaves of a relative tolerance.
const leastRtol = 1e-14

// Share is the part of the tolerances that the local errors of m are held to. A pair whose estimate is that of the solution it goes on with, of order p, makes steps of
// h^(p+1) ∝ tolerance, and errors of h^p add up: they would grow against the tolerance as its power −1/(p+1). Local errors of tolerance^(1+1/p) add up to errors in
// proportion to the tolerance, as those of pairs do which go on with the better of both solutions. E. Hairer, G. Wanner, Stiff differential equations solved by Radau methods,
// Journal of Computational and Applied Mathematics 111 (1999), 93–111, adapt the tolerance of an estimate of another order in this way. A Rosenbrock method's estimate of
// algebraic unknowns is of one order less; systems with a mass matrix take it as it is.
func Share(m Method, rtol float64, mass bool) float64 {
	p, estimate := 0, 0
	switch m := m.(type) {
	case *Rosenbrock:
		if !mass {
			p, estimate = m.Order, m.EOrder
		}
	case *DIRK:
		p, estimate = m.Order, m.EOrder
	}
	if estimate <= p || rtol >= shareFrom {
		return 1
	}
	return max(math.Pow(rtol/shareFrom, 1/float64(p)), min(1, leastRtol/rtol))
}
