package opt

import (
	"math"

	"github.com/udl-lang/udl/compiler/ir"
)

var folds = []rule{fold}

// foldLimit is the largest constant that folding makes of smaller ones: a repeated number is
// cheaper than a table of it.
const foldLimit = 4096

func fold(w *walk, n *ir.Node, args []ir.ID) (ir.ID, bool) {
	if n.Op == ir.OpConst || n.Op.Info().Class == ir.Foreign || len(args) == 0 {
		return ir.None, false
	}
	size, vals := 0, make([][]float64, len(args))
	for i, a := range args {
		c := w.of(a, ir.OpConst)
		if c == nil {
			return ir.None, false
		}
		vals[i] = c.Data
		size += len(c.Data)
	}
	if s := n.Shape.Size(); s > foldLimit && s > size {
		return ir.None, false
	}
	c := *n
	c.Args = args
	return w.g.Const(n.Shape, w.g.Apply(&c, vals)...), true
}

// identities hold in IEEE arithmetic for every value, infinities and NaN included, up to the
// sign of a zero, which x + 0, 0 − x, −(a − b) and a − b for a + −b may change. Not among them, for
// they are not true of infinities and NaN: 0·x, x − x, x/x.
var identities = []rule{sums, differences, negations, products, quotients, choices, exponents, trivialMoves}

func sums(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if n.Op != ir.OpAdd {
		return ir.None, false
	}
	for i := range a {
		if w.is(a[i], 0) {
			return w.like(a[1-i], n), true
		}
	}
	for i := range a {
		if m := w.of(a[i], ir.OpNeg); m != nil {
			return w.do(ir.OpSub, a[1-i], m.Args[0]), true
		}
	}
	return ir.None, false
}

func differences(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if n.Op != ir.OpSub {
		return ir.None, false
	}
	if w.is(a[1], 0) {
		return w.like(a[0], n), true
	}
	if w.is(a[0], 0) {
		return w.like(w.do(ir.OpNeg, a[1]), n), true
	}
	if m := w.of(a[1], ir.OpNeg); m != nil {
		return w.do(ir.OpAdd, a[0], m.Args[0]), true
	}
	return ir.None, false
}

func negations(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if n.Op != ir.OpNeg {
		return ir.None, false
	}
	if m := w.of(a[0], ir.OpNeg); m != nil {
		return m.Args[0], true
	}
	if m := w.of(a[0], ir.OpSub); m != nil {
		return w.do(ir.OpSub, m.Args[1], m.Args[0]), true
	}
	return ir.None, false
}

func products(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if n.Op != ir.OpMul {
		return ir.None, false
	}
	for i := range a {
		switch {
		case w.is(a[i], 1):
			return w.like(a[1-i], n), true
		case w.is(a[i], -1):
			return w.like(w.do(ir.OpNeg, a[1-i]), n), true
		}
	}
	x, y := w.of(a[0], ir.OpNeg), w.of(a[1], ir.OpNeg)
	if x != nil && y != nil {
		return w.do(ir.OpMul, x.Args[0], y.Args[0]), true
	}
	return ir.None, false
}

// quotients by a power of two are products, to the bit; by any other constant they stay.
func quotients(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if n.Op != ir.OpDiv {
		return ir.None, false
	}
	v, ok := w.g.Uniform(a[1])
	if !ok {
		return ir.None, false
	}
	if f, e := math.Frexp(v); math.Abs(f) == 0.5 && e > -1000 && e < 1000 {
		return w.do(ir.OpMul, a[0], w.g.Num(1/v)), true
	}
	return ir.None, false
}

func choices(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	switch n.Op {
	case ir.OpSelect:
		if a[1] == a[2] {
			return w.like(a[1], n), true
		}
		if c, ok := w.g.Uniform(a[0]); ok {
			if c != 0 {
				return w.like(a[1], n), true
			}
			return w.like(a[2], n), true
		}
	case ir.OpMin, ir.OpMax:
		if a[0] == a[1] {
			return a[0], true
		}
	}
	return ir.None, false
}

func exponents(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if n.Op != ir.OpPow {
		return ir.None, false
	}
	switch {
	case w.is(a[1], 0):
		return w.like(w.g.Num(1), n), true
	case w.is(a[1], 1):
		return w.like(a[0], n), true
	}
	return ir.None, false
}

// trivialMoves are sums over axes of extent 1 and scatters that move nothing.
func trivialMoves(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	switch n.Op {
	case ir.OpSum, ir.OpProd, ir.OpRMin, ir.OpRMax:
		s := w.g.Shape(a[0])
		for _, d := range n.Ints {
			if s[d] != 1 {
				return ir.None, false
			}
		}
		return w.g.Reshape(a[0], n.Shape), true
	case ir.OpScatter:
		if len(n.Ints) != n.Shape.Size() {
			return ir.None, false
		}
		for i, k := range n.Ints {
			if i != k {
				return ir.None, false
			}
		}
		return w.g.Reshape(a[0], n.Shape), true
	}
	return ir.None, false
}

var powers = []rule{power}

// power turns xᵏ for whole |k| up to 8 into products, within k/2 ulp of the power (Knuth, The Art of
// Computer Programming 2, 4.6.3), and x^±0.5 into roots, which differ from the power
// only at −0 and −∞.
func power(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if n.Op != ir.OpPow {
		return ir.None, false
	}
	v, ok := w.g.Uniform(a[1])
	if !ok {
		return ir.None, false
	}
	g, k := w.g, math.Abs(v)
	var p ir.ID
	switch {
	case k == 0.5:
		p = g.Do(ir.OpSqrt, a[0])
	case k == math.Trunc(k) && k >= 1 && k <= 8:
		p = ir.None
		for sq, left := a[0], int(k); ; sq = g.Mul(sq, sq) {
			if left&1 == 1 {
				if p == ir.None {
					p = sq
				} else {
					p = g.Mul(p, sq)
				}
			}
			if left >>= 1; left == 0 {
				break
			}
		}
	default:
		return ir.None, false
	}
	if v < 0 {
		p = g.Div(g.Num(1), p)
	}
	return w.like(p, n), true
}

var order = []rule{commute}

// commute uses b*a where that is there already. It does not sort operands: messages show the user's order.
func commute(w *walk, n *ir.Node, a []ir.ID) (ir.ID, bool) {
	if !n.Op.Info().Commutes || a[0] == a[1] {
		return ir.None, false
	}
	return w.g.Find(n, []ir.ID{a[1], a[0]})
}
