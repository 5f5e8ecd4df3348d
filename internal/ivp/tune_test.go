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

func TestTune(t *testing.T) {
	names := []string{"vdpol_mu10", "vdpol_mu1e3", "robertson", "orego", "hires", "pollu", "brusselator1d_n20", "brusselator1d_n200"}
	solver := os.Getenv("SOLVER")
	if solver == "" {
		solver = "BDF"
	}
	reps := 1
	if verbose0 := os.Getenv("V"); verbose0 != "" {
		reps = 5
	}
	base := map[string][][2]float64{}
	if f := os.Getenv("BASE"); f != "" {
		b, _ := os.ReadFile(f)
		json.Unmarshal(b, &base)
	}
	now := map[string][][2]float64{}
	verbose := os.Getenv("V") != ""
	all, alln := 0.0, 0.0
	defer func() {
		if f := os.Getenv("SAVE"); f != "" {
			b, _ := json.Marshal(now)
			os.WriteFile(f, b, 0o666)
		}
		fmt.Printf("ALL %.3f\n", math.Exp(all/alln))
	}()
	for _, p := range problems {
		use := false
		for _, n := range names {
			use = use || n == p.name
		}
		if o := os.Getenv("ONLY"); !use || o != "" && o != p.name {
			continue
		}
		m := model(t, p.name)
		r := load(t, p.name)
		s := p.atol / 1e-6
		for e := 3; e <= 11; e++ {
			rtol := math.Pow(10, -float64(e))
			var sol *udl.Solution
			best := time.Duration(1 << 60)
			for range reps {
				t0 := time.Now()
				var err error
				sol, err = m.Solve(context.Background(), udl.SolveOptions{T0: r.T0, T1: r.TEnd, At: r.Times, Rtol: rtol, Atol: s * rtol, Solver: solver})
				best = min(best, time.Since(t0))
				if err != nil {
					fmt.Println(p.name, err)
					break
				}
			}
			w, _ := worst(t, sol, r, 1, s)
			st := sol.Stats()
			now[p.name] = append(now[p.name], [2]float64{math.Log(w), math.Log(float64(st.Newton) + 3*float64(st.Factors))})
			if verbose {
				fmt.Printf("%-20s %2d err %.2e  steps %d rej %d f %d newton %d kry %d fail %d J %d LU %d  %.3f ms %s\n", p.name, e, w, st.Steps, st.Rejected, st.Evals, st.Newton, st.Krylov, st.Failed, st.Jacobians, st.Factors, best.Seconds()*1e3, st.Linear)
			}
		}
		if c := base[p.name]; c != nil {
			sum, n := 0.0, 0.0
			for l := -3.0; l >= -9; l -= 0.25 {
				x, ok1 := at(c, l*math.Ln10)
				y, ok2 := at(now[p.name], l*math.Ln10)
				if ok1 && ok2 {
					sum, n = sum+y-x, n+1
				}
			}
			fmt.Printf("%s %.3f (%g)  ", (p.name + "      ")[:5]+p.name[len(p.name)-2:], math.Exp(sum/n), n)
			all, alln = all+sum/n, alln+1
		}
	}
}

// at fits log cost = a + b·log err by least squares locally (piecewise over sorted points, smoothed) and evaluates.
func at(c [][2]float64, l float64) (float64, bool) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range c {
		lo, hi = min(lo, p[0]), max(hi, p[0])
	}
	if l < lo || l > hi {
		return 0, false
	}
	var sw, sx, sy, sxx, sxy float64
	for _, p := range c {
		d := (p[0] - l) / 3.5
		w := math.Exp(-d * d)
		x, y := p[0]-l, p[1]
		sw, sx, sy, sxx, sxy = sw+w, sx+w*x, sy+w*y, sxx+w*x*x, sxy+w*x*y
	}
	b := (sw*sxy - sx*sy) / (sw*sxx - sx*sx)
	return (sy - b*sx) / sw, true
}
