package train

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Multiple shooting: the time span is cut into segments, each solved from initial values of its own, which are variables
// beside what is free. Over a segment a solution cannot run far from the data, however wrong the parameters, so that chaos and long
// oscillations do no harm. Where one segment ends and the next begins there is a gap, which has a price, or, as a constraint, must vanish:
//
//	least of L + p Σ (gap + m)²,   then m += gap, and again,
//
// the augmented Lagrangian, with m the multipliers over 2p. A sum of squares stays one.
//
// H. G. Bock, Recent advances in parameter identification techniques for O.D.E., in P. Deuflhard, E. Hairer (eds.), Numerical Treatment of Inverse
// Problems in Differential and Integral Equations, Birkhäuser 1983, 95–121; E. Baake, M. Baake, H. G. Bock, K. M. Briggs, Fitting ordinary
// differential equations to chaotic data, Physical Review A 45 (1992), 5524–5529; J. Nocedal, S. J. Wright, Numerical Optimization, 2nd edition,
// Springer 2006, section 17.3, for the augmented Lagrangian.

const (
	// maxRounds is how often the multipliers are changed at most.
	maxRounds = 12
	// gapFall is what a gap must have shrunk to, of what it was, for the price to stay; else it rises by priceRise.
	gapFall, priceRise = 0.25, 10.0
)

func multiplePhases(f *fitting, m *Method) ([]phase, error) {
	s, err := newShots(f, m)
	if err != nil {
		return nil, err
	}
	penalties := m.Penalties
	if penalties == nil {
		penalties = []float64{1}
	}
	for i, p := range penalties {
		if !(p > 0) || math.IsInf(p, 0) {
			return nil, m.bad("a gap costs as much as a datum that is as far off with `penalty = 1`", "`penalty` must be a positive number, or several, not %v", penalties[i])
		}
	}
	if m.Constraint && len(penalties) > 1 {
		return nil, m.bad("give one, from which the price rises as it must", "with `continuity = constraint` there is one `penalty`")
	}
	title := fmt.Sprintf("multiple shooting over %d segments", len(s.seg))
	var out []phase
	if !m.Constraint {
		for k, p := range penalties {
			name := title
			if len(penalties) > 1 {
				name += fmt.Sprintf(", penalty %.6g", p)
			}
			out = append(out, &round{shots: s, about: plan{method: m.name(), title: name, stages: f.stagesOf(m)}, penalty: p, k: k})
		}
		return out, nil
	}
	for k := range maxRounds {
		out = append(out, &round{shots: s, about: plan{method: m.name(), title: fmt.Sprintf("%s, round %d", title, k+1), stages: f.stagesOf(m)}, penalty: penalties[0], constraint: true, k: k})
	}
	return out, nil
}

// round is a phase of multiple shooting: one price of the gaps.
type round struct {
	*shots
	about      plan
	penalty    float64
	constraint bool
	k          int
}

var (
	_ phase        = (*round)(nil)
	_ LeastSquares = (*round)(nil)
)

func (r *round) plan() *plan { return &r.about }

// begin opens the round: the multipliers learn from the gaps that the one before has left.
func (r *round) begin(ctx context.Context) []float64 {
	s := r.shots
	switch {
	case r.k == 0:
		s.guess(ctx)
		s.penalty = r.penalty
		for _, g := range s.seg {
			clear(g.m)
		}
		s.before, s.largest = math.Inf(1), math.Inf(1)
		if r.constraint {
			s.look(ctx, append(s.trial.start(), s.starts...))
		}
	case !r.constraint:
		s.penalty = r.penalty
	default:
		rise := 1.0
		if s.largest > gapFall*s.before {
			rise = priceRise
		}
		s.penalty *= rise
		for _, g := range s.seg {
			for i := range g.m {
				if g.m[i] /= rise; !math.IsInf(s.largest, 1) { // the gaps are known
					g.m[i] += g.gap[i] / rise
				}
			}
		}
	}
	return append(s.trial.start(), s.starts...)
}

// needless says that the gaps are as small as the solver's errors already.
func (r *round) needless() bool {
	if !r.constraint || r.k == 0 {
		return false
	}
	rtol := r.trial.prob.Rtol
	if rtol == 0 {
		rtol = solve.DefaultRtol
	}
	return r.shots.largest <= rtol
}

// end looks once more at where the round has ended, since the last trial need not have been there, and says what gaps are left. The next round is
// opened by them.
func (r *round) end(ctx context.Context, u []float64) string {
	if s := r.shots; !s.look(ctx, u) {
		return ""
	}
	return fmt.Sprintf("largest gap %.2g of the state", r.shots.largest)
}

// state implements keeper.
func (r *round) state(l *ledger) {
	s := r.shots
	l.num("penalty", &s.penalty)
	l.num("before", &s.before)
	l.num("largest", &s.largest)
	l.vec("scale", s.scale)
	l.vec("price", s.price)
	for _, g := range s.seg {
		l.vec("multipliers", g.m)
	}
}

// newShots cuts the trajectories.
func newShots(f *fitting, m *Method) (*shots, error) {
	sys := f.spec.Sys
	help := "fit it by shooting, which may grow"
	switch {
	case sys.Mass != nil:
		return nil, m.bad(help, "%s has algebraic equations or a mass matrix, and segments begin with values that need not satisfy them", nameOf(sys))
	case len(sys.Events) > 0:
		return nil, m.bad(help, "%s has events, which a cut of the time span may lie on", nameOf(sys))
	}
	n := m.Segments
	if n == 0 {
		n = 5
	}
	if n < 2 {
		return nil, m.bad("`segments = 5` is five", "there must be two segments at least, not %d", n)
	}
	s := &shots{trial: f.trial, nx: sys.NX, log: make([]bool, sys.NX), scale: make([]float64, sys.NX), price: make([]float64, sys.NX)}
	var fixed []string
	for _, x := range sys.States {
		init, flag := sys.Find(x.Name, system.RoleInit), sys.Find(x.Name, system.RoleFlag)
		if init == nil || flag == nil {
			fixed = append(fixed, x.Name)
			continue
		}
		for k := range x.Size() {
			s.of = append(s.of, state{th: init.Off + k, flag: flag.Off})
		}
	}
	if len(fixed) > 0 {
		return nil, m.bad(help, "segments begin with values of their own, and these have none that can be set: %s", strings.Join(fixed, ", "))
	}
	for k, tr := range f.trial.tr {
		if rows := len(tr.data.data.Times); rows < n+1 {
			return nil, tr.named(m.bad("take fewer `segments`", "%d segments need %d rows of data, there are %d", n, n+1, rows))
		}
		s.cut(k, n)
	}
	values := 0
	for _, g := range s.seg {
		values += g.n
	}
	for _, g := range s.seg {
		g.loss.over(values)
		g.row = s.rows
		if s.rows += g.n; g.next >= 0 {
			s.rows += s.nx
		}
	}
	s.measure()
	return s, nil
}

// cut makes the segments of a trajectory, of as many rows each.
func (s *shots) cut(at, n int) {
	tr := s.trial.tr[at]
	times := tr.data.data.Times
	rows := len(times)
	nth := tr.prob.Sys.NTheta
	for k := range n {
		lo, hi := k*(rows-1)/n, (k+1)*(rows-1)/n
		if k == n-1 {
			hi = rows
		}
		loss := *tr.data
		loss.outputs = nil
		g := &segment{shots: s, tr: tr, at: at, loss: &loss, prob: tr.prob, from: -1, next: -1, gap: make([]float64, s.nx), m: make([]float64, s.nx), g: make([]float64, nth), gnext: make([]float64, s.nx)}
		g.n = loss.window(lo, hi)
		for _, v := range append(append([]int(nil), s.trial.shared...), tr.own...) {
			if k == 0 || !s.trial.vars[v].initial {
				g.vars, g.wrt = append(g.vars, v), append(g.wrt, s.trial.vars[v].index)
			}
		}
		if k > 0 {
			g.from = len(s.starts)
			g.prob.T0 = times[lo]
			for i, x := range s.of {
				g.vars, g.wrt = append(g.vars, len(s.trial.vars)+g.from+i), append(g.wrt, x.th)
			}
			s.starts = append(s.starts, make([]float64, s.nx)...)
		}
		if k < n-1 {
			g.next = len(s.starts)
			g.prob.T1 = times[hi]
		}
		s.seg = append(s.seg, g)
	}
}

// measure settles in which units the states are compared: in those of their magnitude, or as logarithms.
func (s *shots) measure() {
	for i := range s.scale {
		size, rows := 0.0, 0
		for _, tr := range s.trial.tr {
			if x := columnOf(tr.data.data, i); x != nil {
				for _, v := range x.Values {
					if v == v {
						size += v * v
						rows++
					}
				}
			}
		}
		if s.scale[i] = math.NaN(); rows == 0 {
			continue // known when the model was solved: see guess
		}
		s.scale[i] = math.Sqrt(size / float64(rows))
		if s.log[i] = s.trial.data.logs; s.log[i] {
			s.scale[i] = 1
		}
		if !(s.scale[i] > 0) {
			s.scale[i] = 1
		}
	}
}

// prices settles what gaps cost: as much as a datum that is as far off. That of a state without data costs, in units of that state, what the others
// do in theirs; it is still to be divided by the square of the unit.
func (s *shots) prices() {
	sum, n := 0.0, 0
	for i := range s.scale {
		s.price[i] = 0
		rows := 0
		for _, g := range s.seg {
			for k := range g.loss.data.Columns {
				if c := &g.loss.data.Columns[k]; c.Of.Output || c.Of.Index != i {
					continue
				}
				for row := g.loss.lo; row < g.loss.hi; row++ {
					if y := g.loss.target[k][row]; y == y {
						s.price[i] += g.loss.curvature(k, row)
						rows++
					}
				}
			}
		}
		if rows > 0 {
			s.price[i] /= float64(rows)
			sum += s.price[i] * s.scale[i] * s.scale[i]
			n++
		}
	}
	if n == 0 {
		sum, n = 1/s.seg[0].loss.div, 1
	}
	for i, v := range s.scale {
		if math.IsNaN(v) {
			s.price[i] = sum / float64(n)
		}
	}
}
