// Package ad derives graphs: a derivative is again a graph, goes through the same passes and
// runs on the same back ends, so derivatives compose. The rules stand with the operations in
// package ir; here is only the order in which they are applied: forwards for JVP, backwards for VJP
// (A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed., SIAM 2008).
//
// It imports ir and the patterns of runtime/sparse, and nothing of the language.
package ad
