package train

import (
	"context"
	"math"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
)

// The Hudson Bay Company's pelts of hare and lynx in thousands, 1900–1920: C. G. Hewitt, The
// Conservation of the Wild Life of Canada, Scribner 1921; E. P. Odum, Fundamentals of Ecology,
// Saunders 1953.
var (
	hares = []float64{30, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22, 25.4, 27.1, 40.3, 57, 76.6, 52.3, 19.5, 11.2, 7.6, 14.6, 16.2, 24.7}
	lynx  = []float64{4, 6.1, 9.8, 35.2, 59.4, 41.7, 19, 13, 8.3, 9.1, 7.4, 8, 12.3, 19.5, 45.7, 51.1, 29.7, 15.8, 9.7, 10.1, 8.6}
)

// peltsOptimum is the log least-squares fit of Lotka and Volterra's model, by an independent
// Gauss–Newton iteration at tight tolerances: alpha, beta, gamma, delta, x0, y0.
var peltsOptimum = []float64{0.5401589923066267, 0.027165357158820284, 0.7963860434603209, 0.023694638358262674, 34.60242437189107, 5.844506139738818}

const peltsSSE = 2.0186611551936933

func pelts() *Data {
	d := &Data{Columns: []Column{{Name: "hare", Values: hares}, {Name: "lynx", Values: lynx, Of: Quantity{Index: 1}}}}
	for i := range hares {
		d.Times = append(d.Times, 1900+float64(i))
	}
	return d
}

// peltsSpec starts each parameter at its optimum times share.
func peltsSpec(share float64) Spec {
	th := make([]float64, len(peltsOptimum))
	for i, v := range peltsOptimum {
		th[i] = share * v
	}
	return Spec{Sys: testsys.LotkaVolterra(), Theta: th, Data: pelts(), Compare: LossSpec{Log: true},
		Problem: solve.Problem{Rtol: 1e-8, Atol: 1e-8}}
}

func mustStage(t testing.TB, name string, values map[string]float64) Stage {
	t.Helper()
	s, err := NewStage(name, values)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Every way reaches the known optimum from a start 30 % above it in each parameter.
func TestFitPelts(t *testing.T) {
	bfgs, lbfgs := mustStage(t, "bfgs", nil), mustStage(t, "lbfgs", nil)
	for _, c := range []struct {
		name     string
		share    float64
		stages   []Stage
		gradient string
		rtol     float64
		tol      float64
	}{
		{"default chain", 1.3, nil, "", 1e-8, 1e-5},
		{"bfgs", 1.3, []Stage{bfgs}, "", 1e-8, 1e-5},
		{"lbfgs", 1.3, []Stage{lbfgs}, "discrete", 1e-8, 1e-5},
		{"bfgs with forward sensitivities", 1.3, []Stage{bfgs}, "forward", 1e-8, 1e-5},
		{"default chain and tolerances", 1.3, nil, "auto", 0, 1e-4},
		{"default chain from 10 % below", 0.9, nil, "", 1e-8, 1e-5},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := peltsSpec(c.share)
			s.Stages, s.Gradient = c.stages, c.gradient
			s.Problem.Rtol, s.Problem.Atol = c.rtol, c.rtol
			r, err := Fit(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			worst := math.Abs(r.Loss/peltsSSE - 1)
			for i, v := range peltsOptimum {
				worst = math.Max(worst, math.Abs(r.Theta[i]/v-1))
			}
			t.Logf("relative deviation %.2g\n%v", worst, r.Report)
			if !(worst <= c.tol) || r.Status == Done || r.Status == Cancelled {
				t.Errorf("loss %.10g at %v, %v", r.Loss, r.Theta, r.Status)
			}
			if len(r.Report.Warnings) > 0 {
				t.Errorf("warnings: %q", r.Report.Warnings)
			}
		})
	}
}

// From far below, the phases of the cycles do not match and there are other optima: the fit ends
// in one of them and says what it found.
func TestFitPeltsFromBelow(t *testing.T) {
	r, err := Fit(context.Background(), peltsSpec(0.7))
	if err != nil {
		t.Fatal(err)
	}
	if r.Loss < peltsSSE*(1-1e-6) || r.Loss > r.History[0].Loss || r.Loss != r.Report.Train.Loss {
		t.Errorf("loss %v from %v", r.Loss, r.History[0].Loss)
	}
}

func BenchmarkFitPelts(b *testing.B) {
	for b.Loop() {
		if _, err := Fit(context.Background(), peltsSpec(1.3)); err != nil {
			b.Fatal(err)
		}
	}
}
