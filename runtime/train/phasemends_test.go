package train

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
)

// rounds is a fit by multiple shooting, whose gaps must vanish, of which one state is measured.
func rounds(t *testing.T, stages ...Stage) Spec {
	t.Helper()
	lv := settable(testsys.LotkaVolterra(), []float64{1.2, 0.8})
	d := noisy(t, lv, append([]float64{1.5, 1, 3, 1, 1, 1}, lv.Defaults()[6:]...), span(0, 5, 25), 0.02, 1)
	d.Columns = d.Columns[:1]
	s := Spec{Sys: lv, Theta: []float64{1.2, 0.8, 3.5, 1.3, 1, 1, 1.2, 0, 0.8, 0}, Data: d, Stages: stages}
	var err error
	if s.Free, err = Select(lv, s.Theta, []string{"alpha", "gamma", "y"}, 0); err != nil {
		t.Fatal(err)
	}
	return cutting(s, Method{Segments: 3, Constraint: true})
}

// The gap that a round tells is that of where it ended, not of the last trial.
func TestGapOfTheBestPoint(t *testing.T) {
	for _, o := range []string{"cmaes", "adam", "bfgs", "lm"} {
		s := rounds(t, mustStage(t, o, map[string]float64{"iters": 12}))
		p, u := phaseOf(t, s, 0)
		r := p.(*round)
		m, err := Minimise(context.Background(), r, u, s.Stages, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		r.set(m.U)
		note := r.end(context.Background(), m.U)
		if told := r.largest; note == "" || !r.look(context.Background(), m.U) || told != r.largest {
			t.Errorf("%s: %v is told, and it is %v", o, told, r.largest)
		}
	}
}

// The price of gaps rises after a round that has not brought them down to a quarter: the first is compared with where it began.
func TestPriceOfGaps(t *testing.T) {
	s := rounds(t, mustStage(t, "bfgs", map[string]float64{"iters": 30}))
	type at struct{ penalty, before, largest float64 }
	var seen []at
	s.Snapshot = func(s *Snapshot) {
		if s.Iter > 0 || s.Phase != len(seen) {
			return
		}
		num := func(name string) float64 {
			return s.Kept[slices.IndexFunc(s.Kept, func(a Array) bool { return a.Name == name })].Values[0]
		}
		seen = append(seen, at{num("penalty"), num("before"), num("largest")})
	}
	fit(t, s)
	stayed, rose := 0, 0
	for k, now := range seen[1:min(len(seen), maxRounds)] {
		was := seen[k]
		want := was.penalty
		if now.largest > gapFall*now.before {
			rose++
			want *= priceRise
		} else {
			stayed++
		}
		if now.penalty != want || now.before != was.largest {
			t.Errorf("round %d: %+v after %+v", k+2, now, was)
		}
	}
	if stayed == 0 || rose == 0 {
		t.Errorf("the price rose %d times and stayed %d times", rose, stayed)
	}
}

// A fit that is stopped is stopped in what goes before the first evaluation too.
func TestStartsAreCancelled(t *testing.T) {
	stop, cancel := context.WithCancel(context.Background())
	cancel()
	s := rounds(t)
	f, err := prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	sh := f.phases[0].(*round).shots
	if x := sh.passes(stop, f.trial.tr[0]); x[0] != 1.2 || x[len(x)-2] != 1.2 {
		t.Errorf("it was solved up to %v", x[len(x)-2:])
	}
	if x := sh.passes(context.Background(), f.trial.tr[0]); x[len(x)-2] == 1.2 {
		t.Errorf("it was not solved: %v", x)
	}
	if u := f.phases[0].begin(stop); sh.look(stop, u) || !math.IsInf(sh.largest, 1) {
		t.Errorf("a look that was stopped tells %v", sh.largest)
	}

	// √x from 0 has no derivative there.
	sys := testsys.System("Root", []string{"x"}, []testsys.Param{{Name: "x0", Value: 0}}, testsys.Last(1),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr { return []testsys.Expr{x[0].Sqrt()} })
	root := Spec{Sys: sys, Data: &Data{Times: []float64{0, 1}, Columns: []Column{{Name: "x", Values: []float64{0, 1}}}}}
	if f, err = prepare(&root); err != nil {
		t.Fatal(err)
	}
	if f.trial.spoil(stop); f.trial.spoilt != nil {
		t.Errorf("it was looked for: %v", f.trial.spoilt)
	}
	if f.trial.spoil(context.Background()); f.trial.spoilt == nil {
		t.Error("no derivative is amiss")
	}
}

// A drawn start from which collocation has no finite value is one start that fails, as with shooting.
func TestStartsOfCollocation(t *testing.T) {
	sys := testsys.System("Log", []string{"x"}, []testsys.Param{{Name: "k", Value: 1}, {Name: "a", Value: 2}}, testsys.Fixed(2),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(x[0]).Mul(th[1].Log()).Neg()}
		})
	sys.Theta[0].Lo, sys.Theta[0].Hi = 0, 10
	sys.Theta[1].Lo, sys.Theta[1].Hi = -1, 3
	d := noisy(t, sys, []float64{1, 2}, span(0, 3, 12), 0.02, 1)
	for _, given := range []float64{2, -0.5} {
		s := Spec{Sys: sys, Theta: []float64{1, given}, Data: d, Starts: 6, Seed: 1}
		alone := fit(t, s)
		s.Methods = []Method{{Name: "collocation"}}
		r, err := Fit(context.Background(), s)
		if err != nil {
			t.Errorf("from a = %v: %v", given, err)
			continue
		}
		failed := 0
		for _, x := range r.Report.Starts {
			if x.Failed != "" {
				failed++
				if !strings.Contains(x.Failed, "collocation: the right-hand side of x' is not a number") {
					t.Error(x.Failed)
				}
			}
		}
		if failed == 0 || failed == 6 || math.Abs(r.Loss/alone.Loss-1) > 1e-6 {
			t.Errorf("from a = %v: %d starts failed, loss %v, by shooting %v", given, failed, r.Loss, alone.Loss)
		}
	}
	// Alone it is told as before, also behind another method.
	s := Spec{Sys: sys, Theta: []float64{1, -0.5}, Data: d, Methods: []Method{{Name: "collocation"}}}
	_, err := Fit(context.Background(), s)
	var m *MethodError
	var start *StartError
	if !errors.As(err, &m) || !errors.As(err, &start) || start.Help() != m.Help || !strings.HasPrefix(err.Error(), "collocation: the right-hand side") {
		t.Errorf("%v", err)
	}
	// What makes no sense ends all.
	s.Theta, s.Starts = []float64{1, 2}, 6
	few := d.rows(func(row int) bool { return row < 4 })
	if s.Data = few; true {
		if _, err := Fit(context.Background(), s); err == nil || !strings.Contains(err.Error(), "needs 5") {
			t.Errorf("%v", err)
		}
	}
}

// A trajectory without a value in the first part of a growing span is left out of that part, with what it has for itself.
func TestGrowingPastEmptyTrajectories(t *testing.T) {
	late := func() Spec {
		s := Spec{Sys: tank(), Trajectories: tanks(4, 4)}
		s.Theta, s.Free = freely(t, s.Sys, "k", "x")
		for _, k := range []int{0, 2} {
			for c := range s.Trajectories[k].Data.Columns {
				v := s.Trajectories[k].Data.Columns[c].Values
				for i := range 3 {
					v[i] = math.NaN()
				}
			}
		}
		return s
	}
	for _, kind := range []string{"", "normal"} {
		whole := late()
		whole.Compare.Kind = kind
		want := fit(t, whole)
		for _, stages := range [][]Stage{nil, {mustStage(t, "bfgs", nil)}} {
			s := late()
			s.Compare.Kind, s.Stages = kind, stages
			s.Methods = []Method{{Grow: GrowBy(4)}}
			r := fit(t, s)
			if math.Abs(r.Loss-want.Loss) > 1e-6*math.Abs(want.Loss) || math.Abs(r.Theta[0]-want.Theta[0]) > 1e-4 {
				t.Errorf("%q by %v: loss %v at %v, without growing %v at %v", kind, r.Report.Optimisers, r.Loss, r.Theta[0], want.Loss, want.Theta[0])
			}
		}
	}
	s := late()
	s.Methods = []Method{{Grow: GrowBy(4)}}
	p, u := phaseOf(t, s, 0)
	if tr := p.(*trial); len(tr.tr) != 2 || tr.Dim() != 5 {
		t.Errorf("%d trajectories and %d variables", len(tr.tr), tr.Dim())
	}
	for i := range u {
		u[i] += 0.1 * math.Sin(float64(i+1))
	}
	checkObjective(t, "part", p, u, 1e-5, 2e-5)
	g := make([]float64, len(u))
	if _, err := p.Eval(context.Background(), u, g); err != nil || g[1] != 0 || g[2] == 0 || g[3] != 0 || g[4] == 0 {
		t.Errorf("gradient %v, %v", g, err)
	}
	resumeAll(t, "with some left out", func() Spec {
		s := late()
		s.Compare.Kind = "normal"
		s.Methods, s.Stages = []Method{{Grow: GrowBy(4)}}, []Stage{mustStage(t, "bfgs", map[string]float64{"iters": 3})}
		return s
	})

	// Where none has a value, the method says so.
	s = late()
	for k := range s.Trajectories {
		for c := range s.Trajectories[k].Data.Columns {
			for i := range 3 {
				s.Trajectories[k].Data.Columns[c].Values[i] = math.NaN()
			}
		}
	}
	s.Methods = []Method{{Grow: GrowBy(4)}}
	var m *MethodError
	if _, err := Fit(context.Background(), s); !errors.As(err, &m) || !strings.Contains(err.Error(), "all values are missing") || m.Help != "begin with a longer part" {
		t.Errorf("%v", err)
	}
}

// What a fit from several starts keeps of each after every iteration does not grow with its history, and is a copy of the rest.
func TestStartsShareHistories(t *testing.T) {
	const n = 5000
	h := make([]Point, n)
	best := []float64{1, 2}
	var last *Snapshot
	from := &Snapshot{Starts: []*Snapshot{{Best: []float64{7}, History: h[:1]}, nil}}
	w := newWatch(&Spec{Snapshot: func(s *Snapshot) { last = s }, Resume: from}, 2)
	var one Spec
	w.over(&one, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for k := 1; k <= n; k++ {
		best[0] = float64(k)
		one.Snapshot(&Snapshot{Best: best, History: h[:k], Iter: k, Arrays: []Array{{"step", best}}, Kept: []Array{{"price", best}}, Held: best[:1], BestLoss: -float64(k)})
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / n; each > 4096 {
		t.Errorf("an iteration takes %d bytes", each)
	}
	best[0] = -1
	s := last.Starts[0]
	if last.Iter != n || len(last.Starts) != 2 || last.Starts[1] != nil || s.Best[0] != n || s.Arrays[0].Values[0] != n || s.Kept[0].Values[0] != n || s.Held[0] != n || len(s.History) != n {
		t.Errorf("%+v", s)
	}
	if got := from.Starts[0]; got.Best[0] != 7 || len(got.History) != 1 {
		t.Error("the snapshot that it went on from was written to")
	}
}
