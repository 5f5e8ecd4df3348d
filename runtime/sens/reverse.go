package sens

import (
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// reverse carries the derivative of a loss backwards over one step of a method that is no explicit Runge–Kutta method. A reverse serves one goroutine.
type reverse interface {
	// prepare fixes θ.
	prepare(th []float64)
	// open begins with a step: nothing comes through its interior yet.
	open(st *solve.StepRecord)
	// output adds the derivative gx by the state at t + θh within the step, 0 < θ < 1.
	output(theta float64, gx []float64)
	// waits says that the step before must be opened even where no derivative comes to it from its end or from outputs.
	waits() bool
	// back replaces lam, the derivative by the state at the end, by that at the start, and adds that by θ to g.
	back(lam, g []float64) error
}

// newReverse is the reverse of a method's steps; the error says, by name, why there is none.
func newReverse(m method.Method, sys *system.System) (reverse, error) {
	switch m := m.(type) {
	case *method.Rosenbrock:
		return newRosenbrock(m, sys)
	case *method.Symplectic:
		return newSymplectic(m, sys)
	case *method.ROCK:
		return newRock(m, sys), nil
	case *method.Adams:
		return newAdams(m, sys), nil
	case *method.DIRK:
		return newDirk(m, sys)
	case *method.Radau:
		return newRadauSteps(m, sys)
	case *method.BDF:
		return newBDF(m, sys)
	}
	return nil, refuse("the discrete adjoint does not go through the steps of %s; take adjoint = forward, or a solver such as Rodas5P", m.Info().Name)
}

// massByTheta is the derivative of vᵀ M(θ) w by θ; nil for M = 1, which has none.
type massByTheta struct {
	p      *sparse.Pattern
	values system.Func
	gz     []float64
}

func newMassByTheta(sys *system.System) *massByTheta {
	if sys.Mass == nil {
		return nil
	}
	return &massByTheta{p: sys.Mass.Pattern, values: sys.Mass.Values.Clone(), gz: make([]float64, sys.Mass.Pattern.NNZ())}
}

func (m *massByTheta) prepare(th []float64) {
	if m != nil {
		m.values.Prepare(th)
	}
}

// add adds it to g.
func (m *massByTheta) add(g, v, w []float64) {
	for j := range w {
		rows, first := m.p.Column(j)
		for k, i := range rows {
			m.gz[first+k] = v[i] * w[j]
		}
	}
	m.values.VJP(nil, g, 0, nil, nil, m.gz)
}

// stageTime is t + c·h of a step, the end exactly where c is 1.
func stageTime(st *solve.StepRecord, c float64) float64 {
	switch c {
	case 0:
		return st.T
	case 1:
		if !st.Cut {
			return st.T1
		}
		return st.T + st.H
	}
	return st.T + c*st.H
}
