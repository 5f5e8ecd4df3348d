package stdlib

import (
	"math"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/sig"
)

// op1, op2 and op3 are builtins that are one operation of the graph.
func op1(op ir.Op) lower.Func { return func(g *ir.Graph, a []ir.ID) ir.ID { return g.Do(op, a[0]) } }
func op2(op ir.Op) lower.Func {
	return func(g *ir.Graph, a []ir.ID) ir.ID { return g.Do(op, a[0], a[1]) }
}

// swapped is op2 with its arguments exchanged: a > b is b < a.
func swapped(op ir.Op) lower.Func {
	return func(g *ir.Graph, a []ir.ID) ir.ID { return g.Do(op, a[1], a[0]) }
}

var x1 = []sig.Param{{Name: "x", Type: "number or array"}}
var xy = []sig.Param{{Name: "x", Type: "number or array"}, {Name: "y", Type: "number or array"}}

func fn1(name, doc, example string, unit sig.UnitRule, f lower.Func) Row {
	return Row{Builtin: sig.Builtin{Name: name, Kind: sig.Function, Params: x1, Result: "number or array", Doc: doc,
		Example: example, Shaper: sig.Elementwise, Unit: unit}, Lower: f}
}

func fn2(name, doc, example string, unit sig.UnitRule, f lower.Func) Row {
	r := fn1(name, doc, example, unit, f)
	r.Params = xy
	return r
}

func operator(name string, n int, unit sig.UnitRule, f lower.Func) Row {
	r := fn2(name, "operator", "", unit, f)
	r.Hidden = true
	r.Params = xy[:n]
	return r
}

// operators are the infix and prefix operators; @ stands with the arrays.
var operators = []Row{
	operator("+", 2, sig.SameUnit, op2(ir.OpAdd)),
	operator("-", 2, sig.SameUnit, op2(ir.OpSub)),
	operator("*", 2, sig.ProductUnit, op2(ir.OpMul)),
	operator("/", 2, sig.QuotientUnit, op2(ir.OpDiv)),
	operator("^", 2, sig.Dimensionless, op2(ir.OpPow)),
	operator("neg", 1, sig.SameUnit, op1(ir.OpNeg)),
	operator("==", 2, sig.AngleOf, op2(ir.OpEq)),
	operator("!=", 2, sig.AngleOf, op2(ir.OpNe)),
	operator("<", 2, sig.AngleOf, op2(ir.OpLt)),
	operator("<=", 2, sig.AngleOf, op2(ir.OpLe)),
	operator(">", 2, sig.AngleOf, swapped(ir.OpLt)),
	operator(">=", 2, sig.AngleOf, swapped(ir.OpLe)),
	operator("and", 2, sig.PlainResult, op2(ir.OpAnd)),
	operator("or", 2, sig.PlainResult, op2(ir.OpOr)),
	operator("not", 1, sig.PlainResult, op1(ir.OpNot)),
}

// elementary are the functions of C's math.h and NumPy that every scientist knows.
var elementary = []Row{
	fn1("exp", "e to the power x.", "exp(1)", "", op1(ir.OpExp)),
	fn1("exp2", "2 to the power x.", "exp2(3)", "", op1(ir.OpExp2)),
	fn1("expm1", "exp(x) - 1, accurate near 0.", "expm1(1e-9)", "", op1(ir.OpExpm1)),
	fn1("log", "Natural logarithm.", "log(10)", "", op1(ir.OpLog)),
	fn1("log2", "Logarithm to base 2.", "log2(8)", "", op1(ir.OpLog2)),
	fn1("log10", "Logarithm to base 10.", "log10(1000)", "", op1(ir.OpLog10)),
	fn1("log1p", "log(1 + x), accurate near 0.", "log1p(1e-9)", "", op1(ir.OpLog1p)),
	fn1("sqrt", "Square root.", "sqrt(2)", sig.SqrtUnit, op1(ir.OpSqrt)),
	fn1("cbrt", "Cube root, of negative numbers too.", "cbrt(-8)", sig.CbrtUnit, op1(ir.OpCbrt)),
	fn1("square", "x^2.", "square(3)", sig.SquareUnit, func(g *ir.Graph, a []ir.ID) ir.ID { return g.Mul(a[0], a[0]) }),
	fn1("abs", "Absolute value; its derivative at 0 is 0.", "abs(-2)", sig.SameUnit, op1(ir.OpAbs)),
	fn1("sign", "-1, 0 or 1.", "sign(-2)", sig.PlainResult, op1(ir.OpSign)),
	fn1("floor", "Largest whole number not above x.", "floor(2.7)", sig.SameUnit, op1(ir.OpFloor)),
	fn1("ceil", "Smallest whole number not below x.", "ceil(2.1)", sig.SameUnit, op1(ir.OpCeil)),
	fn1("round", "Nearest whole number, halves away from zero.", "round(2.5)", sig.SameUnit, op1(ir.OpRound)),
	fn1("trunc", "The whole part.", "trunc(-2.7)", sig.SameUnit, op1(ir.OpTrunc)),
	fn1("sin", "Sine of an angle in radians.", "sin(pi/2)", "", op1(ir.OpSin)),
	fn1("cos", "Cosine of an angle in radians.", "cos(0)", "", op1(ir.OpCos)),
	fn1("tan", "Tangent of an angle in radians.", "tan(0.5)", "", op1(ir.OpTan)),
	fn1("asin", "Arc sine.", "asin(1)", "", op1(ir.OpAsin)),
	fn1("acos", "Arc cosine.", "acos(1)", "", op1(ir.OpAcos)),
	fn1("atan", "Arc tangent.", "atan(1)", "", op1(ir.OpAtan)),
	fn2("atan2", "Angle of the point (y, x): atan2(y, x).", "atan2(1, 1)", sig.AngleOf, op2(ir.OpAtan2)),
	fn2("hypot", "sqrt(x^2 + y^2) without overflow.", "hypot(3, 4)", sig.SameUnit, op2(ir.OpHypot)),
	fn1("sinh", "Hyperbolic sine.", "sinh(1)", "", op1(ir.OpSinh)),
	fn1("cosh", "Hyperbolic cosine.", "cosh(1)", "", op1(ir.OpCosh)),
	fn1("tanh", "Hyperbolic tangent.", "tanh(1)", "", op1(ir.OpTanh)),
	fn1("asinh", "Inverse hyperbolic sine.", "asinh(1)", "", op1(ir.OpAsinh)),
	fn1("acosh", "Inverse hyperbolic cosine.", "acosh(2)", "", op1(ir.OpAcosh)),
	fn1("atanh", "Inverse hyperbolic tangent.", "atanh(0.5)", "", op1(ir.OpAtanh)),
	fn2("pow", "x to the power y, the same as x^y.", "pow(2, 10)", "", op2(ir.OpPow)),
	fn2("mod", "Remainder with the sign of y, as NumPy's mod.", "mod(-1, 3)", sig.SameUnit,
		func(g *ir.Graph, a []ir.ID) ir.ID {
			r := g.Do(ir.OpMod, a[0], a[1])
			zero := g.Num(0)
			other := g.Do(ir.OpNe, g.Do(ir.OpLt, r, zero), g.Do(ir.OpLt, a[1], zero))
			return g.Select(g.Do(ir.OpAnd, g.Do(ir.OpNe, r, zero), other), g.Add(r, a[1]), r)
		}),
	fn2("fmod", "Remainder with the sign of x, as C's fmod.", "fmod(-1, 3)", sig.SameUnit, op2(ir.OpMod)),
	fn1("degrees", "Radians to degrees.", "degrees(pi)", "", func(g *ir.Graph, a []ir.ID) ir.ID { return g.Mul(a[0], g.Num(180/math.Pi)) }),
	fn1("radians", "Degrees to radians.", "radians(180)", "", func(g *ir.Graph, a []ir.ID) ir.ID { return g.Mul(a[0], g.Num(math.Pi/180)) }),
	fn1("sinc", "sin(x)/x, 1 at 0.", "sinc(0)", "", func(g *ir.Graph, a []ir.ID) ir.ID {
		zero := g.Do(ir.OpEq, a[0], g.Num(0))
		safe := g.Select(zero, g.Num(1), a[0])
		return g.Select(zero, g.Num(1), g.Div(g.Do(ir.OpSin, safe), safe))
	}),
	fn2("logaddexp", "log(exp(x) + exp(y)) without overflow.", "logaddexp(1000, 1000)", "", func(g *ir.Graph, a []ir.ID) ir.ID {
		// Equal infinities have no difference.
		return g.Add(g.Do(ir.OpMax, a[0], a[1]), g.Select(g.Do(ir.OpEq, a[0], a[1]), g.Num(math.Ln2), g.Do(ir.OpLog1p, g.Do(ir.OpExp, g.Neg(g.Do(ir.OpAbs, g.Sub(a[0], a[1])))))))
	}),
	fn2("heaviside", "0 below 0, 1 above, y at 0.", "heaviside(0, 0.5)", sig.PlainResult, func(g *ir.Graph, a []ir.ID) ir.ID {
		return g.Select(g.Do(ir.OpEq, a[0], g.Num(0)), a[1], g.Do(ir.OpLt, g.Num(0), a[0]))
	}),
	{Builtin: sig.Builtin{Name: "clamp", Kind: sig.Function, Params: []sig.Param{x1[0], {Name: "lo", Type: "number or array"}, {Name: "hi", Type: "number or array"}},
		Result: "number or array", Doc: "x held between lo and hi.", Example: "clamp(5, 0, 1)", Shaper: sig.Elementwise, Unit: sig.SameUnit},
		Lower: func(g *ir.Graph, a []ir.ID) ir.ID { return g.Do(ir.OpMin, g.Do(ir.OpMax, a[0], a[1]), a[2]) }},
}

// special are the special functions, and the activations as functions.
var special = []Row{
	fn1("erf", "Error function.", "erf(1)", "", op1(ir.OpErf)),
	fn1("erfc", "1 - erf(x), accurate for large x.", "erfc(3)", "", op1(ir.OpErfc)),
	fn1("gamma", "Gamma function.", "gamma(5)", "", op1(ir.OpGamma)),
	fn1("lgamma", "Logarithm of the absolute value of the gamma function.", "lgamma(100)", "", op1(ir.OpLgamma)),
	fn1("digamma", "Derivative of lgamma.", "digamma(1)", "", op1(ir.OpDigamma)),
	fn1("sigmoid", "1/(1 + exp(-x)).", "sigmoid(0)", "", op1(ir.OpSigmoid)),
	fn1("softplus", "log(1 + exp(x)).", "softplus(0)", "", op1(ir.OpSoftplus)),
	fn1("relu", "max(x, 0); its derivative at 0 is 0.", "relu(-1)", sig.SameUnit, op1(ir.OpRelu)),
	fn1("gelu", "x times the standard normal distribution function (Hendrycks and Gimpel 2016).", "gelu(1)", "", gelu),
	fn1("swish", "x*sigmoid(x), also called SiLU.", "swish(1)", "", swish),
}

func gelu(g *ir.Graph, a []ir.ID) ir.ID {
	// erfc keeps its accuracy where the distribution function is small.
	return g.Mul(g.Mul(g.Num(0.5), a[0]), g.Do(ir.OpErfc, g.Mul(g.Num(-math.Sqrt2/2), a[0])))
}

func swish(g *ir.Graph, a []ir.ID) ir.ID { return g.Mul(a[0], g.Do(ir.OpSigmoid, a[0])) }

var constants = []Row{
	{Builtin: sig.Builtin{Name: "pi", Kind: sig.Constant, Result: "number", Doc: "The ratio of a circle's circumference to its diameter.", Example: "pi"}, Value: math.Pi},
	{Builtin: sig.Builtin{Name: "inf", Kind: sig.Constant, Result: "number", Doc: "Positive infinity.", Example: "-inf"}, Value: math.Inf(1)},
	{Builtin: sig.Builtin{Name: "nan", Kind: sig.Constant, Result: "number", Doc: "Not a number; it equals nothing, itself included.", Example: "nan"}, Value: math.NaN()},
}

func activation(name, doc string, f lower.Func) Row {
	return Row{Builtin: sig.Builtin{Name: name, Kind: sig.Activation, Params: x1, Result: "number or array", Doc: doc,
		Example: "NN(hidden = [8], act = " + name + ")", Shaper: sig.Elementwise}, Lower: f}
}

// activations are the words after act = and out_act =.
var activations = []Row{
	activation("tanh", "Hyperbolic tangent.", op1(ir.OpTanh)),
	activation("sigmoid", "1/(1 + exp(-x)).", op1(ir.OpSigmoid)),
	activation("relu", "max(x, 0).", op1(ir.OpRelu)),
	activation("softplus", "log(1 + exp(x)), a smooth relu.", op1(ir.OpSoftplus)),
	activation("gelu", "x times the normal distribution function.", gelu),
	activation("swish", "x*sigmoid(x).", swish),
	activation("rbf", "exp(-x^2).", func(g *ir.Graph, a []ir.ID) ir.ID { return g.Do(ir.OpExp, g.Neg(g.Mul(a[0], a[0]))) }),
	activation("sin", "Sine: a network with periodic features.", op1(ir.OpSin)),
	activation("identity", "x itself: a linear layer.", func(_ *ir.Graph, a []ir.ID) ir.ID { return a[0] }),
}

func distribution(name, doc string, params ...string) Row {
	r := Row{Builtin: sig.Builtin{Name: name, Kind: sig.Distribution, Result: "distribution", Doc: doc}}
	for _, p := range params {
		r.Params = append(r.Params, sig.Param{Name: p, Type: "number or array"})
	}
	return r
}

// distributions are the words after ~.
var distributions = []Row{
	distribution("normal", "Normal with mean and standard deviation.", "mean", "sd"),
	distribution("lognormal", "exp of a normal; mean and standard deviation of the logarithm.", "mean", "sd"),
	distribution("uniform", "Uniform between lo and hi.", "lo", "hi"),
	distribution("exponential", "Exponential with a rate.", "rate"),
	distribution("gamma", "Gamma with shape and rate.", "shape", "rate"),
	distribution("inverse_gamma", "Inverse gamma with shape and scale.", "shape", "scale"),
	distribution("beta", "Beta on 0..1.", "a", "b"),
	distribution("cauchy", "Cauchy with location and scale.", "location", "scale"),
	distribution("student_t", "Student's t with degrees of freedom, location and scale.", "df", "location", "scale"),
	distribution("half_normal", "Absolute value of a normal with mean 0.", "sd"),
	distribution("half_cauchy", "Absolute value of a Cauchy with location 0.", "scale"),
	distribution("poisson", "Counts with a mean.", "mean"),
	distribution("binomial", "Successes out of n with probability p.", "n", "p"),
	distribution("neg_binomial", "Counts with a mean and a dispersion.", "mean", "dispersion"),
}
