package eval

import (
	"context"
	"errors"
	"slices"
	"sort"
	"strings"

	"github.com/udl-lang/udl/compiler/ir"
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
	g := ir.New()
	var banks ir.Banks
	ids := make([]ir.ID, len(args))
	off := 0
	for i, a := range args {
		ids[i] = g.Input("", ir.BankAux, off, a.Shape)
		banks[ir.BankAux] = append(banks[ir.BankAux], a.Data...)
		off += len(a.Data)
	}
	id := r.Lower(g, ids)
	g.Output(ir.Output{Node: id})
	out := &value.Array{Shape: g.Shape(id), Data: make([]float64, g.Shape(id).Size())}
	if err := ir.Interpret(g, &banks, [][]float64{out.Data}); err != nil {
		return nil, diag.New("E0700", at.Span(), "`%s`: %v", r.Name, err)
	}
	return out, nil
}

func arity(b *sig.Builtin) (lo, hi int) {
	for _, p := range b.Params {
		if p.NamedOnly {
			continue
		}
		if p.Default == "" {
			lo++
		}
		hi++
		if p.Variadic {
			hi = -1
			break
		}
	}
	return lo, hi
}

// parameters lists the names of a builtin's parameters.
func parameters(b *sig.Builtin) string {
	var names []string
	for _, p := range b.Params {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

func arguments(lo, hi int) string {
	switch {
	case hi < 0:
		return value.Format(float64(lo)) + " or more arguments"
	case lo != hi:
		return value.Format(float64(lo)) + " to " + value.Format(float64(hi)) + " arguments"
	case lo == 1:
		return "one argument"
	}
	return value.Format(float64(lo)) + " arguments"
}

// arguments evaluates the arguments of a verb or of a word with options, matched to its parameters.
func (in *Interp) arguments(f *frame, b *sig.Builtin, e *ast.Call) (args map[string]value.Value, at map[string]diag.Span, rest []value.Value, restAt []diag.Span, err error) {
	args, at = map[string]value.Value{}, map[string]diag.Span{}
	next := 0
	for _, a := range e.Args {
		var p *sig.Param
		if a.Name != nil {
			for i := range b.Params {
				if b.Params[i].Name == a.Name.Name {
					p = &b.Params[i]
				}
			}
			if p == nil {
				if p = anyName(b); p == nil {
					return nil, nil, nil, nil, unknownOption(b, a.Name)
				}
				own := *p
				own.Name, p = a.Name.Name, &own
			}
		} else {
			for next < len(b.Params) && b.Params[next].NamedOnly {
				next++
			}
			if next >= len(b.Params) {
				lo, hi := arity(b)
				d := diag.New("E0706", a.Span(), "`%s` takes %s by position", b.Name, arguments(lo, hi))
				return nil, nil, nil, nil, d.WithHelp("further options are named, `%s(…, name = value)`: %s", b.Name, options(b))
			}
			p = &b.Params[next]
			if !p.Variadic {
				next++
			}
		}
		v, err := in.typed(f, p, a.Value)
		if err != nil {
			return nil, nil, nil, nil, err
		}
		if _, dup := args[p.Name]; dup && p.Variadic {
			rest, restAt = append(rest, v), append(restAt, a.Span())
			continue
		} else if dup {
			return nil, nil, nil, nil, diag.New("E0706", a.Span(), "`%s` is given twice", p.Name)
		}
		args[p.Name], at[p.Name] = v, a.Value.Span()
	}
	for _, p := range b.Params {
		if _, ok := args[p.Name]; !ok && p.Default == "" && !p.Variadic {
			return nil, nil, nil, nil, diag.New("E0706", e.Span(), "`%s` needs `%s`, %s", b.Name, p.Name, p.Type).
				WithHelp("for example `%s`", example(b))
		}
	}
	return args, at, rest, restAt, nil
}

// anyName is the parameter that takes arguments of any name; nil for none.
func anyName(b *sig.Builtin) *sig.Param {
	for i := range b.Params {
		if b.Params[i].AnyName {
			return &b.Params[i]
		}
	}
	return nil
}

func example(b *sig.Builtin) string {
	lines := strings.Split(strings.TrimSpace(b.Example), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func options(b *sig.Builtin) string {
	var names []string
	for _, p := range b.Params {
		if p.Default != "" {
			names = append(names, p.Name)
		}
	}
	return strings.Join(names, ", ")
}

// byName is the error of an argument by position of what takes all by name.
func byName(b *sig.Builtin, e *ast.Call) *diag.Diagnostic {
	arg := "…"
	if sp := e.Args[0].Span(); sp.Src != nil && sp.Hi-sp.Lo < 30 {
		arg = sp.Src.Text[sp.Lo:sp.Hi]
	}
	d := diag.New("E0706", e.Args[0].Span(), "`%s` takes its options by name", b.Name)
	return d.WithHelp("write `%s(%s = %s)`; its options are: %s", b.Name, b.Params[0].Name, arg, options(b))
}

// optionsElsewhere are options that others have, and where to say here what they say, in calls that have the option `of`.
var optionsElsewhere = []struct{ others, of, help string }{
	{"dt step h", "solver", "a fixed step is the solver's, `solver = RK4(dt = 0.1)`; output times are `t = 0..10 by 0.1`, and `max_step` bounds the steps"},
	{"bounds lower upper lb ub limits", "free", "bounds stand in the model, `param k = 1 in 0..10`"},
	{"optimizer optimiser opt algorithm alg", "train", "optimisers stand in `train = …`, such as `train = adam(iters = 500) then lbfgs`"},
	{"iters iterations maxiters max_iter maxiter epochs steps niter", "train", "iterations are the optimiser's, `train = lbfgs(iters = 500)`"},
	{"rate lr learning_rate", "train", "the rate is the optimiser's, `train = adam(rate = 0.01)`"},
	{"weights weight sigma sd noise", "loss", "these are options of losses, `loss = sse(weights = {x: 2})` or `loss = normal(sd = 0.1)`"},
	{"by group groups subject id", "match", "a table is split where it is read, `csv(\"file.csv\", time = \"t\", by = \"id\")`"},
	{"batch window grow until batch_size", "method", "this is an option of a method, `method = shooting(batch = 32)`"},
	{"params parameters p p0 x0 u0 values", "set", "values are given by name, `set = {k: 2}`, initial values by the state's name"},
	{"tol tolerance reltol", "rtol", "tolerances are `rtol` and `atol`"},
	{"abstol", "atol", "tolerances are `rtol` and `atol`"},
	{"tspan times time saveat", "t", "times are `t = 0..10 by 0.1`"},
	{"gradient grad sensealg sensitivity", "adjoint", "how gradients are computed is `adjoint = …`"},
	{"regularize penalty l1 l2 weight_decay", "regularise", "prices on what is free are `regularise = {U: l2(1e-4)}`"},
	{"early_stopping", "patience", "early stopping is `patience = 50` with `holdout = 0.3`"},
	{"validation valid test split", "holdout", "data are kept out of the training by `holdout = 0.3`"},
	{"multistart restarts nstarts", "starts", "several starts are `starts = 20`"},
}

func unknownOption(b *sig.Builtin, name *ast.Ident) error {
	var names []string
	for _, p := range b.Params {
		names = append(names, p.Name)
	}
	d := diag.New("E0706", name.Span(), "`%s` has no option `%s`", b.Name, name.Name)
	for _, o := range optionsElsewhere {
		if slices.Contains(names, o.of) && slices.Contains(strings.Fields(o.others), strings.ToLower(name.Name)) {
			return d.WithHelp("%s", o.help)
		}
	}
	if s := diag.Suggest(name.Name, names); s != "" {
		return d.WithHelp("did you mean `%s`?", s)
	}
	if len(names) == 0 {
		return d.WithHelp("it has no options")
	}
	return d.WithHelp("its options are: %s", strings.Join(names, ", "))
}

// typed evaluates an argument as its parameter's type asks: words and names stand for themselves.
func (in *Interp) typed(f *frame, p *sig.Param, e ast.Expr) (value.Value, error) {
	switch {
	case strings.HasPrefix(p.Type, "word"):
		if id, ok := e.(*ast.Ident); ok {
			if _, isVar := in.lookup(f, id.Name); !isVar || wordIn(p.Type, id.Name) {
				return value.Word(id.Name), nil
			}
		} else if wordsOf(p) != "" {
			return in.first(f, wordsOf(p), e)
		}
	case p.Type == "names":
		return in.namesOf(f, e)
	case p.Type == "solver":
		if id, ok := e.(*ast.Ident); ok && id.Name == "auto" {
			return value.Word("auto"), nil
		}
		if d := in.noSolver(e, func(n string) bool { _, ok := in.lookup(f, n); return ok }); d != nil {
			return nil, d
		}
	case wordsOf(p) != "":
		return in.first(f, wordsOf(p), e)
	case p.Type == verb.OfTerms:
		return in.expr(f, &ast.Lambda{Base: ast.Base{Sp: e.Span()}, Body: e})
	case p.Type == verb.OfFormula:
		if _, ok := e.(*ast.Formula); ok {
			return in.expr(f, &ast.Lambda{Base: ast.Base{Sp: e.Span()}, Body: e})
		}
	case p.Type == "expression": // not evaluated here, but by the verb
		return in.expr(f, &ast.Lambda{Base: ast.Base{Sp: e.Span()}, Body: e})
	}
	return in.expr(f, e)
}

// first evaluates an expression in which words of a kind come before all other names.
func (in *Interp) first(f *frame, words sig.Kind, e ast.Expr) (value.Value, error) {
	local := &frame{words: words}
	if f != nil {
		local.names, local.depth = f.names, f.depth
	}
	return in.expr(local, e)
}

// noSolver is the error of a solver's name, alone or with options, that is not known; nil for all else.
func (in *Interp) noSolver(e ast.Expr, known func(name string) bool) *diag.Diagnostic {
	if c, ok := e.(*ast.Call); ok {
		e = c.Fun
	}
	id, ok := e.(*ast.Ident)
	if !ok || known(id.Name) {
		return nil
	}
	if _, ok := in.table.Lookup(id.Name, sig.Solver, sig.Verb, sig.Function); ok {
		return nil
	}
	names := in.table.Names(sig.Solver)
	sort.Strings(names)
	if id.Name == "auto" {
		return diag.New("E0701", id.Span(), "`auto` takes no options").At("chooses by the problem").WithHelp("write `solver = auto`, or name the solver that the options are for, such as `Rodas5P(dt = 0.1)`")
	}
	d := diag.New("E0701", id.Span(), "no solver is called `%s`", id.Name).At("not known here")
	if s := diag.Suggest(id.Name, names); s != "" {
		return d.WithHelp("did you mean `%s`?", s)
	}
	return d.WithHelp("there are: %s", strings.Join(names, ", "))
}

func wordIn(typ, w string) bool {
	_, list, _ := strings.Cut(typ, ":")
	for _, x := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '|' }) {
		if x == w {
			return true
		}
	}
	return false
}

// namesOf reads [U, alpha, U.W1] or one such name, without looking anything up.
func (in *Interp) namesOf(f *frame, e ast.Expr) (value.Value, error) {
	if l, ok := e.(*ast.List); ok {
		var out value.List
		for _, x := range l.Elems {
			v, err := in.namesOf(f, x)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	switch x := e.(type) {
	case *ast.Ident:
		if v, ok := in.lookup(f, x.Name); ok {
			if l, ok := v.(value.List); ok { // a list of names kept in a variable
				return l, nil
			}
		}
		return value.Word(x.Name), nil
	case *ast.Member:
		base, err := in.namesOf(f, x.X)
		if err != nil {
			return nil, err
		}
		if w, ok := base.(value.Word); ok {
			return w + "." + value.Word(x.Name.Name), nil
		}
	case *ast.Prime:
		base, err := in.namesOf(f, x.X)
		if err != nil {
			return nil, err
		}
		if w, ok := base.(value.Word); ok {
			return w + "'", nil
		}
	case *ast.String:
		return value.Word(x.Value), nil
	case *ast.Index: // an element, k[2], as a report calls it
		base, err := in.namesOf(f, x.X)
		if err != nil {
			return nil, err
		}
		if w, ok := base.(value.Word); ok {
			at := make([]string, len(x.Args))
			for i, a := range x.Args {
				k, err := in.number(f, a)
				if err != nil {
					return nil, err
				}
				at[i] = value.Format(k)
			}
			return w + "[" + value.Word(strings.Join(at, ",")) + "]", nil
		}
	}
	return nil, diag.New("E0703", e.Span(), "a name is needed here").WithHelp("for example `[U, alpha]`")
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
