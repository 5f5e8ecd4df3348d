package sens

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
)

// The differences are central ones, extrapolated once: with D(h) = (L(θ+h) − L(θ−h))/2h the
// derivative is (4 D(h/2) − D(h))/3 + O(h⁴).
//
// L. F. Richardson, The approximate arithmetical solution by finite differences of physical
// problems involving differential equations, Philosophical Transactions of the Royal Society A
// 210 (1911), 307–357.

// stepFraction is the step relative to the parameter. The error of the differences, h⁴, and that of
// rounding, ε/h, balance at ε^(1/5) ≈ 7e-4; a loss that bends sharply wants a smaller one.
const stepFraction = 3e-4

// smallTheta is the magnitude below which a parameter's step no longer shrinks with it.
const smallTheta = 1e-2

// FiniteDifferences computes the gradient of a loss by differences: four solves for each entry
// of wrt (nil: all of θ but switches), over the steps of one solve, so that the step-size control adds no
// noise and the result is comparable with the discrete adjoint to about nine digits whatever the
// tolerance. Where steps cannot be repeated, those of ROCK2, of Adams methods, of a RadauIIA5 of any order and of runs that an event stops, each solve chooses its own at a
// thousandth of the tolerance, and the digits are those that this leaves. Initial values that a constraint ties are moved to the nearest that satisfy it, as by the other
// methods. The results mean what those of Forward mean; a solve that does not come to its end, however small the difference, is an error.
func FiniteDifferences(ctx context.Context, p *solve.Problem, loss Loss, wrt []int, g []float64) (float64, *solve.Solution, error) {
	return Differences(ctx, p, loss, wrt, g, nil)
}

// Differences is FiniteDifferences that also says, in apart, unless it is nil, by how much the differences of two steps disagree, or those to either side, for each entry of g. Where that
// is no small part of the derivative the loss is not smooth there: it jumps, or bends, at these values or very near, as where an output stands at the time of an event.
func Differences(ctx context.Context, p *solve.Problem, loss Loss, wrt []int, g, apart []float64) (float64, *solve.Solution, error) {
	q, err := prepare(p, loss)
	if err != nil {
		return 0, nil, err
	}
	idx, err := checkWrt(q.Sys, wrt)
	if err != nil {
		return 0, nil, err
	}
	want := len(idx)
	if wrt == nil {
		want = q.Sys.NTheta
	}
	if len(g) != want || apart != nil && len(apart) != want {
		return 0, nil, fmt.Errorf("the gradient has room for %d of %d parameters", len(g), want)
	}
	clear(g)
	clear(apart)
	q.NoDense = false
	sol, err := solve.Solve(ctx, &q)
	if err != nil {
		return 0, nil, err
	}
	if ok, err := complete(sol, len(q.Times)); !ok {
		return failed, sol, err
	}
	value, err := evaluate(loss, sol, sol.Events, q.Theta, nil, nil, nil)
	if err != nil || value-value != 0 {
		return value, sol, err
	}
	d := differ{ctx: ctx, q: q, loss: loss, th: append([]float64(nil), q.Theta...)}
	d.q.Step, d.q.NoDense, d.q.Progress, d.q.Nearest = 0, true, nil, true
	m := sol.EngineMethod()
	unsteady := m != nil && sol.MeshEngine() != nil && unrepeatable[m.Info().Family]
	if r, ok := m.(*method.Radau); ok {
		unsteady = r.Varies
	}
	if unsteady || sol.Status == solve.Stopped {
		// Steps that rest on those before and on an order, or on a number of stages, cannot be repeated, nor those to an end that moves; smaller ones are as good
		// as smooth.
		d.tighten()
	} else {
		d.q.Mesh, d.q.MeshEngine, d.q.MeshOrders = sol.Mesh(), sol.MeshEngine(), sol.MeshOrders()
	}
	d.q.Theta = d.th
	d.here = value
	if apart != nil && d.q.Mesh == nil && len(idx) > 0 {
		if d.here, err = d.at(idx[0], d.th[idx[0]]); err != nil {
			return value, sol, err
		}
	}
	flag := map[int]bool{}
	for _, i := range switches(q.Sys) {
		flag[i] = true
	}
	for n, i := range idx {
		if flag[i] {
			continue
		}
		v, off, err := d.derivative(i)
		if err != nil {
			return value, sol, err
		}
		if wrt == nil {
			n = i
		}
		g[n] = v
		if apart != nil {
			apart[n] = off
		}
	}
	return value, sol, checkGradient(q.Sys, g, wrt, math.NaN())
}

// unrepeatable are the families whose steps are more than their ends and a method.
var unrepeatable = map[method.Family]bool{method.ExplicitMultistep: true, method.Stabilised: true}

// tighter is a tolerance for differences of solves: a thousandth, as far as rounding lets it.
func tighter(tol, otherwise float64) float64 {
	if tol == 0 {
		tol = otherwise
	}
	return max(tol*1e-3, min(tol, 1e-13))
}

// moreSteps is how many times as many steps a thousandth of the tolerance may take: with an error of order 2, hardly more than 30.
const moreSteps = 100

// tighten makes smaller steps.
func (d *differ) tighten() {
	q := &d.q
	q.Rtol, q.Atol = tighter(q.Rtol, solve.DefaultRtol), tighter(q.Atol, solve.DefaultAtol)
	q.AtolVec = slices.Clone(q.AtolVec)
	for i, a := range q.AtolVec {
		q.AtolVec[i] = tighter(a, a)
	}
	if q.MaxSteps == 0 {
		q.MaxSteps = solve.DefaultMaxSteps
	}
	q.MaxSteps *= moreSteps
}

// differ evaluates the loss along the frozen steps.
type differ struct {
	ctx    context.Context
	q      solve.Problem
	loss   Loss
	th     []float64
	ws     solve.Workspace
	failed *solve.Fault // of the solve that failed last
	here   float64      // the loss at θ
}

func (d *differ) at(i int, v float64) (float64, error) {
	was := d.th[i]
	d.th[i] = v
	defer func() { d.th[i] = was }()
	sol, err := d.ws.Solve(d.ctx, &d.q)
	if err != nil {
		return 0, err
	}
	switch sol.Status {
	case solve.Done, solve.Stopped:
		if ok, err := complete(sol, len(d.q.Times)); !ok {
			return failed, err
		}
		return evaluate(d.loss, sol, sol.Events, d.th, nil, nil, nil)
	case solve.Cancelled:
		return 0, context.Cause(d.ctx)
	}
	d.failed = sol.Fault
	return failed, nil
}

// sharp is the part of a derivative by which the differences of two steps may disagree before shorter steps are tried.
const sharp = 1e-7

// derivative is that by θ_i, and by how much differences disagree.
func (d *differ) derivative(i int) (v, apart float64, err error) {
	th := d.th[i]
	h := stepFraction * max(math.Abs(th), smallTheta)
	d.failed = nil
	for range 4 {
		if v, apart, err = d.richardson(i, h); err != nil || v-v == 0 {
			break
		}
		// A trial failed: the parameter stands near the edge of what is possible.
		h /= 100
	}
	if err == nil && v-v == 0 && apart > sharp*math.Abs(v) {
		// The loss bends within the step, or steps over something: first the parameter's own size counts, small as it may be, then shorter steps.
		steps := []float64{h / 10, h / 100, h / 1000}
		if small := stepFraction * math.Abs(th); small > 0 && small < h {
			steps = append([]float64{small}, steps...)
		}
		for _, h := range steps {
			v2, apart2, err2 := d.richardson(i, h)
			if errors.Is(err2, context.Canceled) || errors.Is(err2, context.DeadlineExceeded) {
				return 0, 0, err2
			}
			if err2 == nil && v2-v2 == 0 && apart2 < apart {
				v, apart = v2, apart2
			}
			if apart <= sharp*math.Abs(v) {
				break
			}
		}
	}
	if err == nil && v-v != 0 && d.failed != nil {
		return 0, 0, &DifferenceError{Name: thetaName(d.q.Sys, i), By: 100 * h, Fault: d.failed}
	}
	return v, apart, err
}

// DifferenceError is that of a difference whose solves do not come to their end.
type DifferenceError struct {
	Name  string  // the parameter
	By    float64 // by how little it was changed last
	Fault *solve.Fault
}

func (e *DifferenceError) Error() string {
	return fmt.Sprintf("the difference by %s cannot be taken: with it changed by no more than %.3g the solution stops: %v", e.Name, e.By, e.Fault)
}

// Unwrap is why the solution stops.
func (e *DifferenceError) Unwrap() error { return e.Fault }

// richardson is the extrapolated difference of step h, and by how much the two differ that it is made of; or those to the right and to the left, where these do not come nearer to each
// other with half the step: central differences do not see a bend that they stand on.
func (d *differ) richardson(i int, h float64) (v, apart float64, err error) {
	th := d.th[i]
	var f [4]float64
	for n, s := range [...]float64{h, -h, h / 2, -h / 2} {
		if f[n], err = d.at(i, th+s); err != nil {
			return 0, 0, err
		}
	}
	wide := (f[0] - f[1]) / ((th + h) - (th - h))
	near := (f[2] - f[3]) / ((th + h/2) - (th - h/2))
	apart = math.Abs(near - wide)
	far, close := math.Abs(f[0]-d.here-(d.here-f[1]))/h, math.Abs(f[2]-d.here-(d.here-f[3]))/(h/2)
	if close > 0.75*far {
		apart = max(apart, close)
	}
	return (4*near - wide) / 3, apart, nil
}
