package kernels

import "golang.org/x/sys/cpu"

// sets are those with assembly that the machine can run, the best last. The processor's word alone does not do: x/sys/cpu also asks whether the operating
// system keeps the wide registers.
func sets() (s []Set, why string) {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return nil, "the processor has no AVX2 and FMA"
	}
	s = append(s, Set{level: avx2})
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL {
		s = append(s, Set{level: avx512})
	}
	return s, ""
}

// wide is the length from which eight lanes are worth their longer latency. Functions say the same on four.
const wide = 16

// unary is d = f(a) for n elements.
func unary(l level, f function, d, a *float64, n int) {
	if l == avx512 && n >= wide && f != fSqrt {
		unaryAVX512(f, d, a, n)
	} else {
		unaryAVX2(f, d, a, n)
	}
}

func pow(l level, d, a, b *float64, n int) {
	if l == avx512 && n >= wide {
		powAVX512(d, a, b, n)
	} else {
		powAVX2(d, a, b, n)
	}
}

//go:noinline
func matVec(l level, d, w, x, bias *float64, m, n int) {
	if l == avx512 && n >= wide {
		matVecAVX512(d, w, x, bias, m, n)
	} else {
		matVecAVX2(d, w, x, bias, m, n)
	}
}

//go:noinline
func matTVec(l level, d, w, x *float64, m, n, stride int) {
	if l == avx512 && stride >= wide {
		matTVecAVX512(d, w, x, m, n, stride)
	} else {
		matTVecAVX2(d, w, x, m, n, stride)
	}
}

//go:noinline
func outerAdd(l level, d, a, b *float64, m, n int) {
	if l == avx512 && n >= wide {
		outerAddAVX512(d, a, b, m, n)
	} else {
		outerAddAVX2(d, a, b, m, n)
	}
}
