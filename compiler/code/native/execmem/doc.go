// Package execmem holds machine code in memory that can be executed, and gives it back.
//
// A page is written first and made executable after; it is never both. What refuses either step (a hardened kernel, a
// sandbox, an operating system without support) is an error, which the caller turns into a slower way of computing.
// The package imports nothing of this module and knows nothing of what the code does.
package execmem
