// Package native turns blocks (package block) into amd64 machine code and runs it: AVX2 with FMA3 on one or four lanes, AVX-512 on eight.
//
// What lives here: the translation (segment.go, emit.go), register allocation (registers.go), the program and its frame (compile.go), the trampoline, and
// what the processor can do (cpu.go). The encoder is package asm, executable pages are package execmem. What never lives here: what a
// model is, how it is lowered to blocks, and the choice between back ends; those belong to compiler/code. The package imports nothing
// else of this module.
//
// # Use
//
//	g := block.NewBuilder(block.Layout{}, block.Layout{})
//	g.Store(1, 0, g.Tanh(g.Load(0, 0)))
//	b, err := g.Done()
//	c, err := native.Compile(native.Options{}, native.Segment{Block: b, Width: 4})
//	// an error: use block.NewInterp(b, w), which says the same
//	f := c.NewFrame()
//	f.Bind(0, x)
//	f.Bind(1, y)
//	err = f.Run(len(x) / 4)
//
// # Why it is (not) done so
//
// Why generated code at all: an interpreter pays some nanoseconds for each operation, a compiled model a third of one; and only what is
// compiled can keep a whole step of a solver in registers.
//
// Why not cgo, LLVM or WebAssembly: one static binary that cross-compiles; compiling a model takes microseconds; a WebAssembly run-time costs
// more at each call than a small right-hand side takes.
//
// Why only straight-line code over lanes: a basic block needs no control flow, so register allocation in one pass is as good as any, and
// the whole translator can be tested against an interpreter on random input. The one exception is the cold region (block.OpCold), which is jumped over when no lane wants it: it saves and
// restores the registers itself, so that the code around it need not know.
//
// Why are AVX-512's masks registers of their own here but vectors with AVX2: so are they in the machine. Four and one lanes keep to sixteen registers, so that
// their code is the same on every machine with AVX2.
//
// Why is NaN one value: which operand's payload survives depends on the order of operands in the instruction, and that is chosen by what
// dies in which register. Everything else is the same to the bit on one, four and eight lanes and in the interpreter.
//
// Why is it safe: the code is a leaf; it uses no stack but its return address; it calls nothing, and leaves SP, BP, R14 and R15 as they are. The
// runtime does not preempt a goroutine whose program counter is in no Go function, so nothing moves and no stack is scanned while it runs; all pointers come
// through one context with Go types and none is kept. The bounds of every slice are checked before a run, not during it: all displacements are known. A call is
// kept to some 20 µs; longer runs return to Go between groups. Pages are written and then made executable, never both. Whatever fails (the
// processor, the system, a program too large) fails in Compile, with a reason.
package native
