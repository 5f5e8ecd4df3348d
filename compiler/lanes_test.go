package compiler_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/runtime/ensemble"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// varied is an ensemble over two parameters and an initial value.
func varied(tb testing.TB, s *system.System, n int) *ensemble.Problem {
	p := &ensemble.Problem{Sys: s, T1: 10, N: n, Rtol: 1e-6, Atol: 1e-8, Theta: s.Defaults()}
	r := rand.New(rand.NewPCG(3, 4))
	a, x, on := s.Find("a", system.RoleParam), s.Find("x", system.RoleInit), s.Find("x", system.RoleFlag)
	if a == nil || x == nil || on == nil {
		tb.Fatal("not the system that was expected")
	}
	p.Theta[on.Off] = 1
	p.Vary = []int{a.Off, x.Off}
	for range n {
		p.Values = append(p.Values, 1+r.Float64(), 0.5+r.Float64())
	}
	return p
}

// TestEnsembleLanes holds that the numbers of an ensemble depend neither on lanes' width nor on threads, to the bit, and that they are those of single solves.
func TestEnsembleLanes(t *testing.T) {
	for _, name := range []string{"lv", "ude"} {
		s := compileWith(t, shapes[name], code.Options{}).System
		if _, err := s.Lanes(method.Default(), nil, true); err != nil {
			without(t, s)
		}
		for _, times := range [][]float64{nil, {0, 0.5, 3, 9.25, 10}} {
			p := varied(t, s, 150)
			p.Times = times
			var first *ensemble.Result
			for _, w := range code.Widths() {
				for _, threads := range []int{1, 2, 5} {
					sys := *s
					sys.Lanes = compiler.LanesOfWidth(s, w)
					p.Sys, p.Threads = &sys, threads
					r, err := ensemble.Run(context.Background(), p)
					if err != nil {
						t.Fatal(err)
					}
					if r.Lanes < w || r.Failed > 0 {
						t.Fatalf("%d lanes, %d failed", r.Lanes, r.Failed)
					}
					if first == nil {
						first = r
					}
					for i, v := range r.X {
						if v != first.X[i] {
							t.Fatalf("%s, %d lanes, %d threads: number %d is %v, not %v", name, w, threads, i, v, first.X[i])
						}
					}
					if r.Stats != first.Stats {
						t.Errorf("%+v, not %+v", r.Stats, first.Stats)
					}
				}
			}
			for i := 0; i < p.N; i += 37 {
				th := append([]float64(nil), p.Theta...)
				for n, v := range p.Vary {
					th[v] = p.Values[i*2+n]
				}
				sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: s, T1: 10, Times: first.T, Rtol: 1e-6, Atol: 1e-8, Theta: th})
				if err != nil {
					t.Fatal(err)
				}
				for k := range sol.X {
					if got := first.X[i*len(sol.X)+k]; !(math.Abs(got-sol.X[k]) <= 1e-8*(1+math.Abs(sol.X[k]))) {
						t.Fatalf("%s member %d: number %d is %v, alone %v", name, i, k, got, sol.X[k])
					}
				}
			}
		}
	}
}

// TestEnsembleFailures holds that a member that stops early says why and leaves the others alone, with lanes as without.
func TestEnsembleFailures(t *testing.T) {
	s := compileWith(t, `model M { param a = 1, b = 0; state x = 1, y = 1; x' = a*x*x; y' = sqrt(b - t) }`, code.Options{}).System
	p := varied(t, s, 40)
	p.T1, p.Times, p.MaxSteps = 2, []float64{0.1, 0.3, 2}, 2000
	b := s.Find("b", system.RoleParam)
	p.Vary = append(p.Vary, b.Off)
	p.Values = nil
	for i := range p.N {
		a, end := 0.1, 3.0
		switch i % 4 {
		case 1:
			a = 2 // a pole at t = 0.5
		case 2:
			end = 0.2 // not a number from t = 0.2
		case 3:
			end = math.NaN()
		}
		p.Values = append(p.Values, a, 1, end)
	}
	for _, alone := range []bool{false, true} {
		p.NoLanes = alone
		r, err := ensemble.Run(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		if r.Failed != 30 {
			t.Errorf("%d failed", r.Failed)
		}
		for i := range p.N {
			want := []solve.Status{solve.Done, solve.StepTooSmall, solve.NonFinite, solve.NonFinite}[i%4]
			reached := []int{3, 2, 1, 0}[i%4]
			if r.Status[i] != want {
				t.Errorf("alone %v: member %d is %v, want %v (t = %v)", alone, i, r.Status[i], want, r.TEnd[i])
			}
			for k := range 3 {
				if nan := math.IsNaN(r.Row(i, k)[0]); nan != (k >= reached) {
					t.Errorf("alone %v: member %d output %d: %v", alone, i, k, r.Row(i, k))
				}
			}
		}
	}
	p.MaxSteps = 3
	for _, alone := range []bool{false, true} {
		p.NoLanes = alone
		r, err := ensemble.Run(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		if r.Status[0] != solve.MaxSteps || r.Stats.Steps+r.Stats.Rejected > 3*p.N {
			t.Errorf("alone %v: %v, %+v", alone, r.Status[0], r.Stats)
		}
	}
}

func BenchmarkEnsemble(b *testing.B) {
	for _, name := range []string{"lv", "ude"} {
		s := compileWith(b, shapes[name], code.Options{}).System
		for _, c := range []struct {
			name  string
			times []float64
			alone bool
		}{{"end", nil, false}, {"100 outputs", hundred(), false}, {"one by one", nil, true}} {
			p := varied(b, s, 2000)
			p.Rtol, p.Atol, p.Times, p.NoLanes = 1e-8, 1e-8, c.times, c.alone
			b.Run(name+"/"+c.name, func(b *testing.B) {
				for b.Loop() {
					if _, err := ensemble.Run(context.Background(), p); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*p.N), "ns/member")
			})
		}
	}
}

func hundred() (t []float64) {
	for i := range 100 {
		t = append(t, 0.1*float64(i+1))
	}
	return t
}

// TestNoLanes holds that an ensemble says why it has no lanes, in the words of who refused.
func TestNoLanes(t *testing.T) {
	s := compileWith(t, shapes["lv"], code.Options{}).System
	if _, err := s.Lanes(method.Default(), nil, false); err != nil {
		without(t, s)
	}
	p := varied(t, s, 3)
	p.Method, _ = method.Lookup("Vern7")
	r, err := ensemble.Run(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if r.Lanes != 1 || r.Why != "Vern7 does not hand on its last stage" {
		t.Errorf("%d lanes, %q", r.Lanes, r.Why)
	}
}

// TestEnsembleRosenbrock is TestEnsembleLanes for a stiff system.
func TestEnsembleRosenbrock(t *testing.T) {
	s := compileWith(t, problems["robertson"], code.Options{}).System
	r := rand.New(rand.NewPCG(5, 6))
	p := &ensemble.Problem{Sys: s, T1: 400, N: 100, Rtol: 1e-7, Atol: 1e-10, Theta: s.Defaults(), Times: []float64{0, 0.4, 4, 39.5, 400}}
	k1, k3, x, on := s.Find("k1", system.RoleParam), s.Find("k3", system.RoleParam), s.Find("y1", system.RoleInit), s.Find("y1", system.RoleFlag)
	p.Theta[on.Off] = 1
	p.Vary = []int{k1.Off, k3.Off, x.Off}
	for range p.N {
		p.Values = append(p.Values, 0.04*(0.5+r.Float64()), 1e4*(0.5+r.Float64()), 0.5+r.Float64())
	}
	for _, m := range rosenbrocks() {
		if _, err := s.Lanes(m, p.Vary, true); err != nil {
			without(t, s)
		}
		p.Method = m
		var first *ensemble.Result
		for _, w := range code.Widths() {
			for _, threads := range []int{1, 3} {
				sys := *s
				sys.Lanes = compiler.LanesOfWidth(s, w)
				p.Sys, p.Threads = &sys, threads
				got, err := ensemble.Run(context.Background(), p)
				if err != nil {
					t.Fatal(err)
				}
				if got.Lanes < w || got.Failed > 0 {
					t.Fatalf("%d lanes, %d failed", got.Lanes, got.Failed)
				}
				if first == nil {
					first = got
				}
				for i, v := range got.X {
					if v != first.X[i] {
						t.Fatalf("%s, %d lanes, %d threads: number %d is %v, not %v", m.Name, w, threads, i, v, first.X[i])
					}
				}
				if got.Stats != first.Stats {
					t.Errorf("%+v, not %+v", got.Stats, first.Stats)
				}
			}
		}
		for i := 0; i < p.N; i += 13 {
			th := append([]float64(nil), p.Theta...)
			for n, v := range p.Vary {
				th[v] = p.Values[i*3+n]
			}
			sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: s, Method: m, T1: 400, Times: p.Times, Rtol: 1e-7, Atol: 1e-10, Theta: th})
			if err != nil {
				t.Fatal(err)
			}
			for k := range sol.X {
				if got := first.X[i*len(sol.X)+k]; !(math.Abs(got-sol.X[k]) <= 1e-9+1e-6*math.Abs(sol.X[k])) {
					t.Fatalf("%s member %d: number %d is %v, alone %v", m.Name, i, k, got, sol.X[k])
				}
			}
		}
	}
}

// TestEnsembleDoubt holds that members whose steps are in doubt are solved all the same.
func TestEnsembleDoubt(t *testing.T) {
	// A pivot on the diagonal vanishes where a/(hγ) − a does, whichever comes first; the other entries are large.
	s := compileWith(t, `model M { param a = 1, b = 1; state x = 1, y = 1; x' = a*x - 1e7*b*y; y' = 1e7*b*x + a*y }`, code.Options{}).System
	a, b := s.Find("a", system.RoleParam), s.Find("b", system.RoleParam)
	m, _ := method.Find("Rodas4")
	p := &ensemble.Problem{Sys: s, Method: m, T1: 3, N: 20, Rtol: 0.9, Atol: 1e9, Theta: s.Defaults(), Vary: []int{a.Off, b.Off}}
	for i := range p.N {
		p.Values = append(p.Values, 0.2+0.37*float64(i%7), []float64{0, 1}[i%2])
	}
	lanes, err := s.Lanes(m, p.Vary, false)
	if err != nil {
		without(t, s)
	}
	// A lane by hand: the first step is where the pivots vanish.
	l := lanes()
	l.Prepare(p.Theta, system.LaneSettings{Rtol: 0.9, Atol: []float64{1e9, 1e9}, Hmax: 10, T1: 10, MaxSteps: 100})
	gamma := m.(*method.Rosenbrock).Gamma
	l.Load(0, 0, 10, 1/gamma, []float64{1, 1}, []float64{0, 0}, []float64{1, 1})
	l.Load(1, 0, 10, 1/gamma, []float64{1, 1}, []float64{0, 0}, []float64{-1, 0})
	l.Run(1)
	if st := l.State(0, nil); st.Status != system.LaneDoubt || st.Accepted != 0 {
		t.Errorf("a lane in doubt is %+v", st)
	}
	if st := l.State(1, nil); st.Status != system.LaneRunning || st.Accepted != 1 {
		t.Errorf("its neighbour is %+v", st)
	}
	for _, alone := range []bool{false, true} {
		p.NoLanes = alone
		r, err := ensemble.Run(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		if r.Failed > 0 {
			t.Errorf("alone %v: %d failed", alone, r.Failed)
		}
	}
}

func BenchmarkEnsembleRosenbrock(b *testing.B) {
	for _, name := range []string{"robertson", "hires", "pollu"} {
		s := compileWith(b, problems[name], code.Options{}).System
		m, _ := method.Find("Rodas5P")
		for _, alone := range []bool{false, true} {
			p := &ensemble.Problem{Sys: s, Method: m, T1: 40, N: 1000, Rtol: 1e-6, Atol: 1e-9, NoLanes: alone, Threads: 1, Vary: []int{0}, Theta: s.Defaults()}
			for i := range p.N {
				p.Values = append(p.Values, p.Theta[0]*(1+float64(i)/2000))
			}
			b.Run(fmt.Sprintf("%s/alone=%v", name, alone), func(b *testing.B) {
				steps := 0
				for b.Loop() {
					r, err := ensemble.Run(context.Background(), p)
					if err != nil {
						b.Fatal(err)
					}
					steps += r.Stats.Steps + r.Stats.Rejected
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
			})
		}
	}
}
