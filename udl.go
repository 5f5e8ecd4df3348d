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
	"math"
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
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/eval"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
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

// FitOptions say what to train, and how. Loss and Train are expressions of the language.
type FitOptions struct {
	SolveOptions                   // T0, T1, By or At are the times of a Loss that is a lambda; a fit to data has the data's
	Data         *Data             // nil when Loss is a lambda
	Trajectories []Trajectory      // several, in place of Data
	Initial      string            // "data": initial values of matched states from the first row, "{x: \"column\"}" from those columns; "" for those of the model
	Match        map[string]string // state or let → column; empty: columns of the same names
	Loss         string            // "sse", "sse(scale = log)", "normal(sd = 0.1)", "s -> mean((s.x - 1)^2)"; "" is sse
	Train        string            // "adam(rate = 0.02, iters = 500) then lbfgs"; "" is the default chain
	Method       string            // "shooting(grow = 5)"; several by `then`; "" is shooting
	Free         []string          // what may move; nil: all parameters and weights
	Regularise   string            // prices on what is free: "{U: l2(1e-4), alpha: l1(0.1)}"
	Patience     int               // above 0: stop after so many iterations in a row that do not lower the loss over the data held out
	Starts       int               // how many starts are tried, the given one and others that are drawn; 0 is 1
	Threads      int               // how many cores to use; 0: all. The result is the same
	HoldOut      string            // data kept out of the training: "0.3" for the last part, "1914..1920" for a range of times, "{trajectories: [3, 7]}"
	Adjoint      string            // how gradients are computed: "discrete", "forward", "interpolating", "quadrature" or "backsolve"; "" chooses
	// Memory is how many bytes the steps of a discrete gradient, with the solution at the output times, may take; of steps beyond it some are made again, to the same bits.
	// 0: as the limit on memory. Recursive takes little memory, however long the run is, and makes each step several times.
	Memory    int64
	Recursive bool
	// Checkpoint is a folder that takes the state of the training while it runs: the same fit goes on from there, to the same bits as if it had
	// never stopped. "" keeps none. Every is how often, "50" iterations or a time, "30s"; "" is every ten seconds. Fresh begins anew.
	Checkpoint string
	Every      string
	Fresh      bool
	// Progress is called after each iteration with the iteration, the loss and the best loss so far.
	Progress func(iter int, loss, best float64)
	// Watch is told more of each iteration: where the training stands in its stages, phases and starts, the norm of the gradient, and the time that is left.
	Watch func(FitProgress)
}

// Fit trains the model and returns a new one whose defaults are the fitted values; m is unchanged. When ctx is
// cancelled, or a limit on time is over, the best so far is returned together with an error for which errors.Is tells of context.Canceled or
// context.DeadlineExceeded; the model is nil where that came before the first loss was known.
func (m *Model) Fit(ctx context.Context, o FitOptions) (*Model, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	if err := o.noTimes(); err != nil {
		return nil, err
	}
	args, exprs := map[string]value.Value{"model": m.value()}, map[string]string{}
	o.args(args, exprs)
	o.lossArgs(args, exprs)
	if err := o.several(args); err != nil {
		return nil, err
	}
	if o.Initial == "data" {
		args["initial"] = value.Word(o.Initial)
	} else if o.Initial != "" {
		exprs["initial"] = o.Initial
	}
	if o.Train != "" {
		exprs["train"] = o.Train
	}
	if o.Method != "" {
		exprs["method"] = o.Method
	}
	if o.HoldOut != "" {
		exprs["holdout"] = o.HoldOut
	}
	o.checkpoint(args)
	if o.Regularise != "" {
		exprs["regularise"] = o.Regularise
	}
	for name, n := range map[string]int{"patience": o.Patience, "starts": o.Starts, "threads": o.Threads} {
		if n != 0 {
			args[name] = value.Num(float64(n))
		}
	}
	if o.Free != nil {
		var l value.List
		for _, n := range o.Free {
			l = append(l, value.Word(n))
		}
		args["free"] = l
	}
	ctx, done := m.limited(ctx)
	defer done()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	run := &Model{in: m.in, m: m.m} // the limit on time is that of ctx
	if o.Progress != nil || o.Watch != nil {
		run.in = m.in.Fork()
		run.in.SetProgress(func(p eval.Progress) {
			if ctx.Err() != nil {
				return
			}
			var err error
			if !p.Done && o.Progress != nil {
				err = callback("Progress", func() { o.Progress(p.Iter, p.Loss, p.Best) })
			}
			if err == nil && p.Fit != nil && o.Watch != nil {
				err = callback("Watch", func() { o.Watch(*p.Fit) })
			}
			if err != nil {
				stop(err)
			}
		})
	}
	v, err := run.call(ctx, "fit", args, exprs, o.Set)
	f, ok := v.(*value.Model)
	if !ok {
		return nil, err
	}
	if err == nil && f.Fit.Result.Status == train.Cancelled {
		if err = ended(ctx, ctx.Err()); math.IsNaN(f.Fit.Result.Loss) {
			return nil, err
		}
	}
	return &Model{in: m.in, m: f, limits: m.limits}, err
}

// Report is the account of a fit: estimates with standard errors, losses trained on and held out, warnings; "" for a
// model that was not fitted.
func (m *Model) Report() string {
	if m.fitted() == nil {
		return ""
	}
	return m.m.Fit.Result.Report.String()
}

// noTimes is that of a loss that is a lambda; data bring their times.
func (o FitOptions) noTimes() error {
	if o.Data != nil || o.Trajectories != nil {
		for _, d := range append([]Trajectory{{Data: o.Data}}, o.Trajectories...) {
			if d.Data != nil {
				if err := d.Data.check(); err != nil {
					return err
				}
			}
		}
		return o.timesTwice()
	}
	return o.SolveOptions.noTimes()
}

func (o FitOptions) lossArgs(args map[string]value.Value, exprs map[string]string) {
	switch {
	case o.Memory != 0 || o.Recursive:
		args["adjoint"] = verb.AdjointSpec(o.Memory, o.Recursive)
	case o.Adjoint != "":
		args["adjoint"] = value.Word(o.Adjoint)
	}
	if o.Data != nil {
		args["data"] = o.Data.table()
	}
	if o.Loss != "" {
		exprs["loss"] = o.Loss
	}
	if len(o.Match) > 0 {
		r := &value.Record{}
		var keys []string
		for k := range o.Match {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			r.Put(k, value.Text(o.Match[k]))
		}
		args["match"] = r
	}
}

// Loss is the training loss of a fitted model, NaN of any other.
func (m *Model) Loss() float64 {
	if m.fitted() == nil {
		return math.NaN()
	}
	return m.m.Fit.Result.Loss
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
