package sens

import (
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// bdf is the adjoint of a step of a backward differentiation formula, its length and order held fixed,
//
//	γ M x_{n+1} + M Σ_i c_i x_{n−i} = h f(t_{n+1}, x_{n+1}):
//
// with λ the derivative by x_{n+1}, of all that comes after, by the implicit function theorem
//
//	(γ M − h J)ᵀ v = λ,  x̄_{n−i} −= c_i Mᵀ v,  dL/dθ += h (∂f/∂θ)ᵀ v,
//
// so that a step hands derivatives to several before it, which it keeps until the walk comes there. The predictor has no part in the solution.
//
// A. Sandu, L. Zhang, Discrete second order adjoints in atmospheric chemical transport modeling, Journal of Computational Physics 227 (2008), 5949–5983, and
// D. Beigel, M. Mommer, L. Wirsching, H. G. Bock, Approximation of weak adjoints by reverse automatic differentiation of BDF methods, Numerische Mathematik 126
// (2014), 383–412, for the adjoint of multistep methods with steps and orders held fixed.
type bdf struct {
	mass *massByTheta
	rhs  system.Func
	lin  *solve.Linear
	st   *solve.StepRecord
	// projects says that what the equations were solved for was then moved onto invariants.
	projects bool

	// ahead[0] is the derivative by the state at the start of the step that is open, ahead[i] by that i steps earlier, as far as later steps know.
	ahead [solve.MaxBDF + 1][]float64
	end   []float64 // by the state at its end
	v, mu []float64
}

func newBDF(_ *method.BDF, sys *system.System) (*bdf, error) {
	lin, err := solve.NewLinear(sys)
	if err != nil {
		return nil, err
	}
	b := &bdf{projects: sys.Mass != nil && sys.Invariants != nil, mass: newMassByTheta(sys), rhs: sys.RHS.Clone(), lin: lin}
	for i := range b.ahead {
		b.ahead[i] = make([]float64, sys.NX)
	}
	b.end, b.v, b.mu = make([]float64, sys.NX), make([]float64, sys.NX), make([]float64, sys.NX)
	return b, nil
}

func (b *bdf) prepare(th []float64) {
	b.rhs.Prepare(th)
	b.lin.Prepare(th)
	b.mass.prepare(th)
	for _, a := range b.ahead {
		clear(a)
	}
}

func (b *bdf) open(st *solve.StepRecord) {
	b.st = st
	clear(b.end)
}

func (b *bdf) waits() bool {
	for _, a := range b.ahead {
		if !zero(a) {
			return true
		}
	}
	return false
}

func (b *bdf) output(theta float64, gx []float64) {
	var w [solve.MaxBDF + 1]float64
	order := b.st.BDFOutput(theta, &w)
	add(b.end, w[0], gx)
	for j := 1; j <= order; j++ {
		add(b.ahead[j-1], w[j], gx)
	}
}

// atEnd gives lam what came through outputs to the state at the end, by which they are interpolated as it is after a projection.
func (b *bdf) atEnd(lam []float64) {
	add(lam, 1, b.end)
	clear(b.end)
}

// reached writes the state that the step leads to by itself.
func (b *bdf) reached(x []float64) { copy(x, b.st.BDFRaw(b.projects)) }

func (b *bdf) back(lam, g []float64) error {
	st := b.st
	if !zero(lam) {
		var c [solve.MaxBDF + 1]float64
		order, gamma := st.BDFWeights(&c)
		t1, x1 := st.T+st.H, st.BDFRaw(b.projects)
		if !st.Cut {
			t1 = st.T1
		}
		b.lin.Jacobian(nil, t1, x1)
		if err := b.lin.Factor(st.H / gamma); err != nil {
			return err
		}
		for i, v := range lam {
			b.v[i] = v / gamma
		}
		b.lin.SolveTransposed(b.v)
		for i := range order + 1 {
			if c[i] != 0 {
				b.lin.AddMassTransposed(b.ahead[i], -c[i], b.v)
			}
		}
		for i, v := range b.v {
			b.mu[i] = st.H * v
		}
		clear(b.end) // the derivative by x1 itself is what the equations were solved for
		b.rhs.VJP(b.end, g, t1, x1, nil, b.mu)
		if b.mass != nil {
			clear(b.mu)
			add(b.mu, -gamma, x1)
			for i := range order + 1 {
				x := st.X
				if c[i] == 0 {
					continue
				}
				if i > 0 {
					_, x = st.Before(i)
				}
				add(b.mu, -c[i], x)
			}
			b.mass.add(g, b.v, b.mu)
		}
	}
	copy(lam, b.ahead[0])
	first := b.ahead[0]
	copy(b.ahead[:], b.ahead[1:])
	clear(first)
	b.ahead[len(b.ahead)-1] = first
	return nil
}
