package train

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// From 30 % below, the pelts end in another minimum; from one of eight starts, in the lowest. The number of threads changes nothing, and
// neither does an interruption.
func TestStarts(t *testing.T) {
	spec := func(threads int) Spec {
		s := peltsSpec(0.7)
		s.Stages = []Stage{mustStage(t, "bfgs", map[string]float64{"iters": 60})}
		s.Starts, s.Seed, s.Threads = 8, 3, threads
		return s
	}
	var mid *Snapshot
	s := spec(2)
	var seen atomic.Int64
	s.Progress = func(p Progress) {
		if p.Starts != 8 || p.Start < 0 || p.Start > 7 {
			t.Errorf("%+v", p)
		}
		seen.Add(1)
	}
	n := 0
	s.Snapshot = func(x *Snapshot) {
		if n++; n == 60 {
			mid = x.Clone()
		}
	}
	r := fit(t, s)
	t.Logf("%v", r.Report)
	if math.Abs(r.Loss/peltsSSE-1) > 1e-5 || len(r.Report.Starts) != 8 {
		t.Fatalf("loss %v", r.Loss)
	}
	best := 0
	for k, x := range r.Report.Starts {
		if x.Best {
			best = k
		}
		if x.Failed == "" && x.Loss < r.Loss {
			t.Errorf("start %d ended at %v, the result at %v", k+1, x.Loss, r.Loss)
		}
	}
	if best == 0 || !strings.Contains(r.Report.String(), ", the result") {
		t.Errorf("start %d is the result", best+1)
	}
	if seen.Load() == 0 || mid == nil || len(mid.Starts) != 8 {
		t.Fatal("nothing was told")
	}
	same := func(name string, s Spec) {
		t.Helper()
		again := fit(t, s)
		if !slices.Equal(r.Theta, again.Theta) || r.Loss != again.Loss {
			t.Errorf("%s: %v at %v, before %v at %v", name, again.Loss, again.Theta, r.Loss, r.Theta)
		}
		for k, x := range again.Report.Starts {
			y := r.Report.Starts[k]
			if x.Loss != y.Loss && !math.IsInf(x.Loss, 1) || x.Iters != y.Iters || x.Evals != y.Evals || x.Failed != y.Failed || x.Best != y.Best {
				t.Errorf("%s: start %d: %+v, before %+v", name, k+1, x, y)
			}
		}
	}
	for _, threads := range []int{1, 8} {
		same("threads", spec(threads))
	}
	s = spec(3)
	s.Resume = mid
	same("resumed", s)
	s.Starts = 4
	if _, err := Fit(context.Background(), s); err == nil || !strings.Contains(err.Error(), "it is of 8 starts, there are 4") {
		t.Error(err)
	}
	s.Starts = -1
	if _, err := Fit(context.Background(), s); err == nil {
		t.Error("-1 starts")
	}
	// The first start is the one given, whatever else is drawn.
	s = spec(1)
	s.Starts = 1
	alone := fit(t, s)
	if r.Report.Starts[0].Loss != alone.Loss {
		t.Errorf("the first start ended at %v, alone at %v", r.Report.Starts[0].Loss, alone.Loss)
	}
}

// A start from which nothing can be computed is told, and the others go on; if all are such the first one's error is that of the fit.
func TestStartsThatFail(t *testing.T) {
	d := &Data{Columns: []Column{{Name: "y"}}}
	for i := range 11 {
		ti := 0.2 * float64(i)
		d.Times = append(d.Times, ti)
		d.Columns[0].Values = append(d.Columns[0].Values, 1/(1-0.45*ti))
	}
	s := Spec{Sys: pole(0.2), Data: d, Starts: 4, Draw: func(th []float64, k int) { th[0] = []float64{0.2, 0.9, 0.3, 2}[k] }}
	r := fit(t, s)
	failed := 0
	for _, x := range r.Report.Starts {
		if x.Failed != "" {
			failed++
		}
	}
	if failed != 2 || math.Abs(r.Theta[0]-0.45) > 1e-6 || !strings.Contains(r.Report.String(), "the loss is infinite at the start") {
		t.Errorf("%d failed: %v", failed, r.Report)
	}
	s.Theta, s.Draw = []float64{5}, func(th []float64, k int) { th[0] = 5 }
	if _, err := Fit(context.Background(), s); err == nil || !strings.Contains(err.Error(), "the loss is infinite at the start") {
		t.Error(err)
	}
}

func TestDrawnStarts(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct{ given, lo, hi, least, most float64 }{
		{3, 1, 5, 1, 5}, {3, 1e-4, 10, 1e-4, 10}, {3, 1, inf, 1, inf}, {1, 1, inf, 1, inf}, {-3, -inf, 0, -inf, 0}, {2, -inf, inf, 0, inf}, {-2, -inf, inf, -inf, 0}, {0, -inf, inf, -inf, inf},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		below := 0
		for range 2000 {
			v := drawn(rng, c.given, c.lo, c.hi)
			if !(v >= c.least && v <= c.most) {
				t.Fatalf("%+v: %v", c, v)
			}
			if middle := math.Sqrt(1e-4 * 10); c.lo == 1e-4 && v < middle || c.lo != 1e-4 && v < c.given {
				below++
			}
		}
		if c.given != c.lo && (below < 900 || below > 1100) {
			t.Errorf("%+v: %d of 2000 below the middle", c, below)
		}
	}
}

// cloned is a loss of its own for each goroutine.
type cloned struct{ last }

func (l *cloned) Clone() sens.Loss { return &cloned{last{goal: l.goal}} }

func TestStartsOfALoss(t *testing.T) {
	sys := testsys.System("Two", []string{"x"}, []testsys.Param{{Name: "p", Value: 0.3}}, testsys.Fixed(0),
		func(_ testsys.Expr, _, th []testsys.Expr) []testsys.Expr { return []testsys.Expr{th[0].Mul(th[0])} })
	for _, l := range []sens.Loss{&cloned{last{goal: 4}}, &last{goal: 4}} {
		r := fit(t, Spec{Sys: sys, Loss: l, Problem: solve.Problem{T1: 1}, Starts: 5})
		if math.Abs(math.Abs(r.Theta[0])-2) > 1e-4 {
			t.Errorf("%v", r.Report)
		}
	}
}

// With early stopping a start that has never met what was held out is behind all that have, however low its loss; among such the loss decides.
func TestBetterStart(t *testing.T) {
	of := func(patience int, loss, held float64) *begun {
		return &begun{f: &fitting{spec: &Spec{Patience: patience}}, m: &Minimum{F: loss, HeldF: held}}
	}
	nan := math.NaN()
	for _, c := range []struct{ a, b *begun }{
		{of(5, 9, 1), of(5, 2, 3)},
		{of(5, 9, 1), of(5, 0.5, nan)},
		{of(5, 2, nan), of(5, 3, nan)},
		{of(5, 2, 1), of(5, 3, 1)},
		{of(0, 2, nan), of(0, 3, nan)},
		{of(0, 2, nan), of(0, nan, nan)},
		{of(0, 2, nan), &begun{err: &StartError{}}},
	} {
		if !c.a.better(c.b) || c.b.better(c.a) {
			t.Errorf("%+v should be better than %+v", c.a.m, c.b.m)
		}
	}
}
