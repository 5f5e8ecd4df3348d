// Package discover finds sparse equations: library matrices in, sparse models out. A regression has samples, a
// response and candidate terms, one column each; a method of the table proposes supports, from the simplest to the
// fullest, and a criterion chooses among them. A Curve holds candidates against the trajectories themselves.
//
// The package knows nothing of text: a term is a column. It may import runtime/system, runtime/solve, runtime/sens
// and runtime/train. Everything random is drawn from streams that are named by a seed, a purpose and an index.
package discover
