package code

import (
	"github.com/udl-lang/udl/compiler/code/kernels"
	"github.com/udl-lang/udl/compiler/ir"
)

// Banks are the vectors a program reads, by ir.Bank.
type Banks = ir.Banks

// Program is a compiled graph. It is immutable and may be shared by goroutines.
type Program struct {
	g        *ir.Graph // what a run computes
	whole    *ir.Graph // with what Prepare computes; nil in a part
	prep     *Program  // of θ alone, nil when there is nothing of the kind
	prepared int       // numbers that prep gives
	size     int       // of the scratch memory
	scalars  []float64 // constants at the start of the scratch memory
	arrays   []float64 // constants that are arrays
	loads    []load
	fixed    []load // of θ and of what was prepared: done by Prepare
	code     []instr
	origin   []ir.ID // the node of each instruction
	kernels  []kernel
	fast     kernels.Set // the array operations in assembly; the zero value is the reference's own
	stores   []store
	native   *lazyMachine // nil: only the portable back end
}

// The spaces that operands lie in: the banks, the scratch memory, array constants, results.
const (
	spaceMem   = uint8(ir.NumBanks)
	spaceConst = spaceMem + 1
	spaceOut   = spaceMem + 2
	maxOut     = 4 // result vectors that array operations can write without a copy
	numSpaces  = int(spaceOut) + maxOut
)

// ref is a place: numbers from off of a space.
type ref struct {
	space uint8
	off   int32
}

func (r ref) plus(n int) ref { return ref{r.space, r.off + int32(n)} }

// load copies n numbers of a bank into the scratch memory, for the scalar instructions.
type load struct {
	bank      ir.Bank
	off, d, n int32
}

// instr is an operation on scalars in the scratch memory, d = code(a, b, c); or, as codeKernel, kernels[a].
type instr struct {
	code       opcode
	d, a, b, c int32
}

// store moves or adds a result: n numbers from src to off of result vector vec, or, with a
// kernel, what that computes.
type store struct {
	vec    int
	off    int32
	n      int32
	src    ref
	add    bool
	kernel int32 // of an outer product that is added without being formed; −1 for none
}

// New makes an Exec with scratch memory of its own.
func (p *Program) New() *Exec {
	e := &Exec{p: p}
	if p.prep != nil {
		e.prep, e.fixed = p.prep.New(), make([]float64, p.prepared)
	}
	if m := p.machine(); m != nil {
		m.bind(e)
		return e
	}
	e.mem = make([]float64, p.size)
	copy(e.mem, p.scalars)
	e.sp[spaceMem], e.sp[spaceConst] = e.mem, p.arrays
	return e
}

// accelerate has array operations done by a set of kernels.
func (p *Program) accelerate(s kernels.Set) {
	p.fast = s
	if p.prep != nil {
		p.prep.accelerate(s)
	}
}

// Size is the number of instructions and of numbers of scratch memory.
func (p *Program) Size() (instructions, scratch int) { return len(p.code), p.size }
