package udl_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
)

// backends are the ways a model can be run, by the environment that chooses them, and how its statistics call them.
var backends = []struct{ native, kernels, says string }{
	{"", "", ""}, // whatever the machine has
	{"off", "", "portable"},
	{"off", "off", "portable"},
}

// on runs f once for every back end.
func on(t *testing.T, f func(t *testing.T, says string)) {
	for _, b := range backends {
		t.Run("native="+b.native+" kernels="+b.kernels, func(t *testing.T) {
			t.Setenv("UDL_NATIVE", b.native)
			t.Setenv("UDL_KERNELS", b.kernels)
			if b.says == "" && len(code.Widths()) > 0 {
				f(t, "native")
				return
			}
			f(t, b.says)
		})
	}
}

// TestGalleryOnEveryBackend holds that every model of the gallery has the same solution on every back end, to a hundred tolerances.
func TestGalleryOnEveryBackend(t *testing.T) {
	files, err := filepath.Glob("models/*.udl")
	if err != nil || len(files) == 0 {
		t.Fatal("no gallery", err)
	}
	const rtol, atol = 1e-8, 1e-10
	first := map[string][]float64{}
	on(t, func(t *testing.T, says string) {
		for _, file := range files {
			for _, name := range modelsOf(t, file) {
				m, err := udl.Load(file, udl.WithModel(name))
				if err != nil {
					t.Fatal(err)
				}
				s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 1.5, By: 0.1, Rtol: rtol, Atol: atol, Seed: 3})
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(s.Backend(), says) {
					t.Errorf("%s: the back end is said to be %q", name, s.Backend())
				}
				for _, q := range s.Names() {
					got, err := s.Series(q)
					if err != nil {
						t.Fatal(err)
					}
					key := file + " " + name + "." + q
					want, ok := first[key]
					if !ok {
						first[key] = got
						continue
					}
					for i := range want {
						if !(math.Abs(got[i]-want[i]) <= 100*(atol+rtol*math.Abs(want[i]))) {
							t.Fatalf("%s: number %d is %v, native %v", key, i, got[i], want[i])
						}
					}
				}
			}
		}
	})
}

// modelsOf lists the models of a file that can be solved by themselves.
func modelsOf(t *testing.T, file string) (names []string) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, errs := parser.Parse(diag.NewSource(file, string(b)))
	if errs.HasErrors() {
		t.Fatal(errs)
	}
	for _, s := range f.Stmts {
		if m, ok := s.(*ast.Model); ok {
			names = append(names, m.Name.Name)
		}
	}
	return names
}

// The reference problems, written in the language. ill is how much the problem magnifies errors.
var references = []struct {
	name, text string
	ill        float64
}{
	{"lotka_volterra", `model M { param alpha = 1.5, beta = 1, gamma = 3, delta = 1; state x = 1, y = 1; x' = alpha*x - beta*x*y; y' = delta*x*y - gamma*y }`, 1},
	{"rigid_body", `model M { param k2 = 0.51; state y1 = 0, y2 = 1, y3 = 1; y1' = y2*y3; y2' = -y1*y3; y3' = -k2*y1*y2 }`, 1},
	{"lorenz_short", `model M { param sigma = 10, rho = 28, beta = 2.6666666666666665; state x = 1, y = 1, z = 1; x' = sigma*(y - x); y' = x*(rho - z) - y; z' = x*y - beta*z }`, 1},
	{"pleiades", `model M { const m[7] = [1, 2, 3, 4, 5, 6, 7]
  state x[7] = [3, 3, -1, -3, 2, -2, 2], y[7] = [3, -3, 2, 0, 0, -4, 4], u[7] = [0, 0, 0, 0, 0, 1.75, -1.5], v[7] = [0, 0, 0, -1.25, 1, 0, 0]
  x' = u
  y' = v
  u[i]' = sum[j in 1..7] (if i == j then 0 else m[j]*(x[j] - x[i])/((x[i] - x[j])^2 + (y[i] - y[j])^2 + (if i == j then 1 else 0))^1.5)
  v[i]' = sum[j in 1..7] (if i == j then 0 else m[j]*(y[j] - y[i])/((x[i] - x[j])^2 + (y[i] - y[j])^2 + (if i == j then 1 else 0))^1.5) }`, 1},
	{"arenstorf", `model M { param mu = 0.012277471; let mu1 = 1 - mu; state x = 0.994, y = 0, u = 0, v = -2.0015851063790824
  let D1 = ((x + mu)^2 + y^2)^1.5; let D2 = ((x - mu1)^2 + y^2)^1.5
  x' = u; y' = v; u' = x + 2*v - mu1*(x + mu)/D1 - mu*(x - mu1)/D2; v' = y - 2*u - mu1*y/D1 - mu*y/D2 }`, 1e3},
}

// TestReferencesOnEveryBackend solves the reference problems on every back end and compares with the reference.
func TestReferencesOnEveryBackend(t *testing.T) {
	const tol = 1e-9
	on(t, func(t *testing.T, says string) {
		for _, r := range references {
			b, err := os.ReadFile("runtime/solve/testdata/" + r.name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var ref struct {
				T0        float64     `json:"t0"`
				TEnd      float64     `json:"t_end"`
				Times     []float64   `json:"times"`
				Reference [][]float64 `json:"reference"`
			}
			if err := json.Unmarshal(b, &ref); err != nil {
				t.Fatal(err)
			}
			m, err := udl.Parse(r.name, r.text)
			if err != nil {
				udl.Explain(os.Stderr, err)
				t.Fatal(err)
			}
			s, err := m.Solve(context.Background(), udl.SolveOptions{T0: ref.T0, T1: ref.TEnd, At: ref.Times, Rtol: tol, Atol: tol, Solver: "Vern7"})
			if err != nil {
				t.Fatal(err)
			}
			worst := 0.0
			at := 0
			for _, q := range s.States() {
				got, err := s.Series(q)
				if err != nil {
					t.Fatal(err)
				}
				n := len(got) / len(ref.Times)
				for i, row := range ref.Reference {
					for k := range n {
						worst = math.Max(worst, math.Abs(got[i*n+k]-row[at+k])/(tol+tol*math.Abs(row[at+k])))
					}
				}
				at += n
			}
			if says == "native" && r.name == "lotka_volterra" && !strings.HasSuffix(s.Backend(), "whole steps") {
				t.Errorf("the steps are not whole: %s", s.Backend())
			}
			t.Logf("%s: %.3g tolerances, %s", r.name, worst, s.Backend())
			if !(worst <= 100*r.ill) {
				t.Errorf("%s: the error is %g tolerances", r.name, worst)
			}
		}
	})
}

func TestWithoutNative(t *testing.T) {
	m, err := udl.Parse("m", "model M { state x = 1; x' = -x }", udl.WithoutNative())
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.Backend(), "portable") {
		t.Errorf("the back end is %q", s.Backend())
	}
}
