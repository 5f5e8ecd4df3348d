package code

import "github.com/udl-lang/udl/compiler/code/kernels"

// Accelerate has a program use a set of kernels, for tests.
func (p *Program) Accelerate(s kernels.Set) { p.accelerate(s) }
