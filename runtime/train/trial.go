package train

import (
	"context"
	"errors"
	"math"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

var _ phase = (*trial)(nil)

// trial is the loss of a model as a function of the optimiser's variables. Evaluations share one
// workspace, and the reason of the last failure is kept.
type trial struct {
	about   plan
	prob    solve.Problem // Theta is the trial's own
	loss    sens.Loss
	data    *DataLoss // loss, when it compares with data
	vars    []variable
	wrt     []int
	forward bool
	ws      sens.Workspace
	g       []float64

	fault  *solve.Fault    // why the last solve stopped early
	value  *ValueError     // what made the last loss infinite
	spoilt *sens.NonFinite // where the last gradient ceased to be finite
}

func newTrial(p solve.Problem, loss sens.Loss, vars []variable, forward bool) *trial {
	t := &trial{prob: p, loss: loss, vars: vars, forward: forward}
	t.data, _ = loss.(*DataLoss)
	n := p.Sys.NTheta
	if forward {
		n = len(vars)
	}
	t.g = make([]float64, n)
	for _, v := range vars {
		t.wrt = append(t.wrt, v.index)
	}
	return t
}

// Dim implements Objective.
func (t *trial) Dim() int { return len(t.vars) }

func (t *trial) plan() *plan { return &t.about }

func (t *trial) decay() []bool { return decayOf(t.vars) }

func decayOf(vars []variable) []bool {
	d := make([]bool, len(vars))
	for k, v := range vars {
		d[k] = v.weight
	}
	return d
}

// start is u of the parameters as they stand.
func (t *trial) start() []float64 {
	u := make([]float64, len(t.vars))
	for k, v := range t.vars {
		u[k] = v.Inverse(t.prob.Theta[v.index])
	}
	return u
}

// set writes θ(u); it is false where that is not finite.
func (t *trial) set(u []float64) bool {
	ok := true
	for k := range t.vars {
		v := t.vars[k].Value(u[k])
		t.prob.Theta[t.vars[k].index] = v
		ok = ok && v-v == 0
	}
	return ok
}

// Eval implements Objective.
func (t *trial) Eval(ctx context.Context, u, g []float64) (float64, error) {
	t.fault, t.value, t.spoilt = nil, nil, nil
	if !t.set(u) {
		return math.Inf(1), nil
	}
	var f float64
	var sol *solve.Solution
	var err error
	switch {
	case g == nil:
		f, sol, err = t.ws.Value(ctx, &t.prob, t.loss)
	case t.forward:
		f, sol, err = sens.Forward(ctx, &t.prob, t.loss, t.wrt, t.g)
	default:
		f, sol, err = t.ws.Adjoint(ctx, &t.prob, t.loss, t.g)
	}
	if err != nil && !errors.As(err, &t.spoilt) {
		return math.NaN(), err
	}
	if !sol.Status.Ended() {
		if sol.Status == solve.Cancelled && ctx.Err() != nil {
			return math.NaN(), ctx.Err()
		}
		t.fault = sol.Fault
		return math.Inf(1), nil
	}
	if t.data != nil {
		t.value = t.data.Failure()
	}
	if f-f != 0 || g == nil {
		return f, nil
	}
	// A derivative that is not finite by something that is not free does no harm: x^n by a
	// constant n, where x is 0.
	for k := range t.vars {
		v := &t.vars[k]
		d := t.g
		at := v.index
		if t.forward {
			at = k
		}
		if d[at] == 0 {
			g[k] = 0 // though the slope may be infinite
			continue
		}
		g[k] = d[at] * v.Slope(u[k])
	}
	return f, nil
}
