package eval

import (
	"context"
	"errors"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/stdlib"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
)

// maxDepth bounds the nesting of functions, so that a recursion without end is an error.
const maxDepth = 1000

// call evaluates f(…): a name of the script first, then verbs, functions, and words with options.
func (in *Interp) call(f *frame, e *ast.Call) (value.Value, error) {
	if err := in.ctx.Err(); err != nil {
		return nil, err
	}
	id, ok := e.Fun.(*ast.Ident)
	if !ok {
		fun, err := in.expr(f, e.Fun)
		if err != nil {
			return nil, err
		}
		return in.callValue(f, fun, e)
	}
	if f != nil && f.words != "" {
		if b, ok := in.table.Lookup(id.Name, f.words); ok {
			args, _, _, _, err := in.arguments(f, b, e)
			if err != nil {
				return nil, err
			}
			return &value.Spec{Row: b, Args: args, Span: e.Span()}, nil
		}
	}
	if v, ok := in.lookup(f, id.Name); ok {
		return in.callValue(f, v, e)
	}
	if v, ok := in.verbs[id.Name]; ok {
		return in.callVerb(f, v, e)
	}
	if r, ok := in.table.Row(id.Name, sig.Function); ok {
		return in.callFunction(f, r, e)
	}
	if x, ok := in.table.External(id.Name); ok {
		args, err := in.numbers(f, e)
		if err != nil {
			return nil, err
		}
		if len(args) != x.N {
			return nil, diag.New("E0706", e.Span(), "`%s` takes %d arguments, here are %d", x.Name, x.N, len(args))
		}
		return value.Num(x.Eval(args)), nil
	}
	if b, ok := in.table.Lookup(id.Name, sig.Solver, sig.Optimiser, sig.Loss, sig.Method, sig.Discovery); ok {
		args, _, _, _, err := in.arguments(f, b, e)
		if err != nil {
			return nil, err
		}
		return &value.Spec{Row: b, Args: args, Span: e.Span()}, nil
	}
	if b, ok := in.table.Lookup(id.Name, sig.Representation); ok {
		return nil, diag.New("E0702", e.Span(), "`%s` is a representation of an unknown function", b.Name).
			WithHelp("write `unknown f(x) = %s(…)` in a model or at top level", b.Name)
	}
	return nil, in.unknownName(f, id)
}

func (in *Interp) numbers(f *frame, e *ast.Call) ([]float64, error) {
	var out []float64
	for _, a := range e.Args {
		v, err := in.number(f, a.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// callValue calls a lambda, a fn, or a solution at a time.
func (in *Interp) callValue(f *frame, fun value.Value, e *ast.Call) (value.Value, error) {
	if fun == nil {
		return nil, diag.New("E0703", e.Fun.Span(), "this gives nothing that could be called")
	}
	var args []value.Value
	for _, a := range e.Args {
		if a.Name != nil {
			return nil, diag.New("E0706", a.Span(), "%s takes no named arguments", fun.Type())
		}
		v, err := in.expr(f, a.Value)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	switch fv := fun.(type) {
	case *value.Lambda, *value.Fn:
		r, err := in.applyTo(f, fun, e, args...)
		return r, err
	case *value.Learned:
		arrays := make([]*value.Array, len(args))
		for i, a := range args {
			x, err := array(a, e.Args[i])
			if err != nil {
				return nil, err
			}
			arrays[i] = x
		}
		r, err := in.learned(fv, arrays)
		if err != nil {
			return nil, in.place(err, e)
		}
		return r, nil
	case *value.Solution:
		if len(args) != 1 {
			return nil, diag.New("E0706", e.Span(), "a solution is called with one time, `s(2.5)`")
		}
		t, err := array(args[0], e.Args[0])
		if err != nil {
			return nil, err
		}
		r, err := fv.AtTimes(t)
		if err != nil && fv.Gone != nil {
			return nil, diag.New("E0716", e.Span(), "%v", err).WithHelp("%s", fv.Gone.Help())
		}
		return r, in.place(err, e)
	case *value.Ensemble:
		return nil, diag.New("E0703", e.Span(), "an ensemble is known at its output times only").
			WithHelp("a member is a solution, which can be called: `E[1](2.5)`")
	}
	if id, ok := e.Fun.(*ast.Ident); ok {
		// A quantity may bear a builtin's name: the function is still there to be called.
		if r, ok := in.table.Row(id.Name, sig.Function); ok {
			return in.callFunction(f, r, e)
		}
		if v, ok := in.verbs[id.Name]; ok {
			return in.callVerb(f, v, e)
		}
	}
	return nil, diag.New("E0703", e.Fun.Span(), "%s cannot be called", value.Describe(fun))
}

// applyTo calls a function value.
func (in *Interp) applyTo(f *frame, fun value.Value, at ast.Node, args ...value.Value) (value.Value, error) {
	var params []*ast.Ident
	var body ast.Expr
	local := &frame{names: map[string]value.Value{}}
	if f != nil {
		local.depth = f.depth + 1
	}
	if local.depth > maxDepth {
		return nil, diag.New("E0707", at.Span(), "functions call each other more than %d deep", maxDepth).
			WithHelp("look for a function that calls itself without end")
	}
	switch fv := fun.(type) {
	case *value.Lambda:
		params, body = fv.AST.Params, fv.AST.Body
		for k, v := range fv.Env {
			local.names[k] = v
		}
	case *value.Fn:
		params, body = fv.AST.Params, fv.AST.Body
	default:
		return nil, diag.New("E0703", at.Span(), "%s is not a function", value.Describe(fun))
	}
	if len(args) != len(params) {
		return nil, diag.New("E0706", at.Span(), "this function takes %d arguments, here are %d", len(params), len(args))
	}
	for i, p := range params {
		local.names[p.Name] = args[i]
	}
	return in.expr(local, body)
}

// callFunction applies a builtin of models to values.
func (in *Interp) callFunction(f *frame, r *stdlib.Row, e *ast.Call) (value.Value, error) {
	args := make([]*value.Array, len(e.Args))
	for i, a := range e.Args {
		if a.Name != nil {
			return nil, diag.New("E0706", a.Span(), "`%s` takes no named arguments", r.Name)
		}
		v, err := in.expr(f, a.Value)
		if err != nil {
			return nil, err
		}
		if l, ok := v.(value.List); ok && r.Name == "length" {
			return value.Num(float64(len(l))), nil
		}
		if args[i], err = array(v, a.Value); err != nil {
			return nil, err
		}
	}
	return in.applyRow(r, e, args...)
}

// apply applies a builtin function or operator by name.
func (in *Interp) apply(name string, at ast.Node, args ...*value.Array) (*value.Array, error) {
	r, ok := in.table.Row(name, sig.Function)
	if !ok {
		return nil, diag.New("E0701", at.Span(), "unknown operation `%s`", name)
	}
	return in.applyRow(r, at, args...)
}

// applyRow checks shapes and evaluates the builtin's graph: the same meaning as in a model.
func (in *Interp) applyRow(r *stdlib.Row, at ast.Node, args ...*value.Array) (*value.Array, error) {
	lo, hi := arity(&r.Builtin)
	if len(args) < lo || hi >= 0 && len(args) > hi {
		return nil, diag.New("E0706", at.Span(), "`%s` takes %s, here are %d", r.Name, arguments(lo, hi), len(args))
	}
	shapes := make([]types.Shape, len(args))
	for i, a := range args {
		shapes[i] = a.Shape
	}
	switch r.Shaper {
	case sig.Elementwise:
		var s types.Shape
		for _, x := range shapes {
			if x.IsScalar() {
				continue
			}
			if s != nil && !s.Equal(x) {
				return nil, diag.New("E0703", at.Span(), "`%s` of arrays of %v and %v", r.Name, s, x).
					WithHelp("shapes must be equal, or one a scalar")
			}
			s = x
		}
	case sig.Special:
		if _, err := r.Shape(shapes); err != nil {
			return nil, diag.New("E0703", at.Span(), "%v", err)
		}
	}
	for _, a := range args {
		if len(a.Data) == 0 && r.Shaper != sig.Elementwise && r.Name != "sum" && r.Name != "length" {
			return nil, diag.New("E0703", at.Span(), "`%s` of an empty array", r.Name)
		}
	}
	data := make([][]float64, len(args))
	for i, a := range args {
		data[i] = a.Data
	}
	shape, out, err := r.Apply(shapes, data)
	if err != nil {
		return nil, diag.New("E0700", at.Span(), "`%s`: %v", r.Name, err)
	}
	return &value.Array{Shape: shape, Data: out}, nil
}

// callVerb evaluates the arguments and runs the verb.
func (in *Interp) callVerb(f *frame, v *verb.Verb, e *ast.Call) (value.Value, error) {
	if v.Run == nil {
		return nil, diag.New("E0790", e.Span(), "`%s` is not built yet", v.Name)
	}
	args, at, rest, restAt, err := in.arguments(f, &v.Builtin, e)
	if err != nil {
		return nil, err
	}
	host := in.host
	if len(in.dirs) > 0 {
		host = in.hostIn(in.dirs[len(in.dirs)-1])
	}
	host.Apply = func(fun value.Value, args ...value.Value) (value.Value, error) { return in.applyTo(f, fun, e, args...) }
	ctx := in.ctx
	if in.o.Interruptible != nil {
		var done context.CancelFunc
		ctx, done = in.o.Interruptible(ctx)
		defer done()
	}
	c := &verb.Call{Host: &host, Ctx: ctx, Verb: v, Span: e.Span(), Args: args, At: at, Rest: rest, RestAt: restAt}
	r, err := v.Run(c)
	err = c.Explain(err)
	if err != nil && in.ctx.Err() == nil && ctx.Err() != nil && len(diag.From(err)) == 0 {
		err = diag.New("E0504", e.Span(), "`%s` was stopped", v.Name)
	}
	return r, in.place(err, e)
}

// place gives an error without a place that of a node.
func (in *Interp) place(err error, at ast.Node) error {
	if err == nil {
		return nil
	}
	if len(diag.From(err)) > 0 {
		return err
	}
	if in.ctx.Err() != nil && errors.Is(err, in.ctx.Err()) {
		return err
	}
	return diag.New("E0700", at.Span(), "%v", err)
}
