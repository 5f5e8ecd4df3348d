package train

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
)

// resumeAll fits, and again from each snapshot on: all must end at the same bits, with the same history and report.
func resumeAll(t *testing.T, name string, spec func() Spec) (shots []*Snapshot) {
	t.Helper()
	s := spec()
	s.Snapshot = func(s *Snapshot) { shots = append(shots, s.Clone()) }
	want, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	told := func(r *Result) string {
		s := fmt.Sprint(r.Theta, r.Own, r.Loss, r.Status, r.Report.Evals, r.Report.AIC, r.Report.Held, r.History)
		for _, c := range r.Report.Columns {
			s += fmt.Sprint(c.SD, c.RMSE)
		}
		for _, p := range r.Report.Phases {
			p.Elapsed = 0
			s += fmt.Sprintf("%+v", p)
		}
		return s
	}
	bad := 0
	for k, from := range shots {
		if testing.Short() && k%9 != 0 { // with the race detector a fit takes ten times as long
			continue
		}
		s := spec()
		s.Resume = from
		r, err := Fit(context.Background(), s)
		if err != nil {
			t.Fatalf("%s, snapshot %d: %v", name, k, err)
		}
		if told(r) == told(want) {
			continue
		}
		if bad++; bad < 4 {
			t.Errorf("%s, from snapshot %d of %d, phase %d, iteration %d of %s: loss %v after %d evaluations, not %v after %d\n%+v\n%+v", name, k, len(shots), from.Phase, from.Iter, from.Optimiser,
				r.Loss, r.Report.Evals, want.Loss, want.Report.Evals, r.Report.Phases, want.Report.Phases)
		}
	}
	if bad > 0 {
		t.Errorf("%s: %d of %d snapshots end elsewhere", name, bad, len(shots))
	}
	return shots
}

// From a snapshot of any round a fit by multiple shooting ends at the same bits: multipliers, prices, gaps and the deviations of likelihoods are part of it.
func TestResumeMultipleShooting(t *testing.T) {
	lv := settable(testsys.LotkaVolterra(), []float64{1.2, 0.8})
	d := noisy(t, lv, append([]float64{1.5, 1, 3, 1, 1, 1}, lv.Defaults()[6:]...), span(0, 5, 25), 0.02, 1)
	one := *d
	one.Columns = d.Columns[:1]
	of := func(kind string, d *Data, m Method, stages ...Stage) func() Spec {
		return func() Spec {
			s := Spec{Sys: lv, Theta: []float64{1.2, 0.8, 3.5, 1.3, 1, 1, 1.2, 0, 0.8, 0}, Data: d, Compare: LossSpec{Kind: kind}, Stages: stages}
			var err error
			if s.Free, err = Select(lv, s.Theta, []string{"alpha", "gamma", "y"}, 0); err != nil {
				t.Fatal(err)
			}
			return cutting(s, m)
		}
	}
	many := func(stages ...Stage) func() Spec {
		return func() Spec {
			s := Spec{Sys: tank(), Trajectories: tanks(6, 4), Stages: stages}
			s.Theta, s.Free = freely(t, s.Sys, "k", "x")
			return cutting(s, Method{Segments: 3, Constraint: true})
		}
	}
	bfgs, lbfgs := mustStage(t, "bfgs", map[string]float64{"iters": 6}), mustStage(t, "lbfgs", map[string]float64{"iters": 4})
	free := Method{Segments: 3, Constraint: true}
	shots := resumeAll(t, "constraint by bfgs", of("", &one, free, bfgs))
	phases := map[int]bool{}
	for _, s := range shots {
		phases[s.Phase] = true
	}
	if len(phases) < 4 {
		t.Errorf("only %d rounds were resumed", len(phases))
	}
	resumeAll(t, "constraint by lm", of("", &one, free))
	resumeAll(t, "prices, normal", of("normal", d, Method{Segments: 3, Penalties: []float64{1, 100}}))
	resumeAll(t, "prices, student_t", of("student_t", d, Method{Segments: 3, Penalties: []float64{1, 100}}, bfgs))
	resumeAll(t, "constraint, student_t by cmaes", of("student_t", d, free, mustStage(t, "cmaes", map[string]float64{"iters": 2})))
	resumeAll(t, "several trajectories by lm", many())
	resumeAll(t, "several trajectories by lbfgs", many(lbfgs))
	// The deviations that multiple shooting settles are those of least squares behind what follows it.
	chain := of("normal", d, Method{Segments: 3})
	resumeAll(t, "collocation behind it", func() Spec {
		s := chain()
		s.Methods = append(s.Methods, Method{Name: "collocation"})
		return s
	})

	s := of("", &one, free, bfgs)()
	s.Resume = shots[len(shots)/2].Clone()
	s.Resume.Kept = s.Resume.Kept[:1]
	var e *SnapshotError
	if _, err := Fit(context.Background(), s); !errors.As(err, &e) {
		t.Errorf("a snapshot without multipliers: %v", err)
	}
}

// So it is with what else a fit can be made of: phases, likelihoods, early stopping, batches, prices and several starts together.
func TestResumeEverything(t *testing.T) {
	adam, bfgs := mustStage(t, "adam", map[string]float64{"iters": 6}), mustStage(t, "bfgs", map[string]float64{"iters": 4})
	many := func() Spec {
		s := Spec{Sys: tank(), Trajectories: tanks(6, 4), Seed: 2, Stages: []Stage{adam, bfgs}}
		s.Theta, s.Free = freely(t, s.Sys, "k", "x")
		return s
	}
	resumeAll(t, "starts, batches, patience", func() Spec {
		s := many()
		s.Starts, s.Threads = 3, 1
		s.HeldOut.Last, s.Patience = 0.2, 4
		s.Methods = []Method{{Grow: []float64{0.5}}, {Batch: 3, Window: 4}}
		s.Compare = LossSpec{Kind: "normal"}
		return s
	})
	resumeAll(t, "starts of multiple shooting", func() Spec {
		s := many()
		s.Trajectories = s.Trajectories[:3]
		s.Starts, s.Threads, s.Stages = 2, 1, []Stage{mustStage(t, "bfgs", map[string]float64{"iters": 2})}
		s.Compare = LossSpec{Kind: "student_t"}
		return cutting(s, Method{Segments: 2, Constraint: true})
	})
	resumeAll(t, "windows, patience, prices", func() Spec {
		s := many()
		s.Methods = []Method{{Batch: 3, Window: 4}}
		s.HeldOut.Trajectories, s.Patience = []int{5}, 6
		s.Regularise = []Regular{{Name: "k", Kind: "l2", Values: map[string]float64{"weight": 3}}}
		s.Stages = []Stage{mustStage(t, "adabelief", map[string]float64{"iters": 12}), mustStage(t, "radam", map[string]float64{"iters": 6})}
		return s
	})
	resumeAll(t, "growing normal", func() Spec {
		s := many()
		s.Methods, s.Stages = []Method{{Grow: GrowBy(2)}}, nil
		s.Compare = LossSpec{Kind: "normal"}
		return s
	})
	resumeAll(t, "collocation, patience, cmaes", func() Spec {
		s := decays(t, 0.02)
		s.Methods, s.Stages = []Method{{Name: "collocation"}}, []Stage{mustStage(t, "cmaes", map[string]float64{"iters": 6}), bfgs}
		s.HeldOut.Last, s.Patience = 0.3, 4
		s.Compare = LossSpec{Kind: "normal"}
		return s
	})
}
