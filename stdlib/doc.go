// Package stdlib is THE table of builtins: for each its signature, words of help, an example, and
// its meaning as nodes of a graph. The checker, the evaluator, completion, help and the
// generated reference all read it; nothing is listed twice. The verbs of scripts (solve,
// fit, plot) are rows of the same kind in stdlib/verb, joined in by stdlib/eval.
package stdlib
