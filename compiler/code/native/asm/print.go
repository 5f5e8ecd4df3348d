package asm

import (
	"fmt"
	"strings"
)

var gpNames = [16]string{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}
var gp32Names = [16]string{"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"}

// name is a register of a file as the manual writes it.
func (f file) name(r Reg, w Width) string {
	switch f {
	case mask:
		return fmt.Sprintf("k%d", r)
	case gp:
		return gpNames[r&15]
	case gp32:
		return gp32Names[r&15]
	case half:
		w /= 2
	case low:
		w = 1
	}
	switch w {
	case 4:
		return fmt.Sprintf("ymm%d", r)
	case 8:
		return fmt.Sprintf("zmm%d", r)
	}
	return fmt.Sprintf("xmm%d", r)
}

// size is the prefix of a memory operand.
func size(bytes int) string {
	return map[int]string{1: "byte", 4: "dword", 8: "qword", 16: "xmmword", 32: "ymmword", 64: "zmmword"}[bytes]
}

func (r *row) operand(in Inst) string {
	o := in.B
	if !o.mem {
		f := r.src
		if r.shape == mr {
			f = r.dst
		}
		return f.name(o.reg, in.W)
	}
	bytes := int(in.W) * 8
	switch {
	case r.dst == mask && r.src == mask:
		bytes = 1
	case in.W == 1, r.tuple == scalar, o.bcast && r.tuple != halfT, r.shape == vsib:
		bytes = 8
	case r.tuple == halfT && o.bcast:
		bytes = 4
	case r.tuple == halfT:
		bytes /= 2
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s ptr [%s", size(bytes), gpNames[o.reg&15])
	if o.index {
		fmt.Fprintf(&b, "+%s*8", vec.name(o.idx, in.W))
	}
	if o.disp != 0 {
		fmt.Fprintf(&b, "%+d", o.disp)
	}
	b.WriteString("]")
	if o.bcast {
		fmt.Fprintf(&b, "{1to%d}", in.W)
	}
	return b.String()
}

// String is the instruction in Intel's notation.
func (in Inst) String() string {
	if in.Op >= numOps {
		return "unknown instruction"
	}
	r := &table[in.Op]
	name := r.packed
	if in.W == 1 && r.scalar != "" {
		name = r.scalar
	}
	dst := r.dst.name(in.Dst, in.W)
	if r.shape == mr {
		dst = r.src.name(in.Dst, in.W)
	}
	if in.K != 0 {
		dst += fmt.Sprintf("{k%d}", in.K)
	}
	if in.Zeroes {
		dst += "{z}"
	}
	ops := []string{dst}
	rmText := r.operand(in)
	switch r.shape {
	case rvm, rvmr:
		f := r.dst
		if f == mask && r.src == vec {
			f = vec
		}
		ops = append(ops, f.name(in.A, in.W), rmText)
		if r.shape == rvmr {
			ops = append(ops, vec.name(in.C, in.W))
		}
	case rm:
		if in.W == 1 && (in.Op == Sqrt || in.Op == Round || in.Op == RoundScale) {
			first := in.B.reg
			if in.B.mem {
				first = in.Dst
			}
			ops = append(ops, vec.name(first, 1))
		}
		ops = append(ops, rmText)
	case mr:
		ops = []string{rmText, dst}
	case vmi:
		ops = append(ops, rmText)
	case vsib:
		ops = append(ops, rmText)
		if r.has&hasVEX != 0 {
			ops = append(ops, vec.name(in.A, in.W))
		}
	}
	if r.has&hasImm != 0 {
		ops = append(ops, fmt.Sprint(in.Imm))
	}
	return name + " " + strings.Join(ops, ", ")
}
