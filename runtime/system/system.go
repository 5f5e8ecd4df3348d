// Package system is the waist of udl: what a compiled model offers a solver, and nothing
// about texts or graphs. Solvers can be tested with systems made of Go closures.
package system

import "github.com/udl-lang/udl/runtime/sparse"

// Func is one differentiable map z = f(t, x, θ).
//
// A Func holds scratch memory and serves one goroutine; Clone gives another. No method
// allocates, except Clone and Tangent. Slices given must have at least the lengths of Dims.
type Func interface {
	// Dims are the lengths of x, θ and z.
	Dims() (x, th, z int)
	// Prepare fixes θ, of which it keeps a copy, and computes what depends on it alone. Until the next Prepare,
	// Eval, VJP and JVP take nil for th and use that; given a th, they prepare it first.
	Prepare(th []float64)
	// Eval writes f(t, x, θ) into z.
	Eval(z []float64, t float64, x, th []float64)
	// VJP adds the products of gz with the Jacobians: gx += (∂f/∂x)ᵀ gz, gth += (∂f/∂θ)ᵀ gz, and
	// returns gz·∂f/∂t. gx or gth may be nil when not wanted.
	VJP(gx, gth []float64, t float64, x, th, gz []float64) (gt float64)
	// JVP writes dz = (∂f/∂x) dx + (∂f/∂θ) dth + (∂f/∂t) dt. dx or dth may be nil for zero.
	JVP(dz []float64, t float64, x, th []float64, dt float64, dx, dth []float64)
	// Tangent is the map (t, [x, dx], [θ, dθ]) → dz, again a Func, with dt = 0: derivatives compose.
	Tangent() Func
	// Clone is the same map with scratch of its own.
	Clone() Func
}

// Slot is a named piece of a state, parameter or output vector.
type Slot struct {
	Name  string // "x", "U.W1"
	Off   int
	Shape []int // row-major; nil for a scalar
	Doc   string
	Unit  string
}

// Size is the number of scalars in the slot.
func (s Slot) Size() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// Role is what a slot of θ is.
type Role int

// The roles of θ.
const (
	RoleParam  Role = iota // trainable
	RoleConst              // settable, not trainable
	RoleWeight             // trainable weight of an unknown
	RoleScale              // input scale of an unknown, filled from data
	RoleInit               // initial value of a state, used in place of its expression where its flag is 1
	RoleFlag               // 1 where the RoleInit of the same name is in force
)

// ThetaSlot is a slot of θ with what fit needs to know of it.
type ThetaSlot struct {
	Slot
	Role    Role
	Default []float64
	Lo, Hi  float64 // ±inf without bounds
	Owner   string  // of weights and scales: the unknown
}

// System is a compiled model. It is immutable and may be shared by goroutines; the Funcs in
// it are prototypes: Clone them before use.
type System struct {
	Name   string
	States []Slot // of x
	Theta  []ThetaSlot
	Latent []bool // per state slot: never matched to data
	NTheta int
	NX     int

	// Init is x(t0) from θ: x is empty, z has length NX.
	Init Func
	// RHS is x' = f(t, x, θ).
	RHS Func
	// Pattern is where ∂f/∂x may be non-zero; nil: anywhere.
	Pattern *sparse.Pattern
	// Jacobian makes what computes ∂f/∂x; nil: it is taken from RHS.JVP, several columns at once as Pattern allows.
	Jacobian func() Jacobian
	// Mass is M of M·x' = f; nil for the identity.
	Mass *Mass
	// Algebraic marks the scalar states whose derivative appears in no equation: unknowns of the algebraic equations. nil: none.
	Algebraic []bool
	// Guesses marks the scalar states whose initial value is a first guess: the algebraic ones, and those that became differential when an
	// index was reduced. nil: the algebraic ones.
	Guesses []bool
	// Equations name the rows of the right-hand side; nil: those of the states' derivatives.
	Equations []Equation
	// Invariants are quantities that are zero along every solution: what reducing the index of a system leaves behind, kept by projection; nil: none.
	Invariants Func
	// InvariantsPattern is where ∂Invariants/∂x may be non-zero, in a square of NX or more rows of which the first are the invariants; nil: anywhere.
	InvariantsPattern *sparse.Pattern
	// Conserved name the invariants, for messages; nil: they have no names.
	Conserved []Equation
	// AsWritten has for each row of the right-hand side the invariant of which it is the highest derivative, −1 where it is none: a constraint as it was before the index was
	// reduced. nil where nobody says.
	AsWritten []int
	// Guards are the functions whose zeros set off events; nil: none.
	Guards Func
	// GuardParts has an entry for each guard that something depends on, which are the first: where it is made of several by minimum and maximum, those, from among the rest;
	// between zeros of them it does not pass zero. nil: there are no others than the first.
	GuardParts [][]int
	// Jumps are those of the right-hand side that can be frozen, and Frozen is the entry of θ that says whether they are.
	Jumps  []Jump
	Frozen int
	// Events are what happens at moments, in source order.
	Events []Event
	// Signals are the quantities given by tables; the integration must stay where all of them are known. nil: none.
	Signals []Signal
	// Kinks are the times, rising, at which the right-hand side is not smooth in t: a step ends at each of them that it would straddle. Where it
	// jumps in t there are two, the last number before the jump and the first behind it. nil: none.
	Kinks []float64
	// Output gives the named quantities of Outs (the lets), nil when there are none.
	Output Func
	Outs   []Slot

	// Stepping offers whole steps; nil where there are none.
	Stepping Stepping
	// Solving offers a solver of linear equations compiled for the matrices of a pattern, as that of M − c·J, with one that exchanges rows behind it
	// for matrices that want it. It is nil, or gives nil, where there is none.
	Solving func(p *sparse.Pattern) sparse.Solver
	// Reversing offers the reverse of whole steps; nil where there are none.
	Reversing Reversing
	// Lanes offers many trajectories at once; nil where it cannot.
	Lanes Laning
	// Directing offers many tangent directions at once; nil where it cannot.
	Directing Directing
	// Backend says what computes the right-hand side, for a solution's statistics; nil when there is nothing to say.
	Backend func() string

	// NoGradient says why the system has no derivatives, "" when it has; NoSecond the same of second derivatives (RHS.Tangent and what is taken of it).
	NoGradient, NoSecond string
	// ByTime makes ∂f/∂t, a function of (t, x, θ) as RHS; nil where f does not depend on t.
	ByTime func() Func

	// Explain finds the first sub-expression of the right-hand side that is not finite
	// at a point where f is not; nil when all is finite or when the system cannot tell.
	Explain func(t float64, x, th []float64) *Fault
	// Blame finds the sub-expression of one of the system's functions (RHS, Output, Init, or a clone of it) whose derivative is not finite at a point, with
	// gz the cotangent of its results; Value is then that of the derivative. nil when all is finite or when the system cannot tell.
	Blame func(f Func, t float64, x, th, gz []float64) *Fault
	// Randomize fills the weights of θ from a seed.
	Randomize func(th []float64, seed uint64)
}

// Fault is where a right-hand side became non-finite.
type Fault struct {
	Where    any    // the compiler's place in the source, opaque here
	Quantity string // whose equation: "x'", or the let it is in
	Expr     string // "log(x)"
	Value    float64
	Operands []Operand
}

// Operand is one input of the faulty operation.
type Operand struct {
	Name  string
	Value float64
}

// StateNames lists a name per scalar of x: "x", "u[1]", "A[1,2]".
func (s *System) StateNames() []string { return Names(s.States) }

// Find gives the slot of θ with a name and role, or nil.
func (s *System) Find(name string, roles ...Role) *ThetaSlot {
	for i := range s.Theta {
		if s.Theta[i].Name != name {
			continue
		}
		for _, r := range roles {
			if s.Theta[i].Role == r {
				return &s.Theta[i]
			}
		}
	}
	return nil
}

// Defaults is a fresh θ at its defaults.
func (s *System) Defaults() []float64 {
	th := make([]float64, s.NTheta)
	for _, sl := range s.Theta {
		copy(th[sl.Off:], sl.Default)
	}
	return th
}
