package compiler_test

import (
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
)

// TestEventsReadAlgebra holds that what events and their conditions read of an algebraic unknown is what its equation says after the event before: the
// same model with a `let` in its place fires the same, at the same times, with the same values.
func TestEventsReadAlgebra(t *testing.T) {
	for _, k := range []struct{ name, states, z, text string }{
		{"passes its own threshold", "x = 0", "2*x", "x' = -4*x + 10\nwhen z > 1 { x := x + 3; n := n + 1 }"},
		{"passes by little", "x = 0", "2*x", "x' = -4*x + 10\nwhen z > 1 { x := x + 0.3; n := n + 1 }"},
		{"comes back at once", "x = 0", "2*x", "x' = 1\nwhen z > 1 { x := x - 0.23; n := n + 1 }"},
		{"stays on its side", "x = 1", "2*x", "x' = -1\nwhen z < 1 { x := x - 0.1; n := n + 1 }"},
		{"both ways", "x = 0", "2*x", "x' = 1\nwhen z > 0.4 either { n := n + 1 }\nat t = 0.6 { x := 0.1 }"},
		{"either resets itself", "x = 0", "2*x", "x' = 1\nwhen z > 0.4 either { x := 1 - x; n := n + 1 }\nat t = 0.6 { x := 0.1 }"},
		{"stands in the equation", "x = -0.6", "1.15*atan(2.2*x)", "x' = 1.8*cos(1.2*t) - 13*(x - 0.5*z)\nwhen z > -0.1 { x := x + 0.3; n := n + 1 }"},
		{"at one time", "x = 1", "2*x", "x' = -1\nat t = 0.3 priority 1 { x := x + 2 }\nat t = 0.3 { n := z }"},
		{"set off by another", "x = 1", "2*x", "x' = -1\nwhen x < 0.5 priority 1 { x := x + 2 }\nwhen x > 1 { n := z }"},
		{"set off through the unknown", "x = 1", "2*x", "x' = -1\nat t = 0.3 { x := x + 2 }\nwhen z > 3 { n := n + z; x := x - 1.5 }\nwhen z < 2.2 { n := n + 10*z }"},
		{"delayed", "x = 1", "2*x", "x' = -1\nat t = 0.3 after 0.2 { x := x + z }\nat t = 0.5 { n := z }\nwhen z > 2.5 { n := n + z }"},
		{"a discrete in the equation", "x = 1", "x + 3*n", "x' = -1\nat t = 0.3 priority 1 { n := 1 }\nwhen z > 2 { x := x + z }"},
	} {
		given := compile(t, "model M {\nstate "+k.states+"\nlet z = "+k.z+"\ndiscrete n = 0\n"+k.text+"\n}")
		solved := compile(t, "model M {\nstate "+k.states+", z = 0\ndiscrete n = 0\n0 = z - ("+k.z+")\n"+k.text+"\n}")
		at := func(names []string, x []float64, name string) float64 {
			for i, n := range names {
				if n == name {
					return x[i]
				}
			}
			t.Fatalf("%s: no %s", k.name, name)
			return 0
		}
		want := run(t, given, 1.5, nil, nil)
		for _, by := range []string{"Rodas4P", "Rodas5P", "RadauIIA5", "BDF", "KenCarp4"} {
			s := run(t, solved, 1.5, nil, func(p *solve.Problem) {
				p.Method, _ = method.Find(by)
			})
			if s.Status != want.Status || firings(solved, s) != firings(given, want) {
				t.Errorf("%s, %s: %v, %s, not %v, %s", k.name, by, s.Status, firings(solved, s), want.Status, firings(given, want))
				continue
			}
			a, b := solved.System.StateNames(), given.System.StateNames()
			for _, name := range []string{"x", "n"} {
				if got, w := at(a, s.XEnd, name), at(b, want.XEnd, name); math.Abs(got-w) > 1e-6 {
					t.Errorf("%s, %s: %s = %v, not %v", k.name, by, name, got, w)
				}
				for i := range s.Events {
					if got, w := at(a, s.Events[i].After, name), at(b, want.Events[i].After, name); math.Abs(got-w) > 1e-6 {
						t.Errorf("%s, %s: %s = %v after event %d, not %v", k.name, by, name, got, i, w)
					}
				}
			}
			for i, f := range s.Events {
				// What the equation says is the value of z on both sides of each event.
				for _, x := range [][]float64{f.Before, f.After} {
					v, n := at(a, x, "x"), at(a, x, "n")
					z := map[string]float64{"2*x": 2 * v, "1.15*atan(2.2*x)": 1.15 * math.Atan(2.2*v), "x + 3*n": v + 3*n}[k.z]
					if got := at(a, x, "z"); math.Abs(got-z) > 1e-6 {
						t.Errorf("%s, %s: z = %v beside event %d, not %v", k.name, by, got, i, z)
					}
				}
			}
		}
	}
}

// TestEventWithoutSolution holds that the event after which the equations have no solution is the one that is named, though another follows at that time.
func TestEventWithoutSolution(t *testing.T) {
	c := compile(t, "model M {\nstate x = 0.5, z = 0.8\ndiscrete n = 0\nx' = 0\n0 = z^2 + x - 1\nat t = 0.3 priority 1 { x := 2 }\nat t = 0.3 { n := z }\n}")
	s := run(t, c, 1, nil, func(p *solve.Problem) { p.Method, _ = method.Find("Rodas5P") })
	if s.Status != solve.EventFault || s.Fault == nil || !strings.Contains(s.Fault.Error(), "priority 1") && !strings.Contains(s.Fault.Error(), "`at t = 0.3`") ||
		!strings.Contains(s.Fault.Error(), "the algebraic equations have no solution after it") || len(s.Events) != 0 {
		t.Errorf("%v, %v after %s", s.Status, s.Fault, firings(c, s))
	}
}

// TestGuessesPick holds that an event which assigns to an algebraic unknown gives a guess, beside an event at the same time that moves the rest.
func TestGuessesPick(t *testing.T) {
	c := compile(t, "model M {\nstate x = 0.75, z = 0.5\ndiscrete n = 0\nx' = 0\n0 = z^2 + x - 1\nat t = 0.3 priority 1 { z := -0.4 }\nat t = 0.3 { x := 0.19; n := z }\n}")
	s := run(t, c, 1, nil, func(p *solve.Problem) { p.Method, _ = method.Find("Rodas5P") })
	names := c.System.StateNames()
	for i, w := range map[string]float64{"x": 0.19, "z": -0.9, "n": -0.5} {
		for k, n := range names {
			if n == i && math.Abs(s.XEnd[k]-w) > 1e-8 {
				t.Errorf("%s = %v, not %v", n, s.XEnd[k], w)
			}
		}
	}
}

// TestGrazingIsSaid holds that two firings within rounding are not called a run without end.
func TestGrazingIsSaid(t *testing.T) {
	c := compile(t, "model M {\nstate x = 0\ndiscrete n = 0, m = 0\nx' = cos(t)\nwhen x > 0.9999999 { n := n + 1 }\nwhen x < 0.9999999 { m := m + 1 }\n}")
	s := run(t, c, 2000, nil, func(p *solve.Problem) { p.Rtol, p.Atol = 1e-6, 1e-9 })
	if s.Status != solve.EventFault || s.Fault == nil {
		t.Fatalf("%v after %s", s.Status, firings(c, s))
	}
	if e := s.Fault.Error(); strings.Contains(e, "for ever") || !strings.Contains(e, "it fires twice within ") || !strings.Contains(e, "grazes") || !strings.Contains(s.Fault.Help(), "threshold") {
		t.Errorf("%v (%s)", s.Fault, s.Fault.Help())
	}
}
