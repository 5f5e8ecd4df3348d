package code

import "github.com/udl-lang/udl/compiler/ir"

type kind uint8

const (
	kUnary kind = iota
	kBinary
	kTernary
	kTanhBack // a·(1 − b²): the cotangent through a tanh whose value is b
	kDense
	kMatMul
	kOuter
	kDot
	kReduce
	kCopies
	kGather
	kScatter
	kExt
)

// kernel is an operation on arrays. What the fields mean depends on the kind.
type kernel struct {
	kind    kind
	op      ir.Op
	act     ir.Op // kDense: applied to the result; OpConst for none
	n       int   // elements of the result (kOuter: columns)
	m, k    int   // rows and inner extent of a matrix
	d       ref
	a, b, c ref
	array   [3]bool // of elementwise operands: an array, not a scalar
	bias    bool
	trans   bool // kDense: the matrix is transposed
	dims    ir.Dims
	tmp     ref // kMatMul: room for a row of the left factor, where it does not lie in one piece
	ints    []int
	parts   []part
	args    []ref
	ext     *ir.External
}

// part copies n numbers to d, counted from the kernel's result.
type part struct {
	from ref
	d, n int32
}

func (e *Exec) at(r ref, n int) []float64 { return e.sp[r.space][r.off : int(r.off)+n] }

func (e *Exec) operand(r ref, array bool, n int) []float64 {
	if array {
		return e.at(r, n)
	}
	return e.at(r, 1)
}

func (e *Exec) kernel(k *kernel) {
	switch k.kind {
	case kUnary:
		e.p.unary(k.op, e.at(k.d, k.n), e.at(k.a, k.n))
	case kBinary:
		e.p.binary(k, e.at(k.d, k.n), e.operand(k.a, k.array[0], k.n), e.operand(k.b, k.array[1], k.n))
	case kTernary:
		ternary(k, e.at(k.d, k.n), e.operand(k.a, k.array[0], k.n), e.operand(k.b, k.array[1], k.n), e.operand(k.c, k.array[2], k.n))
	case kTanhBack:
		d := e.at(k.d, k.n)
		a, b := e.at(k.a, k.n)[:len(d)], e.at(k.b, k.n)[:len(d)]
		for i := range d {
			d[i] = a[i] * (1 - float64(b[i]*b[i]))
		}
	case kDense:
		d := e.at(k.d, k.m)
		var bias []float64
		if k.bias {
			bias = e.at(k.c, k.m)
		}
		if k.trans {
			e.p.fast.MatTVec(d, e.at(k.a, k.m*k.k), e.at(k.b, k.k))
			for i, v := range bias {
				d[i] += v
			}
		} else {
			e.p.fast.MatVec(d, e.at(k.a, k.m*k.k), e.at(k.b, k.k), bias)
		}
		if k.act != ir.OpConst {
			e.p.unary(k.act, d, d)
		}
	case kMatMul:
		e.matMul(k)
	case kOuter:
		outer(e.at(k.d, k.m*k.n), e.at(k.a, k.m), e.at(k.b, k.n))
	case kDot:
		e.p.fast.MatVec(e.at(k.d, 1), e.at(k.a, k.n), e.at(k.b, k.n), nil)
	case kReduce:
		reduce(k, e.at(k.d, k.n), e.at(k.a, k.m))
	case kCopies:
		d := e.at(k.d, k.n)
		for i := range k.parts {
			p := &k.parts[i]
			if p.n == 1 {
				d[p.d] = e.sp[p.from.space][p.from.off]
				continue
			}
			copy(d[p.d:p.d+p.n], e.at(p.from, int(p.n)))
		}
	case kGather:
		d, a := e.at(k.d, k.n), e.at(k.a, k.m)
		for i, j := range k.ints {
			d[i] = a[j]
		}
	case kScatter:
		d := e.at(k.d, k.n)
		clear(d)
		a := e.at(k.a, k.m)
		for i, j := range k.ints {
			d[j] += a[i]
		}
	case kExt:
		x := e.at(k.tmp, len(k.args))
		for i, r := range k.args {
			x[i] = e.sp[r.space][r.off]
		}
		if k.op == ir.OpExtGrad {
			k.ext.Grad(x, e.at(k.d, k.n))
		} else {
			e.at(k.d, 1)[0] = k.ext.Eval(x)
		}
	}
}

// unary applies an operation to each element; d and a may be one slice.
func (p *Program) unary(op ir.Op, d, a []float64) {
	a = a[:len(d)]
	switch op {
	case ir.OpTanh:
		p.fast.Tanh(d, a)
	case ir.OpExp:
		p.fast.Exp(d, a)
	case ir.OpLog:
		p.fast.Log(d, a)
	case ir.OpSigmoid:
		p.fast.Sigmoid(d, a)
	case ir.OpSin:
		p.fast.Sin(d, a)
	case ir.OpCos:
		p.fast.Cos(d, a)
	case ir.OpSqrt:
		p.fast.Sqrt(d, a)
	case ir.OpRelu:
		for i, v := range a {
			d[i] = max(v, 0)
		}
	case ir.OpNeg:
		for i, v := range a {
			d[i] = -v
		}
	default:
		f := op.Info().Eval
		for i, v := range a {
			d[i] = f(v, 0, 0)
		}
	}
}

// binary applies an operation to pairs of elements, or of an element and a scalar.
func (p *Program) binary(k *kernel, d, a, b []float64) {
	switch {
	case k.op == ir.OpPow:
		p.fast.Pow(d, a, b)
	case k.array[0] && k.array[1]:
		a, b = a[:len(d)], b[:len(d)]
		switch k.op {
		case ir.OpAdd:
			for i := range d {
				d[i] = a[i] + b[i]
			}
		case ir.OpSub:
			for i := range d {
				d[i] = a[i] - b[i]
			}
		case ir.OpMul:
			for i := range d {
				d[i] = a[i] * b[i]
			}
		case ir.OpDiv:
			for i := range d {
				d[i] = a[i] / b[i]
			}
		default:
			f := k.op.Info().Eval
			for i := range d {
				d[i] = f(a[i], b[i], 0)
			}
		}
	case k.array[0]:
		a, s := a[:len(d)], b[0]
		switch k.op {
		case ir.OpAdd:
			for i := range d {
				d[i] = a[i] + s
			}
		case ir.OpSub:
			for i := range d {
				d[i] = a[i] - s
			}
		case ir.OpMul:
			for i := range d {
				d[i] = a[i] * s
			}
		case ir.OpDiv:
			for i := range d {
				d[i] = a[i] / s
			}
		default:
			f := k.op.Info().Eval
			for i := range d {
				d[i] = f(a[i], s, 0)
			}
		}
	default:
		s, b := a[0], b[:len(d)]
		switch k.op {
		case ir.OpAdd:
			for i := range d {
				d[i] = s + b[i]
			}
		case ir.OpSub:
			for i := range d {
				d[i] = s - b[i]
			}
		case ir.OpMul:
			for i := range d {
				d[i] = s * b[i]
			}
		case ir.OpDiv:
			for i := range d {
				d[i] = s / b[i]
			}
		default:
			f := k.op.Info().Eval
			for i := range d {
				d[i] = f(s, b[i], 0)
			}
		}
	}
}

func ternary(k *kernel, d, a, b, c []float64) {
	var s [3]int
	for i, array := range k.array {
		if array {
			s[i] = 1
		}
	}
	if k.op == ir.OpSelect {
		for i := range d {
			if a[i*s[0]] != 0 {
				d[i] = b[i*s[1]]
			} else {
				d[i] = c[i*s[2]]
			}
		}
		return
	}
	f := k.op.Info().Eval
	for i := range d {
		d[i] = f(a[i*s[0]], b[i*s[1]], c[i*s[2]])
	}
}

// reduce folds in the order of the elements.
func reduce(k *kernel, d, a []float64) {
	v := ir.Start(k.op)
	if k.ints == nil { // all elements
		switch k.op {
		case ir.OpSum:
			for _, x := range a {
				v += x
			}
		case ir.OpProd:
			for _, x := range a {
				v *= x
			}
		case ir.OpRMin:
			for _, x := range a {
				v = min(v, x)
			}
		case ir.OpRMax:
			for _, x := range a {
				v = max(v, x)
			}
		}
		d[0] = v
		return
	}
	for i := range d {
		d[i] = v
	}
	to := k.ints[:len(a)]
	switch k.op {
	case ir.OpSum:
		for i, x := range a {
			d[to[i]] += x
		}
	case ir.OpProd:
		for i, x := range a {
			d[to[i]] *= x
		}
	case ir.OpRMin:
		for i, x := range a {
			d[to[i]] = min(d[to[i]], x)
		}
	case ir.OpRMax:
		for i, x := range a {
			d[to[i]] = max(d[to[i]], x)
		}
	}
}
