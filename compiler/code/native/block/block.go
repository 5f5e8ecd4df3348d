package block

import (
	"fmt"
	"math"
	"strings"
)

// Value is the number of an instruction, and so of its result.
type Value int32

// Layout says how the lanes of a base lie in memory. The zero Layout is flat: lane l of group g of element i is at
// i + g·W + l. With Rows it is blocked: element i < Rows of that lane is at (g·Rows + i)·W + l. A broadcast load reads
// element i itself, whatever the layout.
type Layout struct{ Rows int }

// MaxBases is the number of bases that a block can have.
const MaxBases = 24

// Instr is an instruction. What of it has a meaning depends on Op.
type Instr struct {
	Op        Op
	Mode      uint8 // a Pred, a rounding mode, the distance of a shift
	Broadcast bool  // of OpLoad: one number for all lanes
	Base      uint8 // of OpLoad and OpStore
	Index     int32 // of OpLoad and OpStore: element; of OpTable: which table
	A, B, C   Value
	Bits      uint64 // of OpConst
	region    int32  // the cold region it belongs to, 0 for none
	epoch     int32  // of OpLoad: the number of stores to its base before it
}

// Args are the operands of an instruction.
func (in *Instr) Args() []Value { return []Value{in.A, in.B, in.C}[:len(table[in.Op].Args)] }

// Block is straight-line code. It is immutable.
//
// Different bases must not overlap in memory, unless none of them is stored to. What one group stores no other group of
// the same run may load; within a group stores and loads of a base take place in the order in which they were built.
type Block struct {
	Instrs []Instr
	Bases  []Layout
	Tables [][]float64 // each of a power of two elements
}

// Extent is the number of elements that base must have for a run of so many groups of w lanes.
func (b *Block) Extent(base, w, groups int) int {
	broadcast, lanes := b.Extents(base, w, groups)
	return max(broadcast, lanes)
}

// Extents is Extent for what is the same for all lanes, and for what moves on with the groups.
func (b *Block) Extents(base, w, groups int) (broadcast, lanes int) {
	if base >= len(b.Bases) || groups == 0 {
		return 0, 0
	}
	rows := b.Bases[base].Rows
	for i := range b.Instrs {
		in := &b.Instrs[i]
		switch {
		case in.Op != OpLoad && in.Op != OpStore || int(in.Base) != base:
		case in.Broadcast:
			broadcast = max(broadcast, int(in.Index)+1)
		case rows == 0:
			lanes = max(lanes, int(in.Index)+w*groups)
		default:
			lanes = max(lanes, rows*w*groups)
		}
	}
	return broadcast, lanes
}

// Moved is the block with the lanes of each base further on, by so many elements of a flat layout.
func (b *Block) Moved(by func(base int) int) *Block {
	c := *b
	c.Instrs = append([]Instr(nil), b.Instrs...)
	for i := range c.Instrs {
		if in := &c.Instrs[i]; (in.Op == OpLoad || in.Op == OpStore) && !in.Broadcast {
			in.Index += int32(by(int(in.Base)))
		}
	}
	return &c
}

// Uses reports how a block touches a base: one number for all lanes, or lanes that move on with each group.
func (b *Block) Uses(base int) (broadcast, lanes bool) {
	for i := range b.Instrs {
		in := &b.Instrs[i]
		if (in.Op == OpLoad || in.Op == OpStore) && int(in.Base) == base {
			broadcast = broadcast || in.Broadcast
			lanes = lanes || !in.Broadcast
		}
	}
	return broadcast, lanes
}

// Overlaps reports whether a store changes, within its group of w lanes, what an earlier load reads; such a load must take place
// before it.
func (b *Block) Overlaps(store, load Value, w int) bool {
	s, l := &b.Instrs[store], &b.Instrs[load]
	if s.Base != l.Base || l.Broadcast || load > store {
		return false
	}
	d := int(s.Index) - int(l.Index)
	if b.Bases[s.Base].Rows > 0 {
		return d == 0
	}
	return d > -w && d < w
}

// String lists the block, an instruction a line.
func (b *Block) String() string {
	var s strings.Builder
	for i := range b.Instrs {
		in := &b.Instrs[i]
		fmt.Fprintf(&s, "%%%d = %s", i, in.Op.Info().Name)
		switch in.Op {
		case OpConst:
			fmt.Fprintf(&s, " %v %#x", math.Float64frombits(in.Bits), in.Bits)
		case OpLoad, OpStore:
			fmt.Fprintf(&s, " base%d[%d]", in.Base, in.Index)
			if in.Broadcast {
				s.WriteString(" broadcast")
			}
		case OpTable:
			fmt.Fprintf(&s, " table%d", in.Index)
		case OpCmp, OpRound, OpShiftLeft, OpShiftRight:
			fmt.Fprintf(&s, ".%d", in.Mode)
		}
		for _, a := range in.Args() {
			fmt.Fprintf(&s, " %%%d", a)
		}
		if in.region != 0 {
			fmt.Fprintf(&s, "  ; cold %d", in.region)
		}
		s.WriteByte('\n')
	}
	return s.String()
}
