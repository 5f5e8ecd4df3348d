package block

import (
	"errors"
	"fmt"
	"math"
)

// Builder makes a Block. A misuse (an operand of the wrong kind, an unknown base) is kept and returned by Done; after
// it the builder's values mean nothing. A Builder is for one goroutine.
type Builder struct {
	b         Block
	memo      map[Instr]Value
	epochs    [MaxBases]int32
	broadcast [MaxBases]bool
	region    int32 // the open cold region
	regions   int32
	tables    map[*float64]int32
	err       error
}

// NewBuilder starts a block over bases of the given layouts.
func NewBuilder(bases ...Layout) *Builder {
	g := &Builder{memo: map[Instr]Value{}, b: Block{Bases: bases}}
	if len(bases) > MaxBases {
		g.fail("%d bases, at most %d", len(bases), MaxBases)
	}
	return g
}

// Done is the block, or the first misuse.
func (g *Builder) Done() (*Block, error) {
	if g.region != 0 {
		g.fail("a cold region is open")
	}
	if g.err != nil {
		return nil, g.err
	}
	b := g.b
	return &b, nil
}

func (g *Builder) fail(format string, args ...any) {
	if g.err == nil {
		g.err = errors.New("block: " + fmt.Sprintf(format, args...))
	}
}

// add appends an instruction, or finds the one that says the same.
func (g *Builder) add(in Instr) Value {
	row := &table[in.Op]
	for i, a := range in.Args() {
		if a < 0 || int(a) >= len(g.b.Instrs) {
			g.fail("%s: operand %d is no value", row.Name, i)
			return 0
		}
		if k := table[g.b.Instrs[a].Op].Result; k != row.Args[i] {
			g.fail("%s: operand %d is of the wrong kind (%s)", row.Name, i, table[g.b.Instrs[a].Op].Name)
			return 0
		}
		if r := g.b.Instrs[a].region; r != 0 && r != g.region && (in.Op != OpCold || i != 1) {
			g.fail("%s: operand %d belongs to a cold region", row.Name, i)
			return 0
		}
	}
	if row.Commutative && in.A > in.B {
		in.A, in.B = in.B, in.A
	}
	if c, ok := g.fold(in); ok {
		return g.Bits(c)
	}
	key := in // leaves belong to no region: they cost nothing where they are not wanted
	if in.Op != OpConst && in.Op != OpLoad {
		if v, ok := g.memo[key]; ok {
			return v // made before, outside of any region
		}
		in.region = g.region
		key = in
	}
	if v, ok := g.memo[key]; ok {
		return v
	}
	v := Value(len(g.b.Instrs))
	g.b.Instrs = append(g.b.Instrs, in)
	if in.Op != OpStore {
		g.memo[key] = v
	}
	return v
}

// fold is the value of an operation on constants, by the interpreter's own meaning of it.
func (g *Builder) fold(in Instr) (uint64, bool) {
	row := &table[in.Op]
	if row.Result != Float || len(row.Args) == 0 || in.Op == OpTable || in.Op == OpCold {
		return 0, false
	}
	var x [3][1]float64
	for i, a := range in.Args() {
		if g.b.Instrs[a].Op != OpConst {
			return 0, false
		}
		x[i][0] = math.Float64frombits(g.b.Instrs[a].Bits)
	}
	var d [1]float64
	apply(&in, d[:], x[0][:], x[1][:], x[2][:])
	return math.Float64bits(d[0]), true
}

// Const is a number.
func (g *Builder) Const(x float64) Value { return g.Bits(math.Float64bits(x)) }

// Bits is a constant given by its bits.
func (g *Builder) Bits(x uint64) Value { return g.add(Instr{Op: OpConst, Bits: x}) }

// Load reads element index of a base, a number per lane.
func (g *Builder) Load(base, index int) Value { return g.load(base, index, false) }

// LoadBroadcast reads element index of a base, the same for all lanes and groups. The block must not store to that base.
func (g *Builder) LoadBroadcast(base, index int) Value { return g.load(base, index, true) }

func (g *Builder) load(base, index int, broadcast bool) Value {
	if !g.place(base, index, broadcast) {
		return g.Const(0)
	}
	if broadcast && g.epochs[base] > 0 {
		g.fail("broadcast from base %d, which is stored to", base)
	}
	g.broadcast[base] = g.broadcast[base] || broadcast
	return g.add(Instr{Op: OpLoad, Base: uint8(base), Index: int32(index), Broadcast: broadcast, epoch: g.epochs[base]})
}

// maxIndex keeps displacements of every layout and width within what an instruction holds.
const maxIndex = 1 << 24

func (g *Builder) place(base, index int, broadcast bool) bool {
	switch {
	case base < 0 || base >= len(g.b.Bases):
		g.fail("no base %d", base)
	case index < 0 || index >= maxIndex, !broadcast && g.b.Bases[base].Rows > 0 && index >= g.b.Bases[base].Rows:
		g.fail("no element %d of base %d", index, base)
	case g.b.Bases[base].Rows < 0 || g.b.Bases[base].Rows >= maxIndex:
		g.fail("base %d of %d rows", base, g.b.Bases[base].Rows)
	default:
		return true
	}
	return false
}

// Store writes element index of a base, a number per lane.
func (g *Builder) Store(base, index int, v Value) {
	if !g.place(base, index, false) {
		return
	}
	if g.region != 0 {
		g.fail("store within a cold region")
	}
	if g.broadcast[base] {
		g.fail("store to base %d, which is broadcast from", base)
	}
	g.add(Instr{Op: OpStore, Base: uint8(base), Index: int32(index), A: v})
	g.epochs[base]++
}

func (g *Builder) op1(o Op, a Value) Value       { return g.add(Instr{Op: o, A: a}) }
func (g *Builder) op2(o Op, a, b Value) Value    { return g.add(Instr{Op: o, A: a, B: b}) }
func (g *Builder) op3(o Op, a, b, c Value) Value { return g.add(Instr{Op: o, A: a, B: b, C: c}) }

// isNeg finds the operand of a negation.
func (g *Builder) isNeg(a Value) (Value, bool) {
	if a < 0 || int(a) >= len(g.b.Instrs) || g.b.Instrs[a].Op != OpNeg {
		return a, false
	}
	return g.b.Instrs[a].A, true
}

// Add is a + b.
func (g *Builder) Add(a, b Value) Value {
	if x, ok := g.isNeg(b); ok {
		return g.Sub(a, x)
	}
	if x, ok := g.isNeg(a); ok {
		return g.Sub(b, x)
	}
	return g.op2(OpAdd, a, b)
}

// Sub is a − b.
func (g *Builder) Sub(a, b Value) Value {
	if x, ok := g.isNeg(b); ok {
		return g.Add(a, x)
	}
	return g.op2(OpSub, a, b)
}

// Mul is a·b.
func (g *Builder) Mul(a, b Value) Value { return g.op2(OpMul, a, b) }

// Div is a/b.
func (g *Builder) Div(a, b Value) Value { return g.op2(OpDiv, a, b) }

// Min is a where a < b, else b: the machine's minimum, which is b if either is NaN or both are zero.
func (g *Builder) Min(a, b Value) Value { return g.op2(OpMin, a, b) }

// Max is a where a > b, else b.
func (g *Builder) Max(a, b Value) Value { return g.op2(OpMax, a, b) }

// fused are the four fused operations by the signs of the product and of the addend.
var fused = [2][2]Op{{OpFMA, OpFMS}, {OpFNMA, OpFNMS}}

// fma takes negations, which are exact, into the operation.
func (g *Builder) fma(product, addend int, a, b, c Value) Value {
	if x, ok := g.isNeg(a); ok {
		a, product = x, 1-product
	}
	if x, ok := g.isNeg(b); ok {
		b, product = x, 1-product
	}
	if x, ok := g.isNeg(c); ok {
		c, addend = x, 1-addend
	}
	return g.op3(fused[product][addend], a, b, c)
}

// FMA is a·b + c, rounded once.
func (g *Builder) FMA(a, b, c Value) Value { return g.fma(0, 0, a, b, c) }

// FMS is a·b − c, rounded once.
func (g *Builder) FMS(a, b, c Value) Value { return g.fma(0, 1, a, b, c) }

// FNMA is c − a·b, rounded once.
func (g *Builder) FNMA(a, b, c Value) Value { return g.fma(1, 0, a, b, c) }

// Neg is −a.
func (g *Builder) Neg(a Value) Value {
	if x, ok := g.isNeg(a); ok {
		return x
	}
	return g.op1(OpNeg, a)
}

// Abs is |a|.
func (g *Builder) Abs(a Value) Value {
	if x, ok := g.isNeg(a); ok {
		a = x
	}
	return g.op1(OpAbs, a)
}

// Sqrt is the square root, correctly rounded.
func (g *Builder) Sqrt(a Value) Value { return g.op1(OpSqrt, a) }

// Round is the integer next to a by the given mode.
func (g *Builder) Round(a Value, mode uint8) Value {
	if mode < ToEven || mode > ToTrunc {
		g.fail("rounding mode %d", mode)
		return a
	}
	return g.add(Instr{Op: OpRound, A: a, Mode: mode})
}

// Floor is the largest integer not above a.
func (g *Builder) Floor(a Value) Value { return g.Round(a, ToFloor) }

// And, AndNot (the complement of a, and b), Or and Xor work on the 64 bits of a number.
func (g *Builder) And(a, b Value) Value { return g.op2(OpAnd, a, b) }

// AndNot is the complement of a, and b.
func (g *Builder) AndNot(a, b Value) Value { return g.op2(OpAndNot, a, b) }

// Or is a or b.
func (g *Builder) Or(a, b Value) Value { return g.op2(OpOr, a, b) }

// Xor is a exclusive-or b.
func (g *Builder) Xor(a, b Value) Value { return g.op2(OpXor, a, b) }

// AddQ adds the 64 bits as integers.
func (g *Builder) AddQ(a, b Value) Value { return g.op2(OpAddQ, a, b) }

// SubQ subtracts the 64 bits as integers.
func (g *Builder) SubQ(a, b Value) Value { return g.op2(OpSubQ, a, b) }

// ShiftLeft moves the 64 bits by n places towards the sign.
func (g *Builder) ShiftLeft(a Value, n uint8) Value { return g.shift(OpShiftLeft, a, n) }

// ShiftRight moves the 64 bits by n places away from the sign, zeros coming in.
func (g *Builder) ShiftRight(a Value, n uint8) Value { return g.shift(OpShiftRight, a, n) }

func (g *Builder) shift(o Op, a Value, n uint8) Value {
	if n > 63 {
		g.fail("shift by %d", n)
		return a
	}
	return g.add(Instr{Op: o, A: a, Mode: n})
}

// Cmp compares; the result is a mask.
func (g *Builder) Cmp(p Pred, a, b Value) Value {
	if p > Ordered {
		g.fail("comparison %d", p)
		return a
	}
	return g.add(Instr{Op: OpCmp, A: a, B: b, Mode: uint8(p)})
}

// LT is a < b, LE is a ≤ b, EQ is a = b; false where either is NaN.
func (g *Builder) LT(a, b Value) Value { return g.Cmp(LT, a, b) }

// LE is a ≤ b.
func (g *Builder) LE(a, b Value) Value { return g.Cmp(LE, a, b) }

// EQ is a = b.
func (g *Builder) EQ(a, b Value) Value { return g.Cmp(EQ, a, b) }

// IsNaN is the mask of the lanes that are NaN.
func (g *Builder) IsNaN(a Value) Value { return g.Cmp(Unordered, a, a) }

// MaskAnd is m and n.
func (g *Builder) MaskAnd(m, n Value) Value { return g.op2(OpMaskAnd, m, n) }

// MaskAndNot is n without m.
func (g *Builder) MaskAndNot(m, n Value) Value { return g.op2(OpMaskAndNot, m, n) }

// MaskOr is m or n.
func (g *Builder) MaskOr(m, n Value) Value { return g.op2(OpMaskOr, m, n) }

// MaskXor is where exactly one of m and n is set.
func (g *Builder) MaskXor(m, n Value) Value { return g.op2(OpMaskXor, m, n) }

// MaskNot is the complement; of a comparison it is the opposite one.
func (g *Builder) MaskNot(m Value) Value {
	if m >= 0 && int(m) < len(g.b.Instrs) {
		switch in := g.b.Instrs[m]; in.Op {
		case OpCmp:
			return g.Cmp(Pred(in.Mode)^4, in.A, in.B)
		case OpMaskNot:
			return in.A
		}
	}
	return g.op1(OpMaskNot, m)
}

// Select is a where m is set, else b.
func (g *Builder) Select(m, a, b Value) Value {
	if a == b {
		return a
	}
	return g.op3(OpSelect, m, a, b)
}

// Table is an element of a table of constants. index is an integer in its 64 bits, taken modulo the length, which must be a power of two.
func (g *Builder) Table(t []float64, index Value) Value {
	if len(t) == 0 || len(t)&(len(t)-1) != 0 || len(t) > 1<<16 {
		g.fail("a table of %d elements", len(t))
		return index
	}
	k, ok := g.tables[&t[0]]
	if !ok {
		k = int32(len(g.b.Tables))
		if g.tables == nil {
			g.tables = map[*float64]int32{}
		}
		g.tables[&t[0]] = k
		g.b.Tables = append(g.b.Tables, t)
	}
	index = g.And(index, g.Bits(uint64(len(t)-1)))
	return g.add(Instr{Op: OpTable, A: index, Index: k})
}

// Cold is rare() where m is set, else usual. What rare builds runs only when m is set in some lane of a group; it must not store,
// and what it built cannot be used outside. Within a cold region a second one is an ordinary selection.
func (g *Builder) Cold(m, usual Value, rare func() Value) Value {
	if g.region != 0 {
		return g.Select(m, rare(), usual)
	}
	g.regions++
	g.region = g.regions
	first := len(g.b.Instrs)
	r := rare()
	g.region = 0
	for i := first; i < len(g.b.Instrs); i++ {
		if in := g.b.Instrs[i]; in.region != 0 {
			delete(g.memo, in) // nobody else may share it
		}
	}
	if r < 0 || int(r) >= len(g.b.Instrs) || g.b.Instrs[r].region == 0 {
		return g.Select(m, r, usual)
	}
	return g.op3(OpCold, m, r, usual)
}
