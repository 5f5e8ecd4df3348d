// Package testsys makes systems for tests out of Go closures: the closure is run once over
// symbolic values, and what it did becomes a system.Func with all its derivatives. It is a
// small, slow and independent twin of what the compiler does.
//
// Only tests import it. It may import runtime/system.
package testsys
