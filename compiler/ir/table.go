package ir

import (
	"math"

	"github.com/udl-lang/udl/compiler/ir/libm"
)

// table has one row for every operation, in the order of the constants: its meaning and its
// derivatives. Every back end, the verifier, the printers and the tests read this table.
//
// The meanings are those of C's math.h with IEEE 754's infinities and NaN, with these
// rulings. Min and Max give NaN when either argument is NaN (fmin would hide it), and order −0 below 0. Sign
// of NaN is NaN, of ±0 is 0. Comparisons and logic give 1 or 0; a number is true when it is not
// zero, so NaN is true. Sums and products of arrays go in the order of the elements,
// each product rounded before it is added.
//
// Where a function has no derivative, the rules take: abs and sign at 0: 0; relu at 0: 0; min, max,
// and reductions by them at a tie: an equal share for each; steps (floor, comparisons, …): 0
// everywhere; hypot at the origin: 0; x^y by y at x = 0 < y: 0.
var table = [NumOps]Info{
	OpConst: {Name: "const", Class: Leaf},
	OpInput: {Name: "input", Class: Leaf},

	OpNeg:      fn1("neg", func(x float64) float64 { return -x }, linear(negated)),
	OpAbs:      fn1("abs", math.Abs, smooth(absChain)),
	OpSign:     fn1("sign", libm.Sign, step(1)),
	OpFloor:    fn1("floor", math.Floor, step(1)),
	OpCeil:     fn1("ceil", math.Ceil, step(1)),
	OpRound:    fn1("round", math.Round, step(1)),
	OpTrunc:    fn1("trunc", math.Trunc, step(1)),
	OpSqrt:     fn1("sqrt", math.Sqrt, smooth(sqrtChain)),
	OpCbrt:     fn1("cbrt", libm.Cbrt, smooth(cbrtChain)),
	OpExp:      fn1("exp", libm.Exp, smooth(expChain)),
	OpExp2:     fn1("exp2", libm.Exp2, smooth(exp2Chain)),
	OpExpm1:    fn1("expm1", libm.Expm1, smooth(expm1Chain)),
	OpLog:      fn1("log", libm.Log, smooth(logChain)),
	OpLog2:     fn1("log2", libm.Log2, smooth(log2Chain)),
	OpLog10:    fn1("log10", libm.Log10, smooth(log10Chain)),
	OpLog1p:    fn1("log1p", libm.Log1p, smooth(log1pChain)),
	OpSin:      fn1("sin", libm.Sin, smooth(sinChain)),
	OpCos:      fn1("cos", libm.Cos, smooth(cosChain)),
	OpTan:      fn1("tan", libm.Tan, smooth(tanChain)),
	OpAsin:     fn1("asin", libm.Asin, smooth(asinChain)),
	OpAcos:     fn1("acos", libm.Acos, smooth(acosChain)),
	OpAtan:     fn1("atan", libm.Atan, smooth(atanChain)),
	OpSinh:     fn1("sinh", libm.Sinh, smooth(sinhChain)),
	OpCosh:     fn1("cosh", libm.Cosh, smooth(coshChain)),
	OpTanh:     fn1("tanh", libm.Tanh, smooth(tanhChain)),
	OpAsinh:    fn1("asinh", libm.Asinh, smooth(asinhChain)),
	OpAcosh:    fn1("acosh", libm.Acosh, smooth(acoshChain)),
	OpAtanh:    fn1("atanh", libm.Atanh, smooth(atanhChain)),
	OpErf:      fn1("erf", libm.Erf, smooth(erfChain)),
	OpErfc:     fn1("erfc", libm.Erfc, smooth(erfcChain)),
	OpGamma:    fn1("gamma", libm.Gamma, smooth(gammaChain)),
	OpLgamma:   fn1("lgamma", libm.Lgamma, smooth(lgammaChain)),
	OpDigamma:  fn1("digamma", libm.Digamma, smooth(digammaChain)),
	OpTrigamma: fn1("trigamma", libm.Trigamma, smooth(trigammaChain)),
	OpSigmoid:  fn1("sigmoid", libm.Sigmoid, smooth(sigmoidChain)),
	OpSoftplus: fn1("softplus", libm.Softplus, smooth(softplusChain)),
	OpRelu:     fn1("relu", libm.Relu, linear(reluChain)),
	OpNot:      fn1("not", func(x float64) float64 { return truth(x == 0) }, step(1)),

	OpAdd:       infix("+", true, func(a, b float64) float64 { return a + b }, linear(same, same)),
	OpSub:       infix("-", false, func(a, b float64) float64 { return a - b }, linear(same, negated)),
	OpMul:       infix("*", true, func(a, b float64) float64 { return a * b }, smooth(timesSecond, timesFirst)),
	OpDiv:       infix("/", false, func(a, b float64) float64 { return a / b }, smooth(overSecond, divisorChain)),
	OpPow:       infix("^", false, libm.Pow, smooth(baseChain, exponentChain)),
	OpMin:       fn2("min", true, func(a, b float64) float64 { return min(a, b) }, linear(lesserChain(0), lesserChain(1))),
	OpMax:       fn2("max", true, func(a, b float64) float64 { return max(a, b) }, linear(greaterChain(0), greaterChain(1))),
	OpAtan2:     fn2("atan2", false, libm.Atan2, smooth(atan2YChain, atan2XChain)),
	OpHypot:     fn2("hypot", true, libm.Hypot, smooth(hypotChain(0), hypotChain(1))),
	OpMod:       fn2("fmod", false, libm.Mod, smooth(same, modulusChain)),
	OpPolygamma: fn2("polygamma", false, libm.Polygamma, smooth(nil, polygammaChain)),
	OpLt:        infix("<", false, func(a, b float64) float64 { return truth(a < b) }, step(2)),
	OpLe:        infix("<=", false, func(a, b float64) float64 { return truth(a <= b) }, step(2)),
	OpEq:        infix("==", true, func(a, b float64) float64 { return truth(a == b) }, step(2)),
	OpNe:        infix("!=", true, func(a, b float64) float64 { return truth(a != b) }, step(2)),
	OpAnd:       infix("and", true, func(a, b float64) float64 { return truth(a != 0 && b != 0) }, step(2)),
	OpOr:        infix("or", true, func(a, b float64) float64 { return truth(a != 0 || b != 0) }, step(2)),

	OpSelect: {Name: "select", Class: Elementwise, Arity: 3, Rule: selectRule, Eval: func(c, a, b float64) float64 {
		if c != 0 {
			return a
		}
		return b
	}},

	OpMatMul: {Name: "matmul", Class: Matrix, Arity: 2, Rule: matmulRule},
	OpOuter:  {Name: "outer", Class: Matrix, Arity: 2, Rule: outerRule},

	OpReshape: {Name: "reshape", Class: Structural, Arity: 1, Rule: reshapeRule},
	OpGather:  {Name: "gather", Class: Structural, Arity: 1, Rule: gatherRule},
	OpScatter: {Name: "scatter", Class: Structural, Arity: 1, Rule: scatterRule},
	OpConcat:  {Name: "concat", Class: Structural, Arity: -1, Rule: concatRule},

	OpSum:  {Name: "sum", Class: Reducing, Arity: 1, Rule: sumRule},
	OpProd: {Name: "prod", Class: Reducing, Arity: 1, Rule: prodRule},
	OpRMin: {Name: "rmin", Class: Reducing, Arity: 1, Rule: extremeRule},
	OpRMax: {Name: "rmax", Class: Reducing, Arity: 1, Rule: extremeRule},

	OpExt:     {Name: "ext", Class: Foreign, Arity: -1, Rule: extRule},
	OpExtGrad: {Name: "extgrad", Class: Foreign, Arity: -1},
}

// Info is the row of an operation.
func (op Op) Info() *Info { return &table[op] }

// String is the operation's name.
func (op Op) String() string {
	if op >= NumOps {
		return "?"
	}
	return table[op].Name
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func fn1(name string, f func(float64) float64, r Rule) Info {
	return Info{Name: name, Class: Elementwise, Arity: 1, Rule: r, Eval: func(a, _, _ float64) float64 { return f(a) }}
}

func fn2(name string, commutes bool, f func(a, b float64) float64, r Rule) Info {
	return Info{Name: name, Class: Elementwise, Arity: 2, Commutes: commutes, Rule: r, Eval: func(a, b, _ float64) float64 { return f(a, b) }}
}

func infix(name string, commutes bool, f func(a, b float64) float64, r Rule) Info {
	i := fn2(name, commutes, f, r)
	i.Infix = true
	return i
}
