package train

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/udl-lang/udl/runtime/system"
)

// Collocation as a start: smooth curves through the data give states and slopes, and what is free is chosen so that the
// right-hand side gives these slopes at these states. Nothing is solved, so an evaluation costs a few hundred right-hand sides,
// and no oscillation, stiffness or blow-up stands in the way. Its optimum is near that of the data, and biased by the smoothing: a place to
// start from.
//
// J. M. Varah, A spline least squares method for numerical parameter estimation in differential equations, SIAM Journal on Scientific and Statistical Computing 3 (1982), 28–46;
// H. Liang, H. Wu, Journal of the American Statistical Association 103 (2008), 1570–1583; E. Roesch, C. Rackauckas, M. P. H. Stumpf, Statistical
// Applications in Genetics and Molecular Biology 20 (2021), 37–49.

const (
	// collocationPoints is how many points a trajectory has at least.
	collocationPoints = 200
	// smoothable is how many values a state must have to be smoothed.
	smoothable = 5
)

var (
	_ phase        = (*collocation)(nil)
	_ LeastSquares = (*collocation)(nil)
)

// collocation is the mean over points and states of the squared differences of slopes, each in units of the state's root mean square slope, and the
// squared differences of initial values that are free. On the log scale slopes are those of logarithms.
type collocation struct {
	about  plan
	trial  *trial // over all data: what is free, and where it goes
	tr     []*smoothed
	rows   int // residuals
	th     []float64
	f, gx  []float64
	gth    []float64
	dth    []float64
	broken string // why the last value is not finite
}

// smoothed is a trajectory as smooth curves.
type smoothed struct {
	*trajectory
	rhs, init system.Func
	t         []float64
	x         []float64 // states at t, row by row
	slope     []float64 // derivatives there
	a         []float64 // factors of f − slope
	x0, a0    []float64 // states at the start, and factors of initial values; 0 where nothing that is free moves them
	own       []int     // variables
}

func collocationPhases(f *fitting, m *Method) ([]phase, error) {
	sys := f.spec.Sys
	switch {
	case sys.Mass != nil:
		return nil, m.bad("fit it by shooting, which may grow", "%s has algebraic equations or a mass matrix, and collocation compares slopes with right-hand sides that are derivatives", nameOf(sys))
	case len(sys.Events) > 0:
		return nil, m.bad("fit it by shooting, which may grow", "%s has events, where a smooth curve through the data has no slope that the equations know of", nameOf(sys))
	}
	c := &collocation{about: plan{method: m.name(), title: "collocation", stages: f.stagesOf(m)}, trial: f.trial,
		th: make([]float64, sys.NTheta), f: make([]float64, sys.NX), gx: make([]float64, sys.NX), gth: make([]float64, sys.NTheta), dth: make([]float64, sys.NTheta)}
	n := 0
	for _, tr := range f.trial.tr {
		s, note, err := smoothTrajectory(m, tr)
		if err != nil {
			return nil, err
		}
		if len(c.tr) == 0 {
			c.about.note = note
		}
		c.tr = append(c.tr, s)
		n += len(s.t) * sys.NX
	}
	c.rows = n
	for _, s := range c.tr {
		for i := range s.a {
			s.a[i] /= math.Sqrt(float64(n))
		}
	}
	return []phase{c}, nil
}

// smoothTrajectory makes the curves of a trajectory.
func smoothTrajectory(m *Method, tr *trajectory) (*smoothed, string, error) {
	sys, d := tr.prob.Sys, tr.data.data
	nx := sys.NX
	curves := make([]smoother, nx)
	lo, hi := math.Inf(-1), math.Inf(1)
	var notes, missing, latent []string
	names := sys.StateNames()
	for i := range curves {
		col := columnOf(d, i)
		if col == nil {
			if missing = append(missing, names[i]); isLatent(sys, i) {
				latent = append(latent, names[i])
			}
			continue
		}
		t, y, w := col.known(d, tr.data.logs)
		if len(t) < smoothable {
			return nil, "", tr.named(m.bad("fit it by shooting, which may grow", "%s has %d values, and a smooth curve needs %d", col.Name, len(t), smoothable))
		}
		lo, hi = math.Max(lo, t[0]), math.Min(hi, t[len(t)-1])
		switch m.Smooth {
		case "", "spline":
			penalty := -1.0
			if m.Smoothness > 0 {
				penalty = m.Smoothness
			}
			curves[i] = newSpline(t, y, w, penalty)
		case "kernel":
			curves[i] = newKernel(t, y, w, m.Smoothness)
		default:
			return nil, "", m.bad("it is spline or kernel", "there is no smooth curve called %q", m.Smooth)
		}
		notes = append(notes, fmt.Sprintf("%s: %v", names[i], curves[i]))
	}
	if len(missing) > 0 {
		why := "every state must be compared with data of its own, and these are not: " + strings.Join(missing, ", ")
		if len(latent) == len(missing) {
			why = "latent states are never measured, so they have no slopes to compare with: " + strings.Join(latent, ", ")
		}
		return nil, "", m.bad("fit it by shooting, which may grow, or by multiple_shooting", "%s", why)
	}
	var times []float64 // where all curves have data
	for _, t := range d.Times {
		if t >= lo && t <= hi {
			times = append(times, t)
		}
	}
	if len(times) < 2 {
		return nil, "", tr.named(m.bad("fit it by shooting, which may grow", "there is no time at which all states have data"))
	}
	s := &smoothed{trajectory: tr, rhs: sys.RHS.Clone(), own: tr.own}
	parts := (collocationPoints + len(times) - 2) / (len(times) - 1)
	for i, t := range times {
		s.t = append(s.t, t)
		for k := 1; i+1 < len(times) && k < parts; k++ {
			s.t = append(s.t, t+(times[i+1]-t)*float64(k)/float64(parts))
		}
	}
	n := len(s.t)
	s.x, s.slope, s.a = make([]float64, n*nx), make([]float64, n*nx), make([]float64, n*nx)
	s.x0, s.a0 = make([]float64, nx), make([]float64, nx)
	for i, c := range curves {
		square, size := 0.0, 0.0
		for j, t := range s.t {
			v, slope := c.at(t)
			if v-v != 0 || slope-slope != 0 {
				return nil, "", tr.named(m.bad("take a wider `bandwidth`", "the curve of %s is not known at t = %.6g", names[i], t))
			}
			square += slope * slope
			at := j*nx + i
			s.a[at] = 1
			if tr.data.logs {
				v = math.Exp(v)
				slope *= v
				s.a[at] = 1 / v
			}
			s.x[at], s.slope[at] = v, slope
			size += v * v
		}
		scale := math.Sqrt(square / float64(n))
		if !(scale > 0) { // a state that stands still: its slopes in units of its size
			if scale = math.Sqrt(size / float64(n)); !(scale > 0) || tr.data.logs {
				scale = 1
			}
		}
		w := math.Sqrt(columnOf(d, i).relative())
		for j := range s.t {
			s.a[j*nx+i] *= w / scale
		}
		s.x0[i], _ = c.at(tr.prob.T0)
		s.a0[i] = w
		if size > 0 {
			s.a0[i] = w / math.Sqrt(size/float64(n))
		}
		if tr.data.logs {
			s.x0[i] = math.Exp(s.x0[i])
			s.a0[i] = w / s.x0[i]
		}
	}
	if len(notes) > 3 {
		notes = append(notes[:3], fmt.Sprintf("and %d more", nx-3))
	}
	return s, strings.Join(notes, "; "), nil
}

func isLatent(sys *system.System, state int) bool {
	for i, s := range sys.States {
		if i < len(sys.Latent) && sys.Latent[i] && state >= s.Off && state < s.Off+s.Size() {
			return true
		}
	}
	return false
}

// relative is the factor of a column's part of the loss.
func (c *Column) relative() float64 {
	if c.Weight == 0 {
		return 1
	}
	return c.Weight
}

// known are the values that are not missing, with their times and how they count beside each other, nil where they all do alike.
func (c *Column) known(d *Data, log bool) (t, y, w []float64) {
	mean := 0.0
	for i, v := range c.Values {
		if c.missing(i) {
			continue
		}
		if log {
			v = math.Log(v)
		}
		t, y = append(t, d.Times[i]), append(y, v)
		if c.Weights != nil || c.SDs != nil {
			x := 1.0
			if c.Weights != nil {
				x = c.Weights[i]
			}
			if c.SDs != nil {
				x /= c.SDs[i] * c.SDs[i]
			}
			w = append(w, x)
			mean += x
		}
	}
	for i := range w {
		w[i] *= float64(len(w)) / mean
	}
	return t, y, w
}

func (c *collocation) plan() *plan          { return &c.about }
func (c *collocation) decay() []bool        { return c.trial.decay() }
func (c *collocation) set(u []float64) bool { return c.trial.set(u) }

// begin starts where θ stands. Which initial values something that is free moves is found out there.
func (c *collocation) begin(context.Context) []float64 {
	for _, s := range c.tr {
		sys := s.prob.Sys
		if sys.Init == nil {
			clear(s.a0)
			continue
		}
		s.init = sys.Init.Clone()
		c.theta(s)
		free := make(map[int]bool)
		for _, v := range c.variables(s) {
			free[c.trial.vars[v].index] = true
		}
		gz := make([]float64, sys.NX)
		for i := range gz {
			clear(c.gth)
			clear(gz)
			gz[i] = 1
			s.init.VJP(nil, c.gth, s.prob.T0, nil, c.th, gz)
			moved := false
			for k := range free {
				moved = moved || c.gth[k] != 0
			}
			if !moved {
				s.a0[i] = 0
			}
		}
	}
	return c.trial.start()
}

// variables are those that a trajectory depends on.
func (c *collocation) variables(s *smoothed) []int {
	return append(append([]int(nil), c.trial.shared...), s.own...)
}

// theta writes θ of a trajectory into th.
func (c *collocation) theta(s *smoothed) {
	copy(c.th, c.trial.prob.Theta)
	s.write(c.th)
}

// Dim implements Objective.
func (c *collocation) Dim() int { return c.trial.Dim() }

// Eval implements Objective.
func (c *collocation) Eval(ctx context.Context, u, g []float64) (float64, error) {
	if err := ctx.Err(); err != nil {
		return math.NaN(), err
	}
	if !c.set(u) {
		return math.Inf(1), nil
	}
	clear(g)
	sum := 0.0
	for _, s := range c.tr {
		c.theta(s)
		clear(c.gth)
		if !c.slopes(s, func(j int, f []float64) {
			nx := len(f)
			for i := range f {
				a := s.a[j*nx+i]
				r := a * (f[i] - s.slope[j*nx+i])
				sum += r * r
				f[i] = 2 * r * a
			}
			if g != nil {
				s.rhs.VJP(c.gx, c.gth, s.t[j], s.x[j*nx:(j+1)*nx], nil, f)
			}
		}) || !c.starts(s, func(x0 []float64) {
			for i := range x0 {
				r := s.a0[i] * (x0[i] - s.x0[i])
				sum += r * r
				x0[i] = 2 * r * s.a0[i]
			}
			if g != nil {
				s.init.VJP(nil, c.gth, s.prob.T0, nil, c.th, x0)
			}
		}) {
			return math.Inf(1), nil
		}
		if g == nil {
			continue
		}
		for _, k := range c.variables(s) {
			if v := &c.trial.vars[k]; c.gth[v.index] != 0 {
				g[k] += c.gth[v.index] * v.Slope(u[k])
			}
		}
	}
	return sum, nil
}

// slopes calls visit for each point with the right-hand side there, which it may change. It is false where that is not finite.
func (c *collocation) slopes(s *smoothed, visit func(j int, f []float64)) bool {
	nx := len(c.f)
	s.rhs.Prepare(c.th)
	for j, t := range s.t {
		s.rhs.Eval(c.f, t, s.x[j*nx:(j+1)*nx], nil)
		if i := firstBad(c.f); i >= 0 {
			c.broken = fmt.Sprintf("the right-hand side of %s' is %s at t = %.6g, on the smooth curves through the data", s.prob.Sys.StateNames()[i], inWords(c.f[i]), t)
			return false
		}
		visit(j, c.f)
	}
	return true
}

// starts calls visit with the initial values, if something that is free moves any of them. It is false where they are not finite.
func (c *collocation) starts(s *smoothed, visit func(x0 []float64)) bool {
	if zero(s.a0) {
		return true
	}
	s.init.Eval(c.f, s.prob.T0, nil, c.th)
	if i := firstBad(c.f); i >= 0 {
		c.broken = fmt.Sprintf("the initial value of %s is %s", s.prob.Sys.StateNames()[i], inWords(c.f[i]))
		return false
	}
	visit(c.f)
	return true
}

func zero(x []float64) bool {
	for _, v := range x {
		if v != 0 {
			return false
		}
	}
	return true
}

// Squares implements LeastSquares.
func (c *collocation) Squares() (rows int, why string) {
	return c.rows + len(c.tr)*len(c.f), ""
}

// Residuals implements LeastSquares.
func (c *collocation) Residuals(ctx context.Context, u, r []float64) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if !c.set(u) {
		return false, nil
	}
	at := 0
	for _, s := range c.tr {
		c.theta(s)
		for i := range s.a0 { // of initial values that do not move
			r[at+len(s.a)+i] = 0
		}
		if !c.slopes(s, func(j int, f []float64) {
			for i := range f {
				k := j*len(f) + i
				r[at+k] = s.a[k] * (f[i] - s.slope[k])
			}
		}) || !c.starts(s, func(x0 []float64) {
			for i := range x0 {
				r[at+len(s.a)+i] = s.a0[i] * (x0[i] - s.x0[i])
			}
		}) {
			return false, nil
		}
		at += len(s.a) + len(s.a0)
	}
	return true, nil
}

// Jacobian implements LeastSquares.
func (c *collocation) Jacobian(ctx context.Context, u, jac []float64) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if !c.set(u) {
		return false, nil
	}
	clear(jac)
	at, dim, nx := 0, c.Dim(), len(c.f)
	dz := make([]float64, nx)
	for _, s := range c.tr {
		c.theta(s)
		vars := c.variables(s)
		s.rhs.Prepare(c.th)
		for _, k := range vars {
			v := &c.trial.vars[k]
			c.dth[v.index] = v.Slope(u[k])
			for j, t := range s.t {
				s.rhs.JVP(dz, t, s.x[j*nx:(j+1)*nx], nil, 0, nil, c.dth)
				for i := range dz {
					jac[(at+j*nx+i)*dim+k] = s.a[j*nx+i] * dz[i]
				}
			}
			if !zero(s.a0) {
				s.init.JVP(dz, s.prob.T0, nil, c.th, 0, nil, c.dth)
				for i := range dz {
					if s.a0[i] != 0 {
						jac[(at+len(s.a)+i)*dim+k] = s.a0[i] * dz[i]
					}
				}
			}
			c.dth[v.index] = 0
		}
		at += len(s.a) + len(s.a0)
	}
	return firstBad(jac) < 0, nil
}

// startError tells what is not finite at the start.
func (c *collocation) startError(_ context.Context, bad *NonFiniteStart) error {
	m := &MethodError{Method: "collocation", Reason: c.broken, Help: "start from other parameters, or match what keeps the equations finite, such as `scale = log` for what must be positive"}
	if bad.Gradient {
		m.Reason = fmt.Sprintf("the derivative of the slopes by %s is not finite", c.trial.vars[bad.Index].name)
	}
	return &StartError{Loss: bad.Value, Row: -1, Method: m}
}
