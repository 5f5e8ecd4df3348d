package train

import (
	"context"
	"fmt"
	"math"
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

	Data    *Data
	Compare LossSpec  // how the model is compared with Data
	HeldOut HeldOut   // which of Data are kept out of the training
	Loss    sens.Loss // a loss of its own, in place of Data; with Problem.T0 and T1

	Stages []Stage // nil: DefaultStages
	// Methods are run one after the other, each from the best point of the one before; nil: shooting. Shooting follows
	// where the last is something else.
	Methods []Method
	// Gradient is how gradients are computed: "discrete", the adjoint of the steps taken, or "forward"
	// sensitivities. "" and "auto" mean the adjoint.
	Gradient string
	// AutoScale fills input scales of unknowns from Data before training.
	AutoScale []AutoScale
	// Progress is called after each iteration, in the goroutine of Fit. It must be quick.
	Progress func(Progress)
	// Snapshot and Resume are those of Settings: the state after each iteration, and to go on from one. The
	// rest of the Spec must be what it was when the snapshot was taken.
	Snapshot func(*Snapshot)
	Resume   *Snapshot
}

// Result is what a fit found.
type Result struct {
	Theta   []float64 // the best point ever seen, length NTheta
	Loss    float64   // there; NaN if the fit was cancelled before the loss was ever computed
	History []Point
	Status  Status
	Report  *Report
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
	// Phase and After, of a fit in phases, are the phase that cannot start and the one whose best point it starts from; "" in the first.
	Phase, After string
}

// Error tells the whole story in one line.
func (e *StartError) Error() string {
	if e.Phase != "" {
		return fmt.Sprintf("%s cannot go on from where %s has ended: %s", e.Phase, e.After, e.cause())
	}
	return e.cause()
}

func (e *StartError) cause() string {
	if e.Free != "" {
		s := fmt.Sprintf("the loss is %.6g at the start, but its derivative by %s is not finite", e.Loss, e.Free)
		if e.Grad != nil {
			s += fmt.Sprintf(" (from t = %.6g on, backwards)", e.Grad.T)
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
	case e.Phase != "" && e.Free == "":
		return "let the time span grow in smaller steps, `shooting(grow = 10)`, or start from other parameters"
	case e.Free != "":
		return "start where the equations are smooth: away from a root of 0, a power of 0, or equal arguments of a norm"
	case e.Value != nil && e.Value.Log:
		return "start from parameters that keep this quantity positive, or leave `scale = log` out"
	case e.Fault != nil:
		if h := e.Fault.Help(); h != "" {
			return "start from other parameters; or " + h
		}
	}
	return "start from other parameters, or write the loss so that it is finite there"
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
	f, err := prepare(&s)
	if err != nil {
		return nil, err
	}
	m, phases, err := f.run(ctx)
	if err != nil {
		return nil, err
	}
	r := &Result{Theta: append([]float64(nil), f.trial.prob.Theta...), Loss: m.F, History: m.History, Status: m.Status}
	r.Report = f.report(ctx, m)
	r.Report.Phases, r.Report.Elapsed = phases, time.Since(start)
	return r, nil
}

// fitting is a fit that was checked.
type fitting struct {
	spec   *Spec
	trial  *trial
	stages []Stage
	phases []phase
	begin  []float64 // θ at the start
	held   *Data     // nil when nothing is held out
}

func prepare(s *Spec) (*fitting, error) {
	sys := s.Sys
	switch {
	case sys == nil || sys.RHS == nil:
		return nil, fmt.Errorf("there is no system to train")
	case s.Theta != nil && len(s.Theta) != sys.NTheta:
		return nil, fmt.Errorf("%d parameter values were given, the system has %d", len(s.Theta), sys.NTheta)
	case s.Data != nil && s.Loss != nil:
		return nil, fmt.Errorf("a loss of its own and data to compare with exclude each other")
	case s.Data == nil && s.Loss == nil:
		return nil, fmt.Errorf("there is nothing to train on: give data, or a loss")
	case s.Data == nil && !s.HeldOut.zero():
		return nil, fmt.Errorf("only data can be held out, and the loss is a function")
	}
	forward := false
	switch s.Gradient {
	case "", "auto", "discrete":
	case "forward":
		forward = true
	default:
		return nil, fmt.Errorf("training cannot use the gradient method %q; take discrete or forward", s.Gradient)
	}
	f := &fitting{spec: s, stages: s.Stages}
	if f.stages == nil {
		f.stages = DefaultStages()
	}
	p := s.Problem
	p.Sys, p.Times = sys, nil
	if s.Theta != nil {
		p.Theta = append([]float64(nil), s.Theta...)
	} else if p.Theta = sys.Defaults(); sys.Randomize != nil {
		sys.Randomize(p.Theta, s.Seed)
	}
	loss := s.Loss
	if s.Data != nil {
		d, err := f.data(&p)
		if err != nil {
			return nil, err
		}
		loss = d
	}
	free := s.Free
	if free == nil {
		var err error
		if free, err = Select(sys, p.Theta, nil, p.T0); err != nil {
			return nil, err
		}
	}
	vars, err := variables(free, p.Theta)
	if err != nil {
		return nil, err
	}
	if len(vars) == 0 {
		return nil, &NameError{Name: nameOf(sys), Reason: "nothing in it is free: it has no parameters and no unknowns"}
	}
	f.trial = newTrial(p, loss, vars, forward)
	f.begin = append([]float64(nil), p.Theta...)
	return f, f.plan()
}

// data makes the loss against data and sets the time span.
func (f *fitting) data(p *solve.Problem) (*DataLoss, error) {
	s := f.spec
	// All data are checked before they are split, so that rows are numbered as the user knows them.
	if _, err := NewDataLoss(s.Sys, s.Data, s.Compare); err != nil {
		return nil, err
	}
	train, held, err := s.HeldOut.split(s.Data)
	if err != nil {
		return nil, err
	}
	f.held = held
	loss, err := NewDataLoss(s.Sys, train, s.Compare)
	if err != nil {
		return nil, err
	}
	p.T0, p.T1 = train.Times[0], train.Times[len(train.Times)-1]
	return loss, FillScales(s.Sys, p.Theta, train, s.AutoScale)
}

func nameOf(sys *system.System) string {
	if sys.Name == "" {
		return "the model"
	}
	return sys.Name
}

// startError adds to what is not finite at the start why, where and when.
func (t *trial) startError(bad *NonFiniteStart) error {
	e := &StartError{Loss: bad.Value, Fault: t.fault, Value: t.value, Grad: t.spoilt, Row: -1}
	if bad.Gradient {
		e.Free = t.vars[bad.Index].name
		e.Fault, e.Value = nil, nil
	}
	if t.data == nil {
		return e
	}
	d := t.data.data
	switch {
	case e.Value != nil:
		e.Row, e.Place = e.Value.Row, e.Value.Place
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
			if c := &d.Columns[k]; !math.IsNaN(c.Values[i]) {
				return i, c.place(i)
			}
		}
	}
	return -1, ""
}
