package check

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/lang/types"
)

// callee is how messages call the unknown of a call.
func (c *checker) callee(v *model.Expr) string { return v.Unk.Name }

// callUnknown is the call of a function to be learned. The first call settles the shapes of its inputs.
func (c *checker) callUnknown(cx *ctx, e *entry, call *ast.Call) *model.Expr {
	if cx.stage == stageConst {
		c.fail(cx, "E0216", call.Span(), "%s must be known before the run", cx.what).At("`%s` is learned", e.name).WithHelp("use numbers and constants")
		return nil
	}
	names := make([]string, len(e.unk.Params))
	for i, p := range e.unk.Params {
		names[i] = p.Name
	}
	given, ok := c.matchArgs(cx, e.name, names, len(names), false, call.Args, call.Span())
	if !ok {
		for _, a := range call.Args {
			c.expr(cx, a.Value)
		}
		return nil
	}
	args, ok := c.exprs(cx, given)
	if !ok || e.status == bad {
		return nil
	}
	if e.status == busy {
		c.fail(nil, "E0227", call.Span(), "`%s` calls itself", e.name).At("called again").And(e.span, "declared here").WithHelp("a formula cannot come back to itself")
		return nil
	}
	if e.status == untouched {
		e.first = call.Span()
		if !c.settleUnknown(e, args, cx) {
			return nil
		}
	}
	return c.applied(cx, e, args, call.Span())
}

// applied makes the call once the unknown is settled.
func (c *checker) applied(cx *ctx, e *entry, args []*model.Expr, at diag.Span) *model.Expr {
	u := e.learned
	for i, a := range args {
		if want := u.Params[i].Shape; !a.Shape.Equal(want) {
			c.fail(cx, "E0204", a.Span, "`%s` of `%s` is not of the same shape in every call", u.Params[i].Name, u.Name).At("%s", a.Shape).
				And(e.first, "%s in this call", want).WithHelp("one function has one shape of input; declare a second unknown")
			return nil
		}
	}
	in := c.inputNames(args)
	if !slices.ContainsFunc(u.Calls, func(k []string) bool { return slices.Equal(k, in) }) {
		u.Calls = append(u.Calls, in)
	}
	return &model.Expr{Op: model.CallU, Unk: u, Args: args, Shape: u.Shape, Span: at}
}

// settleUnknown makes the unknown for inputs of the shapes of args (nil when it is never called: scalars).
func (c *checker) settleUnknown(e *entry, args []*model.Expr, cx *ctx) bool {
	quiet := c.quiet
	c.quiet = 0
	defer func() { c.quiet = quiet }()
	e.status = busy
	d := e.unk
	u := &model.Unknown{Name: e.name, Doc: d.Doc, Span: e.span}
	e.learned = u
	ok := true
	seen := map[string]bool{}
	name := func(id *ast.Ident, what string) {
		if _, is := reserved[id.Name]; is {
			c.fail(nil, "E0217", id.Span(), "`%s` cannot be redefined", id.Name).At("used as an %s", what).WithHelp("choose another name")
			ok = false
		} else if seen[what+id.Name] {
			c.fail(nil, "E0202", id.Span(), "`%s` is declared twice", id.Name).At("two %ss of one name", what).WithHelp("rename one of them")
			ok = false
		}
		seen[what+id.Name] = true
	}
	for i, p := range d.Params {
		name(p, "input")
		s := &model.Symbol{Name: p.Name, Kind: model.Local, Span: p.Span()}
		if args != nil {
			s.Shape = args[i].Shape
		}
		u.Params = append(u.Params, s)
		u.NIn += s.Shape.Size()
	}
	for _, o := range d.Outs {
		name(o, "output")
		u.Outs = append(u.Outs, o.Name)
	}
	if len(u.Outs) == 1 {
		u.Outs = nil
	}
	u.Inputs = c.inputNames(args)
	u.NOut = max(1, len(u.Outs))
	if u.NOut > 1 {
		u.Shape = types.Shape{u.NOut}
	}
	ok = c.represent(cx, e, u) && ok
	return e.finish(ok)
}

// inputNames names the quantities that go in, element by element.
func (c *checker) inputNames(args []*model.Expr) []string {
	var out []string
	for _, a := range args {
		name := ""
		size := a.Shape.Size()
		for a.Op == model.Ref && a.Sym.Kind == model.Local && c.bound[a.Sym] != nil {
			a = c.bound[a.Sym] // the argument of a function of the user's
		}
		if a.Op == model.Ref {
			switch a.Sym.Kind {
			case model.State, model.Latent, model.Discrete, model.Let, model.Param:
				name = a.Sym.Name
			}
		}
		for range size {
			out = append(out, name)
		}
	}
	return out
}

// represent settles what stands after the `=`: a representation of the table, or a formula.
func (c *checker) represent(cx *ctx, e *entry, u *model.Unknown) bool {
	rep := ast.Unparen(e.unk.Rep)
	switch r := rep.(type) {
	case nil:
		return false
	case *ast.Formula:
		return c.formula(e, u, r.Decls, r.Body)
	case *ast.Call:
		if id, ok := r.Fun.(*ast.Ident); ok {
			if b, ok := c.env.Lookup(id.Name, sig.Representation); ok {
				return c.options(e, u, b, r.Args, r.Span())
			}
			if _, isFunction := c.env.Lookup(id.Name, sig.Function); !isFunction && c.names[id.Name] == nil && c.sc.fns[id.Name] == nil {
				c.noRepresentation(id)
				return false
			}
		}
	case *ast.Ident:
		if b, ok := c.env.Lookup(r.Name, sig.Representation); ok {
			return c.options(e, u, b, nil, r.Span())
		}
		if refusedReps[r.Name] {
			c.noRepresentation(r)
			return false
		}
	}
	return c.formula(e, u, nil, e.unk.Rep)
}

func (c *checker) noRepresentation(id *ast.Ident) {
	if refusedReps[id.Name] {
		c.refuse(id.Name, "the representation `"+id.Name+"`", id.Span())
		return
	}
	d := c.fail(nil, "E0224", id.Span(), "there is no representation `%s`", id.Name).At("not a way to represent a function")
	suggest(d, id.Name, c.env.Names(sig.Representation), "there are: "+listing(c.env.Names(sig.Representation))+"; or a formula, `{param a = 1; a*x}`")
}

// formula checks a formula with parameters of its own, which become the unknown's weights.
func (c *checker) formula(e *entry, u *model.Unknown, decls []ast.Stmt, body ast.Expr) bool {
	if body == nil {
		return false
	}
	in := &ctx{stage: stageRun, what: "`" + u.Name + "`", top: e.script}
	names := map[string]diag.Span{} // what the formula has: its inputs, then its own
	for _, p := range u.Params {
		in = in.with(p.Name, p)
		names[p.Name] = p.Span
	}
	own := &ctx{stage: stageConst, what: "the value of a parameter of `" + u.Name + "`", top: e.script}
	wrap := &model.Expr{Op: model.LetIn, Span: body.Span()}
	ok := true
	// free says whether a name may be declared here.
	free := func(id *ast.Ident) bool {
		old, twice := names[id.Name]
		what, is := reserved[id.Name]
		switch {
		case twice:
			c.fail(nil, "E0202", id.Span(), "`%s` is declared twice", id.Name).At("declared again").And(old, "first declared here").WithHelp("rename one of them")
		case is:
			c.fail(nil, "E0217", id.Span(), "`%s` cannot be redefined", id.Name).At("`%s` is always %s", id.Name, what).WithHelp("choose another name")
		default:
			names[id.Name] = id.Span()
			return true
		}
		ok = false
		return false
	}
	for _, s := range decls {
		switch d := s.(type) {
		case *ast.Decl:
			for _, it := range d.Items {
				if !free(it.Name) {
					continue
				}
				w := c.ownParameter(own, u, d, it)
				if w == nil {
					ok = false
				} else {
					u.Weights = append(u.Weights, w)
				}
				in = in.with(it.Name.Name, w)
			}
		case *ast.Let:
			if len(d.Names) != 1 {
				c.fail(nil, "E0223", d.Span(), "a `let` of a formula has one name").At("%d names", len(d.Names)).WithHelp("write one `let` for each")
				ok = false
				continue
			}
			v := c.expr(in, d.Value)
			if !free(d.Names[0]) {
				continue
			}
			if v == nil {
				ok = false
				in = in.with(d.Names[0].Name, nil)
				continue
			}
			l := &model.Symbol{Name: d.Names[0].Name, Kind: model.Local, Shape: v.Shape, Span: d.Names[0].Span(), Doc: d.Doc, Unit: c.annotation(d.Unit)}
			c.bound[l] = v
			wrap.Syms, wrap.Args = append(wrap.Syms, l), append(wrap.Args, v)
			in = in.with(l.Name, l)
		case *ast.Fn:
			if free(d.Name) {
				next := *in
				next.locals = &local{name: d.Name.Name, fn: d, home: in, up: in.locals}
				in = &next
			}
		default:
			c.fail(nil, "E0219", s.Span(), "this does not stand in a formula").At("not a `param`, `const`, `let` or `fn`").WithHelp("write `{param a = 1; param b = 0; …}`")
			ok = false
		}
	}
	var x *model.Expr
	if t, isTuple := ast.Unparen(body).(*ast.Tuple); isTuple {
		x = c.stacked(in, t)
	} else {
		x = c.expr(in, body)
	}
	if x == nil || !ok {
		return false
	}
	if len(wrap.Syms) > 0 {
		wrap.Args = append(wrap.Args, x)
		wrap.Shape, wrap.Span = x.Shape, x.Span
		x = wrap
	}
	if len(u.Outs) > 0 && !x.Shape.Equal(u.Shape) {
		c.fail(nil, "E0203", x.Span, "`%s` is declared with %d outputs, its formula has %s", u.Name, u.NOut, x.Shape).At("%s", x.Shape).
			WithHelp("give %d values, `(%s)`", u.NOut, strings.Join(u.Outs, ", "))
		return false
	}
	u.Formula, u.Shape, u.NOut = x, x.Shape, x.Shape.Size()
	return true
}

// ownParameter is a parameter of a formula: a weight of the unknown, held fast when it is a constant.
func (c *checker) ownParameter(cx *ctx, u *model.Unknown, d *ast.Decl, it *ast.Item) *model.Symbol {
	w := &model.Symbol{Name: u.Name + "." + it.Name.Name, Kind: model.Weight, Doc: it.Doc, Span: it.Name.Span(),
		Lo: math.Inf(-1), Hi: math.Inf(1), Unknown: u}
	if !c.fillSettable(cx, w, it, false) {
		return nil
	}
	w.Spec = sig.Weight{Name: it.Name.Name, Shape: w.Shape, Fixed: d.Kind == "const"}
	return w
}

// options evaluates the options of a representation and makes its weights.
func (c *checker) options(e *entry, u *model.Unknown, b *sig.Builtin, args []*ast.Arg, at diag.Span) bool {
	u.Rep = b
	u.Options = sig.Options{}
	cx := &ctx{stage: stageConst, what: "an option of `" + b.Name + "`", top: e.script}
	ok := true
	positional := 0
	for _, a := range args {
		var p *sig.Param
		if a.Name != nil {
			for i := range b.Params {
				if b.Params[i].Name == a.Name.Name {
					p = &b.Params[i]
				}
			}
			if p == nil {
				d := c.fail(cx, "E0224", a.Name.Span(), "`%s` has no option `%s`", b.Name, a.Name.Name).At("unknown option")
				suggest(d, a.Name.Name, paramNames(b), "it has: "+listing(paramNames(b)))
				ok = false
				continue
			}
		} else {
			if id, is := ast.Unparen(a.Value).(*ast.Ident); is && slices.ContainsFunc(u.Params, func(s *model.Symbol) bool { return s.Name == id.Name }) {
				var rest []string
				for _, o := range args {
					if o.Name != nil {
						rest = append(rest, o.Name.Name+" = "+ast.ExprString(o.Value))
					}
				}
				c.fail(cx, "E0225", a.Span(), "`%s` is an input of `%s`, not an option of `%s`", id.Name, u.Name, b.Name).At("the inputs are known already").
					WithHelp("write `%s(%s)`", b.Name, strings.Join(rest, ", "))
				return false
			}
			if positional >= len(b.Params) || b.Params[positional].NamedOnly {
				c.fail(cx, "E0224", a.Span(), "`%s` has no further option", b.Name).At("what is this?").WithHelp("name it: %s", listing(paramNames(b)))
				ok = false
				continue
			}
			p = &b.Params[positional]
			positional++
		}
		if _, twice := u.Options[p.Name]; twice {
			c.fail(cx, "E0224", a.Span(), "the option `%s` is given twice", p.Name).At("given again").WithHelp("leave one of them out")
			ok = false
			continue
		}
		o, good := c.option(cx, b, p, a.Value)
		ok = ok && good
		if good {
			u.Options[p.Name] = o
		}
	}
	if !ok {
		return false
	}
	if b.Weights == nil {
		c.refuse(b.Name, "the representation `"+b.Name+"`", at)
		return false
	}
	ws, err := b.Weights(u.Options, u.NIn, u.NOut)
	if err != nil {
		c.fail(cx, "E0225", at, "%v", err).At("in the options of `%s`", b.Name).WithHelp("see `help %s`", b.Name)
		return false
	}
	for _, w := range ws {
		u.Weights = append(u.Weights, &model.Symbol{Name: u.Name + "." + w.Name, Kind: model.Weight, Shape: w.Shape, Span: e.span,
			Lo: math.Inf(-1), Hi: math.Inf(1), Unknown: u, Spec: w})
	}
	return true
}

// option evaluates one option: a word (an activation, `auto`), a number or a list of numbers.
func (c *checker) option(cx *ctx, b *sig.Builtin, p *sig.Param, e ast.Expr) (sig.Option, bool) {
	id, isName := ast.Unparen(e).(*ast.Ident)
	if isName && strings.Contains(p.Type, "activation") {
		if _, ok := c.env.Lookup(id.Name, sig.Activation); ok {
			return sig.Option{Word: id.Name}, true
		}
		d := c.fail(cx, "E0225", id.Span(), "there is no activation `%s`", id.Name).At("not an activation")
		suggest(d, id.Name, c.env.Names(sig.Activation), "there are: "+listing(c.env.Names(sig.Activation)))
		return sig.Option{}, false
	}
	if isName && (strings.Contains(p.Type, "word") || id.Name == "auto" && strings.Contains(p.Type, "auto")) {
		return sig.Option{Word: id.Name}, true
	}
	if strings.Contains(p.Type, "activation") || strings.HasPrefix(p.Type, "word") {
		c.fail(cx, "E0225", e.Span(), "`%s` is %s", p.Name, article(p.Type)).At("not a word").WithHelp("for example `%s = %s`", p.Name, p.Default)
		return sig.Option{}, false
	}
	l, isList := ast.Unparen(e).(*ast.List)
	if !isList {
		v, ok := c.known(cx, e)
		return sig.Option{Nums: []float64{v}}, ok
	}
	o := sig.Option{List: true, Nums: []float64{}}
	ok := true
	for _, x := range l.Elems {
		v, good := c.known(cx, x)
		ok = ok && good
		o.Nums = append(o.Nums, v)
	}
	return o, ok
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// anonymous is a representation in place, NN(x, y, hidden = [5, 5]): what is given by position goes in. One place
// in the text is one function, however often it is inlined.
func (c *checker) anonymous(cx *ctx, b *sig.Builtin, call *ast.Call) *model.Expr {
	if cx.stage == stageConst || c.res != nil {
		c.fail(cx, "E0216", call.Span(), "%s has nothing to learn", cx.what).At("`%s` is a function to be learned", b.Name).WithHelp("it belongs in a model's equation or `let`")
		return nil
	}
	var inputs []ast.Expr
	var opts []*ast.Arg
	for _, a := range call.Args {
		if a.Name == nil {
			inputs = append(inputs, a.Value)
		} else {
			opts = append(opts, a)
		}
	}
	args, ok := c.exprs(cx, inputs)
	if len(inputs) == 0 {
		c.fail(cx, "E0207", call.Span(), "`%s` in place needs inputs", b.Name).At("nothing goes in").WithHelp("write `%s(x, …)`, or declare `unknown f(x) = %s(…)`", b.Name, b.Name)
		return nil
	}
	e, found := c.anon[call]
	if !found {
		e = &entry{name: b.Name, kind: kindUnknown, span: call.Fun.Span(), first: call.Span(), status: busy, used: true}
		c.anon[call] = e
		if !ok {
			e.status = bad
			return nil
		}
		u := &model.Unknown{Name: b.Name, NOut: 1, Span: call.Span(), Inputs: c.inputNames(args)}
		e.learned = u
		for i, a := range args {
			s := &model.Symbol{Name: "input " + itoa(i+1), Kind: model.Local, Shape: a.Shape, Span: a.Span}
			u.Params = append(u.Params, s)
			u.NIn += a.Shape.Size()
		}
		e.finish(c.options(e, u, b, opts, call.Span()))
	}
	if !ok || e.status != done {
		return nil
	}
	return c.applied(cx, e, args, call.Span())
}

// nameAnonymous numbers the in-place unknowns in the order of the text: NN1, NN2, …
func (c *checker) nameAnonymous() []*entry {
	var all []*entry
	for _, e := range c.anon {
		if e.status == done {
			all = append(all, e)
		}
	}
	// Those of the model come first; then those in functions of the script, wherever they stand.
	rank := func(e *entry) int {
		m := c.out.Span
		switch {
		case e.span.Src == m.Src && e.span.Lo >= m.Lo && e.span.Hi <= m.Hi:
			return 0
		case e.span.Src == m.Src:
			return 1
		}
		return 2
	}
	source := func(e *entry) string {
		if e.span.Src == nil {
			return ""
		}
		return e.span.Src.Name
	}
	slices.SortFunc(all, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(source(a), source(b)), cmp.Compare(a.span.Lo, b.span.Lo))
	})
	count := map[string]int{}
	for _, e := range all {
		base := e.learned.Rep.Name
		name := ""
		for {
			count[base]++
			name = base + itoa(count[base])
			if c.names[name] == nil {
				break
			}
		}
		e.learned.Name = name
		for _, w := range e.learned.Weights {
			w.Name = name + "." + w.Spec.Name
		}
	}
	return all
}
