package eval

import (
	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/check"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
	"slices"
)

// lossScope says what a loss's lambda may read of a solution: the series of states, lets and times, and
// the model's parameters and weights. It implements check.Resolver.
type lossScope struct {
	in     *Interp
	m      *value.Model
	nt     int
	events func() (int, error)
	env    map[string]value.Value
	inputs []lower.Series
	series []verb.Series
	found  map[string]*model.Symbol
	off    int
}

// Member implements check.Resolver.
func (s *lossScope) Member(param string, path []string, span diag.Span) (*model.Symbol, *diag.Diagnostic) {
	name := path[0]
	for _, p := range path[1:] {
		name += "." + p
	}
	if sym, ok := s.found[name]; ok {
		return sym, nil
	}
	sys := s.m.C.System
	rows := s.nt
	add := func(kind verb.Source, sl system.Slot) *model.Symbol {
		shape := append(types.Shape{rows}, sl.Shape...)
		sym := &model.Symbol{Name: param + "." + name, Kind: model.Given, Shape: shape, Span: span}
		s.inputs = append(s.inputs, lower.Series{Sym: sym, Bank: ir.BankX, Off: s.off})
		s.series = append(s.series, verb.Series{Kind: kind, Slot: sl, Off: s.off, Rows: rows})
		s.off += shape.Size()
		s.found[name] = sym
		return sym
	}
	for _, sl := range sys.States {
		if sl.Name == name {
			return add(verb.FromState, sl), nil
		}
	}
	for _, sl := range sys.Outs {
		if sl.Name == name {
			return add(verb.FromLet, sl), nil
		}
	}
	if name == "t" {
		return add(verb.FromTime, system.Slot{Name: "t"}), nil
	}
	if path[0] == "events" && len(path) <= 2 {
		if name != "events.t" {
			return nil, diag.New("E0708", span, "a loss reads the times of events only").WithHelp("write `%s.events.t`", param)
		}
		n, err := s.events()
		if err != nil {
			return nil, diag.New("E0708", span, "the events could not be counted: %v", err).WithHelp("see that the model can be solved as it is")
		}
		if n == 0 {
			return nil, diag.New("E0708", span, "no event fires along the solution, so there are no times to read").WithHelp("take a longer time span, or values at which one fires")
		}
		rows = n
		return add(verb.FromEvents, system.Slot{Name: name}), nil
	}
	for _, sl := range sys.Theta {
		if sl.Name == name && sl.Role != system.RoleInit && sl.Role != system.RoleFlag {
			sym := &model.Symbol{Name: name, Kind: model.Given, Shape: sl.Shape, Span: span}
			s.inputs = append(s.inputs, lower.Series{Sym: sym, Bank: ir.BankTheta, Off: sl.Off})
			s.found[name] = sym
			return sym, nil
		}
	}
	switch path[0] {
	case "last":
		of := "x"
		if len(path) > 1 {
			of = path[1]
		}
		return nil, diag.New("E0708", span, "a loss reads whole series, so no `%s`", name).WithHelp("write `%s.%s[end]`, the value at the last output time", param, of)
	case "stats", "status":
		return nil, diag.New("E0708", span, "a loss cannot depend on how it was solved, so there is no `%s`", name).WithHelp("solve, and read `%s` off the solution", path[0])
	}
	sol := &value.Solution{Model: s.m}
	d := diag.New("E0708", span, "a solution of %s has no `%s`", s.m.Name(), name)
	if near := diag.Suggest(name, sol.Names()); near != "" {
		return nil, d.WithHelp("did you mean `%s`?", near)
	}
	return nil, d.WithHelp("it has: %s", listing(slices.DeleteFunc(sol.Names(), func(n string) bool { return n == "last" || n == "stats" || n == "status" })))
}

// Capture implements check.Resolver: a script's value becomes a number of the lambda.
func (s *lossScope) Capture(name string) ([]float64, types.Shape, bool) {
	v, ok := s.env[name]
	if !ok {
		v, ok = s.in.vars[name]
	}
	if !ok {
		return nil, nil, false
	}
	switch v := v.(type) {
	case *value.Array:
		return v.Data, v.Shape, true
	case value.Bool:
		if v {
			return []float64{1}, nil, true
		}
		return []float64{0}, nil, true
	}
	return nil, nil, false
}

// lambdaLoss checks and compiles a loss over nt output times; events tells how many events fire, where the loss reads their times.
func (in *Interp) lambdaLoss(l *value.Lambda, m *value.Model, nt int, events func() (int, error)) (*verb.LambdaLoss, error) {
	if len(l.AST.Params) != 1 {
		return nil, diag.New("E0706", l.AST.Span(), "a loss is a function of the solution alone").WithHelp("write `loss = s -> mean((s.x - 1)^2)`")
	}
	sc := &lossScope{in: in, m: m, nt: nt, events: events, env: l.Env, found: map[string]*model.Symbol{}}
	lam, errs := check.Lambda(l.AST, in.scope, in.table, sc)
	if errs.HasErrors() {
		return nil, errs
	}
	if !lam.Body.Shape.IsScalar() {
		return nil, diag.New("E0703", l.AST.Body.Span(), "a loss must be one number, this has %s", lam.Body.Shape).
			WithHelp("take its `mean(…)` or `sum(…)`")
	}
	f, err := compiler.Lambda(lam, sc.inputs, sc.off, m.C.System.NTheta, in.table)
	if err != nil {
		return nil, err
	}
	return &verb.LambdaLoss{F: f, Series: sc.series}, nil
}
