#include "textflag.h"

// func call(entry uintptr, c *context)
// The code is a leaf: of the stack it uses the return address only, and it leaves SP, BP, R14 (Go's goroutine) and R15 alone.
TEXT ·call(SB), NOSPLIT, $0-16
	MOVQ entry+0(FP), AX
	MOVQ c+8(FP), DI
	CALL AX
	RET
