package compiler_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// TestSinkWithEvents holds that a sink is given what a solution keeps where there are events, jumps, delays and algebraic equations: at an event's time the values after it.
func TestSinkWithEvents(t *testing.T) {
	for name, text := range map[string]string{
		"every":    "model M { state x = 1; discrete n = 0; x' = -x; every 1 { x := x + 1; n := n + 1 } }",
		"guards":   "model M { state x = 1, v = 0; x' = v; v' = -9.81; when x < 0 { v := -0.9*v } }",
		"at":       "model M { state x = 1; x' = -x; at t = 2 { x := 5 }; at t = 2.5 { x := 7 } }",
		"delay":    "model M { state x = 1; discrete n = 0; x' = -x; every 1 after 0.25 { x := x + 1; n := n + 1 } }",
		"jumps":    "model M { state x = 1, y = 0; x' = y; y' = -x; let s = if x > 0 then 1 else -1; state z = 0; z' = s }",
		"dae":      "model M { state x = 1, z = 2; x' = -z; 0 = z - 2*x; every 1 { x := x + 1 } }",
		"stopping": "model M { state x = 1; x' = -x; stop when x < 0.2 }",
	} {
		t.Run(name, func(t *testing.T) {
			c := compile(t, text)
			for _, by := range []float64{0, 0.1, 0.25, 1} {
				var times []float64
				if by != 0 {
					g := solve.Grid{To: 5, By: by}
					n, _ := g.Len()
					for i := range n {
						times = append(times, g.At(i))
					}
				}
				auto := func(p *solve.Problem) { p.Method = method.Auto{} }
				want := run(t, c, 5, times, auto)
				var ts, xs []float64
				got := run(t, c, 5, nil, func(p *solve.Problem) {
					p.By, p.Method = by, method.Auto{}
					p.Sink = func(t float64, x []float64) error {
						ts, xs = append(ts, t), append(xs, x...)
						return nil
					}
				})
				if !slices.Equal(ts, want.T) || !slices.Equal(xs, want.X) {
					t.Errorf("by %v: the sink got %v %v\nkept were %v %v", by, ts, xs, want.T, want.X)
				}
				if got.Status != want.Status || got.Stats.Events != want.Stats.Events || got.Stats.Jumps != len(want.Jumps) || !slices.Equal(got.XEnd, want.XEnd) {
					t.Errorf("by %v: %v %+v, want %v %+v", by, got.Status, got.Stats, want.Status, want.Stats)
				}
				if len(got.Jumps) > 0 || len(want.Events) > 0 && (len(got.Events) == 0 || got.Events[len(got.Events)-1].T != want.Events[len(want.Events)-1].T || len(got.Events) > 2) {
					t.Errorf("by %v: %d events are kept, %d jumps", by, len(got.Events), len(got.Jumps))
				}
			}
		})
	}
}

// TestSinkHasNoGradient holds that gradients refuse a solution that is not kept.
func TestSinkHasNoGradient(t *testing.T) {
	c := compile(t, "model M { param k = 1; state x = 1; x' = -k*x }")
	p := &solve.Problem{Sys: c.System, T1: 1, Sink: func(float64, []float64) error { return nil }}
	g := make([]float64, c.System.NTheta)
	for _, m := range sens.Methods() {
		var refused *sens.RefusedError
		if _, _, err := m.Gradient(context.Background(), p, &eventLoss{times: []float64{1}}, g); !errors.As(err, &refused) {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
	var refused *sens.RefusedError
	if _, _, err := sens.Sensitivities(context.Background(), p, nil); !errors.As(err, &refused) {
		t.Errorf("sensitivities: %v", err)
	}
}
