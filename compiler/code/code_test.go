package code_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/ir/irtest"
	"github.com/udl-lang/udl/compiler/opt"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/types"
)

// agree compares a program, run twice on one Exec, with the interpreter, to the bit (any NaN is a NaN).
func agree(t rapid.TB, g *ir.Graph, in *ir.Banks, sizes ...int) {
	t.Helper()
	p, err := code.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	vecs := func() [][]float64 {
		var v [][]float64
		for _, n := range sizes {
			x := make([]float64, n)
			for i := range x {
				x[i] = float64(i) / 8
			}
			v = append(v, x)
		}
		return v
	}
	want := vecs()
	if err := ir.Interpret(g, in, want); err != nil {
		t.Fatal(err)
	}
	e := p.New()
	for run := range 2 {
		got := vecs()
		e.Run(in, got)
		for v := range want {
			for i := range want[v] {
				a, b := got[v][i], want[v][i]
				if math.Float64bits(a) != math.Float64bits(b) && (a == a || b == b) {
					var s strings.Builder
					ir.Dump(&s, g)
					t.Fatalf("run %d: out%d[%d] = %g, the interpreter says %g\n%s", run, v, i, a, b, s.String())
				}
			}
		}
	}
}

// A program says what the interpreter says, before and after the passes.
func TestProgramsAgree(t *testing.T) {
	ops := irtest.All()
	rapid.Check(t, func(rt *rapid.T) {
		g, nz := irtest.Graph(rt, ops, true)
		agree(rt, g, irtest.Banks(), nz)
		agree(rt, opt.Run(g), irtest.Banks(), nz)
	})
}

// So do the programs of derivatives.
func TestDerivativesAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g, nz := irtest.Graph(rt, irtest.All(), false)
		v, err := ad.VJP(g)
		if err != nil {
			rt.Fatal(err)
		}
		agree(rt, opt.Run(v), irtest.Banks(), irtest.NX, irtest.NTheta, 1)
		j, err := ad.JVP(g)
		if err != nil {
			rt.Fatal(err)
		}
		agree(rt, opt.Run(j), irtest.Banks(), nz)
	})
}

// Found by TestProgramsAgree: a number computed where a concatenation wants it, when that is a result.
func TestConcatenatedResult(t *testing.T) {
	g := ir.New()
	x := g.Input("t", ir.BankT, 0, nil)
	g.Output(ir.Output{Name: "z", Node: g.Concat(x, g.Neg(x), x)})
	agree(t, g, irtest.Banks(), 3)
}

// Products of all forms, at extents around the unrolling.
func TestProducts(t *testing.T) {
	for _, m := range []int{1, 2, 3, 4, 5, 7, 8, 9} {
		for _, k := range []int{1, 3, 4, 6} {
			for _, n := range []int{0, 1, 2, 5} { // 0: a vector
				for form := range 4 {
					g := ir.New()
					shape := func(t bool, r, c int) types.Shape {
						if t {
							return types.Shape{c, r}
						}
						return types.Shape{r, c}
					}
					ta, tb := form&1 == 1, form&2 == 2
					a := g.Input("a", ir.BankX, 0, shape(ta, m, k))
					b := g.Input("b", ir.BankTheta, 0, shape(tb, k, n))
					if n == 0 {
						b = g.Input("b", ir.BankTheta, 0, types.Shape{k})
					}
					c := g.MatMul(a, b, ta, tb)
					left := g.MatMul(g.Input("v", ir.BankTheta, 0, types.Shape{m}), a, false, ta)
					if ta {
						left = g.MatMul(g.Input("v", ir.BankTheta, 0, types.Shape{m}), a, false, true)
					}
					nz := g.Shape(c).Size()
					g.Output(ir.Output{Name: "c", Node: c})
					g.Output(ir.Output{Name: "l", Off: nz, Node: g.Do(ir.OpExp, g.Add(g.Fill(g.Shape(left), 0.5), left))})
					x := make([]float64, 100)
					for i := range x {
						x[i] = math.Sin(float64(i * i))
					}
					agree(t, g, &ir.Banks{ir.BankX: x, ir.BankTheta: x}, nz+k)
				}
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	for i := range models {
		m := &models[i]
		g := m.graph()
		for _, derive := range []func(*ir.Graph) (*ir.Graph, error){func(g *ir.Graph) (*ir.Graph, error) { return g, nil }, ad.VJP, ad.JVP} {
			d, err := derive(g)
			if err != nil {
				t.Fatal(err)
			}
			p, err := code.Compile(opt.Run(d))
			if err != nil {
				t.Fatal(err)
			}
			e := p.New()
			in, out := m.point()
			if n := testing.AllocsPerRun(50, func() { e.Run(in, out) }); n != 0 {
				t.Errorf("%s: %v allocations a run", m.name, n)
			}
			agree(t, opt.Run(d), in, m.nx, m.nth, 1)
		}
	}
}

// One program serves many goroutines.
func TestShared(t *testing.T) {
	m := &models[1]
	p, err := code.Compile(m.graph())
	if err != nil {
		t.Fatal(err)
	}
	in, want := m.point()
	p.New().Run(in, want)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			e := p.New()
			for range 100 {
				in, out := m.point()
				e.Run(in, out)
				if out[0][0] != want[0][0] || out[0][1] != want[0][1] {
					t.Error("a shared program disagrees with itself")
					return
				}
			}
		})
	}
	wg.Wait()
}

// Patterns become single instructions: the sizes say that fusion happened.
func TestFusion(t *testing.T) {
	for i, want := range []int{4, 9, 5} {
		p, err := code.Compile(models[i].graph())
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := p.Size(); n > want {
			t.Errorf("%s: %d instructions, not %d", models[i].name, n, want)
		}
	}
}

// Memory is reused: a long chain needs no more than a short one.
func TestReuse(t *testing.T) {
	g := ir.New()
	x := g.Input("x", ir.BankX, 0, types.Shape{100})
	for range 50 {
		x = g.Do(ir.OpSin, g.Add(x, g.Do(ir.OpCos, x)))
	}
	g.Output(ir.Output{Name: "z", Node: g.Sum(x)})
	p, err := code.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	if _, mem := p.Size(); mem > 310 {
		t.Errorf("%d numbers of scratch memory", mem)
	}
}

func TestFault(t *testing.T) {
	src := diag.NewSource("m.udl", "x' = log(x - 3)*k")
	build := func(f func(g *ir.Graph, x, k, v ir.ID) ir.ID) *code.Program {
		g := ir.New()
		x, k, v := g.Input("x", ir.BankX, 0, nil), g.Input("k", ir.BankTheta, 0, nil), g.Input("v", ir.BankX, 1, types.Shape{3})
		g.At(diag.Span{Src: src, Lo: 5, Hi: 15})
		g.Output(ir.Output{Name: "x'", Node: f(g, x, k, v)})
		p, err := code.Compile(g)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	in := &code.Banks{ir.BankX: {2, -5, 9, 0}, ir.BankTheta: {0}}
	log := func(g *ir.Graph, x ir.ID) ir.ID { return g.Do(ir.OpLog, g.Sub(x, g.Num(3))) }
	for name, c := range map[string]struct {
		build    func(g *ir.Graph, x, k, v ir.ID) ir.ID
		operands []float64
		bad      float64
	}{
		"scalar":     {func(g *ir.Graph, x, k, v ir.ID) ir.ID { return g.Mul(log(g, x), k) }, []float64{-1}, math.NaN()},
		"element":    {func(g *ir.Graph, x, k, v ir.ID) ir.ID { return g.Sum(g.Div(g.Num(2), v)) }, []float64{2, 0}, math.Inf(1)},
		"not chosen": {func(g *ir.Graph, x, k, v ir.ID) ir.ID { return g.Select(k, log(g, x), g.Div(x, k)) }, []float64{2, 0}, math.Inf(1)},
		"reduced":    {func(g *ir.Graph, x, k, v ir.ID) ir.ID { return g.Do(ir.OpSqrt, g.Reduce(ir.OpRMin, v, 0)) }, []float64{-5}, math.NaN()},
	} {
		p := build(c.build)
		id, operands, value, ok := p.Fault(in)
		if !ok || fmt.Sprint(operands) != fmt.Sprint(c.operands) || fmt.Sprint(value) != fmt.Sprint(c.bad) {
			t.Errorf("%s: node %d, operands %v, value %g, %v", name, id, operands, value, ok)
		}
	}
	p := build(func(g *ir.Graph, x, k, v ir.ID) ir.ID { return g.Select(k, log(g, x), x) })
	if _, _, _, ok := p.Fault(in); ok {
		t.Error("a branch that is not taken is no fault")
	}
	if _, at := p.Place(0); at.String() != "m.udl:1:6" {
		t.Error(at)
	}
	p = build(func(g *ir.Graph, x, k, v ir.ID) ir.ID { return g.Mul(x, g.Num(2)) })
	if id, operands, _, ok := p.Fault(&code.Banks{ir.BankX: {math.NaN(), 0, 0, 0}, ir.BankTheta: {0}}); !ok || operands != nil || id != 0 {
		t.Error("an input that is NaN is the fault itself")
	}
	if _, _, _, ok := p.Fault(&code.Banks{}); ok {
		t.Error("banks that do not fit")
	}
}

func TestCompileRefuses(t *testing.T) {
	g := ir.New()
	x := g.Input("x", ir.BankX, 0, nil)
	g.Output(ir.Output{Name: "z", Node: g.Do(ir.OpSin, x)})
	g.Nodes[1].Args = []ir.ID{1}
	if _, err := code.Compile(g); err == nil {
		t.Error("a malformed graph was compiled")
	}
}
