package lower

import (
	"math"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/lang/types"
)

// index lowers x[a, b..c]: one gather, whose positions are computed now for every value of the
// index variables.
func (l *lowerer) index(e *model.Expr) val {
	base := l.expr(e.Args[0])
	own := e.Args[0].Shape
	vars := map[*model.Symbol]bool{}
	for _, ix := range e.Idx {
		if ix.At != nil {
			l.indexVars(ix.At, vars)
		}
	}
	var idxVal val
	for _, s := range l.loop {
		if vars[s] {
			idxVal.over = append(idxVal.over, s)
		}
	}
	over := l.union(base, idxVal)
	l.fit(e, over, e.Shape)

	baseStride := strides(own)
	baseOver := make([]int, len(base.over)) // stride of each loop axis of the base node
	acc := own.Size()
	for i := len(base.over) - 1; i >= 0; i-- {
		baseOver[i] = acc
		acc *= count(base.over[i])
	}

	full := append(append(types.Shape{}, dims(over)...), e.Shape...)
	out := make([]int, 0, full.Size())
	env := map[*model.Symbol]int{}
	for s, v := range l.fixed {
		env[s] = v
	}
	var loops func(d, off int)
	loops = func(d, off int) {
		if d < len(over) {
			s := over[d]
			stride := 0
			for i, t := range base.over {
				if t == s {
					stride = baseOver[i]
				}
			}
			for k := range count(s) {
				env[s] = s.Lo0 + k*s.Step
				loops(d+1, off+k*stride)
			}
			return
		}
		var walk func(a, off int)
		walk = func(a, off int) {
			if a == len(own) {
				out = append(out, off)
				return
			}
			if a >= len(e.Idx) { // trailing axes are whole
				for k := range own[a] {
					walk(a+1, off+k*baseStride[a])
				}
				return
			}
			ix := e.Idx[a]
			if ix.At == nil {
				for k := ix.Lo; ix.By > 0 && k <= ix.Hi || ix.By < 0 && k >= ix.Hi; k += ix.By {
					walk(a+1, off+(k-1)*baseStride[a])
				}
				return
			}
			k := integer(ix.At, env)
			if k < 1 || k > own[a] {
				panic(diag.New("E0205", ix.At.Span, "index %d is outside 1..%d", k, own[a]).
					At("reaches %d", k).WithHelp("change the range of the index, or the shape"))
			}
			walk(a+1, off+(k-1)*baseStride[a])
		}
		walk(0, off)
	}
	loops(0, 0)
	if len(full) == 0 {
		full = nil
	}
	return val{l.g.Gather(base.id, out, full), over}
}

func strides(s types.Shape) []int {
	out := make([]int, len(s))
	for d, n := len(s)-1, 1; d >= 0; d-- {
		out[d] = n
		n *= s[d]
	}
	return out
}

func (l *lowerer) indexVars(e *model.Expr, into map[*model.Symbol]bool) {
	if e.Op == model.Ref && e.Sym.Kind == model.IndexVar {
		if _, fixed := l.fixed[e.Sym]; !fixed {
			into[e.Sym] = true
		}
	}
	for _, a := range e.Args {
		l.indexVars(a, into)
	}
}

// integer evaluates an index expression.
func integer(e *model.Expr, env map[*model.Symbol]int) int {
	v := number(e, env)
	r := math.Round(v)
	if math.Abs(v-r) > 1e-9 || math.IsNaN(v) {
		panic(diag.New("E0206", e.Span, "an index must be a whole number, this is %g", v).
			WithHelp("use floor(…) or round(…)"))
	}
	return int(r)
}

func number(e *model.Expr, env map[*model.Symbol]int) float64 {
	arg := func(i int) float64 { return number(e.Args[i], env) }
	switch e.Op {
	case model.Num:
		return e.Val[0]
	case model.Ref:
		if k, ok := env[e.Sym]; ok {
			return float64(k)
		}
		if e.Sym.Def != nil {
			return number(e.Sym.Def, env)
		}
	case model.LetIn:
		if len(e.Syms) == 0 {
			return number(e.Args[0], env)
		}
	case model.If:
		if arg(0) != 0 {
			return arg(1)
		}
		return arg(2)
	case model.Call:
		if f, ok := indexOps[e.Name]; ok {
			a := arg(0)
			b := 0.0
			if len(e.Args) > 1 {
				b = arg(1)
			}
			return f(a, b)
		}
	}
	panic(diag.New("E0206", e.Span, "an index must be known before the run").
		WithHelp("use whole numbers, constants and index variables"))
}

var indexOps = map[string]func(a, b float64) float64{
	"+":   func(a, b float64) float64 { return a + b },
	"-":   func(a, b float64) float64 { return a - b },
	"*":   func(a, b float64) float64 { return a * b },
	"/":   func(a, b float64) float64 { return a / b },
	"^":   math.Pow,
	"neg": func(a, _ float64) float64 { return -a },
	"mod": func(a, b float64) float64 {
		r := math.Mod(a, b)
		if r != 0 && (r < 0) != (b < 0) {
			r += b
		}
		return r
	},
	"floor": func(a, _ float64) float64 { return math.Floor(a) },
	"ceil":  func(a, _ float64) float64 { return math.Ceil(a) },
	"round": func(a, _ float64) float64 { return math.Round(a) },
	"abs":   func(a, _ float64) float64 { return math.Abs(a) },
	"min":   math.Min,
	"max":   math.Max,
	"==":    func(a, b float64) float64 { return b2f(a == b) },
	"!=":    func(a, b float64) float64 { return b2f(a != b) },
	"<":     func(a, b float64) float64 { return b2f(a < b) },
	"<=":    func(a, b float64) float64 { return b2f(a <= b) },
	">":     func(a, b float64) float64 { return b2f(a > b) },
	">=":    func(a, b float64) float64 { return b2f(a >= b) },
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
