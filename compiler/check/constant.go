package check

import (
	"math"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/model"
)

// static reduces an expression to what is known before the run: a number, or arithmetic on index variables. A
// constant that goes into it fixes a shape or an index from now on, and can no longer be set. The second result is the
// part that is not known, nil when all is well.
func (c *checker) static(e *model.Expr) (*model.Expr, *model.Expr) {
	switch e.Op {
	case model.Num:
		if len(e.Val) == 1 {
			return e, nil
		}
	case model.Ref:
		switch s := e.Sym; {
		case s.Kind == model.IndexVar:
			return e, nil
		case s.Kind == model.Const && s.Def != nil && s.Shape.IsScalar():
			s.Structural = true
			v, no := c.static(s.Def)
			if no != nil {
				return nil, e
			}
			return num(v.Val[0], e.Span), nil
		case s.Kind == model.Local && c.bound[s] != nil:
			return c.static(c.bound[s])
		}
	case model.LetIn:
		return c.static(e.Args[len(e.Syms)])
	case model.If:
		cond, no := c.static(e.Args[0])
		if no != nil {
			return nil, no
		}
		if cond.Op == model.Num {
			if cond.Val[0] != 0 {
				return c.static(e.Args[1])
			}
			return c.static(e.Args[2])
		}
		out := &model.Expr{Op: model.If, Args: []*model.Expr{cond}, Span: e.Span}
		for _, a := range e.Args[1:] {
			v, no := c.static(a)
			if no != nil {
				return nil, no
			}
			out.Args = append(out.Args, v)
		}
		return out, nil
	case model.Call:
		if e.Name == "length" && len(e.Args) == 1 {
			return num(float64(e.Args[0].Shape.Size()), e.Span), nil
		}
		f, inIndex := indexOps[e.Name]
		if !inIndex {
			f = constOps[e.Name]
		}
		if f == nil || len(e.Args) > 2 || !e.Shape.IsScalar() {
			return nil, e
		}
		out := &model.Expr{Op: model.Call, Name: e.Name, Span: e.Span}
		known := true
		for _, a := range e.Args {
			if !a.Shape.IsScalar() {
				return nil, a
			}
			v, no := c.static(a)
			if no != nil {
				return nil, no
			}
			known = known && v.Op == model.Num
			out.Args = append(out.Args, v)
		}
		if known {
			return num(apply(f, out.Args, nil), e.Span), nil
		}
		if !inIndex {
			return nil, e
		}
		return out, nil
	}
	return nil, e
}

// apply calls a compile-time function of one or two arguments.
func apply(f func(a, b float64) float64, args []*model.Expr, env map[*model.Symbol]int) float64 {
	a := evaluate(args[0], env)
	if len(args) < 2 {
		return f(a, math.NaN())
	}
	return f(a, evaluate(args[1], env))
}

// evaluate is the value of a static expression for given values of the index variables.
func evaluate(e *model.Expr, env map[*model.Symbol]int) float64 {
	switch e.Op {
	case model.Num:
		return e.Val[0]
	case model.Ref:
		return float64(env[e.Sym])
	case model.If:
		if evaluate(e.Args[0], env) != 0 {
			return evaluate(e.Args[1], env)
		}
		return evaluate(e.Args[2], env)
	}
	return apply(indexOps[e.Name], e.Args, env)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// least and most take one argument as it is, so that min(3) is 3.
func least(a, b float64) float64 {
	if math.IsNaN(b) {
		return a
	}
	return math.Min(a, b)
}

func most(a, b float64) float64 {
	if math.IsNaN(b) {
		return a
	}
	return math.Max(a, b)
}

// indexOps are the operations that an index may do with index variables.
var indexOps = map[string]func(a, b float64) float64{
	"+": func(a, b float64) float64 { return a + b }, "-": func(a, b float64) float64 { return a - b },
	"*": func(a, b float64) float64 { return a * b }, "/": func(a, b float64) float64 { return a / b },
	"^": math.Pow, "neg": func(a, _ float64) float64 { return -a },
	"mod":   func(a, b float64) float64 { return a - b*math.Floor(a/b) },
	"floor": func(a, _ float64) float64 { return math.Floor(a) }, "ceil": func(a, _ float64) float64 { return math.Ceil(a) },
	"round": func(a, _ float64) float64 { return math.Round(a) }, "abs": func(a, _ float64) float64 { return math.Abs(a) },
	"min": least, "max": most,
	"==": func(a, b float64) float64 { return truth(a == b) }, "!=": func(a, b float64) float64 { return truth(a != b) },
	"<": func(a, b float64) float64 { return truth(a < b) }, "<=": func(a, b float64) float64 { return truth(a <= b) },
	">": func(a, b float64) float64 { return truth(a > b) }, ">=": func(a, b float64) float64 { return truth(a >= b) },
}

// constOps are further functions that bounds, extents and options may use of numbers.
var constOps = map[string]func(a, b float64) float64{
	"sqrt": func(a, _ float64) float64 { return math.Sqrt(a) }, "cbrt": func(a, _ float64) float64 { return math.Cbrt(a) },
	"exp": func(a, _ float64) float64 { return math.Exp(a) }, "log": func(a, _ float64) float64 { return math.Log(a) },
	"log2": func(a, _ float64) float64 { return math.Log2(a) }, "log10": func(a, _ float64) float64 { return math.Log10(a) },
	"sin": func(a, _ float64) float64 { return math.Sin(a) }, "cos": func(a, _ float64) float64 { return math.Cos(a) },
	"tan": func(a, _ float64) float64 { return math.Tan(a) }, "pow": math.Pow, "trunc": func(a, _ float64) float64 { return math.Trunc(a) },
	"and": func(a, b float64) float64 { return truth(a != 0 && b != 0) }, "or": func(a, b float64) float64 { return truth(a != 0 || b != 0) },
	"not": func(a, _ float64) float64 { return truth(a == 0) },
}

// known evaluates an expression that must be a number before the run.
func (c *checker) known(cx *ctx, e ast.Expr) (float64, bool) {
	x := c.expr(cx, e)
	if x == nil {
		return 0, false
	}
	if !x.Shape.IsScalar() {
		c.fail(cx, "E0204", x.Span, "a single number is wanted").At("%s", x.Shape).WithHelp("take one element")
		return 0, false
	}
	v, no := c.static(x)
	if no == nil && v.Op == model.Num {
		return v.Val[0], true
	}
	c.notKnown(cx, no, x)
	return 0, false
}

// notKnown reports the part of an expression that is not known before the run.
func (c *checker) notKnown(cx *ctx, no, whole *model.Expr) {
	at := whole.Span
	if no != nil {
		at = no.Span
	}
	d := c.fail(cx, "E0206", at, "this must be known before the run")
	switch {
	case no == nil:
		d.At("depends on an index").WithHelp("ranges and extents are fixed; choose inside with `if j < i then … else 0`")
	case no.Op == model.Ref && no.Sym.Kind == model.Param:
		d.At("`%s` is a parameter, which training may change", no.Sym.Name).WithHelp("make it a `const`")
	case no.Op == model.Ref:
		d.At("`%s` is %s", no.Sym.Name, c.described(no.Sym)).WithHelp("use whole numbers, constants and index variables")
	default:
		d.At("not arithmetic on numbers, constants and indices").WithHelp("use whole numbers, constants and index variables")
	}
}

func (c *checker) described(s *model.Symbol) string {
	switch s.Kind {
	case model.State, model.Latent, model.Discrete:
		return "a state"
	case model.Let:
		if s.Input {
			return "an input"
		}
		return "a `let`"
	case model.Const:
		if !s.Shape.IsScalar() {
			return "an array"
		}
		return "a constant without a known value"
	case model.Time:
		return "the time"
	}
	return "not known before the run"
}

// wholeNumber evaluates an expression that must be a whole number before the run.
func (c *checker) wholeNumber(cx *ctx, e ast.Expr) (int, bool) {
	v, ok := c.known(cx, e)
	if !ok {
		return 0, false
	}
	n, ok := whole(v)
	if !ok {
		c.fail(cx, "E0206", e.Span(), "a whole number is wanted, this is %g", v).At("%g", v).WithHelp("use `floor(…)` or `round(…)`")
	}
	return n, ok
}

// whole rounds what is a whole number but for rounding.
func whole(v float64) (int, bool) {
	r := math.Round(v)
	if math.Abs(v-r) > 1e-9 || math.IsNaN(v) || math.Abs(r) > 1<<40 {
		return 0, false
	}
	return int(r), true
}

// values are the elements of a default as far as they are known without running anything; nil when they are not.
func (c *checker) values(e *model.Expr) []float64 {
	switch e.Op {
	case model.Num:
		return e.Val
	case model.List:
		var out []float64
		for _, a := range e.Args {
			v := c.values(a)
			if v == nil {
				return nil
			}
			out = append(out, v...)
		}
		return out
	}
	if !e.Shape.IsScalar() || usesConst(e) {
		return nil
	}
	if v, no := c.static(e); no == nil && v.Op == model.Num {
		return v.Val
	}
	return nil
}

// usesConst keeps values from fixing constants that are only looked at.
func usesConst(e *model.Expr) bool {
	found := false
	e.Walk(func(x *model.Expr) bool {
		found = found || x.Op == model.Ref
		return !found
	})
	return found
}
