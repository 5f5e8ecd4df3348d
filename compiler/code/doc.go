// Package code turns a graph into a program and runs it: the reference back end, in portable Go.
// It says the same as ir.Interpret to the bit, on every architecture, and defines what faster
// back ends must say. A Program is immutable and serves many goroutines, each through an Exec of
// its own; a run allocates nothing and reads the banks where they lie.
//
// Files: compile.go orders the work and fuses neighbours, plan.go gives every value its place, run.go
// is the machine for scalars, kernel.go and dense.go are the array operations, fault.go finds where a
// computation went wrong. It imports ir and nothing of the language but spans.
package code
