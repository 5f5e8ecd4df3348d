package train

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
)

func mustSchedule(t *testing.T, name string, values map[string]float64, inner *Schedule) *Schedule {
	t.Helper()
	s, err := NewSchedule(name, values, inner)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchedules(t *testing.T) {
	type opts map[string]float64
	cosine := mustSchedule(t, "cosine", opts{"rate": 0.1, "to": 1e-4}, nil)
	for _, c := range []struct {
		name  string
		s     *Schedule
		iters int
		at    map[int]float64
	}{
		{"constant", mustSchedule(t, "constant", opts{"rate": 0.3}, nil), 10, map[int]float64{0: 0.3, 9: 0.3}},
		{"step", mustSchedule(t, "step", opts{"rate": 0.8, "factor": 0.5, "every": 10}, nil), 30, map[int]float64{0: 0.8, 9: 0.8, 10: 0.4, 29: 0.2}},
		{"exponential", mustSchedule(t, "exponential", opts{"rate": 1, "to": 1e-4}, nil), 5, map[int]float64{0: 1, 1: 0.1, 2: 0.01, 4: 1e-4}},
		{"cosine", cosine, 101, map[int]float64{0: 0.1, 50: 0.05005, 100: 1e-4}},
		{"restarts", mustSchedule(t, "cosine", opts{"rate": 1, "period": 10, "grow": 2}, nil), 100, map[int]float64{0: 1, 5: 0.5, 10: 1, 20: 0.5, 30: 1}},
		{"warmup", mustSchedule(t, "warmup", opts{"rate": 0.1, "steps": 10}, nil), 50, map[int]float64{0: 0.01, 4: 0.05, 9: 0.1, 49: 0.1}},
		{"warmup into cosine", mustSchedule(t, "warmup", opts{"steps": 10}, cosine), 111, map[int]float64{0: 0.01, 9: 0.1, 10: 0.1, 60: 0.05005, 110: 1e-4}},
		{"one_cycle", mustSchedule(t, "one_cycle", opts{"rate": 0.1}, nil), 101, map[int]float64{0: 0.004, 15: 0.052, 30: 0.1, 65: 0.0500002, 100: 4e-7}},
		{"one iteration", mustSchedule(t, "one_cycle", opts{"rise": 0}, nil), 1, map[int]float64{0: 0.01}},
	} {
		for k, want := range c.at {
			if got := c.s.Rate(k, c.iters); math.Abs(got/want-1) > 1e-12 {
				t.Errorf("%s: iteration %d has the rate %v, want %v", c.name, k, got, want)
			}
		}
		for k := range c.iters {
			if r := c.s.Rate(k, c.iters); !(r >= 0 && r <= 1) {
				t.Errorf("%s: iteration %d has the rate %v", c.name, k, r)
			}
		}
	}
	for _, row := range Schedules() {
		if row.Doc == "" || row.Options[0].Name != "rate" {
			t.Errorf("schedule %q lacks doc, or a rate", row.Name)
		}
		for _, o := range row.Options {
			v, err := strconv.ParseFloat(o.Default, 64)
			if err != nil || o.Doc == "" {
				t.Errorf("%s(%s): default %q, doc %q", row.Name, o.Name, o.Default, o.Doc)
			}
			if _, err := NewSchedule(row.Name, map[string]float64{o.Name: v}, nil); err != nil {
				t.Error(err)
			}
		}
	}
	for _, c := range []struct {
		name   string
		values opts
		inner  *Schedule
		want   string
	}{
		{"cosin", nil, nil, "there is no such schedule; there are constant, step"},
		{"cosine", opts{"rate": -1}, nil, "cosine(rate): it must be a number above 0, not -1"},
		{"cosine", nil, cosine, "not a schedule"},
		{"step", opts{"every": 0}, nil, "step(every): it must be a whole number, at least 1"},
	} {
		_, err := NewSchedule(c.name, c.values, c.inner)
		var e *OptionError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	adam := mustStage(t, "adam", map[string]float64{"iters": 200})
	adam.Rate = mustSchedule(t, "cosine", opts{"rate": 0.2, "to": 1e-3}, nil).Rates(adam.Iters())
	m := minimise(t, testObjective(2, bowl(3)), []float64{0, 0}, adam)
	if h := m.History; h[1].Rate != 0.2 || math.Abs(h[200].Rate-1e-3) > 1e-15 || m.F > 1e-4 {
		t.Errorf("rates %v to %v, ended at %v", h[1].Rate, h[200].Rate, m.F)
	}
}
