package compiler_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/check"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib"
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

// What becomes of implicit equations, worked out by hand: which row is which, the mass matrix, and what is kept. A star marks the algebraic unknowns.
func TestImplicitMeaning(t *testing.T) {
	const pendulum = "x: +1*x' = 0   [x']\ny: +1*y' = 0   [y']\nu: +1*u' = -0.6   [u']\nv: +1*v' = -9.01   [v']\n" +
		"lam*:  = 13.696   [the 2nd derivative of 0 = x^2 + y^2 - L^2]\n" + // 2u² + 2v² + 2x·(−lam·x) + 2y·(−lam·y − g) = −2 + 2·0.8·9.81
		"keeps 0   [0 = x^2 + y^2 - L^2]\nkeeps 0   [the derivative of 0 = x^2 + y^2 - L^2]\n"
	for _, c := range []struct{ name, text, want string }{
		{"one unknown", "model M { param k = 2; state x = 1, z = 0.5; x' = -x + z; 0 = z - k*x }",
			"x: +1*x' = -0.5   [x']\nz*:  = -1.5   [0 = z - k*x]\n"},
		{"the order of equations does not matter", "model M { state y = 1, z = 2, w = 3; 0 = w - 1; 0 = y^2 - w; 0 = y + z }",
			"y*:  = -2   [0 = y^2 - w]\nz*:  = 3   [0 = y + z]\nw*:  = 2   [0 = w - 1]\n"},
		{"arrays", "model M { param k = 2; state x = 1, y[2] = [1, 2], z[2] = [4, 5]; x' = -x + sum(y); 0 = y - k*x; 0 = z[i] - i*y[i] }",
			"x: +1*x' = 2   [x']\ny[1]*:  = -1   [0 = y - k*x, element 1]\ny[2]*:  = 0   [0 = y - k*x, element 2]\n" +
				"z[1]*:  = 3   [0 = z[i] - i*y[i], element 1]\nz[2]*:  = 1   [0 = z[i] - i*y[i], element 2]\n"},
		{"index 3", "model M { const g = 9.81, L = 1; state x = 0.6, y = -0.8, u = 0, v = 0, lam = 1; x' = u; y' = v; u' = -lam*x; v' = -lam*y - g; 0 = x^2 + y^2 - L^2 }", pendulum},
		{"index 3, second order", "model M { const g = 9.81, L = 1; state x = 0.6, x' = 0, y = -0.8, y' = 0, lam = 1; x'' = -lam*x; y'' = -lam*y - g; 0 = x^2 + y^2 - L^2 }",
			strings.NewReplacer("u: +1*u' = -0.6   [u']\n", "", "y: +1*y' = 0   [y']\n", "x': +1*x'' = -0.6   [x'']\ny: +1*y' = 0   [y']\n",
				"v: +1*v' = -9.01   [v']\n", "y': +1*y'' = -9.01   [y'']\n").Replace(pendulum)},
		{"index 2, a constraint on velocities", "model M { state x = 1, y = 0, u = 0, v = 1, lam = 0; x' = u; y' = v; u' = -lam*x; v' = -lam*y; 0 = x*u + y*v }",
			"x: +1*x' = 0   [x']\ny: +1*y' = 1   [y']\nu: +1*u' = -0   [u']\nv: +1*v' = -0   [v']\nlam*:  = 1   [the derivative of 0 = x*u + y*v]\nkeeps 0   [0 = x*u + y*v]\n"},
		{"index 2, a loop of capacitors", "model M { param C1 = 2, C2 = 3; state v1 = 1, v2 = 1, i1 = 0, i2 = 0; C1*v1' = i1; C2*v2' = i2; 0 = v1 - v2; 0 = i1 + i2 - 4 }",
			"v1: +2*v1' = 0   [C1*v1' = i1]\nv2: -1*v1' +1*v2' = 0   [the derivative of 0 = v1 - v2]\ni1*:  = -4   [0 = i1 + i2 - 4]\ni2*: +3*v2' = 0   [C2*v2' = i2]\nkeeps 0   [0 = v1 - v2]\n"},
		{"index 2, a prescribed temperature", "model M { state c = 1, T = 2, q = 0; c' = -c*T; T' = c*T - q; 0 = T - 2 - t^2 }",
			"c: +1*c' = -2   [c']\nT: +1*T' = 2   [T']\nq*:  = 1   [the derivative of 0 = T - 2 - t^2]\nkeeps -0.25   [0 = T - 2 - t^2]\n"},
		{"a mass matrix", "model M { param C1 = 2, C2 = 3; state v1 = 1, v2 = 2; C1*(v2' - v1') = v1; C2*v2' + v1' = -v2 }",
			"v1: -2*v1' +2*v2' = 1   [C1*(v2' - v1') = v1]\nv2: +1*v1' +3*v2' = -2   [C2*v2' + v1' = -v2]\n"},
		{"a mass matrix and a derivative that is given", "model M { param C = 2; state x = 1, y = 0; x' = -x; C*(y' - x') = -y }",
			"x: +1*x' = -1   [x']\ny: +2*y' = -2   [C*(y' - x') = -y]\n"},
		{"a derivative in another's equation", "model M { state x = 1, y = 3; 2*x' = -y; y' = x' + 1 }",
			"x: +2*x' = -3   [2*x' = -y]\ny: -1*x' +1*y' = 1   [y']\n"},
		{"rows with an index", "model M { param m = 2; state u[3] = [1, 2, 4]; u[1]' = -u[1]; m*(u[i in 2..3]' - u[i-1]') = u[i] }",
			"u[1]: +1*u[1]' = -1   [u[1]']\nu[2]: +2*u[2]' = 0   [m*(u[i in 2..3]' - u[i-1]') = u[i], element 1]\n" +
				"u[3]: -2*u[2]' +2*u[3]' = 4   [m*(u[i in 2..3]' - u[i-1]') = u[i], element 2]\n"},
		{"a matrix", "model M { const A[2, 2] = [[2, 1], [1, 3]]; state u[2] = [1, 2]; A @ u' = -u }",
			"u[1]: +2*u[1]' +1*u[2]' = -1   [A @ u' = -u, element 1]\nu[2]: +1*u[1]' +3*u[2]' = -2   [A @ u' = -u, element 2]\n"},
		{"a coefficient that moves", "model M { state x = 1, y = 3; (1 + x^2)*x' = -y; y' = x' + 1 }",
			"x: +1*x' = 0   [x']\ny: +1*y' = 1   [y']\nx'*:  = -3   [(1 + x^2)*x' = -y]\n"},
		{"a derivative that is shown", "model M { state x = 1, y = 3; 2*x' = -y; y' = -y; let q = x' }",
			"x: +1*x' = 0   [x']\ny: +1*y' = -3   [y']\nx'*:  = -3   [2*x' = -y]\n"},
		{"a derivative that an event reads", "model M { state x = 1, v = 2, n = 0; x' = v + n; 2*v' = -x; n' = 0; when v' > 3 { v := 0 } }",
			"x: +1*x' = 2   [x']\nv: +1*v' = 0   [v']\nn: +1*n' = 0   [n']\nv'*:  = -1   [2*v' = -x]\n"},
		{"a derivative that nothing gives", "model M { state x = 1, z = 0; x' = z'; 0 = z - t^2 }",
			"x: +1*x' -1*z' = 0   [x']\nz: -1*z' = -1   [the derivative of 0 = z - t^2]\nkeeps -0.25   [0 = z - t^2]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := show(compile(t, c.text).System, 0.5, nil, nil); got != c.want {
				t.Errorf("%s\ngives\n%s\nwant\n%s", c.text, got, c.want)
			}
		})
	}
}

// The mass matrix is a function of θ like any other: its derivatives are those of differences.
func TestMassDerivatives(t *testing.T) {
	s := compile(t, "model M { param C1 = 2, C2 = 3; state v[2] = 1, w = 0; C1^2*(v[2]' - v[1]') = v[1]; exp(C2)*v[2]' + v[1]'*C1 = -v[2]; w' = -w + C1 }").System
	f, th := s.Mass.Values.Clone(), s.Defaults()
	n := s.Mass.Pattern.NNZ()
	at := func(th []float64) []float64 {
		z := make([]float64, n)
		f.Eval(z, 0, nil, th)
		return z
	}
	near(t, "M", at(th), []float64{-4, 2, 4, math.Exp(3), 1})
	for q := range 2 {
		dth, dz, gth := make([]float64, s.NTheta), make([]float64, n), make([]float64, s.NTheta)
		dth[q] = 1
		f.JVP(dz, 0, nil, th, 0, nil, dth)
		up, down := append([]float64(nil), th...), append([]float64(nil), th...)
		up[q] += 1e-5
		down[q] -= 1e-5
		a, b := at(up), at(down)
		for k := range dz {
			if d := (a[k] - b[k]) / 2e-5; math.Abs(d-dz[k]) > 1e-8*(1+math.Abs(d)) {
				t.Errorf("entry %d by parameter %d: %v, differences give %v", k, q, dz[k], d)
			}
			gz := make([]float64, n)
			gz[k] = 1
			clear(gth)
			f.VJP(nil, gth, 0, nil, th, gz)
			if math.Abs(gth[q]-dz[k]) > 1e-14*(1+math.Abs(dz[k])) {
				t.Errorf("entry %d: backwards %v, forwards %v", k, gth[q], dz[k])
			}
		}
	}
}

// The Jacobian by the unknowns has no structural zero on its diagonal, and right-hand side and invariants have derivatives that agree.
func TestImplicitDerivatives(t *testing.T) {
	s := compile(t, "model M { const g = 9.81; param L = 1; state x[2] = [0.6, 0.8], y[2] = [-0.8, 0.6], u[2] = 0.1, v[2] = 0.2, lam[2] = 1; x' = u; y' = v; u' = -lam*x; v' = -lam*y - g; 0 = x^2 + y^2 - L^2*exp(t) }").System
	for i, alg := range s.Algebraic {
		if alg && s.Pattern.Index(i, i) < 0 {
			t.Errorf("row %s does not hold its unknown", s.Equations[i].Name)
		}
	}
	for what, f := range map[string]system.Func{"f": s.RHS.Clone(), "invariants": s.Invariants.Clone()} {
		nx, nth, nz := f.Dims()
		x, th := make([]float64, nx), s.Defaults()
		s.Init.Clone().Eval(x, 0, nil, th)
		for k := range nx + nth + 1 {
			dx, dth, dt := make([]float64, nx), make([]float64, nth), 0.0
			move := func(h float64) []float64 {
				x, th, tt := append([]float64(nil), x...), append([]float64(nil), th...), 0.3
				switch {
				case k < nx:
					x[k] += h
				case k < nx+nth:
					th[k-nx] += h
				default:
					tt += h
				}
				z := make([]float64, nz)
				f.Eval(z, tt, x, th)
				return z
			}
			switch {
			case k < nx:
				dx[k] = 1
			case k < nx+nth:
				dth[k-nx] = 1
			default:
				dt = 1
			}
			dz := make([]float64, nz)
			a, b := move(1e-5), move(-1e-5)
			f.JVP(dz, 0.3, x, th, dt, dx, dth)
			for i := range dz {
				if d := (a[i] - b[i]) / 2e-5; math.Abs(d-dz[i]) > 1e-6*(1+math.Abs(d)) {
					t.Errorf("%s: row %d along %d is %v, differences give %v", what, i, k, dz[i], d)
				}
			}
		}
	}
}

// Forms that equations may take: all compile, with so many algebraic unknowns and invariants.
func TestImplicitForms(t *testing.T) {
	for _, c := range []struct {
		text                  string
		algebraic, invariants int
	}{
		{"model M { state u[2, 3] = 1, x = 1; x' = -x; 0 = u[i] - x*i }", 6, 0},
		{"model M { state u[2, 3] = 1, x = 1; x' = -x; 0 = u - [[1, 2, 3], [4, 5, 6]]*x }", 6, 0},
		{"model M { state x = 1, z = 0; x' = -z; 0 = z - x - NN(x, hidden = [3]) }", 1, 0},
		{"model M { state x = 1, z = 0; unknown f(x) = {param a = 1; a*x^2}; x' = -z; 0 = z - f(x) }", 1, 0},
		{"model M { latent z[2] = 0; state x = 1; x' = -sum(z); 0 = z^3 + z - x }", 2, 0},
		{"model M { state u[3] = 1; u[1]' = -u[1]; 0 = u[2..3] - u[1..2] }", 2, 0},
		{"model M { state u[3] = 1; u[2]' = -u[2]; 0 = u[1] - u[2]; 3*u[3]' = u'[2] }", 1, 0},
		{"model M { state u[3] = 1, lam[3] = 0; u' = lam; 0 = u - sin(t) }", 3, 3},
		{"model M { state u[3] = 1, lam[2] = 0; u[1]' = -u[1]; u[2..3]' = lam; 0 = u[2..3] - u[1]*t }", 2, 2},
		{"model M { state x = 1, y = 1; x' = if y > 0 then 1 else -1; 0 = if x > 0 then y - x else y + x }", 1, 0},
		{"model M { param a = 1; const b = 2*a0, a0 = 1; state x = 1, y = 1; b*x' + a*y' = 1; 0 = x - y }", 0, 1},
		{"model M { state x = 1, x' = 0, x'' = 2, z = 0; 2*x''' = -x'' + z; 0 = z - x }", 1, 0},
		{"model M { state x = 1, z = 0; x' = z; 0 = min(x, 2) - 1 }", 1, 1},
		{"model M { state x = 1, z = 0; let v = x'; x' = z; 0 = v + x }", 1, 0},
		{"model M { state x = 1, y = 1; x'*y' = 2; x' + y' = 3 }", 2, 0},
		{"model M { state x = 1, y = 1; exp(1)*x' = 2 - x'^3; y' = x' }", 1, 0},
		{"model M { input I = 0; state x = 0, z = 1; x' = z; 0 = z - 2*I - x }", 1, 0},
	} {
		s := compile(t, c.text).System
		n := 0
		for i, a := range s.Algebraic {
			if a {
				n++
				if s.Pattern.Index(i, i) < 0 {
					t.Errorf("%s: row %s does not hold its unknown", c.text, s.Equations[i].Name)
				}
			}
		}
		if n != c.algebraic || len(s.Conserved) != c.invariants {
			t.Errorf("%s\n%s", c.text, show(s, 0.5, nil, nil))
		}
	}
}

// A constraint that must be differentiated needs derivatives of what it is made of.
func TestIndexNeedsDerivatives(t *testing.T) {
	f, errs := parser.Parse(diag.NewSource("test.udl", "model M { state x = 1, z = 0; x' = z; 0 = bare(x) - 1 }"))
	if errs.HasErrors() {
		t.Fatal(errs)
	}
	table := stdlib.New().With(&ir.External{Name: "bare", N: 1, Eval: func(x []float64) float64 { return x[0] }})
	sc := check.NewScope()
	sc.AddExternal("bare", 1)
	m, errs := check.Model(f.Stmts[0].(*ast.Model), sc, table)
	if errs.HasErrors() {
		t.Fatal(errs)
	}
	_, err := compiler.Compile(m, table)
	if l := diag.From(err); len(l) != 1 || l[0].Code != "E0236" || l[0].Span().Text() != "0 = bare(x) - 1" || !strings.Contains(l[0].Message, "`bare` has no derivative") {
		t.Error(err)
	}
}

// What cannot be solved is told with the equations and the unknowns.
func TestImplicitRefused(t *testing.T) {
	row, _ := diag.Explain("E0235")
	for _, c := range []struct {
		text, code string
		says       []string
	}{
		{row.Example, "E0235", []string{"`0 = y - 1` and `0 = 2*y - 2` are more than `y` can satisfy", "nothing determines", "and this one"}},
		{"model M { state x = 1, y = 0, z = 0; x' = -x; y' = z; 0 = x - 1 }", "E0235", []string{"`0 = x - 1`", "`x'`", "more than `x` can satisfy", "nothing determines `y` and `z`"}},
		{"model M { param k = 1; state x = 1, z = 0; x' = -x + z; 0 = k - 1 }", "E0235", []string{"no state or unknown stands in it"}},
		{"model M { state u[2] = 0, z[2] = 0; u' = z; 0 = u[1] + z[1]; 0 = u[1] - z[1]*t }", "E0235", []string{"`0 = u[1] - z[1]*t`", "nothing determines", "`z[2]`"}},
	} {
		f, errs := parser.Parse(diag.NewSource("test.udl", c.text))
		if errs.HasErrors() {
			t.Fatal(errs)
		}
		table := stdlib.New()
		m, errs := check.Model(f.Stmts[0].(*ast.Model), check.NewScope(), table)
		if errs.HasErrors() {
			t.Fatal(errs)
		}
		_, err := compiler.Compile(m, table)
		l := diag.From(err)
		if len(l) != 1 || string(l[0].Code) != c.code || l[0].Help == "" || l[0].Span().Text() == "" {
			t.Errorf("%s\n%v", c.text, err)
			continue
		}
		if c.text == row.Example && !strings.Contains(c.text, "#! \""+l[0].Span().Text()+"\"") {
			t.Errorf("the example marks another place than %q", l[0].Span().Text())
		}
		var b strings.Builder
		diag.RenderList(&b, l, false)
		for _, w := range c.says {
			if !strings.Contains(b.String(), w) {
				t.Errorf("does not say %q:\n%s", w, b.String())
			}
		}
	}
}
