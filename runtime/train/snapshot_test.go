package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// sameBits compares what must not depend on an interruption.
func sameBits(t *testing.T, name string, a, b *Minimum) {
	t.Helper()
	bits := func(v []float64) []uint64 {
		out := make([]uint64, len(v))
		for i := range v {
			out[i] = math.Float64bits(v[i])
		}
		return out
	}
	if !slices.Equal(bits(a.U), bits(b.U)) || math.Float64bits(a.F) != math.Float64bits(b.F) || a.Status != b.Status || a.Iters != b.Iters || a.Evals != b.Evals {
		t.Fatalf("%s: %v at %v (%v, %d, %d), undisturbed %v at %v (%v, %d, %d)", name, b.F, b.U, b.Status, b.Iters, b.Evals, a.F, a.U, a.Status, a.Iters, a.Evals)
	}
	if len(a.History) != len(b.History) {
		t.Fatalf("%s: %d points of history, undisturbed %d", name, len(b.History), len(a.History))
	}
	for i, p := range a.History {
		q := b.History[i]
		v, w := []float64{p.Loss, p.Best, p.GradNorm, p.Rate}, []float64{q.Loss, q.Best, q.GradNorm, q.Rate}
		if !slices.Equal(bits(v), bits(w)) || p.Stage != q.Stage || p.Iter != q.Iter || p.Note != q.Note {
			t.Fatalf("%s: point %d of the history is %+v, undisturbed %+v", name, i, q, p)
		}
	}
}

// hole is Rosenbrock's valley with a wall across it, so that trials fail on the way.
func hole(u, g []float64) float64 {
	f := rosenbrock(u, g)
	if u[0] > -0.4 && u[0] < -0.3 {
		return math.Inf(1)
	}
	return f
}

// Every optimiser goes on from every iteration to the same bits, as the first stage or after another, past failed trials too.
func TestResumeToTheSameBits(t *testing.T) {
	for _, o := range Optimisers() {
		values := map[string]float64{"iters": 25}
		if !o.LineSearch {
			values["rate"] = 0.02
		}
		for _, p := range o.Options {
			if p.Name == "memory" {
				values["memory"] = 4 // so that the ring goes round
			}
		}
		for name, f := range map[string]func(u, g []float64) float64{"rosenbrock": rosenbrock, "hole": hole, "bowl": bowl(100)} {
			from := []float64{-1.2, 1, 0.3, -0.7}
			first, last := mustStage(t, o.Name, values), mustStage(t, "lbfgs", map[string]float64{"iters": 4})
			stages := []Stage{first, last, first}
			var all []*Snapshot
			obj := func() Objective { return testObjective(4, f) }
			whole, err := Minimise(context.Background(), obj(), from, stages, Settings{Snapshot: func(s *Snapshot) { all = append(all, s.Clone()) }})
			if err != nil {
				t.Fatal(err)
			}
			if len(all) != len(whole.History) {
				t.Fatalf("%s: %d snapshots of %d points", o.Name, len(all), len(whole.History))
			}
			for _, s := range all {
				again := s.Clone()
				m, err := Minimise(context.Background(), obj(), make([]float64, 4), stages, Settings{Resume: s})
				if err != nil {
					t.Fatalf("%s on %s from %d.%d: %v", o.Name, name, s.Stage, s.Iter, err)
				}
				sameBits(t, o.Name+" on "+name, whole, m)
				if !slices.Equal(again.Best, s.Best) || len(again.History) != len(s.History) {
					t.Fatalf("%s: the snapshot was changed", o.Name)
				}
			}
		}
	}
}

func TestSnapshotsThatDoNotFit(t *testing.T) {
	var some *Snapshot
	adam := []Stage{mustStage(t, "adam", nil)}
	keep := func(s *Snapshot) {
		if s.Iter == 5 {
			some = s.Clone()
		}
	}
	if _, err := Minimise(context.Background(), testObjective(2, rosenbrock), []float64{0, 0}, adam, Settings{Snapshot: keep}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		n      int
		stages []Stage
		edit   func(*Snapshot)
		want   string
	}{
		{3, adam, func(*Snapshot) {}, "it is of 2 variables, there are 3"},
		{2, []Stage{mustStage(t, "sgd", nil)}, func(*Snapshot) {}, "stage 1 was adam, it is sgd now"},
		{2, adam, func(s *Snapshot) { s.Stage = 1 }, "stage 2, there are 1"},
		{2, adam, func(s *Snapshot) { s.Arrays = s.Arrays[:2] }, "it lacks 1 values of share"},
		{2, adam, func(s *Snapshot) { s.Arrays = append(s.Arrays, Array{"extra", nil}) }, "adam has no extra"},
		{2, adam, func(s *Snapshot) { s.History = nil }, "no history"},
	} {
		s := some.Clone()
		c.edit(s)
		_, err := Minimise(context.Background(), testObjective(c.n, rosenbrock), make([]float64, c.n), c.stages, Settings{Resume: s})
		var e *SnapshotError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// A fit goes on from a snapshot to the same bits.
func TestFitResumes(t *testing.T) {
	s := peltsSpec(1.1)
	s.Stages = []Stage{mustStage(t, "adam", map[string]float64{"rate": 0.02, "iters": 10}), mustStage(t, "lbfgs", map[string]float64{"iters": 20})}
	var all []*Snapshot
	s.Snapshot = func(s *Snapshot) { all = append(all, s.Clone()) }
	whole := fit(t, s)
	s.Snapshot = nil
	for _, k := range []int{0, 5, 10, 15} {
		s.Resume = all[k]
		r := fit(t, s)
		if !slices.Equal(r.Theta, whole.Theta) || r.Loss != whole.Loss || len(r.History) != len(whole.History) || r.Report.Evals != whole.Report.Evals {
			t.Errorf("from %d: %v at %v, undisturbed %v at %v", k, r.Loss, r.Theta, whole.Loss, whole.Theta)
		}
	}
}
