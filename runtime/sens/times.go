package sens

import (
	"context"
	"fmt"

	"github.com/udl-lang/udl/runtime/solve"
)

// Recorded is a Loss that keeps its last derivatives by the states at the output times, as ByOutputTimes needs them.
type Recorded struct {
	Loss
	gx []float64
}

var _ EventLoss = (*Recorded)(nil)

// Recording makes a loss keep them. It is an EventLoss whatever the loss is.
func Recording(loss Loss) *Recorded { return &Recorded{Loss: loss} }

// Events implements EventLoss.
func (r *Recorded) Events(t, gt []float64) error {
	if e, ok := r.Loss.(EventLoss); ok {
		return e.Events(t, gt)
	}
	clear(gt)
	return nil
}

// Eval implements Loss.
func (r *Recorded) Eval(x, th, gx, gth []float64) (float64, error) {
	v, err := r.Loss.Eval(x, th, gx, gth)
	if gx != nil {
		r.gx = append(r.gx[:0], gx[:len(x)]...)
	}
	return v, err
}

// TimedLoss is a Loss that reads the output times themselves.
type TimedLoss interface {
	Loss
	// ByTimes are the derivatives by the output times, with the states there held fixed, as the last Eval found them that was given gx; nil for none. Read only.
	ByTimes() []float64
}

// UnsolvedError says that a solve that was repeated for a derivative did not come to its end.
type UnsolvedError struct{ Sol *solve.Solution }

func (e *UnsolvedError) Error() string {
	return fmt.Sprintf("the solve that the derivatives by output times repeat stops at t = %.6g: %s", e.Sol.TEnd, e.Sol.Status)
}

// Unwrap is why it stops.
func (e *UnsolvedError) Unwrap() error {
	if e.Sol.Fault == nil {
		return nil
	}
	return e.Sol.Fault
}

// ByOutputTimes gives the derivatives of a loss by its output times: ∂L/∂x(t_i)·x'(t_i), and what it depends on t_i itself. sol is the solution of p that a gradient of the
// recorded loss returned. At the time of an event the output is the state after it, and so is x'. They are the same for all gradient methods, since x' is that of the equations.
func ByOutputTimes(ctx context.Context, p *solve.Problem, sol *solve.Solution, loss *Recorded) ([]float64, error) {
	sys, times := p.Sys, loss.Times()
	if len(loss.gx) != len(times)*sys.NX {
		return nil, refuse("the loss has no derivatives by its outputs, so that it has none by their times")
	}
	q := *p
	if q.Theta == nil {
		q.Theta = sys.Defaults()
	}
	q.Checkpoints = nil
	if len(sys.Jumps) > 0 && (!sol.Frozen() || sol.Stats.Checkpoints > 0) {
		// What held where is kept with the steps only.
		q.Times = times
		var err error
		if sol, err = solve.Solve(ctx, &q); err != nil {
			return nil, err
		}
		if ok, err := complete(sol, len(times)); err != nil {
			return nil, err
		} else if !ok {
			if err := context.Cause(ctx); err != nil {
				return nil, err
			}
			return nil, &UnsolvedError{sol}
		}
	}
	rtol, atol := tolerances(&q)
	out, slope := make([]float64, len(times)), make([]float64, sys.NX)
	dir := 1.0
	if p.T1 < p.T0 {
		dir = -1
	}
	var buf []float64
	step := 0
	for i, t := range times {
		gx := loss.gx[i*sys.NX : (i+1)*sys.NX]
		if zero(gx) {
			continue
		}
		th := q.Theta
		if sol.Frozen() {
			for step+1 < sol.NumSteps() && (sol.StepRecord(step+1).T-t)*dir <= 0 {
				step++
			}
			buf = sol.StepTheta(step, buf)
			th = buf
		}
		if err := solve.Slope(sys, t, sol.Row(i), th, rtol, atol, slope); err != nil {
			return nil, underived(&q, err, "output-time")
		}
		out[i] = dot(gx, slope)
	}
	if l, ok := loss.Loss.(TimedLoss); ok {
		if by := l.ByTimes(); len(by) == len(out) {
			add(out, 1, by)
		}
	}
	return out, nil
}
