// Package block is straight-line float64 code over lanes: what a graph is lowered to wherever its operations are the
// same for many things at once (trajectories, units of a layer, grid points, tangent directions), or for just one.
//
// A Block is a list of operations in static single assignment, made by a Builder, which shares equal operations and
// folds constants. It has one meaning, that of Interp, the portable interpreter here; generated code says the same to the
// bit. The exponential, the logarithm, the circular functions and their like are builders of blocks (exp.go, log.go,
// trig.go, …), so that their definition is one, wherever they run.
//
// Masks (the results of comparisons) are values of a kind of their own, as AVX-512 has registers of their own for them.
// NaN is one value: which of its bit patterns an operation gives is left open, because it depends on the order of operands in an
// instruction, and that is the register allocator's to choose. Everything else is IEEE 754 in round to nearest.
//
// The package imports nothing of this module.
package block
