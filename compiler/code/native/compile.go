package native

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/udl-lang/udl/compiler/code/native/asm"
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/code/native/execmem"
)

// Segment is a part of a program: a block, run over its groups of Width lanes one after the other.
type Segment struct {
	Block *block.Block
	Width int // 1, 4 or 8
	// Groups is the number of lane groups. 0 leaves it to each call of Run, which a program of one segment only can have.
	Groups int
	// Rows, if more than one, runs the groups so many times over, each time further on: after a row the lanes of base b move Gap[b] elements
	// more than the groups did. Gap is by base and may be short; the bases of lanes must be flat.
	Rows int
	Gap  []int
}

// gap is what a base's lanes move at the end of a row.
func (s *Segment) gap(base int) int {
	if base < len(s.Gap) {
		return s.Gap[base]
	}
	return 0
}

// Options are what a caller may decide; the zero value is Host and the system's memory. A CPU must not claim more than the machine has.
type Options struct {
	CPU    *CPU
	Memory execmem.Allocator
}

var (
	// ErrCPU tells that the machine cannot run such code, or must not.
	ErrCPU = errors.New("no generated code")
	// ErrGroups tells of a number of groups that is left open where it must be known, or of a negative one.
	ErrGroups = errors.New("native: the number of groups of a segment")
	// ErrBases tells of a loop over more bases than there are registers for.
	ErrBases = errors.New("native: a loop over too many bases")
	// ErrTooLarge tells of a program that is better interpreted.
	ErrTooLarge = errors.New("native: too large a program")
	// ErrShort tells of a bound slice with fewer elements than the code touches, or of one that was never bound.
	ErrShort = block.ErrShort
	// ErrFreed tells of a run after Free.
	ErrFreed = errors.New("native: the code has been freed")
)

// The collector waits for running code, so a call must be short: about 20 µs, and no more than 50. Straight-line vector code runs at an instruction in a
// third of a nanosecond, and at one where loads miss the cache.
const (
	callBudget = 20_000 // instructions after which an open program returns to Go
	callLimit  = 80_000 // instructions that a call may have, if it cannot be cut
)

// Code is machine code. It is immutable and may be run by any number of goroutines, each with a Frame of its own.
type Code struct {
	mem    *execmem.Memory
	entry  atomic.Uintptr
	pool   []uint64
	spill  int // words
	need   [block.MaxBases]need
	bases  int
	open   bool // Run says how many groups
	chunk  int  // groups per call, so that a call stays short
	Size   int  // bytes
	Spills int  // values that found no register
}

// need is the number of elements that a base must have: fixed, and more with each group of an open program.
type need struct{ fixed, first, more int }

// Compile translates a program. Any error means that the caller computes in another way; it says why.
func Compile(o Options, program ...Segment) (*Code, error) {
	host := Host()
	if o.CPU != nil {
		host = *o.CPU
	}
	if o.Memory == nil {
		o.Memory = execmem.System
	}
	if host.Widest() == 0 {
		return nil, fmt.Errorf("%w: %s", ErrCPU, host.Why)
	}
	c := &Code{}
	var a asm.Assembler
	p := newPool()
	a.LoadGP(poolReg, contextReg, poolOffset)
	a.LoadGP(spillReg, contextReg, spillOffset)
	wide, cost := false, 0
	for _, seg := range program {
		switch {
		case seg.Block == nil:
			return nil, errors.New("native: a segment without a block")
		case !host.Has(seg.Width):
			return nil, fmt.Errorf("%w: the processor has no registers of %d lanes", ErrCPU, seg.Width)
		case seg.Groups < 0 || seg.Groups == 0 && (len(program) > 1 || seg.Rows > 1):
			return nil, ErrGroups
		case len(seg.Block.Instrs) > callLimit || seg.Groups > callLimit:
			return nil, fmt.Errorf("%w: %d instructions, %d groups", ErrTooLarge, len(seg.Block.Instrs), seg.Groups)
		}
		s, err := translate(&a, p, &seg)
		if err != nil {
			return nil, err
		}
		c.wants(seg, s)
		if cost += max(1, s.cost()) * max(1, seg.Groups) * max(1, seg.Rows); cost > callLimit {
			return nil, fmt.Errorf("%w: %d instructions in a call", ErrTooLarge, cost)
		}
		wide = wide || seg.Width > 1
	}
	if wide {
		a.ZeroUpper()
	}
	a.Return()
	mem, err := execmem.New(o.Memory, a.Code)
	if err != nil {
		return nil, err
	}
	c.mem, c.Size = mem, len(a.Code)
	c.entry.Store(mem.Entry())
	c.pool = Aligned[uint64](len(p.words))
	copy(c.pool, p.words)
	return c, nil
}

// wants adds what a segment needs to what the program needs.
func (c *Code) wants(seg Segment, s *segment) {
	c.open = seg.Groups == 0
	c.chunk = max(1, callBudget/max(1, s.cost()))
	c.spill = max(c.spill, int(s.slots)/8)
	c.bases = max(c.bases, len(seg.Block.Bases))
	c.Spills += s.spills
	for i := range seg.Block.Bases {
		n := &c.need[i]
		if !c.open {
			shared, lanes := seg.Block.Extents(i, seg.Width, seg.Groups)
			if lanes > 0 && seg.Rows > 1 {
				lanes += (seg.Rows - 1) * (seg.Groups*seg.Width + seg.gap(i))
			}
			n.fixed = max(n.fixed, shared, lanes)
			continue
		}
		n.fixed, n.first = seg.Block.Extents(i, seg.Width, 1)
		_, second := seg.Block.Extents(i, seg.Width, 2)
		n.more = second - n.first
	}
}

// Free gives the memory back at once, not when the collector finds it unused. No goroutine may be running the code; a Run after it is an error.
func (c *Code) Free() error {
	c.entry.Store(0)
	return c.mem.Free()
}

// Frame is what one goroutine needs to run a Code.
type Frame struct {
	ctx   context
	code  *Code
	limit int    // of an open program: groups that the bound slices have room for
	short uint32 // of a closed one: the bases whose slices are too short
	have  [block.MaxBases]int
	spill []uint64
}

// NewFrame makes a frame, with nothing bound.
func (c *Code) NewFrame() *Frame {
	f := &Frame{code: c}
	f.ctx.pool = pointer(c.pool)
	if c.spill > 0 {
		f.spill = Aligned[uint64](c.spill)
		f.ctx.spill = pointer(f.spill)
	}
	for i := range c.bases {
		if c.need[i].fixed > 0 {
			f.short |= 1 << i
		}
	}
	f.measure()
	return f
}

// pointer is the address of a slice's first element; generated code reads no word of an empty one.
func pointer[T any](x []T) unsafe.Pointer {
	return unsafe.Pointer(unsafe.SliceData(x))
}

// Touches reports whether the code reads or writes a base.
func (c *Code) Touches(base int) bool { return c.need[base] != need{} }

// Point is Bind, quick where nothing has changed.
func (f *Frame) Point(base int, x []float64) {
	if f.ctx.base[base] != pointer(x) || f.have[base] != len(x) {
		f.Bind(base, x)
	}
}

// Bind gives a base its memory, in the layouts of the blocks. The frame keeps the slice until another is bound in its place.
func (f *Frame) Bind(base int, x []float64) {
	if base < 0 || base >= block.MaxBases {
		return
	}
	f.ctx.base[base] = pointer(x)
	f.have[base] = len(x)
	if f.code.open {
		f.measure()
		return
	}
	if len(x) < f.code.need[base].fixed {
		f.short |= 1 << base
	} else {
		f.short &^= 1 << base
	}
}

// measure computes for how many groups of an open program the bound slices have room.
func (f *Frame) measure() {
	f.limit = math.MaxInt
	for i := range f.code.bases {
		n, have := f.code.need[i], f.have[i]
		switch {
		case have < n.first || have < n.fixed:
			f.limit = 0
		case n.more > 0:
			f.limit = min(f.limit, 1+(have-n.first)/n.more)
		}
	}
}

// Run computes so many groups of lanes; of a program whose segments say how many, groups is ignored. It allocates nothing. The errors are
// ErrShort, ErrFreed and ErrGroups, and then nothing has been computed.
//
// Long runs are done in pieces, between which the goroutine can be stopped.
func (f *Frame) Run(groups int) error {
	c := f.code
	entry := c.entry.Load()
	if entry == 0 {
		return ErrFreed
	}
	if !c.open {
		if f.short != 0 {
			return ErrShort
		}
		call(entry, &f.ctx)
		runtime.KeepAlive(f)
		return nil
	}
	if groups < 0 {
		return ErrGroups
	}
	if groups > f.limit {
		return ErrShort
	}
	for first := 0; first < groups; first += c.chunk { // groups is bounded by what the slices hold
		f.piece(entry, first, min(c.chunk, groups-first))
	}
	runtime.KeepAlive(f) // and with it the code
	return nil
}

// Between runs a closed program whose other bases are bound with these two, which is all that changes from one evaluation of a
// small function to the next, so it must cost next to nothing. It is false, and nothing has been computed, when a slice is too short or the program open.
func (f *Frame) Between(in int, x []float64, out int, z []float64) bool {
	c := f.code
	if uint(in) >= block.MaxBases || uint(out) >= block.MaxBases || len(x) < c.need[in].fixed || len(z) < c.need[out].fixed || c.open {
		return false
	}
	entry := c.entry.Load()
	if f.short&^(1<<in|1<<out) != 0 || entry == 0 {
		return false
	}
	f.ctx.base[in], f.ctx.base[out] = pointer(x), pointer(z)
	call(entry, &f.ctx)
	runtime.KeepAlive(f)
	return true
}

// piece makes one call. It is a function of its own, and not inlined, because where a function is entered the runtime can stop a goroutine; the
// signals that would otherwise do so nearly always arrive within generated code, where they have no effect.
//
//go:noinline
func (f *Frame) piece(entry uintptr, first, groups int) {
	f.ctx.first, f.ctx.groups = int64(first), int64(groups)
	call(entry, &f.ctx)
}
