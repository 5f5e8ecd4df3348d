// Package check turns the syntax tree of a model into a checked model (lang/model): names resolved,
// functions inlined, shapes and units settled, lets in order. It reports every mistake it finds,
// one diagnostic for each: what depends on something wrong has no value (a nil expression) and is passed over in silence.
//
// What the language has and udl cannot yet run is refused here, once for each kind, by refuse.go.
//
// Builtins are seen only through a sig.Env. The package imports lang and nothing else; it never evaluates
// more than the compile-time arithmetic of shapes and indices.
package check
