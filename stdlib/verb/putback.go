package verb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// A term that was found takes the place of the unknown in the model's syntax, as a formula with parameters of its own, and the
// model is checked and compiled like any other. So what comes out is a model in every respect: it can be solved, fitted,
// printed and saved as text. Everything else keeps its trained values.

// OfFormula is the type of arguments that are read as formulas where they are written as such.
const OfFormula = "formula"

var putBackRow = verb("put_back", "model", "The model with unknown functions replaced: by what `discover` found, or by a formula, `U = (x, y) -> {param a = 1; a*x*y}`. Everything else keeps its values, or takes those that `discover` estimated together with the equations, so that a fit goes on from there.",
	"model M { state x = 1; unknown f(x) = NN(hidden = [3]); x' = -x + f(x) }\nm = put_back(M, f = x -> {param a = 0.5; a*x^2})\nprint(solve(m, t = 0..1).last)", putBackVerb,
	arg("model", "model", "", ""), sig.Param{Name: "unknowns", Type: OfFormula, Default: "none", Doc: "an unknown's name = what takes its place; an anonymous `NN(…)` is `NN1`, `NN2`, …", AnyName: true, NamedOnly: true})

func putBackVerb(c *Call) (value.Value, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	out := m
	var names []string
	for name := range c.Args {
		if name != "model" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return nil, diag.New("E0706", c.Span, "`put_back` needs what is to take an unknown's place").WithHelp("for example `put_back(%s, U = found)`", m.Name())
	}
	for _, name := range names {
		u, err := c.unknownOf(out, name, name)
		if err != nil {
			return nil, err
		}
		f, err := c.formulaOf(out, u, name)
		if err != nil {
			return nil, err
		}
		if out, err = c.replaced(out, u, f, name); err != nil {
			return nil, err
		}
		if d, ok := c.Args[name].(*value.Discovered); ok && d.Begin == c.Args["model"] {
			d.Move(out)
		}
	}
	return out, nil
}

// unknownOf finds an unknown of a model by its name.
func (c *Call) unknownOf(m *value.Model, name, arg string) (*model.Unknown, error) {
	var names []string
	for _, u := range m.C.Model.Unknowns {
		if u.Name == name {
			return u, nil
		}
		names = append(names, u.Name)
	}
	d := diag.New("E0811", c.SpanOf(arg), "%s has no unknown function `%s`", m.Name(), name)
	switch {
	case len(names) == 0:
		return nil, d.WithHelp("it has none; declare one, `unknown %s(x) = NN()`", name)
	default:
		if s := diag.Suggest(name, names); s != "" {
			return nil, d.WithHelp("did you mean `%s`?", s)
		}
	}
	return nil, d.WithHelp("it has: %s", join(names))
}

// replacement is what takes an unknown's place: the names of its inputs and what stands behind the `=`.
type replacement struct {
	params []string
	rep    ast.Expr
}

// formulaOf reads what is to take the place of an unknown.
func (c *Call) formulaOf(m *value.Model, u *model.Unknown, name string) (*replacement, error) {
	switch v := c.Args[name].(type) {
	case *value.Discovered:
		if v.Of == "" {
			return nil, c.Bad(name, "these equations were found from data, not for an unknown function").WithHelp("`.system` is the model that they make by themselves")
		}
		if len(v.Outs) != u.NOut {
			return nil, c.Bad(name, "`%s` has %d outputs, the equations are %d", name, u.NOut, len(v.Outs))
		}
		params := v.Inputs
		if len(u.Params) != len(params) {
			return nil, c.Bad(name, "`%s` has %d inputs, the equations are in %s", name, len(u.Params), strings.Join(params, ", "))
		}
		if err := c.otherMeaning(m.C.Syntax(), params, v.Terms(), name); err != nil {
			return nil, err
		}
		return &replacement{params, c.foundFormula(v)}, nil
	case *value.Lambda:
		r := &replacement{rep: v.AST.Body}
		for _, p := range v.AST.Params {
			r.params = append(r.params, p.Name)
		}
		if len(r.params) == 0 { // written as a formula, in the unknown's own names
			r.params = paramNames(u)
		}
		if len(r.params) != len(u.Params) {
			return nil, c.Bad(name, "`%s` has %d inputs, this formula has %d", name, len(u.Params), len(r.params)).
				WithHelp("write `%s = (%s) -> …`", name, strings.Join(paramNames(u), ", "))
		}
		own := ownNames(r.rep, r.params)
		r.rep = captured(r.rep, own, v.Env, c.Table.Names(sig.Function))
		if err := c.otherMeaningIn(m.C.Syntax(), own, r.rep, name, "the formula"); err != nil {
			return nil, err
		}
		return r, nil
	}
	return nil, c.Bad(name, "`%s` must be what `discover` found, or a formula, this is %s", name, value.Describe(c.Args[name])).
		WithHelp("for example `%s = (%s) -> {param a = 1; a*%s}`", name, strings.Join(paramNames(u), ", "), paramNames(u)[0])
}

// ownNames are the names that a formula brings along: those of its inputs and of what it declares.
func ownNames(e ast.Expr, params []string) []string {
	own := slices.Clone(params)
	if f, ok := e.(*ast.Formula); ok {
		for _, s := range f.Decls {
			switch d := s.(type) {
			case *ast.Decl:
				for _, it := range d.Items {
					own = append(own, it.Name.Name)
				}
			case *ast.Let:
				for _, n := range d.Names {
					own = append(own, n.Name)
				}
			case *ast.Fn:
				own = append(own, d.Name.Name)
			}
		}
	}
	return own
}

// captured puts the numbers of script variables into a formula.
func captured(e ast.Expr, own []string, env map[string]value.Value, functions []string) ast.Expr {
	return ast.Replace(e, func(x ast.Expr) (ast.Expr, bool) {
		id, ok := x.(*ast.Ident)
		if !ok || slices.Contains(own, id.Name) || slices.Contains(functions, id.Name) {
			return nil, false
		}
		a, ok := env[id.Name].(*value.Array)
		if !ok || !a.Shape.IsScalar() {
			return nil, false
		}
		return number(a.Data[0]), true
	})
}

// paramNames are the names of an unknown's inputs; those of an anonymous one are made up.
func paramNames(u *model.Unknown) []string {
	var out []string
	for i, p := range u.Params {
		name := p.Name
		if strings.Contains(name, " ") {
			if name = u.Inputs[offset(u, i)]; name == "" || slices.Contains(out, name) {
				name = fmt.Sprintf("u%d", i+1)
			}
		}
		out = append(out, name)
	}
	return out
}

// offset is where the scalars of input i of an unknown begin.
func offset(u *model.Unknown, i int) int {
	n := 0
	for _, p := range u.Params[:i] {
		n += p.Shape.Size()
	}
	return n
}

// inputsOf lists the scalars that go into an unknown.
func scalarInputs(u *model.Unknown) []input {
	var out []input
	for i, name := range paramNames(u) {
		s := u.Params[i].Shape
		if s.IsScalar() {
			out = append(out, input{name, &ast.Ident{Name: name}})
			continue
		}
		for _, el := range system.Names([]system.Slot{{Name: name, Shape: s}}) {
			x := &ast.Index{X: &ast.Ident{Name: name}}
			for _, k := range strings.Split(el[len(name)+1:len(el)-1], ",") {
				x.Args = append(x.Args, &ast.Number{Text: k, Value: atof(k)})
			}
			out = append(out, input{el, x})
		}
	}
	return out
}

func atof(s string) (v float64) {
	for _, r := range s {
		v = 10*v + float64(r-'0')
	}
	return v
}

// foundFormula is what was found as a formula: {param c1 = …; (c1*x*y, c2*x)}.
func (c *Call) foundFormula(d *value.Discovered) ast.Expr {
	var sums [][]coefTerm
	for o := range d.Outs {
		var s []coefTerm
		for _, t := range d.Found[o] {
			s = append(s, coefTerm{d.Library[t.At], t.Coef, fmt.Sprintf("of %s in %s", d.Texts[t.At], d.Outs[o])})
		}
		sums = append(sums, s)
	}
	return c.formulaFrom(d.Inputs, sums)
}

type coefTerm struct {
	term ast.Expr
	coef float64
	doc  string
}

// formulaFrom makes a formula of sums of terms, one for each output, with coefficients c1, c2, … in order, in the names of inputs.
func (c *Call) formulaFrom(inputs []string, sums [][]coefTerm) ast.Expr {
	f := &ast.Formula{}
	var terms []ast.Expr
	for _, s := range sums {
		for _, t := range s {
			terms = append(terms, t.term)
		}
	}
	named := c.coefficientNames(len(terms), inputs, terms)
	n := 0
	var outs []ast.Expr
	for _, s := range sums {
		var e ast.Expr
		for _, t := range s {
			n++
			name := named(n)
			f.Decls = append(f.Decls, &ast.Decl{Kind: "param", Items: []*ast.Item{{Name: &ast.Ident{Name: name}, Value: number(t.coef), Doc: t.doc}}})
			e = withTerm(e, name, t.term)
		}
		if e == nil {
			e = number(0)
		}
		outs = append(outs, e)
	}
	f.Body = outs[0]
	if len(outs) > 1 {
		f.Body = &ast.Tuple{Elems: outs}
	}
	if len(f.Decls) == 0 {
		return f.Body
	}
	return f
}

// replaced is a model with an unknown replaced, as text that is parsed, checked and compiled; with the values of m for all else.
func (c *Call) replaced(m *value.Model, u *model.Unknown, r *replacement, arg string) (*value.Model, error) {
	tree, err := c.replacedTree(m, u, r, arg)
	if err != nil {
		return nil, err
	}
	out, err := c.compiled(tree, m.Name()+" with another "+u.Name)
	if err != nil {
		return nil, c.misfit(err, arg, u.Name)
	}
	for _, k := range out.C.Model.Unknowns {
		if k.Name == u.Name && k.Rep != nil && k.Span == u.Span { // it stands in the script, where the model still calls it
			return nil, diag.New("E0811", c.SpanOf(arg), "`%s` is still called in %s by way of the script, so it cannot be replaced", u.Name, m.Name()).
				WithHelp("declare it in the model, `unknown %s(x) = NN(…)`", u.Name)
		}
	}
	if s := m.C.Signals(); len(s) > 0 {
		if out.C, err = out.C.WithSignals(s); err != nil {
			return nil, err
		}
	}
	copyValues(out, m, u.Name)
	return out, nil
}

// replacedTree is the syntax of the model with the unknown replaced.
func (c *Call) replacedTree(m *value.Model, u *model.Unknown, r *replacement, arg string) (*ast.Model, error) {
	tree := m.C.Syntax()
	decl := &ast.Unknown{Name: &ast.Ident{Name: u.Name}, Rep: r.rep, Doc: u.Doc}
	for _, p := range r.params {
		decl.Params = append(decl.Params, &ast.Ident{Name: p})
	}
	for _, o := range u.Outs {
		decl.Outs = append(decl.Outs, &ast.Ident{Name: o})
	}
	out := *tree
	out.Body = slices.Clone(tree.Body)
	for i, s := range out.Body {
		if d, ok := s.(*ast.Unknown); ok && d.Name.Name == u.Name {
			if len(decl.Outs) == 0 {
				decl.Outs = d.Outs
			}
			out.Body[i] = decl
			return &out, nil
		}
	}
	// Of the script, or in place: declared in the model from now on, before the first equation.
	at := len(out.Body)
	for i, s := range out.Body {
		switch s.(type) {
		case *ast.Let, *ast.Equation:
			at = min(at, i)
		}
	}
	if c.TopLevel(u.Name) {
		fns, err := c.through(tree, u.Name, m.Name(), arg)
		if err != nil {
			return nil, err
		}
		out.Body = slices.Insert(out.Body, at, append([]ast.Stmt{decl}, fns...)...)
		return &out, nil
	}
	found := false
	for i, s := range out.Body {
		out.Body[i] = ast.Replace(s, func(e ast.Expr) (ast.Expr, bool) {
			x, ok := e.(*ast.Call)
			if !ok || x.Span() != u.Span {
				return nil, false
			}
			found = true
			n := &ast.Call{Fun: &ast.Ident{Name: u.Name}}
			for _, a := range x.Args {
				if a.Name == nil {
					n.Args = append(n.Args, a)
				}
			}
			return n, true
		})
	}
	if !found {
		return nil, diag.New("E0811", c.SpanOf(arg), "`%s` stands in a function outside of %s, so it cannot be replaced there", u.Name, m.Name()).
			WithHelp("declare it in the model, `unknown f(x) = NN(…)`")
	}
	out.Body = slices.Insert(out.Body, at, ast.Stmt(decl))
	return &out, nil
}

// through copies the functions of the script through which a model calls an unknown of the script: they become the model's own, so
// that they call what takes its place. Those whose other names mean something else in the model cannot be.
func (c *Call) through(tree *ast.Model, unknown, name, arg string) (fns []ast.Stmt, err error) {
	own := map[string]bool{}
	for _, s := range tree.Body {
		switch d := s.(type) {
		case *ast.Decl:
			for _, it := range d.Items {
				own[it.Name.Name] = true
			}
		case *ast.Let:
			for _, n := range d.Names {
				own[n.Name] = true
			}
		case *ast.Fn:
			own[d.Name.Name] = true
		case *ast.Unknown:
			own[d.Name.Name] = true
		}
	}
	calls := map[string]bool{unknown: true}
	for _, s := range c.Outer(tree) { // those first that others use
		f, ok := s.(*ast.Fn)
		if !ok {
			continue
		}
		params := map[string]bool{}
		for _, p := range f.Params {
			params[p.Name] = true
		}
		does, clash := false, ""
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && !params[id.Name] {
				does = does || calls[id.Name]
				if own[id.Name] {
					clash = id.Name
				}
			}
			return true
		})
		switch {
		case does && clash != "":
			return nil, diag.New("E0811", c.SpanOf(arg), "%s calls `%s` through the function `%s`, in which `%s` is not the model's own, so it cannot be replaced there", name, unknown, f.Name.Name, clash).
				WithHelp("declare the unknown in the model, or give `%s` another name there", clash)
		case does:
			calls[f.Name.Name] = true
			fns = append(fns, f)
		}
	}
	return fns, nil
}

// compiled makes a model of a tree, by way of its text, so that messages have places in it.
func (c *Call) compiled(tree *ast.Model, name string) (*value.Model, error) {
	text := ast.Format(&ast.File{Stmts: []ast.Stmt{tree}})
	f, errs := parser.Parse(diag.NewSource(name, text))
	if errs.HasErrors() {
		return nil, errs
	}
	p, ok := f.Stmts[0].(*ast.Model)
	if !ok || len(f.Stmts) != 1 {
		return nil, fmt.Errorf("the text of %s is not a model", name)
	}
	k, err := c.Compile(p)
	if err != nil {
		return nil, err
	}
	return &value.Model{C: k, Theta: k.System.Defaults()}, nil
}

// misfit is the error of a model that a formula does not fit into.
func (c *Call) misfit(err error, arg, unknown string) error {
	l := diag.From(err)
	if len(l) == 0 {
		return err
	}
	d := diag.New("E0812", c.SpanOf(arg), "the formula does not fit in the place of `%s`: %s", unknown, l[0].Message)
	for _, lab := range l[0].Labels {
		d.And(lab.Span, "%s", lab.Text)
	}
	if l[0].Help != "" {
		d.WithHelp("%s", l[0].Help)
	}
	return d
}

// copyValues gives a model the values of another for all but one unknown, by name.
func copyValues(out, from *value.Model, but string) {
	old, now := from.C.System, out.C.System
	for _, s := range now.Theta {
		if s.Owner == but && s.Role != system.RoleInit && s.Role != system.RoleFlag {
			continue
		}
		for _, o := range old.Theta {
			if o.Name == s.Name && o.Role == s.Role && o.Owner == s.Owner && o.Size() == s.Size() {
				copy(out.Theta[s.Off:s.Off+s.Size()], from.Theta[o.Off:o.Off+o.Size()])
			}
		}
	}
	out.Kept = from.Trained()
}

// withTerm is e with one more summand, a coefficient by its name times a term; e is nil where it is the first.
func withTerm(e ast.Expr, name string, term ast.Expr) ast.Expr {
	x := ast.Expr(&ast.Ident{Name: name})
	if !isOne(term) {
		x = binary("*", x, term)
	}
	if e == nil {
		return x
	}
	return binary("+", e, x)
}
