package ivp

import (
	"context"
	"fmt"
	"math"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/udl-lang/udl"
)

func TestEnd(t *testing.T) {
	name := os.Getenv("ONLY")
	if name == "" {
		name = "brusselator1d_n200"
	}
	m := model(t, name)
	r := load(t, name)
	r.Times = r.Times[len(r.Times)-1:]
	r.Reference = r.Reference[len(r.Reference)-1:]
	solver := os.Getenv("SOLVER")
	if solver == "" {
		solver = "BDF"
	}
	lo, hi := 3, 11
	if f := os.Getenv("TOL"); f != "" {
		fmt.Sscan(f, &lo)
		hi = lo
	}
	reps := 7
	if f := os.Getenv("REPS"); f != "" {
		fmt.Sscan(f, &reps)
	}
	for e := lo; e <= hi; e++ {
		rtol := math.Pow(10, -float64(e))
		var sol *udl.Solution
		best := time.Duration(1 << 60)
		c0 := cpu()
		for range reps {
			t0 := time.Now()
			sol, _ = m.Solve(context.Background(), udl.SolveOptions{T0: r.T0, T1: r.TEnd, At: r.Times, Rtol: rtol, Atol: rtol, Solver: solver})
			best = min(best, time.Since(t0))
		}
		w, _ := worst(t, sol, r, 1, 1)
		c1 := cpu()
		st := sol.Stats()
		fmt.Printf("%2d err %.2e  %.3f ms cpu %.3f steps %d rej %d f %d newton %d kry %d fail %d J %d LU %d  %s\n", e, w, best.Seconds()*1e3, (c1-c0)/float64(reps)*1e3, st.Steps, st.Rejected, st.Evals, st.Newton, st.Krylov, st.Failed, st.Jacobians, st.Factors, st.Linear)
	}
}

func cpu() float64 {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return float64(r.Utime.Sec+r.Stime.Sec) + 1e-6*float64(r.Utime.Usec+r.Stime.Usec)
}
