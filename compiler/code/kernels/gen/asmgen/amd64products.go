package asmgen

import "fmt"

// Products of matrices and vectors for amd64. How sums are ordered is told, and defined in Go, in dense_test.go of package kernels. The shape of the inner
// loops, several rows and sums under way at once so that no fused multiply-add waits for the one before, is that of Goto and van de Geijn, Anatomy
// of high-performance matrix multiplication, ACM TOMS 34 (2008).

// products writes them.
func (isa *amd64) products() string {
	var t text
	t.p("%s", notice)
	t.p("#include \"textflag.h\"\n")
	data(&t, "zero"+isa.name, []uint64{0})
	if isa == avx2 {
		t.p("\n// Masks of the first lanes: the address goes down with their number.")
		data(&t, "lanes"+isa.name, []uint64{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0), 0, 0, 0, 0})
	}
	isa.matVec(&t)
	isa.matTVec(&t)
	isa.outerAdd(&t)
	return t.String()
}

func (isa *amd64) v(i int) string { return fmt.Sprintf("%c%d", isa.reg, i) }

// rows are the addresses of consecutive rows: R13 and R11 at rows 0 and 4 of eight (or 0 and 2 of four), R9 and R10 one and three rows further.
var rows = map[int][]string{
	8: {"(R13)", "(R13)(R9*1)", "(R13)(R9*2)", "(R13)(R10*1)", "(R11)", "(R11)(R9*1)", "(R11)(R9*2)", "(R11)(R10*1)"},
	4: {"(R13)", "(R13)(R9*1)", "(R11)", "(R11)(R9*1)"},
}

// tailX is the register that holds what is left of x after whole vectors; the AVX2 mask is beside it.
func (isa *amd64) tailX() int { return isa.lanes*4 - 1 } // 15 or 31

// matVec writes d = W x, eight rows at a time and then four or fewer.
func (isa *amd64) matVec(t *text) {
	t.p("\n// func matVec%s(d, w, x, bias *float64, m, n int)", isa.name)
	t.p("TEXT ·matVec%s(SB), NOSPLIT, $0-48", isa.name)
	t.p("\tMOVQ d+0(FP), DI\n\tMOVQ w+8(FP), R8\n\tMOVQ x+16(FP), SI\n\tMOVQ bias+24(FP), R12\n\tMOVQ m+32(FP), DX\n\tMOVQ n+40(FP), R9")
	t.p("\n\t// What is left of x after whole vectors, nought in the other lanes.")
	t.p("\tMOVQ R9, CX\n\tMOVQ R9, BX\n\tANDQ $%d, CX\n\tSUBQ CX, BX\n\tLEAQ (SI)(BX*8), BX", isa.lanes-1)
	isa.mask(t)
	isa.pieces(t, "x", "zero"+isa.name)
	t.p("\tVMOVAPD %s, %s", isa.v(0), isa.v(isa.tailX()))
	t.p("\tSHLQ $3, R9\n\tLEAQ (R9)(R9*2), R10")

	t.p("\neight:\n\tCMPQ DX, $4\n\tJLE  four")
	t.p("\tLEAQ (R8)(R9*4), R11\n\tCMPQ DX, $8\n\tJGE  eightSums")
	t.p("\n\t// Five to seven rows are the first four and the last four.")
	t.p("\tLEAQ -4(DX), R11\n\tIMULQ R9, R11\n\tADDQ R8, R11\n\neightSums:")
	t.p("\tMOVQ R8, R13\n\tLEAQ (R8)(R9*8), R8")
	isa.zero(t, 8)
	isa.sums(t, "eight", 8, 1)
	isa.fold8(t)
	t.p("\tCMPQ DX, $8\n\tJLT  some")
	t.p("\tTESTQ R12, R12\n\tJZ   eightStore")
	if isa == avx2 {
		t.p("\tVADDPD (R12), Y0, Y0\n\tVADDPD 32(R12), Y1, Y1\n\tADDQ $64, R12\n\neightStore:\n\tVMOVUPD Y0, (DI)\n\tVMOVUPD Y1, 32(DI)")
	} else {
		t.p("\tVADDPD (R12), Z0, Z0\n\tADDQ $64, R12\n\neightStore:\n\tVMOVUPD Z0, (DI)")
	}
	t.p("\tADDQ $64, DI\n\tSUBQ $8, DX\n\tJMP  eight")

	// The first four are stored last, so that who reads four and then two and one finds each in one store.
	t.p("\nsome:")
	if isa == avx512 {
		t.p("\tVEXTRACTF64X4 $1, Z0, Y1")
	}
	t.p("\tTESTQ R12, R12\n\tJZ   someStore\n\tVADDPD (R12), Y0, Y0\n\tVADDPD -32(R12)(DX*8), Y1, Y1\n\nsomeStore:")
	t.p("\tVMOVUPD Y1, -32(DI)(DX*8)\n\tVMOVUPD Y0, (DI)\n\tJMP  done")

	t.p("\nfour:\n\tTESTQ DX, DX\n\tJZ   done")
	t.p("\tMOVQ R8, R13\n\tLEAQ (R8)(R9*2), R11")
	t.p("\tCMPQ DX, $4\n\tJEQ  fourSums")
	t.p("\n\t// Three rows are 0, 1, 1, 2; two are 0, 1, 0, 1; one is four times itself.")
	t.p("\tSUBQ R9, R11\n\tCMPQ DX, $2\n\tJGT  fourSums\n\tMOVQ R13, R11\n\tJEQ  fourSums\n\tXORL R9, R9\n\nfourSums:")
	isa.zero(t, 8)
	isa.sums(t, "four", 4, 2)
	isa.fold4(t)
	t.p("\tCMPQ DX, $4\n\tJLT  two")
	t.p("\tTESTQ R12, R12\n\tJZ   fourStore\n\tVADDPD (R12), Y0, Y0\n\nfourStore:\n\tVMOVUPD Y0, (DI)\n\tJMP  done")
	t.p("\ntwo:\n\tCMPQ DX, $2\n\tJLT  one")
	t.p("\tVEXTRACTF128 $1, Y0, X1\n\tVUNPCKHPD X1, X1, X1")
	t.p("\tTESTQ R12, R12\n\tJZ   twoStore\n\tVADDPD (R12), X0, X0\n\tADDQ $16, R12\n\ntwoStore:\n\tVMOVUPD X0, (DI)\n\tADDQ $16, DI\n\tSUBQ $2, DX\n\tJZ   done\n\tVMOVAPD X1, X0")
	t.p("\none:\n\tTESTQ R12, R12\n\tJZ   oneStore\n\tVADDSD (R12), X0, X0\n\noneStore:\n\tVMOVSD X0, (DI)")
	t.p("\ndone:\n\tVZEROUPPER\n\tRET")
}

func (isa *amd64) zero(t *text, n int) {
	for i := range n {
		t.p("\tVXORPD %[1]s, %[1]s, %[1]s", fmt.Sprintf("%c%d", min(isa.reg, 'Y'), i))
	}
}

// sums writes the loop over the columns: each row in as many registers as it has sums, one after the other.
func (isa *amd64) sums(t *text, label string, n, sums int) {
	size := isa.lanes * 8
	x := isa.tailX() - 2 // and the one below it
	fma := func(disp, acc, x int) {
		for i, at := range rows[n] {
			if disp != 0 {
				at = fmt.Sprint(disp) + at
			}
			t.p("\tVFMADD231PD %s, %s, %s", at, isa.v(x), isa.v(i*sums+acc))
		}
	}
	t.p("\tMOVQ SI, AX\n\tMOVQ n+40(FP), CX\n\tSHRQ $%d, CX\n\tJZ   %sTail", shift(isa.lanes*sums), label)
	t.p("\tPCALIGN $32\n\n%sLoop:", label)
	for s := range sums {
		if s == 0 {
			t.p("\tVMOVUPD (AX), %s", isa.v(x))
		} else {
			t.p("\tVMOVUPD %d(AX), %s", s*size, isa.v(x-s))
		}
		fma(s*size, s, x-s)
	}
	t.p("\tADDQ $%d, AX\n\tADDQ $%d, R13\n\tADDQ $%d, R11\n\tDECQ CX\n\tJNZ  %sLoop\n\n%sTail:", sums*size, sums*size, sums*size, label, label)
	if sums == 2 {
		t.p("\tMOVQ n+40(FP), CX\n\tTESTQ $%d, CX\n\tJZ   %sLast\n\tVMOVUPD (AX), %s", isa.lanes, label, isa.v(x))
		fma(0, 0, x)
		t.p("\tADDQ $%d, R13\n\tADDQ $%d, R11\n\n%sLast:", size, size, label)
	}
	t.p("\tTESTQ $%d, n+40(FP)\n\tJZ   %sFold", isa.lanes-1, label)
	for i, at := range rows[n] {
		if isa == avx2 {
			t.p("\tVMASKMOVPD %s, Y%d, Y%d\n\tVFMADD231PD Y%d, Y%d, Y%d", at, isa.tailX()-1, x, x, isa.tailX(), i*sums+sums-1)
		} else {
			t.p("\tVFMADD231PD %s, Z%d, K1, Z%d", at, isa.tailX(), i*sums+sums-1)
		}
	}
	t.p("\n%sFold:", label)
	if sums == 2 {
		for i := range n {
			t.p("\tVADDPD %s, %s, %s", isa.v(2*i+1), isa.v(2*i), isa.v(i))
		}
	}
}

// fold4 adds up the lanes of registers 0 to 3: neighbours first, and so on. The sums are in Y0.
func (isa *amd64) fold4(t *text) {
	if isa == avx2 {
		isa.fold(t, 0, 1, 2, 3)
		return
	}
	isa.neighbours(t, 0, 1)
	isa.neighbours(t, 2, 3)
	isa.halves(t, 0, 2)
	isa.halves(t, 0, 0)
}

// fold8 does it with registers 0 to 7. The sums are in Z0, or Y0 and Y1.
func (isa *amd64) fold8(t *text) {
	if isa == avx2 {
		isa.fold(t, 0, 1, 2, 3)
		isa.fold(t, 4, 5, 6, 7)
		t.p("\tVMOVAPD Y4, Y1")
		return
	}
	for i := 0; i < 8; i += 2 {
		isa.neighbours(t, i, i+1)
	}
	isa.halves(t, 0, 2)
	isa.halves(t, 4, 6)
	isa.halves(t, 0, 4)
}

// fold leaves the sums of four ymm registers in the first.
func (isa *amd64) fold(t *text, a, b, c, d int) {
	t.p("\tVHADDPD Y%d, Y%d, Y%d\n\tVHADDPD Y%d, Y%d, Y%d", b, a, a, d, c, c)
	t.p("\tVPERM2F128 $0x21, Y%d, Y%d, Y%d\n\tVBLENDPD $12, Y%d, Y%d, Y%d\n\tVADDPD Y%d, Y%d, Y%d", c, a, b, c, a, a, b, a, a)
}

// neighbours adds the neighbouring lanes of two zmm registers, into the first: pairs of theirs.
func (isa *amd64) neighbours(t *text, a, b int) {
	t.p("\tVUNPCKLPD Z%d, Z%d, Z16\n\tVUNPCKHPD Z%d, Z%d, Z17\n\tVADDPD Z17, Z16, Z%d", b, a, b, a, a)
}

// halves adds neighbouring pairs of lanes of two zmm registers, into the first.
func (isa *amd64) halves(t *text, a, b int) {
	t.p("\tVSHUFF64X2 $0x88, Z%d, Z%d, Z16\n\tVSHUFF64X2 $0xdd, Z%d, Z%d, Z17\n\tVADDPD Z17, Z16, Z%d", b, a, b, a, a)
}

// widths are the blocks of columns in which matTVec goes along: of so many vectors, with so many sums for each.
var widths = []struct {
	vectors, sums int
	name          string
}{{8, 1, "eight"}, {4, 2, "four"}, {2, 4, "two"}, {1, 4, "one"}}

// matTVec writes d = Wᵀ x, a block of columns after the other, each down all rows.
func (isa *amd64) matTVec(t *text) {
	size := isa.lanes * 8
	const x, tmp = 8, 12 // registers of broadcast elements of x, four; and of masked loads, two
	t.p("\n// func matTVec%s(d, w, x *float64, m, n, stride int)", isa.name)
	t.p("TEXT ·matTVec%s(SB), NOSPLIT, $0-48", isa.name)
	t.p("\tMOVQ d+0(FP), DI\n\tMOVQ w+8(FP), R8\n\tMOVQ x+16(FP), SI\n\tMOVQ m+24(FP), R12\n\tMOVQ n+32(FP), DX\n\tMOVQ stride+40(FP), R9\n\tSHLQ $3, R9\n\tLEAQ (R9)(R9*2), R10")
	down := func(name string, vectors, sums int, masked bool) {
		isa.zero(t, vectors*sums)
		row := []string{"(R13)", "(R13)(R9*1)", "(R13)(R9*2)", "(R13)(R10*1)"}
		step := func(s int) {
			t.p("\tVBROADCASTSD %d(AX), %s", 8*s, isa.v(x+s))
			for v := range vectors {
				at := row[s]
				if v > 0 {
					at = fmt.Sprint(v*size) + at
				}
				switch acc := isa.v(s*vectors + v); {
				case !masked:
					t.p("\tVFMADD231PD %s, %s, %s", at, isa.v(x+s), acc)
				case isa == avx2:
					t.p("\tVMASKMOVPD %s, Y%d, Y%d\n\tVFMADD231PD Y%d, Y%d, %s", at, isa.tailX()-1, tmp+s%2, tmp+s%2, x+s, acc)
				default:
					t.p("\tVFMADD231PD %s, Z%d, K1, %s", at, x+s, acc)
				}
			}
		}
		t.p("\tMOVQ R8, R13\n\tMOVQ SI, AX\n\tMOVQ R12, CX")
		if sums > 1 {
			t.p("\tSUBQ $%d, CX\n\tJLT  %sRest", sums, name)
		} else {
			t.p("\tTESTQ CX, CX\n\tJZ   %sEnd", name)
		}
		t.p("\tPCALIGN $32\n\n%sLoop:", name)
		for s := range sums {
			step(s)
		}
		if sums == 4 {
			t.p("\tLEAQ (R13)(R9*4), R13")
		} else {
			t.p("\tLEAQ (R13)(R9*%d), R13", sums)
		}
		t.p("\tADDQ $%d, AX", 8*sums)
		if sums > 1 {
			t.p("\tSUBQ $%d, CX\n\tJGE  %sLoop\n\n%sRest:\n\tADDQ $%d, CX\n\tJLE  %sEnd\n\n%sRow:", sums, name, name, sums, name, name)
			step(0)
			t.p("\tADDQ R9, R13\n\tADDQ $8, AX\n\tDECQ CX\n\tJNZ  %sRow", name)
		} else {
			t.p("\tDECQ CX\n\tJNZ  %sLoop", name)
		}
		t.p("\n%sEnd:", name)
		for s := sums; s > 1; s /= 2 {
			for k := range s / 2 {
				for v := range vectors {
					t.p("\tVADDPD %s, %s, %s", isa.v((2*k+1)*vectors+v), isa.v(2*k*vectors+v), isa.v(k*vectors+v))
				}
			}
		}
	}
	for i, b := range widths {
		next := "tail"
		if i+1 < len(widths) {
			next = widths[i+1].name
		}
		t.p("\n%s:\n\tCMPQ DX, $%d\n\tJLT  %s", b.name, b.vectors*isa.lanes, next)
		down(b.name, b.vectors, b.sums, false)
		for v := range b.vectors {
			t.p("\tVMOVUPD %s, %d(DI)", isa.v(v), v*size)
		}
		t.p("\tADDQ $%d, DI\n\tADDQ $%d, R8\n\tSUBQ $%d, DX", b.vectors*size, b.vectors*size, b.vectors*isa.lanes)
		if i == 0 {
			t.p("\tJMP  %s", b.name)
		}
	}
	t.p("\ntail:\n\tTESTQ DX, DX\n\tJZ   done\n\tMOVQ DX, CX")
	isa.mask(t)
	down("tail", 1, 4, true)
	t.p("\tMOVQ DX, CX\n\tMOVQ DI, BX")
	isa.storePieces(t)
	t.p("\ndone:\n\tVZEROUPPER\n\tRET")
}

// outerAdd writes d += a bᵀ, a block of columns after the other, for which b stays in registers.
func (isa *amd64) outerAdd(t *text) {
	t.p("\n// func outerAdd%s(d, a, b *float64, m, n int)", isa.name)
	t.p("TEXT ·outerAdd%s(SB), NOSPLIT, $0-40", isa.name)
	t.p("\tMOVQ d+0(FP), DI\n\tMOVQ a+8(FP), SI\n\tMOVQ b+16(FP), R8\n\tMOVQ m+24(FP), R12\n\tMOVQ n+32(FP), DX\n\tMOVQ DX, R9\n\tSHLQ $3, R9\n\tTESTQ R12, R12\n\tJZ   done")
	type part struct {
		name    string
		reg     byte
		lanes   int
		vectors int
	}
	var parts []part
	for _, b := range widths {
		parts = append(parts, part{b.name, isa.reg, isa.lanes, b.vectors})
	}
	for lanes := isa.lanes / 2; lanes > 0; lanes /= 2 {
		reg := byte('Y')
		switch lanes {
		case 2:
			reg = 'X'
		case 1:
			reg = 'S'
		}
		parts = append(parts, part{"lanes" + fmt.Sprint(lanes), reg, lanes, 1})
	}
	for i, p := range parts {
		next := "done"
		if i+1 < len(parts) {
			next = parts[i+1].name
		}
		r, move, fma, broadcast := p.reg, "VMOVUPD", "VFMADD231PD", "VBROADCASTSD"
		switch p.reg {
		case 'X':
			broadcast = "VMOVDDUP"
		case 'S':
			r, move, fma, broadcast = 'X', "VMOVSD", "VFMADD231SD", "VMOVSD"
		}
		size := p.lanes * 8
		t.p("\n%s:\n\tCMPQ DX, $%d\n\tJLT  %s", p.name, p.vectors*p.lanes, next)
		for v := range p.vectors {
			t.p("\t%s %d(R8), %c%d", move, v*size, r, v)
		}
		t.p("\tMOVQ DI, R13\n\tMOVQ SI, AX\n\tMOVQ R12, CX\n\tPCALIGN $32\n\n%sLoop:", p.name)
		t.p("\t%s (AX), %c8", broadcast, r)
		for v := range p.vectors {
			k := 9 + v%6
			t.p("\t%s %d(R13), %c%d\n\t%s %c%d, %c8, %c%d\n\t%s %c%d, %d(R13)", move, v*size, r, k, fma, r, v, r, r, k, move, r, k, v*size)
		}
		t.p("\tADDQ R9, R13\n\tADDQ $8, AX\n\tDECQ CX\n\tJNZ  %sLoop", p.name)
		t.p("\tADDQ $%d, DI\n\tADDQ $%d, R8\n\tSUBQ $%d, DX", p.vectors*size, p.vectors*size, p.vectors*p.lanes)
		if i == 0 {
			t.p("\tJMP  %s", p.name)
		}
	}
	t.p("\ndone:\n\tVZEROUPPER\n\tRET")
}
