package solve_test

import (
	"context"
	"math"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
)

// adaptive are the methods that choose their steps.
func adaptive() []*method.RK {
	return slices.DeleteFunc(method.All(), func(m *method.RK) bool { return !m.Adaptive() })
}

// Outputs are read off the dense output: they change neither the steps nor each other.
func TestOutputsForceNoStep(t *testing.T) {
	lv := testsys.LotkaVolterra()
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(adaptive()).Draw(t, "method")
		times := rapid.SliceOfN(rapid.Float64Range(0, 5), 0, 20).Draw(t, "times")
		slices.Sort(times)
		p := solve.Problem{Sys: lv, Method: m, T1: 5, Rtol: 1e-5, Atol: 1e-5}
		free, err := solve.Solve(context.Background(), &p)
		if err != nil {
			t.Fatal(err)
		}
		p.Times = times
		s, err := solve.Solve(context.Background(), &p)
		if err != nil || s.Status != solve.Done {
			t.Fatal(err, s)
		}
		if !slices.Equal(s.Mesh(), free.Mesh()) || !slices.Equal(s.T, times) {
			t.Fatal("the outputs change the steps")
		}
		out := make([]float64, 2)
		for i, at := range times {
			if err := free.At(at, out); err != nil || !slices.Equal(out, s.Row(i)) {
				t.Fatalf("%s: output %v at %v, At gives %v, %v", m.Name, s.Row(i), at, out, err)
			}
		}
	})
}

// The dense output passes through the ends of the steps without a jump.
func TestDenseIsContinuous(t *testing.T) {
	for _, m := range adaptive() {
		s := run(t, &solve.Problem{Sys: testsys.LotkaVolterra(), Method: m, T1: 5})
		left, right := make([]float64, 2), make([]float64, 2)
		for _, at := range s.Mesh()[1 : s.NumSteps()-1] {
			if s.At(math.Nextafter(at, 0), left) != nil || s.At(math.Nextafter(at, 9), right) != nil {
				t.Fatal("At refuses within the solution")
			}
			for j := range left {
				if math.Abs(left[j]-right[j]) > 1e-13*(1+math.Abs(left[j])) {
					t.Errorf("%s: a jump at %v, %v to %v", m.Name, at, left, right)
				}
			}
		}
	}
}

// There and back again.
func TestBackwards(t *testing.T) {
	for _, m := range adaptive() {
		if m.Order < 3 {
			continue
		}
		p := solve.Problem{Sys: testsys.LotkaVolterra(), Method: m, T1: 3, Rtol: 1e-9, Atol: 1e-9}
		there := run(t, &p)
		p.X0, p.T0, p.T1 = slices.Clone(there.XEnd), 3, 0
		p.Times = []float64{3, 2, 1, 0}
		back := run(t, &p)
		if back.Status != solve.Done || back.TEnd != 0 || math.Abs(back.XEnd[0]-1) > 1e-6 || math.Abs(back.XEnd[1]-1) > 1e-6 {
			t.Errorf("%s comes back to %v at %v, %v", m.Name, back.XEnd, back.TEnd, back.Status)
		}
		out := make([]float64, 2)
		for i, at := range p.Times {
			if err := there.At(at, out); err != nil || math.Abs(out[0]-back.Row(i)[0]) > 1e-6 {
				t.Errorf("%s: %v there, %v back", m.Name, out, back.Row(i))
			}
			if err := back.At(at, out); err != nil || out[0] != back.Row(i)[0] {
				t.Errorf("%s: At(%v) = %v, output %v, %v", m.Name, at, out, back.Row(i), err)
			}
		}
		if err := back.At(3.5, out); err == nil {
			t.Error("At accepts a time before the start")
		}
	}
}

func TestOutputs(t *testing.T) {
	lv := testsys.LotkaVolterra()
	// Every step, with the start and exactly the end.
	s := run(t, &solve.Problem{Sys: lv, T1: 3})
	if !slices.Equal(s.T, s.Mesh()) || s.T[0] != 0 || s.T[len(s.T)-1] != 3 || len(s.X) != 2*len(s.T) {
		t.Error("every step is not every step")
	}
	// None.
	if s = run(t, &solve.Problem{Sys: lv, T1: 3, Times: []float64{}}); len(s.T) != 0 || s.Status != solve.Done {
		t.Error(s.T)
	}
	// Twice the same, the start, the end, and the end but for rounding.
	want := []float64{0, 0, 1, 1, 3, 3 * (1 + 2e-16)}
	s = run(t, &solve.Problem{Sys: lv, T1: 3, Times: want})
	if !slices.Equal(s.T, want) || s.Row(2)[0] != s.Row(3)[0] || s.Row(5)[0] != s.XEnd[0] || s.Row(0)[0] != 1 {
		t.Error(s.T, s.X)
	}
	if out := make([]float64, 2); s.At(want[5], out) != nil || out[0] != s.XEnd[0] {
		t.Error("At refuses the end but for rounding")
	}
	// A span of no length.
	s = run(t, &solve.Problem{Sys: lv, T0: 3, T1: 3})
	if s.Status != solve.Done || len(s.T) != 1 || s.Stats.Steps != 0 {
		t.Error(s.Status, s.T)
	}
}

// The same steps again give the same bits, and so does everything else.
func TestDeterminism(t *testing.T) {
	var ws solve.Workspace
	for range 2 {
		for _, m := range method.All() {
			p := &solve.Problem{Sys: testsys.LotkaVolterra(), Method: m, T1: 7, Times: []float64{0, 0.1, 3.3, 7}}
			if !m.Adaptive() {
				p.Step = 0.01
			}
			a := run(t, p)
			b, err := ws.Solve(context.Background(), p)
			if err != nil || !slices.Equal(a.X, b.X) || a.Stats != b.Stats {
				t.Errorf("%s: a workspace gives %v, a fresh solve %v", m.Name, b.X, a.X)
			}
			q := *p
			q.Step, q.Mesh = 0, a.Mesh()
			c := run(t, &q)
			for i := range a.X {
				// The step sizes are the same to rounding.
				if math.Abs(a.X[i]-c.X[i]) > 1e-12*math.Abs(a.X[i]) {
					t.Errorf("%s: along its mesh %v, before %v", m.Name, c.X[i], a.X[i])
				}
			}
			if !slices.Equal(a.Mesh(), c.Mesh()) {
				t.Errorf("%s: the mesh is not kept", m.Name)
			}
		}
	}
}

func TestAtFromManyGoroutines(t *testing.T) {
	s := run(t, &solve.Problem{Sys: testsys.LotkaVolterra(), Method: mustMethod(t, "Vern7"), T1: 5})
	want := make([]float64, 2)
	if err := s.At(1.234, want); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			out := make([]float64, 2)
			for k := range 100 {
				_ = s.At(float64((g*31+k*17)%50)/10, out)
				if err := s.At(1.234, out); err != nil || !slices.Equal(out, want) {
					t.Errorf("%v, %v", out, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestStepLimits(t *testing.T) {
	lv := testsys.LotkaVolterra()
	s := run(t, &solve.Problem{Sys: lv, T1: 5, Hmax: 0.01})
	if s.Stats.Largest > 0.01*1.001 || s.Stats.Steps < 500 {
		t.Errorf("%+v", s.Stats)
	}
	s = run(t, &solve.Problem{Sys: lv, T1: 5, H0: 1e-4})
	if s.Stats.First != 1e-4 {
		t.Errorf("%+v", s.Stats)
	}
	s = run(t, &solve.Problem{Sys: lv, T1: 5, Hmin: 0.5})
	wantFault(t, s, solve.StepTooSmall)
	// A fixed step with an adaptive method is left alone, and its last step fits.
	s = run(t, &solve.Problem{Sys: lv, T1: 1, Step: 0.3})
	want := []float64{0, 0.3, 0.6, 0.9, 1}
	for i, v := range s.T {
		if len(s.T) != len(want) || math.Abs(v-want[i]) > 1e-15 {
			t.Fatal(s.T)
		}
	}
	// A tenth, a hundred times, is ten: no sliver is left over.
	if s = run(t, &solve.Problem{Sys: lv, T1: 10, Step: 0.1}); s.Stats.Steps != 100 || s.TEnd != 10 {
		t.Errorf("%+v", s.Stats)
	}
}

// Per-state tolerances bind where they are tight.
func TestAtolVec(t *testing.T) {
	p := solve.Problem{Sys: testsys.LotkaVolterra(), T1: 5, Rtol: 1e-3, Atol: 1e-3}
	loose := run(t, &p)
	p.AtolVec = []float64{1e-3, 1e-3}
	if s := run(t, &p); s.Stats != loose.Stats {
		t.Error("a vector of equal tolerances is not one tolerance")
	}
	p.Rtol, p.AtolVec = 1e-12, []float64{1e-3, 1e-10}
	if s := run(t, &p); s.Stats.Steps < 3*loose.Stats.Steps {
		t.Errorf("%d steps, %d before", s.Stats.Steps, loose.Stats.Steps)
	}
}

func TestNoAllocations(t *testing.T) {
	lv := testsys.LotkaVolterra()
	times := make([]float64, 200)
	for i := range times {
		times[i] = float64(i) / 2
	}
	for _, m := range method.All() {
		p := &solve.Problem{Sys: lv, Theta: lv.Defaults(), Method: m, T1: 1e9, Step: 0.01, MaxSteps: 1 << 40}
		if m.Adaptive() {
			p.Step = 0
		}
		st, err := solve.NewStepper(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float64, 2)
		if n := testing.AllocsPerRun(200, func() {
			st.Step()
			from, h := st.Last()
			st.Interpolate(from+0.3*h, out)
		}); n != 0 {
			t.Errorf("%s: %v allocations per step", m.Name, n)
		}
		// A whole solve in a workspace, dense output and all.
		p.T1, p.Times = 10, times[:20]
		var ws solve.Workspace
		solveOnce := func() {
			if s, err := ws.Solve(context.Background(), p); err != nil || s.Status != solve.Done {
				t.Fatal(err, s)
			}
		}
		if n := testing.AllocsPerRun(2, solveOnce); n > 2 {
			t.Errorf("%s: %v allocations per solve of a workspace", m.Name, n)
		}
	}
}

func BenchmarkLotkaVolterraTsit5(b *testing.B) {
	lv := testsys.LotkaVolterra()
	p := &solve.Problem{Sys: lv, Theta: lv.Defaults(), T1: 10, Rtol: 1e-8, Atol: 1e-8, Times: []float64{}}
	var ws solve.Workspace
	steps := 0
	b.ReportAllocs()
	for b.Loop() {
		s, err := ws.Solve(context.Background(), p)
		if err != nil {
			b.Fatal(err)
		}
		steps += s.Stats.Steps
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
}
