// Package kernels has the loops that the portable back end spends its time in, in assembly: exp, log, tanh, sigmoid, sin, cos, sqrt and pow of slices, and the
// products of matrices and vectors of dense layers. A Set is a choice of them by what the processor can do; UDL_KERNELS=off leaves the ones in Go, which every
// architecture has. All are within 2 ulp of the true function and allocate nothing.
//
// Files: set.go chooses, functions.go and dense.go are what a caller sees, portable.go the ones in Go. The files functions_* and products_* with .s are written by
// the program in gen ("go generate"); a test fails when they are stale. The functions are the blocks of package native/block, so they say the same, to the
// bit, as generated code and as that package's interpreter.
//
// What never lives here: graphs, programs, code made at run time. It imports compiler/ir/libm; the generator and the tests native and block too.
package kernels

//go:generate go run ./gen
