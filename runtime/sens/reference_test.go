package sens_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// reference is a file of testdata: a loss and its gradient to about twenty digits.
type reference struct {
	Weights  []float64 `json:"loss_weights_per_state"`
	Params   []float64 `json:"parameters"`
	Initial  []float64 `json:"initial"`
	Value    float64   `json:"loss_value"`
	Gradient []float64 `json:"gradient"`
	Rows     []struct {
		T      float64
		Y      []float64
		Target []float64
		S      []float64
	}
}

func load(t testing.TB, name string) reference {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	r.Params = append(r.Params, r.Initial...) // the gradient is by both
	return r
}

// squares is Σ w_j (x_j(t_i) − target_ij)².
type squares struct {
	times, targets, weights []float64
}

func (r *reference) loss() *squares {
	l := &squares{weights: r.Weights}
	for _, row := range r.Rows {
		l.times = append(l.times, row.T)
		l.targets = append(l.targets, row.Target...)
	}
	return l
}

func (l *squares) Times() []float64 { return l.times }

func (l *squares) Eval(x, _, gx, _ []float64) (float64, error) {
	sum := 0.0
	for i, v := range x {
		d, w := v-l.targets[i], l.weights[i%len(l.weights)]
		sum += w * d * d
		if gx != nil {
			gx[i] = 2 * w * d
		}
	}
	return sum, nil
}

func mustMethod(t testing.TB, name string) *method.RK {
	t.Helper()
	m, ok := method.Lookup(name)
	if !ok {
		t.Fatalf("no method %s", name)
	}
	return m
}

// worst is the largest difference relative to the largest component.
func worst(got, want []float64) float64 {
	d, size := 0.0, 0.0
	for i, w := range want {
		d = math.Max(d, math.Abs(got[i]-w))
		size = math.Max(size, math.Abs(w))
		if got[i] != got[i] {
			return math.Inf(1)
		}
	}
	return d / size
}

func TestReferenceGradients(t *testing.T) {
	for _, c := range []struct {
		name string
		sys  func(r *reference) *system.System
	}{
		{"lv", func(*reference) *system.System { return testsys.LotkaVolterra() }},
		{"neural_ode_2_8_2_tanh", func(r *reference) *system.System { return testsys.NeuralODE(r.Params, 8) }},
		{"ude_lv_tanh_2_5_5_5_2", func(r *reference) *system.System { return testsys.UDE(r.Params) }},
	} {
		r := load(t, c.name)
		sys, loss := c.sys(&r), r.loss()
		for _, name := range []string{"Tsit5", "Vern7"} {
			p := &solve.Problem{Sys: sys, Method: mustMethod(t, name), T1: loss.times[len(loss.times)-1], Rtol: 1e-11, Atol: 1e-11}
			for _, gm := range sens.Methods() {
				if gm.Name == "differences" && (name == "Vern7" || sys.NTheta > 50) {
					continue // slow, and the other comparisons have it
				}
				g := make([]float64, sys.NTheta)
				v, sol, err := gm.Gradient(context.Background(), p, loss, g)
				if err != nil || sol.Status != solve.Done {
					t.Fatalf("%s %s %s: %v, %v", c.name, name, gm.Name, err, sol)
				}
				off := worst(g, r.Gradient)
				t.Logf("%-24s %-6s %-12s %.1e (value %.1e), %d steps", c.name, name, gm.Name, off, math.Abs(v/r.Value-1), sol.Stats.Steps)
				if !(off < 1e-7) || !(math.Abs(v/r.Value-1) < 1e-7) {
					t.Errorf("%s %s %s: gradient off by %.1e of its largest component, value %v, want %v", c.name, name, gm.Name, off, v, r.Value)
				}
			}
		}
	}
}

func TestReferenceSensitivities(t *testing.T) {
	r := load(t, "lv")
	loss := r.loss()
	p := &solve.Problem{Sys: testsys.LotkaVolterra(), T1: 10, Times: loss.times, Rtol: 1e-11, Atol: 1e-11}
	s, sol, err := sens.Sensitivities(context.Background(), p, nil)
	if err != nil || len(s) != 101*2*6 {
		t.Fatal(len(s), err)
	}
	size, off := 0.0, 0.0
	for it, row := range r.Rows {
		for j := range 2 {
			off = math.Max(off, math.Abs(sol.Row(it)[j]-row.Y[j]))
			for q := range 6 {
				want := row.S[q*2+j]
				size = math.Max(size, math.Abs(want))
				off = math.Max(off, math.Abs(s[(it*2+j)*6+q]-want))
			}
		}
	}
	t.Logf("off by %.1e of %.3g", off, size)
	if !(off < 1e-8*size) {
		t.Errorf("sensitivities off by %g", off)
	}
}
