// Package sens differentiates what package solve integrates: gradients of a loss on the outputs
// by the discrete adjoint, by forward sensitivities and by differences, and the sensitivities
// themselves. Every way of getting a gradient is one file and one row in the table of Methods,
// and a test compares each with every other.
//
// sens wraps solve, never the reverse. The package may import runtime/system, runtime/method
// and runtime/solve, and nothing of the language.
package sens
