package solve

import (
	"fmt"
	"math"
)

// jumpMatrix is what a jump of the right-hand side needs where there are algebraic equations: they hold behind it too, so that the states they determine jump,
// and the others do not.
type jumpMatrix struct {
	mat    *matrix
	stats  Stats
	moves  []bool // by state: no derivative of it appears
	holds  []bool // by equation: it has no derivatives
	f, d   []float64
	broken error
}

// startJumps readies the matrix of jumps where there may be one.
func (s *Stepper) startJumps() {
	k := &s.kinks
	if s.sys.Mass == nil || len(k.times) == 0 {
		return
	}
	if k.jump == nil || k.jump.mat == nil || k.jump.mat.sys != s.sys {
		n := s.sys.NX
		j := &jumpMatrix{moves: make([]bool, n), holds: make([]bool, n), f: make([]float64, n), d: make([]float64, n)}
		for i := range n {
			j.moves[i], j.holds[i] = true, true
		}
		for c := range n {
			rows, _ := s.sys.Mass.Pattern.Column(c)
			j.moves[c] = len(rows) == 0
			for _, r := range rows {
				j.holds[r] = false
			}
		}
		j.mat, j.broken = newMatrix(s.sys, &j.stats)
		k.jump = j
	}
	if k.jump.mat != nil {
		k.jump.mat.prepare(s.th)
	}
}

// leap writes the state behind a jump into x1: the algebraic equations are solved anew by Newton's method. It returns what an attempt does.
func (s *Stepper) leap() float64 {
	j := s.kinks.jump
	if j.broken != nil {
		s.why = j.broken.Error()
		return math.Inf(1)
	}
	copy(s.x1, s.x)
	const iterations = 50
	last := math.Inf(1)
	for n := range iterations {
		s.eval(j.f, s.t1, s.x1)
		if !finite(j.f) {
			return math.NaN()
		}
		j.mat.jacobian(nil, s.t1, s.x1)
		// M − c·J with a small c is −c·J in the algebraic rows, and leaves the other states where they are.
		c := 1e-10 * math.Abs(s.tEnd-s.p.T0)
		if err := j.mat.factor(c); err != nil {
			s.why = err.Error()
			return math.Inf(1)
		}
		for i := range j.d {
			j.d[i] = 0
			if j.holds[i] {
				j.d[i] = c * j.f[i]
			}
		}
		j.mat.solve(j.d)
		size := 0.0
		for i, moves := range j.moves {
			if moves {
				size = max(size, math.Abs(j.d[i])/(s.set.atol[i]+s.set.rtol*math.Abs(s.x1[i])))
			}
		}
		share := 1.0
		if n > 0 && size > last { // further than the step before: take less of it
			share = last / size / 2
		}
		last = size
		for i, moves := range j.moves {
			if moves {
				s.x1[i] += share * j.d[i]
			}
		}
		if size <= 1e-3 {
			return 0
		}
	}
	s.why = fmt.Sprintf("the algebraic equations have no solution behind the jump at t = %v", s.t1)
	return math.Inf(1)
}
