// Package ir is the graph that a model becomes: operations on arrays of fixed shape, one
// table of operations with their meaning, derivatives and printing, and a verifier.
// Networks stay a few matrix operations; nothing is expanded into scalars.
package ir
