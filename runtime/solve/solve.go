package solve

import (
	"context"
	"math"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// Solve integrates a problem. It stops at the end, at a limit, where the solution cannot be
// continued, or when ctx is cancelled or its deadline passes: Solution.Status tells, and what
// was found until then is kept. The error is for a call that makes no sense.
func Solve(ctx context.Context, p *Problem) (*Solution, error) {
	return new(Workspace).Solve(ctx, p)
}

// Workspace solves problems one after the other in the same memory. The zero value is ready.
// A Solution it returns is valid until the next call. A Workspace serves one goroutine.
type Workspace struct {
	st   Stepper
	sol  *Solution
	o    outputs
	ev   *eventer // nil where nothing happens
	tape tape
}

// Solve is the function Solve, in the memory of the workspace.
func (w *Workspace) Solve(ctx context.Context, p *Problem) (*Solution, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	st, o := &w.st, &w.o
	if err := st.start(ctx, p); err != nil {
		return nil, err
	}
	sol := w.reset(p)
	stop, err := w.begin(p)
	if err != nil {
		return nil, err
	}
	ev := w.ev
	w.tape.start(o)
	for stop == Running {
		if ev != nil {
			stop = ev.step(o)
		} else if st.Step() {
			stop = o.step()
		} else {
			break
		}
		if stop != Running {
			break
		}
		if p.Progress != nil {
			p.Progress(st.T())
		}
		if sol.rec.n == w.tape.full {
			stop = w.turn()
		}
	}
	if ev != nil && ev.err != nil {
		return nil, ev.err
	}
	if stop == Running {
		stop = st.Status()
	}
	if s := o.flush(); s != Running && stop.Ended() {
		stop = s
	}
	sol.Status, sol.Stats, sol.Switches = stop, st.Stats(), st.switches
	sol.Stats.Checkpoints = w.tape.made
	sol.first = ""
	if st.auto != nil {
		sol.first = st.auto.first()
		if st.eng != nil && sol.reader == nil { // made on the way
			sol.reader, sol.engine = st.eng.reader(), st.auto.implicit
		}
	}
	if stop != MemoryLimit {
		// Where memory ended, the solution ends with what could be kept.
		sol.TEnd = st.T()
		copy(sol.XEnd, st.X())
	}
	if stop != Done && stop != Stopped {
		sol.Fault = st.fault(ctx, stop, sol)
		if stop == EventFault {
			sol.Fault.Event, sol.Fault.Where = ev.eventName(ev.culprit)
			sol.Fault.Why, sol.Fault.Try = ev.why, ev.try
		}
		if stop == SinkFailed {
			sol.Fault.Why, sol.Fault.Cause = o.refused, o.err
		}
	}
	return sol, nil
}

// begin stands at the start of the problem that the stepper was started for, with the outputs and events there.
func (w *Workspace) begin(p *Problem) (Status, error) {
	st, sol := &w.st, w.sol
	w.o = outputs{p: p, st: st, sol: sol, limit: st.set.maxMemory, dir: st.set.dir, record: sol.dense}
	var err error
	if w.ev, err = newEventer(st, sol); err != nil {
		return Running, err
	}
	w.o.prepare(w.ev != nil)
	if st.Status() != Running {
		return Running, nil
	}
	stop := Running
	if w.ev != nil {
		stop = w.ev.begin()
	}
	if s := w.o.begin(); stop == Running {
		stop = s
	}
	return stop, nil
}

// reset gives the workspace's solution, emptied.
func (w *Workspace) reset(p *Problem) *Solution {
	st := &w.st
	if w.sol == nil {
		w.sol = new(Solution)
	}
	s := w.sol
	s.T, s.X = s.T[:0], s.X[:0]
	s.NX, s.Method, s.sc, s.rhs = p.Sys.NX, st.set.m, st.sc, st.rhs
	switch s.reader, s.engine = nil, nil; {
	case st.eng != nil && st.auto == nil:
		s.reader, s.engine = st.eng.reader(), st.set.m
	case st.eng != nil:
		s.reader, s.engine = st.eng.reader(), st.auto.implicit
	}
	s.Theta = append(s.Theta[:0], st.th...)
	s.sys, s.rtol, s.atol, s.ready = p.Sys, st.set.rtol, append(s.atol[:0], st.set.atol...), -1
	s.T0, s.T1, s.TEnd = p.T0, p.T1, p.T0
	s.XEnd = append(s.XEnd[:0], st.x...)
	s.Status, s.Stats, s.Fault = Running, Stats{}, nil
	s.Shifted = append(s.Shifted[:0], st.shifted...)
	s.dense, s.sunk, s.cached = !p.NoDense && p.Sink == nil, p.Sink != nil, -1
	s.rec.reset(p.Sys.NX, st.width())
	w.tape.reset(p, st.set.maxMemory, int64(8*s.rec.stride()))
	s.rec.allow(w.tape.limit)
	s.part, s.upT = false, 0
	return s
}

// outputs fills a solution step by step.
type outputs struct {
	p     *Problem
	st    *Stepper
	sol   *Solution
	limit int64 // bytes
	dir   float64
	next  int // the next of the times asked for
	n     int // how many they are

	record bool  // steps are recorded
	steps  int64 // bytes of the record, 0: what outputs leave of limit

	// Of outputs that go to a sink:
	grid    Grid      // what By asks for
	row     []float64 // the state at an output
	hold    bool      // rows at the end of a step wait for the events there
	refused string    // which output the sink did not take
	err     error     // why
}

// begin writes the outputs at the start.
func (o *outputs) begin() Status {
	o.sol.TEnd = o.st.T()
	copy(o.sol.XEnd, o.st.X())
	if o.everyStep() {
		return o.write(o.p.T0, o.st.X())
	}
	n := o.n
	if o.p.Sink == nil && o.bytes(n) > o.limit {
		return MemoryLimit
	}
	if o.p.Sink == nil && (cap(o.sol.T) < n || cap(o.sol.X) < n*o.sol.NX) {
		o.sol.T, o.sol.X = make([]float64, 0, n), make([]float64, 0, n*o.sol.NX)
	}
	for ; o.next < n && (o.time(o.next)-o.p.T0)*o.dir <= 0; o.next++ {
		if s := o.write(o.time(o.next), o.st.X()); s != Running {
			return s
		}
	}
	return Running
}

// bytes is the memory of n outputs.
func (o *outputs) bytes(n int) int64 { return 8 * int64(n) * int64(o.sol.NX+1) }

func (o *outputs) write(t float64, x []float64) Status {
	if o.p.Sink != nil {
		return o.send(t, x)
	}
	if o.bytes(len(o.sol.T)+1)+o.sol.rec.used > o.limit {
		return MemoryLimit
	}
	o.sol.T = append(o.sol.T, t)
	o.sol.X = append(o.sol.X, x...)
	return Running
}

// step records the step just accepted and writes the outputs in it.
func (o *outputs) step() Status {
	st, sol := o.st, o.sol
	if o.record {
		// Room for the outputs to come is set aside, so that they cannot be crowded out.
		limit := o.steps
		if limit == 0 {
			limit = o.limit - o.bytes(max(len(o.p.Times), len(sol.T)+1))
		}
		row := sol.rec.add(limit)
		switch {
		case row != nil:
			row[0], row[1], row[2] = st.t, st.h, 0
			tag := 0
			if st.isCut {
				tag = tagCut
			}
			at := recHead + copy(row[recHead:], st.x)
			switch {
			case st.useEngine:
				tag |= tagEngine
				st.eng.save(row[at:])
			case st.useWhole: // the stages lie one after the other
				copy(row[at:], st.kflat[:min(len(st.kflat), len(row)-at)])
			default:
				for i := range st.sc.Method.Stages {
					at += copy(row[at:], st.k[i])
				}
			}
			row[2] = float64(tag)
		case o.p.OutputsFirst && o.p.Times != nil:
			o.record, sol.dense, sol.rec = false, false, record{}
		default:
			return o.full(st.t, st.x)
		}
	}
	t1 := st.T()
	if o.p.Sink != nil {
		return o.sink()
	}
	if o.p.Times == nil {
		if s := o.write(t1, st.X()); s != Running {
			return o.full(t1, st.X())
		}
		return Running
	}
	for ; o.next < len(o.p.Times); o.next++ {
		t := o.p.Times[o.next]
		switch {
		case (t-t1)*o.dir <= 0:
		case t1 == o.p.T1:
			t = t1 // a time beyond the end by rounding
		default:
			return Running
		}
		n := len(sol.X)
		if s := o.write(o.p.Times[o.next], st.X()); s != Running {
			return o.full(t1, st.X())
		}
		st.Interpolate(t, sol.X[n:])
	}
	return Running
}

// full ends the solution where memory ended, with what could be kept.
func (o *outputs) full(t float64, x []float64) Status {
	o.sol.TEnd = t
	copy(o.sol.XEnd, x)
	return MemoryLimit
}

// fault explains where the stepper stands.
func (s *Stepper) fault(ctx context.Context, status Status, sol *Solution) *Fault {
	f := &Fault{Status: status, T: sol.TEnd, H: s.h, Names: s.sys.StateNames(), Worst: -1}
	f.X = append([]float64(nil), sol.XEnd...)
	switch status {
	case MaxSteps:
		f.Limit = int64(s.set.maxSteps)
		f.Implicit = s.set.info.Mass || s.set.info.Family == method.Automatic
	case MemoryLimit:
		f.Limit = s.set.maxMemory
		if c := s.p.Checkpoints; c != nil && c.Memory > 0 {
			f.Limit = min(f.Limit, c.Memory)
		}
	case Cancelled:
		f.Cause = context.Cause(ctx)
	case StepTooSmall:
		if f.Why = s.why; s.useEngine {
			s.eng.errors()
		} else if s.useWhole {
			combine(s.e, s.zero, s.h, s.sc.e.w, s.sc.e.idx, s.k)
		}
		worst := 0.0
		for i := range s.set.errStates {
			r := math.Abs(s.e[i]) / (s.set.atol[i] + s.set.rtol*max(math.Abs(s.x[i]), math.Abs(s.x1[i])))
			if r > worst {
				worst, f.Worst = r, i
			}
		}
		if f.Undetermined = singularWhy(f.Why); !f.Undetermined {
			f.fold(s, f.X)
		}
	case NonFinite:
		s.blame(f)
	}
	return f
}

// blame finds which states are not finite, and the expression that made them so: at the stage
// point where the right-hand side first failed, of the step that was tried last.
func (s *Stepper) blame(f *Fault) {
	t, x := s.badT, s.x1
	if !s.useEngine && finite(s.x) && s.haveK0 && finite(s.k[0]) {
		m := s.sc.Method
		for i := 1; i < m.Stages; i++ {
			if i == s.sc.End || finite(s.k[i]) {
				continue
			}
			t, x = s.sc.StageTime(i, s.t, s.h, s.t1), s.tmp
			s.sc.StagePoint(i, x, s.x, s.h, s.k)
			break
		}
	}
	s.rhs.Eval(s.e, t, x, s.th)
	for i := range x {
		if v := s.e[i] + x[i]; math.IsNaN(v) || math.IsInf(v, 0) {
			f.Bad = append(f.Bad, i)
		}
	}
	if s.sys.Explain != nil {
		f.Source = s.sys.Explain(t, x, s.th)
	}
	if s.useEngine && len(f.Bad) == 0 {
		if f.Derivative = s.badDerivative(s.t, s.x); f.Derivative == nil {
			f.Derivative = s.badDerivative(t, x)
		}
	}
}

// badDerivative is the first entry of the Jacobian at (t, x) that is not finite, nil where all are.
func (s *Stepper) badDerivative(t float64, x []float64) *Derivative {
	p := s.sys.Pattern
	if p == nil {
		p = sparse.DensePattern(s.sys.NX)
	}
	var jac system.Jacobian
	if s.sys.Jacobian != nil {
		jac = s.sys.Jacobian()
	}
	if jac == nil {
		jac = newColoured(s.sys.RHS, p)
	}
	jac.Prepare(s.th)
	v := make([]float64, p.NNZ())
	jac.Eval(v, nil, t, x)
	names := s.sys.StateNames()
	for j := range p.N() {
		rows, first := p.Column(j)
		for k, i := range rows {
			if d := v[first+k]; math.IsNaN(d) || math.IsInf(d, 0) {
				out := &Derivative{Equation: EquationName(s.sys, int(i)), State: names[j], Value: d, T: t, At: x[j]}
				if int(i) < len(s.sys.Equations) {
					out.Where = s.sys.Equations[i].Where
				}
				return out
			}
		}
	}
	return nil
}
