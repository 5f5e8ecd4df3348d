package code_test

import (
	"flag"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/opt"
	"github.com/udl-lang/udl/lang/types"
)

var (
	graphs = flag.Int("graphs", 1500, "random graphs for the comparison of back ends")
	first  = flag.Uint64("first", 0, "the seed of the first of them")
)

// The back ends agree: on random graphs generated code says what the blocks' interpreter says, to the bit, at every width, and what the
// reference says, within what a few units in the last place of every operation can do to the result. That bound is found
// by evaluating the graph again with each operation's result moved at random by so much.

// shapes of random arrays: scalars, small arrays, arrays that are lanes, grids.
var shapeList = []types.Shape{nil, nil, nil, {3}, {5}, {9}, {16}, {20}, {3, 4}, {6, 12}, {5, 16}}

// extents of the banks that random graphs read.
const bankX, bankTheta = 2000, 3000

type maker struct {
	*rand.Rand
	g     *ir.Graph
	nodes []ir.ID
}

func (m *maker) pick() ir.ID { return m.nodes[m.IntN(len(m.nodes))] }

// like picks a node of a shape or a scalar.
func (m *maker) like(s types.Shape) ir.ID {
	for range 20 {
		if n := m.pick(); m.g.Shape(n).IsScalar() || m.g.Shape(n).Equal(s) {
			return n
		}
	}
	return m.g.Num(0.5)
}

func (m *maker) input(s types.Shape) ir.ID {
	if m.IntN(2) == 0 {
		return m.g.Input("x", ir.BankX, m.IntN(bankX-s.Size()), s)
	}
	return m.g.Input("p", ir.BankTheta, m.IntN(bankTheta-s.Size()), s)
}

var elementwise = func() (ops []ir.Op) {
	for op := ir.Op(0); op < ir.NumOps; op++ {
		if op.Info().Class == ir.Elementwise {
			ops = append(ops, op)
		}
	}
	for range 12 { // arithmetic is what models are made of
		ops = append(ops, ir.OpAdd, ir.OpSub, ir.OpMul)
	}
	return ops
}()

func (m *maker) grow() {
	g := m.g
	a := m.pick()
	s := g.Shape(a)
	add := func(n ir.ID) { m.nodes = append(m.nodes, n) }
	switch k := m.IntN(20); {
	case k < 9:
		op := elementwise[m.IntN(len(elementwise))]
		args := []ir.ID{a, m.like(s), m.like(s)}[:op.Info().Arity]
		if len(args) > 1 && m.IntN(2) == 0 {
			args[0], args[1] = args[1], args[0]
		}
		if len(args) == 3 && !g.Shape(args[1]).Equal(g.Shape(args[2])) && !g.Shape(args[1]).IsScalar() && !g.Shape(args[2]).IsScalar() {
			return
		}
		add(g.Do(op, args...))
	case k == 9: // a layer
		if len(s) == 1 && s[0] < 60 {
			n := []int{1, 2, 5, 9, 16, 33}[m.IntN(6)]
			switch m.IntN(3) {
			case 0:
				add(g.MatMul(m.input(types.Shape{n, s[0]}), a, false, false))
			case 1:
				add(g.MatMul(m.input(types.Shape{s[0], n}), a, true, false))
			default:
				add(g.MatMul(a, m.input(types.Shape{s[0], n}), false, false))
			}
		}
	case k == 10:
		if len(s) > 0 {
			add(g.Do(ir.OpAdd, g.Sum(a), g.Num(0)))
		}
	case k == 11: // a grid moved, periodic or clamped
		if len(s) == 2 {
			dr, dc, wrap := m.IntN(3)-1, m.IntN(3)-1, m.IntN(2) == 0
			idx := make([]int, s.Size())
			for i := range idx {
				idx[i] = edge(i/s[1]+dr, s[0], wrap)*s[1] + edge(i%s[1]+dc, s[1], wrap)
			}
			add(g.Gather(a, idx, s))
		}
	case k == 12:
		idx := make([]int, 1+m.IntN(8))
		for i := range idx {
			idx[i] = m.IntN(s.Size())
		}
		add(g.Gather(a, idx, types.Shape{len(idx)}))
	case k == 13:
		if b := m.pick(); s.Size()+g.Shape(b).Size() < 300 {
			add(g.Concat(a, b))
		}
	case k == 14:
		add(g.Gather(a, []int{m.IntN(s.Size())}, nil))
	case k == 15: // a matrix that was computed, times a vector or a matrix
		b := m.pick()
		t, ta, tb := g.Shape(b), m.IntN(2) == 0, m.IntN(2) == 0
		switch {
		case len(s) == 2 && len(t) == 1 && s[map[bool]int{false: 1, true: 0}[ta]] == t[0]:
			add(g.MatMul(a, b, ta, false))
		case len(s) == 1 && len(t) == 2 && t[map[bool]int{false: 0, true: 1}[tb]] == s[0]:
			add(g.MatMul(a, b, false, tb))
		case len(s) == 2 && len(t) == 2 && s[map[bool]int{false: 1, true: 0}[ta]] == t[map[bool]int{false: 0, true: 1}[tb]]:
			add(g.MatMul(a, b, ta, tb))
		case len(s) == 2 && s.Size() < 200: // with itself, whatever its shape
			add(g.MatMul(a, a, true, false))
		}
	case k == 16:
		if b := m.pick(); len(s) == 1 && len(g.Shape(b)) == 1 && s[0]*g.Shape(b)[0] < 400 {
			add(g.Outer(a, b))
		}
	case k == 17:
		if len(s) > 0 {
			op := []ir.Op{ir.OpSum, ir.OpProd, ir.OpRMin, ir.OpRMax}[m.IntN(4)]
			if len(s) == 2 && m.IntN(2) == 0 {
				add(g.Reduce(op, a, m.IntN(2)))
			} else {
				add(g.Reduce(op, a))
			}
		}
	case k == 18:
		if len(s) == 1 && s[0] < 100 {
			idx := make([]int, s[0])
			for i := range idx {
				idx[i] = m.IntN(s[0] + 2)
			}
			add(g.Scatter(a, idx, types.Shape{s[0] + 2}))
		}
	default:
		add(m.input(shapeList[m.IntN(len(shapeList))]))
	}
}

func edge(i, n int, wrap bool) int {
	if wrap {
		return (i + n) % n
	}
	return max(0, min(n-1, i))
}

func randomGraph(r *rand.Rand) (g *ir.Graph, nz int) {
	m := &maker{r, ir.New(), nil}
	g = m.g
	m.nodes = []ir.ID{g.Num([]float64{0, 1, -1, 2, 0.5, math.Inf(1), math.NaN()}[r.IntN(7)]), g.Num(r.NormFloat64())}
	for range 3 {
		m.nodes = append(m.nodes, m.input(shapeList[r.IntN(len(shapeList))]))
	}
	for range 2 + r.IntN(14) {
		m.grow()
	}
	for i := range 1 + r.IntN(3) {
		z := m.nodes[len(m.nodes)-1-min(i*2, len(m.nodes)-1)]
		g.Output(ir.Output{Off: nz, Node: z, Add: r.IntN(4) == 0})
		nz += g.Shape(z).Size()
	}
	return g, nz
}

var special = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 5e-324, -1e-310, 1e300, -1e300, math.Inf(1), math.Inf(-1), math.NaN(), 709.5, -745, 1e-9, 37}

func fill(r *rand.Rand, n int, wild bool) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 1.5 * r.NormFloat64()
		if wild && r.IntN(12) == 0 {
			v[i] = special[r.IntN(len(special))]
		}
	}
	return v
}

// exact are the operations that round nothing.
var exact = map[ir.Op]bool{ir.OpNeg: true, ir.OpAbs: true, ir.OpSign: true, ir.OpFloor: true, ir.OpCeil: true, ir.OpRound: true, ir.OpTrunc: true,
	ir.OpNot: true, ir.OpLt: true, ir.OpLe: true, ir.OpEq: true, ir.OpNe: true, ir.OpAnd: true, ir.OpOr: true, ir.OpMin: true, ir.OpMax: true,
	ir.OpRelu: true, ir.OpSelect: true}

// moved evaluates a graph with the result of each operation moved by up to ulps units in the last place.
func moved(g *ir.Graph, in *ir.Banks, z [][]float64, r *rand.Rand, ulps float64) {
	v := make([][]float64, len(g.Nodes))
	live := g.Live()
	for id := range g.Nodes {
		n := &g.Nodes[id]
		if !live[id] {
			continue
		}
		if n.Op == ir.OpInput {
			p := g.Inputs[n.Ints[0]]
			v[id] = in[p.Bank][p.Off : p.Off+p.Shape.Size()]
			continue
		}
		if n.Op == ir.OpConst {
			v[id] = n.Data
			continue
		}
		args := make([][]float64, len(n.Args))
		for i, a := range n.Args {
			args[i] = v[a]
		}
		v[id] = append([]float64(nil), g.Apply(n, args)...)
		if n.Op == ir.OpSum && n.Shape.IsScalar() { // in some number of parts: where large numbers cancel, that decides
			parts := make([]float64, 1+r.IntN(16))
			for i, x := range args[0] {
				parts[i%len(parts)] += x
			}
			for len(parts) > 1 { // joined in any order
				i := r.IntN(len(parts) - 1)
				last := len(parts) - 1
				parts[i], parts = parts[i]+parts[last], parts[:last]
				r.Shuffle(last, func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			}
			v[id][0] = parts[0]
		}
		if n.Op.Info().Class == ir.Structural || exact[n.Op] {
			continue
		}
		// Sums may be added in another order: what is lost is relative to the terms, not to the sum.
		scale := 0.0
		if c := n.Op.Info().Class; c == ir.Matrix || c == ir.Reducing || n.Op == ir.OpAdd || n.Op == ir.OpSub {
			for _, a := range args {
				most := 0.0
				for _, x := range a {
					if !math.IsInf(x, 0) && !math.IsNaN(x) {
						most = math.Max(most, math.Abs(x))
					}
				}
				if n.Op == ir.OpMatMul && scale > 0 {
					scale *= most
				} else {
					scale = math.Max(scale, most)
				}
			}
			scale = math.Min(scale, 1e307)
		}
		for i, x := range v[id] {
			v[id][i] = x + (2*r.Float64()-1)*(ulps*(0x1p-53*(math.Abs(x)+scale)+5e-324))
		}
	}
	for _, o := range g.Outputs {
		for e, x := range v[o.Node] {
			if o.Add { // results that overlap are added in any order
				y := z[o.Vec][o.Off+e]
				x += y + (2*r.Float64()-1)*ulps*0x1p-53*math.Min(math.Abs(x)+math.Abs(y), 1e300)
			}
			z[o.Vec][o.Off+e] = x
		}
	}
}

func banks(r *rand.Rand, wild bool) *ir.Banks {
	in := &ir.Banks{}
	for b := range in {
		in[b] = fill(r, 1, wild)
	}
	in[ir.BankX], in[ir.BankTheta] = fill(r, bankX, wild), fill(r, bankTheta, wild)
	in[ir.BankDX], in[ir.BankDTheta], in[ir.BankGZ] = fill(r, bankX, false), fill(r, bankTheta, false), fill(r, 6000, false)
	return in
}

// compare runs one graph on every back end.
func compare(t *testing.T, seed uint64, g *ir.Graph, in *ir.Banks, nz []int, r *rand.Rand) {
	t.Helper()
	vecs := func() [][]float64 {
		var v [][]float64
		for _, n := range nz {
			x := make([]float64, n)
			for i := range x {
				x[i] = float64(i%7) / 8
			}
			v = append(v, x)
		}
		return v
	}
	text := func() string {
		var s strings.Builder
		ir.Dump(&s, g)
		return s.String()
	}
	ref, err := code.Compile(g)
	if err != nil {
		t.Fatal(err)
	}
	want, meant := vecs(), vecs()
	ref.New().Run(in, want)
	if err := ir.Interpret(g, in, meant); err != nil {
		t.Fatal(err)
	}
	for v := range meant {
		for i, b := range meant[v] {
			if a := want[v][i]; math.Float64bits(a) != math.Float64bits(b) && (a == a || b == b) {
				t.Fatalf("seed %d: the reference has out%d[%d] = %v, the interpreter %v\n%s", seed, v, i, a, b, text())
			}
		}
	}
	for _, w := range code.Widths() {
		if w < 4 {
			continue
		}
		p, err := code.NativeProgram(g, w)
		if err != nil {
			t.Fatal(err)
		}
		compared++
		got, again := vecs(), vecs()
		p.New().Run(in, got)
		if ok, err := code.Interpreted(p, in, again, w); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text())
		} else if ok {
			generated++
			for v := range got {
				for i := range got[v] {
					if a, b := got[v][i], again[v][i]; math.Float64bits(a) != math.Float64bits(b) && (a == a || b == b) {
						t.Fatalf("seed %d, %d lanes: out%d[%d] = %v, the blocks' interpreter says %v\n%s", seed, w, v, i, a, b, text())
					}
				}
			}
		}
		var lo, hi [][]float64
		mixed := make([][]bool, len(nz))
		for v := range got {
			for i, a := range got[v] {
				b := want[v][i]
				if a == b || a != a && b != b {
					continue
				}
				if lo == nil {
					lo, hi = vecs(), vecs()
					for v := range lo {
						copy(lo[v], want[v])
						copy(hi[v], want[v])
						mixed[v] = make([]bool, nz[v])
					}
					for k := range 36 {
						z := vecs()
						moved(g, in, z, r, float64(8*min(1, k%3))) // without noise too: sums that cancel to nothing
						for v := range z {
							for i, x := range z[v] {
								// Where a hair's breadth decides between a number and none, either is right.
								mixed[v][i] = mixed[v][i] || !(math.Abs(x) < 1e300) || !(math.Abs(want[v][i]) < 1e300)
								lo[v][i], hi[v][i] = math.Min(lo[v][i], x), math.Max(hi[v][i], x)
							}
						}
					}
				}
				room := 2*(hi[v][i]-lo[v][i]) + 0x1p-50*math.Abs(b)
				if !(a >= lo[v][i]-room && a <= hi[v][i]+room) && !mixed[v][i] {
					t.Fatalf("seed %d, %d lanes: out%d[%d] = %v, the reference says %v, between %v and %v\n%s", seed, w, v, i, a, b, lo[v][i], hi[v][i], text())
				}
			}
		}
	}
}

// compared counts the comparisons with generated code at a width, generated those where there was some.
var compared, generated int

func TestBackendsAgree(t *testing.T) {
	if len(code.Widths()) == 0 {
		t.Skip("no generated code here")
	}
	n := *graphs
	if testing.Short() {
		n = 100
	}
	for seed := *first; seed < *first+uint64(n); seed++ {
		r := rand.New(rand.NewPCG(seed, 77))
		g, nz := randomGraph(r)
		if seed%2 == 0 {
			g = opt.Run(g)
		}
		compare(t, seed, g, banks(r, seed%3 == 0), []int{nz}, r)
		if seed%4 == 0 { // and a derivative of it, where there is one
			if d, err := ad.JVP(g); err == nil {
				compare(t, seed, opt.Run(d), banks(r, false), []int{nz}, r)
			}
			h := ir.New()
			to := h.Embed(g)
			for _, o := range g.Outputs {
				o.Node, o.Add = to[o.Node], false
				h.Output(o)
			}
			if d, err := ad.VJP(h); err == nil {
				compare(t, seed, opt.Run(d), banks(r, false), []int{bankX, bankTheta, 1}, r)
			}
		}
	}
	t.Logf("generated code in %d of %d comparisons", generated, compared)
	if generated < compared*8/10 {
		t.Errorf("generated code in %d of %d comparisons only", generated, compared)
	}
}

// TestFound keeps graphs on which back ends once disagreed.
func TestFound(t *testing.T) {
	vector := func(g *ir.Graph, off, n int) ir.ID { return g.Input("x", ir.BankX, off, types.Shape{n}) }
	matrix := func(g *ir.Graph, bank ir.Bank, off, n, m int) ir.ID {
		return g.Input("A", bank, off, types.Shape{n, m})
	}
	down := func(g *ir.Graph, a ir.ID) ir.ID { // a grid moved by a row, clamped
		s := g.Shape(a)
		idx := make([]int, s.Size())
		for i := range idx {
			idx[i] = max(0, i/s[1]-1)*s[1] + i%s[1]
		}
		return g.Gather(a, idx, s)
	}
	for name, build := range map[string]func(g *ir.Graph) ir.ID{
		"an element of a moved grid, repeated": func(g *ir.Graph) ir.ID {
			e := g.Gather(down(g, matrix(g, ir.BankX, 0, 6, 12)), []int{61}, nil)
			return g.Do(ir.OpNot, g.Gather(e, []int{0, 0, 0, 0}, types.Shape{4}))
		},
		"a loop over more vectors than there are registers": func(g *ir.Graph) ir.ID {
			a, b := matrix(g, ir.BankX, 0, 5, 16), matrix(g, ir.BankTheta, 0, 5, 16)
			da, db := matrix(g, ir.BankDX, 0, 5, 16), matrix(g, ir.BankDTheta, 0, 5, 16)
			gz, k := matrix(g, ir.BankGZ, 0, 5, 16), g.Do(ir.OpSin, b)
			return g.Add(g.Add(g.Mul(a, down(g, b)), g.Mul(da, db)), g.Add(g.Mul(gz, k), g.Mul(down(g, da), b)))
		},
		"a number for all lanes beside lanes over rows": func(g *ir.Graph) ir.ID {
			k := g.Do(ir.OpExp, g.Input("k", ir.BankTheta, 900, nil))
			return g.Mul(k, g.Add(down(g, g.Do(ir.OpSin, matrix(g, ir.BankTheta, 0, 6, 12))), matrix(g, ir.BankX, 0, 6, 12)))
		},
		"the row of a transposed factor and the result, of one size": func(g *ir.Graph) ir.ID {
			a := g.Do(ir.OpSin, matrix(g, ir.BankX, 0, 6, 2))
			return g.MatMul(a, g.Do(ir.OpCos, matrix(g, ir.BankX, 20, 6, 3)), true, false)
		},
		"an array times one less the square of a number": func(g *ir.Graph) ir.ID {
			k := g.Input("k", ir.BankTheta, 645, nil)
			return g.Mul(g.Sub(g.Num(1), g.Mul(k, k)), vector(g, 0, 16))
		},
		"a vector times a matrix of one number": func(g *ir.Graph) ir.ID {
			one := g.Gather(g.Input("k", ir.BankX, 300, nil), make([]int, 256), types.Shape{16, 16})
			return g.MatMul(vector(g, 0, 16), one, false, false)
		},
		"a vector times a moved grid": func(g *ir.Graph) ir.ID {
			return g.MatMul(vector(g, 0, 16), down(g, matrix(g, ir.BankX, 20, 16, 16)), false, false)
		},
		"more rows than one call takes": func(g *ir.Graph) ir.ID {
			a := matrix(g, ir.BankX, 0, 600, 600)
			return g.Add(g.Do(ir.OpTanh, down(g, a)), g.Mul(a, down(g, a)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := ir.New()
			z := build(g)
			g.Output(ir.Output{Node: z})
			r := rand.New(rand.NewPCG(1, 2))
			in := banks(r, false)
			in[ir.BankX] = fill(r, 600*600+100, false)
			compare(t, 0, g, in, []int{g.Shape(z).Size()}, r)
		})
	}
}
