package opt_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/ir/irtest"
	"github.com/udl-lang/udl/compiler/opt"
	"github.com/udl-lang/udl/lang/types"
)

func values(t rapid.TB, g *ir.Graph, nz int) []float64 {
	t.Helper()
	z := make([]float64, nz)
	if err := ir.Interpret(g, irtest.Banks(), [][]float64{z}); err != nil {
		t.Fatal(err)
	}
	return z
}

// Every pass keeps graphs well formed and their meaning, infinities and NaN included. Powers are left
// out: they may change last bits, which later operations magnify.
func TestPassesKeepMeaning(t *testing.T) {
	var ops []ir.Op
	for _, op := range irtest.All() {
		// What tells −0 from 0 may see the difference that the identities are allowed to make.
		if op != ir.OpPow && op != ir.OpDiv && op != ir.OpAtan2 {
			ops = append(ops, op)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		g, nz := irtest.Graph(rt, ops, true)
		want := values(rt, g, nz)
		opt.Trace(g, func(pass string, h *ir.Graph) {
			if err := ir.Verify(h); err != nil {
				rt.Fatalf("after %s: %v", pass, err)
			}
			for i, v := range values(rt, h, nz) {
				if v != want[i] && (v == v || want[i] == want[i]) {
					rt.Fatalf("after %s: z[%d] = %g, was %g", pass, i, v, want[i])
				}
			}
		})
	})
}

func TestRules(t *testing.T) {
	type b = func(g *ir.Graph, x, y, v ir.ID) ir.ID
	for want, build := range map[string]b{
		"x":           func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Mul(g.Add(x, g.Num(0)), g.Num(1)) },
		"y":           func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Neg(g.Neg(y)) },
		"x - y":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Add(x, g.Neg(y)) },
		"x + y":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Sub(x, g.Neg(y)) },
		"y - x":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Neg(g.Sub(x, y)) },
		"x * y":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Mul(g.Neg(x), g.Neg(y)) },
		"x * x":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Do(ir.OpPow, x, g.Num(2)) },
		"x * (x * x)": func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Do(ir.OpPow, x, g.Num(3)) },
		"sqrt(x)":     func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Do(ir.OpPow, x, g.Num(0.5)) },
		"1 / x":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Do(ir.OpPow, x, g.Num(-1)) },
		"x ^ 2.5":     func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Do(ir.OpPow, x, g.Num(2.5)) },
		"x ^ 9":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Do(ir.OpPow, x, g.Num(9)) },
		"x / 3":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Div(x, g.Num(3)) },
		"x * 0.25":    func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Div(x, g.Num(4)) },
		"0 * x":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Mul(g.Num(0), x) }, // NaN for infinite x
		"x - x":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Sub(x, x) },
		"7":           func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Add(g.Num(3), g.Mul(g.Num(2), g.Num(2))) },
		"2 * x":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Mul(g.Num(2), x) }, // in the user's order
		"v[2]":        func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Gather(v, []int{1}, nil) },
		"v[1..2]":     func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Gather(v, []int{0, 1}, types.Shape{2}) },
		"[x, y]":      func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Concat(x, y) },
		"sin(y)":      func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Gather(g.Concat(x, g.Do(ir.OpSin, y)), []int{1}, nil) },
		"x * v":       func(g *ir.Graph, x, y, v ir.ID) ir.ID { return g.Mul(g.Expand(x, types.Shape{3}, []int{-1}), v) },
		"if y then x else sin(x)": func(g *ir.Graph, x, y, v ir.ID) ir.ID {
			return g.Select(y, x, g.Select(g.Num(0), y, g.Do(ir.OpSin, x)))
		},
	} {
		g := ir.New()
		x, y, v := g.Input("x", ir.BankX, 0, nil), g.Input("y", ir.BankX, 1, nil), g.Input("v", ir.BankX, 2, types.Shape{3})
		g.Output(ir.Output{Name: "z", Node: build(g, x, y, v)})
		h := opt.Run(g)
		got := ir.Format(h, h.Outputs[0].Node)
		if got != want {
			t.Errorf("%q became %q, want %q", ir.Format(g, g.Outputs[0].Node), got, want)
		}
	}
}

// Commuted operands are one node, dead nodes and inputs go.
func TestCommonAndDead(t *testing.T) {
	g := ir.New()
	x, y := g.Input("x", ir.BankX, 0, nil), g.Input("y", ir.BankX, 1, nil)
	g.Do(ir.OpSin, g.Input("far", ir.BankAux, 1<<40, nil))
	g.Output(ir.Output{Name: "z", Node: g.Div(g.Mul(x, y), g.Do(ir.OpExp, g.Mul(y, x)))})
	h := opt.Run(g)
	if len(h.Nodes) != 5 || len(h.Inputs) != 2 {
		ir.Dump(t.Output(), h)
		t.Errorf("%d nodes", len(h.Nodes))
	}
}

// Scattered and joined results are stored piece by piece.
func TestOutputs(t *testing.T) {
	g := ir.New()
	x := g.Input("x", ir.BankX, 0, types.Shape{3})
	s, c := g.Do(ir.OpSin, x), g.Do(ir.OpCos, x)
	g.Output(ir.Output{Name: "g", Off: 1, Add: true, Node: g.Scatter(g.Concat(s, c), []int{4, 5, 6, 0, 1, 2}, types.Shape{8})})
	g.Output(ir.Output{Name: "z", Vec: 1, Node: g.Concat(s, g.Num(1))})
	h := opt.Run(g)
	if len(h.Outputs) != 4 || h.Outputs[0].Off != 5 || h.Outputs[1].Off != 1 || h.Outputs[3].Off != 3 {
		t.Errorf("%+v", h.Outputs)
	}
	// Twice the same place must stay one sum.
	g = ir.New()
	x = g.Input("x", ir.BankX, 0, types.Shape{2})
	g.Output(ir.Output{Name: "g", Add: true, Node: g.Scatter(x, []int{1, 1}, types.Shape{3})})
	if h = opt.Run(g); len(h.Outputs) != 1 || h.Nodes[h.Outputs[0].Node].Op != ir.OpScatter {
		t.Errorf("%+v", h.Outputs)
	}
}

// Small powers stay within a few ulp of the power.
func TestPowers(t *testing.T) {
	for k := -8.0; k <= 8; k += 0.5 {
		g := ir.New()
		g.Output(ir.Output{Name: "z", Node: g.Do(ir.OpPow, g.Input("x", ir.BankX, 0, nil), g.Num(k))})
		h := opt.Run(g)
		for _, x := range []float64{0.3, 1.7, 12.5, 0} {
			a, b := []float64{0}, []float64{0}
			in := &ir.Banks{ir.BankX: {x}}
			if err := ir.Interpret(g, in, [][]float64{a}); err != nil {
				t.Fatal(err)
			}
			if err := ir.Interpret(h, in, [][]float64{b}); err != nil {
				t.Fatal(err)
			}
			if a[0] != b[0] && !(math.Abs(a[0]-b[0]) <= 1e-15*math.Abs(a[0])) {
				t.Errorf("%g^%g = %g, was %g", x, k, b[0], a[0])
			}
		}
	}
}

func TestTableOfPasses(t *testing.T) {
	var seen []string
	g := ir.New()
	g.Output(ir.Output{Name: "z", Node: g.Num(1)})
	opt.Trace(g, func(pass string, _ *ir.Graph) { seen = append(seen, pass) })
	for i, p := range opt.Passes() {
		if p.Name == "" || p.Why == "" || seen[i] != p.Name {
			t.Errorf("%+v", p)
		}
	}
}

// A graph taken apart means the same; only reductions to an extreme still see arrays.
func TestScalars(t *testing.T) {
	var ops []ir.Op
	for _, op := range irtest.All() {
		if op != ir.OpDiv && op != ir.OpAtan2 && op != ir.OpPow { // which tell −0 from 0
			ops = append(ops, op)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		g, nz := irtest.Graph(rt, ops, true)
		want := values(rt, g, nz)
		h, ok := opt.Scalars(g, 1<<20)
		if !ok {
			rt.Fatal("too large")
		}
		if err := ir.Verify(h); err != nil {
			rt.Fatal(err)
		}
		for i, v := range values(rt, h, nz) {
			if v != want[i] && (v == v || want[i] == want[i]) {
				rt.Fatalf("z[%d] = %g, was %g", i, v, want[i])
			}
		}
		for i := range h.Nodes {
			n := &h.Nodes[i]
			if !n.Shape.IsScalar() && n.Op != ir.OpConcat && n.Op != ir.OpExtGrad {
				rt.Fatalf("%v still has the shape %v", n.Op, n.Shape)
			}
		}
		if _, ok := opt.Scalars(g, 0); ok && len(want) > 0 && len(h.Nodes) > 0 {
			rt.Fatal("no limit")
		}
	})
}
