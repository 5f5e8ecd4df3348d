package system

import "github.com/udl-lang/udl/runtime/sparse"

// Jacobian is ∂f/∂x of the right-hand side. It serves one goroutine and allocates nothing.
type Jacobian interface {
	// Prepare fixes θ.
	Prepare(th []float64)
	// Eval writes the entries at (t, x) into v, in the order of the system's Pattern, and ∂f/∂t into ft unless that is nil.
	Eval(v, ft []float64, t float64, x []float64)
}

// Mass is the matrix M of M(θ)·x' = f(t, x, θ), which may be singular.
type Mass struct {
	Pattern *sparse.Pattern
	Values  Func // x is empty; z are the entries, in the order of the pattern
}

// Equation says what a row of the right-hand side is, for messages.
type Equation struct {
	Name  string // "x'", "0 = x + y − 1"
	Where any    // the compiler's place in the source, opaque here
}

// Signal is a quantity given by a table: where in time it is known.
type Signal struct {
	Name   string
	Lo, Hi float64 // infinite without a bound
}
