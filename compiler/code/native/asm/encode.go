package asm

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Reg is a register's number: 0–31 of the vectors, 0–7 of the masks, 0–15 of the general ones.
type Reg uint8

// The general registers.
const (
	RAX Reg = iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
)

// Width is the number of float64 lanes: 1 (scalar), 2 (a whole xmm), 4 (ymm) or 8 (zmm).
type Width uint8

// RM is the operand that may be a register or memory.
type RM struct {
	mem   bool
	bcast bool
	index bool // a vector of indices, scaled by 8
	reg   Reg  // the register, or the base
	idx   Reg
	disp  int32
}

// R is a register as operand.
func R(r Reg) RM { return RM{reg: r} }

// M is memory at base + disp bytes.
func M(base Reg, disp int32) RM { return RM{mem: true, reg: base, disp: disp} }

// MBroadcast is one float64 at base + disp, for all lanes (EVEX only).
func MBroadcast(base Reg, disp int32) RM { return RM{mem: true, bcast: true, reg: base, disp: disp} }

// MGather is memory at base + disp + 8·index, per lane.
func MGather(base, index Reg, disp int32) RM {
	return RM{mem: true, index: true, reg: base, idx: index, disp: disp}
}

// IsMem reports whether the operand is memory.
func (o RM) IsMem() bool { return o.mem }

// Inst is an instruction with its operands. Fields that the row of Op does not have are ignored.
type Inst struct {
	Op     Op
	W      Width
	Dst    Reg // of Store, KStore and MoveQToGP the vector or mask that is read
	A      Reg // first source; of Gather the mask
	B      RM  // second source, or the only one
	C      Reg // BlendV: the register that selects
	Imm    uint8
	K      Reg // write mask, 0 for none
	Zeroes bool
}

// ErrOperands tells of an instruction that the machine does not have.
var ErrOperands = errors.New("asm: no such combination of operands")

// Assembler collects machine code.
type Assembler struct {
	Code []byte
	Err  error // the first instruction that could not be encoded
	// Note, if not nil, is told of each vector or mask instruction and where its bytes are; a listing is made of that.
	Note func(in Inst, from, to int)
}

// Emit appends an instruction. Without EVEX where VEX will do, as it is shorter.
func (a *Assembler) Emit(in Inst) {
	start := len(a.Code)
	a.encode(in)
	if a.Note != nil {
		a.Note(in, start, len(a.Code))
	}
}

func (a *Assembler) encode(in Inst) {
	r := &table[in.Op]
	f := r.p
	if in.W == 1 && r.scalar != "" {
		f = r.s
	} else if r.packed == "" {
		a.fail(in)
		return
	}
	evex := r.has&hasVEX == 0 || in.W == 8 && r.has&(only128|length1) == 0 && r.src != mask && r.dst != mask || in.K != 0 || in.B.bcast ||
		in.Dst > 15 || in.B.reg > 15 || in.B.idx > 15 || (r.shape == rvm || r.shape == rvmr || r.shape == vsib) && in.A > 15
	switch {
	case evex && r.has&hasEVEX == 0,
		in.B.mem && (in.Op == MoveQToGP || in.Op == MoveQFromGP || in.Op == Move),
		in.B.bcast && (r.has&noBcast != 0 || in.W == 1 || r.tuple == scalar),
		in.B.index != (r.shape == vsib),
		!in.B.mem && (r.shape == mr && r.dst != gp || r.shape == vsib),
		in.Op == Load && !in.B.mem,
		in.Op == Broadcast && in.W < 4:
		a.fail(in)
		return
	}
	reg, vvvv := in.Dst, Reg(0)
	switch r.shape {
	case rvm, rvmr:
		vvvv = in.A
	case vsib:
		if !evex {
			vvvv = in.A
		}
	case vmi:
		reg, vvvv = Reg(r.ext), in.Dst
	case rm:
		// The scalar forms of Sqrt and Round have a first source for the upper half: the operand itself, which spares a dependence.
		if in.W == 1 && (in.Op == Sqrt || in.Op == Round || in.Op == RoundScale) {
			vvvv = in.B.reg
			if in.B.mem {
				vvvv = in.Dst
			}
		}
	}
	if in.Op == Move && !evex && in.Dst < 8 && in.B.reg > 7 {
		// Written the other way round it needs a byte less.
		f.opcode++
		reg, in.B = in.B.reg, R(reg)
	}
	scale := int32(1)
	if evex {
		scale = r.scale(in)
		a.evex(r, f, in, reg, vvvv)
	} else {
		a.vex(r, f, in, reg, vvvv)
	}
	a.modrm(reg, in.B, scale)
	if r.has&hasImm != 0 {
		a.Code = append(a.Code, in.Imm)
	} else if r.shape == rvmr {
		a.Code = append(a.Code, byte(in.C)<<4)
	}
}

func (a *Assembler) fail(in Inst) {
	if a.Err == nil {
		a.Err = fmt.Errorf("%w: %s", ErrOperands, in)
	}
}

// scale is the unit of EVEX's one-byte displacement.
func (r *row) scale(in Inst) int32 {
	n := int32(in.W) * 8
	switch {
	case in.W == 1, r.tuple == scalar:
		return 8
	case r.tuple == halfT && in.B.bcast:
		return 4
	case r.tuple == halfT:
		return n / 2
	case in.B.bcast:
		return 8
	}
	return n
}

// length is the field L: 0 for xmm and scalars, 1 for ymm, 2 for zmm.
func (r *row) length(w Width) byte {
	switch {
	case r.has&length1 != 0:
		return 1
	case r.has&only128 != 0:
		return 0
	case w == 4:
		return 1
	case w == 8:
		return 2
	}
	return 0
}

// inv is a register's bit n as the prefixes store it, inverted.
func inv(r Reg, n uint) byte { return ^byte(r) >> n & 1 }

func (a *Assembler) vex(r *row, f form, in Inst, reg, vvvv Reg) {
	x := byte(1)
	if in.B.index {
		x = inv(in.B.idx, 3)
	}
	rr, b := inv(reg, 3), inv(in.B.reg, 3)
	tail := (^byte(vvvv)&15)<<3 | r.length(in.W)<<2 | f.pp
	if x == 1 && b == 1 && f.w == 0 && f.mm == m0F {
		a.Code = append(a.Code, 0xC5, rr<<7|tail, f.opcode)
		return
	}
	a.Code = append(a.Code, 0xC4, rr<<7|x<<6|b<<5|f.mm, f.w<<7|tail, f.opcode)
}

func (a *Assembler) evex(r *row, f form, in Inst, reg, vvvv Reg) {
	x, v := inv(in.B.reg, 4), inv(vvvv, 4) // a register operand's fifth bit sits in X
	if in.B.mem {
		x = 1
		if in.B.index {
			x, v = inv(in.B.idx, 3), inv(in.B.idx, 4)
		}
	}
	var z, bc byte
	if in.Zeroes {
		z = 1
	}
	if in.B.bcast {
		bc = 1
	}
	a.Code = append(a.Code, 0x62,
		inv(reg, 3)<<7|x<<6|inv(in.B.reg, 3)<<5|inv(reg, 4)<<4|f.mm,
		r.w512<<7|(^byte(vvvv)&15)<<3|1<<2|f.pp,
		z<<7|r.length(in.W)<<5|bc<<4|v<<3|byte(in.K),
		f.opcode)
}

// modrm appends the operand byte, the index byte and the displacement; scale is EVEX's unit of a short displacement.
func (a *Assembler) modrm(reg Reg, o RM, scale int32) {
	low := byte(reg&7) << 3
	if !o.mem {
		a.Code = append(a.Code, 0xC0|low|byte(o.reg&7))
		return
	}
	short := o.disp%scale == 0 && o.disp/scale >= -128 && o.disp/scale < 128
	mod := byte(0x80)
	switch {
	case o.disp == 0 && o.reg&7 != RBP: // without displacement that base would mean something else
		mod = 0
	case short:
		mod = 0x40
	}
	switch {
	case o.index:
		a.Code = append(a.Code, mod|low|4, 3<<6|byte(o.idx&7)<<3|byte(o.reg&7))
	case o.reg&7 == RSP: // the index byte cannot be left out for this base
		a.Code = append(a.Code, mod|low|4, 4<<3|byte(o.reg&7))
	default:
		a.Code = append(a.Code, mod|low|byte(o.reg&7))
	}
	switch mod {
	case 0x40:
		a.Code = append(a.Code, byte(int8(o.disp/scale)))
	case 0x80:
		a.Code = binary.LittleEndian.AppendUint32(a.Code, uint32(o.disp))
	}
}
