package native

import (
	"github.com/udl-lang/udl/compiler/code/native/asm"
	"github.com/udl-lang/udl/compiler/code/native/block"
)

// simple are the operations of two floats that are one instruction. whole: on all 64 bits, so of whole registers.
var simple = map[block.Op]struct {
	op    asm.Op
	whole bool
}{
	block.OpAdd: {asm.Add, false}, block.OpSub: {asm.Sub, false}, block.OpMul: {asm.Mul, false}, block.OpDiv: {asm.Div, false},
	block.OpMin: {asm.Min, false}, block.OpMax: {asm.Max, false},
	block.OpAnd: {asm.And, true}, block.OpAndNot: {asm.AndNot, true}, block.OpOr: {asm.Or, true}, block.OpXor: {asm.Xor, true},
	block.OpAddQ: {asm.AddQ, true}, block.OpSubQ: {asm.SubQ, true},
}

// maskOps are the operations on masks, in vector registers and in mask registers.
var maskOps = map[block.Op]struct{ vec, mask asm.Op }{
	block.OpMaskAnd: {asm.And, asm.KAnd}, block.OpMaskAndNot: {asm.AndNot, asm.KAndNot}, block.OpMaskOr: {asm.Or, asm.KOr}, block.OpMaskXor: {asm.Xor, asm.KXor},
}

// fusedOps are the fused operations by which operand they overwrite: a (132, 213) or c (231).
var fusedOps = map[block.Op]struct{ f132, f213, f231 asm.Op }{
	block.OpFMA: {asm.FMAdd132, asm.FMAdd213, asm.FMAdd231}, block.OpFMS: {asm.FMSub132, asm.FMSub213, asm.FMSub231},
	block.OpFNMA: {asm.FNMAdd132, asm.FNMAdd213, asm.FNMAdd231}, block.OpFNMS: {asm.FNMSub132, asm.FNMSub213, asm.FNMSub231},
}

// predicates are the machine's comparisons for a Pred, none of which signals.
var predicates = [8]uint8{0x00, 0x11, 0x12, 0x03, 0x04, 0x15, 0x16, 0x07}

const (
	signBit = 1 << 63
	allOnes = 1<<64 - 1
)

// emit translates one instruction.
func (s *segment) emit(v block.Value, in *block.Instr) {
	if op, ok := simple[in.Op]; ok {
		a, b := in.A, in.B
		if in.Op.Info().Commutative && a != b && s.foldable(a, op.whole) && !s.foldable(b, op.whole) {
			a, b = b, a
		}
		ra := s.need(a)
		rb := s.operand(b, op.whole)
		dst := s.take(&s.vecs, a, b)
		s.Emit(asm.Inst{Op: op.op, W: s.aw, Dst: dst, A: ra, B: rb})
		s.define(v, dst)
		return
	}
	switch in.Op {
	case block.OpStore:
		a := s.need(in.A)
		s.stored(v, in)
		s.Emit(asm.Inst{Op: asm.Store, W: s.aw, Dst: a, B: s.input(in)})
		return
	case block.OpFMA, block.OpFMS, block.OpFNMA, block.OpFNMS:
		s.fma(v, in)
		return
	case block.OpMaskAnd, block.OpMaskAndNot, block.OpMaskOr, block.OpMaskXor, block.OpMaskNot:
		s.mask(v, in)
		return
	case block.OpSelect:
		m, c := s.need(in.A), s.need(in.C)
		b := s.operand(in.B, true)
		dst := s.take(&s.vecs, in.A, in.B, in.C)
		s.blend(dst, m, b, c)
		s.define(v, dst)
		return
	case block.OpCmp:
		ra := s.need(in.A)
		rb := s.operand(in.B, false)
		k := s.bankOf(v)
		dst := s.take(k, in.A, in.B)
		op := asm.Cmp
		if k == &s.masks {
			op = asm.CmpMask
		}
		s.Emit(asm.Inst{Op: op, W: s.aw, Dst: dst, A: ra, B: rb, Imm: predicates[in.Mode&7]})
		s.define(v, dst)
		return
	case block.OpTable:
		s.gather(v, in)
		return
	}
	s.unary(v, in)
}

// blend is dst ← m ? b : c.
func (s *segment) blend(dst, m asm.Reg, b asm.RM, c asm.Reg) {
	if s.w == 8 {
		s.Emit(asm.Inst{Op: asm.BlendM, W: 8, Dst: dst, A: c, B: b, K: m})
		return
	}
	s.Emit(asm.Inst{Op: asm.BlendV, W: s.aw, Dst: dst, A: c, B: b, C: m})
}

// unary translates the operations of one float.
func (s *segment) unary(v block.Value, in *block.Instr) {
	a := s.need(in.A)
	dst := s.take(&s.vecs, in.A)
	out := asm.Inst{W: s.aw, Dst: dst, A: a, B: asm.R(a)}
	switch in.Op {
	case block.OpNeg:
		out.Op, out.B = asm.Xor, s.pool.operand(s.pool.constant(signBit, s.w), s.w)
	case block.OpAbs:
		out.Op, out.B = asm.And, s.pool.operand(s.pool.constant(signBit-1, s.w), s.w)
	case block.OpSqrt:
		out.Op = asm.Sqrt
	case block.OpRound:
		out.Op, out.Imm = asm.Round, in.Mode
		if s.w == 8 {
			out.Op = asm.RoundScale
		}
	case block.OpShiftLeft:
		out.Op, out.Imm = asm.ShiftLeft, in.Mode
	case block.OpShiftRight:
		out.Op, out.Imm = asm.ShiftRight, in.Mode
	default:
		s.fail("no code for " + in.Op.Info().Name)
		return
	}
	s.Emit(out)
	s.define(v, dst)
}

// mask translates the operations on masks.
func (s *segment) mask(v block.Value, in *block.Instr) {
	k := s.bankOf(v)
	a := s.need(in.A)
	out := asm.Inst{W: s.aw, A: a}
	switch op, two := maskOps[in.Op]; {
	case two && k == &s.masks:
		out.Op, out.B, out.W = op.mask, asm.R(s.need(in.B)), 1
	case two:
		out.Op, out.B = op.vec, s.operand(in.B, true)
	case k == &s.masks:
		out.Op, out.B, out.W = asm.KNot, asm.R(a), 1
	default:
		out.Op, out.B = asm.Xor, s.pool.operand(s.pool.constant(allOnes, s.w), s.w)
	}
	out.Dst = s.take(k, in.Args()...)
	s.Emit(out)
	s.define(v, out.Dst)
}

// fma translates the fused operations. The machine's overwrite one operand; the form is chosen so that it is one nobody wants any more.
func (s *segment) fma(v block.Value, in *block.Instr) {
	form := fusedOps[in.Op]
	a, b, c := in.A, in.B, in.C
	emit := func(op asm.Op, dst, second asm.Reg, third asm.RM) {
		s.Emit(asm.Inst{Op: op, W: s.aw, Dst: dst, A: second, B: third})
		s.define(v, dst)
	}
	over := func(x block.Value) asm.Reg { // x's register becomes the result's
		r := s.loc[x].reg
		s.drop(x)
		return asm.Reg(r)
	}
	if s.dies(c) && c != a && c != b {
		s.need(c)
		if s.foldable(a, false) && !s.foldable(b, false) {
			a, b = b, a
		}
		ra := s.need(a)
		rb := s.operand(b, false)
		emit(form.f231, over(c), ra, rb)
		return
	}
	if s.dies(b) && !s.dies(a) {
		a, b = b, a
	}
	if s.dies(a) && a != b && a != c {
		s.need(a)
		if !s.foldable(c, false) && s.foldable(b, false) {
			rc := s.need(c)
			rb := s.operand(b, false)
			emit(form.f132, over(a), rc, rb)
			return
		}
		rb := s.need(b)
		rc := s.operand(c, false)
		emit(form.f213, over(a), rb, rc)
		return
	}
	if s.foldable(a, false) && !s.foldable(b, false) {
		a, b = b, a
	}
	ra := s.need(a)
	rb := s.operand(b, false)
	var dst asm.Reg
	if s.loc[c].reg < 0 && s.lastUse(c) {
		dst = s.alloc(&s.vecs)
		s.fetch(dst, c)
	} else {
		rc := s.need(c)
		dst = s.alloc(&s.vecs)
		s.Emit(asm.Inst{Op: asm.Move, W: max(2, s.aw), Dst: dst, B: asm.R(rc)})
	}
	emit(form.f231, dst, ra, rb)
}

// gather translates the look-up in a table.
func (s *segment) gather(v block.Value, in *block.Instr) {
	at := s.pool.table(s.b.Tables[in.Index])
	idx := s.need(in.A)
	dst := s.alloc(&s.vecs)
	switch s.w {
	case 1:
		s.Emit(asm.Inst{Op: asm.MoveQToGP, W: 1, Dst: idx, B: asm.R(scratchReg)})
		s.LoadScalarIndexed(dst, poolReg, scratchReg, at)
	case 8:
		m := s.alloc(&s.masks)
		s.Emit(asm.Inst{Op: asm.KXnor, W: 1, Dst: m, A: m, B: asm.R(m)})
		s.Emit(asm.Inst{Op: asm.Xor, W: 4, Dst: dst, A: dst, B: asm.R(dst)})
		s.Emit(asm.Inst{Op: asm.GatherMask, W: 8, Dst: dst, B: asm.MGather(poolReg, idx, at), K: m})
	default:
		m := s.alloc(&s.vecs)
		s.Emit(asm.Inst{Op: asm.CmpEqQ, W: s.aw, Dst: m, A: m, B: asm.R(m)})
		s.Emit(asm.Inst{Op: asm.Xor, W: s.aw, Dst: dst, A: dst, B: asm.R(dst)})
		s.Emit(asm.Inst{Op: asm.Gather, W: s.aw, Dst: dst, A: m, B: asm.MGather(poolReg, idx, at)})
	}
	s.define(v, dst)
}
