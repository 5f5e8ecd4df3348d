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
)

// lossScope says what a loss's lambda may read of a solution: the series of states, lets and times, and
// the model's parameters and weights. It implements check.Resolver.
type lossScope struct {
	in     *Interp
	m      *value.Model
	nt     int
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
	add := func(kind verb.Source, sl system.Slot) *model.Symbol {
		shape := append(types.Shape{s.nt}, sl.Shape...)
		sym := &model.Symbol{Name: param + "." + name, Kind: model.Given, Shape: shape, Span: span}
		s.inputs = append(s.inputs, lower.Series{Sym: sym, Bank: ir.BankX, Off: s.off})
		s.series = append(s.series, verb.Series{Kind: kind, Slot: sl, Off: s.off})
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
	for _, sl := range sys.Theta {
		if sl.Name == name && sl.Role != system.RoleInit && sl.Role != system.RoleFlag {
			sym := &model.Symbol{Name: name, Kind: model.Given, Shape: sl.Shape, Span: span}
			s.inputs = append(s.inputs, lower.Series{Sym: sym, Bank: ir.BankTheta, Off: sl.Off})
			s.found[name] = sym
			return sym, nil
		}
	}
	sol := &value.Solution{Model: s.m}
	d := diag.New("E0708", span, "a solution of %s has no `%s`", s.m.Name(), name)
	if near := diag.Suggest(name, sol.Names()); near != "" {
		return nil, d.WithHelp("did you mean `%s`?", near)
	}
	return nil, d.WithHelp("it has: %s", listing(sol.Names()))
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

// lambdaLoss checks and compiles a loss.
func (in *Interp) lambdaLoss(l *value.Lambda, m *value.Model, nt int) (*verb.LambdaLoss, error) {
	if len(l.AST.Params) != 1 {
		return nil, diag.New("E0706", l.AST.Span(), "a loss is a function of the solution alone").WithHelp("write `loss = s -> mean((s.x - 1)^2)`")
	}
	sc := &lossScope{in: in, m: m, nt: nt, env: l.Env, found: map[string]*model.Symbol{}}
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
