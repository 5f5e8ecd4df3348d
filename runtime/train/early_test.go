package train

import (
	"context"
	"math"
	"strings"
	"testing"
)

// Training that goes past the least error over held-out data ends a while after it, at that point, for every optimiser.
func TestEarlyStopping(t *testing.T) {
	// The loss is least at (1, 2, 3), the error over what is held out half way there.
	held := func(_ context.Context, u []float64) (float64, error) {
		s := 0.0
		for i := range u {
			s += (u[i] - float64(i+1)/2) * (u[i] - float64(i+1)/2)
		}
		return s, nil
	}
	for _, o := range Optimisers() {
		values := map[string]float64{"iters": 60}
		switch {
		case o.Name == "nesterov":
			values["rate"] = 0.002
		case !o.LineSearch:
			values["rate"] = 0.02
		case o.Name == "cmaes":
			values["sigma"] = 0.05
		}
		stages := []Stage{mustStage(t, o.Name, values), mustStage(t, "lbfgs", nil)}
		var all []*Snapshot
		set := Settings{Held: held, Patience: 5, Snapshot: func(s *Snapshot) { all = append(all, s.Clone()) }}
		m, err := Minimise(context.Background(), testObjective(3, bowl(30)), make([]float64, 3), stages, set)
		if err != nil {
			t.Fatal(err)
		}
		low, at := math.Inf(1), 0
		for i, p := range m.History {
			if p.Held < low {
				low, at = p.Held, i
			}
		}
		f, _ := held(context.Background(), m.U)
		if f != low || m.F != bowl(30)(m.U, make([]float64, 3)) {
			t.Errorf("%s: ended at %v with the error %v, the least was %v", o.Name, m.U, f, low)
		}
		if m.Status == Stopped && len(m.History)-1-at != 5 {
			t.Errorf("%s: %d iterations after the best", o.Name, len(m.History)-1-at)
		}
		if m.Status != Stopped && m.Status != Converged || at == 0 {
			t.Errorf("%s: %v after %d iterations", o.Name, m.Status, m.Iters)
		}
		set.Snapshot = nil
		for _, s := range all {
			set.Resume = s
			again, err := Minimise(context.Background(), testObjective(3, bowl(30)), make([]float64, 3), stages, set)
			if err != nil {
				t.Fatal(err)
			}
			sameBits(t, o.Name, m, again)
		}
	}
}

func TestFitStopsEarly(t *testing.T) {
	s := peltsSpec(1.1)
	s.HeldOut.Last, s.Patience = 0.3, 10
	s.Stages = []Stage{mustStage(t, "adam", map[string]float64{"rate": 0.01, "iters": 400})}
	r := fit(t, s)
	low := math.Inf(1)
	for _, p := range r.History {
		low = math.Min(low, p.Held)
	}
	if r.Status != Stopped || math.Abs(r.Report.Held.Loss/low-1) > 1e-12 || len(r.History) > 400 {
		t.Errorf("%v after %d iterations: the error over what is held out is %v, the least was %v", r.Status, len(r.History), r.Report.Held.Loss, low)
	}
	if !strings.Contains(r.Report.String(), "stopped early") || r.Loss != r.Report.Train.Loss {
		t.Errorf("%v", r.Report)
	}
	s.HeldOut = HeldOut{}
	if _, err := Fit(context.Background(), s); err == nil || !strings.Contains(err.Error(), "needs data that are held out") {
		t.Error(err)
	}
}
