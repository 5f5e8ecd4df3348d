package train

import (
	"context"
	"errors"
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

// Where the held-out data cannot be compared there is no stopping early: an error where that is known beforehand, and a loss that is not finite
// counts neither as the best nor towards patience.
func TestStoppingEarlyByNothing(t *testing.T) {
	s := decays(t, 0.05)
	n := len(s.Data.Times)
	for k := range s.Data.Columns {
		for i := n - 9; i < n; i++ {
			s.Data.Columns[k].Values[i] = math.NaN()
		}
	}
	s.HeldOut.Last, s.Patience = 9/float64(n), 5
	var d *DataError
	if _, err := Fit(context.Background(), s); !errors.As(err, &d) || !strings.Contains(d.Reason, "cannot be compared: all values are missing") || !strings.Contains(d.Help, "patience") {
		t.Errorf("%v", err)
	}
	if s.Patience = 0; fit(t, s).Report.Held != nil {
		t.Error("nothing was held out that could be compared")
	}
	stages := []Stage{mustStage(t, "adam", map[string]float64{"iters": 50, "rate": 0.05})}
	from := func(first int) *Minimum {
		looks := 0
		m, err := Minimise(context.Background(), testObjective(2, rosenbrock), []float64{-1.2, 1}, stages, Settings{Patience: 20, Held: func(_ context.Context, u []float64) (float64, error) {
			if looks++; looks <= first {
				return math.Inf(1), nil
			}
			return rosenbrock(u, make([]float64, 2)), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	never, late, always := from(1000), from(30), from(0)
	if never.Iters != 50 || never.Status != Done || !math.IsNaN(never.HeldF) || never.F != always.F {
		t.Errorf("never finite: %+v", never)
	}
	if late.F != always.F || late.HeldF != always.HeldF || late.Status == Stopped {
		t.Errorf("finite from the 31st on: %+v, always %+v", late, always)
	}
}

// The loss over what was held out is that at the point itself, with the standard deviations that the training data have there; and looking at it
// changes nothing in the training. The report has the same.
func TestHeldLossOfEstimatedNoise(t *testing.T) {
	for _, several := range []bool{false, true} {
		s := decays(t, 0.05)
		s.Compare = LossSpec{Kind: "normal"}
		s.HeldOut.Last = 0.3
		if several {
			s.Trajectories, s.Data = []Trajectory{{Data: s.Data}, {Data: decays(t, 0.1).Data}}, nil
		}
		s.Stages = []Stage{mustStage(t, "bfgs", map[string]float64{"iters": 8}), mustStage(t, "adam", map[string]float64{"rate": 0.3, "iters": 30})}
		plain := fit(t, s)
		s.Patience = 1000
		r := fit(t, s)
		low := math.Inf(1)
		for i, p := range r.History {
			low = math.Min(low, p.Held)
			if p.Loss != plain.History[i].Loss {
				t.Fatalf("iteration %d: loss %v, without patience %v", p.Iter, p.Loss, plain.History[i].Loss)
			}
		}
		if math.Abs(r.Report.Held.Loss/low-1) > 1e-9 {
			t.Errorf("the report has %v, the least was %v", r.Report.Held.Loss, low)
		}
		for _, c := range r.Report.Columns {
			if math.Abs(c.SD/c.RMSE-1) > 1e-9 {
				t.Errorf("%s: sd %v, rms %v", c.Name, c.SD, c.RMSE)
			}
		}
	}
}
