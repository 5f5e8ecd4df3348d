// Package code turns a graph into a program and runs it, in one of three ways that mean the same: the reference in portable Go, which says what
// ir.Interpret says to the bit on every architecture; the reference with assembly kernels for its array operations; and generated machine code,
// with kernels of the reference where an operation has no such form. A Program is immutable and serves many goroutines, each through an Exec
// of its own; a run allocates nothing and reads the banks where they lie.
//
// The reference: compile.go orders the work and fuses neighbours, plan.go gives every value its place, run.go is the machine for scalars, kernel.go and
// dense.go are the array operations, fault.go finds where a computation went wrong. Generated code: hoist.go takes apart what depends on θ alone, parts.go
// decides how each node is computed, assemble.go orders segments and kernels, segments.go, layers.go and grid.go build them, meaning.go says what operations are,
// machine.go runs the result. Whole computations in one block, by inline.go: step.go, rosenbrock.go with eliminate.go, reverse.go, lanes.go, directions.go.
// Linear equations of a sparse pattern: solver.go with order.go.
//
// It imports ir, its own kernels and native, and of the runtime the tableaus and what a system offers; of the language nothing but spans.
package code
