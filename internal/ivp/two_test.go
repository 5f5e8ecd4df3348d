package ivp

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/udl-lang/udl"
)

func TestTwo(t *testing.T) {
	n := 64
	b, err := os.ReadFile("/tmp/bdfw/brusselator2d_n64.udl")
	if err != nil {
		t.Skip()
	}
	t0 := time.Now()
	m, err := udl.Parse("b2.udl", string(b))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("parse", time.Since(t0))
	var ref []float64
	b, _ = os.ReadFile("/tmp/bdfw/ref2d.json")
	json.Unmarshal(b, &ref)
	u, v := make([]float64, n*n), make([]float64, n*n)
	for i := range n {
		for j := range n {
			x, y := float64(j)/float64(n), float64(i)/float64(n)
			u[i*n+j] = 22 * y * math.Pow(1-y, 1.5)
			v[i*n+j] = 27 * x * math.Pow(1-x, 1.5)
		}
	}
	sq := func(a []float64) (r [][]float64) {
		for i := range n {
			r = append(r, a[i*n:(i+1)*n])
		}
		return
	}
	lo, hi := 3, 10
	if f := os.Getenv("TOL"); f != "" {
		fmt.Sscan(f, &lo)
		hi = lo
	}
	reps := 2
	if f := os.Getenv("REPS"); f != "" {
		fmt.Sscan(f, &reps)
	}
	solver := os.Getenv("SOLVER")
	if solver == "" {
		solver = "BDF"
	}
	for e := lo; e <= hi; e++ {
		rtol := math.Pow(10, -float64(e))
		var sol *udl.Solution
		best := time.Duration(1 << 60)
		c0 := cpu()
		for range reps {
			t0 := time.Now()
			sol, err = m.Solve(context.Background(), udl.SolveOptions{T0: 0, T1: 1, At: []float64{1}, Rtol: rtol, Atol: rtol, Solver: solver, Set: map[string]any{"u": sq(u), "v": sq(v)}})
			if err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(t0))
		}
		us, _ := sol.Series("u")
		vs, _ := sol.Series("v")
		w := 0.0
		for i, x := range append(append([]float64{}, us...), vs...) {
			w = max(w, math.Abs(x-ref[i])/(1+math.Abs(ref[i])))
		}
		c1 := cpu()
		st := sol.Stats()
		fmt.Printf("%2d err %.2e  %.3f ms cpu %.3f steps %d rej %d f %d newton %d kry %d fail %d J %d LU %d  %s\n", e, w, best.Seconds()*1e3, (c1-c0)/float64(reps)*1e3, st.Steps, st.Rejected, st.Evals, st.Newton, st.Krylov, st.Failed, st.Jacobians, st.Factors, st.Linear)
	}
}
