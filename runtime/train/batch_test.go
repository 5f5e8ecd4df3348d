package train

import (
	"context"
	"math"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/system"
)

// A batch that has nothing to say, here a window of the initial value alone, ends no training. No window within the data has nothing to say.
func TestBatchesWithoutValues(t *testing.T) {
	nan := math.NaN()
	sys := testsys.System("D", []string{"x"}, []testsys.Param{{Name: "k", Value: 1}, {Name: "x", Value: 2}, {Name: "x", Value: 0}},
		func(th []testsys.Expr) []testsys.Expr {
			one := th[0].Const(1)
			return []testsys.Expr{th[2].Mul(th[1]).Add(one.Sub(th[2]).Times(2))}
		},
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(x[0]).Neg()}
		})
	sys.Theta[1].Role, sys.Theta[2].Role = system.RoleInit, system.RoleFlag
	late := &Data{Times: []float64{0, 0.5, 1, 1.5, 2}, Columns: []Column{{Name: "x", Values: []float64{2, nan, nan, 0.9, 0.7}}}}
	full := &Data{Times: []float64{0, 0.5, 1, 1.5, 2}, Columns: []Column{{Name: "x", Values: []float64{2, 1.5, 1.2, 0.9, 0.7}}}}
	never := &Data{Times: []float64{0, 0.5, 1}, Columns: []Column{{Name: "x", Values: []float64{2, nan, nan}}}}
	s := Spec{Sys: sys, Trajectories: []Trajectory{{Data: late}, {Data: full}, {Data: never}}, Methods: []Method{{Batch: 1, Window: 2}}, Seed: 1,
		Stages: []Stage{mustStage(t, "adam", map[string]float64{"iters": 60, "rate": 0.02})}}
	f, err := prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	b := f.phases[0].(*trial).batch
	if len(b.begin[0]) != 1 || b.begin[0][0] != 3 || len(b.begin[1]) != 4 || len(b.begin[2]) != 1 {
		t.Errorf("windows begin at %v", b.begin)
	}
	if r := fit(t, s); r.Report.Iters != 60 || r.Status != Done || !(math.Abs(r.Theta[0]-0.53) < 0.1) {
		t.Errorf("%v after %d iterations at k = %v", r.Status, r.Report.Iters, r.Theta[0])
	}
	// Where the initial value is free, that it was measured says something.
	th := sys.Defaults()
	if s.Free, err = Select(sys, th, []string{"k", "x"}, 0); err != nil {
		t.Fatal(err)
	}
	s.Theta = th
	if f, err = prepare(&s); err != nil {
		t.Fatal(err)
	}
	if b = f.phases[0].(*trial).batch; len(b.begin[0]) != 2 {
		t.Errorf("with free initial values windows begin at %v", b.begin)
	}
}

// The gradient over windows within the data is that of differences by what is free, the initial value of a latent state too: a window begins with
// that, since nothing measures it.
func TestWindowsOfLatentStates(t *testing.T) {
	lv := settable(testsys.LotkaVolterra(), []float64{1.2, 0.8})
	d := noisy(t, lv, append([]float64{1.5, 1, 3, 1, 1, 1}, lv.Defaults()[6:]...), span(0, 5, 25), 0.02, 1)
	d.Columns = d.Columns[:1]
	lv.Latent = []bool{false, true}
	for _, gradient := range []string{"discrete", "forward"} {
		s := Spec{Sys: lv, Theta: []float64{1.2, 0.8, 3.5, 1.3, 1, 1, 1.2, 0, 0.8, 0}, Data: d, Methods: []Method{{Window: 5}}, Gradient: gradient}
		var err error
		if s.Free, err = Select(lv, s.Theta, []string{"alpha", "x", "y"}, 0); err != nil {
			t.Fatal(err)
		}
		s.Problem.Rtol, s.Problem.Atol = 1e-10, 1e-10
		f, err := prepare(&s)
		if err != nil {
			t.Fatal(err)
		}
		tr := f.phases[0].(*trial)
		within := 0
		for iter := 1; iter < 4; iter++ {
			tr.Iteration(0, iter)
			if tr.legs[0].lo > 0 {
				within++
			}
			u := tr.start()
			g := make([]float64, len(u))
			if _, err := tr.Eval(context.Background(), u, g); err != nil {
				t.Fatal(err)
			}
			for i := range u {
				const h = 1e-5
				w := append([]float64(nil), u...)
				w[i] += h
				up, _ := tr.Eval(context.Background(), w, nil)
				w[i] -= 2 * h
				down, _ := tr.Eval(context.Background(), w, nil)
				if want := (up - down) / (2 * h); math.Abs(g[i]-want) > 1e-5*norm2(g) {
					t.Errorf("%s, rows from %d: by %s %v, by differences %v", gradient, tr.legs[0].lo, tr.vars[i].name, g[i], want)
				}
			}
		}
		if within == 0 {
			t.Error("no window was within the data")
		}
	}
}
