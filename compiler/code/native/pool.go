package native

import (
	"math"
	"unsafe"

	"github.com/udl-lang/udl/compiler/code/native/asm"
)

// pool is the memory that code only reads: constants, as often as there are lanes, and tables.
type pool struct {
	words  []uint64
	places map[entry]int32
	tables map[*float64]int32
	// single keeps constants for eight lanes once, to be broadcast by the instructions that use them. The pool then
	// need not begin at a cache line.
	single bool
}

func newPool() *pool { return &pool{places: map[entry]int32{}, tables: map[*float64]int32{}} }

type entry struct {
	bits uint64
	w    int
}

// constant is the offset in bytes of a constant for w lanes. Scalars take two words, as bitwise instructions read whole registers.
func (p *pool) constant(bits uint64, w int) int32 {
	if w = max(w, 2); w == 8 && p.single {
		w = 1
	}
	e := entry{bits, w}
	if at, ok := p.places[e]; ok {
		return at
	}
	for len(p.words)%w != 0 { // never across a cache line
		p.words = append(p.words, 0)
	}
	at := int32(len(p.words) * 8)
	for range w {
		p.words = append(p.words, bits)
	}
	p.places[e] = at
	return at
}

// operand is a constant for w lanes at its offset in the pool.
func (p *pool) operand(at int32, w int) asm.RM {
	if w == 8 && p.single {
		return asm.MBroadcast(poolReg, at)
	}
	return asm.M(poolReg, at)
}

// table is the offset in bytes of a table.
func (p *pool) table(t []float64) int32 {
	if at, ok := p.tables[&t[0]]; ok {
		return at
	}
	at := int32(len(p.words) * 8)
	for _, x := range t {
		p.words = append(p.words, math.Float64bits(x))
	}
	p.tables[&t[0]] = at
	return at
}

// Aligned makes n words that begin at a multiple of 64 bytes, so that no group of lanes lies across two cache lines.
func Aligned[T float64 | uint64](n int) []T {
	x := make([]T, n+8)
	skip := int(-uintptr(unsafe.Pointer(&x[0]))%64) / 8
	return x[skip:][:n:n]
}
