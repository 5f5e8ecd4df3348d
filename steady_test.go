package udl_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl"
	"github.com/udl-lang/udl/lang/diag"
)

// poisson is −Δu = 2π² sin πx sin πy on the unit square of n × n inner points, its boundary zero; with a rim of zeros that equations keep, so that one stencil serves.
func poisson(n int) string {
	return fmt.Sprintf(`model Poisson {
  const n = %d
  const h = 1/%d
  state u[n, n] = 0
  u[i in 2..n-1, j in 2..n-1]' = (u[i-1, j] + u[i+1, j] + u[i, j-1] + u[i, j+1] - 4*u[i, j])/h^2 + 2*pi^2*sin(pi*(i - 1)*h)*sin(pi*(j - 1)*h)
  u[1, j]' = -u[1, j]
  u[n, j]' = -u[n, j]
  u[i in 2..n-1, 1]' = -u[i, 1]
  u[i in 2..n-1, n]' = -u[i, n]
}`, n+2, n+1)
}

// TestPoisson: the five-point scheme has its solution in closed form, sin πx sin πy times a factor, to which one step of Newton's method comes.
func TestPoisson(t *testing.T) {
	factor := map[int]float64{8: 1.0129507467218792, 16: 1.0032189644400797, 32: 1.0008035776793724, 64: 1.000200821809705}
	for cells, f := range factor {
		if cells == 64 && testing.Short() {
			continue
		}
		m := parse(t, poisson(cells-1))
		r, err := m.Steady(context.Background(), udl.SteadyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		u, _ := r.Value("u")
		worst := 0.0
		for i := range cells + 1 {
			for j := range cells + 1 {
				want := f * math.Sin(math.Pi*float64(i)/float64(cells)) * math.Sin(math.Pi*float64(j)/float64(cells))
				worst = max(worst, math.Abs(u[i*(cells+1)+j]-want))
			}
		}
		if worst > 1e-12 || r.How() != "Newton's method, 1 iteration" {
			t.Errorf("%d cells: off by %g, %s", cells, worst, r.How())
		}
	}
}

const brusselator = `model Brusselator {
  param a = 1
  param b = 1.5
  state x = 0.5, y = 0.5
  let xy = x*y
  x' = a + x^2*y - (b + 1)*x
  y' = b*x - x^2*y
}`

// TestSteadyStability: the Brusselator's steady state (a, b/a) is stable where b < 1 + a², and eigenvalues say so.
func TestSteadyStability(t *testing.T) {
	m := parse(t, brusselator)
	for _, c := range []struct {
		b    float64
		says string
	}{{1.5, "stable"}, {2.5, "unstable: 2 of 2"}, {2, "undecided"}} {
		r, err := m.Steady(context.Background(), udl.SteadyOptions{Set: map[string]any{"b": c.b}})
		if err != nil {
			t.Fatal(err)
		}
		x, _ := r.Value("x")
		y, _ := r.Value("y")
		xy, _ := r.Value("xy")
		if math.Abs(x[0]-1) > 1e-9 || math.Abs(y[0]-c.b) > 1e-9 || math.Abs(xy[0]-c.b) > 1e-9 || !strings.HasPrefix(r.Stability(), c.says) {
			t.Errorf("b = %v: %v, %v, %s, %s", c.b, x, y, r.How(), r.Stability())
		}
		// The trace is b − 1 − a², the determinant a².
		e := r.Eigenvalues()
		if len(e) != 2 || math.Abs(real(e[0]+e[1])-(c.b-2)) > 1e-8 || math.Abs(real(e[0]*e[1])-1) > 1e-8 {
			t.Errorf("b = %v: eigenvalues %v", c.b, e)
		}
	}
	if _, err := m.Steady(context.Background(), udl.SteadyOptions{By: "integration", Set: map[string]any{"b": 2.5}}); err == nil {
		t.Error("a limit cycle came to rest")
	}
}

// TestSteadyAgreesWithAWhileOfSolving on the reaction network of pollution, from its own start.
func TestSteadyAgreesWithSolving(t *testing.T) {
	m := parse(t, brusselator)
	s, err := m.Solve(context.Background(), udl.SolveOptions{T1: 200, At: []float64{200}, Rtol: 1e-10, Atol: 1e-12})
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []string{"newton", "continuation", "integration"} {
		r, err := m.Steady(context.Background(), udl.SteadyOptions{By: by})
		if err != nil {
			t.Fatal(err)
		}
		want, _ := s.Series("x")
		if x, _ := r.Value("x"); math.Abs(x[0]-want[0]) > 1e-8 || !strings.Contains(r.How(), map[string]string{"newton": "Newton", "continuation": "continuation", "integration": "integration"}[by]) {
			t.Errorf("%s: %v, want %v (%s)", by, x, want, r.How())
		}
	}
}

func TestSteadyMistakes(t *testing.T) {
	for text, c := range map[string]struct{ code, says string }{
		"model M { state x = 1; x' = 1 + x^2 }\nsteady(M)":                                                         {"E0509", "x'"},
		"model M { state x = 1, y[2] = 0; x' = -x; y[1]' = 1 - y[1]; y[2]' = 3 + x }\nsteady(M)":                   {"E0509", "y[2]'"},
		"model M { state x = -1; x' = log(x) }\nsteady(M)":                                                         {"E0509", "log(x)"},
		"model M { state x = 1; x' = -x }\nsteady(M, rtol = 0)":                                                    {"E0704", "rtol"},
		"model M { state x = 1; x' = -x }\nsteady(M, by = bisection)":                                              {"E0704", "bisection"},
		"model M { state x = 1; x' = -x }\nsteady(M, t = inf)":                                                     {"E0704", "inf"},
		"model M { state x = 1; x' = -x }\nsteady(M).z":                                                            {"E0708", "z"},
		"model M { input I = 0; state x = 1; x' = I - x }\nsteady(M, t = 5, inputs = {I: linear([0, 1], [0, 1])})": {"E0508", "5"},
		"model M { state x = 1; x' = -x }\nsteady(3)":                                                              {"E0703", ""},
	} {
		err := runScript(t, text)
		l := diag.From(err)
		if len(l) == 0 || string(l[0].Code) != c.code && c.code != "E0703" || !strings.Contains(l[0].Message, c.says) || l[0].Code == "E0509" && l[0].Help == "" {
			var b strings.Builder
			udl.Explain(&b, err)
			t.Errorf("%s\nwants %s, gives %s", text, c.code, b.String())
		}
	}
}

// TestSteadyOfEnzymes: E + ES keeps the value of the start, whatever the back end makes of the last bits.
func TestSteadyOfEnzymes(t *testing.T) {
	for _, src := range []string{
		`model Open { state S = 0, E = 1, ES = 0; S' = 1 - 10*S*E + ES - 0.3*S; E' = -10*S*E + 3*ES; ES' = 10*S*E - 3*ES }`,
		`model Plain { state S = 0, E = 1, ES = 0; S' = 1 - S - S*E + ES; E' = -S*E + 2*ES; ES' = S*E - 2*ES }`,
		`model Reversible { const kin = 1; state S = 0, E = 1, ES = 0, P = 0; S' = kin - 10*S*E + ES; E' = -10*S*E + 3*ES - 0.5*E*P; ES' = 10*S*E - 3*ES + 0.5*E*P; P' = 2*ES - 0.5*E*P - 0.3*P }`,
	} {
		for _, by := range []string{"auto", "continuation", "integration"} {
			r, err := parse(t, src).Steady(context.Background(), udl.SteadyOptions{By: by})
			if err != nil {
				t.Errorf("%s, %s: %v", src, by, err)
				continue
			}
			e, _ := r.Value("E")
			es, _ := r.Value("ES")
			if d := e[0] + es[0] - 1; math.Abs(d) > 1e-13 {
				t.Errorf("%s, %s: E + ES is off by %.3g", src, by, d)
			}
		}
	}
}
