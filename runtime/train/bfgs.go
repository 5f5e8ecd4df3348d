package train

// BFGS: the inverse Hessian as a dense matrix, updated after each step.
//
// J. Nocedal, S. J. Wright, Numerical Optimization, 2nd edition, Springer 2006, algorithm 6.1,
// with the update 6.17 and the first scaling 6.20.

var _ curvature = (*bfgs)(nil)

type bfgs struct {
	n     int
	h     []float64 // the inverse Hessian, n × n; meaningless while empty
	hy    []float64
	empty bool
}

func runBFGS(r *run, s *Stage) (Status, error) {
	if r.n > maxDense {
		return Done, &OptionError{Optimiser: "bfgs", Reason: tooMany(r.n)}
	}
	return quasiNewton(r, s, &bfgs{n: r.n, h: make([]float64, r.n*r.n), hy: make([]float64, r.n), empty: true})
}

func (b *bfgs) reset()      { b.empty = true }
func (b *bfgs) fresh() bool { return b.empty }

func (b *bfgs) state(l *ledger) {
	l.flag("empty", &b.empty)
	l.vec("h", b.h)
}

func (b *bfgs) direction(dir, g []float64) {
	for i := range dir {
		if b.empty {
			dir[i] = -g[i]
			continue
		}
		dir[i] = -dot(b.h[i*b.n:(i+1)*b.n], g)
	}
}

// update is H ← (I − ρ s yᵀ) H (I − ρ y sᵀ) + ρ s sᵀ with ρ = 1/sᵀy, multiplied out.
func (b *bfgs) update(s, y []float64, sy, yy float64) {
	n := b.n
	if b.empty {
		clear(b.h)
		for i := range n {
			b.h[i*n+i] = sy / yy
		}
		b.empty = false
	}
	for i := range n {
		b.hy[i] = dot(b.h[i*n:(i+1)*n], y)
	}
	c := (1 + dot(y, b.hy)/sy) / sy
	for i := range n {
		row := b.h[i*n : (i+1)*n]
		for j := range row {
			row[j] += c*s[i]*s[j] - (b.hy[i]*s[j]+s[i]*b.hy[j])/sy
		}
	}
}
