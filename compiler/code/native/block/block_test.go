package block_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/code/native/internal/random"
)

func run(t *testing.T, b *block.Block, w, groups int, bases ...[]float64) {
	t.Helper()
	it, err := block.NewInterp(b, w)
	if err != nil {
		t.Fatal(err)
	}
	if err := it.Run(bases, groups); err != nil {
		t.Fatal(err)
	}
}

// TestMeaning says each operation once more, with Go's own operators.
func TestMeaning(t *testing.T) {
	bits, num := math.Float64bits, math.Float64frombits
	pick := func(m bool, a, b float64) float64 {
		if m {
			return a
		}
		return b
	}
	type values = []block.Value
	for _, c := range []struct {
		name  string
		build func(g *block.Builder, v values) block.Value
		want  func(a, b, c float64) float64
	}{
		{"add", func(g *block.Builder, v values) block.Value { return g.Add(v[0], v[1]) }, func(a, b, _ float64) float64 { return a + b }},
		{"sub", func(g *block.Builder, v values) block.Value { return g.Sub(v[0], v[1]) }, func(a, b, _ float64) float64 { return a - b }},
		{"mul", func(g *block.Builder, v values) block.Value { return g.Mul(v[0], v[1]) }, func(a, b, _ float64) float64 { return a * b }},
		{"div", func(g *block.Builder, v values) block.Value { return g.Div(v[0], v[1]) }, func(a, b, _ float64) float64 { return a / b }},
		{"fma", func(g *block.Builder, v values) block.Value { return g.FMA(v[0], v[1], v[2]) }, math.FMA},
		{"fms", func(g *block.Builder, v values) block.Value { return g.FMS(v[0], v[1], v[2]) }, func(a, b, c float64) float64 { return math.FMA(a, b, -c) }},
		{"fnma", func(g *block.Builder, v values) block.Value { return g.FNMA(v[0], v[1], v[2]) }, func(a, b, c float64) float64 { return math.FMA(-a, b, c) }},
		{"fnms", func(g *block.Builder, v values) block.Value { return g.FMS(g.Neg(v[0]), v[1], v[2]) }, func(a, b, c float64) float64 { return math.FMA(-a, b, -c) }},
		{"min", func(g *block.Builder, v values) block.Value { return g.Min(v[0], v[1]) }, func(a, b, _ float64) float64 { return pick(a < b, a, b) }},
		{"max", func(g *block.Builder, v values) block.Value { return g.Max(v[0], v[1]) }, func(a, b, _ float64) float64 { return pick(a > b, a, b) }},
		{"neg", func(g *block.Builder, v values) block.Value { return g.Neg(v[0]) }, func(a, _, _ float64) float64 { return -a }},
		{"abs", func(g *block.Builder, v values) block.Value { return g.Abs(g.Neg(v[0])) }, func(a, _, _ float64) float64 { return math.Abs(a) }},
		{"sqrt", func(g *block.Builder, v values) block.Value { return g.Sqrt(v[0]) }, func(a, _, _ float64) float64 { return math.Sqrt(a) }},
		{"even", func(g *block.Builder, v values) block.Value { return g.Round(v[0], block.ToEven) }, func(a, _, _ float64) float64 { return math.RoundToEven(a) }},
		{"floor", func(g *block.Builder, v values) block.Value { return g.Floor(v[0]) }, func(a, _, _ float64) float64 { return math.Floor(a) }},
		{"ceil", func(g *block.Builder, v values) block.Value { return g.Round(v[0], block.ToCeil) }, func(a, _, _ float64) float64 { return math.Ceil(a) }},
		{"trunc", func(g *block.Builder, v values) block.Value { return g.Round(v[0], block.ToTrunc) }, func(a, _, _ float64) float64 { return math.Trunc(a) }},
		{"and", func(g *block.Builder, v values) block.Value { return g.And(v[0], v[1]) }, func(a, b, _ float64) float64 { return num(bits(a) & bits(b)) }},
		{"andnot", func(g *block.Builder, v values) block.Value { return g.AndNot(v[0], v[1]) }, func(a, b, _ float64) float64 { return num(^bits(a) & bits(b)) }},
		{"or", func(g *block.Builder, v values) block.Value { return g.Or(v[0], v[1]) }, func(a, b, _ float64) float64 { return num(bits(a) | bits(b)) }},
		{"xor", func(g *block.Builder, v values) block.Value { return g.Xor(v[0], v[1]) }, func(a, b, _ float64) float64 { return num(bits(a) ^ bits(b)) }},
		{"addq", func(g *block.Builder, v values) block.Value { return g.AddQ(v[0], v[1]) }, func(a, b, _ float64) float64 { return num(bits(a) + bits(b)) }},
		{"subq", func(g *block.Builder, v values) block.Value { return g.SubQ(v[0], v[1]) }, func(a, b, _ float64) float64 { return num(bits(a) - bits(b)) }},
		{"shl", func(g *block.Builder, v values) block.Value { return g.ShiftLeft(v[0], 13) }, func(a, _, _ float64) float64 { return num(bits(a) << 13) }},
		{"shr", func(g *block.Builder, v values) block.Value { return g.ShiftRight(v[0], 52) }, func(a, _, _ float64) float64 { return num(bits(a) >> 52) }},
		{"select", func(g *block.Builder, v values) block.Value { return g.Select(g.LT(v[0], v[1]), v[1], v[2]) },
			func(a, b, c float64) float64 { return pick(a < b, b, c) }},
		{"not lt", func(g *block.Builder, v values) block.Value { return g.Select(g.MaskNot(g.LT(v[0], v[1])), v[1], v[2]) },
			func(a, b, c float64) float64 { return pick(!(a < b), b, c) }},
		{"masks", func(g *block.Builder, v values) block.Value {
			m, n, o := g.LE(v[0], v[1]), g.EQ(v[1], v[2]), g.IsNaN(v[0])
			return g.Select(g.MaskXor(g.MaskNot(g.MaskAnd(m, n)), g.MaskOr(o, g.MaskAndNot(n, m))), v[1], v[2])
		}, func(a, b, c float64) float64 {
			m, n, o := a <= b, b == c, a != a
			return pick(!(m && n) != (o || !n && m), b, c)
		}},
		{"cold", func(g *block.Builder, v values) block.Value {
			return g.Cold(g.LT(v[0], g.Const(0)), v[1], func() block.Value { return g.Mul(v[2], v[2]) })
		}, func(a, b, c float64) float64 { return pick(a < 0, c*c, b) }},
		{"table", func(g *block.Builder, v values) block.Value {
			return g.Table([]float64{3, 1, 4, 1}, g.And(v[0], g.Bits(7)))
		}, func(a, _, _ float64) float64 { return []float64{3, 1, 4, 1}[bits(a)&3] }},
	} {
		g := block.NewBuilder(block.Layout{}, block.Layout{}, block.Layout{}, block.Layout{})
		g.Store(3, 0, c.build(g, values{g.Load(0, 0), g.Load(1, 0), g.Load(2, 0)}))
		b, err := g.Done()
		if err != nil {
			t.Fatal(c.name, err)
		}
		var x [3][]float64
		for _, u := range random.Special {
			for _, v := range random.Special {
				x[0], x[1], x[2] = append(x[0], u), append(x[1], v), append(x[2], v, u)
			}
		}
		got := make([]float64, len(x[0]))
		run(t, b, 1, len(got), x[0], x[1], x[2], got)
		for i := range got {
			if want := c.want(x[0][i], x[1][i], x[2][i]); !random.Same(got[i], want) {
				t.Fatalf("%s(%v, %v, %v) = %v, want %v", c.name, x[0][i], x[1][i], x[2][i], got[i], want)
			}
		}
	}
}

// TestLanes holds that the number of lanes does not matter where the layout does not depend on it.
func TestLanes(t *testing.T) {
	g := block.NewBuilder(block.Layout{}, block.Layout{}, block.Layout{})
	x := g.Load(0, 0)
	g.Store(2, 0, g.Pow(g.Add(g.Exp(g.Sin(x)), g.LoadBroadcast(1, 1)), g.Mul(x, g.Load(0, 5))))
	b, err := g.Done()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	in := make([]float64, 64*3+5)
	for i := range in {
		in[i] = random.Number(r)
	}
	var first []float64
	for _, w := range []int{1, 2, 3, 4, 8, 16, 64} {
		out := make([]float64, 192)
		run(t, b, w, 192/w, in, []float64{1, 2}, out)
		if first == nil {
			first = out
		}
		if !slices.EqualFunc(out, first, random.Same) {
			t.Errorf("%d lanes differ from one", w)
		}
	}
}

func TestSharing(t *testing.T) {
	g := block.NewBuilder(block.Layout{Rows: 2})
	x := g.Load(0, 0)
	if g.Add(x, g.Const(1)) != g.Add(g.Const(1), x) {
		t.Error("a sum and its mirror image are two")
	}
	if g.FMA(g.Neg(x), x, x) != g.FNMA(x, x, x) || g.Sub(x, g.Neg(x)) != g.Add(x, x) || g.Neg(g.Neg(x)) != x {
		t.Error("a negation was not taken in")
	}
	if g.Mul(g.Const(3), g.Const(4)) != g.Const(12) {
		t.Error("constants were not folded")
	}
	g.Store(0, 1, x)
	if g.Load(0, 1) == g.Load(0, 0) {
		t.Error("two elements are one")
	}
	y := g.Load(0, 0)
	var inside block.Value
	z := g.Cold(g.LT(y, x), x, func() block.Value { inside = g.Sqrt(y); return g.Mul(inside, inside) })
	if g.Sqrt(y) == inside {
		t.Error("what a cold region computes was shared")
	}
	g.Store(0, 0, z)
	if _, err := g.Done(); err != nil {
		t.Error(err)
	}
}

// TestInPlace holds that loads before a store see what was there before it, and loads after it what it wrote.
func TestInPlace(t *testing.T) {
	g := block.NewBuilder(block.Layout{Rows: 3})
	old := g.Load(0, 0)
	g.Store(0, 0, g.Add(old, g.Const(1)))
	g.Store(0, 1, old)
	g.Store(0, 2, g.Load(0, 0))
	b, err := g.Done()
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{10, 20, 0, 0, 0, 0, 30, 40, 0, 0, 0, 0}
	run(t, b, 2, 2, x)
	if want := []float64{11, 21, 10, 20, 11, 21, 31, 41, 30, 40, 31, 41}; !slices.Equal(x, want) {
		t.Errorf("%v, want %v", x, want)
	}
}

func TestMisuse(t *testing.T) {
	for _, c := range []struct {
		want string
		f    func(g *block.Builder)
	}{
		{"wrong kind", func(g *block.Builder) { x := g.Load(0, 0); g.Add(x, g.LT(x, x)) }},
		{"wrong kind", func(g *block.Builder) { x := g.Load(0, 0); g.Select(x, x, g.Const(1)) }},
		{"no value", func(g *block.Builder) { g.Sqrt(77) }},
		{"no value", func(g *block.Builder) { g.Neg(-1) }},
		{"no base 9", func(g *block.Builder) { g.Load(9, 0) }},
		{"no element 3", func(g *block.Builder) { g.Load(1, 3) }},
		{"no element -1", func(g *block.Builder) { g.Load(0, -1) }},
		{"broadcast from", func(g *block.Builder) { g.Store(0, 0, g.LoadBroadcast(0, 0)) }},
		{"is stored to", func(g *block.Builder) { g.Store(0, 0, g.Const(1)); g.LoadBroadcast(0, 0) }},
		{"within a cold region", func(g *block.Builder) {
			x := g.Load(0, 0)
			g.Cold(g.LT(x, x), x, func() block.Value { g.Store(0, 0, x); return x })
		}},
		{"belongs to a cold region", func(g *block.Builder) {
			x := g.Load(0, 0)
			var y block.Value
			g.Cold(g.LT(x, x), x, func() block.Value { y = g.Sqrt(x); return y })
			g.Add(x, y)
		}},
		{"shift by 64", func(g *block.Builder) { g.ShiftLeft(g.Load(0, 0), 64) }},
		{"rounding mode 7", func(g *block.Builder) { g.Round(g.Load(0, 0), 7) }},
		{"comparison 8", func(g *block.Builder) { g.Cmp(8, g.Load(0, 0), g.Load(0, 0)) }},
		{"a table of 3", func(g *block.Builder) { g.Table(make([]float64, 3), g.Load(0, 0)) }},
	} {
		g := block.NewBuilder(block.Layout{}, block.Layout{Rows: 3})
		c.f(g)
		g.Store(1, 0, g.Const(0))
		if _, err := g.Done(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if _, err := block.NewBuilder(make([]block.Layout, block.MaxBases+1)...).Done(); err == nil {
		t.Error("too many bases, no error")
	}
}

func TestInterpRefuses(t *testing.T) {
	g := block.NewBuilder(block.Layout{}, block.Layout{Rows: 2})
	g.Store(1, 1, g.LoadBroadcast(0, 4))
	b, err := g.Done()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []int{0, 65} {
		if _, err := block.NewInterp(b, w); err == nil {
			t.Errorf("%d lanes, no error", w)
		}
	}
	it, err := block.NewInterp(b, 4)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float64, 5), make([]float64, 16)
	for _, bad := range [][][]float64{nil, {x}, {x[:4], y}, {x, y[:15]}} {
		if err := it.Run(bad, 2); !errors.Is(err, block.ErrShort) {
			t.Error(err)
		}
	}
	if err := it.Run([][]float64{x, y}, math.MaxInt); !errors.Is(err, block.ErrShort) {
		t.Error(err)
	}
	if err := errors.Join(it.Run([][]float64{x, y}, 2), it.Run(nil, 0)); err != nil {
		t.Error(err)
	}
	bases := [][]float64{x, y}
	if n := testing.AllocsPerRun(50, func() { _ = it.Run(bases, 2) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if s := b.String(); !strings.Contains(s, "load base0[4] broadcast") || !strings.Contains(s, "store base1[1] %0") {
		t.Error(s)
	}
}
