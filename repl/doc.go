// Package repl is the prompt: a session that takes lines and writes answers. The session
// itself knows no terminal and no evaluator, only the interfaces LineReader and Engine, so
// that it runs the same at a terminal, in a pipe and in tests. One file, readline.go, knows
// the line editor. It imports lang/diag and nothing else of udl.
package repl
