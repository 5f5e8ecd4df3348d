// Package ast is the syntax tree of udl: what the parser makes and the printer
// (udl fmt) writes back, comments included. It has no meaning of its own: names are
// not resolved here. It imports lang/diag only (and the parser library's tags).
package ast
