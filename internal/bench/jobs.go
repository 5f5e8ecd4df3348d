package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/ensemble"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/stdlib/eval"
	"github.com/udl-lang/udl/stdlib/value"
)

// outcome is what a job answers.
type outcome struct {
	ns     int64     // of all repetitions
	work   int64     // in how many units: calls, attempted steps, trajectories, bytes
	values []float64 // what was computed
}

// each is the nanoseconds of one unit of work.
func (o outcome) each() float64 { return float64(o.ns) / float64(o.work) }

// job does something a number of times.
type job func(reps int) (outcome, error)

// kinds are what can be done with a subject: a job is named KIND/SUBJECT. Those of main.c bear the same names and compute the same.
var kinds = map[string]func(m *model) (job, error){
	"rhs":   rhsJob,
	"vjp":   vjpJob,
	"step":  stepJob,
	"value": valueJob,
	"grad":  gradJob,

	"ensemble": ensembleJob,
}

// The span and the tolerance of a solve, as in main.c.
const (
	span      = 10.0
	tolerance = 1e-8
)

// rhsJob calls the right-hand side as a solver does: θ fixed once, each call waiting for the one before.
func rhsJob(m *model) (job, error) {
	f := m.sys.RHS.Clone()
	f.Prepare(m.theta(0))
	u, du := make([]float64, len(m.u)), make([]float64, len(m.u))
	return func(reps int) (outcome, error) {
		copy(u, m.u)
		u0 := m.u[0]
		start := time.Now()
		for range reps {
			f.Eval(du, 0, u, nil)
			u[0] = u0 + 1e-12*du[0]
		}
		o := outcome{ns: time.Since(start).Nanoseconds(), work: int64(reps)}
		f.Eval(du, 0, m.u, nil)
		o.values = du
		return o, nil
	}, nil
}

// vjpJob computes both products with the transposed Jacobians; the cotangent is the state itself.
func vjpJob(m *model) (job, error) {
	f := m.sys.RHS.Clone()
	f.Prepare(m.theta(0))
	u, gx, gth := make([]float64, len(m.u)), make([]float64, len(m.u)), make([]float64, m.sys.NTheta)
	return func(reps int) (outcome, error) {
		copy(u, m.u)
		u0 := m.u[0]
		start := time.Now()
		for range reps {
			clear(gx)
			f.VJP(gx, gth, 0, u, nil, m.u)
			u[0] = u0 + 1e-12*gx[0]
		}
		o := outcome{ns: time.Since(start).Nanoseconds(), work: int64(reps)}
		clear(gx)
		clear(gth)
		f.VJP(gx, gth, 0, m.u, nil, m.u)
		o.values = append(append([]float64(nil), gx...), m.inOrder(gth)...)
		return o, nil
	}, nil
}

// stepJob solves from 0 to the end of the span for the state there alone; its unit is the attempted step.
func stepJob(m *model) (job, error) {
	var w solve.Workspace
	p := &solve.Problem{Sys: m.sys, Theta: m.theta(0), X0: m.u, T1: span, Times: []float64{span}, Rtol: tolerance, Atol: tolerance, NoDense: true}
	return func(reps int) (outcome, error) {
		var o outcome
		start := time.Now()
		for range reps {
			sol, err := w.Solve(context.Background(), p)
			if err != nil {
				return o, err
			}
			if sol.Status != solve.Done {
				return o, sol.Fault
			}
			o.work += int64(sol.Stats.Steps + sol.Stats.Rejected)
			o.values = sol.XEnd
		}
		o.ns = time.Since(start).Nanoseconds()
		return o, nil
	}, nil
}

// ensembleJob solves for all of the subject's parameters on two threads; its unit is the trajectory. The values are the means of
// the states at the end and the last trajectory's.
func ensembleJob(m *model) (job, error) {
	n, nx := len(m.p)/len(m.at), len(m.u)
	p := &ensemble.Problem{Sys: m.sys, Theta: m.startAt(m.theta(0)), N: n, Vary: m.at, Values: m.p, T1: span, Rtol: tolerance, Atol: tolerance, Threads: 2}
	return func(reps int) (outcome, error) {
		o := outcome{work: int64(reps * n)}
		var r *ensemble.Result
		start := time.Now()
		for range reps {
			var err error
			if r, err = ensemble.Run(context.Background(), p); err != nil {
				return o, err
			}
			if r.Failed > 0 {
				return o, fmt.Errorf("%d of %d trajectories stop early", r.Failed, n)
			}
		}
		o.ns = time.Since(start).Nanoseconds()
		o.values = make([]float64, 2*nx)
		for i, x := range r.X {
			o.values[i%nx] += x / float64(n)
		}
		copy(o.values[nx:], r.Row(n-1, 0))
		return o, nil
	}, nil
}

// squares is the sum of squares of the states at 30 times.
type squares struct{ times []float64 }

func newSquares(end float64) *squares {
	s := &squares{make([]float64, 30)}
	for i := range s.times {
		s.times[i] = end * float64(i+1) / 30
	}
	return s
}

// Times implements sens.Loss.
func (s *squares) Times() []float64 { return s.times }

// Eval implements sens.Loss.
func (s *squares) Eval(x, _, gx, _ []float64) (float64, error) {
	v := 0.0
	for i, xi := range x {
		v += xi * xi
		if gx != nil {
			gx[i] = 2 * xi
		}
	}
	return v, nil
}

// lossProblem is what gradients are measured on: three units of time, the default tolerances.
func lossProblem(m *model) (*solve.Problem, *squares) {
	return &solve.Problem{Sys: m.sys, Theta: m.theta(0), X0: m.u, T1: 3}, newSquares(3)
}

func valueJob(m *model) (job, error) {
	var w sens.Workspace
	p, loss := lossProblem(m)
	return repeat(func() (float64, *solve.Solution, error) { return w.Value(context.Background(), p, loss) }), nil
}

func gradJob(m *model) (job, error) {
	var w sens.Workspace
	p, loss := lossProblem(m)
	g := make([]float64, m.sys.NTheta)
	return repeat(func() (float64, *solve.Solution, error) { return w.Adjoint(context.Background(), p, loss, g) }), nil
}

// repeat is the job of computing a loss.
func repeat(f func() (float64, *solve.Solution, error)) job {
	return func(reps int) (outcome, error) {
		o := outcome{work: int64(reps)}
		start := time.Now()
		for range reps {
			v, sol, err := f()
			if err != nil {
				return o, err
			}
			if sol.Status != solve.Done {
				return o, sol.Fault
			}
			o.values = []float64{v}
		}
		o.ns = time.Since(start).Nanoseconds()
		return o, nil
	}
}

// trainJob is the fit of a file of the gallery: its statements one by one, the one that fits timed. Its unit is the whole fit.
func trainJob(root, file string) (job, error) {
	dir := filepath.Join(root, "models")
	in := eval.New(eval.Options{Out: io.Discard, Err: io.Discard, Quiet: true, Dir: dir})
	f, err := in.Load(filepath.Join(dir, file))
	if err != nil {
		return nil, err
	}
	enter := func(text string) (value.Value, error) {
		return in.Entry(context.Background(), diag.NewSource(file, text))
	}
	fit := ""
	for _, s := range f.Stmts {
		text := s.Span().Text()
		if _, ok := s.(*ast.Assign); ok && strings.Contains(text, "fit(") {
			fit = text
			break
		}
		if _, ok := s.(*ast.Version); ok {
			continue
		}
		if _, err := enter(text); err != nil {
			return nil, err
		}
	}
	if !strings.HasPrefix(fit, "best = ") {
		return nil, fmt.Errorf("%s has no `best = fit(…)`", file)
	}
	return func(reps int) (outcome, error) {
		o := outcome{work: int64(reps)}
		start := time.Now()
		for range reps {
			if _, err := enter(fit); err != nil {
				return o, err
			}
		}
		o.ns = time.Since(start).Nanoseconds()
		v, err := enter("best.loss")
		if err != nil {
			return o, err
		}
		a, ok := v.(*value.Array)
		if !ok {
			return o, fmt.Errorf("best.loss is %s", v.Type())
		}
		o.values = a.Data
		return o, nil
	}, nil
}
