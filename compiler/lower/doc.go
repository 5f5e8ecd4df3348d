// Package lower turns a checked model into graphs: the initial state, the right-hand side,
// the named quantities. Index variables become axes of arrays; networks become a few matrix
// operations; nothing is expanded element by element unless an operation inside a loop over
// an index has no form for many points at once.
//
// It sees the meaning of builtins only through the Builtins handed in. It imports lang,
// compiler/{ir,ad} and, for the roles of θ, runtime/system.
package lower
