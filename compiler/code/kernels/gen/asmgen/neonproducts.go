package asmgen

// Products of matrices and vectors for arm64: the same as for amd64 with four lanes, to the bit, each group of four in two registers.

// neonProducts writes them.
func neonProducts() string {
	var n neon
	n.p("%s", notice)
	n.p("#include \"textflag.h\"")
	n.matVec()
	n.matTVec()
	n.outerAdd()
	return n.String()
}

// General registers of the products: the operands, then the addresses of eight rows.
const (
	pD, pW, pX, pBias = 0, 1, 2, 3
	pM, pN            = 4, 5
	pStride           = 6
	pX2               = 7 // where in x
	pCount            = 8
	pTemp             = 9
	pRow              = 10 // and the seven after it; R18 is not ours
)

// rowReg is the register of a row's address.
func rowReg(i int) int { return pRow + i }

// Vector registers: sums from 0 on, then the group of x, then elements of rows.
const (
	vX    = 16
	vRows = 18
)

// matVec writes d = W x + bias; see the same for amd64.
func (n *neon) matVec() {
	n.p("\n// func matVecNEON(d, w, x, bias *float64, m, n int)\nTEXT ·matVecNEON(SB), NOSPLIT, $0-48")
	n.p("\tMOVD d+0(FP), R%d\n\tMOVD w+8(FP), R%d\n\tMOVD x+16(FP), R%d\n\tMOVD bias+24(FP), R%d\n\tMOVD m+32(FP), R%d\n\tMOVD n+40(FP), R%d\n\tLSL $3, R%d, R%d",
		pD, pW, pX, pBias, pM, pN, pN, pStride)
	n.p("\neight:\n\tCMP $4, R%d\n\tBLE four", pM)
	n.p("\tMOVD R%d, R%d", pW, rowReg(0))
	n.rows(1, 3)
	n.p("\tADD R%d, R%d, R%d\n\tCMP $8, R%d\n\tBGE eightRows", pStride, rowReg(3), rowReg(4), pM)
	n.p("\n\t// Five to seven rows are the first four and the last four.")
	n.p("\tSUB $4, R%d, R%d\n\tMUL R%d, R%d\n\tADD R%d, R%d, R%d\n\neightRows:", pM, rowReg(4), pStride, rowReg(4), pW, rowReg(4), rowReg(4))
	n.rows(5, 7)
	n.sums("eight", 8, 1)
	n.fold(8, 1)
	n.p("\tCMP $8, R%d\n\tBLT some\n\tCBZ R%d, eightStore", pM, pBias)
	for i := range 4 {
		n.load('q', vX, pBias, 16*i)
		n.op3("fadd", i, i, vX)
	}
	n.p("\tADD $64, R%d\n\neightStore:", pBias)
	for i := range 4 {
		n.store('q', i, pD, 16*i)
	}
	n.p("\tADD $64, R%d\n\tADD R%d<<3, R%d\n\tSUB $8, R%d\n\tJMP eight", pD, pStride, pW, pM)

	n.p("\nsome:\n\tSUB $4, R%d, R%d\n\tCBZ R%d, someStore\n\tADD R%d<<3, R%d, R%d", pM, pCount, pBias, pCount, pBias, pTemp)
	for i, base := range []int{pBias, pBias, pTemp, pTemp} {
		n.load('q', vX, base, 16*(i%2))
		n.op3("fadd", i, i, vX)
	}
	n.p("\nsomeStore:\n\tADD R%d<<3, R%d, R%d", pCount, pD, pTemp)
	for _, i := range []int{2, 3, 0, 1} {
		n.store('q', i, []int{pD, pTemp}[i/2], 16*(i%2))
	}
	n.p("\tRET")

	n.p("\nfour:\n\tCBZ R%d, done\n\tMOVD R%d, R%d\n\tADD R%d, R%d, R%d", pM, pW, rowReg(0), pStride, pW, rowReg(1))
	n.p("\tADD R%d, R%d, R%d\n\tCMP $4, R%d\n\tBEQ fourRows", pStride, rowReg(1), rowReg(2), pM)
	n.p("\n\t// Three rows are 0, 1, 1, 2; two are 0, 1, 0, 1; one is four times itself.")
	n.p("\tMOVD R%d, R%d\n\tCMP $2, R%d\n\tBGT fourRows\n\tMOVD R%d, R%d\n\tBEQ fourRows\n\tMOVD ZR, R%d\n\tMOVD R%d, R%d\n\nfourRows:",
		rowReg(1), rowReg(2), pM, rowReg(0), rowReg(2), pStride, rowReg(0), rowReg(1))
	n.p("\tADD R%d, R%d, R%d", pStride, rowReg(2), rowReg(3))
	n.sums("four", 4, 2)
	n.fold(4, 2)
	n.p("\tCMP $4, R%d\n\tBLT two\n\tCBZ R%d, fourStore", pM, pBias)
	for i := range 2 {
		n.load('q', vX, pBias, 16*i)
		n.op3("fadd", i, i, vX)
	}
	n.p("\nfourStore:")
	n.store('q', 0, pD, 0)
	n.store('q', 1, pD, 16)
	n.p("\tRET\n\ntwo:\n\tCMP $2, R%d\n\tBLT one\n\tCBZ R%d, twoStore", pM, pBias)
	n.load('q', vX, pBias, 0)
	n.op3("fadd", 0, 0, vX)
	n.p("\tADD $16, R%d\n\ntwoStore:", pBias)
	n.store('q', 0, pD, 0)
	n.p("\tCMP $2, R%d\n\tBEQ done\n\tADD $16, R%d", pM, pD)
	n.upper(0, 1)
	n.p("\none:\n\tCBZ R%d, oneStore", pBias)
	n.load('d', vX, pBias, 0)
	n.op3("fadd", 0, 0, vX)
	n.p("\noneStore:")
	n.store('d', 0, pD, 0)
	n.p("\ndone:\n\tRET")
}

// rows sets the addresses of some rows from the one before them.
func (n *neon) rows(from, to int) {
	for i := from; i <= to; i++ {
		n.p("\tADD R%d, R%d, R%d", pStride, rowReg(i-1), rowReg(i))
	}
}

// group adds the products of four columns to the sums of all rows: row i's are in registers 2·(i·sums + s) and the next.
func (n *neon) group(rows, sums, s int) {
	n.pair(vX, vX+1, pX2)
	for i := range rows {
		v := vRows + i%7*2
		n.pair(v, v+1, rowReg(i))
		n.op3("fmla", 2*(i*sums+s), v, vX)
		n.op3("fmla", 2*(i*sums+s)+1, v+1, vX+1)
	}
}

// sums writes the loop over the columns.
func (n *neon) sums(label string, rows, sums int) {
	for i := range 2 * rows * sums {
		n.zero(i)
	}
	n.p("\tMOVD R%d, R%d\n\tLSR $%d, R%d, R%d\n\tCBZ R%d, %sTail\n\tPCALIGN $16\n\n%sLoop:", pX, pX2, shift(4*sums), pN, pCount, pCount, label, label)
	for s := range sums {
		n.group(rows, sums, s)
	}
	n.p("\tSUBS $1, R%d\n\tBNE %sLoop\n\n%sTail:", pCount, label, label)
	if sums == 2 {
		n.p("\tTBZ $2, R%d, %sLast", pN, label)
		n.group(rows, sums, 0)
		n.p("\n%sLast:", label)
	}
	// What is left: two columns in the lower register of a group, or one there with nought beside it; a third in the upper one.
	last := sums - 1
	n.p("\tTBZ $1, R%d, %sOne", pN, label)
	n.load('q', vX, pX2, 0)
	for i := range rows {
		n.load('q', vRows+i%7*2, rowReg(i), 0)
		n.op3("fmla", 2*(i*sums+last), vRows+i%7*2, vX)
	}
	n.p("\tTBZ $0, R%d, %sFold", pN, label)
	n.load('d', vX, pX2, 16)
	for i := range rows {
		n.load('d', vRows+i%7*2, rowReg(i), 16)
		n.op3("fmla", 2*(i*sums+last)+1, vRows+i%7*2, vX)
	}
	n.p("\tJMP %sFold\n\n%sOne:\n\tTBZ $0, R%d, %sFold", label, label, pN, label)
	n.load('d', vX, pX2, 0)
	for i := range rows {
		n.load('d', vRows+i%7*2, rowReg(i), 0)
		n.op3("fmla", 2*(i*sums+last), vRows+i%7*2, vX)
	}
	n.p("\n%sFold:", label)
}

// fold adds up each row's lanes, neighbours first; two rows to a register, from 0 on.
func (n *neon) fold(rows, sums int) {
	for i := range rows {
		lo := 2 * i * sums
		if sums == 2 {
			n.op3("fadd", lo, lo, lo+2)
			n.op3("fadd", lo+1, lo+1, lo+3)
		}
		n.op3("faddp", lo, lo, lo+1)
	}
	for i := range rows / 2 {
		n.op3("faddp", i, 4*i*sums, (4*i+2)*sums)
	}
}

// matTVec writes d = Wᵀ x; see the same for amd64.
func (n *neon) matTVec() {
	n.p("\n// func matTVecNEON(d, w, x *float64, m, n, stride int)\nTEXT ·matTVecNEON(SB), NOSPLIT, $0-48")
	n.p("\tMOVD d+0(FP), R%d\n\tMOVD w+8(FP), R%d\n\tMOVD x+16(FP), R%d\n\tMOVD m+24(FP), R%d\n\tMOVD n+32(FP), R%d\n\tMOVD stride+40(FP), R%d\n\tLSL $3, R%d", pD, pW, pX, pM, pN, pStride, pStride)
	for i, b := range widths {
		next := "tail2"
		if i+1 < len(widths) {
			next = widths[i+1].name
		}
		n.p("\n%s:\n\tCMP $%d, R%d\n\tBLT %s", b.name, 4*b.vectors, pN, next)
		n.down(b.name, 'q', 2*b.vectors, b.sums)
		for v := range 2 * b.vectors {
			n.store('q', v, pD, 16*v)
		}
		n.p("\tADD $%d, R%d\n\tADD $%d, R%d\n\tSUB $%d, R%d", 32*b.vectors, pD, 32*b.vectors, pW, 4*b.vectors, pN)
		if i == 0 {
			n.p("\tJMP %s", b.name)
		}
	}
	n.p("\ntail2:\n\tTBZ $1, R%d, tail1", pN)
	n.down("tail2", 'q', 1, 4)
	n.store('q', 0, pD, 0)
	n.p("\tADD $16, R%d\n\tADD $16, R%d\n\ntail1:\n\tTBZ $0, R%d, done", pD, pW, pN)
	n.down("tail1", 'd', 1, 4)
	n.store('d', 0, pD, 0)
	n.p("\ndone:\n\tRET")
}

// down writes the loop down the rows of a block of columns.
func (n *neon) down(name string, q byte, regs, sums int) {
	for i := range regs * sums {
		n.zero(i)
	}
	row := func(s int) {
		n.broadcast(vX+s%2, pX2)
		n.p("\tADD $8, R%d", pX2)
		for v := range regs {
			t := vRows + (s*regs+v)%14
			n.load(q, t, rowReg(0), 16*v)
			n.op3("fmla", s*regs+v, t, vX+s%2)
		}
		n.p("\tADD R%d, R%d", pStride, rowReg(0))
	}
	n.p("\tMOVD R%d, R%d\n\tMOVD R%d, R%d", pW, rowReg(0), pX, pX2)
	if sums == 1 {
		n.p("\tMOVD R%d, R%d\n\tCBZ R%d, %sEnd\n\tPCALIGN $16\n\n%sLoop:", pM, pCount, pCount, name, name)
		row(0)
		n.p("\tSUBS $1, R%d\n\tBNE %sLoop", pCount, name)
	} else {
		n.p("\tSUBS $%d, R%d, R%d\n\tBLT %sRest\n\tPCALIGN $16\n\n%sLoop:", sums, pM, pCount, name, name)
		for s := range sums {
			row(s)
		}
		n.p("\tSUBS $%d, R%d\n\tBGE %sLoop\n\n%sRest:\n\tADDS $%d, R%d\n\tBLE %sEnd\n\n%sRow:", sums, pCount, name, name, sums, pCount, name, name)
		row(0)
		n.p("\tSUBS $1, R%d\n\tBNE %sRow", pCount, name)
	}
	n.p("\n%sEnd:", name)
	for s := sums; s > 1; s /= 2 {
		for k := range s / 2 {
			for v := range regs {
				n.op3("fadd", k*regs+v, 2*k*regs+v, (2*k+1)*regs+v)
			}
		}
	}
}

// outerAdd writes d += a bᵀ; see the same for amd64. pW is b here, and pX is a.
func (n *neon) outerAdd() {
	n.p("\n// func outerAddNEON(d, a, b *float64, m, n int)\nTEXT ·outerAddNEON(SB), NOSPLIT, $0-40")
	n.p("\tMOVD d+0(FP), R%d\n\tMOVD a+8(FP), R%d\n\tMOVD b+16(FP), R%d\n\tMOVD m+24(FP), R%d\n\tMOVD n+32(FP), R%d\n\tLSL $3, R%d, R%d\n\tCBZ R%d, done",
		pD, pX, pW, pM, pN, pN, pStride, pM)
	type part struct {
		name string
		q    byte
		cols int
		regs int
	}
	var parts []part
	for _, b := range widths {
		parts = append(parts, part{b.name, 'q', 4 * b.vectors, 2 * b.vectors})
	}
	parts = append(parts, part{"lanes2", 'q', 2, 1}, part{"lanes1", 'd', 1, 1})
	for i, p := range parts {
		next := "done"
		if i+1 < len(parts) {
			next = parts[i+1].name
		}
		n.p("\n%s:\n\tCMP $%d, R%d\n\tBLT %s", p.name, p.cols, pN, next)
		for v := range p.regs {
			n.load(p.q, v, pW, 16*v)
		}
		n.p("\tMOVD R%d, R%d\n\tMOVD R%d, R%d\n\tMOVD R%d, R%d\n\tPCALIGN $16\n\n%sLoop:", pD, rowReg(0), pX, pX2, pM, pCount, p.name)
		n.broadcast(vX, pX2)
		for v := range p.regs {
			t := vRows + v%14
			n.load(p.q, t, rowReg(0), 16*v)
			n.op3("fmla", t, v, vX)
			n.store(p.q, t, rowReg(0), 16*v)
		}
		n.p("\tADD $8, R%d\n\tADD R%d, R%d\n\tSUBS $1, R%d\n\tBNE %sLoop", pX2, pStride, rowReg(0), pCount, p.name)
		n.p("\tADD $%d, R%d\n\tADD $%d, R%d\n\tSUB $%d, R%d", 8*p.cols, pD, 8*p.cols, pW, p.cols, pN)
		if i == 0 {
			n.p("\tJMP %s", p.name)
		}
	}
	n.p("\ndone:\n\tRET")
}
