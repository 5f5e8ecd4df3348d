// Package trace is where results go: a Frame of named columns to CSV, JSON or a small
// table for people, and a Plot, described once, to the terminal. Drawing into files (SVG,
// PNG, PDF) is package figure beneath this one, so that a program that embeds udl does not
// link a graphics library.
//
// It knows nothing of models, solvers or texts of the language, and imports nothing of udl.
package trace
