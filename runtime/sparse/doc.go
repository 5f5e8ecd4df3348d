// Package sparse solves A·x = b directly, for the implicit solvers of ODEs and DAEs.
//
// A [Pattern] says where A may be nonzero; it is made once, values change every step. [Choose] picks one of three
// [Solver]s for a pattern and says why: [Dense], [Banded], or [LU], a sparse LU that is analysed once ([Analyze]),
// factored with pivoting ([LU.Factor]) and then refactored with the same pivots ([LU.Refactor]) until they no longer serve.
// [NewShifted] merges M and J for A = M − γJ; [Color] groups columns so that a Jacobian needs few products.
// A singular matrix is an answer: [SingularError] names equations and unknowns in the caller's numbering.
//
// What never lives here: models, steps, norms of errors, iterative solvers. It imports the standard library only.
package sparse
