package train

import (
	"context"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

var (
	_ phase = (*trial)(nil)
	_ Parts = (*trial)(nil)
)

// trial is the loss of a model as a function of the optimiser's variables: the sum over its trajectories, which are
// solved on all cores. The reason of the last failure is kept.
type trial struct {
	about   plan
	prob    solve.Problem // of the first trajectory; Theta is the trial's own, what is shared
	loss    sens.Loss     // of the first trajectory
	data    *DataLoss     // loss, when it compares with data
	tr      []*trajectory
	homes   []*trajectory // whose own the variables are, by their number: tr, but for what a part of the data leaves out
	vars    []variable
	shared  []int // the variables that all trajectories share
	forward bool
	by      *gradients // how gradients are computed, where it is neither forward sensitivities nor the discrete adjoint; nil otherwise

	batch   *batches     // nil: always all data
	partial bool         // the next evaluation looks at a batch
	noise   []*deviation // standard deviations that are estimated
	hold    bool         // they stay as they are
	res     []float64
	resOf   []*deviation
	legs    []leg // what the next evaluation looks at
	crew
	ends  []end // of the trajectories' solves, as least squares
	first []int // row of residuals of each

	at     int             // the trajectory that these are of
	fault  *solve.Fault    // why the last solve stopped early
	value  *ValueError     // what made the last loss infinite
	spoilt *sens.NonFinite // where the last gradient ceased to be finite
}

// newTrial is the trial of one trajectory.
func newTrial(p solve.Problem, loss sens.Loss, vars []variable, forward bool) *trial {
	d, _ := loss.(*DataLoss)
	t := newTrialOver(p.Theta, []*trajectory{{prob: p, data: d}}, vars, forward)
	t.loss = loss
	return t
}

// newTrialOver is the trial of several, whose own variables are among vars; th is what they share, and becomes the trial's own.
func newTrialOver(th []float64, tr []*trajectory, vars []variable, forward bool) *trial {
	t := &trial{prob: tr[0].prob, data: tr[0].data, tr: tr, homes: tr, vars: vars, forward: forward}
	t.prob.Theta = th
	if t.data != nil {
		t.loss = t.data
	}
	var wrt []int
	for k, v := range vars {
		if !v.own {
			t.shared = append(t.shared, k)
			wrt = append(wrt, v.index)
		}
	}
	for _, x := range tr {
		x.wrt = wrt[:len(wrt):len(wrt)]
		for _, k := range x.own {
			x.wrt = append(x.wrt, vars[k].index)
		}
	}
	t.noise = estimate(tr)
	t.all()
	return t
}

// all makes the next evaluation one of all data.
func (t *trial) all() {
	t.legs = t.legs[:0]
	for k, tr := range t.tr {
		l := leg{tr: k}
		if tr.data != nil {
			l.hi = len(tr.data.data.Times)
		}
		t.legs = append(t.legs, l)
	}
}

// Iteration implements Parts.
func (t *trial) Iteration(stage, iter int) bool {
	if t.batch == nil {
		return false
	}
	if t.partial = iter > 0; !t.partial {
		t.all()
		return false
	}
	t.legs = t.batch.choose(t.legs[:0], t.tr, stage, iter)
	return true
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

// with is the trial over other data: tr are, in their order, its trajectories with other losses, or some of them. The variables are
// the same; on those of a trajectory that is left out nothing depends.
func (t *trial) with(tr []*trajectory) *trial {
	o := newTrialOver(t.prob.Theta, tr, t.vars, t.forward)
	if tr[0].data == nil {
		o.loss = t.loss
	}
	o.homes = t.homes
	o.threads, o.by, o.hold = t.threads, t.by, t.hold
	return o
}

// value1 is a variable's value as it stands in θ.
func (t *trial) value1(v *variable) float64 {
	if v.own {
		return t.homes[v.of].value[v.at]
	}
	return t.prob.Theta[v.index]
}

// begin starts where θ stands.
func (t *trial) begin(context.Context) []float64 { return t.start() }

// start is where a training begins: the parameters as they stand. What a phase before has driven to a bound is moved inside, or its slope
// there, which is 0, would keep it for ever.
func (t *trial) start() []float64 {
	u := make([]float64, len(t.vars))
	for k := range t.vars {
		v := &t.vars[k]
		th, _ := v.Inside(t.value1(v))
		u[k] = v.Inverse(th)
	}
	return u
}

// here is u of the parameters as they stand, infinite at a bound.
func (t *trial) here() []float64 {
	u := make([]float64, len(t.vars))
	for k := range t.vars {
		v := &t.vars[k]
		u[k] = v.Inverse(t.value1(v))
	}
	return u
}

// set writes θ(u), shared and of the trajectories; it is false where that is not finite.
func (t *trial) set(u []float64) bool {
	ok := true
	for k := range t.vars {
		v := &t.vars[k]
		th := v.Value(u[k])
		if v.own {
			t.homes[v.of].value[v.at] = th
		} else {
			t.prob.Theta[v.index] = th
		}
		ok = ok && th-th == 0
	}
	return ok
}

// without is the trial with one variable fewer, which is held at value; the others start from start, which has all of them. It writes
// nothing of this trial.
func (t *trial) without(k int, value float64, start []float64) *trial {
	th := slices.Clone(t.prob.Theta)
	tr := make([]*trajectory, len(t.tr))
	for i, x := range t.tr {
		c := *x
		c.value, c.own = slices.Clone(x.value), nil
		tr[i] = &c
	}
	var vars []variable
	for i, v := range t.vars {
		to := value
		if i != k {
			to, _ = v.Inside(start[i])
		}
		if v.own {
			tr[v.of].value[v.at] = to
		} else {
			th[v.index] = to
		}
		if i == k {
			continue
		}
		if v.own {
			tr[v.of].own = append(tr[v.of].own, len(vars))
		}
		vars = append(vars, v)
	}
	o := newTrialOver(th, tr, vars, t.forward)
	o.threads = t.threads
	return o
}

// theta is θ of a trajectory, where it stands.
func (t *trial) theta(tr *trajectory) []float64 {
	th := append([]float64(nil), t.prob.Theta...)
	tr.write(th)
	return th
}

// Eval implements Objective.
func (t *trial) Eval(ctx context.Context, u, g []float64) (float64, error) {
	t.at, t.fault, t.value, t.spoilt = 0, nil, nil, nil
	if !t.set(u) {
		return math.Inf(1), nil
	}
	// All trajectories are solved once more for these: the loss of each needs those of all, and the gradient may come from other steps.
	if len(t.noise) > 0 && !t.partial && !t.hold {
		if ok, err := t.scales(ctx, u); !ok || err != nil {
			return math.Inf(1), err
		}
	}
	t.divide()
	n := t.run(ctx, t, u, g)
	f := 0.0
	for k := range t.sums[:n] {
		p := &t.sums[k]
		if p.err != nil {
			return math.NaN(), p.err
		}
		f += p.f
		if p.fault != nil || p.value != nil || f-f != 0 {
			t.at, t.fault, t.value = p.at, p.fault, p.value
			return f, nil
		}
		if p.spoilt != nil && t.spoilt == nil {
			t.at, t.spoilt = p.at, p.spoilt
		}
	}
	if g == nil {
		return f, nil
	}
	for i, k := range t.shared {
		d := 0.0
		for j := range t.sums[:n] {
			d += t.sums[j].g[i]
		}
		if g[k] = d; d != 0 { // where it is 0 the slope may be infinite
			g[k] *= t.vars[k].Slope(u[k])
		}
	}
	return f, nil
}

// divide says to each loss what a mean is over: the values of all legs. A sum over a part of the data is extrapolated to all of them, so that a
// batch's loss has the size of the whole.
func (t *trial) divide() {
	if t.data == nil {
		return
	}
	n, all := 0, 0
	for _, l := range t.legs {
		n += t.tr[l.tr].data.window(l.lo, l.hi)
	}
	if t.batch != nil {
		for _, tr := range t.tr {
			all += tr.data.n
		}
	}
	for _, l := range t.legs {
		d := t.tr[l.tr].data
		if d.over(n); !d.pen.Mean && t.batch != nil {
			d.div = float64(n) / float64(all)
		}
	}
}
