package compiler_test

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// TestCheckpointsOfAnySize holds gradients in memory of all sizes, so that stretches end anywhere: at the last step, at events, between the steps that a multistep method
// looks back to.
func TestCheckpointsOfAnySize(t *testing.T) {
	by := int64(6007)
	if os.Getenv("UDL_LONG") != "" {
		by = 101
	}
	ended, kept := 0, 0
	for _, k := range tight {
		if k.name != "smooth" && k.name != "moments" && k.name != "jumping" && k.name != "swing" && k.name != "van der Pol" {
			continue
		}
		sys := compile(t, "model M {\n"+k.text+"\n}").System
		loss := &eventLoss{times: []float64{k.t1 * 0.31, k.t1 * 0.77, k.t1}, states: true}
		for _, s := range solvers() {
			if !slices.Contains([]string{"Tsit5", "BDF", "KenCarp4", "RadauIIA5", "auto"}, s.name) || k.mass && !s.m.Info().Mass || k.only != nil && !slices.Contains(k.only, s.name) {
				continue
			}
			p := &solve.Problem{Sys: sys, Method: s.m, T1: k.t1, Rtol: 1e-5, Atol: 1e-7, Hmax: 4 * k.hmax}
			var w sens.Workspace
			want, got := make([]float64, sys.NTheta), make([]float64, sys.NTheta)
			if _, sol, err := w.Adjoint(context.Background(), p, loss, want); err != nil || sol.Status != solve.Done {
				t.Fatal(k.name, s.name, err, sol)
			}
			for memory := int64(3000); memory < 60_000; memory += by {
				q := *p
				q.Checkpoints = &solve.Checkpoints{Memory: memory}
				_, sol, err := w.Adjoint(context.Background(), &q, loss, got)
				switch {
				case err != nil:
					t.Errorf("%s, %s in %d bytes: %v", k.name, s.name, memory, err)
				case sol.Status == solve.MemoryLimit:
					ended++
				case !slices.EqualFunc(got, want, sameBits):
					t.Errorf("%s, %s in %d bytes: %v by %d of %d steps made again, want %v", k.name, s.name, memory, got, sol.Stats.Repeated, sol.Stats.Steps, want)
				default:
					kept++
				}
			}
		}
	}
	t.Logf("%d gradients, %d ended for want of memory", kept, ended)
	if kept < 80 {
		t.Errorf("only %d gradients", kept)
	}
}
