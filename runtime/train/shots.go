package train

import (
	"context"
	"errors"
	"math"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// shots is the objective of multiple shooting: u is what is free, then the starts of the segments.
type shots struct {
	trial *trial
	seg   []*segment
	nx    int
	log   []bool    // per state: gaps are differences of logarithms, and starts are kept positive
	scale []float64 // per state: its magnitude, 1 with log
	price []float64 // per state: of the square of a gap, for penalty 1
	of    []state   // per state: where its initial value and flag are in θ

	penalty float64
	largest float64   // gap after the last round, at the guess before the first, in units of the scale
	before  float64   // that after the round before it
	starts  []float64 // u of the starts of segments, one after the other
	rows    int       // residuals
	bad     *segment  // which segment failed
}

// segment is one piece of a trajectory. As a loss it is that of its data and of the gap behind it.
type segment struct {
	*shots
	tr   *trajectory
	at   int // of the trajectory
	loss *DataLoss
	prob solve.Problem
	from int       // of its initial values among the starts; −1: those of the trajectory
	next int       // of those of the segment behind; −1: there is none
	wrt  []int     // what it depends on, into θ, and
	vars []int     // into u
	row  int       // its first residual
	n    int       // values
	gap  []float64 // behind it, in units of the scale
	m    []float64 // multipliers

	f      float64
	g      []float64 // by θ
	gnext  []float64 // by the starts of the segment behind
	err    error
	fault  *solve.Fault
	value  *ValueError
	spoilt *sens.NonFinite
}

var _ sens.Loss = (*segment)(nil)

// value is a start of state i, and slope its derivative by u.
func (s *shots) value(i int, u float64) (v, slope float64) {
	if s.log[i] {
		v = math.Exp(u)
		return v, v
	}
	return s.scale[i] * u, s.scale[i]
}

// Dim implements Objective.
func (s *shots) Dim() int { return len(s.trial.vars) + len(s.starts) }

func (s *shots) decay() []bool { return append(s.trial.decay(), make([]bool, len(s.starts))...) }

func (s *shots) set(u []float64) bool {
	n := len(s.trial.vars)
	copy(s.starts, u[n:])
	return s.trial.set(u[:n]) && firstBad(u[n:]) < 0
}

// seat puts a worker where a segment begins.
func (s *shots) seat(w *worker, g *segment) *desk {
	g.err, g.fault, g.value, g.spoilt, g.f = nil, nil, nil, nil, 0
	copy(w.th, s.trial.prob.Theta)
	g.tr.write(w.th)
	if g.from >= 0 {
		for i, x := range s.of {
			w.th[x.flag] = 1
			w.th[x.th], _ = s.value(i, s.starts[g.from+i])
		}
	}
	w.prob = g.prob
	w.prob.Theta = w.th
	return w.desk(g.prob.Sys, g.loss)
}

// ended says whether the solve of a segment came to its end with values that can be compared, and keeps why if it did not.
func (g *segment) ended(ctx context.Context, sol *solve.Solution, err error) bool {
	if err != nil && !errors.As(err, &g.spoilt) {
		g.err = err
		return false
	}
	if !sol.Status.Ended() {
		if g.fault = sol.Fault; sol.Status == solve.Cancelled && ctx.Err() != nil {
			g.err = ctx.Err()
		}
		return false
	}
	g.value = g.loss.Failure()
	return g.value == nil
}

// all does something with every segment, on all cores. It is false where one of them failed.
func (s *shots) all(ctx context.Context, u []float64, do func(w *worker, d *desk, g *segment) bool) (bool, error) {
	s.bad = nil
	if !s.set(u) {
		return false, nil
	}
	well := make([]bool, len(s.seg))
	s.trial.share(s.trial, len(s.seg), func(w *worker, k int) bool {
		g := s.seg[k]
		well[k] = do(w, s.seat(w, g), g)
		return well[k]
	})
	for k, ok := range well {
		if !ok {
			s.bad = s.seg[k]
			return false, s.bad.err
		}
	}
	return true, nil
}

// Times implements sens.Loss: those of the data, and the end where another segment begins.
func (g *segment) Times() []float64 {
	t := g.loss.Times()
	if g.next < 0 {
		return t
	}
	return append(t[:len(t):len(t)], g.prob.T1)
}

// Eval implements sens.Loss: the part of the loss and the price of the gap.
func (g *segment) Eval(x, th, gx, gth []float64) (float64, error) {
	n := len(x)
	if g.next >= 0 {
		n -= g.nx
	}
	var gd []float64
	if gx != nil {
		gd = gx[:n]
	}
	f, err := g.loss.Eval(x[:n], th, gd, gth)
	if err != nil || g.next < 0 || f-f != 0 {
		return f, err
	}
	for i, v := range x[n:] {
		gap, dx, du := g.gapOf(i, v)
		r := gap + g.m[i]
		q := g.cost(i)
		f += q * r * r
		if gx != nil {
			gx[n+i] = 2 * q * r * dx
			g.gnext[i] = 2 * q * r * du
		}
	}
	return f, nil
}

// cost is what the square of a gap costs.
func (g *segment) cost(i int) float64 { return g.penalty * g.price[i] * g.scale[i] * g.scale[i] }

// gapOf is the gap of state i behind a segment that ends at v, in units of the scale, with its derivatives by v and by the start behind it.
// It is infinite where v has no logarithm.
func (g *segment) gapOf(i int, v float64) (gap, dv, du float64) {
	u := g.starts[g.next+i]
	if g.log[i] {
		if v <= 0 {
			g.gap[i] = math.Inf(1)
			return g.gap[i], 0, 0
		}
		g.gap[i] = math.Log(v) - u
		return g.gap[i], 1 / v, -1
	}
	g.gap[i] = v/g.scale[i] - u
	return g.gap[i], 1 / g.scale[i], -1
}

// Eval implements Objective.
func (s *shots) Eval(ctx context.Context, u, g []float64) (float64, error) {
	ok, err := s.all(ctx, u, func(w *worker, d *desk, seg *segment) bool {
		var sol *solve.Solution
		var err error
		switch {
		case g == nil:
			seg.f, sol, err = d.ws.Value(ctx, &w.prob, seg)
		case s.trial.forward:
			w.g = resize(w.g, len(seg.wrt))
			seg.f, sol, err = sens.Forward(ctx, &w.prob, seg, seg.wrt, w.g)
			for k, i := range seg.wrt {
				seg.g[i] = w.g[k]
			}
		case s.trial.by != nil:
			seg.f, sol, err = s.trial.by.gradient(ctx, &d.ws, &w.prob, seg, seg.g)
		default:
			seg.f, sol, err = d.ws.Adjoint(ctx, &w.prob, seg, seg.g)
		}
		return seg.ended(ctx, sol, err)
	})
	if err != nil {
		return math.NaN(), err
	}
	if !ok {
		return math.Inf(1), nil
	}
	clear(g)
	sum := 0.0
	n := len(s.trial.vars)
	for _, seg := range s.seg {
		sum += seg.f
		if g == nil {
			continue
		}
		for k, i := range seg.wrt {
			if d := seg.g[i]; d != 0 {
				g[seg.vars[k]] += d * s.slope(seg, k, u)
			}
		}
		if seg.next >= 0 {
			for i, d := range seg.gnext {
				g[n+seg.next+i] += d
			}
		}
	}
	return sum, nil
}

// slope is the derivative of entry k of what a segment depends on by its variable.
func (s *shots) slope(g *segment, k int, u []float64) float64 {
	v, n := g.vars[k], len(s.trial.vars)
	if v < n {
		return s.trial.vars[v].Slope(u[v])
	}
	_, slope := s.value(v-n-g.from, u[v])
	return slope
}

// Squares implements LeastSquares.
func (s *shots) Squares() (rows int, why string) {
	if ok, why := s.trial.data.squares(true); !ok { // deviations that are estimated stay as they are
		return 0, why
	}
	return s.rows, ""
}

// Offset implements Shifted.
func (s *shots) Offset() float64 {
	sum := 0.0
	for _, g := range s.seg {
		sum += g.loss.offset()
	}
	return sum
}

// Residuals implements LeastSquares.
func (s *shots) Residuals(ctx context.Context, u, r []float64) (bool, error) {
	return s.all(ctx, u, func(w *worker, d *desk, g *segment) bool {
		_, sol, err := d.ws.Value(ctx, &w.prob, g)
		if !g.ended(ctx, sol, err) {
			return false
		}
		at := g.row
		ok := g.loss.residuals(sol.X, w.th, func(row, col int, res, _ float64) {
			r[at] = g.loss.root(col, row) * res
			at++
		})
		if g.next >= 0 {
			for i := range g.gap {
				r[at+i] = math.Sqrt(g.cost(i)) * (g.gap[i] + g.m[i])
			}
			ok = ok && firstBad(g.gap) < 0
		}
		return ok
	})
}

// Jacobian implements LeastSquares.
func (s *shots) Jacobian(ctx context.Context, u, j []float64) (bool, error) {
	clear(j)
	n := s.Dim()
	return s.all(ctx, u, func(w *worker, d *desk, g *segment) bool {
		w.prob.Times = g.Times()
		sx, sol, err := d.tangents.Sensitivities(ctx, &w.prob, sens.ForwardMethod{Wrt: g.wrt, StatesOnly: true})
		if !g.ended(ctx, sol, err) || !g.loss.jacobian(j[g.row*n:], n, g.vars, sx, sol, w.th, g.wrt, g.loss.leastSquares) {
			return false
		}
		rows := g.n
		if g.next >= 0 {
			np, last := len(g.wrt), len(sol.T)-1
			for i, v := range sol.Row(last) {
				_, dv, du := g.gapOf(i, v)
				c := math.Sqrt(g.cost(i))
				row := j[(g.row+g.n+i)*n:]
				for k, at := range g.vars {
					row[at] = c * dv * sx[(last*g.nx+i)*np+k]
				}
				row[len(s.trial.vars)+g.next+i] = c * du
			}
			rows += g.nx
		}
		for k, at := range g.vars {
			slope := s.slope(g, k, u)
			for row := g.row; row < g.row+rows; row++ {
				if j[row*n+at] != 0 {
					j[row*n+at] *= slope
				}
			}
		}
		return true
	})
}

// look evaluates u, so that the gaps are those of there. It is false, and the largest infinite, where that cannot be.
func (s *shots) look(ctx context.Context, u []float64) bool {
	ok, err := s.all(ctx, u, func(w *worker, d *desk, g *segment) bool {
		_, sol, err := d.ws.Value(ctx, &w.prob, g)
		return g.ended(ctx, sol, err)
	})
	s.before = s.largest
	if s.largest = math.Inf(1); !ok || err != nil {
		return false
	}
	s.largest = s.gaps()
	return !math.IsInf(s.largest, 1)
}

// gaps is the largest gap as they stand.
func (s *shots) gaps() float64 {
	big := 0.0
	for _, g := range s.seg {
		if g.next >= 0 {
			big = math.Max(big, normInf(g.gap))
		}
	}
	return big
}

// startError tells which segment has no finite loss at the start.
func (s *shots) startError(_ context.Context, bad *NonFiniteStart) error {
	e := &StartError{Loss: bad.Value, Row: -1}
	if n := len(s.trial.vars); bad.Gradient {
		if e.Free = "the start of a segment"; bad.Index < n {
			e.Free = s.trial.vars[bad.Index].name
		}
	}
	g := s.bad
	if g == nil {
		return e
	}
	e.Trajectory = g.tr.name
	if e.Fault, e.Value = g.fault, g.value; e.Value != nil {
		e.Row, e.Place = e.Value.Row, e.Value.Place
	} else if e.Fault != nil {
		e.Row, e.Place = g.tr.data.data.firstFrom(e.Fault.T, true)
	}
	return e
}

// guess finds where the segments begin: on smooth curves through what was measured; what was not, where the solution passes at the start.
func (s *shots) guess(ctx context.Context) {
	s.scatter()
	s.prices()
	size := make([]float64, s.nx)
	passes := make([][]float64, len(s.trial.tr))
	for k, tr := range s.trial.tr {
		passes[k] = s.passes(ctx, tr)
		for at, v := range passes[k] {
			size[at%s.nx] = math.Max(size[at%s.nx], math.Abs(v))
		}
	}
	for i, v := range s.scale {
		if v-v == 0 {
			continue
		}
		if s.scale[i] = size[i]; !(size[i] > 0) || math.IsInf(size[i], 0) {
			s.scale[i] = 1
		}
		s.price[i] /= s.scale[i] * s.scale[i]
	}
	curves := make([]smoother, s.nx)
	for _, g := range s.seg {
		if g.from < 0 {
			curves = g.tr.curves(s.nx)
			continue
		}
		for i, c := range curves {
			v := passes[g.at][g.loss.lo*s.nx+i] / s.scale[i]
			if c != nil {
				if v, _ = c.at(g.prob.T0); !s.log[i] {
					v /= s.scale[i]
				}
			}
			s.starts[g.from+i] = v
		}
	}
}

// scatter estimates standard deviations, where they are, by how far the data lie from smooth curves: they are those of all rounds.
func (s *shots) scatter() {
	for _, n := range s.trial.noise {
		sum, rows := 0.0, 0.0
		for _, tr := range s.trial.tr {
			curves := tr.curves(s.nx)
			for k := range tr.data.data.Columns {
				c := &tr.data.data.Columns[k]
				if tr.data.noise[k] != n || c.Of.Output {
					continue
				}
				for row, y := range tr.data.target[k] {
					if y == y {
						v, _ := curves[c.Of.Index].at(tr.data.data.Times[row])
						sum += c.weight(row) * (y - v) * (y - v)
						rows++
					}
				}
			}
		}
		if rows > 0 { // of a let there is no curve, and what it has is its spread
			n.sd = math.Max(math.Sqrt(sum/rows), 1e5*n.least)
		}
	}
}

// passes is the solution at the times of a trajectory's data, where θ stands; where it ends before, it stays as it was.
func (s *shots) passes(ctx context.Context, tr *trajectory) []float64 {
	times := tr.data.data.Times
	x := make([]float64, len(times)*s.nx)
	p := tr.prob
	p.Theta, p.Times, p.NoDense = s.trial.theta(tr), times, true
	sol, err := solve.Solve(ctx, &p)
	if err != nil || len(sol.T) == 0 {
		if p.Sys.Init != nil {
			p.Sys.Init.Clone().Eval(x[:s.nx], p.T0, nil, p.Theta)
		}
		sol = &solve.Solution{}
	}
	n := copy(x, sol.X)
	for at := max(n, s.nx); at < len(x); at++ {
		x[at] = x[at-s.nx]
	}
	for at, v := range x {
		if v-v != 0 {
			x[at] = 0
		}
	}
	return x
}

// curves are smooth curves through what was measured of each state, through its logarithm where that is compared; nil where nothing was.
func (tr *trajectory) curves(nx int) []smoother {
	out := make([]smoother, nx)
	for i := range out {
		c := columnOf(tr.data.data, i)
		if c == nil {
			continue
		}
		t, y, w := c.known(tr.data.data, tr.data.logs)
		switch {
		case len(t) >= smoothable:
			out[i] = newSpline(t, y, w, -1)
		case len(t) > 0:
			out[i] = &polygon{t, y}
		}
	}
	return out
}

// polygon is straight between data, and constant beyond.
type polygon struct{ t, y []float64 }

func (p *polygon) at(t float64) (v, slope float64) {
	n := len(p.t)
	if t <= p.t[0] {
		return p.y[0], 0
	}
	for i := 1; i < n; i++ {
		if t <= p.t[i] {
			slope = (p.y[i] - p.y[i-1]) / (p.t[i] - p.t[i-1])
			return p.y[i-1] + slope*(t-p.t[i-1]), slope
		}
	}
	return p.y[n-1], 0
}
