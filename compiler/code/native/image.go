package native

import (
	"fmt"

	"github.com/udl-lang/udl/compiler/code/native/asm"
	"github.com/udl-lang/udl/compiler/code/native/block"
)

// Image is the code of a block as bytes, for kernels that are part of the binary: the loop over the groups, with neither
// prologue nor return. It expects the address of the pool in R9, that of Spill bytes in R8 and that of a context in DI, which has the
// bases' addresses at 8·base and, at ImageGroups and ImageFirst, how many groups there are (one or more) and with which to begin. It
// changes AX, BX, CX, DX, SI, R10 to R13, the vectors and the masks, and leaves the upper halves of the vectors in use.
type Image struct {
	Lines []Line
	Spill int
}

// Line is a piece of machine code, with what it says where that is a vector instruction.
type Line struct {
	Code []byte
	Text string
}

// Places in the context of an Image.
const (
	ImageGroups  = int(groupsOffset)
	ImageFirst   = int(firstOffset)
	ImageContext = int(firstOffset) + 8 // bytes
)

// Images translates blocks for files. They share the pool, whose constants for eight lanes stand there once, so that it may begin at any multiple of 32 bytes.
// Unlike Compile it asks nothing of the machine that it runs on.
func Images(width int, blocks ...*block.Block) (images []Image, constants []uint64, err error) {
	if width != 1 && width != 4 && width != 8 {
		return nil, nil, fmt.Errorf("%w: %d lanes", ErrCPU, width)
	}
	p := newPool()
	p.single = true
	for _, b := range blocks {
		var im Image
		at := 0
		a := asm.Assembler{}
		type note struct {
			from, to int
			text     string
		}
		var notes []note
		a.Note = func(in asm.Inst, from, to int) { notes = append(notes, note{from, to, in.String()}) }
		s, err := translate(&a, p, &Segment{Block: b, Width: width, Groups: 0})
		if err != nil {
			return nil, nil, err
		}
		for _, n := range append(notes, note{len(a.Code), len(a.Code), ""}) { // jumps are patched late, so the bytes are taken last
			if n.from > at {
				im.Lines = append(im.Lines, Line{Code: a.Code[at:n.from]})
			}
			if n.to > n.from {
				im.Lines = append(im.Lines, Line{Code: a.Code[n.from:n.to], Text: n.text})
			}
			at = n.to
		}
		im.Spill = int(s.slots)
		images = append(images, im)
	}
	return images, p.words, nil
}
