package compiler_test

import (
	"math"
	"testing"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/check"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib"
)

func compile(tb testing.TB, text string) *compiler.Compiled {
	tb.Helper()
	f, errs := parser.Parse(diag.NewSource("test.udl", text))
	if errs.HasErrors() {
		tb.Fatal(errs)
	}
	table := stdlib.New()
	sc := check.NewScope()
	var m *ast.Model
	for _, s := range f.Stmts {
		switch s := s.(type) {
		case *ast.Fn:
			sc.AddFn(s)
		case *ast.Model:
			m = s
		}
	}
	cm, errs := check.Model(m, sc, table)
	if errs.HasErrors() {
		tb.Fatal(errs)
	}
	c, err := compiler.Compile(cm, table)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

const ude = `model M {
  param a = 1.3, d = 1.8
  state x = 0.44, y = 4.6
  unknown U(x, y) -> (p, q) = NN(hidden = [5, 5], act = tanh)
  let (p, q) = U(x, y)
  x' = a*x + p
  y' = -d*y + q
}`

// value evaluates the right-hand side and the lets.
func value(c *compiler.Compiled, t float64, x []float64, set map[string][]float64) (dx, outs []float64) {
	s := c.System
	th := s.Defaults()
	for k, v := range set {
		sl := s.Find(k, system.RoleParam, system.RoleConst, system.RoleWeight, system.RoleScale)
		copy(th[sl.Off:], v)
	}
	if x == nil {
		x = make([]float64, s.NX)
		s.Init.Clone().Eval(x, t, nil, th)
	}
	dx = make([]float64, s.NX)
	s.RHS.Clone().Eval(dx, t, x, th)
	if s.Output != nil {
		_, _, n := s.Output.Dims()
		outs = make([]float64, n)
		s.Output.Clone().Eval(outs, t, x, th)
	}
	return dx, outs
}

func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= 1e-12*(1+math.Abs(want[i]))) {
			t.Errorf("%s: %v, want %v", what, got, want)
			return
		}
	}
}

// What the constructs of the language mean, as numbers worked out by hand.
func TestMeaning(t *testing.T) {
	for _, c := range []struct {
		name, text string
		dx, outs   []float64
	}{
		{"precedence", "model M { state x = 2; x' = -x^2 + 2*x^-1 - 7/2/2 }", []float64{-4 + 1 - 1.75}, nil},
		{"let order", "model M { state x = 2; let a = b + 1; let b = 3*x; x' = a }", []float64{7}, []float64{6, 7}},
		{"matrix", "model M { const A[2, 2] = [[1, 2], [3, 4]]; state u[2] = [5, 6]; u' = A @ u + 1 }", []float64{18, 40}, nil},
		{"transpose", "model M { const A[2, 3] = [[1, 2, 3], [4, 5, 6]]; state u[2] = [1, 1], v[3] = [1, 0, 1]; u' = A @ v; v' = transpose(A) @ u }",
			[]float64{4, 10, 5, 7, 9}, nil},
		{"stencil", "model M { const n = 4; state u[n] = [1, 2, 4, 8]; u[1]' = 0; u[i in 2..n-1]' = u[i+1] - 2*u[i] + u[i-1]; u[n]' = -u[end] }", []float64{0, 1, 2, -8}, nil},
		{"bare index", "model M { state u[3] = [1, 2, 3]; u[i]' = i*u[i] }", []float64{1, 4, 9}, nil},
		{"double sum", "model M { const A[2, 2] = [[1, 2], [3, 4]]; state u[2] = [1, 10]; u[i]' = sum[j in 1..2] A[i, j]*u[j] }", []float64{21, 43}, nil},
		{"nested sum", "model M { const A[2, 2] = [[1, 2], [3, 4]]; state x = 1; x' = sum[i in 1..2, j in 1..2] A[i, j]*i }", []float64{3 + 14}, nil},
		{"sum binds the product", "model M { state x = 1; x' = sum[j in 1..3] j*x + 100 }", []float64{106}, nil},
		{"slices", "model M { state u[5] = [1, 2, 3, 4, 5]; let m = sum(u[2..4]); let e = u[end-1]; u' = 0*u }", []float64{0, 0, 0, 0, 0}, []float64{9, 4}},
		{"rows", "model M { const A[2, 3] = [[1, 2, 3], [4, 5, 6]]; state u[3] = [0, 0, 0]; let c = A[.., 2]; u' = A[2] }", []float64{4, 5, 6}, []float64{2, 5}},
		{"if", "model M { state x = 2; x' = if x > 1 and not (x > 3) then 10 else 20 }", []float64{10}, nil},
		{"fn", "fn sq(x) = x^2\nmodel M { param k = 3; state x = 2; fn f(a, b) = k*sq(a) + b*t; x' = f(x, 1) }", []float64{12 + 0.5}, nil},
		{"second order", "model M { state x = 1, x' = 2; x'' = -x + x' }", []float64{2, 1}, nil},
		{"derivative's value", "model M { state x = 1, y = 0; x' = 3*x; y' = x' + 1 }", []float64{3, 4}, nil},
		{"diff", "model M { state x = 2; x' = diff(x^3, x) + diff(sin(t)*x, t) }", []float64{12 + 2*math.Cos(0.5)}, nil},
		{"diff of a fn twice the same", "fn f(a, b) = diff(a^2*b, a)\nmodel M { state x = 3; x' = f(x, x) }", []float64{18}, nil},
		{"nested diff", "model M { state x = 2; x' = diff(diff(x^4, x), x) }", []float64{48}, nil},
		{"diff in a loop", "model M { state u[3] = [1, 2, 3]; u[i]' = sum[j in 1..2] diff(u[i]^2*j, t) + i }", []float64{1, 2, 3}, nil},
		{"gradient", "model M { state u[2] = [2, 3]; u' = diff(u[1]^2*u[2], u) }", []float64{12, 4}, nil},
		{"formula", "model M { state x = 2; unknown f(a) = {param k = 3; k*a^2}; x' = f(x) + f(1) }", []float64{15}, nil},
		{"untrained network", "model M { state x = 2; x' = -x + NN(x, hidden = [3]) }", []float64{-2}, nil},
		{"unknown in a loop", "model M { state u[3] = [1, 2, 3]; unknown f(a, b) = {param k = 2; k*a + b}; u[i]' = f(u[i], i) }", []float64{3, 6, 9}, nil},
		{"mean and extremes", "model M { state u[3] = [1, 2, 6]; let m = mean(u); let h = max(u); let l = min(u); u' = 0*u }", []float64{0, 0, 0}, []float64{3, 6, 1}},
		{"dot in a loop", "model M { const A[2, 2] = [[1, 2], [3, 4]]; state u[2] = [1, 10]; u[i]' = dot(A[i], u) }", []float64{21, 43}, nil},
		{"initial values", "model M { param a = 2; state x = a, y = 3*x, z = y + w; let w = x^2 + t; x' = x; y' = y; z' = z }", []float64{2, 6, 10.5}, []float64{4.5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dx, outs := value(compile(t, c.text), 0.5, nil, nil)
			near(t, "x'", dx, c.dx)
			if c.outs != nil {
				near(t, "lets", outs, c.outs)
			}
		})
	}
}

// A representation in a loop gives what it gives point by point.
func TestRepresentationsInLoops(t *testing.T) {
	for _, rep := range []string{"NN(hidden = [4, 3], act = gelu)", "poly(degree = 3)", "fourier(n = 2)", "chebyshev(n = 4)", "legendre(n = 4)", "rbf(centers = 3)"} {
		c := compile(t, "model M { state u[3] = [0.2, -0.4, 0.7], v[3] = [0, 0, 0]; unknown f(a, b) = "+rep+
			"; u[i]' = f(u[i], u[i]^2); v[1]' = f(u[1], u[1]^2); v[2]' = f(u[2], u[2]^2); v[3]' = f(u[3], u[3]^2) }")
		set := map[string][]float64{}
		for _, sl := range c.System.Theta {
			if sl.Role == system.RoleWeight {
				w := make([]float64, sl.Size())
				for i := range w {
					w[i] = math.Sin(float64(7*i + len(sl.Name)))
				}
				set[sl.Name] = w
			}
		}
		dx, _ := value(c, 0, nil, set)
		near(t, rep, dx[:3], dx[3:])
		if dx[0] == 0 {
			t.Errorf("%s gives nothing", rep)
		}
	}
}

// What would outgrow the machine is refused while it is still small.
func TestTooLarge(t *testing.T) {
	for _, text := range []string{
		"model M { state u[300] = 1; u[i]' = sum[j in 1..300, k in 1..300] u[i]*u[j]*u[k] }",
		"model M { state u[3000] = 1; u[i]' = sum[j in 1..3000] diff(u[j]^2*i, t) }",
		"model M { state u[200] = 1; u[i]' = sum[j in 1..200] dot(u*j, u*i) }",
	} {
		f, errs := parser.Parse(diag.NewSource("test.udl", text))
		if errs.HasErrors() {
			t.Fatal(errs)
		}
		table := stdlib.New()
		m, errs := check.Model(f.Stmts[0].(*ast.Model), check.NewScope(), table)
		if errs.HasErrors() {
			t.Fatal(errs)
		}
		_, err := compiler.Compile(m, table)
		if l := diag.From(err); len(l) != 1 || l[0].Code != "E0393" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Right-hand side, JVP and VJP allocate nothing.
func TestNoAllocations(t *testing.T) {
	for _, text := range []string{ude, "model M { const n = 20; state u[n] = 1; u[1]' = 0; u[i in 2..n-1]' = u[i+1] - u[i-1]; u[n]' = 0 }"} {
		s := compile(t, text).System
		f, th, x := s.RHS.Clone(), s.Defaults(), make([]float64, s.NX)
		z, gx, gth := make([]float64, s.NX), make([]float64, s.NX), make([]float64, s.NTheta)
		f.VJP(gx, gth, 0, x, th, z)
		f.JVP(z, 0, x, th, 0, x, th)
		if n := testing.AllocsPerRun(100, func() {
			f.Eval(z, 0, x, th)
			f.VJP(gx, gth, 0, x, th, z)
			f.JVP(z, 0, x, th, 1, x, nil)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

// The same seed gives the same weights, another seed others, and a further unknown leaves them alone.
func TestSeeds(t *testing.T) {
	draw := func(text string, seed uint64) []float64 {
		s := compile(t, text).System
		th := s.Defaults()
		s.Randomize(th, seed)
		sl := s.Find("U.W1", system.RoleWeight)
		return th[sl.Off : sl.Off+sl.Size()]
	}
	near(t, "same seed", draw(ude, 3), draw(ude, 3))
	if draw(ude, 3)[0] == draw(ude, 4)[0] {
		t.Error("two seeds give the same weights")
	}
	more := ude[:len(ude)-1] + "  unknown V(x) = NN(hidden = [3])\n  let v = V(x)\n}"
	near(t, "another unknown", draw(more, 3), draw(ude, 3))
}

func BenchmarkRHS(b *testing.B) {
	for name, text := range map[string]string{"LV": "model M { param a = 1.5, b = 1, c = 3, d = 1; state x = 1, y = 1; x' = a*x - b*x*y; y' = d*x*y - c*y }", "UDE": ude,
		"NODE": "model M { state u[2] = [2, 0]; unknown f(u) -> (a, b) = NN(hidden = [50]); u' = f(u) }"} {
		s := compile(b, text).System
		f, th, x, z := s.RHS.Clone(), s.Defaults(), []float64{1, 1}, make([]float64, 2)
		gx, gth := make([]float64, s.NX), make([]float64, s.NTheta)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f.Eval(z, 0, x, th)
			}
		})
		b.Run(name+"/VJP", func(b *testing.B) {
			for b.Loop() {
				f.VJP(gx, gth, 0, x, th, x)
			}
		})
		b.Run(name+"/JVP", func(b *testing.B) {
			for b.Loop() {
				f.JVP(z, 0, x, th, 0, x, th)
			}
		})
	}
}
