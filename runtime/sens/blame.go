package sens

import (
	"math"

	"github.com/udl-lang/udl/runtime/solve"
)

// Where a gradient is not finite though the loss is, some derivative is infinite or not a number: that of sqrt(x) at 0, of x^n by n at 0. The
// backward pass is made once more to see at which step that happens; then the system is asked which sub-expression it is.

// suspect is the step at which a backward pass ceased to be finite.
type suspect struct {
	found  bool
	t, t1  float64
	x, x1  []float64
	lambda []float64 // that came to its end
}

// before keeps what comes to the end of a step; accuse keeps the step.
func (s *suspect) before(lam []float64) { s.lambda = append(s.lambda[:0], lam...) }

func (s *suspect) accuse(st *solve.StepRecord) {
	s.found, s.t, s.t1 = true, st.T, st.T1
	s.x, s.x1 = append(s.x[:0], st.X...), append(s.x1[:0], st.X1...)
}

// blame adds to e what is to blame. gx is the loss's gradient by the states at its times. s is nil for methods that have no backward pass: the states at
// the times of the loss are then looked at.
func (e *NonFinite) blame(q *solve.Problem, sol *solve.Solution, loss Loss, gx []float64, s *suspect) {
	sys, nx := q.Sys, q.Sys.NX
	for o := range q.Times {
		if nx == 0 || len(gx) < (o+1)*nx || finite(gx[o*nx:(o+1)*nx]) {
			continue
		}
		e.Part, e.At = "the loss", q.Times[o]
		if b, ok := loss.(Blamed); ok {
			if f, row := b.Blame(sol.X, q.Theta); f != nil {
				if e.Source, e.At = f, math.NaN(); row >= 0 {
					e.At = q.Times[row]
				}
			}
		}
		e.T = q.Times[o]
		return
	}
	if sys.Blame == nil {
		return
	}
	ones := make([]float64, nx)
	for i := range ones {
		ones[i] = 1
	}
	try := func(t float64, x, lam []float64) bool {
		if len(x) < nx {
			return false
		}
		for _, gz := range [][]float64{lam, ones} {
			if len(gz) != nx || !finite(gz) {
				continue
			}
			if f := sys.Blame(sys.RHS, t, x[:nx], q.Theta, gz); f != nil {
				e.Source, e.At = f, t
				return true
			}
		}
		return false
	}
	if s != nil && s.found && (try(s.t1, s.x1, s.lambda) || try(s.t, s.x, s.lambda)) {
		return
	}
	for o := len(q.Times) - 1; o >= 0; o-- {
		if try(q.Times[o], sol.Row(o), nil) {
			return
		}
	}
	if sys.Init != nil && q.X0 == nil {
		if f := sys.Blame(sys.Init, q.T0, nil, q.Theta, ones); f != nil {
			e.Source, e.Part, e.At = f, "the initial values", q.T0
			return
		}
		x0 := make([]float64, nx)
		sys.Init.Clone().Eval(x0, q.T0, nil, q.Theta)
		try(q.T0, x0, nil)
	}
}
