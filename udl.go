// Package udl embeds the equation language udl in Go programs: load a model from a .udl file, solve it,
// differentiate it, train its unknown parts, use what was learned.
//
//	m, err := udl.Load("lynx.udl")
//	sol, err := m.Solve(ctx, udl.SolveOptions{T1: 20, By: 0.5})
//	x, err := sol.At(2.5, "x")
//
// A Model is immutable and may be used by many goroutines at once; each call works on scratch of its own.
// Errors are diagnostics with a code and a place; Explain renders them with the source under a caret.
package udl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/stdlib/eval"
	"github.com/udl-lang/udl/stdlib/value"
)

// Version is the version of udl.
const Version = "0.1.0"

// Limits bound what one call may use; zero is no limit. A limit that is met ends the call with an error or a
// partial solution that says so.
type Limits struct {
	Steps  int
	Memory int64 // bytes of stored steps and outputs
	Time   time.Duration
}

// Func is a Go function of N scalars, callable from the language by its name.
type Func struct {
	Name string
	N    int
	Eval func(x []float64) float64
	// Grad writes ∂f/∂x into g. Without it models that call the function cannot be differentiated.
	Grad func(x, g []float64)
}

type config struct {
	fs     fs.FS
	name   string
	funcs  []Func
	limits Limits

	portable bool
}

// Option configures Load and Parse.
type Option func(*config)

// WithFS reads files from fsys instead of the operating system.
func WithFS(fsys fs.FS) Option { return func(c *config) { c.fs = fsys } }

// WithModel chooses one of several models by name.
func WithModel(name string) Option { return func(c *config) { c.name = name } }

// WithFunc registers a Go function.
func WithFunc(f Func) Option { return func(c *config) { c.funcs = append(c.funcs, f) } }

// WithLimits bounds every call on the model.
func WithLimits(l Limits) Option { return func(c *config) { c.limits = l } }

// Model is a compiled model with values for its parameters; a fitted model is one too.
type Model struct {
	in     *eval.Interp // a template: forked for every call
	m      *value.Model
	limits Limits
}

// WithoutNative leaves out generated machine code: the model runs on the portable back end, several times slower. Where the
// application must not have memory that is executable, or wants nothing of the kind in its process, this is the way;
// UDL_NATIVE=off in the environment does the same for all models.
func WithoutNative() Option { return func(c *config) { c.portable = true } }

// Load reads a file and compiles its model. The statements of the file are not run. With several models
// in the file one must be named, WithModel.
func Load(path string, opts ...Option) (*Model, error) {
	c := configure(opts)
	in, err := c.session(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	f, err := in.Load(path)
	if err != nil {
		return nil, err
	}
	return c.model(in, f, path)
}

// Parse compiles the model of a text; name stands for a file name in messages.
func Parse(name, text string, opts ...Option) (*Model, error) {
	c := configure(opts)
	in, err := c.session("")
	if err != nil {
		return nil, err
	}
	f, errs := parser.Parse(diag.NewSource(name, text))
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return c.model(in, f, name)
}

func configure(opts []Option) *config {
	c := &config{}
	for _, o := range opts {
		o(c)
	}
	return c
}

func (c *config) session(dir string) (*eval.Interp, error) {
	o := eval.Options{FS: c.fs, Dir: dir, Quiet: true, Limits: eval.Limits(c.limits), Portable: c.portable}
	for _, f := range c.funcs {
		if f.Eval == nil || f.N < 1 || f.Name == "" {
			return nil, fmt.Errorf("udl: the function %q needs a name, at least one argument and Eval", f.Name)
		}
		o.Funcs = append(o.Funcs, &ir.External{Name: f.Name, N: f.N, Eval: f.Eval, Grad: f.Grad})
	}
	in := eval.New(o)
	for _, f := range c.funcs {
		if _, taken := in.Table().Lookup(f.Name, sig.Function, sig.Constant, sig.Verb, sig.Representation); taken {
			return nil, fmt.Errorf("udl: the function %q would shadow a builtin of that name; choose another", f.Name)
		}
	}
	return in, nil
}

func (c *config) model(in *eval.Interp, f *ast.File, name string) (*Model, error) {
	if err := in.Declare(f); err != nil {
		return nil, err
	}
	models := in.Models()
	var names []string
	for n := range models {
		names = append(names, n)
	}
	sort.Strings(names)
	pick := c.name
	switch {
	case pick == "" && len(names) == 1:
		pick = names[0]
	case len(names) == 0:
		return nil, fmt.Errorf("udl: %s declares no model", name)
	case pick == "":
		return nil, fmt.Errorf("udl: %s declares several models, choose one WithModel: %s", name, strings.Join(names, ", "))
	}
	m, ok := models[pick]
	if !ok {
		return nil, fmt.Errorf("udl: %s has no model %q; it has %s", name, pick, strings.Join(names, ", "))
	}
	return &Model{in: in, m: m, limits: c.limits}, nil
}

// Explain renders an error as the command line does: code, excerpt with carets, help.
func Explain(w io.Writer, err error) {
	if l := diag.From(err); len(l) > 0 {
		diag.RenderList(w, l, false)
		return
	}
	fmt.Fprintln(w, err)
}

// SolveOptions say what to solve. The zero value of a field is its default.
type SolveOptions struct {
	T0, T1 float64
	By     float64   // output every By; 0: at every step, or at At
	At     []float64 // output times
	Solver string    // "Tsit5", "RK4(dt = 0.01)"; "" chooses
	Rtol   float64   // 1e-6
	Atol   float64   // 1e-9
	// MaxStep is the longest step, so that a short pulse in the equations is not stepped over; 0: no bound.
	MaxStep float64
	// Set gives parameters, constants, weights ("U.W1") and initial values (a state's name) values for this
	// run: float64, []float64, [][]float64.
	Set  map[string]any
	Seed uint64 // of the weights of an untrained model
	// Inputs gives the model's inputs tables for this run; one without keeps the expression it was declared with.
	Inputs map[string]Input
	// Sink takes the outputs of a Solve one by one as they are reached, at an event's time the values after it, and the Solution keeps none of
	// them: memory does not grow with the length of the run, nor does By make a list of times. values are those that Model.Columns names, valid
	// during the call. Its error ends the solve, which then gives an error that wraps it. A long run may need WithLimits(Limits{Steps: …}).
	Sink func(t float64, values []float64) error
}

// call runs a verb in a session of its own.
func (m *Model) call(ctx context.Context, verb string, args map[string]value.Value, exprs map[string]string, sets map[string]any) (value.Value, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	ctx, cancel := m.limited(ctx)
	defer cancel()
	if _, ok := args["into"]; ok && verb != "solve" {
		return nil, fmt.Errorf("udl: Sink is for Solve: %s needs the solution, of which a Sink keeps nothing", verb)
	}
	if len(sets) > 0 {
		r := &value.Record{}
		var keys []string
		for k := range sets {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			v, err := toValue(sets[k])
			if err != nil {
				return nil, fmt.Errorf("udl: Set[%q]: %w", k, err)
			}
			r.Put(k, v)
		}
		args["set"] = r
	}
	v, err := m.in.Fork().CallVerb(ctx, verb, args, exprs)
	return v, ended(ctx, translated(err))
}

func toValue(v any) (value.Value, error) {
	switch v := v.(type) {
	case float64:
		return value.Num(v), nil
	case float32:
		return value.Num(float64(v)), nil
	case int:
		return value.Num(float64(v)), nil
	case int64:
		return value.Num(float64(v)), nil
	case bool:
		return value.Bool(v), nil
	case []float64:
		return value.Vec(append([]float64(nil), v...)), nil
	case []float32:
		return value.Vec(floats(v)), nil
	case []int:
		return value.Vec(floats(v)), nil
	case [][]float32:
		rows := make([][]float64, len(v))
		for i, row := range v {
			rows[i] = floats(row)
		}
		return toValue(rows)
	case [][]float64:
		a := &value.Array{Shape: []int{len(v), 0}}
		for i, row := range v {
			if i > 0 && len(row) != a.Shape[1] {
				return nil, errors.New("the rows differ in length")
			}
			a.Shape[1] = len(row)
			a.Data = append(a.Data, row...)
		}
		return a, nil
	}
	return nil, fmt.Errorf("a %T cannot be given; use float64, []float64 or [][]float64", v)
}

func floats[T int | float32](v []T) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// noTimes is the error of options that give no time span, or output times twice; nil where they give one.
func (o SolveOptions) noTimes() error {
	if err := o.timesTwice(); err != nil {
		return err
	}
	if o.T0 != o.T1 || len(o.At) > 0 {
		return nil
	}
	return diag.New("E0706", diag.Span{}, "the options give no time span: T0 and T1 are both %v", o.T0).WithHelp("set T1, the end")
}

// timesTwice is the error of options that give output times in two ways.
func (o SolveOptions) timesTwice() error {
	if o.By != 0 && o.At != nil {
		return diag.New("E0706", diag.Span{}, "By and At both say at which times outputs are wanted").WithHelp("set one of them")
	}
	return nil
}

func (o SolveOptions) args(args map[string]value.Value, exprs map[string]string) {
	if o.T0 != o.T1 || o.At != nil {
		r := &value.Range{Lo: o.T0, Hi: o.T1, By: o.By, At: o.At}
		if o.At != nil && o.T0 == o.T1 && len(o.At) > 0 {
			r.Lo, r.Hi = o.At[0], o.At[len(o.At)-1]
		}
		args["t"] = r
	}
	if o.Rtol != 0 {
		args["rtol"] = value.Num(o.Rtol)
	}
	if o.Atol != 0 {
		args["atol"] = value.Num(o.Atol)
	}
	if o.MaxStep != 0 {
		args["max_step"] = value.Num(o.MaxStep)
	}
	if o.Seed != 0 {
		args["seed"] = value.Num(float64(o.Seed))
	}
	if o.Solver != "" {
		exprs["solver"] = o.Solver
	}
	if len(o.Inputs) > 0 {
		args["inputs"] = inputsOf(o.Inputs)
	}
	if o.Sink != nil {
		args["into"] = value.Sink(o.Sink)
	}
}

// Solve integrates the model. A solve that stops early (a pole, a step limit) returns what it has together
// with an error that says where and why.
func (m *Model) Solve(ctx context.Context, o SolveOptions) (*Solution, error) {
	if err := o.noTimes(); err != nil {
		return nil, err
	}
	args, exprs := map[string]value.Value{"model": m.value()}, map[string]string{}
	var refused error
	if sink := o.Sink; sink != nil {
		o.Sink = func(t float64, values []float64) error {
			if p := callback("Sink", func() { refused = sink(t, values) }); p != nil {
				refused = p
			}
			return refused
		}
	}
	o.args(args, exprs)
	v, err := m.call(ctx, "solve", args, exprs, o.Set)
	if refused != nil {
		err = &because{err, []error{refused}}
	}
	if s, ok := v.(*value.Solution); ok {
		return &Solution{s}, err
	}
	return nil, err
}

// Columns are the names of what a Sink is given: the scalars of the states, such as "x" and "u[2]", then of the lets, as in a file of the solution.
func (m *Model) Columns() []string {
	if m.check() != nil {
		return nil
	}
	return m.m.Columns()
}

// Data is a table of measurements: a column of times and others; a missing value is NaN.
type Data struct {
	Time    []float64
	Columns map[string][]float64
}

// ReadCSV reads a table through the model's file system; time names the column of times.
func (m *Model) ReadCSV(ctx context.Context, path, time string) (*Data, error) {
	v, err := m.call(ctx, "csv", map[string]value.Value{"file": value.Text(path), "time": value.Text(time)}, nil, nil)
	if err != nil {
		return nil, err
	}
	t := v.(*value.Table)
	d := &Data{Columns: map[string][]float64{}}
	for _, c := range t.Cols {
		if c.Name == time {
			d.Time = c.Values
		} else if c.Values != nil {
			d.Columns[c.Name] = c.Values
		}
	}
	return d, nil
}

// check refuses columns that are not of one length.
func (d *Data) check() error {
	for _, n := range slices.Sorted(maps.Keys(d.Columns)) {
		if len(d.Columns[n]) != len(d.Time) {
			return diag.New("E0512", diag.Span{}, "the column `%s` has %d values, and there are %d times", n, len(d.Columns[n]), len(d.Time)).WithHelp("give one for each time, NaN where it is missing")
		}
	}
	return nil
}

func (d *Data) table() *value.Table {
	t := &value.Table{Name: "data", Time: "time", Rows: len(d.Time)}
	t.Cols = append(t.Cols, value.Column{Name: "time", Values: d.Time})
	var names []string
	for n := range d.Columns {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		t.Cols = append(t.Cols, value.Column{Name: n, Values: d.Columns[n]})
	}
	t.Place = func(row int, col string) string { return fmt.Sprintf("row %d of %s", row+1, col) }
	return t
}

// Value reads a parameter, constant, weight ("U.W1") or initial value, row-major.
func (m *Model) Value(name string) ([]float64, bool) {
	if m.check() != nil {
		return nil, false
	}
	var v value.Value = m.m
	for _, part := range strings.Split(name, ".") {
		p, ok := v.(interface {
			Member(string) (value.Value, bool)
		})
		if !ok {
			return nil, false
		}
		if v, ok = p.Member(part); !ok {
			return nil, false
		}
	}
	a, ok := v.(*value.Array)
	if !ok {
		return nil, false
	}
	return a.Data, true
}

// Name is the model's name.
func (m *Model) Name() string {
	if m.check() != nil {
		return ""
	}
	return m.m.Name()
}
