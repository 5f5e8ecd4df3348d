package code_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/opt"
	"github.com/udl-lang/udl/lang/types"
)

// model is a right-hand side to measure and to test with.
type model struct {
	name    string
	nx, nth int
	build   func(g *ir.Graph) []ir.ID
}

// layers is a network as lowering makes it: scaled inputs, tanh inside, linear outside.
func layers(g *ir.Graph, x ir.ID, off int, sizes ...int) ir.ID {
	in := g.Shape(x)[0]
	for k, n := range sizes {
		w := g.Input(fmt.Sprintf("W%d", k+1), ir.BankTheta, off, types.Shape{n, in})
		b := g.Input(fmt.Sprintf("b%d", k+1), ir.BankTheta, off+n*in, types.Shape{n})
		off += n*in + n
		x = g.Add(g.MatMul(w, x, false, false), b)
		if k < len(sizes)-1 {
			x = g.Do(ir.OpTanh, x)
		}
		in = n
	}
	return x
}

var models = []model{
	{"LV", 2, 4, func(g *ir.Graph) []ir.ID {
		x, y := g.Input("x", ir.BankX, 0, nil), g.Input("y", ir.BankX, 1, nil)
		p := func(k int) ir.ID { return g.Input(string(rune('a'+k)), ir.BankTheta, k, nil) }
		return []ir.ID{g.Sub(g.Mul(p(0), x), g.Mul(g.Mul(p(1), x), y)), g.Sub(g.Mul(g.Mul(p(2), x), y), g.Mul(p(3), y))}
	}},
	{"UDE", 2, 2 + 57, func(g *ir.Graph) []ir.ID {
		x, y := g.Input("x", ir.BankX, 0, nil), g.Input("y", ir.BankX, 1, nil)
		u := layers(g, g.Concat(x, y), 2, 5, 5, 2)
		at := func(k int) ir.ID { return g.Gather(u, []int{k}, nil) }
		return []ir.ID{g.Mul(x, g.Add(g.Input("alpha", ir.BankTheta, 0, nil), at(0))), g.Mul(y, g.Add(g.Neg(g.Input("delta", ir.BankTheta, 1, nil)), at(1)))}
	}},
	{"node50", 2, 252, func(g *ir.Graph) []ir.ID {
		x := g.Input("u", ir.BankX, 0, types.Shape{2})
		return []ir.ID{layers(g, g.Do(ir.OpPow, x, g.Num(3)), 0, 50, 2)}
	}},
}

func (m *model) graph() *ir.Graph {
	g := ir.New()
	off := 0
	for i, z := range m.build(g) {
		g.Output(ir.Output{Name: fmt.Sprint("z", i), Off: off, Node: z})
		off += g.Shape(z).Size()
	}
	return opt.Run(g)
}

func (m *model) point() (in *code.Banks, out [][]float64) {
	fill := func(n int, a float64) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = a + 0.4*math.Sin(float64(3*i+1))
		}
		return v
	}
	in = &code.Banks{ir.BankT: {0.5}, ir.BankX: fill(m.nx, 1), ir.BankTheta: fill(m.nth, 0), ir.BankGZ: fill(m.nx, 0.3),
		ir.BankDT: {0}, ir.BankDX: fill(m.nx, 0.2), ir.BankDTheta: fill(m.nth, 0.1)}
	return in, [][]float64{make([]float64, m.nx), make([]float64, m.nth), make([]float64, 1)}
}

func BenchmarkRHS(b *testing.B) {
	for _, m := range models {
		g := m.graph()
		for _, d := range []struct {
			name string
			make func(*ir.Graph) (*ir.Graph, error)
		}{{"eval", func(g *ir.Graph) (*ir.Graph, error) { return g, nil }}, {"vjp", ad.VJP}, {"jvp", ad.JVP}} {
			dg, err := d.make(g)
			if err != nil {
				b.Fatal(err)
			}
			p, err := code.Compile(opt.Run(dg))
			if err != nil {
				b.Fatal(err)
			}
			e := p.New()
			in, out := m.point()
			b.Run(m.name+"/"+d.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					e.Run(in, out)
				}
			})
		}
	}
}

// wide is a scalar-heavy model: n states, each driven by its neighbours.
func wide(n int) *ir.Graph {
	g := ir.New()
	x := make([]ir.ID, n)
	for i := range x {
		x[i] = g.Input(fmt.Sprint("x", i), ir.BankX, i, nil)
	}
	for i := range x {
		k := g.Input(fmt.Sprint("k", i), ir.BankTheta, i, nil)
		a, b := x[(i+1)%n], x[(i+n-1)%n]
		z := g.Sub(g.Mul(k, g.Sub(a, x[i])), g.Mul(g.Do(ir.OpExp, g.Neg(x[i])), g.Mul(b, g.Do(ir.OpPow, x[i], g.Num(2)))))
		g.Output(ir.Output{Name: fmt.Sprint("z", i), Off: i, Node: z})
	}
	return g
}

func BenchmarkCompile5000(b *testing.B) {
	for b.Loop() {
		g := opt.Run(wide(550))
		if _, err := code.Compile(g); err != nil {
			b.Fatal(err)
		}
		v, err := ad.VJP(g)
		if err != nil {
			b.Fatal(err)
		}
		v = opt.Run(v)
		if _, err := code.Compile(v); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(g.Nodes)), "nodes")
		b.ReportMetric(float64(len(v.Nodes)), "vjp-nodes")
	}
}
