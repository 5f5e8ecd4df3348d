package ir

// Op is an operation.
type Op uint16

// Class is the shape rule of an operation.
type Class uint8

// The classes.
const (
	Leaf        Class = iota // constants and inputs
	Elementwise              // Do
	Structural               // moves elements
	Reducing                 // Reduce
	Matrix                   // MatMul, Outer
	Foreign                  // Ext
)

// Info is one row of the table of operations.
type Info struct {
	Name  string
	Class Class
	Arity int  // -1: any
	Infix bool // an operator between its operands in the user's notation
	// Commutes: f(a, b) and f(b, a) are the same to the bit.
	Commutes bool
	// Eval is the meaning of an elementwise operation on scalars; it defines the semantics of every
	// back end. Unused operands are ignored.
	Eval func(a, b, c float64) float64
	Rule
}

// Rule is the derivative of an operation, as builders of nodes. Both functions are nil for
// an operation that cannot be differentiated; None stands for zero.
type Rule struct {
	// JVP makes the tangent of node n from those of its arguments.
	JVP func(g *Graph, n ID, args, tangents []ID) ID
	// VJP makes the cotangents of the arguments of n from its own, which has the shape of n.
	VJP func(g *Graph, n ID, cotangent ID) []ID
}

// arity of an elementwise operation, -1 of any other.
func (op Op) arity() int {
	switch {
	case op >= OpNeg && op <= OpNot:
		return 1
	case op >= OpAdd && op <= OpOr:
		return 2
	case op == OpSelect:
		return 3
	}
	return -1
}

// The operations.
const (
	OpConst Op = iota
	OpInput

	OpNeg
	OpAbs
	OpSign
	OpFloor
	OpCeil
	OpRound // half away from zero, as math.h
	OpTrunc
	OpSqrt
	OpCbrt
	OpExp
	OpExp2
	OpExpm1
	OpLog
	OpLog2
	OpLog10
	OpLog1p
	OpSin
	OpCos
	OpTan
	OpAsin
	OpAcos
	OpAtan
	OpSinh
	OpCosh
	OpTanh
	OpAsinh
	OpAcosh
	OpAtanh
	OpErf
	OpErfc
	OpGamma
	OpLgamma
	OpDigamma
	OpTrigamma
	OpSigmoid
	OpSoftplus
	OpRelu
	OpNot

	OpAdd
	OpSub
	OpMul
	OpDiv
	OpPow
	OpMin
	OpMax
	OpAtan2
	OpHypot
	OpMod       // C's fmod
	OpPolygamma // of order a, a whole number from 0, at b
	OpLt
	OpLe
	OpEq
	OpNe
	OpAnd
	OpOr

	OpSelect

	OpMatMul
	OpOuter

	OpReshape
	OpGather
	OpScatter
	OpConcat

	OpSum
	OpProd
	OpRMin
	OpRMax

	OpExt     // Call
	OpExtGrad // vector of partial derivatives of an External, made by the derivative rules

	NumOps
)
