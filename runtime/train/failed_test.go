package train

import (
	"context"
	"math"
	"strings"
	"testing"
)

// What failed is counted, with the first and the last in words, in the history, in the report, and across a snapshot.
func TestFailuresAreTold(t *testing.T) {
	// x' = p x² from 1 has a pole at 1/p: with p beyond 1/3 it does not reach the last datum.
	d := &Data{Times: []float64{0, 1, 3}, Columns: []Column{{Name: "y", Values: []float64{0.3, 0.5, 9}}}}
	make := func() Spec {
		return Spec{Sys: pole(0.2), Data: d, Stages: []Stage{mustStage(t, "adam", map[string]float64{"rate": 0.8, "iters": 12}), mustStage(t, "bfgs", map[string]float64{"iters": 20})}}
	}
	r := fit(t, make())
	f := r.Report.Failed
	if f.N == 0 || !strings.HasPrefix(f.First, "iteration ") || !strings.Contains(f.First, " of adam: ") {
		t.Fatalf("%+v", f)
	}
	for _, w := range []string{"the solution stops at t = ", "x = ", "the first datum that is not reached is row 3 of y"} {
		if !strings.Contains(f.First, w) {
			t.Errorf("no %q in %s", w, f.First)
		}
	}
	notes := 0
	for _, p := range r.History {
		if p.Note != "" {
			if notes++; math.IsInf(p.Loss, 1) && !strings.Contains(p.Note, "back to the best point, rate halved to") || !strings.Contains(p.Note, "the solution stops at t = ") {
				t.Errorf("%+v", p)
			}
		}
	}
	if notes == 0 || notes > f.N {
		t.Errorf("%d notes of %d failures", notes, f.N)
	}
	if s := r.Report.String(); !strings.Contains(s, "failed, the first in "+f.First) {
		t.Error(s)
	}

	var mid *Snapshot
	s := make()
	s.Snapshot = func(x *Snapshot) {
		if x.Failed > 0 && mid == nil {
			mid = x.Clone()
		}
	}
	fit(t, s)
	s = make()
	s.Resume = mid
	if again := fit(t, s); again.Report.Failed != f || again.Loss != r.Loss {
		t.Errorf("resumed: %+v, want %+v", again.Report.Failed, f)
	}
	if r := fit(t, Spec{Sys: line(1, 1), Data: lineData(9, 1)}); r.Report.Failed.N != 0 || strings.Contains(r.Report.String(), "failed") {
		t.Errorf("%+v", r.Report.Failed)
	}

	// An objective that cannot say why.
	wall := objectiveFunc{1, func(u, g []float64) float64 {
		if g[0] = 1; u[0] < 0.95 {
			return math.Inf(1)
		}
		return u[0]
	}}
	m, err := Minimise(context.Background(), wall, []float64{1}, []Stage{mustStage(t, "sgd", map[string]float64{"rate": 0.2, "iters": 5})}, Settings{})
	if err != nil || m.Failed.N == 0 || !strings.Contains(m.Failed.First, "its loss is infinite") {
		t.Errorf("%+v, %v", m, err)
	}
}

type objectiveFunc struct {
	n int
	f func(u, g []float64) float64
}

func (o objectiveFunc) Dim() int { return o.n }

func (o objectiveFunc) Eval(_ context.Context, u, g []float64) (float64, error) {
	if g == nil {
		g = make([]float64, o.n)
	}
	return o.f(u, g), nil
}
