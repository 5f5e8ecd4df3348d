package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var kills = flag.Int("kills", 10, "how many times TestKilled kills a training")

// longFit is a training of half a second of a network, in several phases: over a part of the times, over segments with gaps that close, over windows that
// are drawn anew in each iteration, and over everything, by optimisers with and without line search. It writes its state after every iteration, so that many a kill
// strikes while it is written.
const longFit = `
model Hunt {
  param a = 1.1, d = 1.4
  state x = 0.8, y = 1
  unknown U(x, y) -> (g, h) = NN(hidden = [4], act = tanh)
  let (g, h) = U(x, y)
  x' = a*x + g*x
  y' = -d*y + h*y
}
model Truth { const a = 1.3, d = 1.8; state x = 0.8, y = 1; x' = a*x - 0.9*x*y; y' = -d*y + 0.8*x*y }
s = solve(Truth, t = 0..3 by 0.1, rtol = 1e-9)
save(s, "seen.csv")
best = fit(Hunt, csv("seen.csv", time = "t"), match = {x: "x", y: "y"}, free = [U, a, d, x, y],
           method = shooting(grow = [0.5], train = adam(rate = 0.02, iters = 12) then bfgs(iters = 8)) then
                    multiple_shooting(segments = 3, continuity = constraint, train = lbfgs(iters = 3)) then shooting(window = 8, train = rmsprop(rate = 0.003, iters = 12)) then shooting,
           train = adamw(rate = 0.01, iters = 20) then lbfgs(iters = 15), checkpoint = "run.ckpt", every = 1, seed = 3)
save(best, "best.safetensors")
print(best.loss, sum(best.history), best.report.iterations, best.report.evaluations)
`

// A training that is killed at any moment goes on from its checkpoint and ends at the same bits as one that nothing happened to.
func TestKilled(t *testing.T) {
	// run trains; with a moment it is killed so long after the state of that iteration was written.
	run := func(dir string, at *moment) (text string, killed bool) {
		t.Helper()
		cmd := self(t, "run", "--quiet", filepath.Join(dir, "long.udl"))
		var out, fail bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &fail
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		var err error
		if at != nil {
			for written(dir) < at.iteration {
				select {
				case err = <-done:
					return out.String(), err != nil
				case <-time.After(200 * time.Microsecond):
				}
			}
			time.Sleep(at.after)
			_ = cmd.Process.Kill()
		}
		if err = <-done; err != nil && (at == nil || fail.Len() > 0) {
			t.Fatalf("%v: %s", err, fail.String())
		}
		return out.String(), err != nil
	}
	fresh := func() string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "long.udl"), []byte(longFit), 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	weights := func(dir string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, "best.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	dir := fresh()
	start := time.Now()
	want, _ := run(dir, nil)
	last := written(dir)
	each := time.Since(start) / time.Duration(last)
	bits := weights(dir)
	if again, _ := run(dir, nil); again != want || !bytes.Equal(weights(dir), bits) {
		t.Fatalf("a training that is done, run again: %q, want %q", again, want)
	}

	rng := rand.New(rand.NewPCG(7, 5))
	within, early, late := 0, 0, 0
	for n := 0; n < *kills; {
		dir := fresh()
		// One to three kills, then to the end.
		for range 1 + rng.IntN(3) {
			from := written(dir)
			_, killed := run(dir, &moment{from + rng.IntN(last-from), time.Duration(2 * rng.Float64() * float64(each))})
			n++
			if !killed {
				late++
				break
			}
			list, err := os.ReadDir(filepath.Join(dir, "run.ckpt"))
			if err != nil {
				early++
			}
			for _, e := range list {
				if strings.HasSuffix(e.Name(), ".tmp") {
					within++ // of a file; between two files cannot be seen
				}
			}
			if written(dir) >= last {
				break
			}
		}
		if got, _ := run(dir, nil); got != want || !bytes.Equal(weights(dir), bits) {
			t.Fatalf("after kill %d: %q, want %q; the weights are the same: %v", n, got, want, bytes.Equal(weights(dir), bits))
		}
	}
	t.Logf("a run of %d iterations of %v killed %d times: %d while a file was written, %d before the first, %d too late", last, each.Round(time.Microsecond), *kills, within, early, late)
}

// moment is when a training is killed.
type moment struct {
	iteration int
	after     time.Duration
}

// written is the iteration whose state a checkpoint holds, −1 without one.
func written(dir string) int {
	b, err := os.ReadFile(filepath.Join(dir, "run.ckpt", "state.json"))
	if err != nil {
		return -1
	}
	var s struct{ State struct{ Iteration int } }
	if json.Unmarshal(b, &s) != nil {
		return -1
	}
	return s.State.Iteration
}
