package compiler_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Rows whose derivatives depend on each other, beside what cannot go into a mass matrix: the solution is that of the model with the combination written out.
func TestDependentRows(t *testing.T) {
	m, _ := method.Find("RadauIIA5")
	for _, c := range []struct {
		name, text, plain string
		set               map[string]float64
	}{
		{name: "twice", text: "a' + b' + c' = -a; 2*a' + 2*b' + 2*c' = -2*a + b - c; 0 = a + b + c^3 - 3",
			plain: "a' + b' + c' = -a; 0 = b - c; 0 = a + b + c^3 - 3"},
		{name: "of three", text: "a' + 0.3*b' = -a; 0.7*b' - 0.1*c' = 0.5*c; 2*a' + 1.3*b' - 0.1*c' = -2*a + 0.5*c + b^3 - c^3",
			plain: "a' + 0.3*b' = -a; 0.7*b' - 0.1*c' = 0.5*c; 0 = b^3 - c^3"},
		{name: "a capacity", text: "C*(a' - b') = -a; C*(b' - a') = a + b - c; 0 = a + b + c^3 - 3",
			plain: "C*(a' - b') = -a; 0 = b - c; 0 = a + b + c^3 - 3"},
		{name: "another capacity", text: "C*(a' - b') = -a; C*(b' - a') = a + b - c; 0 = a + b + c^3 - 3",
			plain: "C*(a' - b') = -a; 0 = b - c; 0 = a + b + c^3 - 3", set: map[string]float64{"C": 0.6}},
		{name: "beside an equation of its own", text: "a' = -a; 2*a' + b' + c' = -2*a + b; 4*a' + 2*b' + 2*c' = -4*a + 2*b + b - c^3",
			plain: "a' = -a; b' + c' = b; 0 = b - c^3"},
		{name: "with a factor that moves", text: "a' + b' = -a; (1 + c^2)*c' = a - c; 2*a' + 2*b' = -2*a + b - c",
			plain: "a' + b' = -a; (1 + c^2)*c' = a - c; 0 = b - c"},
		{name: "with a derivative that is shown", text: "a' + b' + c' = -a; 2*a' + 2*b' + 2*c' = -2*a + b - c; 0 = a + b + c^3 - 3; let d = a'",
			plain: "a' + b' + c' = -a; 0 = b - c; 0 = a + b + c^3 - 3; let d = a'"},
		{name: "under an index", text: "state q[3] = 1; q[i]' + a' = -q[i]; b' = -a; 2*q[1]' + 2*a' = -2*q[1] + a - c; 0 = a + c^3 - 2",
			plain: "state q[3] = 1; q[i]' + a' = -q[i]; b' = -a; 0 = a - c; 0 = a + c^3 - 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got [2]map[string]float64
			for i, text := range []string{c.text, c.plain} {
				s := compile(t, "model M { param C = 2; state a = 1, b = 1, c = 1; "+text+" }").System
				th := s.Defaults()
				for k, v := range c.set {
					th[s.Find(k, system.RoleParam).Off] = v
				}
				sol, err := solve.Solve(context.Background(), &solve.Problem{Sys: s, Theta: th, Method: m, T1: 0.5, Rtol: 1e-9, Atol: 1e-11})
				if err != nil || sol.Status != solve.Done {
					t.Fatalf("%s: %v %v\n%s", text, err, sol, show(s, 0, nil, c.set))
				}
				got[i] = map[string]float64{}
				x := sol.Row(len(sol.T) - 1)
				for k, name := range s.StateNames() {
					got[i][name] = x[k]
				}
			}
			for _, name := range []string{"a", "b", "c"} {
				if v, w := got[0][name], got[1][name]; math.IsNaN(v) || math.Abs(v-w) > 1e-7 {
					t.Errorf("%s = %.10g, want %.10g", name, v, w)
				}
			}
		})
	}
}

// Nothing is eliminated where coefficients depend on each other for some parameters only: the parameters may be set.
func TestDependentForSomeParameters(t *testing.T) {
	s := compile(t, "model M { param k = 2; state a = 1, b = 1, c = 1; a' + b' + c' = -a; k*a' + 2*b' + 2*c' = -2*a + b - c; 0 = a + b + c^3 - 3 }").System
	for _, k := range []float64{2, 3} {
		th, x := s.Defaults(), make([]float64, s.NX)
		th[s.Find("k", system.RoleParam).Off] = k
		s.Init.Clone().Eval(x, 0, nil, th)
		err := solve.Consistent(s, 0, x, th, 1e-6, []float64{1e-9, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9}[:s.NX])
		if k == 2 && (err == nil || !strings.Contains(err.Error(), "do not determine")) || k == 3 && err != nil {
			t.Errorf("k = %v: %v", k, err)
		}
	}
}

// Systems of index 1, x' = f(x, z), 0 = g(x, z), of which rows and unknowns are mixed by random matrices, so that every row holds every derivative. Given polynomials
// solve them. None may be refused, whatever the rank of the rows with derivatives.
func TestRandomDependentRows(t *testing.T) {
	singular, differentiated := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		nx, nz := rapid.IntRange(1, 3).Draw(r, "nx"), rapid.IntRange(1, 3).Draw(r, "nz")
		n := nx + nz
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 3))
		number := func() float64 { return math.Round((2*random.Float64()-1)*1e3) / 1e3 }
		near := func(diagonal float64) [][]float64 { // diagonally dominant
			a := make([][]float64, n)
			for i := range a {
				for range n {
					a[i] = append(a[i], number()*0.9*diagonal/float64(n))
				}
				a[i][i] += diagonal
			}
			return a
		}
		rows, unknowns := near(1), near(2)
		path := make([]polynomial, n) // of the unknowns w; v = unknowns·w
		for j := range path {
			path[j] = polynomial{number(), number(), number()}
		}
		moved := make([]polynomial, n)
		v := make([]string, n)
		for i := range n {
			for j := range n {
				moved[i] = moved[i].add(unknowns[i][j], path[j])
				v[i] += fmt.Sprintf(" + (%.17g)*w%d", unknowns[i][j], j)
			}
			v[i] = "(" + v[i][3:] + ")"
		}
		// f or g: something of v that is nothing along the path. ∂g/∂z is dominated by its diagonal.
		part := make([]string, n)
		for i := range n {
			k := random.IntN(n)
			c := 0.4 * number()
			bend := func(own, other string) string {
				return fmt.Sprintf("%s + %s^3 + (%.17g)*sin(%s)", own, own, c, other)
			}
			along := func(i int) string { return "(" + moved[i].String() + ")" }
			part[i] = bend(along(i), along(k)) + " - (" + bend(v[i], v[k]) + ")"
			if i < nx {
				part[i] += " + " + moved[i].derivative().String()
			}
		}
		var text strings.Builder
		text.WriteString("model M {\n")
		for j := range n {
			fmt.Fprintf(&text, "  state w%d = %.17g\n", j, path[j].at(0))
		}
		for i := range n {
			left, right := "", ""
			for j := range n {
				if i >= nx && j < nx && rapid.IntRange(0, 3).Draw(r, "none") == 0 {
					continue // some rows hold fewer parts, or no derivative at all
				}
				right += fmt.Sprintf(" + (%.17g)*(%s)", rows[i][j], part[j])
				for k := range n {
					if j < nx {
						left += fmt.Sprintf(" + (%.17g)*w%d'", rows[i][j]*unknowns[j][k], k)
					}
				}
			}
			if left == "" {
				left = "   0"
			}
			fmt.Fprintf(&text, "  %s = %s\n", left[3:], right[3:])
		}
		text.WriteString("}\n")
		s := compile(t, text.String()).System
		if s.Invariants != nil {
			differentiated++
		} else {
			singular++
		}
		const at = 0.4
		th := s.Defaults()
		x, atol := make([]float64, s.NX), make([]float64, s.NX)
		for k, name := range s.StateNames() {
			p := path[name[1]-'0']
			for range strings.Count(name, "'") {
				p = p.derivative()
			}
			x[k], atol[k] = p.at(at), 1e-9
			if s.Algebraic[k] {
				x[k] += 0.01
			}
		}
		if err := solve.Consistent(s, at, x, th, 1e-9, atol); err != nil {
			r.Fatalf("%v\n%s\n%s", err, text.String(), show(s, at, x, nil))
		}
		z := make([]float64, s.NX)
		s.RHS.Clone().Eval(z, at, x, th)
		values := make([]float64, s.Mass.Pattern.NNZ())
		s.Mass.Values.Clone().Eval(values, 0, nil, th)
		for j, name := range s.StateNames() {
			p := path[name[1]-'0']
			for range strings.Count(name, "'") {
				p = p.derivative()
			}
			if math.Abs(x[j]-p.at(at)) > 1e-6 {
				r.Fatalf("%s = %v, want %v\n%s\n%s", name, x[j], p.at(at), text.String(), show(s, at, x, nil))
			}
			in, first := s.Mass.Pattern.Column(j)
			for k, i := range in {
				z[i] -= values[first+k] * p.derivative().at(at)
			}
		}
		for i, v := range z {
			if math.Abs(v) > 1e-6 {
				r.Fatalf("row %s is off by %v\n%s\n%s", s.Equations[i].Name, v, text.String(), show(s, at, x, nil))
			}
		}
	})
	t.Logf("%d with a singular mass matrix, %d differentiated", singular, differentiated)
}
