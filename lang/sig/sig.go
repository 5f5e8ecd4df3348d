// Package sig says how a builtin looks from outside: its name, parameters, shapes and
// words of help. It is pure data; what a builtin does stands in the table of package
// stdlib, from which completion, help, the reference and the checker are fed.
package sig

import (
	"math/rand/v2"

	"github.com/udl-lang/udl/lang/types"
)

// Kind is the namespace a builtin lives in.
type Kind string

// The kinds. Function, Constant and Verb share one namespace; the others have their own:
// an activation is only looked up after `act =`, a distribution after `~`.
const (
	Function       Kind = "function"            // usable in models and scripts: exp, sum, mean
	Constant       Kind = "constant"            // pi, inf, nan
	Verb           Kind = "verb"                // script only: solve, fit, plot
	Representation Kind = "representation"      // NN, poly, fourier
	Activation     Kind = "activation"          // tanh, relu
	Distribution   Kind = "distribution"        // normal, lognormal
	Solver         Kind = "solver"              // Tsit5
	Optimiser      Kind = "optimiser"           // adam, lbfgs
	Schedule       Kind = "schedule"            // cosine, one_cycle: learning rates that change, in `rate`
	Regulariser    Kind = "regulariser"         // l1, l2, in `regularise`
	Loss           Kind = "loss"                // sse, mse
	Likelihood     Kind = "likelihood"          // normal, poisson: losses that bear names of distributions, in `loss`
	Signal         Kind = "signal"              // hold, linear, cubic: tables as functions of time, in `inputs`
	Adjoint        Kind = "adjoint"             // discrete, forward: ways to gradients, after `adjoint =`
	Method         Kind = "method"              // shooting, collocation: methods of training
	Discovery      Kind = "method of discovery" // stlsq, sr3
)

// Param is one parameter of a builtin.
type Param struct {
	Name    string
	Type    string // words for the reader: "number", "array", "model", "range of times", "optimiser"
	Default string // as it would be typed; "" when mandatory
	Doc     string
	// NamedOnly parameters must be given as name = value.
	NamedOnly bool
	// AnyName takes every further argument of the form name = value, each under its own name.
	AnyName bool
	// Variadic marks the last positional parameter as repeatable.
	Variadic bool
}

// Shaper is the class of shape rule of a Function.
type Shaper string

// The shape rules.
const (
	Elementwise Shaper = "elementwise" // equal shapes, scalars with arrays
	Reduction   Shaper = "reduction"   // any array to a scalar
	Special     Shaper = "special"     // Shape says
)

// Builtin is one row of the table, as far as the outside sees it.
type Builtin struct {
	Name    string
	Kind    Kind
	Params  []Param
	Result  string // words: "number", "solution", "fitted model"
	Doc     string // one sentence, then details
	Example string // runs as written
	See     []string
	Cite    string   // source, for solvers and methods
	Facts   []string // lines that help shows after Doc: a solver's order and stability

	Shaper Shaper
	// Shape computes the result's shape for Shaper == Special; the error is a message without place.
	Shape func(args []types.Shape) (types.Shape, error)
	// Unit computes the result's unit from the arguments' (nil: all arguments and the result are dimensionless).
	Unit UnitRule

	// Weights lists the learnable arrays of a Representation with nIn scalar inputs and
	// nOut scalar outputs under the given options.
	Weights func(opt Options, nIn, nOut int) ([]Weight, error)
}

// UnitRule is the class of unit rule of a function.
type UnitRule string

// The unit rules. The zero value demands and gives dimensionless numbers.
const (
	Dimensionless UnitRule = ""
	SameUnit      UnitRule = "same"    // all arguments alike, the result too: abs, min, sum
	ProductUnit   UnitRule = "product" // dot, @, *
	QuotientUnit  UnitRule = "quotient"
	SqrtUnit      UnitRule = "sqrt"
	CbrtUnit      UnitRule = "cbrt"
	SquareUnit    UnitRule = "square"
	PlainResult   UnitRule = "plain" // any argument, dimensionless result: sign, comparisons
	AngleOf       UnitRule = "ratio" // two arguments alike, dimensionless result: atan2
)

// Options are the evaluated options of a representation: numbers as []float64 (a scalar has
// one), words (an activation) as Word. Only what the user wrote is present.
type Options map[string]Option

// Option is one evaluated option.
type Option struct {
	Nums []float64
	Word string
	List bool // written as [..]
}

// Weight is one learnable (or, with Fixed, merely settable) array of a representation.
type Weight struct {
	Name  string // "W1", "b1", "c"
	Shape types.Shape
	Fixed bool   // not trained (the input scale)
	Role  string // "" or "scale": filled from data by fit when the scale is automatic
	// Init fills w with starting values; rng is seeded by the run's seed and the unknown's name.
	Init func(w []float64, rng *rand.Rand)
}

// Env is how the checker sees builtins.
type Env interface {
	// Lookup finds a builtin of one of the kinds.
	Lookup(name string, kinds ...Kind) (*Builtin, bool)
	// Names lists the names of the kinds, for "did you mean".
	Names(kinds ...Kind) []string
}
