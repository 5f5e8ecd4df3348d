package compiler_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/check"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib"
)

// shapes are models that lead to every kind of segment: scalars, units and points as lanes, sums, products of matrices, gathers, and
// functions that only the reference knows in between.
var shapes = map[string]string{
	"lv":     `model M { param a = 1.5, b = 1, c = 3, d = 1; state x = 1, y = 1; x' = a*x - b*x*y; y' = d*x*y - c*y }`,
	"ude":    ude,
	"node50": `model M { state u[2] = [2, 0]; unknown f(v) -> (a, b) = NN(hidden = [50], act = tanh); u' = f(u^3) }`,
	"deep":   `model M { state u[7] = 0.3; unknown f(v) -> (a, b, c, d, e, g, h) = NN(hidden = [9, 16, 33], act = softplus); u' = f(u) - u }`,
	"wide":   `model M { param A[20, 20] = 0.01; state u[20] = 0.5; u' = A@tanh(u) - transpose(A)@u + sin(u)*exp(-u) }`,
	"mixed":  `model M { param k = 0.7, n = 2.5; state x = 1, y = 2, z = 0.5; x' = -k*x^n + erf(y) + max(x, z) - atan(y); y' = if x > y then x else z*gamma(z + 1); z' = floor(3*x) - abs(y) + log1p(x*x) + round(x) - sign(y) }`,
	"heat":   `model M { const n = 21; param D = 3; state u[n] = 0.5; u[1]' = 0; u[n]' = 0; u[i in 2..n-1]' = D*(u[i-1] - 2*u[i] + u[i+1]) + sin(u[i]) }`,
	"bruss": `model M { param A = 3.4, B = 1, al = 10; const n = 16; state u[n, n] = 1, v[n, n] = 2
  u[i, j]' = B + u[i,j]^2*v[i,j] - (A + 1)*u[i,j] + al*(u[mod(i, n) + 1, j] + u[mod(i + n - 2, n) + 1, j] + u[i, mod(j, n) + 1] + u[i, mod(j + n - 2, n) + 1] - 4*u[i,j])
  v[i, j]' = A*u[i,j] - u[i,j]^2*v[i,j] + al*(v[mod(i, n) + 1, j] + v[mod(i + n - 2, n) + 1, j] + v[i, mod(j, n) + 1] + v[i, mod(j + n - 2, n) + 1] - 4*v[i,j]) }`,
	"kuramoto": `model M { const n = 10; param K = 2, w[n] = 1; state p[n] = 0.1; p[i]' = w[i] + K*(sum[j in 1..n] sin(p[j] - p[i])) }`,
	"energy":   `model M { state q = 1, p = 0.5; unknown H(q, p) = NN(hidden = [12, 12]); q' = diff(H(q, p), p); p' = -diff(H(q, p), q) }`,
}

// compileWith compiles the last model of a text.
func compileWith(tb testing.TB, text string, how code.Options) *compiler.Compiled {
	tb.Helper()
	return compileTable(tb, text, how, stdlib.New())
}

func compileTable(tb testing.TB, text string, how code.Options, table *stdlib.Table) *compiler.Compiled {
	tb.Helper()
	all := compileAll(tb, text, how, table)
	return all[len(all)-1]
}

// compileAll compiles the models of a text, in their order.
func compileAll(tb testing.TB, text string, how code.Options, table *stdlib.Table) (all []*compiler.Compiled) {
	tb.Helper()
	f, errs := parser.Parse(diag.NewSource("test.udl", text))
	if errs.HasErrors() {
		tb.Fatal(errs)
	}
	sc := check.NewScope()
	for _, f := range table.Externals() {
		sc.AddExternal(f.Name, f.N)
	}
	// As a script's models see it: whatever the file declares at top level, wherever it stands.
	var models []*ast.Model
	for _, s := range f.Stmts {
		switch s := s.(type) {
		case *ast.Fn:
			sc.AddFn(s)
		case *ast.Unknown:
			sc.AddUnknown(s)
		case *ast.Decl:
			sc.AddConst(s)
		case *ast.Model:
			sc.AddModel(s)
			models = append(models, s)
		}
	}
	for _, m := range models {
		cm, errs := check.Model(m, sc, table)
		if errs.HasErrors() {
			tb.Fatal(errs)
		}
		c, err := compiler.CompileWith(cm, table, how)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, c)
	}
	if all == nil {
		tb.Fatal("no model")
	}
	return all
}

// point draws a state and parameters; weights, which start at zero in the last layer, are drawn too.
func point(s *system.System, r *rand.Rand) (x, th []float64) {
	th, x = s.Defaults(), make([]float64, s.NX)
	for i := range th {
		th[i] += 0.3 * r.NormFloat64()
	}
	for i := range x {
		x[i] = 0.2 + 1.5*r.Float64()
	}
	return x, th
}

// TestBackends compares generated code with the reference: values, both derivatives, and second derivatives.
func TestBackends(t *testing.T) {
	for name, text := range shapes {
		t.Run(name, func(t *testing.T) {
			a, b := compileWith(t, text, code.Options{}).System, compileWith(t, text, code.Options{Portable: true}).System
			r := rand.New(rand.NewPCG(1, 2))
			for range 20 {
				x, th := point(a, r)
				same(t, "rhs", a.RHS.Clone(), b.RHS.Clone(), x, th, r)
				if a.Output != nil {
					same(t, "lets", a.Output.Clone(), b.Output.Clone(), x, th, r)
				}
			}
			x, th := point(a, r)
			d := func(v []float64) []float64 {
				for range len(v) {
					v = append(v, r.NormFloat64())
				}
				return v
			}
			if !strings.Contains(text, "atan") && !strings.Contains(text, "gamma") {
				same(t, "tangent", a.RHS.Tangent(), b.RHS.Tangent(), d(x), d(th), r)
			}
		})
	}
}

func same(t *testing.T, what string, f, g system.Func, x, th []float64, r *rand.Rand) {
	t.Helper()
	nx, nth, nz := f.Dims()
	vec := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		return v
	}
	z1, z2 := make([]float64, nz), make([]float64, nz)
	f.Eval(z1, 0.3, x, th)
	g.Eval(z2, 0.3, x, th)
	within(t, what, z1, z2)
	f.Prepare(th)
	f.Eval(z1, 0.3, x, nil)
	within(t, what+" prepared", z1, z2)
	gz, gx, gth := vec(nz), vec(nx), vec(nth)
	gx2, gth2 := append([]float64(nil), gx...), append([]float64(nil), gth...)
	gt1 := f.VJP(gx, gth, 0.3, x, nil, gz)
	gt2 := g.VJP(gx2, gth2, 0.3, x, th, gz)
	within(t, what+" vjp t", []float64{gt1}, []float64{gt2})
	within(t, what+" vjp x", gx, gx2)
	within(t, what+" vjp theta", gth, gth2)
	dx, dth := vec(nx), vec(nth)
	f.JVP(z1, 0.3, x, nil, 0.7, dx, dth)
	g.JVP(z2, 0.3, x, th, 0.7, dx, dth)
	within(t, what+" jvp", z1, z2)
}

func within(t *testing.T, what string, got, want []float64) {
	t.Helper()
	scale := 0.0
	for _, v := range want {
		scale = math.Max(scale, math.Abs(v))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-13*scale+1e-14*math.Abs(want[i])) && (got[i] == got[i] || want[i] == want[i]) {
			t.Fatalf("%s: element %d is %v, the reference says %v", what, i, got[i], want[i])
		}
	}
}

func BenchmarkBackends(b *testing.B) {
	for _, name := range []string{"lv", "ude", "node50", "bruss"} {
		for _, how := range []code.Options{{}, {Portable: true}} {
			s := compileWith(b, shapes[name], how).System
			x, th := point(s, rand.New(rand.NewPCG(1, 2)))
			z, gx, gth := make([]float64, s.NX), make([]float64, s.NX), make([]float64, s.NTheta)
			f := s.RHS.Clone()
			f.Prepare(th)
			x0 := x[0]
			b.Run(fmt.Sprintf("%s/rhs/portable=%v", name, how.Portable), func(b *testing.B) {
				for b.Loop() {
					f.Eval(z, 0, x, nil)
					x[0] = x0 + 1e-12*z[0]
				}
			})
			b.Run(fmt.Sprintf("%s/vjp/portable=%v", name, how.Portable), func(b *testing.B) {
				for b.Loop() {
					f.VJP(gx, gth, 0, x, nil, z)
					x[0] = x0 + 1e-12*z[0]
				}
			})
		}
	}
}
