package native

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/code/native/internal/random"
)

type builder = block.Builder

// kernels are the functions of package block, as blocks of two inputs.
var kernels = []struct {
	name  string
	build func(g *builder, x, y block.Value) block.Value
}{
	{"exp", func(g *builder, x, _ block.Value) block.Value { return g.Exp(x) }},
	{"expm1", func(g *builder, x, _ block.Value) block.Value { return g.Expm1(x) }},
	{"log", func(g *builder, x, _ block.Value) block.Value { return g.Log(x) }},
	{"log1p", func(g *builder, x, _ block.Value) block.Value { return g.Log1p(x) }},
	{"tanh", func(g *builder, x, _ block.Value) block.Value { return g.Tanh(x) }},
	{"sigmoid", func(g *builder, x, _ block.Value) block.Value { return g.Sigmoid(x) }},
	{"sin", func(g *builder, x, _ block.Value) block.Value { return g.Sin(x) }},
	{"cos", func(g *builder, x, _ block.Value) block.Value { return g.Cos(x) }},
	{"pow", func(g *builder, x, y block.Value) block.Value { return g.Pow(x, y) }},
	{"all", func(g *builder, x, y block.Value) block.Value { // many cold regions, and values alive across them
		s, c := g.Sin(x), g.Cos(y)
		e, l := g.Exp(g.Mul(x, y)), g.Log(g.Abs(x))
		p := g.Pow(g.Abs(y), x)
		return g.FMA(s, c, g.FMA(e, g.Tanh(l), g.FMA(p, g.Sigmoid(y), g.Log1p(g.Mul(x, x)))))
	}},
}

func kernelBlock(t testing.TB, build func(g *builder, x, y block.Value) block.Value) *block.Block {
	g := block.NewBuilder(block.Layout{}, block.Layout{}, block.Layout{})
	g.Store(2, 0, build(g, g.Load(0, 0), g.Load(1, 0)))
	b, err := g.Done()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestKernels holds that the functions are the same to the bit on every width and in the interpreter.
func TestKernels(t *testing.T) {
	ws := widths(t)
	const n = 8000
	r := rand.New(rand.NewPCG(3, 4))
	x, y := make([]float64, n), make([]float64, n)
	for i := range x {
		x[i], y[i] = random.Number(r), random.Number(r)
		if i%3 == 0 {
			x[i], y[i] = x[i]*100, math.Abs(y[i])
		}
	}
	for _, k := range kernels {
		b := kernelBlock(t, k.build)
		want := make([]float64, n)
		it, err := block.NewInterp(b, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := it.Run([][]float64{x, y, want}, n); err != nil {
			t.Fatal(err)
		}
		for _, w := range ws {
			c, err := Compile(Options{}, Segment{Block: b, Width: w})
			if err != nil {
				t.Fatal(k.name, err)
			}
			got := make([]float64, n)
			f := c.NewFrame()
			f.Bind(0, x)
			f.Bind(1, y)
			f.Bind(2, got)
			if err := f.Run(n / w); err != nil {
				t.Fatal(err)
			}
			bad := 0
			for i := range got {
				if !random.Same(got[i], want[i]) && bad < 5 {
					t.Errorf("%s(%v, %v) on %d lanes is %v, the interpreter says %v", k.name, x[i], y[i], w, got[i], want[i])
					bad++
				}
			}
			t.Logf("%s: %d lanes, %d bytes, %d spills", k.name, w, c.Size, c.Spills)
		}
	}
}
