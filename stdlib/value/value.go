// Package value is what a script computes with: arrays, texts, records, models, solutions,
// tables. Values are immutable once made, so that scripts may share them freely.
package value

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/train"
)

// Value is anything a name of a script can stand for.
type Value interface {
	// Type is the kind in the user's words, with its article: "a number", "a solution".
	Type() string
}

// Array is a number (no shape) or an array, row-major.
type Array struct {
	Shape types.Shape
	Data  []float64
}

// Num makes a number.
func Num(v float64) *Array { return &Array{Data: []float64{v}} }

// Vec makes a vector; it keeps v.
func Vec(v []float64) *Array { return &Array{Shape: types.Shape{len(v)}, Data: v} }

// Type implements Value.
func (a *Array) Type() string {
	if a.Shape.IsScalar() {
		return "a number"
	}
	return "an array of " + a.Shape.String()
}

// Bool is true or false.
type Bool bool

// Type implements Value.
func (Bool) Type() string { return "a truth value" }

// Text is a string.
type Text string

// Type implements Value.
func (Text) Type() string { return "a text" }

// List is a list whose elements do not form an array.
type List []Value

// Type implements Value.
func (List) Type() string { return "a list" }

// Record is an ordered set of named values. Keys may be dotted: "U.W1".
type Record struct {
	Keys []string
	Vals []Value
	Span []diag.Span // of the keys, when written in a script
}

// Type implements Value.
func (*Record) Type() string { return "a record" }

// Get finds a key.
func (r *Record) Get(key string) (Value, bool) {
	for i, k := range r.Keys {
		if k == key {
			return r.Vals[i], true
		}
	}
	return nil, false
}

// Put appends a key.
func (r *Record) Put(key string, v Value) {
	r.Keys = append(r.Keys, key)
	r.Vals = append(r.Vals, v)
}

// Range is lo..hi, with a step or a list of points, or neither.
type Range struct {
	Lo, Hi float64
	By     float64   // 0 when not given
	At     []float64 // nil when not given
}

// Type implements Value.
func (*Range) Type() string { return "a range" }

// StepHelp says how a step that does not lead from one end to the other is to be written.
func (r *Range) StepHelp() string {
	if r.By == 0 || math.IsNaN(r.By) || math.IsInf(r.By, 0) {
		return "take a step that is neither zero nor nan"
	}
	return "write `" + Format(r.Lo) + ".." + Format(r.Hi) + " by " + Format(-r.By) + "`"
}

// MaxPoints is how many points a range may have.
const MaxPoints = 100_000_000

// Points lists the range's points: those of `at`, or lo, lo+by, …, and nil when neither is given.
// The end belongs to it when it is reached to a relative 1e-9 of a step.
func (r *Range) Points() []float64 {
	if r.At != nil {
		return r.At
	}
	if r.By == 0 {
		return nil
	}
	g := solve.Grid{From: r.Lo, To: r.Hi, By: r.By}
	n, _ := g.Len()
	out := make([]float64, n)
	for i := range out {
		out[i] = g.At(i)
	}
	return out
}

// Spec is a word with options, such as adam(rate = 0.01) or Tsit5: what a verb is to use.
type Spec struct {
	Row  *sig.Builtin
	Args map[string]Value
	Span diag.Span
}

// Type implements Value.
func (s *Spec) Type() string { return "`" + s.Row.Name + "`, of the kind " + string(s.Row.Kind) }

// Float reads a numeric option.
func (s *Spec) Float(name string, def float64) float64 {
	if a, ok := s.Args[name].(*Array); ok && len(a.Data) == 1 {
		return a.Data[0]
	}
	return def
}

// Chain is a sequence of specs: adam(…) then lbfgs(…).
type Chain []*Spec

// Type implements Value.
func (Chain) Type() string { return "a chain of optimisers" }

// Word is a bare name given where an option expects one: log, linear, U.
type Word string

// Type implements Value.
func (w Word) Type() string { return "the word `" + string(w) + "`" }

// Lambda is s -> e, with the names it saw when it was made, by value.
type Lambda struct {
	AST *ast.Lambda
	Env map[string]Value
}

// Type implements Value.
func (*Lambda) Type() string { return "a function" }

// Fn is a top-level fn.
type Fn struct{ AST *ast.Fn }

// Type implements Value.
func (*Fn) Type() string { return "a function" }

// Unknown is a top-level unknown, to be used in models.
type Unknown struct{ AST *ast.Unknown }

// Type implements Value.
func (*Unknown) Type() string { return "an unknown function" }

// Model is a model with values for everything in it; a fitted model is one with Fit.
type Model struct {
	C     *compiler.Compiled
	Theta []float64 // its defaults
	Fit   *Fit
	// Kept says that the values are to be kept though there is no Fit: those of a trained model in which a term was replaced.
	Kept bool
}

// Trained says whether the weights of the model are to be kept: then none are drawn, and no scales are filled from data.
func (m *Model) Trained() bool { return m.Fit != nil || m.Kept }

// Type implements Value.
func (m *Model) Type() string {
	if m.Fit != nil {
		return "a fitted model"
	}
	return "a model"
}

// Name is the model's name.
func (m *Model) Name() string { return m.C.Model.Name }

// TimeUnit is the unit of t as written, "" when none was declared.
func (m *Model) TimeUnit() string {
	if t := m.C.Model.Time; t != nil {
		return t.Unit.String()
	}
	return ""
}

// Symbol finds a state, let, parameter or constant of the model.
func (m *Model) Symbol(name string) (*model.Symbol, bool) {
	for _, list := range [][]*model.Symbol{m.C.Model.States, m.C.Model.Lets, m.C.Model.Params, m.C.Model.Consts} {
		for _, s := range list {
			if s.Name == name {
				return s, true
			}
		}
	}
	return nil, false
}

// Fit is what a training left behind.
type Fit struct {
	Result *train.Result
	Data   *Table            // nil when the loss was a lambda
	Match  map[string]string // quantity → column
	Cols   []string          // matched quantities in order
	Times  []float64         // of the loss
	Solved solve.Problem     // how its trajectories were solved
	Spec   *train.Spec       // how it was trained
	// Trajectories are what each of several has for itself; nil of one.
	Trajectories []Trajectory
}

// Gradient is a record of derivatives, a value beside it.
type Gradient struct {
	Record
	Loss   float64
	Sol    *solve.Solution                              // that the gradient was taken of; nil where it is not kept
	ByTime func(ctx context.Context) ([]float64, error) // derivatives by the output times, which may take a solve; nil where there are none
}

// Member implements members: derivatives by name, then the loss, the derivatives by the output times, and the account of the run.
func (g *Gradient) Member(name string) (Value, bool) {
	if v, ok := g.Record.Member(name); ok {
		return v, ok
	}
	switch {
	case name == "loss":
		return Num(g.Loss), true
	case name == "stats" && g.Sol != nil:
		return g.stats(), true
	case name == "t" && g.ByTime != nil:
		if v, err := g.ByTime(context.Background()); err == nil {
			return Vec(v), true
		}
	}
	return nil, false
}

// stats tells how the gradient came about.
func (g *Gradient) stats() *Record {
	r, st := &Record{}, g.Sol.Stats
	adjoint, why, _ := strings.Cut(st.Adjoint, ": ")
	r.Put("adjoint", Text(adjoint))
	if why != "" {
		r.Put("why", Text(why))
	}
	r.Put("solver", Text(g.Sol.Used()))
	r.Put("steps", Num(float64(st.Steps)))
	if st.Backward > 0 {
		r.Put("backward", Num(float64(st.Backward)))
	}
	r.Put("evaluations", Num(float64(st.Evals)))
	if st.Departed != "" {
		r.Put("departed", Text(st.Departed))
	}
	return r
}

// Type implements Value.
func (*Gradient) Type() string { return "a gradient" }

// Format writes a number as short as it reads back.
func Format(v float64) string {
	if math.IsInf(v, 1) {
		return "inf"
	}
	if math.IsInf(v, -1) {
		return "-inf"
	}
	if math.IsNaN(v) {
		return "nan"
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// Short writes a number to digits significant digits, for people.
func Short(v float64, digits int) string {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return Format(v)
	}
	s := strconv.FormatFloat(v, 'g', digits, 64)
	if f, err := strconv.ParseFloat(s, 64); err == nil && !strings.Contains(s, "e") {
		_ = f
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
	}
	return s
}

// Describe is a value's type for an error, with its value when that is short.
func Describe(v Value) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case *Array:
		if v.Shape.IsScalar() {
			return "the number " + Format(v.Data[0])
		}
	case Text:
		return fmt.Sprintf("the text %q", string(v))
	}
	return v.Type()
}
