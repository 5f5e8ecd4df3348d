package ir_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/types"
)

// Every row says all that its class needs.
func TestTable(t *testing.T) {
	noRule := map[ir.Op]bool{ir.OpConst: true, ir.OpInput: true, ir.OpExtGrad: true}
	names := map[string]bool{}
	for op := ir.Op(0); op < ir.NumOps; op++ {
		i := op.Info()
		if i.Name == "" || names[i.Name] {
			t.Errorf("operation %d has the name %q", op, i.Name)
		}
		names[i.Name] = true
		if (i.Eval != nil) != (i.Class == ir.Elementwise) {
			t.Errorf("%v: Eval", op)
		}
		if (i.JVP == nil) != noRule[op] || (i.VJP == nil) != noRule[op] {
			t.Errorf("%v: rules", op)
		}
		if i.Class == ir.Elementwise { // Do counts arguments by the order of the constants
			g := ir.New()
			args := make([]ir.ID, i.Arity)
			for k := range args {
				args[k] = g.Input("", ir.BankX, k, nil)
			}
			g.Do(op, args...)
			if err := ir.Verify(g); err != nil {
				t.Error(err)
			}
		}
		if i.Commutes {
			for _, a := range []float64{0, -2.5, 3, math.Inf(1), math.NaN()} {
				for _, b := range []float64{1, -2.5, 0.1, math.Inf(-1), math.NaN()} {
					x, y := i.Eval(a, b, 0), i.Eval(b, a, 0)
					if x != y && (x == x || y == y) {
						t.Errorf("%v(%g, %g) = %g, swapped %g", op, a, b, x, y)
					}
				}
			}
		}
	}
}

func TestMeanings(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		op            ir.Op
		a, b, c, want float64
	}{
		{ir.OpRound, 2.5, 0, 0, 3}, {ir.OpRound, -2.5, 0, 0, -3}, {ir.OpMod, -7, 3, 0, -1}, {ir.OpMod, 7, -3, 0, 1},
		{ir.OpMin, 1, nan, 0, nan}, {ir.OpMax, nan, 1, 0, nan}, {ir.OpMin, 0, math.Copysign(0, -1), 0, 0}, {ir.OpSign, nan, 0, 0, nan},
		{ir.OpPow, 0, 0, 0, 1}, {ir.OpPow, nan, 0, 0, 1}, {ir.OpPow, -8, 1.0 / 3, 0, nan}, {ir.OpPow, -2, 3, 0, -8}, {ir.OpPow, 0, -1, 0, inf},
		{ir.OpSelect, 1, 2, nan, 2}, {ir.OpSelect, 0, nan, 3, 3}, {ir.OpSelect, nan, 2, 3, 2}, {ir.OpAnd, 2, nan, 0, 1}, {ir.OpAnd, 0, 1, 0, 0},
		{ir.OpOr, 0, 0, 0, 0}, {ir.OpNot, 0, 0, 0, 1}, {ir.OpNot, nan, 0, 0, 0}, {ir.OpLt, nan, 1, 0, 0}, {ir.OpNe, nan, nan, 0, 1}, {ir.OpEq, inf, inf, 0, 1},
		{ir.OpDiv, 1, 0, 0, inf}, {ir.OpHypot, inf, nan, 0, inf}, {ir.OpSqrt, -1, 0, 0, nan}, {ir.OpLog, 0, 0, 0, -inf}, {ir.OpCbrt, -8, 0, 0, -2},
		{ir.OpGamma, 5, 0, 0, 24}, {ir.OpRelu, nan, 0, 0, nan}, {ir.OpAtan2, 0, -1, 0, math.Pi}, {ir.OpLe, 1, 1, 0, 1},
	} {
		if got := c.op.Info().Eval(c.a, c.b, c.c); got != c.want && (got == got || c.want == c.want) {
			t.Errorf("%v(%g, %g, %g) = %g, want %g", c.op, c.a, c.b, c.c, got, c.want)
		}
	}
}

// The same operation on the same arguments is one node, whatever the place.
func TestHashConsing(t *testing.T) {
	g := ir.New()
	x := g.Input("x", ir.BankX, 0, nil)
	if x != g.Input("other", ir.BankX, 0, nil) || x == g.Input("x", ir.BankX, 0, types.Shape{1}) || x == g.Input("x", ir.BankTheta, 0, nil) {
		t.Error("inputs")
	}
	a, nan := g.Mul(x, x), g.Num(math.NaN())
	g.At(diag.Span{Src: diag.NewSource("f", "x*x"), Hi: 3})
	if a != g.Mul(x, x) || g.Num(0) == g.Num(math.Copysign(0, -1)) || nan != g.Num(math.NaN()) || g.Num(1) == g.Const(types.Shape{1}, 1) {
		t.Error("nodes")
	}
	args := []ir.ID{x, a}
	c := g.Concat(args...)
	args[0] = a
	if g.Nodes[c].Args[0] != x {
		t.Error("a node shares its arguments with the caller")
	}
}

func TestVerifyFinds(t *testing.T) {
	base := func() *ir.Graph {
		g := ir.New()
		x := g.Input("x", ir.BankX, 0, types.Shape{3})
		w := g.Input("W", ir.BankTheta, 0, types.Shape{2, 3})
		y := g.MatMul(w, g.Gather(g.Do(ir.OpSin, x), []int{2, 1, 0}, types.Shape{3}), false, false)
		g.Output(ir.Output{Name: "z", Node: g.Sum(y)})
		return g
	}
	if err := ir.Verify(base()); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(g *ir.Graph){
		"does not come before": func(g *ir.Graph) { g.Nodes[2].Args = []ir.ID{3} },
		"arguments, not 1":     func(g *ir.Graph) { g.Nodes[2].Args = []ir.ID{0, 1} },
		"should have":          func(g *ir.Graph) { g.Nodes[2].Shape = types.Shape{4} },
		"index 7 of 3":         func(g *ir.Graph) { g.Nodes[3].Ints[0] = 7 },
		"product of":           func(g *ir.Graph) { g.Nodes[4].Ints = []int{1, 0} },
		"axes":                 func(g *ir.Graph) { g.Nodes[5].Ints = []int{1} },
		"unknown operation":    func(g *ir.Graph) { g.Nodes[5].Op = ir.NumOps },
		"names no node":        func(g *ir.Graph) { g.Outputs[0].Node = 99 },
		"does not match":       func(g *ir.Graph) { g.Inputs[0].Shape = nil },
		"no such input":        func(g *ir.Graph) { g.Nodes[0].Ints = []int{9} },
	} {
		g := base()
		spoil(g)
		if err := ir.Verify(g); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestFormat(t *testing.T) {
	g := ir.New()
	x, k, u := g.Input("x", ir.BankX, 0, nil), g.Input("k", ir.BankTheta, 0, nil), g.Input("A", ir.BankX, 1, types.Shape{2, 3})
	el := g.Gather(u, []int{5}, nil)
	f := &ir.External{Name: "myfn", N: 2}
	v := g.Input("v", ir.BankX, 7, types.Shape{3})
	for want, id := range map[string]ir.ID{
		"log(A[2, 3] - k)":               g.Do(ir.OpLog, g.Sub(el, k)),
		"1 - (2 * x)":                    g.Sub(g.Num(1), g.Mul(g.Num(2), x)),
		"x ^ (-1)":                       g.Do(ir.OpPow, x, g.Num(-1)),
		"-(x + k)":                       g.Neg(g.Add(x, k)),
		"if (x < 0) then 1 else sqrt(x)": g.Select(g.Do(ir.OpLt, x, g.Num(0)), g.Num(1), g.Do(ir.OpSqrt, x)),
		"not x":                          g.Do(ir.OpNot, x),
		"myfn(x, k)":                     g.Call(f, x, k),
		"[x, k]":                         g.Concat(x, k),
		"A @ v":                          g.MatMul(u, v, false, false),
		"v @ transpose(A)":               g.MatMul(v, u, false, true),
		"max(A)":                         g.Reduce(ir.OpRMax, u, 0, 1),
		"sum(v)":                         g.Sum(v),
		"min(x, k)":                      g.Do(ir.OpMin, x, k),
	} {
		got := ir.Format(g, id)
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	deep := x
	for range 30 {
		deep = g.Do(ir.OpSin, deep)
	}
	if s := ir.Format(g, deep); !strings.Contains(s, "…") || len(s) > 200 {
		t.Error(s)
	}
}

func TestDump(t *testing.T) {
	g := ir.New()
	src := diag.NewSource("m.udl", "x' = -k*x")
	k, x := g.Input("k", ir.BankTheta, 0, nil), g.Input("x", ir.BankX, 0, types.Shape{2})
	g.At(diag.Span{Src: src, Lo: 5, Hi: 9})
	g.Output(ir.Output{Name: "x'", Node: g.Mul(g.Neg(k), x)})
	var b bytes.Buffer
	if err := ir.Dump(&b, g); err != nil {
		t.Fatal(err)
	}
	want := []string{"input k = θ[0]", "input x = x[0..1]", "[2]", "neg %0", "* %2 %1", "m.udl:1:6", "out0[0] = %3 x'"}
	for _, w := range want {
		if !strings.Contains(b.String(), w) {
			t.Errorf("no %q in\n%s", w, b.String())
		}
	}
}

func TestInterpretRefuses(t *testing.T) {
	g := ir.New()
	g.Output(ir.Output{Name: "z", Node: g.Input("x", ir.BankX, 1, types.Shape{2})})
	if err := ir.Interpret(g, &ir.Banks{ir.BankX: {1, 2}}, [][]float64{{0, 0}}); err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Error(err)
	}
	if err := ir.Interpret(g, &ir.Banks{ir.BankX: {1, 2, 3}}, [][]float64{{0}}); err == nil || !strings.Contains(err.Error(), `"z"`) {
		t.Error(err)
	}
}

// Replace keeps what does not depend on the node replaced.
func TestReplace(t *testing.T) {
	g := ir.New()
	x, y := g.Input("x", ir.BankX, 0, nil), g.Input("y", ir.BankX, 1, nil)
	e := g.Add(g.Do(ir.OpSin, x), g.Do(ir.OpCos, y))
	r := g.Replace(e, y, x)
	if ir.Format(g, r) != "sin(x) + cos(x)" || g.Nodes[r].Args[0] != g.Nodes[e].Args[0] {
		t.Error(ir.Format(g, r))
	}
}
