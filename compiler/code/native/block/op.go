package block

// Op is what an instruction does.
type Op uint8

// The operations. Float operands are a, b, c; m is a mask.
const (
	OpConst Op = iota // Bits
	OpLoad
	OpStore

	OpAdd
	OpSub
	OpMul
	OpDiv
	OpMin // a < b ? a : b, as the machine has it: b when either is NaN or both are zero
	OpMax // a > b ? a : b
	OpFMA // a·b + c, rounded once
	OpFMS // a·b − c
	OpFNMA
	OpFNMS // −a·b − c
	OpNeg
	OpAbs
	OpSqrt
	OpRound // to an integer, by Mode

	OpAnd // of the 64 bits; so are the next seven
	OpAndNot
	OpOr
	OpXor
	OpAddQ
	OpSubQ
	OpShiftLeft  // by Mode
	OpShiftRight // by Mode, zeros coming in

	OpCmp // by Mode, a Pred
	OpMaskAnd
	OpMaskAndNot
	OpMaskOr
	OpMaskXor
	OpMaskNot

	OpSelect // m ? b : c
	OpTable  // element a of table Index, a an integer below its length
	OpCold   // m ? b : c, where b is rarely wanted: computed only if m is set in some lane

	NumOps
)

// Kind is the kind of a value.
type Kind uint8

// The kinds.
const (
	Nothing Kind = iota
	Float
	Mask
)

// Info is a row of the table of operations.
type Info struct {
	Name        string
	Result      Kind
	Args        []Kind
	Commutative bool // in its first two operands
}

func floats(name string, arity int, commutative bool) Info {
	return Info{name, Float, []Kind{Float, Float, Float}[:arity], commutative}
}

func masks(name string, arity int, commutative bool) Info {
	return Info{name, Mask, []Kind{Mask, Mask}[:arity], commutative}
}

// table has one row for every operation. Sharing the order of operands of a commutative one is right because NaN is one value.
var table = [NumOps]Info{
	OpConst: floats("const", 0, false), OpLoad: floats("load", 0, false), OpStore: {"store", Nothing, []Kind{Float}, false},
	OpAdd: floats("add", 2, true), OpSub: floats("sub", 2, false), OpMul: floats("mul", 2, true), OpDiv: floats("div", 2, false),
	OpMin: floats("min", 2, false), OpMax: floats("max", 2, false),
	OpFMA: floats("fma", 3, true), OpFMS: floats("fms", 3, true), OpFNMA: floats("fnma", 3, true), OpFNMS: floats("fnms", 3, true),
	OpNeg: floats("neg", 1, false), OpAbs: floats("abs", 1, false), OpSqrt: floats("sqrt", 1, false), OpRound: floats("round", 1, false),
	OpAnd: floats("and", 2, true), OpAndNot: floats("andnot", 2, false), OpOr: floats("or", 2, true), OpXor: floats("xor", 2, true),
	OpAddQ: floats("addq", 2, true), OpSubQ: floats("subq", 2, false),
	OpShiftLeft: floats("shl", 1, false), OpShiftRight: floats("shr", 1, false),
	OpCmp:     {"cmp", Mask, []Kind{Float, Float}, false},
	OpMaskAnd: masks("mand", 2, true), OpMaskAndNot: masks("mandnot", 2, false), OpMaskOr: masks("mor", 2, true), OpMaskXor: masks("mxor", 2, true),
	OpMaskNot: masks("mnot", 1, false),
	OpSelect:  {"select", Float, []Kind{Mask, Float, Float}, false},
	OpTable:   floats("table", 1, false),
	OpCold:    {"cold", Float, []Kind{Mask, Float, Float}, false},
}

// Info is the row of an operation.
func (o Op) Info() *Info { return &table[o] }

// Pred is a comparison. The numbers are those of the machine's.
type Pred uint8

// The comparisons; the second four are the first ones' opposites, true where an operand is NaN (Ordered: false).
const (
	EQ Pred = iota
	LT
	LE
	Unordered
	NE
	NLT
	NLE
	Ordered
)

// Rounding modes of OpRound. The numbers are those of the machine's, exceptions suppressed.
const (
	ToEven uint8 = 8 + iota
	ToFloor
	ToCeil
	ToTrunc
)
