// Package method is the data of the solvers: for each one file with coefficients, interpolant, order and citation, and one row in a table, All's for explicit
// Runge–Kutta methods, Solvers' for all methods. There is no loop here: package solve steps over it. What is too long or too fine to be typed (the figures of
// ROCK, the transformations of Radau IIA) is read or computed once, at first use.
//
// A new method of a family is one file with a row and one line in the table; the tests prove its order conditions, those of its error estimate and those of its
// continuous extension, and what is said of its stability.
//
// The package imports nothing of udl.
package method
