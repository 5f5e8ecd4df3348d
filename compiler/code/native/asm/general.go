package asm

import "encoding/binary"

// The integer instructions of a prologue and a loop. All are 64 bits wide unless they say otherwise.

func rex(reg, base Reg) byte { return 0x48 | byte(reg>>3)<<2 | byte(base>>3) }

// LoadGP loads a general register from base + disp.
func (a *Assembler) LoadGP(dst, base Reg, disp int32) {
	a.Code = append(a.Code, rex(dst, base), 0x8B)
	a.modrm(dst, M(base, disp), 1)
}

// LoadScalarIndexed loads the float64 at base + disp + 8·index into a vector register below 16.
func (a *Assembler) LoadScalarIndexed(dst, base, index Reg, disp int32) {
	x := inv(index, 3)
	if x == 1 && inv(base, 3) == 1 {
		a.Code = append(a.Code, 0xC5, inv(dst, 3)<<7|15<<3|pF2, 0x10)
	} else {
		a.Code = append(a.Code, 0xC4, inv(dst, 3)<<7|x<<6|inv(base, 3)<<5|m0F, 15<<3|pF2, 0x10)
	}
	a.modrm(dst, MGather(base, index, disp), 1)
}

// AddImm adds a constant.
func (a *Assembler) AddImm(dst Reg, v int32) { a.arithImm(0, dst, v) }

// SubImm subtracts a constant.
func (a *Assembler) SubImm(dst Reg, v int32) { a.arithImm(5, dst, v) }

func (a *Assembler) arithImm(ext byte, dst Reg, v int32) {
	switch {
	case v >= -128 && v < 128:
		a.Code = append(a.Code, rex(0, dst), 0x83, 0xC0|ext<<3|byte(dst&7), byte(v))
	case dst == RAX:
		a.Code = binary.LittleEndian.AppendUint32(append(a.Code, 0x48, ext<<3|5), uint32(v))
	default:
		a.Code = binary.LittleEndian.AppendUint32(append(a.Code, rex(0, dst), 0x81, 0xC0|ext<<3|byte(dst&7)), uint32(v))
	}
}

// AddGP adds a register to another.
func (a *Assembler) AddGP(dst, src Reg) {
	a.Code = append(a.Code, rex(src, dst), 0x01, 0xC0|byte(src&7)<<3|byte(dst&7))
}

// MulImm is dst ← src · v.
func (a *Assembler) MulImm(dst, src Reg, v int32) {
	if v >= -128 && v < 128 {
		a.Code = append(a.Code, rex(dst, src), 0x6B, 0xC0|byte(dst&7)<<3|byte(src&7), byte(v))
		return
	}
	a.Code = binary.LittleEndian.AppendUint32(append(a.Code, rex(dst, src), 0x69, 0xC0|byte(dst&7)<<3|byte(src&7)), uint32(v))
}

// MoveImm32 sets a register to a constant, zero-extended.
func (a *Assembler) MoveImm32(dst Reg, v uint32) {
	if dst > 7 {
		a.Code = append(a.Code, 0x41)
	}
	a.Code = binary.LittleEndian.AppendUint32(append(a.Code, 0xB8|byte(dst&7)), v)
}

// TestImm sets the flags by the low half of RAX and a constant.
func (a *Assembler) TestImm(v uint32) {
	a.Code = binary.LittleEndian.AppendUint32(append(a.Code, 0xA9), v)
}

// JumpZero jumps forward when the last result was zero; the target is set by Land.
func (a *Assembler) JumpZero() (from int) {
	a.Code = append(a.Code, 0x0F, 0x84, 0, 0, 0, 0)
	return len(a.Code)
}

// Land makes a forward jump end here.
func (a *Assembler) Land(from int) {
	binary.LittleEndian.PutUint32(a.Code[from-4:], uint32(len(a.Code)-from))
}

// JumpNotZero jumps back to a position of the code.
func (a *Assembler) JumpNotZero(to int) {
	a.Code = binary.LittleEndian.AppendUint32(append(a.Code, 0x0F, 0x85), uint32(to-len(a.Code)-6))
}

// ZeroUpper clears the upper halves of all vector registers, so that code with older encodings runs at full speed after.
func (a *Assembler) ZeroUpper() { a.Code = append(a.Code, 0xC5, 0xF8, 0x77) }

// Return ends the function.
func (a *Assembler) Return() { a.Code = append(a.Code, 0xC3) }

// AlignLoop pads with the long no-operations that the manual recommends until the position is a multiple of n.
func (a *Assembler) AlignLoop(n int) {
	nops := [...][]byte{
		nil, {0x90}, {0x66, 0x90}, {0x0F, 0x1F, 0}, {0x0F, 0x1F, 0x40, 0}, {0x0F, 0x1F, 0x44, 0, 0}, {0x66, 0x0F, 0x1F, 0x44, 0, 0},
		{0x0F, 0x1F, 0x80, 0, 0, 0, 0}, {0x0F, 0x1F, 0x84, 0, 0, 0, 0, 0}, {0x66, 0x0F, 0x1F, 0x84, 0, 0, 0, 0, 0},
	}
	for gap := (n - len(a.Code)%n) % n; gap > 0; {
		k := min(gap, 9)
		a.Code = append(a.Code, nops[k]...)
		gap -= k
	}
}
