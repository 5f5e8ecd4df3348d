package train

import (
	"slices"
	"testing"
)

// Fits that differ in late learning rates, or in what starts are drawn from, are not the same fit.
func TestIdentityOfRatesAndDraws(t *testing.T) {
	fit := func(every, factor float64, drawn string) []Part {
		sch, err := NewSchedule("step", map[string]float64{"rate": 0.05, "every": every, "factor": factor}, nil)
		if err != nil {
			t.Fatal(err)
		}
		st := mustStage(t, "adam", map[string]float64{"iters": 300})
		st.Rate = sch.Rates(300)
		s := peltsSpec(1)
		s.Stages, s.Draw, s.Drawn = []Stage{st}, func([]float64, int) {}, drawn
		return s.Identity(nil)
	}
	one := fit(120, 0.5, "k ~ lognormal(0, 1)")
	for _, c := range []struct {
		other []Part
		want  []string
	}{
		{fit(120, 0.5, "k ~ lognormal(0, 1)"), nil},
		{fit(200, 0.01, "k ~ lognormal(0, 1)"), []string{"the optimisers"}},
		{fit(299, 0.5, "k ~ lognormal(0, 1)"), []string{"the optimisers"}},
		{fit(120, 0.5, "k ~ lognormal(0, 2)"), []string{"how starts are drawn"}},
	} {
		if got := Differing(one, c.other); !slices.Equal(got, c.want) {
			t.Errorf("they differ in %v, want %v", got, c.want)
		}
	}
}
