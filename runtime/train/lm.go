package train

import (
	"context"
	"fmt"
	"math"
)

// Levenberg and Marquardt's method for sums of squares, with geodesic acceleration: a Gauss–Newton step,
// damped so that the linear model is believed near by only, bent by the second derivative of the
// residuals along it.
//
// K. Levenberg, Quarterly of Applied Mathematics 2 (1944), 164–168; D. W. Marquardt, SIAM Journal on
// Applied Mathematics 11 (1963), 431–441; J. J. Moré, The Levenberg–Marquardt algorithm:
// implementation and theory, Lecture Notes in Mathematics 630 (1978), 105–116, for the scaling by the
// longest columns so far (Fletcher's, made monotone) and the triangular solves; M. K. Transtrum,
// B. B. Machta, J. P. Sethna, Geometry of nonlinear least squares with applications to sloppy models
// and optimization, Physical Review E 83 (2011), 036701, and M. K. Transtrum, J. P. Sethna, Improvements
// to the Levenberg–Marquardt algorithm for nonlinear least-squares minimization, arXiv:1201.5885 (2012),
// for the acceleration, its bound, and damping that falls faster than it rises (delayed gratification).
// The growth of the damping over rejections in a row is H. B. Nielsen's (Technical University of
// Denmark, report IMM-REP-1999-05).

// LeastSquares is an Objective whose value is a sum of squares of residuals.
type LeastSquares interface {
	Objective
	// Squares is the number of residuals; where there are none since the objective is no sum of
	// squares, why says so.
	Squares() (rows int, why string)
	// Residuals writes r(u) into r, whose squares sum to the value. It is not ok for a trial that fails.
	Residuals(ctx context.Context, u, r []float64) (ok bool, err error)
	// Jacobian writes ∂r/∂u, rows × Dim, row by row, into j. It is not ok for a trial that fails.
	Jacobian(ctx context.Context, u, j []float64) (ok bool, err error)
}

// Shifted is a LeastSquares whose value is more than its sum of squares by a constant.
type Shifted interface{ Offset() float64 }

const (
	dampStart = 1e-3
	dampFall  = 1.0 / 5 // after a step that is taken
	dampRise  = 2.0     // after one that is not, doubled for each more in a row
	dampMost  = 1e16    // beyond which a step is too short to matter
	dampLeast = 1e-16
	// geoStep is the share of the step at which the second derivative is measured, geoBound how long
	// the acceleration may be, in halves of the step's length.
	geoStep, geoBound = 0.1, 0.75
	// geoLeast is the change relative to the variables below which the path is straight, and what
	// is measured of its bend is the solver's noise.
	geoLeast = 1e-3
	// exact is the share of the first sum that is its rounding.
	exact = 1e-26
	// noise is the share of the sum below which a gain that is promised and not had is the solver's noise.
	noise = 1e-10
	// maxJacobian is how many entries ∂r/∂u may have: 800 MB.
	maxJacobian = 100_000_000
)

type lm struct {
	r    *run
	obj  LeastSquares
	m, n int

	u, res, jac, g []float64 // where it stands
	d              []float64 // longest columns of the Jacobian so far
	f, damp        float64
	first          float64 // the sum at the start
	shift          float64 // of the value against the sum

	q, tri, rhs     []float64 // the Jacobian's triangle, n × n by columns, and Qᵀ r
	work            []float64
	v, a, trial, rt []float64
	aug, augRHS     []float64
}

func runLM(r *run, s *Stage) (Status, error) {
	obj, ok := r.obj.(LeastSquares)
	why := "the loss is no sum of squares"
	rows := 0
	if ok {
		rows, why = obj.Squares()
	}
	switch {
	case rows == 0:
		return Done, &OptionError{Optimiser: "lm", Reason: why + "; take lbfgs"}
	case float64(rows)*float64(r.n) > maxJacobian:
		return Done, &OptionError{Optimiser: "lm", Reason: fmt.Sprintf("its matrix of %d residuals by %d variables would not fit in memory; take lbfgs", rows, r.n)}
	}
	l := newLM(r, obj, rows)
	gtol, ftol := s.value("gtol"), s.value("ftol")
	if c, ok := r.obj.(Shifted); ok {
		l.shift = c.Offset()
	}
	flat := 0
	made, err := r.keep(func(b *ledger) {
		b.vec("u", l.u)
		b.vec("g", l.g)
		b.vec("residuals", l.res)
		b.vec("jacobian", l.jac)
		b.vec("scale", l.d)
		b.num("f", &l.f)
		b.num("first", &l.first)
		b.num("damping", &l.damp)
		b.whole("flat", &flat)
	})
	if err != nil {
		return Done, err
	}
	if made == 0 {
		r.toBest(l.u, l.g)
		if ok, err := l.begin(); err != nil || !ok {
			return NoProgress, err
		}
		l.first = l.f
	}
	for it := made + 1; ; it++ {
		switch {
		case flat >= flatIters && ftol > 0 || l.f <= exact*l.first:
			return Converged, nil
		case it > s.Iters():
			return Done, nil
		}
		// What the linear model can gain at most, as a share of the sum: the squared cosine of the
		// angle between the residuals and the surface of what the model can give.
		offset := l.factor() / l.f
		if !(offset > gtol*gtol) {
			return Converged, nil
		}
		f0 := l.f
		step, status, err := l.step(offset)
		if err != nil || step == 0 {
			return status, err
		}
		if f0-l.f > ftol*math.Abs(l.f) {
			flat = 0
		} else {
			flat++
		}
		if err := r.note(Point{Iter: it, Loss: l.f + l.shift, GradNorm: norm2(l.g), Rate: step}, l.u); err != nil {
			return Cancelled, err
		}
	}
}

func newLM(r *run, obj LeastSquares, m int) *lm {
	n := r.n
	l := &lm{r: r, obj: obj, m: m, n: n, damp: dampStart}
	for _, v := range []*[]float64{&l.u, &l.g, &l.d, &l.rhs, &l.v, &l.a, &l.trial} {
		*v = make([]float64, n)
	}
	for _, v := range []*[]float64{&l.res, &l.rt} {
		*v = make([]float64, m)
	}
	l.jac, l.q, l.tri = make([]float64, m*n), make([]float64, m*n), make([]float64, n*n)
	l.aug, l.augRHS, l.work = make([]float64, 2*n*n), make([]float64, 2*n), make([]float64, m)
	return l
}

// begin computes residuals and Jacobian at the start.
func (l *lm) begin() (bool, error) {
	f, err := l.value(l.u, l.res)
	if err != nil || math.IsInf(f, 1) {
		return false, err
	}
	return l.moveTo(l.u, f)
}

// value is the sum of squares at u, +Inf for a failed trial.
func (l *lm) value(u, res []float64) (float64, error) {
	if err := l.r.ctx.Err(); err != nil {
		return math.NaN(), err
	}
	l.r.evals++
	ok, err := l.obj.Residuals(l.r.ctx, u, res)
	if err != nil {
		return math.Inf(1), err
	}
	f := math.Inf(1)
	if ok {
		if f = dot(res, res); f-f == 0 {
			return f, nil
		}
	}
	l.r.fail(f, -1)
	return math.Inf(1), nil
}

// moveTo makes u the point, with the residuals in res and the value f, if the Jacobian there is finite.
func (l *lm) moveTo(u []float64, f float64) (bool, error) {
	if err := l.r.ctx.Err(); err != nil {
		return false, err
	}
	l.r.evals++
	ok, err := l.obj.Jacobian(l.r.ctx, u, l.q) // q is free between factorisations
	if err != nil {
		return false, err
	}
	if !ok {
		l.r.fail(math.Inf(1), -1)
		return false, nil
	}
	if i := firstBad(l.q); i >= 0 {
		l.r.fail(f, i%l.n)
		return false, nil
	}
	copy(l.jac, l.q)
	copy(l.u, u)
	l.f = f
	clear(l.g)
	for i, v := range l.res {
		axpy(l.g, 2*v, l.jac[i*l.n:(i+1)*l.n])
	}
	l.r.seen(f+l.shift, l.u, l.g)
	return true, nil
}

// factor brings the Jacobian into triangular form, lengthens the scales, and gives |Q₁ᵀ r|², what a linear model could gain.
func (l *lm) factor() float64 {
	m, n := l.m, l.n
	for i := range m { // by columns, which the reflections run along
		for j, v := range l.jac[i*n : (i+1)*n] {
			l.q[j*m+i] = v
		}
	}
	for j := range n {
		l.d[j] = math.Max(l.d[j], norm2(l.q[j*m:(j+1)*m]))
	}
	copy(l.work, l.res)
	householder(l.q, m, n, l.work)
	clear(l.tri)
	clear(l.rhs)
	for j := range n {
		copy(l.tri[j*n:j*n+min(j+1, m)], l.q[j*m:])
	}
	copy(l.rhs, l.work[:min(m, n)])
	gain := 0.0
	for j, v := range l.rhs {
		// A column that depends on those before it leaves a direction of rounding.
		if math.Abs(l.tri[j*n+j]) > 1e-10*l.d[j] {
			gain += v * v
		}
	}
	return gain
}

// stationary says that the residuals are at right angles to what each variable changes of them.
func (l *lm) stationary() bool {
	for j, g := range l.g {
		if math.Abs(g) > 2*1e-6*l.scale(j)*math.Sqrt(l.f) {
			return false
		}
	}
	return true
}

// scale of variable j; one that nothing depends on must not make the system singular.
func (l *lm) scale(j int) float64 {
	if l.d[j] > 0 {
		return l.d[j]
	}
	return 1
}

// step raises the damping until a step lowers the sum, takes it, and gives its damping; 0 where there is
// none, with how that counts.
func (l *lm) step(offset float64) (float64, Status, error) {
	rise := dampRise
	for {
		f, err := l.try()
		if err != nil {
			return 0, Cancelled, err
		}
		if f < l.f {
			// The residuals of the trial become those of the point, unless its Jacobian fails.
			l.res, l.rt = l.rt, l.res
			ok, err := l.moveTo(l.trial, f)
			if err != nil {
				return 0, Cancelled, err
			}
			if ok {
				used := l.damp
				l.damp = math.Max(l.damp*dampFall, dampLeast)
				return used, Done, nil
			}
			l.res, l.rt = l.rt, l.res
		}
		if offset <= noise {
			return 0, Converged, nil
		}
		l.damp *= rise
		rise *= 2
		if l.damp > dampMost {
			if l.stationary() {
				return 0, Converged, nil
			}
			return 0, NoProgress, nil
		}
	}
}

// try writes the damped step from the point into trial and its residuals into rt, and gives the value
// there: +Inf where the solve fails or the bend is too strong to be believed.
func (l *lm) try() (float64, error) {
	n := l.n
	l.solve(l.v, l.rhs)
	change, size := 0.0, 0.0
	for j := range n {
		d := l.scale(j)
		change += d * l.v[j] * d * l.v[j]
		size += d * l.u[j] * d * l.u[j]
	}
	if !(change > 0) || math.IsInf(change, 0) {
		return math.Inf(1), nil
	}
	clear(l.a)
	if change > geoLeast*geoLeast*size {
		ok, err := l.bend(change)
		if err != nil || !ok {
			return math.Inf(1), err
		}
	}
	for j := range n {
		l.trial[j] = l.u[j] + l.v[j] + l.a[j]/2
	}
	return l.value(l.trial, l.rt)
}

// bend computes the acceleration a: the damped solution for the second derivative of the residuals along v.
func (l *lm) bend(change float64) (bool, error) {
	n := l.n
	for j := range n {
		l.trial[j] = l.u[j] + geoStep*l.v[j]
	}
	f, err := l.value(l.trial, l.rt)
	if err != nil || math.IsInf(f, 1) {
		return false, err
	}
	// Jᵀ r_vv, then the triangle twice: (RᵀR + λD²) a = −Jᵀ r_vv.
	for i := range l.m {
		row := l.jac[i*n : (i+1)*n]
		axpy(l.a, 2/geoStep*((l.rt[i]-l.res[i])/geoStep-dot(row, l.v)), row)
	}
	n2 := 2 * n
	for j := range n { // Rᵀ y = Jᵀ r_vv, forwards; aug holds the damped triangle
		s := l.a[j]
		for k := range j {
			s -= l.aug[j*n2+k] * l.a[k]
		}
		l.a[j] = s / l.aug[j*n2+j]
	}
	back(l.aug, n2, n, l.a)
	long := 0.0
	for j := range n {
		l.a[j] = -l.a[j]
		long += l.scale(j) * l.a[j] * l.scale(j) * l.a[j]
	}
	return 4*long <= geoBound*geoBound*change, nil
}

// solve finds the v with least |R v + b|² + λ |D v|², and leaves the damped triangle in aug.
func (l *lm) solve(v, b []float64) {
	n, n2 := l.n, 2*l.n
	clear(l.aug)
	clear(l.augRHS)
	root := math.Sqrt(l.damp)
	for j := range n {
		copy(l.aug[j*n2:j*n2+n], l.tri[j*n:(j+1)*n])
		l.aug[j*n2+n+j] = root * l.scale(j)
		l.augRHS[j] = -b[j]
	}
	householder(l.aug, n2, n, l.augRHS)
	copy(v, l.augRHS[:n])
	back(l.aug, n2, n, v)
}

// householder reduces a, m × n by columns, to its triangle by reflections, and applies them to b.
func householder(a []float64, m, n int, b []float64) {
	for k := range min(m, n) {
		col := a[k*m+k : (k+1)*m]
		long := norm2(col)
		if long == 0 {
			continue
		}
		if col[0] > 0 {
			long = -long
		}
		// The reflection's vector is col − long e₁, divided by its first entry.
		top := col[0] - long
		for i := 1; i < len(col); i++ {
			col[i] /= top
		}
		tau := -top / long
		apply := func(x []float64) {
			s := x[0] + dot(col[1:], x[1:])
			s *= tau
			x[0] -= s
			axpy(x[1:], -s, col[1:])
		}
		col[0] = long
		for j := k + 1; j < n; j++ {
			apply(a[j*m+k : (j+1)*m])
		}
		apply(b[k:m])
		clear(col[1:])
	}
}

// back solves R x = b in place, R the upper triangle of an array of columns of length m.
func back(a []float64, m, n int, b []float64) {
	for j := n - 1; j >= 0; j-- {
		b[j] /= a[j*m+j]
		axpy(b[:j], -b[j], a[j*m:j*m+j])
	}
}
