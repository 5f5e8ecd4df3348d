package kernels

// sets are those with assembly: every arm64 has the vector unit.
func sets() (s []Set, why string) { return []Set{{level: neon}}, "" }

// unary is d = f(a) for n elements.
func unary(_ level, f function, d, a *float64, n int) { unaryNEON(f, d, a, n) }

func pow(_ level, d, a, b *float64, n int) { powNEON(d, a, b, n) }

//go:noinline
func matVec(_ level, d, w, x, bias *float64, m, n int) { matVecNEON(d, w, x, bias, m, n) }

//go:noinline
func matTVec(_ level, d, w, x *float64, m, n, stride int) { matTVecNEON(d, w, x, m, n, stride) }

//go:noinline
func outerAdd(_ level, d, a, b *float64, m, n int) { outerAddNEON(d, a, b, m, n) }
