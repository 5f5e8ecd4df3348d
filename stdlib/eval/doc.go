// Package eval runs scripts: statements, expressions, records, lambdas, and the verbs of
// stdlib/verb. One Interp is one session, used by one goroutine; the models it compiles
// may be used by many. It is what the command, the prompt and the Go façade share.
package eval
