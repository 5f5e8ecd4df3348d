package udl_test

import (
	"context"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/udl-lang/udl"
)

// TestSpiralReproducible holds that the history of a training is the same in every digit between two runs, and between one thread and two.
func TestSpiralReproducible(t *testing.T) {
	m, err := udl.Load("models/spiral.udl", udl.WithModel("Spiral"))
	if err != nil {
		udl.Explain(os.Stderr, err)
		t.Fatal(err)
	}
	iters := "adam(rate = 0.05, iters = 500)"
	if testing.Short() {
		iters = "adam(rate = 0.05, iters = 20)"
	}
	train := func(threads int) (history []float64) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		_, err := m.Fit(context.Background(), udl.FitOptions{
			SolveOptions: udl.SolveOptions{T1: 1.5, By: 1.5 / 29, Seed: 1},
			Loss:         "s -> sum((s.u - 1)^2)", Train: iters,
			Progress: func(_ int, loss, _ float64) { history = append(history, loss) },
		})
		if err != nil {
			t.Fatal(err)
		}
		return history
	}
	first := train(1)
	for _, threads := range []int{1, 2} {
		again := train(threads)
		if len(again) != len(first) {
			t.Fatalf("%d iterations, then %d", len(first), len(again))
		}
		for i := range first {
			if math.Float64bits(again[i]) != math.Float64bits(first[i]) {
				t.Fatalf("%d threads, iteration %d: loss %v, not %v", threads, i, again[i], first[i])
			}
		}
	}
	t.Logf("%d iterations, the last loss %v", len(first), first[len(first)-1])
}
