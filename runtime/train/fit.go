package train

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Spec is a fit. Sys and either Data or Loss are needed; other zero values mean the default that
// is named.
type Spec struct {
	Sys *system.System
	// Theta is the start, length NTheta; it is not changed. nil: the system's defaults, with
	// the weights of unknowns drawn from Seed.
	Theta []float64
	Seed  uint64
	// Free is what may move, as Select gives it. nil: all parameters and weights.
	Free []Free

	// Problem holds the settings of the solver: method, tolerances, limits. Its Sys, Theta and Times
	// are not used; with Data, neither are T0 and T1: they are the first and last time of the data.
	Problem solve.Problem

	Data *Data
	// Trajectories are several, in place of Data. The loss is the sum, or the mean, over all of them.
	Trajectories []Trajectory
	Compare      LossSpec  // how the model is compared with the data
	HeldOut      HeldOut   // which of the data are kept out of the training
	Loss         sens.Loss // a loss of its own, in place of data; with Problem.T0 and T1

	Stages []Stage // nil: lm where it is made for (see the table), else DefaultStages
	// Methods are run one after the other, each from the best point of the one before; nil: shooting. Shooting follows
	// where the last is something else.
	Methods []Method
	// Starts is how many starts are tried, on all cores; 0 is 1. The first is Theta; others are drawn by the seed: between two bounds
	// evenly, with a ratio of 100 or more on the logarithmic scale; else around the start; weights as those of an untrained model. Free
	// initial values that several trajectories have each for itself start where they do. Draw, if not nil, changes θ of start k ≥ 1 thereafter; it is called by several
	// goroutines.
	Starts int
	Draw   func(th []float64, k int)
	// Drawn says in words what Draw draws from, for Identity, which cannot look into functions.
	Drawn string
	// Regularise are prices on what is free, added to the loss.
	Regularise []Regular
	// Patience, above 0, stops training after so many iterations in a row that do not lower the loss over the data held
	// out, and gives the point that met them best.
	Patience int
	// Gradient is how gradients are computed, by the name of a row of sens.Methods: "discrete", the adjoint of the steps taken, "forward"
	// sensitivities, or a continuous adjoint. "" and "auto" leave it to sens.Auto.
	Gradient string
	// AutoScale fills input scales of unknowns from Data before training.
	AutoScale []AutoScale
	// Threads is how many trajectories are solved at a time; 0: as many as there are cores. The result is the same.
	Threads int
	// Progress is called after each iteration, in the goroutine of Fit. It must be quick.
	Progress func(Progress)
	// Snapshot and Resume are those of Settings: the state after each iteration, and to go on from one. The
	// rest of the Spec must be what it was when the snapshot was taken.
	Snapshot func(*Snapshot)
	Resume   *Snapshot

	given []float64 // Theta before a start was drawn; nil: Theta
}

// Result is what a fit found.
type Result struct {
	Theta   []float64 // the best point ever seen, length NTheta
	Own     []Own     // what each of several trajectories has for itself; nil of one
	Loss    float64   // there; NaN if the fit was cancelled before the loss was ever computed
	History []Point
	Status  Status
	Report  *Report

	spec *Spec // what was fitted, for profiles
}

// StartError is a fit that cannot begin, since the loss or its gradient is not finite at the
// start: why, at which state and time, and which row of the data that concerns.
type StartError struct {
	Loss  float64
	Fault *solve.Fault    // why the solve stopped early, with time and state; nil when it did not
	Value *ValueError     // the model's value that the comparison could not take; nil when it is none
	Grad  *sens.NonFinite // the loss is finite, its gradient is not; nil otherwise
	Free  string          // the free parameter whose derivative is not finite, with Grad
	Row   int             // the first row of the data that is concerned, from 0 in those trained on; −1 for none
	Place string          // of that row
	Kind  string          // of the loss, with Value: "sse", "poisson"
	// Begin says that Value is that of the first row, which is the initial value.
	Begin bool
	// Trajectory is which of several it is; "" of one.
	Trajectory string
	// Phase and After, of a fit in phases, are the phase that cannot start and the one whose best point it starts from; "" in the first.
	Phase, After string
	// Method tells what is not finite of what a method minimises in place of the loss; nil where it is the loss.
	Method *MethodError
}

// Error tells the whole story in one line.
func (e *StartError) Error() string {
	switch {
	case e.Phase != "":
		return fmt.Sprintf("%s cannot go on from where %s has ended: %s", e.Phase, e.After, e.cause())
	case e.Trajectory != "":
		return e.Trajectory + ": " + e.cause()
	}
	return e.cause()
}

// Unwrap is what the method says.
func (e *StartError) Unwrap() error {
	if e.Method == nil {
		return nil
	}
	return e.Method
}

func (e *StartError) cause() string {
	if e.Method != nil {
		return e.Method.Error()
	}
	if e.Free != "" {
		s := fmt.Sprintf("the loss is %.6g at the start, but its derivative by %s is not finite", e.Loss, e.Free)
		if e.Grad != nil {
			if b := e.Grad.Because(); b != "" {
				s += ": " + b
			} else if e.Grad.T == e.Grad.T {
				s += fmt.Sprintf(" (from t = %.6g on, backwards)", e.Grad.T)
			}
		}
		if e.Place != "" {
			s += "; data from " + e.Place + " on are concerned"
		}
		return s
	}
	s := fmt.Sprintf("the loss is %s at the start: ", inWords(e.Loss))
	switch {
	case e.Value != nil:
		return s + e.Value.Error()
	case e.Fault != nil:
		s += e.Fault.Error()
		if e.Place != "" {
			s += "; the first datum that is not reached is " + e.Place
		}
		return s
	}
	return s + "the solution is finite, so it is the loss function that is not"
}

// Help is one line of what to try.
func (e *StartError) Help() string {
	switch {
	case e.Method != nil:
		return e.Method.Help
	case e.Phase != "" && e.Free == "":
		return "let the time span grow in smaller steps, `shooting(grow = 10)`, or start from other parameters"
	case e.Free != "":
		return "start where the equations are smooth: away from a root of 0, a power of 0, or equal arguments of a norm"
	case e.Value != nil && e.Value.Log:
		return e.positive()
	case e.Fault != nil:
		if h := e.Fault.Help(); h != "" {
			return "start from other parameters; or " + h
		}
	}
	return "start from other parameters, or write the loss so that it is finite there"
}

// positive is what to do about a model value that has no logarithm.
func (e *StartError) positive() string {
	out := "leave `scale = log` out"
	switch e.Kind {
	case "lognormal", "poisson":
		out = "take `normal` in place of `" + e.Kind + "`"
	}
	if e.Begin && e.Value.Value == 0 {
		return fmt.Sprintf("the solution starts there, at the first row, with this value: empty the datum's cell and keep the row; if it is to start earlier, add a row at that time with empty cells; or %s", out)
	}
	return "start from parameters that keep this quantity positive, or " + out
}

func inWords(v float64) string {
	switch {
	case math.IsInf(v, 0):
		return "infinite"
	case math.IsNaN(v):
		return "not a number"
	}
	return fmt.Sprintf("%.6g", v)
}

// Fit trains. A trial whose solve fails has an infinite loss; when ctx is cancelled the best point so far is
// the result, with the status Cancelled. The same Spec gives the same Theta, to the bit.
//
// The error is *StartError, *DataError, *NameError, *OptionError, *MethodError, *SnapshotError, or tells what makes no
// sense.
func Fit(ctx context.Context, s Spec) (*Result, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	start := time.Now()
	var b begun
	var starts []StartReport
	if s.Starts == 0 || s.Starts == 1 {
		if b = from(ctx, &s, 0); b.err != nil {
			return nil, b.err
		}
	} else {
		best, list, err := fitFrom(ctx, &s)
		if err != nil {
			return nil, err
		}
		b, starts = *best, list
		b.f.trial.threads = s.Threads
	}
	f, m := b.f, b.m
	r := &Result{Theta: append([]float64(nil), f.trial.prob.Theta...), Loss: m.F, History: m.History, Status: m.Status}
	f.own(r)
	r.Report = f.report(ctx, m)
	r.Status = m.Status
	for k := range starts {
		if starts[k].Best {
			starts[k].Status = m.Status // as the report has it
		}
	}
	r.Report.Starts = starts
	again := *f.spec
	again.AutoScale, again.Methods, again.Progress, again.Snapshot, again.Resume = nil, nil, nil, nil, nil
	r.spec = &again
	r.Report.Phases, r.Report.Elapsed = b.phases, time.Since(start)
	if last := &b.phases[len(b.phases)-1]; !last.Skipped {
		last.Status = m.Status
	}
	if was := s.Resume; was != nil {
		r.Report.Resumed, r.Report.Elapsed = was.Iters, r.Report.Elapsed+was.Elapsed
		for _, d := range was.Done {
			r.Report.Resumed += d.Iters
			r.Report.Elapsed += d.Elapsed
		}
	}
	return r, nil
}

// fitting is a fit that was checked.
type fitting struct {
	spec   *Spec
	trial  *trial
	stages []Stage
	phases []phase
	priced []priced
	all    []*trajectory
	free   []Free
	first  []float64 // of the variables, at the start

	lets   *outputs // for scores, and of which system
	letsOf *system.System

	warnings []string
	notes    []string
	unheld   error // why the first of what was held out cannot be compared
}

func prepare(s *Spec) (*fitting, error) {
	sys := s.Sys
	switch {
	case sys == nil || sys.RHS == nil:
		return nil, fmt.Errorf("there is no system to train")
	case s.Theta != nil && len(s.Theta) != sys.NTheta:
		return nil, fmt.Errorf("%d parameter values were given, the system has %d", len(s.Theta), sys.NTheta)
	case s.Data != nil && s.Trajectories != nil:
		return nil, fmt.Errorf("give the data of one trajectory or of several, not both")
	case s.Trajectories != nil && len(s.Trajectories) == 0:
		return nil, fmt.Errorf("there are no trajectories")
	case s.hasData() && s.Loss != nil:
		return nil, fmt.Errorf("a loss of its own and data to compare with exclude each other")
	case !s.hasData() && s.Loss == nil:
		return nil, fmt.Errorf("there is nothing to train on: give data, or a loss")
	case s.Patience < 0:
		return nil, fmt.Errorf("the patience is %d iterations; it must be 1 or more", s.Patience)
	case s.Patience > 0 && s.HeldOut.zero() && s.HeldOut.Trajectories == nil:
		return nil, fmt.Errorf("stopping early needs data that are held out: say which")
	case !s.hasData() && (!s.HeldOut.zero() || s.HeldOut.Trajectories != nil):
		return nil, fmt.Errorf("only data can be held out, and the loss is a function")
	}
	by, err := gradientsBy(s.Gradient)
	if err != nil {
		return nil, err
	}
	forward := s.Gradient == "forward"
	f := &fitting{spec: s, stages: s.Stages}
	p := s.Problem
	p.Sys, p.Times = sys, nil
	if s.Theta != nil {
		p.Theta = append([]float64(nil), s.Theta...)
	} else if p.Theta = sys.Defaults(); sys.Randomize != nil {
		sys.Randomize(p.Theta, s.Seed)
	}
	if s.hasData() {
		if err := f.gather(&p); err != nil {
			return nil, err
		}
	}
	free := s.Free
	if free == nil {
		var err error
		if free, err = Select(sys, p.Theta, nil, p.T0); err != nil {
			return nil, err
		}
	}
	vars, err := f.scatter(free, p.Theta)
	if err != nil {
		return nil, err
	}
	if len(vars) == 0 {
		return nil, &NameError{Name: nameOf(sys), Reason: "nothing in it is free: it has no parameters and no unknowns"}
	}
	if f.free = free; s.hasData() {
		var tr []*trajectory
		for _, x := range f.all {
			if x.data != nil {
				tr = append(tr, x)
			}
		}
		f.trial = newTrialOver(p.Theta, tr, vars, forward)
	} else {
		f.trial = newTrial(p, s.Loss, vars, forward)
	}
	f.trial.threads, f.trial.by = s.Threads, by
	for k := range vars {
		f.first = append(f.first, f.trial.value1(&vars[k]))
	}
	if err := f.price(); err != nil {
		return nil, err
	}
	return f, f.plan()
}

func (s *Spec) hasData() bool { return s.Data != nil || s.Trajectories != nil }

// own fills in what each of several trajectories has for itself. The model as such starts again where its expressions say: no value of one
// trajectory is that of all.
func (f *fitting) own(r *Result) {
	if f.spec.Trajectories == nil {
		return
	}
	for _, tr := range f.all {
		r.Own = append(r.Own, Own{Name: tr.name, Index: slices.Clone(tr.index), Values: slices.Clone(tr.value)})
	}
	if len(f.all) == 1 {
		return
	}
	for _, x := range f.free {
		flag := f.spec.Sys.Find(x.Name, system.RoleFlag)
		if !x.taken || flag == nil {
			continue
		}
		// Put in force by Select, and so by each trajectory for itself.
		for k := range r.Own {
			o := &r.Own[k]
			for _, i := range append([]int{flag.Off}, x.Index...) {
				if !slices.Contains(o.Index, i) {
					o.Index, o.Values = append(o.Index, i), append(o.Values, r.Theta[i])
				}
			}
		}
		r.Theta[flag.Off] = 0
	}
}

func nameOf(sys *system.System) string {
	if sys.Name == "" {
		return "the model"
	}
	return sys.Name
}

// startError adds to what is not finite at the start why, where and when.
func (t *trial) startError(ctx context.Context, bad *NonFiniteStart) error {
	if bad.Gradient && t.spoilt == nil {
		t.spoil(ctx)
	}
	e := &StartError{Loss: bad.Value, Fault: t.fault, Value: t.value, Grad: t.spoilt, Row: -1}
	if bad.Gradient {
		e.Free = t.vars[bad.Index].name
		e.Fault, e.Value = nil, nil
	}
	if t.data == nil {
		return e
	}
	e.Trajectory = t.tr[t.at].name
	d := t.tr[t.at].data.data
	switch {
	case e.Value != nil:
		e.Row, e.Place, e.Kind = e.Value.Row, e.Value.Place, t.data.pen.Name
		e.Begin = e.Value.Time == t.tr[t.at].prob.T0
	case e.Fault != nil:
		e.Row, e.Place = d.firstFrom(e.Fault.T, true)
	case e.Free != "" && e.Grad != nil:
		e.Row, e.Place = d.firstFrom(e.Grad.T, false)
	}
	return e
}

// firstFrom is the first row with a value at or after t, or after it only.
func (d *Data) firstFrom(t float64, after bool) (row int, place string) {
	for i, ti := range d.Times {
		if ti < t || after && ti == t && i > 0 {
			continue
		}
		for k := range d.Columns {
			if c := &d.Columns[k]; !c.missing(i) {
				return i, c.place(i)
			}
		}
	}
	return -1, ""
}
