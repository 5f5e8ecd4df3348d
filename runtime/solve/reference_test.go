package solve_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// reference is a file of testdata: solutions by high-order methods in quadruple precision.
type reference struct {
	Initial   []float64   `json:"initial"`
	T0        float64     `json:"t0"`
	TEnd      float64     `json:"t_end"`
	Times     []float64   `json:"times"`
	Reference [][]float64 `json:"reference"`
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
	return r
}

func mustMethod(t testing.TB, name string) *method.RK {
	t.Helper()
	m, ok := method.Lookup(name)
	if !ok {
		t.Fatalf("no method %s", name)
	}
	return m
}

func run(t testing.TB, p *solve.Problem) *solve.Solution {
	t.Helper()
	s, err := solve.Solve(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReferences(t *testing.T) {
	for _, c := range []struct {
		name string
		sys  *system.System
		tol  float64
	}{
		{"lotka_volterra", testsys.LotkaVolterra(), 1e-7},
		{"rigid_body", testsys.RigidBody(), 1e-7},
		{"lorenz_short", testsys.Lorenz(), 1e-7},
		{"pleiades", testsys.Pleiades(), 1e-7},
		{"arenstorf", testsys.Arenstorf(), 1e-6},
	} {
		ref := load(t, c.name)
		for _, name := range []string{"Tsit5", "Vern7", "Vern9", "DP5"} {
			s := run(t, &solve.Problem{
				Sys: c.sys, Method: mustMethod(t, name), X0: ref.Initial, T0: ref.T0, T1: ref.TEnd,
				Times: ref.Times, Rtol: 1e-10, Atol: 1e-10,
			})
			if s.Status != solve.Done {
				t.Fatalf("%s %s: %v", c.name, name, s.Fault)
			}
			worst := 0.0
			out := make([]float64, s.NX)
			for i, want := range ref.Reference {
				if err := s.At(s.T[i], out); err != nil {
					t.Fatal(err)
				}
				for j, w := range want {
					worst = math.Max(worst, math.Abs(s.Row(i)[j]-w))
					if out[j] != s.Row(i)[j] {
						t.Errorf("%s %s: At(%v) differs from the output there", c.name, name, s.T[i])
					}
				}
			}
			t.Logf("%-15s %-6s %.1e  %+v", c.name, name, worst, s.Stats)
			tol := c.tol
			if name == "DP5" {
				tol *= 10 // nothing is claimed of it; it is here to be compared with
			}
			if !(worst <= tol) {
				t.Errorf("%s with %s: off by %.2g, allowed %g", c.name, name, worst, tol)
			}
		}
	}
}
