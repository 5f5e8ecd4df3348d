package eval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/check"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/stdlib"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
)

// Value is what an expression gives.
type Value = value.Value

// Progress is a report from a long computation.
type Progress = verb.Progress

// Limits bound what one verb may use.
type Limits = verb.Limits

// Options configure a session; the zero value works.
type Options struct {
	Out, Err io.Writer
	FS       fs.FS  // where files are read from; nil for the operating system (relative to Dir)
	Dir      string // what relative paths at the prompt are relative to
	Seed     uint64 // of everything that is given none
	Quiet    bool   // no plots, no progress
	Color    bool
	Width    int
	Sets     map[string]float64 // --set: values for every solve and fit
	Texts    map[string]string  // --set, as written: what constants of the script that are texts take
	Limits   Limits
	Progress func(Progress)
	// Interruptible gives one verb a context of its own, so that it can be stopped with what it has and the
	// script goes on; nil for none.
	Interruptible func(ctx context.Context) (context.Context, context.CancelFunc)
	Funcs         []*ir.External // Go functions callable from the language
	Figure        func(w io.Writer, format string, p *value.Plot) error
	Portable      bool // no generated machine code
}

// Interp is a session.
type Interp struct {
	o     Options
	table *stdlib.Table
	verbs map[string]*verb.Verb
	host  verb.Host
	vars  map[string]value.Value
	scope *check.Scope
	asts  map[string]*ast.Model
	dirs  []string // of the files being run, innermost last
	ctx   context.Context

	checked   map[*ast.Model]*compiler.Compiled
	importing []string
	Warnings  diag.List // of the last check
	failed    int       // solves that did not reach their end, in this run, and trainings that were stopped
	stopped   int       // the trainings
}

// New makes a session.
func New(o Options) *Interp {
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Err == nil {
		o.Err = io.Discard
	}
	if o.Width == 0 {
		o.Width = 80
	}
	in := &Interp{o: o, table: stdlib.New(verb.Signatures()...).With(o.Funcs...), verbs: verb.Table(), vars: map[string]value.Value{},
		asts: map[string]*ast.Model{}, checked: map[*ast.Model]*compiler.Compiled{}, ctx: context.Background()}
	in.scope = check.NewScope()
	for _, f := range o.Funcs {
		in.scope.AddExternal(f.Name, f.N)
	}
	in.host = verb.Host{Out: o.Out, FS: o.FS, Table: in.table, Seed: o.Seed, Quiet: o.Quiet, Color: o.Color, Width: o.Width,
		Limits: o.Limits, Sets: o.Sets, Progress: o.Progress, Show: in.Show, Figure: o.Figure}
	in.host = in.hostIn(o.Dir)
	return in
}

// hostIn is the host with paths relative to dir.
func (in *Interp) hostIn(dir string) verb.Host {
	h := in.host
	h.Path = func(name string) string {
		if in.o.FS != nil {
			return path.Join(filepath.ToSlash(dir), name)
		}
		if filepath.IsAbs(name) || dir == "" {
			return name
		}
		return filepath.Join(dir, name)
	}
	h.Warn = func(d *diag.Diagnostic, failed bool) {
		if failed {
			in.failed++
			if d.Code == "E0535" {
				in.stopped++ // a training: its best so far is the result, and the run goes on
			}
		}
		diag.Render(in.o.Err, d, in.o.Color)
	}
	h.Compile = in.compileModel
	h.Outer = func(m *ast.Model) []ast.Stmt { return in.scope.Uses(m) }
	h.TopLevel = func(name string) bool { return in.scope.Declares(name) }
	h.Eval = func(e ast.Expr, names map[string]value.Value) (value.Value, error) {
		return in.expr(&frame{names: names}, e)
	}
	h.Lambda = func(l *value.Lambda, m *value.Model, nt int, events func() (int, error)) (*verb.LambdaLoss, error) {
		return in.lambdaLoss(l, m, nt, events)
	}
	return h
}

func (in *Interp) readFile(name string) ([]byte, error) {
	if in.o.FS != nil {
		return fs.ReadFile(in.o.FS, path.Clean(name))
	}
	return os.ReadFile(name)
}

// Load reads and parses a file. The errors are diagnostics.
func (in *Interp) Load(name string) (*ast.File, error) {
	b, err := in.readFile(name)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, diag.New("E0600", diag.Span{}, "cannot read `%s`: %v", name, err).Because(err)
	}
	f, errs := parser.Parse(diag.NewSource(name, string(b)))
	return f, errs.Err()
}

// RunFile reads, parses, checks and runs a file. Nothing runs when anything in it is wrong.
func (in *Interp) RunFile(ctx context.Context, name string) error {
	f, err := in.Load(name)
	if err != nil {
		return err
	}
	in.dirs = append(in.dirs, filepath.Dir(name))
	defer func() { in.dirs = in.dirs[:len(in.dirs)-1] }()
	_, err = in.run(ctx, f, false)
	return err
}

// Run runs a text as RunFile runs a file.
func (in *Interp) Run(ctx context.Context, src *diag.Source) error {
	f, errs := parser.Parse(src)
	if err := errs.Err(); err != nil {
		return err
	}
	_, err := in.run(ctx, f, false)
	return err
}

// Entry runs one entry at the prompt and returns the value of its last statement when that is an
// expression, else nil. After an error the session is as it was before the entry.
func (in *Interp) Entry(ctx context.Context, src *diag.Source) (Value, error) {
	f, errs := parser.Parse(src)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	saved := in.snapshot()
	v, err := in.run(ctx, f, true)
	if err != nil {
		in.restore(saved)
	}
	return v, err
}

type snapshot struct {
	vars  map[string]value.Value
	asts  map[string]*ast.Model
	scope *check.Scope
}

func (in *Interp) snapshot() snapshot {
	s := snapshot{vars: map[string]value.Value{}, asts: map[string]*ast.Model{}, scope: in.scope.Clone()}
	for k, v := range in.vars {
		s.vars[k] = v
	}
	for k, v := range in.asts {
		s.asts[k] = v
	}
	return s
}

func (in *Interp) restore(s snapshot) { in.vars, in.asts, in.scope = s.vars, s.asts, s.scope }

// Check parses nothing and runs nothing: it declares and checks everything in a file, and
// returns errors and warnings.
func (in *Interp) Check(f *ast.File) diag.List {
	defer in.restore(in.snapshot())
	l := in.declare(f)
	l = append(l, in.resolve(f)...)
	l.Sort()
	return l
}

func (in *Interp) run(ctx context.Context, f *ast.File, entry bool) (last Value, err error) {
	old := in.ctx
	in.ctx = ctx
	defer func() { in.ctx = old }()
	defer func() {
		// A fault of ours must not take the session down; it is reported as what it is.
		if r := recover(); r != nil {
			if os.Getenv("UDL_PANIC") != "" {
				panic(r)
			}
			err = diag.New("E0799", diag.Span{}, "internal error: %v", r).
				WithHelp("this is a fault of udl, not of your model; please report it")
		}
	}()
	l := in.declare(f)
	if !l.HasErrors() {
		l = append(l, in.resolve(f)...)
	}
	if !l.HasErrors() && !entry {
		l = append(l, in.unusedSets(f)...)
	}
	l.Sort()
	in.Warnings = nil
	for _, d := range l {
		if d.Severity == diag.Warning {
			in.Warnings = append(in.Warnings, d)
		}
	}
	if l.HasErrors() {
		return nil, l
	}
	if len(in.Warnings) > 0 && !in.o.Quiet {
		diag.RenderList(in.o.Err, in.Warnings, in.o.Color)
	}
	in.failed, in.stopped = 0, 0
	for i, s := range f.Stmts {
		v, err := in.stmt(nil, s)
		if err != nil {
			return nil, err
		}
		if i == len(f.Stmts)-1 {
			last = v
		} else if v != nil && entry {
			in.Show(in.o.Out, v)
		}
	}
	if in.failed > 0 && !entry {
		n := "a solve did not reach its end"
		switch {
		case in.stopped == in.failed:
			n = "a training was stopped before its end"
		case in.failed > 1:
			n = fmt.Sprintf("%d solves did not reach their ends", in.failed)
		}
		return nil, diag.New("E0505", diag.Span{}, "%s, as told above", n)
	}
	return last, nil
}

// stmt runs one statement; the value is that of an expression statement.
func (in *Interp) stmt(f *frame, s ast.Stmt) (Value, error) {
	if err := in.ctx.Err(); err != nil && errors.Is(context.Cause(in.ctx), context.Canceled) {
		return nil, err
	}
	switch s := s.(type) {
	case *ast.Version:
		if s.Number != "1" {
			return nil, diag.New("E0712", s.Span(), "this is version 1 of the language, the file asks for %s", s.Number).
				WithHelp("take a newer udl")
		}
	case *ast.Import:
	case *ast.Model:
		c := in.checked[s]
		in.asts[s.Name.Name] = s
		in.vars[s.Name.Name] = &value.Model{C: c, Theta: c.System.Defaults()}
	case *ast.Fn:
		in.vars[s.Name.Name] = &value.Fn{AST: s}
	case *ast.Unknown:
		in.vars[s.Name.Name] = &value.Unknown{AST: s}
	case *ast.Decl:
		for _, it := range s.Items {
			if it.Value == nil {
				return nil, diag.New("E0713", it.Span(), "`%s` has no value", it.Name.Name)
			}
			v, err := in.expr(f, it.Value)
			if err != nil {
				return nil, err
			}
			if v, err = in.given(it, v); err != nil {
				return nil, err
			}
			in.vars[it.Name.Name] = v
		}
	case *ast.Assign:
		return nil, in.assign(f, s)
	case *ast.ExprStmt:
		v, err := in.expr(f, s.X)
		if p, ok := v.(*value.Plot); ok && err == nil { // a plot that stands alone is drawn
			in.Show(in.o.Out, p)
			return nil, nil
		}
		return v, err
	case *ast.For:
		over, err := in.expr(f, s.Over)
		if err != nil {
			return nil, err
		}
		return nil, in.each(over, s.Over, func(it value.Value) error {
			in.vars[s.Var.Name] = it
			return in.block(f, s.Body)
		})
	case *ast.IfStmt:
		c, err := in.truth(f, s.Cond)
		if err != nil {
			return nil, err
		}
		if c {
			return nil, in.block(f, s.Then)
		}
		return nil, in.block(f, s.Else)
	default:
		return nil, diag.New("E0710", s.Span(), "this belongs in a model").WithHelp("put it into `model Name { … }`")
	}
	return nil, nil
}

func (in *Interp) block(f *frame, body []ast.Stmt) error {
	for _, s := range body {
		if _, err := in.stmt(f, s); err != nil {
			return err
		}
	}
	return nil
}

func (in *Interp) assign(f *frame, s *ast.Assign) error {
	v, err := in.expr(f, s.Value)
	if err != nil {
		return err
	}
	if v == nil {
		return diag.New("E0703", s.Value.Span(), "this gives no value to keep")
	}
	if len(s.Names) == 1 {
		in.vars[s.Names[0].Name] = v
		return nil
	}
	items, err := in.items(v, s.Value)
	if err != nil {
		return err
	}
	if len(items) != len(s.Names) {
		return diag.New("E0703", s.Span(), "%d names for %d values", len(s.Names), len(items))
	}
	for i, n := range s.Names {
		in.vars[n.Name] = items[i]
	}
	return nil
}

// Var reads a name of the session.
func (in *Interp) Var(name string) (Value, bool) { v, ok := in.vars[name]; return v, ok }

// Models lists the models of the session, in no order.
func (in *Interp) Models() map[string]*value.Model {
	out := map[string]*value.Model{}
	for k, v := range in.vars {
		if m, ok := v.(*value.Model); ok {
			out[k] = m
		}
	}
	return out
}

// Source is the text of a declared model.
func (in *Interp) Source(name string) (*ast.Model, bool) { m, ok := in.asts[name]; return m, ok }

// Table is the table of builtins.
func (in *Interp) Table() *stdlib.Table { return in.table }

// Dump writes the graphs of a model after a pass ("lower", or a name of opt's table; "" for the last).
func (in *Interp) Dump(w io.Writer, m *value.Model, pass string) error {
	var last map[string]*ir.Graph = map[string]*ir.Graph{}
	order := []string{}
	seen := map[string]bool{}
	found := false
	err := compiler.Graphs(m.C.Model, in.table, func(graph, p string, g *ir.Graph) {
		seen[p] = true
		if pass == "" || p == pass {
			if _, ok := last[graph]; !ok {
				order = append(order, graph)
			}
			last[graph] = g
			found = true
		}
	})
	if err != nil {
		return err
	}
	if !found {
		var names []string
		for p := range seen {
			names = append(names, p)
		}
		return fmt.Errorf("there is no pass `%s`; there are: %s", pass, listing(names))
	}
	for _, n := range order {
		fmt.Fprintf(w, "graph %s of %s\n", n, m.Name())
		ir.Dump(w, last[n])
	}
	return nil
}
