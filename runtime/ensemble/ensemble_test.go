package ensemble_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/ensemble"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
)

// predators is an ensemble of n members of Lotka–Volterra that differ in the prey's birth rate and in its start.
func predators(n int) *ensemble.Problem {
	p := &ensemble.Problem{Sys: testsys.LotkaVolterra(), T1: 4, Times: []float64{0, 0.7, 2, 4}, N: n, Vary: []int{0, 4}}
	for i := range n {
		p.Values = append(p.Values, 1+float64(i%17)/16, 0.5+float64(i%5)/4)
	}
	return p
}

func run(t *testing.T, p *ensemble.Problem) *ensemble.Result {
	t.Helper()
	r, err := ensemble.Run(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMembers holds that each member is what a solve of the same θ gives, to the bit, on any number of threads.
func TestMembers(t *testing.T) {
	rk4, ok := method.Lookup("RK4")
	if !ok {
		t.Fatal("no RK4")
	}
	for name, change := range map[string]func(p *ensemble.Problem){
		"defaults":   func(*ensemble.Problem) {},
		"tolerances": func(p *ensemble.Problem) { p.Rtol, p.Atol, p.Hmax = 1e-9, 1e-10, 0.1 },
		"fixed step": func(p *ensemble.Problem) { p.Method, p.Step = rk4, 0.05 },
		"backwards":  func(p *ensemble.Problem) { p.T0, p.T1, p.Times = 1, 0, []float64{1, 0.5, 0} },
		"the end":    func(p *ensemble.Problem) { p.Times = nil },
	} {
		p := predators(53)
		change(p)
		p.Threads = 1
		want := run(t, p)
		for _, threads := range []int{2, 7, 100, 0} {
			p.Threads = threads
			got := run(t, p)
			if got.Stats != want.Stats || got.Failed != 0 || got.Lanes != 1 || got.Why == "" || got.Threads > p.N {
				t.Errorf("%s, %d threads: %+v, not %+v", name, threads, got, want)
			}
			for i := range want.X {
				if math.Float64bits(got.X[i]) != math.Float64bits(want.X[i]) {
					t.Fatalf("%s, %d threads: number %d is %v, not %v", name, threads, i, got.X[i], want.X[i])
				}
			}
		}
		for i := range p.N {
			th := p.Sys.Defaults()
			for k, at := range p.Vary {
				th[at] = p.Values[i*len(p.Vary)+k]
			}
			sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: p.Sys, Method: p.Method, T0: p.T0, T1: p.T1, Times: want.T, Theta: th,
				Rtol: p.Rtol, Atol: p.Atol, Step: p.Step, Hmax: p.Hmax})
			if err != nil {
				t.Fatal(err)
			}
			for k := range want.T {
				for j, v := range want.Row(i, k) {
					if v != sol.X[k*want.NX+j] {
						t.Fatalf("%s: member %d at output %d is %v, alone %v", name, i, k, v, sol.X[k*want.NX+j])
					}
				}
			}
			if want.Status[i] != solve.Done || want.TEnd[i] != p.T1 {
				t.Errorf("%s: member %d is %v at %v", name, i, want.Status[i], want.TEnd[i])
			}
		}
	}
}

// TestPole holds that a member with a pole before the end is told of, with what it has, and leaves the others alone.
func TestPole(t *testing.T) {
	sys := testsys.System("Square", []string{"x"}, []testsys.Param{{Name: "a", Value: 0}}, testsys.Fixed(1), func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{th[0].Mul(x[0]).Mul(x[0])}
	})
	p := &ensemble.Problem{Sys: sys, T1: 2, Times: []float64{0.5, 1, 2}, N: 40, Vary: []int{0}}
	for i := range p.N {
		p.Values = append(p.Values, []float64{0.1, 4.0 / 3}[i%2]) // the pole of 4/3 lies at t = 3/4
	}
	for _, threads := range []int{1, 3} {
		p.Threads = threads
		r := run(t, p)
		if r.Failed != 20 {
			t.Errorf("%d failed", r.Failed)
		}
		for i := range p.N {
			x := []float64{r.Row(i, 0)[0], r.Row(i, 1)[0], r.Row(i, 2)[0]}
			if i%2 == 0 {
				if r.Status[i] != solve.Done || math.Abs(x[2]-1/(1-0.2)) > 1e-5 {
					t.Errorf("member %d: %v, %v", i, r.Status[i], x)
				}
				continue
			}
			if r.Status[i] == solve.Done || math.Abs(r.TEnd[i]-0.75) > 1e-3 || math.Abs(x[0]-3) > 1e-4 || !math.IsNaN(x[1]) || !math.IsNaN(x[2]) {
				t.Errorf("member %d: %v at %v, %v", i, r.Status[i], r.TEnd[i], x)
			}
		}
	}
	p.MaxSteps = 2
	if r := run(t, p); r.Failed != p.N || r.Status[0] != solve.MaxSteps {
		t.Errorf("%d failed, %v", r.Failed, r.Status[0])
	}
}

// TestRefused holds that calls that make no sense, or too much of it, are errors before anything is computed.
func TestRefused(t *testing.T) {
	for name, change := range map[string]func(p *ensemble.Problem){
		"no system":         func(p *ensemble.Problem) { p.Sys = nil },
		"no members":        func(p *ensemble.Problem) { p.N = 0 },
		"too few values":    func(p *ensemble.Problem) { p.Values = p.Values[1:] },
		"no such entry":     func(p *ensemble.Problem) { p.Vary = []int{0, 99} },
		"a negative entry":  func(p *ensemble.Problem) { p.Vary = []int{-1, 0} },
		"a tolerance":       func(p *ensemble.Problem) { p.Rtol = -1 },
		"times that return": func(p *ensemble.Problem) { p.Times = []float64{1, 0.5} },
		"a time outside":    func(p *ensemble.Problem) { p.Times = []float64{5} },
	} {
		p := predators(20)
		change(p)
		if r, err := ensemble.Run(context.Background(), p); err == nil || r != nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	p := predators(1000)
	p.MaxMemory = 1000*(4*2+2)*8 - 1
	_, err := ensemble.Run(context.Background(), p)
	var large *ensemble.MemoryError
	if !errors.As(err, &large) || large.Bytes != float64(p.MaxMemory+1) {
		t.Errorf("%v", err)
	}
	p.MaxMemory++
	run(t, p)
}

// TestCancel holds that a context ends a run in the middle, and what its cause was.
func TestCancel(t *testing.T) {
	p := predators(100_000)
	p.Times, p.Rtol = nil, 1e-10
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	p.Progress = func(done int) {
		if done > 100 {
			cancel(cause)
		}
	}
	start := time.Now()
	if r, err := ensemble.Run(ctx, p); r != nil || !errors.Is(err, cause) {
		t.Errorf("%v, %v", r, err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

// TestAllocations holds that members beyond the first cost a worker no allocation.
func TestAllocations(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	count := func(n int) float64 {
		p := predators(n)
		p.Threads = 1
		return testing.AllocsPerRun(3, func() { run(t, p) })
	}
	if few, many := count(10), count(500); many > few+3 {
		t.Errorf("%v allocations for 10 members, %v for 500", few, many)
	}
}
