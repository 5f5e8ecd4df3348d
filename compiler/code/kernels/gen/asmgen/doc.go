// Package asmgen writes the assembly of package kernels: the elementary functions out of the blocks that generated code has (package block), translated by
// package native for amd64 and by a small translator here for arm64, and the products of matrices and vectors as Go assembly.
// Its output is checked in; a test of package kernels fails when it is stale.
//
// What never lives here: what a function means (package block), and the choice of a kernel (package kernels). It imports native and block.
package asmgen
