// Package libm is the arithmetic that every back end shares: the elementary functions of
// C's math.h as portable Go that gives the same bits on every architecture. Go's own math
// package uses assembly on some and fused operations on others.
//
// The functions written here (exp, expm1, exp2, log and its kin, pow, sin, cos, tan, sinh, cosh, tanh, sigmoid,
// softplus) are within 2 ulp over their whole range, with C's results for zeros, subnormals, infinities and
// NaN. They use fused multiply–add explicitly and never leave it to the compiler. Polynomials are
// near-minimax: truncated Chebyshev series of the exact remainder, computed with 400 bits.
// The rarer functions call Go's math and so may differ in the last bits between architectures.
//
// It imports nothing but math.
package libm
