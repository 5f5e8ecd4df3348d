package train

// L-BFGS: the inverse Hessian by the last few steps and the changes of the gradient over them.
//
// D. C. Liu, J. Nocedal, On the limited memory BFGS method for large scale optimization,
// Mathematical Programming 45 (1989), 503–528; the two-loop recursion is algorithm 7.4 of
// J. Nocedal, S. J. Wright, Numerical Optimization, 2nd edition, Springer 2006.

var _ curvature = (*lbfgs)(nil)

type lbfgs struct {
	s, y   [][]float64 // a ring of pairs
	pairs  []float64   // their memory
	sy     []float64
	a      []float64
	next   int // where the next pair goes
	stored int
	gamma  float64 // scale of the first approximation, from the latest pair
}

func runLBFGS(r *run, s *Stage) (Status, error) {
	m := min(int(s.value("memory")), max(r.n, 1))
	l := &lbfgs{s: make([][]float64, m), y: make([][]float64, m), sy: make([]float64, m), a: make([]float64, m)}
	buf := make([]float64, 2*m*r.n)
	l.pairs = buf
	for i := range m {
		l.s[i], l.y[i], buf = buf[:r.n:r.n], buf[r.n:2*r.n:2*r.n], buf[2*r.n:]
	}
	return quasiNewton(r, s, l)
}

func (l *lbfgs) reset()      { l.stored = 0 }
func (l *lbfgs) fresh() bool { return l.stored == 0 }

func (l *lbfgs) state(b *ledger) {
	b.vec("pairs", l.pairs)
	b.vec("sy", l.sy)
	b.whole("next", &l.next)
	b.whole("stored", &l.stored)
	b.num("gamma", &l.gamma)
}

func (l *lbfgs) direction(dir, g []float64) {
	for i := range dir {
		dir[i] = -g[i]
	}
	if l.stored == 0 {
		return
	}
	m := len(l.s)
	for k := 1; k <= l.stored; k++ { // from the newest to the oldest
		i := (l.next - k + m) % m
		l.a[i] = dot(l.s[i], dir) / l.sy[i]
		axpy(dir, -l.a[i], l.y[i])
	}
	for i := range dir {
		dir[i] *= l.gamma
	}
	for k := l.stored; k >= 1; k-- {
		i := (l.next - k + m) % m
		axpy(dir, l.a[i]-dot(l.y[i], dir)/l.sy[i], l.s[i])
	}
}

func (l *lbfgs) update(s, y []float64, sy, yy float64) {
	copy(l.s[l.next], s)
	copy(l.y[l.next], y)
	l.sy[l.next] = sy
	l.gamma = sy / yy
	l.next = (l.next + 1) % len(l.s)
	l.stored = min(l.stored+1, len(l.s))
}
