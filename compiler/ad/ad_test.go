package ad_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/opt"
	"github.com/udl-lang/udl/lang/types"
)

// f is a graph as functions of x and θ.
type f struct {
	t             testing.TB
	nx, nth, nz   int
	val, vjp, jvp *code.Exec
}

func newF(t testing.TB, g *ir.Graph, nx, nth, nz int) *f {
	t.Helper()
	prog := func(g *ir.Graph, err error) *code.Exec {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := ir.Verify(g); err != nil {
			t.Fatal(err)
		}
		g = opt.Trace(g, func(pass string, g *ir.Graph) {
			if err := ir.Verify(g); err != nil {
				t.Fatalf("after %s: %v", pass, err)
			}
		})
		p, err := code.Compile(g)
		if err != nil {
			t.Fatal(err)
		}
		return p.New()
	}
	return &f{t, nx, nth, nz, prog(g, nil), prog(ad.VJP(g)), prog(ad.JVP(g))}
}

func (f *f) eval(x, th []float64, t float64) []float64 {
	z := make([]float64, f.nz)
	f.val.Run(&code.Banks{ir.BankT: {t}, ir.BankX: x, ir.BankTheta: th}, [][]float64{z})
	return z
}

// check compares JVP with central differences and VJP·v with v·JVP.
func (f *f) check(x, th []float64, tol float64) error {
	rng := rand.New(rand.NewPCG(1, 2))
	dx, dth, gz := make([]float64, f.nx), make([]float64, f.nth), make([]float64, f.nz)
	for _, v := range [][]float64{dx, dth, gz} {
		for i := range v {
			v[i] = rng.NormFloat64()
		}
	}
	t, dt := 0.7, 0.3
	dz := make([]float64, f.nz)
	f.jvp.Run(&code.Banks{ir.BankT: {t}, ir.BankX: x, ir.BankTheta: th, ir.BankDT: {dt}, ir.BankDX: dx, ir.BankDTheta: dth}, [][]float64{dz})
	gx, gth, gt := make([]float64, f.nx), make([]float64, f.nth), make([]float64, 1)
	f.vjp.Run(&code.Banks{ir.BankT: {t}, ir.BankX: x, ir.BankTheta: th, ir.BankGZ: gz}, [][]float64{gx, gth, gt})
	a, b, scale := 0.0, gt[0]*dt, 1.0
	for i := range gz {
		a += gz[i] * dz[i]
		scale += math.Abs(gz[i] * dz[i])
	}
	for i := range dx {
		b += gx[i] * dx[i]
	}
	for i := range dth {
		b += gth[i] * dth[i]
	}
	if !(math.Abs(a-b) <= 1e-11*scale) {
		return fmt.Errorf("v·JVP = %g, VJP·v = %g", a, b)
	}
	const h = 1e-6
	step := func(s float64) []float64 {
		y, w := append([]float64(nil), x...), append([]float64(nil), th...)
		for i := range y {
			y[i] += s * dx[i]
		}
		for i := range w {
			w[i] += s * dth[i]
		}
		return f.eval(y, w, t+s*dt)
	}
	up, down := step(h), step(-h)
	for i := range dz {
		d := (up[i] - down[i]) / (2 * h)
		if !(math.Abs(d-dz[i]) <= tol*(1+math.Abs(d))) {
			return fmt.Errorf("output %d: JVP %g, differences %g", i, dz[i], d)
		}
	}
	return nil
}

// at are ordinary points for each operation's arguments.
var at = map[ir.Op][][3]float64{
	ir.OpAcosh: {{1.5}, {3}}, ir.OpAsin: {{0.3}, {-0.7}}, ir.OpAcos: {{0.3}, {-0.7}}, ir.OpAtanh: {{0.3}, {-0.7}},
	ir.OpMod:  {{5.3, 2.1}, {-5.3, 2.1}},
	ir.OpSqrt: {{0.4}, {7}}, ir.OpLog: {{0.4}, {7}}, ir.OpLog1p: {{-0.4}, {7}}, ir.OpPow: {{0.6, 1.3}, {2.3, -0.4}, {2, 3}},
	ir.OpGamma: {{2.3}, {-0.7}}, ir.OpLgamma: {{2.3}, {-0.7}}, ir.OpDigamma: {{2.3}, {-0.7}}, ir.OpTrigamma: {{2.3}, {-0.7}},
}

func TestEveryOp(t *testing.T) {
	for op := ir.Op(0); op < ir.NumOps; op++ {
		info := op.Info()
		if info.Name == "" {
			t.Errorf("operation %d has no row", op)
		}
		if info.Class != ir.Elementwise || op == ir.OpPolygamma { // see TestPolygamma
			continue
		}
		pts := at[op]
		if pts == nil {
			pts = [][3]float64{{0.6, 1.3, -0.4}, {2.3, 0.4, 1.1}}
		}
		for _, p := range pts {
			// all combinations of scalar and array operands
			for mask := range 1 << info.Arity {
				g := ir.New()
				var args []ir.ID
				var x []float64
				size := 1
				for k := range info.Arity {
					var s types.Shape
					n := 1
					if mask>>k&1 == 1 {
						s, n, size = types.Shape{3}, 3, 3
					}
					args = append(args, g.Input(fmt.Sprint("a", k), ir.BankX, len(x), s))
					for j := range n {
						x = append(x, p[k]+0.01*float64(j))
					}
				}
				g.Output(ir.Output{Name: "z", Node: g.Do(op, args...)})
				if err := newF(t, g, len(x), 0, size).check(x, nil, 2e-7); err != nil {
					t.Errorf("%v at %v, shapes %b: %v", op, p, mask, err)
				}
			}
		}
	}
}

// The structural and matrix operations, composed.
func TestStructures(t *testing.T) {
	cases := map[string]func(g *ir.Graph, x, th ir.ID) ir.ID{
		"matvec": func(g *ir.Graph, x, th ir.ID) ir.ID { return g.MatMul(th, x, false, false) },
		"matTvec": func(g *ir.Graph, x, th ir.ID) ir.ID {
			return g.MatMul(g.Reshape(th, types.Shape{4, 3}), g.Do(ir.OpSin, g.MatMul(th, x, false, false)), true, false)
		},
		"vecmat":  func(g *ir.Graph, x, th ir.ID) ir.ID { return g.MatMul(x, th, false, true) },
		"vecvec":  func(g *ir.Graph, x, th ir.ID) ir.ID { return g.MatMul(x, g.Do(ir.OpExp, x), false, false) },
		"matmat":  func(g *ir.Graph, x, th ir.ID) ir.ID { return g.MatMul(th, th, false, true) },
		"matTmat": func(g *ir.Graph, x, th ir.ID) ir.ID { return g.MatMul(th, g.Do(ir.OpSin, th), true, false) },
		"mat2": func(g *ir.Graph, x, th ir.ID) ir.ID {
			return g.MatMul(th, g.Reshape(th, types.Shape{3, 4}), false, false)
		},
		"mat2TT": func(g *ir.Graph, x, th ir.ID) ir.ID {
			return g.MatMul(th, g.Reshape(th, types.Shape{3, 4}), true, true)
		},
		"outer": func(g *ir.Graph, x, th ir.ID) ir.ID { return g.Outer(x, g.Do(ir.OpSin, x)) },
		"trans": func(g *ir.Graph, x, th ir.ID) ir.ID {
			return g.MatMul(g.Transpose(g.Mul(th, th)), g.Fill(types.Shape{4}, 2), false, false)
		},
		"concat": func(g *ir.Graph, x, th ir.ID) ir.ID {
			return g.Mul(g.Concat(x, g.Gather(x, []int{2}, nil)), g.Concat(g.Gather(th, []int{1, 1, 0, 7}, types.Shape{4})))
		},
		"scatter": func(g *ir.Graph, x, th ir.ID) ir.ID { return g.Scatter(g.Mul(x, x), []int{4, 1, 1}, types.Shape{5}) },
		"sum":     func(g *ir.Graph, x, th ir.ID) ir.ID { return g.Mul(g.Reduce(ir.OpSum, g.Mul(th, th), 0), x) },
		"prod":    func(g *ir.Graph, x, th ir.ID) ir.ID { return g.Reduce(ir.OpProd, th, 0) },
		"rmax":    func(g *ir.Graph, x, th ir.ID) ir.ID { return g.Reduce(ir.OpRMax, g.Mul(th, th), 1) },
		"rmin":    func(g *ir.Graph, x, th ir.ID) ir.ID { return g.Reduce(ir.OpRMin, g.Mul(th, th), 1) },
		"ext": func(g *ir.Graph, x, th ir.ID) ir.ID {
			return g.Call(&ir.External{Name: "f", N: 2, Eval: func(x []float64) float64 { return x[0] * x[0] * x[1] },
				Grad: func(x, d []float64) { d[0], d[1] = 2*x[0]*x[1], x[0]*x[0] }}, g.Gather(x, []int{0}, nil), g.Gather(x, []int{2}, nil))
		},
	}
	x := []float64{0.3, -0.8, 1.2}
	th := make([]float64, 12)
	for i := range th {
		th[i] = math.Sin(float64(3*i + 1))
	}
	for name, build := range cases {
		g := ir.New()
		z := build(g, g.Input("x", ir.BankX, 0, types.Shape{3}), g.Input("θ", ir.BankTheta, 0, types.Shape{4, 3}))
		g.Output(ir.Output{Name: "z", Node: z})
		if err := newF(t, g, 3, 12, g.Shape(z).Size()).check(x, th, 1e-6); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A random graph over smooth operations: program and interpreter agree, derivatives are right, second
// derivatives too.
func randomGraph(rt *rapid.T) *ir.Graph {
	g := ir.New()
	nodes := []ir.ID{g.Input("x", ir.BankX, 0, types.Shape{3}), g.Input("θ", ir.BankTheta, 0, types.Shape{3}), g.Input("t", ir.BankT, 0, nil), g.Num(0.5)}
	ops := []ir.Op{ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpSin, ir.OpTanh, ir.OpSigmoid, ir.OpNeg, ir.OpSoftplus, ir.OpSelect, ir.OpErf, ir.OpAtan}
	for range rapid.IntRange(1, 20).Draw(rt, "n") {
		op := rapid.SampledFrom(ops).Draw(rt, "op")
		args := make([]ir.ID, op.Info().Arity)
		for i := range args {
			args[i] = rapid.SampledFrom(nodes).Draw(rt, "arg")
		}
		if op == ir.OpSelect {
			args[0] = g.Do(ir.OpLt, args[0], g.Num(17)) // far from any value: differences do not straddle it
		}
		nodes = append(nodes, g.Do(op, args...))
		if rapid.IntRange(0, 4).Draw(rt, "sum") == 0 {
			nodes = append(nodes, g.Sum(nodes[len(nodes)-1]))
		}
	}
	z := nodes[len(nodes)-1]
	if g.Shape(z).IsScalar() {
		z = g.Mul(z, nodes[0])
	}
	g.Output(ir.Output{Name: "z", Node: z})
	return g
}

func TestRandomGraphs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := randomGraph(rt)
		x, th := []float64{0.4, -0.3, 0.9}, []float64{0.2, 0.5, -0.6}
		f := newF(t, g, 3, 3, 3)
		want := make([]float64, 3)
		if err := ir.Interpret(g, &ir.Banks{ir.BankT: {0.7}, ir.BankX: x, ir.BankTheta: th}, [][]float64{want}); err != nil {
			rt.Fatal(err)
		}
		for i, v := range f.eval(x, th, 0.7) {
			if math.Abs(v-want[i]) > 1e-12*(1+math.Abs(want[i])) && !math.IsInf(want[i], 0) && !math.IsNaN(want[i]) {
				rt.Fatalf("program %g, interpreter %g", v, want[i])
			}
			if math.Abs(want[i]) > 1e4 {
				return // differences mean nothing there
			}
		}
		if err := f.check(x, th, 1e-3); err != nil {
			rt.Fatal(err)
		}
		tan, err := ad.Tangent(g, 3, 3)
		if err != nil {
			rt.Fatal(err)
		}
		x2, th2 := append(x, 1, 0.5, -1), append(th, 0.1, 0.2, 0.3)
		if err := newF(t, tan, 6, 6, 3).check(x2, th2, 1e-2); err != nil {
			rt.Fatalf("second derivative: %v", err)
		}
	})
}

// diff(e, x), nested: a Hamiltonian network's force, then its gradient by the weights.
func TestDerivativeNests(t *testing.T) {
	g := ir.New()
	q, p := g.Input("q", ir.BankX, 0, nil), g.Input("p", ir.BankX, 1, nil)
	w := g.Input("w", ir.BankTheta, 0, types.Shape{4, 2})
	v := g.Input("v", ir.BankTheta, 8, types.Shape{4})
	h := g.MatMul(v, g.Do(ir.OpTanh, g.MatMul(w, g.Concat(q, p), false, false)), false, false)
	dq, err := ad.Derivative(g, h, p)
	if err != nil {
		t.Fatal(err)
	}
	dp, err := ad.Derivative(g, h, q)
	if err != nil {
		t.Fatal(err)
	}
	g.Output(ir.Output{Name: "q'", Node: dq})
	g.Output(ir.Output{Name: "p'", Off: 1, Node: g.Neg(dp)})
	th := []float64{0.3, 0.1, -0.5, 0.8, 0.2, -0.9, 0.4, 0.6, 1, -1, 0.5, 0.7}
	if err := newF(t, g, 2, 12, 2).check([]float64{0.5, -0.2}, th, 1e-6); err != nil {
		t.Error(err)
	}
}

// A wrong rule must be caught by the check that the others pass.
func TestPlantedFault(t *testing.T) {
	wrong := &ir.External{Name: "wrong", N: 1, Eval: func(x []float64) float64 { return x[0] * x[0] }, Grad: func(x, d []float64) { d[0] = 3 * x[0] }}
	g := ir.New()
	g.Output(ir.Output{Name: "z", Node: g.Call(wrong, g.Input("x", ir.BankX, 0, nil))})
	if newF(t, g, 1, 0, 1).check([]float64{0.7}, nil, 1e-6) == nil {
		t.Error("a wrong derivative went unnoticed")
	}
}

// pow at 0 and whole exponents gives no NaN.
func TestPowAtZero(t *testing.T) {
	g := ir.New()
	x, b := g.Input("x", ir.BankX, 0, nil), g.Input("b", ir.BankTheta, 0, nil)
	g.Output(ir.Output{Name: "z", Node: g.Do(ir.OpPow, x, b)})
	f := newF(t, g, 1, 1, 1)
	for _, c := range []struct{ x, b, gx float64 }{{0, 2, 0}, {0, 1, 1}, {-2, 3, 12}, {-2, 2, -4}, {3, 0, 0}} {
		gx, gth, gt := []float64{0}, []float64{0}, []float64{0}
		f.vjp.Run(&code.Banks{ir.BankT: {0}, ir.BankX: {c.x}, ir.BankTheta: {c.b}, ir.BankGZ: {1}}, [][]float64{gx, gth, gt})
		if gx[0] != c.gx {
			t.Errorf("d(%g^%g)/dx = %g, want %g", c.x, c.b, gx[0], c.gx)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	g := ir.New()
	x, w := g.Input("x", ir.BankX, 0, types.Shape{8}), g.Input("w", ir.BankTheta, 0, types.Shape{8, 8})
	g.Output(ir.Output{Name: "z", Node: g.Do(ir.OpTanh, g.MatMul(w, x, false, false))})
	f := newF(t, g, 8, 64, 8)
	in := &code.Banks{ir.BankT: {0}, ir.BankX: make([]float64, 8), ir.BankTheta: make([]float64, 64), ir.BankGZ: make([]float64, 8)}
	out := [][]float64{make([]float64, 8), make([]float64, 64), make([]float64, 1)}
	if n := testing.AllocsPerRun(100, func() { f.val.Run(in, out); f.vjp.Run(in, out) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}
