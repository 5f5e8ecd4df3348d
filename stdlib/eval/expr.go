package eval

import (
	"math"
	"slices"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/stdlib/value"
)

// frame is a set of local names: a lambda's parameters and what it captured, over the script's.
type frame struct {
	names map[string]value.Value
	depth int
	words sig.Kind // whose names come first: distributions in the values of an ensemble's `vary`, signals in those of `inputs`; "" for none
}

func (in *Interp) lookup(f *frame, name string) (value.Value, bool) {
	if f != nil {
		if v, ok := f.names[name]; ok {
			return v, true
		}
	}
	v, ok := in.vars[name]
	return v, ok
}

// expr evaluates an expression of a script.
func (in *Interp) expr(f *frame, e ast.Expr) (value.Value, error) {
	switch e := e.(type) {
	case *ast.Number:
		return value.Num(e.Value), nil
	case *ast.String:
		return value.Text(e.Value), nil
	case *ast.Bool:
		return value.Bool(e.Value), nil
	case *ast.Paren:
		return in.expr(f, e.X)
	case *ast.Ident:
		return in.ident(f, e)
	case *ast.Unary:
		return in.unary(f, e)
	case *ast.Binary:
		return in.binary(f, e)
	case *ast.If:
		c, err := in.truth(f, e.Cond)
		if err != nil {
			return nil, err
		}
		if c {
			return in.expr(f, e.Then)
		}
		return in.expr(f, e.Else)
	case *ast.List:
		return in.list(f, e)
	case *ast.Tuple:
		var l value.List
		for _, x := range e.Elems {
			v, err := in.expr(f, x)
			if err != nil {
				return nil, err
			}
			l = append(l, v)
		}
		return l, nil
	case *ast.Record:
		r := &value.Record{}
		for _, fl := range e.Fields {
			v, err := in.expr(f, fl.Value)
			if err != nil {
				return nil, err
			}
			if _, twice := r.Get(fl.Name()); twice {
				return nil, diag.New("E0703", fl.Span(), "`%s` stands twice in this record", fl.Name()).WithHelp("remove one of them")
			}
			r.Put(fl.Name(), v)
			r.Span = append(r.Span, fl.Span())
		}
		return r, nil
	case *ast.Range:
		return in.rangeOf(f, e)
	case *ast.Lambda:
		env := map[string]value.Value{}
		for k, v := range in.vars {
			env[k] = v
		}
		if f != nil {
			for k, v := range f.names {
				env[k] = v
			}
		}
		return &value.Lambda{AST: e, Env: env}, nil
	case *ast.Call:
		return in.call(f, e)
	case *ast.Member:
		return in.member(f, e)
	case *ast.Index:
		return in.index(f, e)
	case *ast.Reduce:
		return in.reduce(f, e)
	case *ast.Prime:
		if m, ok := e.X.(*ast.Member); ok {
			x, err := in.expr(f, m.X)
			if err != nil {
				return nil, err
			}
			return in.memberOf(x, m.Name.Name+"'", e)
		}
		return nil, diag.New("E0702", e.Span(), "a derivative `'` has a meaning inside a model only").
			WithHelp("transpose is `transpose(A)`; for a solution's velocity write `s.x'`")
	case *ast.Formula:
		return nil, diag.New("E0702", e.Span(), "a formula with parameters belongs after `unknown f(x) =`")
	}
	return nil, diag.New("E0702", e.Span(), "this has no meaning in a script")
}

func (in *Interp) ident(f *frame, e *ast.Ident) (value.Value, error) {
	if v, ok := in.lookup(f, e.Name); ok {
		return v, nil
	}
	if r, ok := in.table.Row(e.Name, sig.Constant); ok {
		return value.Num(r.Value), nil
	}
	if b, ok := in.table.Lookup(e.Name, sig.Solver, sig.Optimiser, sig.Loss, sig.Method, sig.Discovery); ok {
		return &value.Spec{Row: b, Args: map[string]value.Value{}, Span: e.Span()}, nil
	}
	if f != nil && bare(f.words) {
		if b, ok := in.table.Lookup(e.Name, f.words); ok {
			return &value.Spec{Row: b, Args: map[string]value.Value{}, Span: e.Span()}, nil
		}
	}
	return nil, in.unknownName(f, e)
}

func (in *Interp) unknownName(f *frame, e *ast.Ident) error {
	if _, ok := in.table.Lookup(e.Name, sig.Function, sig.Verb); ok {
		return diag.New("E0701", e.Span(), "`%s` is a function: it needs its arguments", e.Name).
			WithHelp("write `%s(…)`; `help %s` tells what it takes", e.Name, e.Name)
	}
	d := diag.New("E0701", e.Span(), "unknown name `%s`", e.Name).At("not known here")
	if b, ok := in.table.Lookup(e.Name, sig.Distribution); ok {
		return d.WithHelp("`%s` is a distribution: it stands with its arguments after `~`, and in `vary = {x: %s}`", e.Name, Signature(b))
	}
	if _, ok := in.table.Lookup(e.Name, sig.Signal); ok {
		return d.WithHelp("`%s` makes a signal of a table: it stands in `inputs = {I: %s(times, values)}`", e.Name, e.Name)
	}
	if _, ok := in.table.Lookup(e.Name, sig.Schedule); ok {
		return d.WithHelp("`%s` is a schedule of learning rates: it stands in `adam(rate = %s(0.01))`", e.Name, e.Name)
	}
	if _, ok := in.table.Lookup(e.Name, sig.Regulariser); ok {
		return d.WithHelp("`%s` is a regulariser: it stands in `regularise = {U: %s(1e-4)}`", e.Name, e.Name)
	}
	if s := diag.Suggest(e.Name, in.known(f)); s != "" {
		return d.WithHelp("did you mean `%s`?", s)
	}
	return d.WithHelp("give it a value first, `%s = …`", e.Name)
}

// known lists all names an expression may use.
func (in *Interp) known(f *frame) []string {
	var names []string
	if f != nil {
		for k := range f.names {
			names = append(names, k)
		}
	}
	for k := range in.vars {
		names = append(names, k)
	}
	return append(names, in.table.Names(sig.Function, sig.Constant, sig.Verb, sig.Solver, sig.Optimiser, sig.Loss, sig.Likelihood, sig.Method, sig.Discovery)...)
}

// array wants an array of numbers; truth values count as 1 and 0.
func array(v value.Value, at ast.Node) (*value.Array, error) {
	switch v := v.(type) {
	case *value.Array:
		return v, nil
	case value.Bool:
		if v {
			return value.Num(1), nil
		}
		return value.Num(0), nil
	case *value.Range:
		if v.At == nil && v.By == 0 {
			u := *v
			u.By = 1
			v = &u
		}
		if n := (v.Hi - v.Lo) / v.By; v.At == nil && !(n <= value.MaxPoints) {
			return nil, diag.New("E0705", at.Span(), "this range has %.3g points", n).WithHelp("take fewer")
		}
		return value.Vec(v.Points()), nil
	}
	return nil, diag.New("E0703", at.Span(), "a number or an array is needed here, this is %s", value.Describe(v))
}

func (in *Interp) number(f *frame, e ast.Expr) (float64, error) {
	v, err := in.expr(f, e)
	if err != nil {
		return 0, err
	}
	a, err := array(v, e)
	if err != nil {
		return 0, err
	}
	if len(a.Data) != 1 {
		return 0, diag.New("E0703", e.Span(), "one number is needed here, this is %s", a.Type())
	}
	return a.Data[0], nil
}

func (in *Interp) truth(f *frame, e ast.Expr) (bool, error) {
	v, err := in.expr(f, e)
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case value.Bool:
		return bool(v), nil
	case *value.Array:
		if v.Shape.IsScalar() {
			return v.Data[0] != 0, nil
		}
	}
	return false, diag.New("E0703", e.Span(), "a condition is needed here, this is %s", value.Describe(v)).
		WithHelp("compare it, `x > 0`")
}

func (in *Interp) unary(f *frame, e *ast.Unary) (value.Value, error) {
	v, err := in.expr(f, e.X)
	if err != nil {
		return nil, err
	}
	if e.Op == "not" {
		if b, ok := v.(value.Bool); ok {
			return !b, nil
		}
	}
	a, err := array(v, e.X)
	if err != nil {
		return nil, err
	}
	switch e.Op {
	case "+":
		return a, nil
	case "not":
		return in.apply("not", e, a)
	}
	return in.apply("neg", e, a)
}

func (in *Interp) binary(f *frame, e *ast.Binary) (value.Value, error) {
	x, err := in.expr(f, e.X)
	if err != nil {
		return nil, err
	}
	// The right side of and, or is looked at only when it matters.
	if b, ok := x.(value.Bool); ok && (e.Op == "and" && !bool(b) || e.Op == "or" && bool(b)) {
		return b, nil
	}
	y, err := in.expr(f, e.Y)
	if err != nil {
		return nil, err
	}
	if e.Op == "then" {
		return chain(x, y, e)
	}
	if tx, ok := x.(value.Text); ok {
		if ty, ok := y.(value.Text); ok {
			switch e.Op {
			case "==":
				return value.Bool(tx == ty), nil
			case "!=":
				return value.Bool(tx != ty), nil
			case "+":
				return tx + ty, nil
			}
		}
	}
	if e.Op == "==" || e.Op == "!=" {
		if same, ok := sameLists(x, y); ok {
			return value.Bool(same == (e.Op == "==")), nil
		}
	}
	a, err := array(x, e.X)
	if err != nil {
		return nil, err
	}
	b, err := array(y, e.Y)
	if err != nil {
		return nil, err
	}
	r, err := in.apply(e.Op, e, a, b)
	if err != nil {
		return nil, err
	}
	switch e.Op {
	case "==", "!=", "<", "<=", ">", ">=", "and", "or":
		if r.Shape.IsScalar() {
			return value.Bool(r.Data[0] != 0), nil
		}
	}
	return r, nil
}

// chain joins optimisers, or methods of training.
// sameLists compares two lists, at least one of which is no array of numbers; ok is false where they are something else.
func sameLists(x, y value.Value) (same, ok bool) {
	empty := func(v value.Value) value.Value {
		if a, is := v.(*value.Array); is && len(a.Data) == 0 { // [] is an array
			return value.List{}
		}
		return v
	}
	_, xl := x.(value.List)
	_, yl := y.(value.List)
	if !xl && !yl {
		return false, false
	}
	x, y = empty(x), empty(y)
	_, xl = x.(value.List)
	_, yl = y.(value.List)
	return xl && yl && equal(x, y), xl && yl
}

// equal says whether two values are the same, lists element by element; an array of numbers is no list of texts.
func equal(x, y value.Value) bool {
	switch x := x.(type) {
	case value.List:
		y, ok := y.(value.List)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case *value.Array:
		y, ok := y.(*value.Array)
		return ok && x.Shape.Equal(y.Shape) && slices.Equal(x.Data, y.Data)
	case value.Text, value.Word, value.Bool:
		return x == y
	}
	return false
}

func chain(x, y value.Value, e *ast.Binary) (value.Value, error) {
	var out value.Chain
	for i, v := range []value.Value{x, y} {
		switch v := v.(type) {
		case value.Chain:
			out = append(out, v...)
		case *value.Spec:
			if v.Row.Kind == sig.Optimiser || v.Row.Kind == sig.Method {
				out = append(out, v)
				continue
			}
			return nil, diag.New("E0703", v.Span, "`then` joins optimisers or methods of training, `%s` is neither", v.Row.Name)
		default:
			n := ast.Node(e.X)
			if i == 1 {
				n = e.Y
			}
			return nil, diag.New("E0703", n.Span(), "`then` joins optimisers, this is %s", value.Describe(v)).
				WithHelp("for example `adam(iters = 500) then lbfgs`")
		}
	}
	for _, s := range out[1:] {
		if s.Row.Kind != out[0].Row.Kind {
			return nil, diag.New("E0703", s.Span, "`%s` is of the kind %s and `%s` of the kind %s: they cannot follow each other", s.Row.Name, s.Row.Kind, out[0].Row.Name, out[0].Row.Kind).
				WithHelp("optimisers stand in `train = …`, methods in `method = …`; a method may have a chain of its own, `collocation(train = adam)`")
		}
	}
	return out, nil
}

func (in *Interp) list(f *frame, e *ast.List) (value.Value, error) {
	vs := make(value.List, len(e.Elems))
	same := len(vs) > 0
	for i, x := range e.Elems {
		v, err := in.expr(f, x)
		if err != nil {
			return nil, err
		}
		vs[i] = v
		a, ok := v.(*value.Array)
		if !ok {
			same = false
			continue
		}
		if first, ok := vs[0].(*value.Array); !ok || !first.Shape.Equal(a.Shape) {
			same = false
		}
	}
	if len(vs) == 0 {
		return &value.Array{Shape: types.Shape{0}}, nil
	}
	if !same {
		return vs, nil
	}
	first := vs[0].(*value.Array)
	out := &value.Array{Shape: append(types.Shape{len(vs)}, first.Shape...)}
	for _, v := range vs {
		out.Data = append(out.Data, v.(*value.Array).Data...)
	}
	return out, nil
}

func (in *Interp) rangeOf(f *frame, e *ast.Range) (value.Value, error) {
	r := &value.Range{}
	var err error
	if e.Lo == nil || e.Hi == nil {
		return nil, diag.New("E0702", e.Span(), "`..` alone has a meaning inside an index only")
	}
	if r.Lo, err = in.number(f, e.Lo); err != nil {
		return nil, err
	}
	if r.Hi, err = in.number(f, e.Hi); err != nil {
		return nil, err
	}
	if e.By != nil {
		if r.By, err = in.number(f, e.By); err != nil {
			return nil, err
		}
		if r.By == 0 || math.IsNaN(r.By) || (r.Hi-r.Lo)*r.By < 0 {
			return nil, diag.New("E0705", e.By.Span(), "a step of %s does not lead from %s to %s", value.Format(r.By), value.Format(r.Lo), value.Format(r.Hi)).
				WithHelp("%s", r.StepHelp())
		}
		if n := (r.Hi - r.Lo) / r.By; !(n <= value.MaxPoints) {
			return nil, diag.New("E0705", e.By.Span(), "this range has %.3g points", n).WithHelp("take a larger step")
		}
	}
	if e.At != nil {
		v, err := in.expr(f, e.At)
		if err != nil {
			return nil, err
		}
		a, err := array(v, e.At)
		if err != nil {
			return nil, err
		}
		r.At = a.Data
	}
	return r, nil
}

// reduce is sum[j in 1..n] e over plain numbers.
func (in *Interp) reduce(f *frame, e *ast.Reduce) (value.Value, error) {
	seen := map[string]bool{}
	for _, b := range e.Binds {
		if seen[b.Var.Name] {
			return nil, diag.New("E0703", b.Span(), "the index `%s` is bound twice", b.Var.Name).WithHelp("give each range an index of its own")
		}
		seen[b.Var.Name] = true
	}
	var terms []float64
	local := &frame{names: map[string]value.Value{}}
	if f != nil {
		for k, v := range f.names {
			local.names[k] = v
		}
	}
	var walk func(i int) error
	walk = func(i int) error {
		if i == len(e.Binds) {
			v, err := in.number(local, e.Body)
			if terms = append(terms, v); len(terms) > value.MaxPoints {
				return diag.New("E0705", e.Span(), "this has more than %d terms", value.MaxPoints)
			}
			return err
		}
		over, err := in.expr(local, e.Binds[i].Over)
		if err != nil {
			return err
		}
		return in.each(over, e.Binds[i].Over, func(it value.Value) error {
			local.names[e.Binds[i].Var.Name] = it
			return walk(i + 1)
		})
	}
	if err := walk(0); err != nil {
		return nil, err
	}
	if len(terms) == 0 {
		switch e.Op.Name {
		case "sum":
			return value.Num(0), nil
		case "prod":
			return value.Num(1), nil
		}
		return nil, diag.New("E0703", e.Span(), "`%s` over an empty range has no value", e.Op.Name)
	}
	return in.apply(e.Op.Name, e, value.Vec(terms))
}

// each runs f for every item that a loop runs over: the elements of a list, the rows of an array, the points of a
// range (steps of 1 when none is given), the keys of a record.
func (in *Interp) each(v value.Value, at ast.Node, f func(value.Value) error) error {
	step := func(x value.Value) error {
		if err := in.ctx.Err(); err != nil {
			return err
		}
		return f(x)
	}
	switch v := v.(type) {
	case value.List:
		for _, x := range v {
			if err := step(x); err != nil {
				return err
			}
		}
		return nil
	case *value.Range:
		if v.At == nil && v.By == 0 {
			// A count, for beyond 2^53 adding 1 stands still.
			for k := 0.0; v.Lo+k <= v.Hi; k++ {
				if err := step(value.Num(v.Lo + k)); err != nil {
					return err
				}
			}
			return nil
		}
		for _, x := range v.Points() {
			if err := step(value.Num(x)); err != nil {
				return err
			}
		}
		return nil
	case *value.Array:
		if v.Shape.IsScalar() {
			break
		}
		rest := v.Shape[1:]
		n := rest.Size()
		if len(rest) == 0 {
			rest = nil
		}
		for i := range v.Shape[0] {
			if err := step(&value.Array{Shape: rest, Data: v.Data[i*n : (i+1)*n]}); err != nil {
				return err
			}
		}
		return nil
	case *value.Record:
		for _, k := range v.Keys {
			if err := step(value.Text(k)); err != nil {
				return err
			}
		}
		return nil
	}
	return diag.New("E0703", at.Span(), "a list, an array or a range is needed to loop over, this is %s", value.Describe(v))
}

// items collects what each runs over.
func (in *Interp) items(v value.Value, at ast.Node) (out []value.Value, err error) {
	err = in.each(v, at, func(x value.Value) error { out = append(out, x); return nil })
	return out, err
}
