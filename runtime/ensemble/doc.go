// Package ensemble integrates many trajectories of one system: the same times and tolerances, and for each member its own values of some
// entries of θ. Members are handed out to goroutines, a few at a time; where the system offers it, each goroutine steps many of them at once as lanes of
// the processor's vector registers. What a member computes depends on nothing but its own numbers: not on how many threads
// or lanes there are, nor on the other members.
//
// Stopping early is a member's status; the others go on. An error is for a call that makes no sense, a limit on memory, or a context that
// ended.
//
// The package may import runtime/system, runtime/method and runtime/solve, and nothing of the language.
package ensemble
