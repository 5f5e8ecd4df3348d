package train

import (
	"fmt"
	"math"
)

// The loop that bfgs and lbfgs share: a direction from an approximation to the inverse Hessian,
// a length from the line search, an update. An infinite value is a step too long; a line search
// that fails is tried again along the gradient, and if that fails too the best point is the result.
//
// J. Nocedal, S. J. Wright, Numerical Optimization, 2nd edition, Springer 2006, chapters 6 and 7.

// curvature approximates the inverse Hessian.
type curvature interface {
	// reset forgets everything: the next direction is steepest descent.
	reset()
	// fresh says that nothing is known yet.
	fresh() bool
	// direction writes −H g into dir.
	direction(dir, g []float64)
	// update learns from a step s over which the gradient changed by y; sy = s·y > 0, yy = y·y.
	update(s, y []float64, sy, yy float64)
	// state goes through what is known.
	state(l *ledger)
}

const (
	// flatIters is how many iterations in a row must hardly lower the loss before it counts as
	// flat: one alone may be an unlucky step.
	flatIters = 3
	// firstStep is the Euclidean length of a first step along the gradient. Mechanistic
	// parameters are in units of their start, so none changes by more than a tenth at once.
	firstStep = 0.1
	// maxDense is how many variables a dense inverse Hessian may have: 800 MB.
	maxDense = 10_000
)

func tooMany(n int) string {
	return fmt.Sprintf("its matrix for %d variables would not fit in memory; take lbfgs", n)
}

func quasiNewton(r *run, s *Stage, h curvature) (Status, error) {
	n := r.n
	buf := make([]float64, 5*n)
	u, g, dir := buf[:n], buf[n:2*n], buf[2*n:3*n]
	ls := &lineSearch{r: r, x: u, g: g, dir: dir, x0: buf[3*n : 4*n], g0: buf[4*n:]}
	gtol, ftol := s.value("gtol"), s.value("ftol")
	f, flat := r.toBest(u, g), 0
	made, err := r.keep(func(l *ledger) {
		l.vec("u", u)
		l.vec("g", g)
		l.num("f", &f)
		l.whole("flat", &flat)
		h.state(l)
	})
	if err != nil {
		return Done, err
	}
	for it := made + 1; ; {
		switch {
		case flat >= flatIters && ftol > 0:
			return Converged, nil
		case it > s.Iters():
			return Done, nil
		}
		gn := normInf(g)
		if gn == 0 || gn <= gtol*math.Abs(f) {
			return Converged, nil
		}
		h.direction(dir, g)
		step := 1.0
		if h.fresh() {
			step = firstStep / norm2(g)
		}
		found := false
		f0, a := f, 0.0
		if slope := dot(dir, g); slope < 0 && !math.IsInf(slope, 0) && step > 0 {
			if f, a, found, err = ls.search(f0, slope, step); err != nil {
				return Cancelled, err
			}
		}
		if !found {
			if h.fresh() {
				return NoProgress, nil
			}
			h.reset()
			continue
		}
		if f0-f > ftol*math.Abs(f) {
			flat = 0
		} else {
			flat++
		}
		ls.learn(h)
		if err := r.note(Point{Iter: it, Loss: f, GradNorm: norm2(g), Rate: a}, u); err != nil {
			return Cancelled, err
		}
		it++
	}
}

func dot(a, b []float64) float64 {
	b = b[:len(a)]
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// axpy is y += a x.
func axpy(y []float64, a float64, x []float64) {
	x = x[:len(y)]
	for i := range y {
		y[i] += a * x[i]
	}
}
