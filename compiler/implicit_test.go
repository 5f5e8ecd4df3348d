package compiler_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/udl-lang/udl/runtime/system"
)

// show writes the system of a model out: rows, mass matrix, invariants, at given values.
func show(s *system.System, t float64, x []float64, set map[string]float64) string {
	var b strings.Builder
	th := s.Defaults()
	for k, v := range set {
		th[s.Find(k, system.RoleParam, system.RoleConst).Off] = v
	}
	if x == nil {
		x = make([]float64, s.NX)
		s.Init.Clone().Eval(x, t, nil, th)
	}
	f := make([]float64, s.NX)
	s.RHS.Clone().Eval(f, t, x, th)
	names := s.StateNames()
	m := make([]float64, 0)
	if s.Mass != nil {
		m = make([]float64, s.Mass.Pattern.NNZ())
		s.Mass.Values.Clone().Eval(m, 0, nil, th)
	}
	for i := range f {
		left := names[i] + "'"
		if s.Mass != nil {
			left = ""
			for j := range f {
				if k := s.Mass.Pattern.Index(i, j); k >= 0 {
					left += fmt.Sprintf("%+g*%s' ", m[k], names[j])
				}
			}
			left = strings.TrimSpace(left)
		}
		kind, name := "", ""
		if s.Algebraic != nil && s.Algebraic[i] {
			kind = "*"
		}
		if s.Equations != nil {
			name = "   [" + s.Equations[i].Name + "]"
		}
		fmt.Fprintf(&b, "%s%s: %s = %.6g%s\n", names[i], kind, left, f[i], name)
	}
	if s.Invariants != nil {
		z := make([]float64, len(s.Conserved))
		s.Invariants.Clone().Eval(z, t, x, th)
		for k, v := range z {
			fmt.Fprintf(&b, "keeps %.6g   [%s]\n", v, s.Conserved[k].Name)
		}
	}
	return b.String()
}

func TestImplicitShow(t *testing.T) {
	for _, text := range []string{
		"model M { param k = 2; state x = 1, z = 0.5; x' = -x + z; 0 = z - k*x }",
		"model M { param k = 2; state x = 1, y[3] = [1, 2, 3], z[3] = [4, 5, 6]; x' = -x + sum(y); 0 = y - k*x; 0 = z[i] - i*y[i] }",
		"model M { state x = 2; 0 = x^2 - 2 }",
		"model M { const g = 9.81, L = 1; state x = 0.6, y = -0.8, u = 0, v = 0, lam = 1; x' = u; y' = v; u' = -lam*x; v' = -lam*y - g; 0 = x^2 + y^2 - L^2 }",
		"model M { const g = 9.81, L = 1; state x = 0.6, x' = 0, y = -0.8, y' = 0, lam = 1; x'' = -lam*x; y'' = -lam*y - g; 0 = x^2 + y^2 - L^2 }",
		"model M { param C1 = 2, C2 = 3; state v1 = 1, v2 = 1, i1 = 0, i2 = 0; C1*v1' = i1; C2*v2' = i2; 0 = v1 - v2; 0 = i1 + i2 - sin(t) }",
		"model M { param C1 = 2, C2 = 3; state v1 = 1, v2 = 2; C1*(v2' - v1') = v1; C2*v2' + v1' = -v2 }",
		"model M { param C = 2; state x = 1, y = 0; x' = -x; C*(y' - x') = -y }",
		"model M { state x = 1, y = 3; (1 + x^2)*x' = -y; y' = x' + 1 }",
		"model M { state x = 1, y = 3; 2*x' = -y; y' = x' + 1; let q = x' }",
		"model M { param m = 2; state u[3] = [1, 2, 4]; u[1]' = -u[1]; m*(u[i in 2..3]' - u[i-1]') = u[i] }",
		"model M { state c = 1, T = 2, q = 0; c' = -c*exp(-1/T); T' = c*exp(-1/T) - q; 0 = T - 2 - sin(t) }",
		"model M { state x = 1, z = 0; x' = z'; 0 = z - sin(t) }",
	} {
		s := compile(t, text).System
		t.Logf("%s\n%s", text, show(s, 0.5, nil, nil))
	}
}
