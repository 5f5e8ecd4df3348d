// Package method is the data of the solvers: for each one file with coefficients, interpolant,
// order and citation, and one row in the table of All. There is no loop here: package solve
// steps over it.
//
// A new explicit solver is one file with an RK and one line in the table; the tests prove its
// order conditions, those of its error estimate and those of its continuous extension.
//
// The package imports nothing of udl.
package method
