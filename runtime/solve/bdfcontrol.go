package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
)

var (
	bdfBias   = [3]float64{6, 6, 10}
	bdfGrow   = 1.5
	bdfShrink = 0.9
	bdfStrict = 10.0
	bdfPow    = 0.0
	bdfMax    = 10.0
	bdfFirst  = 1e4
	bdfKeep   = 0.0
	bdfWait   = 2
)

// orderError estimates the error that a step of order k and the length of this one would have, from the (k+1)-th difference.
func (b *bdf) orderError(k int, diff float64) float64 {
	s := 1.0
	for j := 1; j <= k+1; j++ {
		s *= float64(j) * b.next[1] / b.next[j]
	}
	return b.eC[k] * s * diff * bdfStrict
}

// accept is the factor from the accepted step to the next, whose order it chooses.
func (b *bdf) accept(err float64) float64 {
	b.fails = 0
	f := b.choose(err)
	f = b.s.calm(f)
	return f
}

// choose picks the next order and returns the factor to its step.
func (b *bdf) choose(err float64) float64 {
	k := b.k
	norm := func(v []float64) float64 { return b.it.norm(v, b.w) }
	root := func(k int, e, bias float64) float64 {
		return 1 / (math.Pow(bias*e, 1/float64(k+1)) + 1e-6)
	}
	b.nextK = k
	best := root(k, b.orderError(k, norm(b.e)), bdfBias[1])
	b.wait--
	if b.wait <= 0 {
		b.wait = bdfWait
		if !b.advanced {
			b.advance()
		}
		// After advance φ_{k+1}, φ_{k+2}, φ_{k+3} are the differences k, k+1, k+2.
		if k > 1 {
			if f := root(k-1, b.orderError(k-1, norm(b.phi[k])), bdfBias[0]); f > best {
				best, b.nextK = f, k-1
			}
		}
		if k < b.m.MaxOrder && k <= b.steps {
			if f := root(k+1, b.orderError(k+1, norm(b.phi[k+2])), bdfBias[2]); f > best {
				best, b.nextK = f, k+1
			}
		}
		if best < bdfGrow && best > bdfShrink {
			b.nextK = k
		}
		if b.nextK != k {
			b.wait = b.nextK + 1
		}
	}
	if best < bdfGrow && best > bdfShrink {
		return 1
	}
	m := bdfMax
	if b.steps == 0 {
		m = bdfFirst
	}
	return min(best, m)
}

// refuse is the factor to the next attempt.
func (b *bdf) refuse(err float64) float64 {
	s := b.s
	if math.IsNaN(err) {
		return method.BadCut
	}
	if math.IsInf(err, 1) {
		return 0.25
	}
	b.fails++
	b.wait = max(b.wait, 2)
	if b.fails >= 3 {
		b.k, b.nextK = 1, 1
		if b.steps > 0 {
			b.restart()
			b.fails = 3
		}
		return 0.1
	}
	_ = s
	f := 1 / (math.Pow(6*err, 1/float64(b.k+1)) + 1e-6)
	if b.fails == 2 {
		f = min(f, 0.2)
		if b.k > 1 {
			b.k--
			b.nextK = b.k
			b.wait = b.k + 1
		}
	}
	return min(0.9, max(0.1, f))
}
