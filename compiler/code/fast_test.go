package code_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/code/kernels"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/opt"
	"github.com/udl-lang/udl/lang/types"
)

// With assembly kernels a program agrees with the interpreter to a bound: functions to 4 ulp, as either is within 2 of the true one; a sum of n products
// to n·2⁻⁵² of the sum of their magnitudes, as either rounds at most n times by half of that.

// both runs a graph by the reference and with a set of kernels.
func both(t *testing.T, g *ir.Graph, s kernels.Set, in *ir.Banks, size int) (want, got []float64) {
	t.Helper()
	p, err := code.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	want, got = make([]float64, size), make([]float64, size)
	p.New().Run(in, [][]float64{want})
	p.Accelerate(s)
	e, out := p.New(), [][]float64{got}
	e.Run(in, [][]float64{got})
	if n := testing.AllocsPerRun(5, func() { e.Run(in, out) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
	clear(got)
	e.Run(in, out)
	return want, got
}

func TestFastFunctions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]float64, 64)
	for i := range x {
		x[i] = math.Abs(r.NormFloat64()) * math.Ldexp(1, i%9-3)
	}
	x[7], x[20], x[21], x[40] = 0, math.Inf(1), math.NaN(), 1e-310
	in := &ir.Banks{ir.BankX: x, ir.BankTheta: x}
	for _, s := range kernels.Available() {
		for _, n := range []int{1, 2, 3, 5, 8, 33, 64} {
			graphs := map[string]func(g *ir.Graph, v, w, a ir.ID) ir.ID{
				"power":               func(g *ir.Graph, v, w, _ ir.ID) ir.ID { return g.Do(ir.OpPow, v, w) },
				"power of a number":   func(g *ir.Graph, v, _, a ir.ID) ir.ID { return g.Do(ir.OpPow, v, a) },
				"power to an element": func(g *ir.Graph, v, _, a ir.ID) ir.ID { return g.Do(ir.OpPow, a, v) },
			}
			for _, op := range []ir.Op{ir.OpExp, ir.OpLog, ir.OpTanh, ir.OpSigmoid, ir.OpSin, ir.OpCos, ir.OpSqrt} {
				graphs[op.Info().Name] = func(g *ir.Graph, v, _, _ ir.ID) ir.ID { return g.Do(op, v) }
			}
			for name, build := range graphs {
				g := ir.New()
				v, w := g.Input("v", ir.BankX, 0, types.Shape{n}), g.Input("w", ir.BankTheta, 64-n, types.Shape{n})
				g.Output(ir.Output{Name: "z", Node: build(g, v, w, g.Input("a", ir.BankTheta, 3, nil))})
				want, got := both(t, g, s, in, n)
				for i := range want {
					ulp := math.Nextafter(math.Abs(want[i]), math.Inf(1)) - math.Abs(want[i])
					if ok := got[i] == want[i] || math.Abs(got[i]-want[i]) <= 4*ulp; !ok && (got[i] == got[i] || want[i] == want[i]) {
						t.Errorf("%s, %s of %d, element %d: %v, the reference says %v", s, name, n, i, got[i], want[i])
					}
				}
			}
		}
	}
}

func TestFastProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x, th, absX, absTh := make([]float64, 40*40), make([]float64, 40*40), make([]float64, 40*40), make([]float64, 40*40)
	for i := range x {
		x[i], th[i] = r.NormFloat64(), r.NormFloat64()
		absX[i], absTh[i] = math.Abs(x[i]), math.Abs(th[i])
	}
	for _, s := range kernels.Available() {
		for _, m := range []int{1, 2, 3, 4, 5, 8, 11, 16, 33, 40} {
			for _, k := range []int{1, 2, 5, 8, 17, 40} {
				for _, n := range []int{0, 1, 3, 8} { // 0: a vector
					for form := range 4 {
						g := ir.New()
						left, right := types.Shape{m, k}, types.Shape{k, n}
						if form&1 == 1 {
							left = types.Shape{k, m}
						}
						if form&2 == 2 {
							right = types.Shape{n, k}
						}
						if n == 0 {
							right = types.Shape{k}
						}
						c := g.MatMul(g.Input("a", ir.BankTheta, 0, left), g.Input("b", ir.BankX, 0, right), form&1 == 1, form&2 == 2)
						size := g.Shape(c).Size()
						g.Output(ir.Output{Name: "c", Node: c})
						want, got := both(t, g, s, &ir.Banks{ir.BankX: x, ir.BankTheta: th}, size)
						bound, _ := both(t, g, s, &ir.Banks{ir.BankX: absX, ir.BankTheta: absTh}, size)
						for i := range want {
							if math.Abs(got[i]-want[i]) > float64(k)*0x1p-52*bound[i] {
								t.Fatalf("%s, %d×%d×%d, form %d, element %d: %v, the reference says %v", s, m, k, n, form, i, got[i], want[i])
							}
						}
					}
				}
			}
		}
	}
}

// TestFastModels compares right-hand sides and their derivatives; nothing in them amplifies errors much.
func TestFastModels(t *testing.T) {
	for i := range models {
		m := &models[i]
		for name, derive := range map[string]func(*ir.Graph) (*ir.Graph, error){"eval": func(g *ir.Graph) (*ir.Graph, error) { return g, nil }, "vjp": ad.VJP, "jvp": ad.JVP} {
			g, err := derive(m.graph())
			if err != nil {
				t.Fatal(err)
			}
			run := func(o code.Options, s kernels.Set) [][]float64 {
				p, err := code.CompileWith(opt.Run(g), o)
				if err != nil {
					t.Fatal(err)
				}
				if o.Plain {
					p.Accelerate(s)
				}
				in, out := m.point()
				p.New().Run(in, out)
				return out
			}
			check := func(what string, got, want [][]float64) {
				for v := range want {
					for i, w := range want[v] {
						if math.Abs(got[v][i]-w) > 1e-14*max(1, math.Abs(w)) {
							t.Errorf("%s, %s %s: out%d[%d] = %v, the reference says %v", what, m.name, name, v, i, got[v][i], w)
						}
					}
				}
			}
			want := run(code.Options{Portable: true, Plain: true}, kernels.Set{})
			check("default", run(code.Options{Portable: true}, kernels.Set{}), want)
			for _, s := range kernels.Available() {
				check(s.String(), run(code.Options{Portable: true, Plain: true}, s), want)
			}
		}
	}
}
