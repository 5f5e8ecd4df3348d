package system

import "github.com/udl-lang/udl/runtime/method"

// Step makes attempted steps of an adaptive explicit Runge–Kutta or Rosenbrock method, compiled together with the model as one piece of code. A
// system of few states may offer it; what it computes is what the ordinary loop over RHS computes, up to rounding.
//
// A Step serves one goroutine and allocates nothing.
type Step interface {
	// Prepare fixes θ and the tolerances; atol has NX entries.
	Prepare(th []float64, rtol float64, atol []float64)
	// Attempt steps from (t, x) to t1 = t + h. k holds the method's stages one after the other, Stages × NX: of an explicit method the first is given,
	// f(t, x), and the others are written; of a Rosenbrock method all are written, the u_i. It writes the new state x1. q is the mean square of the scaled
	// error; logErr and e are the binary logarithms of the errors of the last accepted step and of this one; factor is that of the step-size control,
	// for an accepted step (q ≤ 1) and for a rejected one.
	//
	// q is not a number where the step has left what is finite. It is +Inf where a Rosenbrock step is in doubt: its elimination exchanges no rows, and
	// a pivot was too small beside its column, or the Jacobian is not finite. The same step by the ordinary loop, which does exchange, may well be right.
	Attempt(t, h, t1, logErr float64, x, k, x1 []float64) (q, e, factor float64)
}

// Stepping offers a Step for a method, nil where it has none.
type Stepping func(m method.Method) Step

// Reverse makes steps of the discrete adjoint of a method whose last stage is the first of the next step, compiled together with the model.
// A Reverse serves one goroutine and allocates nothing.
type Reverse interface {
	// Prepare fixes θ.
	Prepare(th []float64)
	// Back carries the derivative of a loss from the end of the step of length h from (t, x) to (t1, x1), with stages k (Stages × NX), to its
	// start. lam is the derivative by the state at the end, kb (Stages × NX) and xb are what outputs within the step add to those by
	// the stages and by x, hand is the derivative by the last stage that the step after this one hands back. lam and hand become
	// those at the start, and the derivative by θ is added to g.
	Back(t, h, t1 float64, x, k, x1, lam, kb, xb, hand, g []float64)
}

// Reversing offers a Reverse for a method, nil where there is none.
type Reversing func(m *method.RK) Reverse

// Directions computes the derivatives of a function along many directions at one point, all at once. It serves one goroutine and allocates nothing.
type Directions interface {
	// Prepare fixes θ.
	Prepare(th []float64)
	// Eval writes (∂f/∂x) s_q + ∂f/∂θ_q for each entry q of θ that the directions were made for: s and dz hold one vector after the other, of
	// lengths NX and NZ.
	Eval(dz []float64, t float64, x, s []float64)
}

// Directing offers Directions of the right-hand side for entries of θ, nil where there are none.
type Directing func(wrt []int) Directions
