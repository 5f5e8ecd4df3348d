package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/udl-lang/udl/runtime/sens"
)

// A fit is a sequence of phases, each an objective with a chain of optimisers. They share θ: a phase starts where the
// best point of the one before has left it.

// phase is one of them.
type phase interface {
	Objective
	// begin is u where θ stands now.
	begin(ctx context.Context) []float64
	// set writes θ(u); it is false where that is not finite.
	set(u []float64) bool
	// decay says which entries of u are weights of unknowns.
	decay() []bool
	// plan is what the phase is called and its chain.
	plan() *plan
	// startError tells why there is no finite value, or gradient, at the start.
	startError(ctx context.Context, bad *NonFiniteStart) error
}

// keeper is a phase with a state of its own that snapshots must hold.
type keeper interface{ state(*ledger) }

// skipper is a phase that may not be needed, after those before it.
type skipper interface{ needless() bool }

// ender is a phase that adds something to the report when it has ended, at u.
type ender interface {
	end(ctx context.Context, u []float64) string
}

// plan is what a phase is called and how it is trained.
type plan struct {
	method string // "shooting"
	title  string // "shooting to t = 1905"; the method's name where that says it all
	note   string // what the report adds
	stages []Stage
	chosen bool // by the fit, since none was given
}

// PhaseReport is how a phase ended.
type PhaseReport struct {
	Title        string  // "shooting to t = 1905"
	Loss         float64 // what it minimised, at its best point; losses of different phases do not compare
	Status       Status
	Iters, Evals int
	Elapsed      time.Duration
	Note         string // of collocation the curves: "x: spline with penalty 0.1, 7 degrees of freedom"; of multiple shooting the gap that is left; else ""
	Skipped      bool   // it was not needed, and nothing was done
}

// run runs the phases. The last that ran gives status and loss.
func (f *fitting) run(ctx context.Context) (*Minimum, []PhaseReport, error) {
	var all Minimum
	var done []PhaseReport
	resume, first := f.spec.Resume, 0
	if resume != nil {
		if first = resume.Phase; first < 0 || first >= len(f.phases) || len(resume.Done) != first {
			return nil, nil, &SnapshotError{fmt.Sprintf("it was taken in phase %d, there are %d", first+1, len(f.phases))}
		}
		done, all.History = slices.Clone(resume.Done), slices.Clone(resume.Before)
		for _, d := range done {
			all.Iters += d.Iters
			all.Evals += d.Evals
			all.Elapsed += d.Elapsed
		}
	}
	for k := first; k < len(f.phases); k++ {
		p := f.phases[k]
		plan := p.plan()
		if s, ok := p.(skipper); ok && k > first && s.needless() {
			done = append(done, PhaseReport{Title: plan.title, Loss: all.F, Status: Converged, Skipped: true})
			continue
		}
		if resume != nil && len(resume.Theta) == len(f.trial.prob.Theta) {
			copy(f.trial.prob.Theta, resume.Theta)
		}
		began := slices.Clone(f.trial.prob.Theta)
		u := p.begin(ctx)
		set := Settings{Decay: p.decay(), Resume: resume, Seed: f.spec.Seed + uint64(k)<<32, Failed: all.Failed,
			Why: func(bad *NonFiniteStart) string { return why(ctx, p, bad) }}
		if resume != nil {
			l := &ledger{from: append([]Array{}, resume.Kept...)}
			if f.state(p, l); l.err != nil {
				return nil, nil, l.err
			}
		}
		resume = nil
		if to := f.spec.Progress; to != nil {
			before, elapsed := all.Evals, all.Elapsed
			behind, ahead := f.itersBetween(0, k), f.itersBetween(k+1, len(f.phases))
			set.Progress = func(g Progress) {
				g.Phase, g.Phases, g.Method = k, len(f.phases), plan.title
				g.Evals += before
				g.Elapsed += elapsed
				g.Made += behind
				g.All += behind + ahead
				g.left(1)
				to(g)
			}
		}
		if to := f.spec.Snapshot; to != nil {
			before, behind := all.History, done
			set.Snapshot = func(s *Snapshot) {
				s.Phase, s.Done, s.Before, s.Theta = k, behind, before, began
				s.Values = func() []float64 {
					p.set(s.Best)
					return f.trial.prob.Theta
				}
				var l ledger
				f.state(p, &l)
				s.Kept = l.out
				to(s)
			}
		}
		if f.spec.Patience > 0 && k == len(f.phases)-1 {
			set.Held, set.Patience = f.heldLoss(), f.spec.Patience
		}
		if r := set.Resume; r != nil && plan.chosen && r.Stage < 2 && r.Optimiser != plan.stages[min(r.Stage, len(plan.stages)-1)].Optimiser.Name {
			plan.stages = DefaultStages() // those chosen were refused then
		}
		obj := f.objective(p)
		m, err := Minimise(ctx, obj, u, plan.stages, set)
		if refused := (*sens.RefusedError)(nil); plan.chosen && errors.As(err, &refused) && plan.stages[0].Optimiser.Squares {
			// The residuals have no derivative here, though their sum may.
			plan.stages = DefaultStages()
			m, err = Minimise(ctx, obj, u, plan.stages, set)
		}
		var bad *NonFiniteStart
		if errors.As(err, &bad) {
			err = p.startError(ctx, bad)
			if e := (*StartError)(nil); k > 0 && errors.As(err, &e) {
				e.Phase, e.After = plan.title, f.phases[k-1].plan().title
			}
		}
		if err != nil {
			return nil, nil, err
		}
		p.set(m.U)
		note := plan.note
		if e, ok := p.(ender); ok {
			at := ctx
			if m.Status == Cancelled { // where it stands is still to be told
				at = context.WithoutCancel(ctx)
			}
			note = e.end(at, m.U)
		}
		all.U, all.F, all.HeldF, all.Status = m.U, m.F, m.HeldF, m.Status
		for _, x := range m.History { // copies: snapshots that somebody keeps share those of the phase
			x.Phase = k
			all.History = append(all.History, x)
		}
		all.Iters += m.Iters
		all.Evals += m.Evals
		all.Elapsed += m.Elapsed
		all.Failed = m.Failed
		done = append(done, PhaseReport{Title: plan.title, Loss: m.F, Status: m.Status, Iters: m.Iters, Evals: m.Evals, Elapsed: m.Elapsed, Note: note})
		if m.Status == Cancelled {
			if k < len(f.phases)-1 {
				all.F = f.lossOfAll(ctx)
			}
			break
		}
	}
	if len(f.priced) > 0 && !math.IsNaN(all.F) {
		all.F = f.lossOfAll(ctx) // that of the data alone
	}
	return &all, done, nil
}

// state is what snapshots of a phase hold beside its variables: standard deviations, which one phase may settle for those behind it, and
// what is the phase's own.
func (f *fitting) state(p phase, l *ledger) {
	for _, n := range f.trial.noise {
		l.num("deviation", &n.sd)
	}
	if k, ok := p.(keeper); ok {
		k.state(l)
	}
}

// itersBetween is how many iterations some phases have at most.
func (f *fitting) itersBetween(from, to int) int {
	n := 0
	for _, p := range f.phases[from:to] {
		n += itersOf(p.plan().stages)
	}
	return n
}

// lossOfAll is the loss of the true solution over all data where θ stands: what a fit reports that was stopped before its last phase.
func (f *fitting) lossOfAll(ctx context.Context) float64 {
	v, err := f.trial.Eval(context.WithoutCancel(ctx), f.trial.here(), nil)
	if err != nil || math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// plan makes the phases of all methods.
func (f *fitting) plan() error {
	list := f.spec.Methods
	if n := len(list); n == 0 || list[n-1].name() != "shooting" {
		list = append(append([]Method(nil), list...), Method{})
	}
	if f.trial.data == nil {
		for i := range list {
			if m := &list[i]; m.name() != "shooting" || m.Grow != nil || m.Until != nil {
				return m.bad("give data with `match`, or leave the method out", "it needs data, and the loss is a function of the solution")
			}
		}
	}
	for i := range list {
		m := &list[i]
		row, err := m.row()
		if err != nil {
			return err
		}
		ps, err := row.phases(f, m)
		if err != nil {
			return err
		}
		f.phases = append(f.phases, ps...)
	}
	f.lend()
	f.hold()
	for _, p := range f.phases {
		if pl := p.plan(); pl.stages == nil {
			pl.stages, pl.chosen = stagesFor(p), true
		}
	}
	return nil
}

// hold puts least squares, with standard deviations as they stand, before phases that estimate these and have no chain of their
// own: from far away lm finds the way, and what is left for bfgs is near.
func (f *fitting) hold() {
	var out []phase
	for _, p := range f.phases {
		t, ok := p.(*trial)
		if ok && t.about.stages == nil && len(t.noise) > 0 && t.batch == nil {
			near := t.with(t.tr)
			near.hold, near.about = true, plan{method: t.about.method, title: t.about.title + ", deviations held", stages: mechanisticStages()}
			if rows, _ := near.Squares(); rows > 0 && len(t.vars) <= maxMechanistic && !slices.Contains(t.decay(), true) {
				near.about.chosen = true
				bfgs, _ := LookupOptimiser("bfgs")
				t.about.stages = []Stage{{Optimiser: bfgs}}
				out = append(out, near)
			}
		}
		out = append(out, p)
	}
	f.phases = out
}

// maxStarts is how many variables lm is taken for in multiple shooting.
const maxStarts = 600

// stagesFor is the chain of a phase that was given none.
func stagesFor(p phase) []Stage {
	n := p.Dim()
	if r, ok := p.(*round); ok { // beside the starts of segments, which are easy
		n = len(r.trial.vars)
	}
	if l, ok := p.(LeastSquares); ok && n <= maxMechanistic && p.Dim() <= maxStarts && !slices.Contains(p.decay(), true) {
		if t, ok := p.(*trial); !ok || t.batch == nil {
			if rows, _ := l.Squares(); rows > 0 {
				return mechanisticStages()
			}
		}
	}
	return DefaultStages()
}

// stagesOf is the chain of a method.
func (f *fitting) stagesOf(m *Method) []Stage {
	if m.Stages != nil {
		return m.Stages
	}
	return f.stages
}

// shootingPhases are those of growing parts of the time span, and the whole.
func shootingPhases(f *fitting, m *Method) ([]phase, error) {
	stages := f.stagesOf(m)
	var out []phase
	if m.Grow != nil || m.Until != nil {
		ends, err := f.horizons(m)
		if err != nil {
			return nil, err
		}
		for _, to := range ends {
			part, err := f.upTo(m, to)
			if err != nil {
				return nil, err
			}
			if part != nil {
				t1 := math.Inf(-1)
				for _, tr := range part.tr {
					t1 = math.Max(t1, tr.prob.T1)
				}
				part.about = plan{method: m.name(), title: fmt.Sprintf("shooting to t = %.6g", t1), stages: stages}
				out = append(out, part)
			}
		}
	}
	whole := f.trial
	if whole.about.method != "" { // shooting may stand in a chain more than once
		whole = whole.with(whole.tr)
	}
	whole.about = plan{method: m.name(), title: "shooting", stages: stages}
	out = append(out, whole)
	for k, p := range out {
		t := p.(*trial)
		var err error
		// Phases draw batches of their own.
		if t.batch, err = newBatches(m, f.spec.Seed+uint64(len(f.phases)+k)<<32, t.tr); err != nil {
			return nil, err
		}
		if k == len(out)-1 {
			f.idle(m, t, stages)
		}
	}
	return out, nil
}

// idle notes options of mini-batches that have no effect.
func (f *fitting) idle(m *Method, t *trial, stages []Stage) {
	if m.Batch == 0 && m.Window == 0 {
		return
	}
	all := len(stages) > 0
	for _, s := range stages {
		all = all && s.Optimiser != nil && s.Optimiser.LineSearch
	}
	rows := 0
	for _, x := range t.tr {
		rows = max(rows, len(x.data.data.Times))
	}
	switch {
	case all:
		f.notes = append(f.notes, "`batch` and `window` have no effect: optimisers with a line search, and least squares, look at all data")
		return
	case m.Batch >= len(t.tr) && m.Batch > 0:
		f.notes = append(f.notes, fmt.Sprintf("`batch = %d` has no effect: %s, and each iteration looks at all", m.Batch, count(len(t.tr), "trajectory")))
	}
	if m.Window >= rows {
		f.notes = append(f.notes, fmt.Sprintf("`window = %d` has no effect: the data have %s", m.Window, count(rows, "row")))
	}
}

// horizons are the times up to which a growing shooting trains each trajectory, before all of it.
func (f *fitting) horizons(m *Method) ([]func(tr *trajectory) float64, error) {
	t0, t1 := math.Inf(1), math.Inf(-1)
	for _, tr := range f.trial.tr {
		t0, t1 = math.Min(t0, tr.prob.T0), math.Max(t1, tr.prob.T1)
	}
	var ends []func(tr *trajectory) float64
	if m.Grow != nil && m.Until != nil {
		return nil, m.bad("give one of them", "`grow` and `until` both say how the time span grows")
	}
	if m.Until != nil {
		if i := rising(m.Until, t0, t1); i >= 0 || len(m.Until) == 0 {
			return nil, m.bad("all data are trained on at last, so that need not be said", "`until` must be rising times between %.6g and %.6g, where the data begin and end", t0, t1)
		}
		for _, to := range m.Until {
			ends = append(ends, func(*trajectory) float64 { return to })
		}
		return ends, nil
	}
	if i := rising(m.Grow, 0, 1); i >= 0 || len(m.Grow) == 0 {
		return nil, m.bad("`grow = 5` takes five equal steps, `grow = [0.1, 1]` first the first tenth", "`grow` must be rising shares of the time span, above 0 and at most 1")
	}
	for _, s := range m.Grow {
		ends = append(ends, func(tr *trajectory) float64 { return tr.prob.T0 + s*(tr.prob.T1-tr.prob.T0) })
	}
	return ends, nil
}

// upTo is the trial on the data up to a time; nil where those are all. A trajectory with no value until then is left out.
func (f *fitting) upTo(m *Method, to func(tr *trajectory) float64) (*trial, error) {
	var parts []*trajectory
	most, all := 0, true
	for _, tr := range f.trial.tr {
		d := tr.data.data
		t1 := to(tr) + 1e-9*(tr.prob.T1-tr.prob.T0) // what rounding does to a share of the span
		n := 0
		for n < len(d.Times) && d.Times[n] <= t1 {
			n++
		}
		most, all = max(most, n), all && n == len(d.Times)
		n = min(max(n, 2), len(d.Times)) // a trajectory that begins later has its first step
		part := d.rows(func(row int) bool { return row < n })
		if part.empty() {
			continue
		}
		loss, err := NewDataLoss(tr.prob.Sys, part, f.spec.Compare)
		if err != nil {
			return nil, tr.named(err)
		}
		parts = append(parts, tr.part(loss))
	}
	if all {
		return nil, nil
	}
	if len(parts) == 0 {
		return nil, m.bad("begin with a longer part", "up to t = %.6g all values are missing", to(f.trial.tr[0]))
	}
	if most < 2 {
		return nil, m.bad("begin with a longer part", "up to t = %.6g there is one row of data, which is the initial values", to(f.trial.tr[0]))
	}
	return f.trial.with(parts), nil
}
