package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
)

// The choice of order and step: that which promises the longest step, by the estimates of the errors of the order and its neighbours for steps of equal length,
// with the bias of VODE, which wants a sixth of the error that is allowed, and a tenth from a higher order. A step is not changed for little gain, but a shorter
// one is made before it has to be.
//
// P. N. Brown, G. D. Byrne, A. C. Hindmarsh, VODE: a variable-coefficient ODE solver, SIAM Journal on Scientific and Statistical Computing 10 (1989),
// 1038–1051. The figures beside those of VODE were chosen by work at equal error over the stiff problems of internal/ivp.
const (
	bdfBias   = 6.0
	bdfUp     = 10.0 // bias of a higher order
	bdfGrow   = 1.5  // a step grows by this much or not at all
	bdfShrink = 0.9  // a step shrinks by this much or not at all
	bdfMost   = 2.0  // a step grows by this much at most
	bdfFirst  = 1e4  // the first step does
	bdfLeast  = 0.1  // a refused step shrinks by this much at most
	bdfCut    = 0.25 // a step whose equations were not solved does
	bdfLook   = 2    // steps between two looks at other orders
	bdfStay   = 20   // steps in which an order is not lowered whose lowering was refused

	// bdfStrict is by how much smaller than the tolerance the local errors are held: those of several hundred steps point the same way and add up. Where there are
	// algebraic equations, what rounding leaves of them may be as large as a tenth of a tolerance.
	bdfStrict    = 10.0
	bdfStrictDAE = 3.0
)

// orderError estimates the error of steps of order k, all of the length of this one, from the norm of the difference k+1 at its end.
func (b *bdf) orderError(k int, diff float64) float64 {
	s := 1.0 // makes it h^(k+1) times the derivative k+1
	for j := 1; j <= k+1; j++ {
		s *= float64(j) * b.next[1] / b.next[j]
	}
	return b.strict * s * diff / float64(k+1)
}

// factor is how much longer a step of order k may be whose error is err.
func (b *bdf) factor(k int, err, bias float64) float64 {
	return 1 / (math.Pow(bias*err, 1/float64(k+1)) + 1e-6)
}

func (b *bdf) accept(float64) float64 {
	b.fails = 0
	b.stay--
	k := b.k
	b.after = k
	f := b.factor(k, b.orderError(k, b.it.norm(b.e, b.w)), bdfBias)
	if b.wait--; b.wait <= 0 {
		b.wait = bdfLook
		f = b.look(f)
	}
	switch {
	case f >= bdfGrow:
		most := bdfMost
		if b.steps == 0 {
			most = bdfFirst
		}
		f = min(f, most)
	case f > bdfShrink:
		f = 1
	}
	return b.s.calm(f)
}

// look compares the order with its neighbours; f is the factor of the order itself.
func (b *bdf) look(f float64) float64 {
	k, e := b.k, b.e
	if k > 1 && b.stay <= 0 {
		v, phi, beta := b.v[:len(e)], b.phi[k][:len(e)], b.beta[k+1]
		for i, d := range e {
			v[i] = beta*phi[i] + d
		}
		if g := b.factor(k-1, b.orderError(k-1, b.it.norm(v, b.w)), bdfBias); g > f {
			f, b.after = g, k-1
		}
	}
	if k < b.m.MaxOrder && k <= b.steps {
		v, phi, beta := b.v[:len(e)], b.phi[k+1][:len(e)], b.beta[k+2]
		for i, d := range e {
			v[i] = d - beta*phi[i]
		}
		if g := b.factor(k+1, b.orderError(k+1, b.it.norm(v, b.w)), bdfUp); g > f {
			f, b.after = g, k+1
		}
	}
	if f < bdfGrow && f > bdfShrink {
		b.after = k
	}
	if b.after != k {
		b.wait = b.after + 1
	}
	return f
}

// refuse is the factor to the next attempt. A second refusal lowers the order, a third one starts anew from the point alone.
func (b *bdf) refuse(err float64) float64 {
	b.wait = max(b.wait, bdfLook)
	switch {
	case math.IsNaN(err):
		return method.BadCut
	case math.IsInf(err, 1):
		return bdfCut
	}
	f := min(max(bdfLeast, b.factor(b.k, err, bdfBias)), bdfShrink)
	switch b.fails++; {
	case b.down: // too early: back to the order and the step before
		b.k++
		b.wait, b.stay, b.down = b.k+1, bdfStay, false
		f = min(bdfShrink, b.psi[1]/b.s.h)
	case b.fails == 2 && b.k > 1:
		b.k--
		b.wait = b.k + 1
	case b.fails > 2:
		if b.steps > 0 {
			n := b.fails
			b.restart()
			b.fails = n
		}
		f = bdfLeast
	}
	return f
}

// prescribed is the order of the next step where steps are prescribed: that which the mesh came with, or as high as the points since the start allow.
func (b *bdf) prescribed() int {
	s, most := b.s, min(max(1, b.steps), b.m.MaxOrder) // as many points as it takes; what a start adds to them serves prediction alone
	if at := s.nextMesh(); at > 0 && at <= len(s.p.MeshOrders) {
		if k := s.p.MeshOrders[at-1]; k > 0 {
			return min(k, most)
		}
	}
	return most
}
