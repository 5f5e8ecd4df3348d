package native

// call runs generated code. It neither grows the stack nor lets the goroutine be preempted, so that the context may point to anything that Go may.
//
//go:noescape
func call(entry uintptr, c *context)
