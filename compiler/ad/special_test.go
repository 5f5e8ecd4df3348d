package ad_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/ir/irtest"
	"github.com/udl-lang/udl/compiler/opt"
	"github.com/udl-lang/udl/lang/types"
)

// slopes of f at points of x, by JVP and by VJP, which must be the same.
func slopes(t *testing.T, x []float64, build func(g *ir.Graph, x []ir.ID) ir.ID) []float64 {
	t.Helper()
	g := ir.New()
	args := make([]ir.ID, len(x))
	for i := range x {
		args[i] = g.Input(fmt.Sprint("x", i), ir.BankX, i, nil)
	}
	g.Output(ir.Output{Name: "z", Node: build(g, args)})
	f := newF(t, g, len(x), 0, 1)
	gx := make([]float64, len(x))
	f.vjp.Run(&code.Banks{ir.BankT: {0}, ir.BankX: x, ir.BankGZ: {1}}, [][]float64{gx, nil, {0}})
	for i := range x {
		d, dz := make([]float64, len(x)), []float64{0}
		d[i] = 1
		f.jvp.Run(&code.Banks{ir.BankT: {0}, ir.BankX: x, ir.BankDT: {0}, ir.BankDX: d}, [][]float64{dz})
		if !close(dz[0], gx[i]) {
			t.Errorf("at %v: forwards %g, backwards %g", x, dz[0], gx[i])
		}
	}
	return gx
}

func close(a, b float64) bool {
	return a == b || a != a && b != b || math.Abs(a-b) <= 1e-14*(1+math.Abs(a))
}

// What the rules take where there is no derivative, or where its formula fails.
func TestSpecialPoints(t *testing.T) {
	inf := math.Inf(1)
	type b = func(g *ir.Graph, x []ir.ID) ir.ID
	op := func(o ir.Op) b { return func(g *ir.Graph, x []ir.ID) ir.ID { return g.Do(o, x...) } }
	constPow := func(k float64) b {
		return func(g *ir.Graph, x []ir.ID) ir.ID { return g.Do(ir.OpPow, x[0], g.Num(k)) }
	}
	sinc := func(g *ir.Graph, x []ir.ID) ir.ID {
		return g.Select(g.Do(ir.OpEq, x[0], g.Num(0)), g.Num(1), g.Div(g.Do(ir.OpSin, x[0]), x[0]))
	}
	for _, c := range []struct {
		name  string
		build b
		x     []float64
		want  []float64
	}{
		{"abs", op(ir.OpAbs), []float64{0}, []float64{0}}, {"sign", op(ir.OpSign), []float64{0}, []float64{0}},
		{"relu", op(ir.OpRelu), []float64{0}, []float64{0}}, {"relu", op(ir.OpRelu), []float64{1e-300}, []float64{1}},
		{"min tie", op(ir.OpMin), []float64{2, 2}, []float64{0.5, 0.5}}, {"max tie", op(ir.OpMax), []float64{2, 2}, []float64{0.5, 0.5}},
		{"max", op(ir.OpMax), []float64{2, 3}, []float64{0, 1}}, {"min", op(ir.OpMin), []float64{2, 3}, []float64{1, 0}},
		{"hypot", op(ir.OpHypot), []float64{0, 0}, []float64{0, 0}}, {"hypot large", op(ir.OpHypot), []float64{3e200, 4e200}, []float64{0.6, 0.8}},
		{"atan2 large", op(ir.OpAtan2), []float64{0, 1e200}, []float64{1e-200, 0}},
		{"sqrt", op(ir.OpSqrt), []float64{0}, []float64{inf}},
		{"x^0", constPow(0), []float64{0}, []float64{0}}, {"x^1", constPow(1), []float64{0}, []float64{1}}, {"x^2", constPow(2), []float64{0}, []float64{0}},
		{"x^3", constPow(3), []float64{-2}, []float64{12}}, {"x^-1", constPow(-1), []float64{-2}, []float64{-0.25}}, {"x^1.5", constPow(1.5), []float64{0}, []float64{0}},
		{"x^y", op(ir.OpPow), []float64{0, 2}, []float64{0, 0}}, {"x^y", op(ir.OpPow), []float64{0, 1}, []float64{1, 0}}, {"x^y", op(ir.OpPow), []float64{3, 0}, []float64{0, math.Log(3)}},
		{"untaken log", func(g *ir.Graph, x []ir.ID) ir.ID {
			return g.Select(g.Do(ir.OpLt, g.Num(0), x[0]), g.Mul(x[1], g.Do(ir.OpLog, x[0])), g.Mul(x[0], x[0]))
		}, []float64{0, 2}, []float64{0, 0}},
		{"untaken sqrt", func(g *ir.Graph, x []ir.ID) ir.ID {
			return g.Select(g.Do(ir.OpLt, x[0], g.Num(0)), x[0], g.Mul(g.Num(2), g.Do(ir.OpSqrt, g.Neg(x[0]))))
		}, []float64{-4}, []float64{1}},
		{"sinc", sinc, []float64{0}, []float64{0}}, {"sinc", sinc, []float64{math.Pi}, []float64{-1 / math.Pi}},
		{"max hides a pole", func(g *ir.Graph, x []ir.ID) ir.ID { return g.Do(ir.OpMax, g.Do(ir.OpLog, x[0]), g.Num(-5)) }, []float64{0}, []float64{0}},
		{"prod with zeros", func(g *ir.Graph, x []ir.ID) ir.ID { return g.Reduce(ir.OpProd, g.Concat(x...), 0) }, []float64{0, 2, 3}, []float64{6, 0, 0}},
		{"prod with two zeros", func(g *ir.Graph, x []ir.ID) ir.ID { return g.Reduce(ir.OpProd, g.Concat(x...), 0) }, []float64{0, 2, 0}, []float64{0, 0, 0}},
		{"prod of one", func(g *ir.Graph, x []ir.ID) ir.ID { return g.Reduce(ir.OpProd, g.Concat(x...), 0) }, []float64{5}, []float64{1}},
		{"rmax tie", func(g *ir.Graph, x []ir.ID) ir.ID { return g.Reduce(ir.OpRMax, g.Concat(x...), 0) }, []float64{3, 1, 3}, []float64{0.5, 0, 0.5}},
		{"floor", op(ir.OpFloor), []float64{1.5}, []float64{0}}, {"x < y", op(ir.OpLt), []float64{1, 2}, []float64{0, 0}},
		{"polygamma", func(g *ir.Graph, x []ir.ID) ir.ID { return g.Do(ir.OpPolygamma, g.Num(2), x[0]) }, []float64{1}, []float64{math.Pow(math.Pi, 4) / 15}},
	} {
		for i, got := range slopes(t, c.x, c.build) {
			if !close(got, c.want[i]) {
				t.Errorf("%s at %v: by x[%d] %g, want %g", c.name, c.x, i, got, c.want[i])
			}
		}
	}
}

// A negative base does no harm to who does not move the exponent.
func TestNegativeBase(t *testing.T) {
	g := ir.New()
	g.Output(ir.Output{Name: "z", Node: g.Do(ir.OpPow, g.Input("x", ir.BankX, 0, nil), g.Input("n", ir.BankTheta, 0, nil))})
	f := newF(t, g, 1, 1, 1)
	dz := []float64{0}
	f.jvp.Run(&code.Banks{ir.BankT: {0}, ir.BankX: {-2}, ir.BankTheta: {3}, ir.BankDT: {0}, ir.BankDX: {1}, ir.BankDTheta: {0}}, [][]float64{dz})
	if dz[0] != 12 {
		t.Errorf("got %g, want 12", dz[0])
	}
}

// The second derivative of a product with two zeros: by division it would be lost.
func TestSecondDerivativeOfProduct(t *testing.T) {
	g := ir.New()
	x := g.Input("x", ir.BankX, 0, types.Shape{3})
	p := g.Reduce(ir.OpProd, x, 0)
	d, err := ad.Derivative(g, p, x)
	if err != nil {
		t.Fatal(err)
	}
	dd, err := ad.Derivative(g, g.Gather(d, []int{0}, nil), x)
	if err != nil {
		t.Fatal(err)
	}
	g.Output(ir.Output{Name: "z", Node: dd})
	z := make([]float64, 3)
	if err := ir.Interpret(g, &ir.Banks{ir.BankX: {0, 2, 0}}, [][]float64{z}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(z, []float64{0, 0, 2}) {
		t.Error(z)
	}
}

func TestDerivative(t *testing.T) {
	g := ir.New()
	x, y := g.Input("x", ir.BankX, 0, nil), g.Input("y", ir.BankX, 1, nil)
	v := g.Input("v", ir.BankX, 2, types.Shape{3})
	in := &ir.Banks{ir.BankX: {0.5, 2, 1, 2, 3}}
	sx := g.Do(ir.OpSin, x)
	for name, c := range map[string]struct {
		of, by ir.ID
		want   []float64
	}{
		"itself":           {x, x, []float64{1}},
		"another":          {y, x, []float64{0}},
		"earlier":          {x, sx, []float64{0}},
		"array by scalar":  {g.Mul(v, g.Mul(x, x)), x, []float64{1, 2, 3}},
		"scalar by array":  {g.Mul(x, g.Dot(v, v)), v, []float64{1, 2, 3}},
		"array by nothing": {v, x, []float64{0, 0, 0}},
		"by a node":        {g.Mul(g.Mul(sx, sx), x), sx, []float64{2 * math.Sin(0.5) * 0.5}}, // x is held fixed
	} {
		d, err := ad.Derivative(g, c.of, c.by)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		h := *g
		h.Outputs = []ir.Output{{Name: "d", Node: d}}
		z := make([]float64, len(c.want))
		if err := ir.Interpret(&h, in, [][]float64{z}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range z {
			if !close(z[i], c.want[i]) {
				t.Errorf("%s: %v, want %v", name, z, c.want)
			}
		}
	}
	if _, err := ad.Derivative(g, v, v); err == nil || !strings.Contains(err.Error(), "one element") {
		t.Error(err)
	}
}

// diff(diff(e, x), y) of random graphs against differences of the first derivative.
func TestNestedDerivatives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g, _ := irtest.Graph(rt, irtest.Smooth, false)
		z := g.Outputs[0].Node
		s := g.Sum(z)
		by, also := g.Input("y", ir.BankX, 3, nil), g.Input("z", ir.BankX, 4, nil)
		d, err := ad.Derivative(g, s, by)
		if err != nil {
			rt.Fatal(err)
		}
		dd, err := ad.Derivative(g, d, also)
		if err != nil {
			rt.Fatal(err)
		}
		eval := func(id ir.ID, h float64) float64 {
			c := *g
			c.Outputs = []ir.Output{{Name: "d", Node: id}}
			in := irtest.Banks()
			in[ir.BankX][4] += h
			out := []float64{0}
			if err := ir.Interpret(&c, in, [][]float64{out}); err != nil {
				rt.Fatal(err)
			}
			return out[0]
		}
		const h = 1e-6
		want := (eval(d, h) - eval(d, -h)) / (2 * h)
		if math.Abs(eval(d, 0)) > 1e5 || math.Abs(want) > 1e5 {
			return // differences mean nothing there
		}
		if got := eval(dd, 0); !(math.Abs(got-want) <= 1e-3*(1+math.Abs(want))) {
			rt.Fatalf("second derivative %g, differences %g", got, want)
		}
	})
}

// Pieces of a bank that overlap share their gradient.
func TestOverlappingInputs(t *testing.T) {
	g := ir.New()
	v, x1 := g.Input("v", ir.BankX, 0, types.Shape{3}), g.Input("v1", ir.BankX, 1, nil)
	g.Output(ir.Output{Name: "z", Node: g.Mul(g.Dot(v, v), x1)})
	if err := newF(t, g, 3, 0, 1).check([]float64{1, 2, 3}, nil, 1e-6); err != nil {
		t.Error(err)
	}
}

// The cotangent of a vector of which many equations read one element each is one vector, not many.
func TestManyReadersOfOneArray(t *testing.T) {
	const n = 200
	g := ir.New()
	u := g.Do(ir.OpSin, g.Input("u", ir.BankX, 0, types.Shape{n}))
	for i := range n {
		g.Output(ir.Output{Name: fmt.Sprint("z", i), Off: i, Node: g.Do(ir.OpExp, g.Gather(u, []int{i}, nil))})
	}
	v, err := ad.VJP(g)
	if err != nil {
		t.Fatal(err)
	}
	v = opt.Run(v)
	total := 0
	for id := range v.Nodes {
		total += v.Shape(ir.ID(id)).Size()
	}
	if total > 12*n {
		t.Errorf("%d numbers in a gradient of %d", total, n)
	}
}

func TestErrors(t *testing.T) {
	noGrad := &ir.External{Name: "lookup", N: 1, Eval: func(x []float64) float64 { return x[0] }}
	once := &ir.External{Name: "table", N: 1, Eval: func(x []float64) float64 { return x[0] }, Grad: func(_, g []float64) { g[0] = 1 }}
	of := func(f *ir.External) *ir.Graph {
		g := ir.New()
		g.Output(ir.Output{Name: "z", Node: g.Call(f, g.Input("x", ir.BankX, 0, nil))})
		return g
	}
	expect := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	_, err := ad.VJP(of(noGrad))
	expect(err, "`lookup` has no derivative")
	_, err = ad.JVP(of(noGrad))
	expect(err, "`lookup` has no derivative")
	v, err := ad.VJP(of(once))
	if err != nil {
		t.Fatal(err)
	}
	_, err = ad.JVP(v)
	expect(err, "no second derivative")
	_, err = ad.VJP(v)
	expect(err, "cotangents")
	g := ir.New()
	g.Output(ir.Output{Name: "z", Vec: 1, Node: g.Input("x", ir.BankX, 0, nil)})
	_, err = ad.VJP(g)
	expect(err, "vector 1")
	// A function without derivative does no harm where it is not differentiated through.
	g = ir.New()
	x := g.Input("x", ir.BankX, 0, nil)
	g.Output(ir.Output{Name: "z", Node: g.Mul(x, g.Call(noGrad, g.Num(2)))})
	if _, err := ad.VJP(g); err != nil {
		t.Error(err)
	}
}

func TestSparsity(t *testing.T) {
	g := ir.New()
	u := g.Input("u", ir.BankX, 0, types.Shape{4})
	y := g.Input("y", ir.BankX, 4, nil)
	k := g.Input("k", ir.BankTheta, 0, types.Shape{2, 2})
	at := func(i int) ir.ID { return g.Gather(u, []int{i}, nil) }
	out := []ir.ID{
		g.Mul(at(0), y), g.Do(ir.OpFloor, y), g.Select(g.Do(ir.OpLt, y, g.Num(0)), at(1), at(2)),
		g.MatMul(k, g.Concat(at(3), y), false, false), g.Mul(g.Const(types.Shape{2}, 0, 1), g.Gather(u, []int{0, 1}, types.Shape{2})),
		g.MatMul(g.Const(types.Shape{2, 4}, 1, 0, 0, 2, 0, 0, 3, 0), u, false, false), g.Sum(g.Outer(u, u)), g.Scatter(at(2), []int{1}, types.Shape{2}),
	}
	off := 0
	for _, id := range out {
		g.Output(ir.Output{Name: "z", Off: off, Node: id})
		off += g.Shape(id).Size()
	}
	want := [][]int{{0, 4}, nil, {1, 2}, {3, 4}, {3, 4}, nil, {1}, {0, 3}, {2}, {0, 1, 2, 3}, nil, {2}}
	got := ad.Sparsity(g, off, 5)
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("row %d: %v, want %v", i, got[i], want[i])
		}
	}
}

// Whatever a random graph's Jacobian has, its sparsity says.
func TestSparsityHoldsAll(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g, nz := irtest.Graph(rt, irtest.Smooth, false)
		rows := ad.Sparsity(g, nz, irtest.NX)
		j, err := ad.JVP(g)
		if err != nil {
			rt.Fatal(err)
		}
		for c := range irtest.NX {
			in := irtest.Banks()
			in[ir.BankDT], in[ir.BankDX], in[ir.BankDTheta] = []float64{0}, make([]float64, irtest.NX), make([]float64, irtest.NTheta)
			in[ir.BankDX][c] = 1
			dz := make([]float64, nz)
			if err := ir.Interpret(j, in, [][]float64{dz}); err != nil {
				rt.Fatal(err)
			}
			for r, v := range dz {
				if v != 0 && !slices.Contains(rows[r], c) {
					rt.Fatalf("∂z[%d]/∂x[%d] = %g is not in the pattern", r, c, v)
				}
			}
		}
	})
}

// JVP and VJP of all operations together: v·(J d) = (Jᵀ v)·d.
func TestTransposed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g, nz := irtest.Graph(rt, irtest.Smooth, false)
		j, err := ad.JVP(g)
		if err != nil {
			rt.Fatal(err)
		}
		v, err := ad.VJP(g)
		if err != nil {
			rt.Fatal(err)
		}
		in := irtest.Banks()
		dz := make([]float64, nz)
		grad := [][]float64{make([]float64, irtest.NX), make([]float64, irtest.NTheta), make([]float64, 1)}
		if err := ir.Interpret(j, in, [][]float64{dz}); err != nil {
			rt.Fatal(err)
		}
		if err := ir.Interpret(v, in, grad); err != nil {
			rt.Fatal(err)
		}
		a, b, scale := 0.0, 0.0, 1e-300
		sum := func(s *float64, x, y []float64) {
			for i := range x {
				*s += x[i] * y[i]
				scale += math.Abs(x[i] * y[i])
			}
		}
		sum(&a, dz, in[ir.BankGZ][:nz])
		sum(&b, grad[0], in[ir.BankDX])
		sum(&b, grad[1], in[ir.BankDTheta])
		sum(&b, grad[2], in[ir.BankDT])
		if !(math.Abs(a-b) <= 1e-10*scale) && scale < 1e200 {
			rt.Fatalf("v·JVP = %g, VJP·v = %g", a, b)
		}
	})
}
