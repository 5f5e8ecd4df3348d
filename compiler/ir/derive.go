package ir

import "math"

// The chains of the elementwise operations (see chain). Forms are chosen for accuracy where
// the textbook's cancel: (1 − x)(1 + x) for 1 − x², hypot(x, 1) for √(x² + 1).

func same(_ *Graph, _ ID, _ []ID, c ID) ID        { return c }
func negated(g *Graph, _ ID, _ []ID, c ID) ID     { return g.Neg(c) }
func timesFirst(g *Graph, _ ID, x []ID, c ID) ID  { return g.Mul(c, x[0]) }
func timesSecond(g *Graph, _ ID, x []ID, c ID) ID { return g.Mul(c, x[1]) }
func overSecond(g *Graph, _ ID, x []ID, c ID) ID  { return g.Div(c, x[1]) }

func divisorChain(g *Graph, n ID, x []ID, c ID) ID {
	return g.Neg(g.Mul(c, g.Div(n, x[1])))
}

func absChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Mul(c, g.Do(OpSign, x[0])) }

func sqrtChain(g *Graph, n ID, _ []ID, c ID) ID { return g.Div(c, g.Mul(g.Num(2), n)) }

func cbrtChain(g *Graph, n ID, _ []ID, c ID) ID {
	return g.Div(c, g.Mul(g.Num(3), g.Mul(n, n)))
}

func expChain(g *Graph, n ID, _ []ID, c ID) ID  { return g.Mul(c, n) }
func exp2Chain(g *Graph, n ID, _ []ID, c ID) ID { return g.Mul(c, g.Mul(g.Num(math.Ln2), n)) }

// expm1Chain is not n + 1, which has lost all digits where x is very negative.
func expm1Chain(g *Graph, _ ID, x []ID, c ID) ID { return g.Mul(c, g.Do(OpExp, x[0])) }

func logChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Div(c, x[0]) }

func log2Chain(g *Graph, _ ID, x []ID, c ID) ID { return g.Div(c, g.Mul(g.Num(math.Ln2), x[0])) }

func log10Chain(g *Graph, _ ID, x []ID, c ID) ID { return g.Div(c, g.Mul(g.Num(math.Ln10), x[0])) }

func log1pChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Div(c, g.Add(g.Num(1), x[0])) }

func sinChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Mul(c, g.Do(OpCos, x[0])) }
func cosChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Neg(g.Mul(c, g.Do(OpSin, x[0]))) }
func tanChain(g *Graph, n ID, _ []ID, c ID) ID {
	return g.Mul(c, g.Add(g.Num(1), g.Mul(n, n)))
}

// oneLess is (1 − x)(1 + x).
func oneLess(g *Graph, x ID) ID {
	return g.Mul(g.Sub(g.Num(1), x), g.Add(g.Num(1), x))
}

func asinChain(g *Graph, _ ID, x []ID, c ID) ID {
	return g.Div(c, g.Do(OpSqrt, oneLess(g, x[0])))
}
func acosChain(g *Graph, n ID, x []ID, c ID) ID { return g.Neg(asinChain(g, n, x, c)) }
func atanChain(g *Graph, _ ID, x []ID, c ID) ID {
	return g.Div(c, g.Add(g.Num(1), g.Mul(x[0], x[0])))
}

func sinhChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Mul(c, g.Do(OpCosh, x[0])) }
func coshChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Mul(c, g.Do(OpSinh, x[0])) }
func tanhChain(g *Graph, n ID, _ []ID, c ID) ID {
	return g.Mul(c, g.Sub(g.Num(1), g.Mul(n, n)))
}

func asinhChain(g *Graph, _ ID, x []ID, c ID) ID {
	return g.Div(c, g.Do(OpHypot, x[0], g.Num(1)))
}

func acoshChain(g *Graph, _ ID, x []ID, c ID) ID {
	one := g.Num(1)
	return g.Div(c, g.Mul(g.Do(OpSqrt, g.Sub(x[0], one)), g.Do(OpSqrt, g.Add(x[0], one))))
}
func atanhChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Div(c, oneLess(g, x[0])) }

func bell(g *Graph, x ID, k float64) ID {
	return g.Mul(g.Num(k), g.Do(OpExp, g.Neg(g.Mul(x, x))))
}
func erfChain(g *Graph, _ ID, x []ID, c ID) ID {
	return g.Mul(c, bell(g, x[0], 2/math.SqrtPi))
}
func erfcChain(g *Graph, _ ID, x []ID, c ID) ID {
	return g.Mul(c, bell(g, x[0], -2/math.SqrtPi))
}

func gammaChain(g *Graph, n ID, x []ID, c ID) ID {
	return g.Mul(c, g.Mul(n, g.Do(OpDigamma, x[0])))
}
func lgammaChain(g *Graph, _ ID, x []ID, c ID) ID  { return g.Mul(c, g.Do(OpDigamma, x[0])) }
func digammaChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Mul(c, g.Do(OpTrigamma, x[0])) }
func trigammaChain(g *Graph, _ ID, x []ID, c ID) ID {
	return g.Mul(c, g.Do(OpPolygamma, g.Num(2), x[0]))
}
func polygammaChain(g *Graph, _ ID, x []ID, c ID) ID {
	return g.Mul(c, g.Do(OpPolygamma, g.Add(x[0], g.Num(1)), x[1]))
}

func sigmoidChain(g *Graph, n ID, _ []ID, c ID) ID {
	return g.Mul(c, g.Mul(n, g.Sub(g.Num(1), n)))
}
func softplusChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Mul(c, g.Do(OpSigmoid, x[0])) }

func reluChain(g *Graph, _ ID, x []ID, c ID) ID {
	return g.Select(g.Do(OpLt, g.Num(0), x[0]), c, g.Num(0))
}

// baseChain is y x^(y−1). A constant exponent spares the general power where it can; y = 0
// must not ask for 0·x⁻¹ at x = 0.
func baseChain(g *Graph, _ ID, x []ID, c ID) ID {
	a, y := x[0], x[1]
	if v, ok := g.Uniform(y); ok {
		switch v {
		case 0:
			return None
		case 1:
			return c
		case 2:
			return g.Mul(c, g.Mul(g.Num(2), a))
		}
		return g.Mul(c, g.Mul(g.Num(v), g.Do(OpPow, a, g.Num(v-1))))
	}
	d := g.Mul(y, g.Do(OpPow, a, g.Sub(y, g.Num(1))))
	return g.Mul(c, g.Select(g.Do(OpEq, y, g.Num(0)), g.Num(0), d))
}

// exponentChain is x^y log x: 0 at x = 0 < y, where the limit is 0 and the product 0·∞, and zero
// for a c of zero, so that a negative base does no harm to who does not move the exponent.
func exponentChain(g *Graph, n ID, x []ID, c ID) ID {
	zero := g.Num(0)
	limit := g.Do(OpAnd, g.Do(OpEq, x[0], zero), g.Do(OpLt, zero, x[1]))
	d := g.Select(limit, zero, g.Mul(n, g.Do(OpLog, x[0])))
	return g.Select(g.Do(OpEq, c, zero), zero, g.Mul(c, d))
}

// lesserChain and greaterChain give the argument that was chosen all, at a tie half.
func lesserChain(i int) chain {
	return func(g *Graph, _ ID, x []ID, c ID) ID { return chosen(g, x[i], x[1-i], x, c) }
}

func greaterChain(i int) chain {
	return func(g *Graph, _ ID, x []ID, c ID) ID { return chosen(g, x[1-i], x[i], x, c) }
}

func chosen(g *Graph, lo, hi ID, x []ID, c ID) ID {
	tie := g.Select(g.Do(OpEq, x[0], x[1]), g.Mul(g.Num(0.5), c), g.Num(0))
	return g.Select(g.Do(OpLt, lo, hi), c, tie)
}

func atan2YChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Mul(c, polar(g, x[1], x)) }
func atan2XChain(g *Graph, _ ID, x []ID, c ID) ID { return g.Neg(g.Mul(c, polar(g, x[0], x))) }

// polar is a/r² of the point (y, x), as (a/r)/r so that r² does not overflow.
func polar(g *Graph, a ID, yx []ID) ID {
	r := g.Do(OpHypot, yx[0], yx[1])
	return g.Div(g.Div(a, r), r)
}

func hypotChain(i int) chain {
	return func(g *Graph, n ID, x []ID, c ID) ID {
		zero := g.Num(0)
		return g.Mul(c, g.Select(g.Do(OpEq, n, zero), zero, g.Div(x[i], n)))
	}
}

func modulusChain(g *Graph, _ ID, x []ID, c ID) ID {
	return g.Neg(g.Mul(c, g.Do(OpTrunc, g.Div(x[0], x[1]))))
}
