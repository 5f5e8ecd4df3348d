package asmgen

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/udl-lang/udl/compiler/code/native"
	"github.com/udl-lang/udl/compiler/code/native/block"
)

// The elementary functions for amd64. What they compute, with its sources, is package block's, and the translation package native's; here are the
// surroundings: arguments, what is left over after whole groups of lanes, constants.

// amd64 is one of its instruction sets.
type amd64 struct {
	name  string
	lanes int
	reg   byte // the letter of a vector register
}

var (
	avx2   = &amd64{name: "AVX2", lanes: 4, reg: 'Y'}
	avx512 = &amd64{name: "AVX512", lanes: 8, reg: 'Z'}
)

// functions writes the elementary functions: around each image a loop of at most two rounds, over the whole groups of lanes and then over
// what is left, in a buffer on the stack, so that nothing beyond the slices is touched.
func (isa *amd64) functions() (string, error) {
	var blocks []*block.Block
	list := of(isa.name)
	for i := range list {
		b, err := list[i].block()
		if err != nil {
			return "", err
		}
		blocks = append(blocks, b)
	}
	images, pool, err := native.Images(isa.lanes, blocks...)
	if err != nil {
		return "", err
	}
	var t text
	t.p("%s", notice)
	t.p("#include \"textflag.h\"\n")
	t.p("// Constants and tables. Constants stand there once for each lane with AVX2; AVX-512 broadcasts them.")
	data(&t, "pool"+isa.name, pool)
	data(&t, "one"+isa.name, []uint64{math.Float64bits(1)})
	for i := range list {
		isa.function(&t, &list[i], &images[i])
	}
	return t.String(), nil
}

// data writes a read-only symbol of 64-bit words.
func data(t *text, name string, words []uint64) {
	for i, w := range words {
		t.p("DATA %s<>+%d(SB)/8, $%#016x", name, 8*i, w)
	}
	t.p("GLOBL %s<>(SB), RODATA|NOPTR, $%d", name, 8*len(words))
}

// The frame of a function: the context of the image, then where the buffers are, the number of elements, and how many of them are in the
// buffers; then, from a multiple of 64 bytes on, a buffer for each input and the spills.
const (
	frameBuffer = native.ImageContext + 8*iota
	frameN
	frameRest
	frameEnd
)

// function writes one function.
func (isa *amd64) function(t *text, f *function, im *native.Image) {
	size := isa.lanes * 8
	buffers := f.arity * size
	args := 8 * (f.arity + 2)
	inputs := f.operands()[:f.arity]
	t.p("\n// func %s%s(d, %s *float64, n int)", f.name, isa.name, join(inputs))
	t.p("TEXT ·%s%s(SB), 0, $%d-%d", f.name, isa.name, frameEnd+64+buffers+im.Spill, args)
	t.p("\tLEAQ %d(SP), R8", frameEnd+63)
	t.p("\tANDQ $~63, R8")
	t.p("\tMOVQ R8, %d(SP)", frameBuffer)
	t.p("\tADDQ $%d, R8", buffers)
	t.p("\tLEAQ pool%s<>(SB), R9", isa.name)
	t.p("\tMOVQ SP, DI")
	for i, name := range f.operands() {
		at := 0
		if i < f.arity {
			at = 8 * (i + 1)
		}
		t.p("\tMOVQ %s+%d(FP), AX", name, at)
		t.p("\tMOVQ AX, %d(SP)", 8*i)
	}
	t.p("\tXORL AX, AX")
	t.p("\tMOVQ AX, %d(SP)", native.ImageFirst)
	t.p("\tMOVQ AX, %d(SP)", frameRest)
	t.p("\tMOVQ n+%d(FP), CX", args-8)
	t.p("\tMOVQ CX, %d(SP)", frameN)
	t.p("\tSHRQ $%d, CX", shift(isa.lanes))
	t.p("\tJZ   rest")
	t.p("\tMOVQ CX, %d(SP)", native.ImageGroups)
	t.p("\tPCALIGN $32\n\nround:")
	for _, l := range im.Lines {
		t.p("\t%s", bytes(l))
	}
	t.p("\n\tMOVQ %d(SP), CX", frameRest)
	t.p("\tTESTQ CX, CX")
	t.p("\tJNZ  store\n\nrest:")
	t.p("\tMOVQ %d(SP), AX", frameN)
	t.p("\tMOVQ AX, CX")
	t.p("\tANDQ $%d, CX", isa.lanes-1)
	t.p("\tJZ   done")
	t.p("\tMOVQ CX, %d(SP)", frameRest)
	t.p("\tSUBQ CX, AX")
	t.p("\tMOVQ %d(SP), DX", frameBuffer)
	for i, name := range inputs {
		t.p("\tMOVQ %s+%d(FP), BX", name, 8*(i+1))
		t.p("\tLEAQ (BX)(AX*8), BX")
		isa.pieces(t, name, "one"+isa.name)
		t.p("\tVMOVUPD %c0, %d(DX)", isa.reg, i*size)
		t.p("\tLEAQ %d(DX), BX", i*size)
		t.p("\tMOVQ BX, %d(SP)", 8*i)
	}
	t.p("\tMOVQ DX, %d(SP)", 8*f.arity)
	t.p("\tMOVQ $1, %d(SP)", native.ImageGroups)
	t.p("\tJMP  round\n\nstore:")
	t.p("\tMOVQ %d(SP), AX", frameN)
	t.p("\tSUBQ CX, AX")
	t.p("\tMOVQ %d(SP), DX", frameBuffer)
	t.p("\tVMOVUPD (DX), %c0", isa.reg)
	t.p("\tMOVQ d+0(FP), BX")
	t.p("\tLEAQ (BX)(AX*8), BX")
	isa.storePieces(t)
	t.p("\ndone:\n\tVZEROUPPER\n\tRET")
}

// mask makes the mask of CX lanes: Y14 or K1. It uses AX and R13.
func (isa *amd64) mask(t *text) {
	if isa == avx2 {
		t.p("\tLEAQ lanesAVX2<>+32(SB), AX\n\tLEAQ 0(CX*8), R13\n\tSUBQ R13, AX\n\tVMOVUPD (AX), Y14")
		return
	}
	t.p("\tMOVL $-1, AX\n\tSHLL CX, AX\n\tNOTL AX\n\tKMOVB AX, K1")
}

// pieces loads the CX numbers at BX, fewer than there are lanes, into register 0, and fills it with copies of them or of the number at a
// symbol. It takes them in pieces of four, two and one, as storePieces leaves them: a masked load, or one that reaches over two stores, would have to
// wait until these are in the cache, and a masked store makes its whole width wait. It uses BX and registers 1 and 2.
func (isa *amd64) pieces(t *text, label, fill string) {
	t.p("\tVBROADCASTSD %s<>(SB), Y0", fill)
	t.p("\tTESTQ $1, CX")
	t.p("\tJZ   %s2", label)
	t.p("\tVBROADCASTSD -8(BX)(CX*8), Y0\n")
	t.p("%s2:", label)
	t.p("\tTESTQ $2, CX")
	t.p("\tJZ   %s4", label)
	if isa == avx2 {
		t.p("\tVMOVUPD (BX), X1")
		t.p("\tVINSERTF128 $0, X1, Y0, Y0\n\n%s4:", label)
		return
	}
	t.p("\tMOVQ CX, R10")
	t.p("\tANDQ $4, R10")
	t.p("\tVMOVUPD (BX)(R10*8), X1")
	t.p("\tVINSERTF128 $0, X1, Y0, Y0\n\n%s4:", label)
	t.p("\tVMOVAPD Y0, Y2")
	t.p("\tTESTQ $4, CX")
	t.p("\tJZ   %s8", label)
	t.p("\tVMOVUPD (BX), Y2\n\n%s8:", label)
	t.p("\tVINSERTF64X4 $1, Y0, Z2, Z0")
}

// storePieces stores CX numbers as pieces has loaded them.
func (isa *amd64) storePieces(t *text) {
	if isa == avx512 {
		t.p("\tTESTQ $4, CX")
		t.p("\tJZ   store2")
		t.p("\tVMOVUPD Y0, (BX)")
		t.p("\tVEXTRACTF64X4 $1, Z0, Y0")
		t.p("\tADDQ $32, BX\n\nstore2:")
	}
	t.p("\tTESTQ $2, CX")
	t.p("\tJZ   store1")
	t.p("\tVMOVUPD X0, (BX)")
	t.p("\tVEXTRACTF128 $1, Y0, X0")
	t.p("\tADDQ $16, BX\n\nstore1:")
	t.p("\tTESTQ $1, CX")
	t.p("\tJZ   done")
	t.p("\tVMOVSD X0, (BX)")
}

func shift(lanes int) int {
	n := 0
	for 1<<n < lanes {
		n++
	}
	return n
}

// bytes is a line of an image as directives of the assembler.
func bytes(l native.Line) string {
	s, c := "", l.Code
	for len(c) > 0 {
		if s != "" {
			s += "; "
		}
		switch {
		case len(c) >= 4:
			s += fmt.Sprintf("LONG $0x%08x", binary.LittleEndian.Uint32(c))
			c = c[4:]
		case len(c) >= 2:
			s += fmt.Sprintf("WORD $0x%04x", binary.LittleEndian.Uint16(c))
			c = c[2:]
		default:
			s += fmt.Sprintf("BYTE $0x%02x", c[0])
			c = c[1:]
		}
	}
	if l.Text != "" {
		s += " // " + l.Text
	}
	return s
}

func join(names []string) string {
	s := ""
	for i, n := range names {
		if i > 0 {
			s += ", "
		}
		s += n
	}
	return s
}
