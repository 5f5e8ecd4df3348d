// Package model is the checked model: names resolved, shapes and units settled, every
// function inlined. It is data only, made by compiler/check and read by compiler/lower.
package model

import (
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

// Kind is what a symbol is.
type Kind int

// The kinds of symbols.
const (
	Param    Kind = iota
	Const         // settable for a run, unless Structural
	State         // has a derivative
	Latent        // a State that is never matched to data
	Let           // a named quantity
	Weight        // a learnable array of an unknown (a Fixed one is not trained)
	Time          // t
	Local         // parameter of an inlined function or an unknown
	IndexVar      // bound by sum[j in ..] or u[i in ..]
	Given         // an input of a compiled expression that is not a model (a lambda's s.x)
	Discrete      // a state without derivative, which only events change
)

// Symbol is one named quantity. Identity is the pointer.
type Symbol struct {
	Name  string
	Kind  Kind
	Shape types.Shape
	Unit  types.Unit
	Doc   string
	Span  diag.Span

	// Def is the default (Param, Const), the initial value (State, Latent, Discrete) or the meaning (Let);
	// nil for the others. A default may refer to constants only; an initial value to parameters,
	// constants, other initial values and lets at the start.
	Def *Expr

	Lo, Hi     float64 // bounds of a Param, ±inf when there are none
	Prior      *Expr   // distribution of a Param as a Call, nil when there is none
	Structural bool    // a Const that fixes a shape or an index: not settable
	Lo0, Hi0   int     // range of an IndexVar, inclusive, and its step
	Step       int
	Vel        *Symbol // of a state declared with x': the state that is its derivative
	Input      bool    // a Let that a table may take the place of for a run: an external signal

	Unknown *Unknown   // of a Weight: whose
	Spec    sig.Weight // of a Weight
}

// Trainable says whether fit may move the symbol.
func (s *Symbol) Trainable() bool {
	return s.Kind == Param || s.Kind == Weight && !s.Spec.Fixed
}

// Unknown is a function to be learned.
type Unknown struct {
	Name    string // "U"; "NN1" when anonymous
	Params  []*Symbol
	Outs    []string // names of the outputs; nil for one
	NIn     int      // scalars going in: shapes of Params flattened and concatenated
	NOut    int
	Shape   types.Shape // of a call: scalar for one output, [n] for several
	Rep     *sig.Builtin
	Options sig.Options
	Weights []*Symbol
	// Formula is the body when the representation is a formula with parameters of its own
	// (then Rep is nil); its Weights are those parameters, its Params are bound as Locals.
	Formula *Expr
	// Inputs names, per scalar input, the state or let it is first called with; "" when it is an expression.
	Inputs []string
	Calls  [][]string // the same of every call, those of the same names once
	Doc    string
	Span   diag.Span
}

// Equation gives the derivative of one state, in one or several parts that cover each element at most once. The
// elements left over are unknowns of the model's implicit equations: algebraic ones, or states whose derivatives stand there.
type Equation struct {
	State *Symbol
	Parts []Part
	Span  diag.Span
}

// Part is one written equation. With Vars, RHS is evaluated for every combination of the
// index variables (row-major, the first outermost) and its elements go, in that order, to the
// elements Flat of the state. Without Vars the RHS has the shape of the part.
type Part struct {
	Vars []*Symbol
	Flat []int // nil: the whole state
	RHS  *Expr
	Span diag.Span
}

// EventKind is what sets an event off.
type EventKind int

// The kinds of events.
const (
	When  EventKind = iota // a condition turns true
	At                     // one moment
	Every                  // multiples of a period after the start
	Stop                   // a condition turns true, and the run ends
)

// Direction is which crossings of a guard set an event off.
type Direction int

// The directions.
const (
	Rising  Direction = iota // the condition turns true
	Falling                  // it turns false
	Either
)

// Event is a change of states at a moment.
type Event struct {
	Kind      EventKind
	Name      string  // "when y < 0", as written, for messages and records
	Cond      *Expr   // of When and Stop: the condition as written
	Guard     *Expr   // of When and Stop: a number that is positive where the condition holds
	Parts     []*Expr // of a condition of several comparisons: the guard of each; nil for one
	Time      *Expr   // of At and Every: the moment, the period; of parameters and constants alone
	Direction Direction
	Initially bool
	After     *Expr // the delay, nil for none
	Priority  float64
	Updates   []Update
	Doc       string
	Span      diag.Span
}

// Update is one assignment of an event. Its right side is read before any of the event is made.
type Update struct {
	State *Symbol
	Part
}

// Implicit is an equation that gives no derivative by itself: 0 = e, or LHS = RHS with derivatives on either side. It
// counts as many equations as LHS − RHS has elements, for every combination of the index variables Vars (row-major, the
// first outermost).
type Implicit struct {
	LHS, RHS *Expr     // LHS is nil for the literal 0
	Rate     *Equation // instead of both: the elements of a derivative that this equation gives
	Vars     []*Symbol
	Shape    types.Shape // of LHS − RHS for one value of the variables
	Span     diag.Span
}

// OfRate is the equation of a state as an implicit one.
func OfRate(eq *Equation) *Implicit {
	return &Implicit{Rate: eq, Shape: types.Shape{eq.State.Shape.Size() - len(eq.Missing())}, Span: eq.Span}
}

// Size is how many equations it counts.
func (q *Implicit) Size() int {
	n := q.Shape.Size()
	for _, v := range q.Vars {
		n *= (v.Hi0-v.Lo0)/v.Step + 1
	}
	return n
}

// Model is a checked model.
type Model struct {
	Name, Doc string
	Span      diag.Span
	Time      *Symbol

	Params   []*Symbol // in source order, formulas' parameters not included
	Consts   []*Symbol // of the model, then those of the script that it uses
	States   []*Symbol // State, Latent and Discrete, velocities included, in source order
	Lets     []*Symbol // sorted so that each refers only to earlier ones
	Unknowns []*Unknown
	Eqs      []*Equation // one per state, in the order of States; that of a Discrete is 0
	Implicit []*Implicit // as many equations as Eqs leave elements over
	Events   []*Event    // in source order
	Warnings diag.List
	Syntax   *ast.Model // what was checked
}

// Op is the kind of an expression.
type Op int

// The kinds of expressions.
const (
	Num      Op = iota // Val, row-major
	Ref                // Sym
	Deriv              // Sym (a state): the value of its derivative, x' on a right-hand side
	Call               // Name of a builtin function or operator, Args
	CallU              // Unk, Args (one per Param, each of the Param's shape)
	Index              // Args[0] indexed by Idx
	List               // Args stacked along a new first axis
	Reduce             // Name ("sum", "prod", "min", "max", "mean") over Vars of Args[0]
	LetIn              // Syms bound to Args[:len(Syms)] in Args[len(Syms)]
	If                 // Args: condition, then, else
	Diff               // derivative of Args[0] by Sym
	External           // a registered Go function, Name, Args
)

// Expr is a checked expression. With index variables in scope, Shape is the shape for one
// value of each.
type Expr struct {
	Op    Op
	Name  string
	Sym   *Symbol
	Unk   *Unknown
	Val   []float64
	Args  []*Expr
	Idx   []Idx
	Vars  []*Symbol // index variables of a Reduce
	Syms  []*Symbol // of a LetIn
	Shape types.Shape
	Unit  types.Unit
	Span  diag.Span
}

// Idx is one index. A position drops its axis; a range keeps it.
type Idx struct {
	At         *Expr // integer-valued in numbers, structural constants and index variables, from 1; nil for a range
	Lo, Hi, By int   // inclusive, from 1
}

// Lambda is a checked lambda over given quantities: a loss on a solution, a candidate term.
type Lambda struct {
	Inputs []*Symbol // Kind Given
	Body   *Expr
}
