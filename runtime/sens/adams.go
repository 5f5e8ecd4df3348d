package sens

import (
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// adams is the adjoint of a step of an Adams method in the form of solve.AdamsStep, its length and order held fixed: with λ the derivative by the new state x1 = p + h g_k δ,
//
//	δ̄ = h g_k λ,  p̄ = λ + (∂f/∂x)ᵀ δ̄ at p,  φ̄_i = h g_i p̄ − δ̄,  x̄ = p̄,
//
// and to these what outputs within the step take. φ_i is made of f at the starts of this step and of those before it, to which a step so hands derivatives that it keeps
// until the walk comes there.
//
// D. Beigel, M. Mommer, L. Wirsching, H. G. Bock, Approximation of weak adjoints by reverse automatic differentiation of BDF methods, Numerische Mathematik 126
// (2014), 383–412, for the adjoint of multistep methods with steps and orders held fixed.
type adams struct {
	m    *method.Adams
	rhs  system.Func
	st   *solve.StepRecord
	step solve.AdamsStep

	// ahead[0] is the derivative by f at the start of the step that is open, ahead[j] by that j steps earlier, as far as later steps know.
	ahead [solve.MaxAdams][]float64
	terms [solve.MaxAdams][]float64 // by φ_i, and δ
	xb, p []float64
}

func newAdams(m *method.Adams, sys *system.System) *adams {
	nx := sys.NX
	a := &adams{m: m, rhs: sys.RHS.Clone(), xb: make([]float64, nx), p: make([]float64, nx)}
	for i := range m.MaxOrder + 1 {
		a.ahead[i], a.terms[i] = make([]float64, nx), make([]float64, nx)
	}
	return a
}

func (a *adams) prepare(th []float64) {
	a.rhs.Prepare(th)
	for i := range a.m.MaxOrder + 1 {
		clear(a.ahead[i])
	}
}

func (a *adams) open(st *solve.StepRecord) {
	a.st, a.step = st, solve.AdamsStepOf(a.m, st)
	clear(a.xb)
	for i := range a.step.Order + 1 {
		clear(a.terms[i])
	}
}

func (a *adams) waits() bool {
	for i := range a.m.MaxOrder + 1 {
		if !zero(a.ahead[i]) {
			return true
		}
	}
	return false
}

func (a *adams) output(theta float64, gx []float64) {
	var g [solve.MaxAdams]float64
	a.step.Weights(theta, &g)
	add(a.xb, 1, gx)
	for i := range a.step.Order + 1 {
		add(a.terms[i], a.st.H*g[i], gx)
	}
}

func (a *adams) back(lam, g []float64) error {
	st, k, h := a.st, a.step.Order, a.st.H
	var w [solve.MaxAdams]float64
	a.step.Weights(1, &w)
	copy(a.p, st.X)
	for i := k - 1; i >= 0; i-- {
		add(a.p, h*w[i], a.step.Term(i))
	}
	delta := a.terms[k]
	add(delta, h*w[k], lam)
	if !zero(delta) {
		a.rhs.VJP(lam, g, stageTime(st, 1), a.p, nil, delta)
	}
	for i := range k {
		add(a.terms[i], h*w[i], lam)
		add(a.terms[i], -1, delta)
	}
	add(lam, 1, a.xb)
	for i := range k {
		a.step.Past(i, &w)
		for j := range i + 1 {
			add(a.ahead[j], w[j], a.terms[i])
		}
	}
	// f at the start of this step has all that comes to it.
	first := a.ahead[0]
	if !zero(first) {
		a.rhs.VJP(lam, g, st.T, st.X, nil, first)
	}
	clear(first)
	n := a.m.MaxOrder
	copy(a.ahead[:n], a.ahead[1:n+1])
	a.ahead[n] = first
	return nil
}
