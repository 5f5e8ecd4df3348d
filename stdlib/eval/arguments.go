package eval

import (
	"slices"
	"sort"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/stdlib/value"
	"github.com/udl-lang/udl/stdlib/verb"
)

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
