package native

import (
	"math"

	"github.com/udl-lang/udl/compiler/code/native/asm"
	"github.com/udl-lang/udl/compiler/code/native/block"
)

// Register allocation: one pass over the order of the plan, each value kept in a register until its last use, and when none is free the
// value given up whose next use is furthest (Belady, IBM Systems Journal 5, 1966; on straight-line code that is linear scan,
// Poletto and Sarkar, TOPLAS 21, 1999, with perfect knowledge). What has a home in memory anyway (a constant, an input) is given up for nothing; anything else
// is written to a slot of the spill area first, at most once, as values never change.

const (
	nobody = block.Value(-1)
	never  = math.MaxInt32 // position of the next use of what is not used again
)

// home is where a value can be had when it is in no register.
type home uint8

const (
	noHome home = iota
	inPool
	inInput
	inSlot
)

// whereabouts of a value.
type whereabouts struct {
	reg  int8 // -1: in none
	home home
	keep bool  // wanted again in the next round of the loop: its slot is never given to another
	addr int32 // offset in the pool or the spill area
	next int32 // index into uses
}

// bank is a kind of register: the vectors, or the masks of AVX-512.
type bank struct {
	first, count int
	owner        [32]block.Value
	pinned       uint32 // held by the instruction at hand
	perm         uint32 // held for the whole loop, or a cold region
}

func (k *bank) reset() {
	for i := range k.owner {
		k.owner[i] = nobody
	}
	k.pinned, k.perm = 0, 0
}

func (k *bank) held(r int) bool { return (k.pinned|k.perm)>>r&1 != 0 }

// free reports whether a register is unused.
func (k *bank) free() bool {
	for r := k.first; r < k.count; r++ {
		if k.owner[r] == nobody && !k.held(r) {
			return true
		}
	}
	return false
}

// bankOf is the kind of register for a value.
func (s *segment) bankOf(v block.Value) *bank {
	if s.w == 8 && s.b.Instrs[v].Op.Info().Result == block.Mask {
		return &s.masks
	}
	return &s.vecs
}

// nextUse is the first use after the current position, or never.
func (s *segment) nextUse(v block.Value) int32 {
	l := &s.loc[v]
	for end := s.start[v+1]; l.next < end; l.next++ {
		if s.uses[l.next] > s.pos {
			return s.uses[l.next]
		}
	}
	return never
}

// lastUse reports that the instruction at hand is the last to want a value.
func (s *segment) lastUse(v block.Value) bool { return s.nextUse(v) == never }

// alloc gives a register of a bank, if need be by giving up another value's.
func (s *segment) alloc(k *bank) asm.Reg {
	best, far := -1, int32(-1)
	for r := k.first; r < k.count; r++ {
		if k.held(r) {
			continue
		}
		if k.owner[r] == nobody {
			best = r
			break
		}
		d := s.nextUse(k.owner[r])
		if d != never && s.loc[k.owner[r]].home != noHome {
			d += 4 // giving it up costs no store
		}
		if d > far {
			best, far = r, d
		}
	}
	if best < 0 {
		// Instructions hold at most five registers and loops leave six: it cannot happen, and is an error if it does.
		s.fail("no register left")
		return asm.Reg(k.first)
	}
	if v := k.owner[best]; v != nobody {
		if s.loc[v].home == noHome && (s.nextUse(v) != never || s.loc[v].keep) {
			s.spill(v)
		}
		s.loc[v].reg = -1
		k.owner[best] = nobody
	}
	k.pinned |= 1 << best
	return asm.Reg(best)
}

// spill writes a value, which is in a register, to a slot.
func (s *segment) spill(v block.Value) {
	l := &s.loc[v]
	n := len(s.freeSlots)
	if n > 0 {
		l.addr = s.freeSlots[n-1]
		s.freeSlots = s.freeSlots[:n-1]
	} else {
		l.addr = s.slots
		s.slots += int32(s.w) * 8
	}
	l.home = inSlot
	s.spills++
	if s.bankOf(v) == &s.masks {
		s.Emit(asm.Inst{Op: asm.KStore, W: 1, Dst: asm.Reg(l.reg), B: asm.M(spillReg, l.addr)})
		return
	}
	s.Emit(asm.Inst{Op: asm.Store, W: s.aw, Dst: asm.Reg(l.reg), B: asm.M(spillReg, l.addr)})
}

// need brings a value into a register and holds it there for the instruction at hand.
func (s *segment) need(v block.Value) asm.Reg {
	k, l := s.bankOf(v), &s.loc[v]
	if l.reg >= 0 {
		k.pinned |= 1 << l.reg
		return asm.Reg(l.reg)
	}
	r := s.alloc(k)
	s.fetch(r, v)
	l.reg = int8(r)
	k.owner[r] = v
	return r
}

// fetch loads a value from its home into a register, without noting that it is there.
func (s *segment) fetch(r asm.Reg, v block.Value) {
	l, in := &s.loc[v], &s.b.Instrs[v]
	switch {
	case s.bankOf(v) == &s.masks:
		s.Emit(asm.Inst{Op: asm.KMove, W: 1, Dst: r, B: asm.M(spillReg, l.addr)})
	case l.home == inPool && in.Bits == 0:
		s.Emit(asm.Inst{Op: asm.Xor, W: min(s.aw, 4), Dst: r, A: r, B: asm.R(r)})
	case l.home == inPool && s.w == 8 && s.pool.single:
		s.Emit(asm.Inst{Op: asm.Broadcast, W: s.aw, Dst: r, B: asm.M(poolReg, l.addr)})
	case l.home == inInput && in.Broadcast && s.w > 1:
		s.Emit(asm.Inst{Op: asm.Broadcast, W: s.aw, Dst: r, B: s.memory(v)})
	case l.home == noHome:
		s.fail("a value is nowhere")
	default:
		s.Emit(asm.Inst{Op: asm.Load, W: s.aw, Dst: r, B: s.memory(v)})
	}
}

// memory is the address of a value's home.
func (s *segment) memory(v block.Value) asm.RM {
	l := &s.loc[v]
	switch l.home {
	case inPool:
		return s.pool.operand(l.addr, s.w)
	case inSlot:
		return asm.M(spillReg, l.addr)
	}
	return s.input(&s.b.Instrs[v])
}

// foldable reports whether an instruction can take a value from memory itself. whole says that it reads a whole register even where only one
// lane counts, as the bitwise ones do.
func (s *segment) foldable(v block.Value, whole bool) bool {
	l, in := &s.loc[v], &s.b.Instrs[v]
	switch {
	case l.reg >= 0 || l.home == noHome || s.bankOf(v) == &s.masks:
		return false
	case l.home == inPool:
		if in.Bits == 0 {
			return false // a register is zeroed for nothing
		}
	case s.w == 1 && whole:
		return false
	case l.home == inInput && in.Broadcast && s.w == 4:
		return false
	}
	return s.lastUse(v) || !s.vecs.free()
}

// operand is a value as the last operand of an instruction: from memory where that is as good.
func (s *segment) operand(v block.Value, whole bool) asm.RM {
	if !s.foldable(v, whole) {
		return asm.R(s.need(v))
	}
	if in := &s.b.Instrs[v]; s.loc[v].home == inInput && in.Broadcast && s.w > 1 {
		return s.broadcast(in)
	}
	return s.memory(v)
}

// dies reports whether a value's register may be overwritten by the instruction at hand.
func (s *segment) dies(v block.Value) bool {
	l := &s.loc[v]
	return l.reg >= 0 && s.bankOf(v).perm>>l.reg&1 == 0 && s.lastUse(v) && (!l.keep || l.home != noHome)
}

// take gives a register of a bank for a result: that of an operand that is not wanted any more, or another.
func (s *segment) take(k *bank, from ...block.Value) asm.Reg {
	for _, v := range from {
		if s.bankOf(v) == k && s.dies(v) {
			r := s.loc[v].reg
			s.drop(v)
			k.pinned |= 1 << r
			return asm.Reg(r)
		}
	}
	return s.alloc(k)
}

// drop takes a value out of its register.
func (s *segment) drop(v block.Value) {
	l := &s.loc[v]
	if l.reg >= 0 {
		s.bankOf(v).owner[l.reg] = nobody
		l.reg = -1
	}
}

// release gives back what a value holds, if the instruction at hand was the last to want it.
func (s *segment) release(v block.Value) {
	l := &s.loc[v]
	if l.reg >= 0 && s.dies(v) {
		s.drop(v)
	}
	if l.home == inSlot && !l.keep && s.lastUse(v) {
		s.freeSlots = append(s.freeSlots, l.addr)
		l.home = noHome
	}
}

// define notes that a register now holds the result of an instruction.
func (s *segment) define(v block.Value, r asm.Reg) {
	s.loc[v].reg = int8(r)
	s.bankOf(v).owner[r] = v
}
