package solve

import "github.com/udl-lang/udl/runtime/system"

// Slope writes x' at a state x that satisfies the algebraic equations at t, those of the algebraic unknowns included: M·x' = f, and along the right null space K of M what keeps
// the equations Nᵀ f = 0, so Nᵀ (J x' + ∂f/∂t) = 0. atol has NX entries. It allocates.
func Slope(sys *system.System, t float64, x, th []float64, rtol float64, atol, out []float64) error {
	if sys.Mass == nil {
		sys.RHS.Clone().Eval(out, t, x, th)
		return nil
	}
	l, err := Linearise(sys, t, append([]float64(nil), x...), th, rtol, atol, true)
	if err != nil {
		return err
	}
	if l.lu == nil {
		b, err := NewBordered(sys, th)
		if err != nil {
			return err
		}
		sys.RHS.Clone().Eval(out, t, x, th)
		b.Solve(out)
		return nil
	}
	copy(out, l.dx)
	l.c.f.JVP(l.fx, t, x, nil, 1, out, nil)
	l.bend(out)
	return nil
}
