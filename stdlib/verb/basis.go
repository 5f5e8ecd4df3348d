package verb

import (
	"math"
	"slices"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/stdlib"
	"github.com/udl-lang/udl/stdlib/value"
)

// Candidate terms come from the language itself: a list of expressions, families of them such as poly(3), functions by name,
// which stand for that function of each input, sums of all these, and products of families.

// OfTerms is the type of parameters that are looked at as they are written.
const OfTerms = "terms"

// maxTerms bounds a library.
const maxTerms = 1000

// input is one scalar that terms are made of.
type input struct {
	name string   // "x", "u[2]"
	expr ast.Expr // in a formula
}

// basisOf lists the candidate terms of an option, each once.
func (c *Call) basisOf(option string, inputs []input) ([]ast.Expr, error) {
	v, given := c.Args[option]
	var e ast.Expr
	var env map[string]value.Value
	if given {
		l, ok := v.(*value.Lambda)
		if !ok {
			return nil, c.Bad(option, "`%s` must be made of terms, this is %s", option, value.Describe(v)).WithHelp("for example `%s = poly(3) + sin`", option)
		}
		e, env = l.AST.Body, l.Env
	} else {
		e = &ast.Call{Fun: &ast.Ident{Name: "poly"}, Args: []*ast.Arg{{Value: number(2)}}}
	}
	b := &basis{c: c, option: option, inputs: inputs, env: env}
	list, err := b.sum(e)
	if err != nil {
		return nil, err
	}
	var out []ast.Expr
	seen := map[string]bool{}
	for _, t := range list {
		if s := ast.ExprString(t); !seen[s] {
			seen[s] = true
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return nil, c.Bad(option, "`%s` has no terms", option).WithHelp("for example `%s = poly(3) + sin`", option)
	}
	return out, nil
}

type basis struct {
	c      *Call
	option string
	inputs []input
	env    map[string]value.Value
}

// sum is a sum of families and terms, or a list of them: all together.
func (b *basis) sum(e ast.Expr) ([]ast.Expr, error) {
	switch x := ast.Unparen(e).(type) {
	case *ast.Binary:
		if x.Op == "+" && !(b.term(x.X) && b.term(x.Y)) {
			l, err := b.sum(x.X)
			if err != nil {
				return nil, err
			}
			r, err := b.sum(x.Y)
			if err != nil {
				return nil, err
			}
			return b.join(e, l, r)
		}
		if x.Op == "*" && !(b.term(x.X) && b.term(x.Y)) {
			return b.product(x)
		}
		if !(b.term(x.X) && b.term(x.Y)) {
			return nil, b.bad(x, "families and lists of terms have sums and products, no `%s`", x.Op).WithHelp("list the terms that are wanted, `[1, %s, %s^2]`, or give fewer inputs by `over`", b.inputs[0].name, b.inputs[0].name)
		}
	case *ast.String:
		return nil, b.bad(x, "terms are no texts").WithHelp("leave the quotes out, `%s`", x.Value)
	case *ast.List:
		var out []ast.Expr
		for _, el := range x.Elems {
			l, err := b.sum(el)
			if err != nil {
				return nil, err
			}
			if out, err = b.join(el, out, l); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	if !b.term(e) {
		return b.family(ast.Unparen(e))
	}
	return []ast.Expr{e}, b.known(e)
}

func (b *basis) join(at ast.Expr, l, r []ast.Expr) ([]ast.Expr, error) {
	out := append(slices.Clone(l), r...)
	if len(out) > maxTerms {
		return nil, b.bad(at, "these are more than %d terms", maxTerms).WithHelp("take a lower degree, or fewer inputs by `over`")
	}
	return out, nil
}

// product multiplies each term of one side by each of the other.
func (b *basis) product(x *ast.Binary) ([]ast.Expr, error) {
	l, err := b.sum(x.X)
	if err != nil {
		return nil, err
	}
	r, err := b.sum(x.Y)
	if err != nil {
		return nil, err
	}
	if len(l)*len(r) > maxTerms {
		return nil, b.bad(x, "these are more than %d terms", maxTerms).WithHelp("take a lower degree, or fewer inputs by `over`")
	}
	var out []ast.Expr
	for _, p := range l {
		for _, q := range r {
			switch {
			case isOne(p):
				out = append(out, q)
			case isOne(q):
				out = append(out, p)
			default:
				out = append(out, binary("*", p, q))
			}
		}
	}
	return out, nil
}

// isInput says whether a name is that of an input, or of the array that inputs are elements of.
func (b *basis) isInput(name string) bool {
	for _, in := range b.inputs {
		if id := root(in.expr); id != nil && id.Name == name {
			return true
		}
	}
	return false
}

func root(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.Index:
		return root(e.X)
	}
	return nil
}

// term says whether an expression is a term by itself: no list, no family and no bare function.
func (b *basis) term(e ast.Expr) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.List:
		return false
	case *ast.Ident:
		if b.isInput(x.Name) {
			return true
		}
		_, isFunction := b.c.Table.Lookup(x.Name, sig.Function)
		_, isFamily := b.c.Table.Lookup(x.Name, sig.Representation)
		return !isFunction && !isFamily
	case *ast.Call:
		if id, ok := x.Fun.(*ast.Ident); ok && !b.isInput(id.Name) {
			_, isFamily := b.c.Table.Lookup(id.Name, sig.Representation)
			return !isFamily
		}
	case *ast.Binary:
		return (x.Op != "+" && x.Op != "*") || b.term(x.X) && b.term(x.Y)
	}
	return true
}

// family is poly(n), fourier(n), or a function by name.
func (b *basis) family(e ast.Expr) ([]ast.Expr, error) {
	name, at := "", e
	var args []*ast.Arg
	switch x := e.(type) {
	case *ast.Ident:
		name = x.Name
	case *ast.Call:
		name, args = x.Fun.(*ast.Ident).Name, x.Args
	}
	if r, ok := b.c.Table.Row(name, sig.Function); ok {
		if len(r.Params) != 1 || r.Shaper != sig.Elementwise || r.Params[0].Variadic {
			return nil, b.bad(at, "`%s` is no function of one number, so it cannot stand for terms by its name", name).WithHelp("write the terms, `[%s(…), …]`", name)
		}
		var out []ast.Expr
		for _, in := range b.inputs {
			out = append(out, call(name, in.expr))
		}
		return out, nil
	}
	n, err := b.whole(name, args, at)
	if err != nil {
		return nil, err
	}
	switch name {
	case "poly":
		return b.monomials(n, at)
	case "fourier":
		var out []ast.Expr
		for _, in := range b.inputs {
			for k := 1; k <= n; k++ {
				x := in.expr
				if k > 1 {
					x = binary("*", number(float64(k)), x)
				}
				out = append(out, call("cos", x), call("sin", x))
			}
		}
		return out, nil
	}
	return nil, b.bad(at, "`%s` makes no terms", name).WithHelp("families are `poly(n)`, `fourier(n)` and functions by name, such as `sin`; or list the terms, `[x, x*y]`")
}

// whole reads the one option of a family.
func (b *basis) whole(name string, args []*ast.Arg, at ast.Expr) (int, error) {
	def := map[string]int{"poly": 2, "fourier": 1}[name]
	if len(args) == 0 {
		return def, nil
	}
	option := map[string]string{"poly": "degree", "fourier": "n"}[name]
	if len(args) > 1 || args[0].Name != nil && args[0].Name.Name != option {
		return 0, b.bad(at, "`%s` takes one number here", name).WithHelp("for example `%s(3)`", name)
	}
	v, err := b.c.Eval(args[0].Value, b.env)
	if err != nil {
		return 0, err
	}
	a, ok := v.(*value.Array)
	if !ok || !a.Shape.IsScalar() || a.Data[0] != math.Trunc(a.Data[0]) || a.Data[0] < 0 || a.Data[0] > 30 {
		return 0, b.bad(args[0].Value, "`%s` takes a whole number from 0 to 30, this is %s", name, value.Describe(v))
	}
	return int(a.Data[0]), nil
}

// monomials are those of poly(degree): 1, x, y, x^2, x*y, y^2, …
func (b *basis) monomials(degree int, at ast.Expr) ([]ast.Expr, error) {
	n := len(b.inputs)
	count := 1.0
	for k := 1; k <= degree; k++ {
		count *= float64(n+k) / float64(k)
	}
	if count > maxTerms {
		return nil, b.bad(at, "these are %.0f terms, more than %d", count, maxTerms).WithHelp("take a lower degree, or fewer inputs by `over`")
	}
	var out []ast.Expr
	for _, exps := range stdlib.Monomials(n, degree) {
		var t ast.Expr
		for i, k := range exps {
			if k == 0 {
				continue
			}
			f := b.inputs[i].expr
			if k > 1 {
				f = binary("^", f, number(float64(k)))
			}
			if t == nil {
				t = f
			} else {
				t = binary("*", t, f)
			}
		}
		if t == nil {
			t = number(1)
		}
		out = append(out, t)
	}
	return out, nil
}

// known refuses names in a term that neither are inputs nor have a meaning in a model.
func (b *basis) known(e ast.Expr) (err error) {
	ast.Inspect(e, func(n ast.Node) bool {
		if err != nil {
			return false
		}
		switch x := n.(type) {
		case *ast.Call:
			for _, a := range x.Args {
				if err == nil {
					err = b.known(a.Value)
				}
			}
			return false
		case *ast.Ident:
			if b.isInput(x.Name) || x.Name == "end" {
				return true
			}
			if _, ok := b.c.Table.Lookup(x.Name, sig.Constant); ok {
				return true
			}
			if b.c.TopLevel(x.Name) {
				return true
			}
			var names []string
			for _, in := range b.inputs {
				names = append(names, in.name)
			}
			d := b.bad(x, "`%s` is no input that terms can be made of", x.Name)
			if m, ok := b.c.Args["from"].(*value.Model); ok {
				if own := declaredIn(m.C.Syntax(), x.Name); own != nil {
					err = d.And(own.Span(), "of the model").WithHelp("terms see constants and functions of the script, not those of %s: a number that is known moves there, `const %s = …`; anything else becomes an input, `unknown f(x, %s) = …`", m.Name(), x.Name, x.Name)
					return true
				}
			}
			if s := diag.Suggest(x.Name, names); s != "" {
				err = d.WithHelp("did you mean `%s`?", s)
			} else {
				err = d.WithHelp("the inputs are: %s", join(names))
			}
		}
		return true
	})
	return err
}

func (b *basis) bad(at ast.Expr, format string, args ...any) *diag.Diagnostic {
	s := at.Span()
	if s.IsZero() {
		s = b.c.SpanOf(b.option)
	}
	return diag.New("E0810", s, format, args...)
}

// ---- trees ----

func number(v float64) ast.Expr {
	if v < 0 {
		return &ast.Unary{Op: "-", X: number(-v)}
	}
	return &ast.Number{Value: v}
}

func isOne(e ast.Expr) bool {
	n, ok := e.(*ast.Number)
	return ok && n.Value == 1
}

func binary(op string, x, y ast.Expr) ast.Expr { return &ast.Binary{Op: op, X: x, Y: y} }

func call(name string, x ast.Expr) ast.Expr {
	return &ast.Call{Fun: &ast.Ident{Name: name}, Args: []*ast.Arg{{Value: x}}}
}
