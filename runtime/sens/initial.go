package sens

import (
	"errors"
	"fmt"

	"github.com/udl-lang/udl/runtime/solve"
)

// Where there are algebraic equations the solver starts from consistent values, which it makes of the given ones: first guesses give way, and what a constraint
// ties is moved to the nearest values that satisfy it. The initial state of a gradient is the given one, so derivatives go through that too.

// consistent is the derivative of the consistent values x, in place of which it is called with the given ones; nil where the given ones are taken as they are.
func consistent(p *solve.Problem, x []float64, method string) (*solve.Linearised, error) {
	if p.Sys.Mass == nil || !finite(x) {
		return nil, nil
	}
	rtol, atol := tolerances(p)
	l, err := solve.Linearise(p.Sys, p.T0, x, p.Theta, rtol, atol, p.Nearest)
	return l, underived(p, err, method)
}

// underived refuses, by the name of the method, initial values that have no derivative.
func underived(p *solve.Problem, err error, method string) error {
	var no *solve.NoDerivative
	if errors.As(err, &no) {
		return refuse("%s has no %s gradient: %v", nameOf(p.Sys), method, no)
	}
	return err
}

// given writes the initial state as it is before it is made consistent.
func given(p *solve.Problem) ([]float64, error) {
	x := make([]float64, p.Sys.NX)
	switch {
	case p.X0 != nil && len(p.X0) != len(x):
		return nil, fmt.Errorf("%d initial values were given for %d states", len(p.X0), len(x))
	case p.X0 != nil:
		copy(x, p.X0)
	case p.Sys.Init == nil:
		return nil, fmt.Errorf("the system has no initial values, and none were given")
	default:
		p.Sys.Init.Clone().Eval(x, p.T0, nil, p.Theta)
	}
	return x, nil
}

// tolerances are those of a problem, with the defaults filled in.
func tolerances(p *solve.Problem) (rtol float64, atol []float64) {
	if rtol = p.Rtol; rtol == 0 {
		rtol = solve.DefaultRtol
	}
	if p.AtolVec != nil {
		return rtol, p.AtolVec
	}
	a := p.Atol
	if a == 0 {
		a = solve.DefaultAtol
	}
	atol = make([]float64, p.Sys.NX)
	for i := range atol {
		atol[i] = a
	}
	return rtol, atol
}

// initial carries λ from the consistent initial state to the given one.
func (w *Workspace) initial(g []float64) error {
	return initialBack(&w.problem, w.lam, g, "discrete adjoint")
}

// initialBack is initial for the method of that name.
func initialBack(q *solve.Problem, lam, g []float64, method string) error {
	if q.Sys.Mass == nil || zero(lam) {
		return nil
	}
	x, err := given(q)
	if err != nil {
		return err
	}
	l, err := consistent(q, x, method)
	if err != nil || l == nil {
		return err
	}
	return underived(q, l.Back(lam, g), method)
}

// startForward are consistent initial values, followed by their derivatives by θ_wrt; nil where the augmented system finds them by itself.
func startForward(p *solve.Problem, wrt []int) ([]float64, error) {
	if p.Sys.Mass == nil {
		return nil, nil
	}
	x, err := given(p)
	if err != nil {
		return nil, err
	}
	l, err := consistent(p, x, "forward")
	if err != nil || l == nil {
		return nil, err
	}
	nx := len(x)
	all := append(x, make([]float64, len(wrt)*nx)...)
	dth := make([]float64, p.Sys.NTheta)
	for n, i := range wrt {
		s := all[(n+1)*nx : (n+2)*nx]
		dth[i] = 1
		if p.X0 == nil {
			p.Sys.Init.Clone().JVP(s, p.T0, nil, p.Theta, 0, nil, dth)
		}
		if err := l.Forward(s, dth); err != nil {
			return nil, underived(p, err, "forward")
		}
		dth[i] = 0
	}
	return all, nil
}

// projectForward is the projection onto a system's invariants, for its states and for the sensitivities by θ_wrt behind them, which the linearised invariants keep; nil
// where there are none.
func projectForward(p *solve.Problem, wrt []int) func(t float64, x []float64) error {
	onto := solve.NewProjection(p.Sys)
	if onto == nil {
		return nil
	}
	onto.Prepare(p.Theta)
	rtol, atol := tolerances(p)
	nx := p.Sys.NX
	from := make([]float64, nx)
	return func(t float64, x []float64) error {
		copy(from, x)
		if err := onto.Project(t, x[:nx], rtol, atol); err != nil {
			return err
		}
		return onto.CarryFrom(t, from, x[:nx], rtol, atol, x[nx:], wrt)
	}
}
