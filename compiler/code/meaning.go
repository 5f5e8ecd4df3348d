package code

import (
	"math"

	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/ir"
)

// meaning builds an elementwise operation out of block operations; unused operands are 0.
type meaning func(b *blocks, x, y, z block.Value) block.Value

// meanings has a row for every elementwise operation that generated code can do; the others are done by the reference between pieces of
// generated code. A row says what the row of the operation in package ir says, NaN, infinities and the sign of
// zero included, to 2 ulp where that calls a function.
var meanings = [ir.NumOps]meaning{
	ir.OpNeg:   func(b *blocks, x, _, _ block.Value) block.Value { return b.Neg(x) },
	ir.OpAbs:   func(b *blocks, x, _, _ block.Value) block.Value { return b.Abs(x) },
	ir.OpSign:  func(b *blocks, x, _, _ block.Value) block.Value { return b.sign(x) },
	ir.OpFloor: rounded(block.ToFloor),
	ir.OpCeil:  rounded(block.ToCeil),
	ir.OpTrunc: rounded(block.ToTrunc),
	ir.OpRound: func(b *blocks, x, _, _ block.Value) block.Value { return b.round(x) },
	ir.OpSqrt:  func(b *blocks, x, _, _ block.Value) block.Value { return b.Sqrt(x) },
	ir.OpExp:   func(b *blocks, x, _, _ block.Value) block.Value { return b.Exp(x) },
	ir.OpExpm1: func(b *blocks, x, _, _ block.Value) block.Value { return b.Expm1(x) },
	ir.OpLog:   func(b *blocks, x, _, _ block.Value) block.Value { return b.Log(x) },
	ir.OpLog1p: func(b *blocks, x, _, _ block.Value) block.Value { return b.Log1p(x) },
	ir.OpSin:   func(b *blocks, x, _, _ block.Value) block.Value { return b.Sin(x) },
	ir.OpCos:   func(b *blocks, x, _, _ block.Value) block.Value { return b.Cos(x) },
	ir.OpTanh:  func(b *blocks, x, _, _ block.Value) block.Value { return b.Tanh(x) },
	ir.OpSigmoid: func(b *blocks, x, _, _ block.Value) block.Value {
		return b.Sigmoid(x)
	},
	ir.OpSoftplus: func(b *blocks, x, _, _ block.Value) block.Value {
		return b.Add(b.extreme(x, b.Const(0), false), b.Log1p(b.Exp(b.Neg(b.Abs(x)))))
	},
	// 0 > x ? 0 : x lets NaN through; the sum turns −0 into 0.
	ir.OpRelu: func(b *blocks, x, _, _ block.Value) block.Value { return b.Add(b.Max(b.Const(0), x), b.Const(0)) },
	ir.OpNot:  func(b *blocks, x, _, _ block.Value) block.Value { return b.number(b.MaskNot(b.truth(x))) },

	ir.OpAdd: func(b *blocks, x, y, _ block.Value) block.Value { return b.Add(x, y) },
	ir.OpSub: func(b *blocks, x, y, _ block.Value) block.Value { return b.Sub(x, y) },
	ir.OpMul: func(b *blocks, x, y, _ block.Value) block.Value { return b.Mul(x, y) },
	ir.OpDiv: func(b *blocks, x, y, _ block.Value) block.Value { return b.Div(x, y) },
	ir.OpPow: func(b *blocks, x, y, _ block.Value) block.Value { return b.Pow(x, y) },
	ir.OpMin: func(b *blocks, x, y, _ block.Value) block.Value { return b.extreme(x, y, true) },
	ir.OpMax: func(b *blocks, x, y, _ block.Value) block.Value { return b.extreme(x, y, false) },
	ir.OpLt:  func(b *blocks, x, y, _ block.Value) block.Value { return b.number(b.LT(x, y)) },
	ir.OpLe:  func(b *blocks, x, y, _ block.Value) block.Value { return b.number(b.LE(x, y)) },
	ir.OpEq:  func(b *blocks, x, y, _ block.Value) block.Value { return b.number(b.EQ(x, y)) },
	ir.OpNe:  func(b *blocks, x, y, _ block.Value) block.Value { return b.number(b.Cmp(block.NE, x, y)) },
	ir.OpAnd: func(b *blocks, x, y, _ block.Value) block.Value {
		return b.number(b.MaskAnd(b.truth(x), b.truth(y)))
	},
	ir.OpOr: func(b *blocks, x, y, _ block.Value) block.Value {
		return b.number(b.MaskOr(b.truth(x), b.truth(y)))
	},
	ir.OpSelect: func(b *blocks, c, x, y block.Value) block.Value { return b.Select(b.truth(c), x, y) },
}

func rounded(mode uint8) meaning {
	return func(b *blocks, x, _, _ block.Value) block.Value { return b.Round(x, mode) }
}

// blocks is a block under construction. Truth values are numbers in a graph and masks in a block; it remembers which number
// stands for which mask.
type blocks struct {
	*block.Builder
	masks map[block.Value]block.Value
}

func newBlocks(bases ...block.Layout) *blocks {
	return &blocks{Builder: block.NewBuilder(bases...), masks: map[block.Value]block.Value{}}
}

// number is 1 where a mask is set, else 0.
func (b *blocks) number(m block.Value) block.Value {
	v := b.Select(m, b.Const(1), b.Const(0))
	b.masks[v] = m
	return v
}

// truth is the mask of the numbers that are not 0; NaN is true.
func (b *blocks) truth(x block.Value) block.Value {
	if m, ok := b.masks[x]; ok {
		return m
	}
	return b.Cmp(block.NE, x, b.Const(0))
}

// extreme is the lesser or the greater; NaN if either is, and −0 below 0.
func (b *blocks) extreme(x, y block.Value, least bool) block.Value {
	var r, tie block.Value
	if least {
		r, tie = b.Min(x, y), b.Or(x, y)
	} else {
		r, tie = b.Max(x, y), b.And(x, y)
	}
	r = b.Select(b.EQ(x, y), tie, r)
	return b.Select(b.Cmp(block.Unordered, x, y), b.Add(x, y), r)
}

// sign is −1, 0 or 1; NaN stays.
func (b *blocks) sign(x block.Value) block.Value {
	one := b.Or(b.And(x, b.Bits(1<<63)), b.Const(1))
	r := b.Select(b.EQ(x, b.Const(0)), b.Const(0), one)
	return b.Select(b.IsNaN(x), x, r)
}

// round is to the nearest integer, a half away from zero.
func (b *blocks) round(x block.Value) block.Value {
	t := b.Round(x, block.ToTrunc)
	sign := b.And(x, b.Bits(1<<63))
	step := b.Select(b.LE(b.Const(0.5), b.Abs(b.Sub(x, t))), b.Or(sign, b.Const(1)), sign)
	return b.Or(b.Add(t, step), sign)
}

// sum adds products in the order that all generated code keeps: many go into two or four partial sums, so that the
// additions need not wait for each other. mul gives the factors of product k.
func (b *blocks) sum(n int, mul func(k int) (x, y block.Value)) block.Value {
	if n == 0 {
		return b.Const(0)
	}
	parts := partial(n)
	var s [4]block.Value
	for k := range n {
		x, y := mul(k)
		if k < parts {
			s[k] = b.Mul(x, y)
		} else {
			s[k%parts] = b.FMA(x, y, s[k%parts])
		}
	}
	switch parts {
	case 1:
		return s[0]
	case 2:
		return b.Add(s[0], s[1])
	}
	return b.Add(b.Add(s[0], s[1]), b.Add(s[2], s[3]))
}

// partial is the number of partial sums of n terms.
func partial(n int) int {
	switch {
	case n < 4:
		return 1
	case n < 8:
		return 2
	}
	return 4
}

// reduce folds n values, in the order of sum.
func (b *blocks) reduce(op ir.Op, n int, at func(k int) block.Value) block.Value {
	if n == 0 {
		return b.Const(ir.Start(op))
	}
	join := map[ir.Op]func(x, y block.Value) block.Value{
		ir.OpSum: b.Add, ir.OpProd: b.Mul,
		ir.OpRMin: func(x, y block.Value) block.Value { return b.extreme(x, y, true) },
		ir.OpRMax: func(x, y block.Value) block.Value { return b.extreme(x, y, false) },
	}[op]
	parts := partial(n)
	var s [4]block.Value
	for k := range n {
		if k < parts {
			s[k] = at(k)
		} else {
			s[k%parts] = join(s[k%parts], at(k))
		}
	}
	switch parts {
	case 1:
		return s[0]
	case 2:
		return join(s[0], s[1])
	}
	return join(join(s[0], s[1]), join(s[2], s[3]))
}

// elementwise builds node n from its operands. A product that only this sum or difference reads is fused with it: factors gives the
// factors of operand i, if it is one.
func (b *blocks) elementwise(n *ir.Node, operand func(i int) block.Value, factors func(i int) (x, y block.Value, ok bool)) block.Value {
	if n.Op == ir.OpAdd || n.Op == ir.OpSub {
		if x, y, ok := factors(1); ok {
			if n.Op == ir.OpAdd {
				return b.FMA(x, y, operand(0))
			}
			return b.FNMA(x, y, operand(0))
		}
		if x, y, ok := factors(0); ok {
			if n.Op == ir.OpAdd {
				return b.FMA(x, y, operand(1))
			}
			return b.FMS(x, y, operand(1))
		}
	}
	var x [3]block.Value
	for i := range n.Args {
		x[i] = operand(i)
	}
	return meanings[n.Op](b, x[0], x[1], x[2])
}

// scalarCost is roughly how many instructions of generated code an operation is, for one element.
func scalarCost(op ir.Op) int {
	switch op {
	case ir.OpTanh, ir.OpExp, ir.OpExpm1, ir.OpSigmoid, ir.OpLog, ir.OpLog1p:
		return 30
	case ir.OpSin, ir.OpCos, ir.OpSoftplus:
		return 60
	case ir.OpPow:
		return 120
	case ir.OpDiv, ir.OpSqrt:
		return 4
	}
	return 1
}

// uniform is the number that all elements of a constant are, bit for bit.
func uniform(data []float64) (float64, bool) {
	for _, v := range data {
		if math.Float64bits(v) != math.Float64bits(data[0]) {
			return 0, false
		}
	}
	return data[0], len(data) > 0
}
