// Package random makes blocks and inputs for tests: any operation on any operands, with values that make trouble.
package random

import (
	"math"
	"math/rand/v2"

	"github.com/udl-lang/udl/compiler/code/native/block"
)

// The bases of a random block: inputs by lanes, in both layouts, broadcast inputs, outputs, and one that is read and written in place.
const (
	Blocked = iota
	Flat
	Shared
	Out
	InPlace
	Bases
)

// Sizes of the bases.
const (
	rows   = 6
	outs   = 8
	shared = 20
	// MaxGroups is the number of groups that Data has room for.
	MaxGroups = 4
)

// Special are the values that make trouble.
var Special = []float64{
	0, math.Copysign(0, -1), 1, -1, math.Inf(1), math.Inf(-1), math.NaN(), math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 0x1p-1022, 0x1.fffffffffffffp-1023,
	math.MaxFloat64, -math.MaxFloat64, 0.5, 2, 1.5, -2.5, 0x1p52, 0x1p53 + 2, 1e300, 1e-300, math.Pi,
}

// Number is a float64, special every fourth time and of any size.
func Number(r *rand.Rand) float64 {
	switch r.IntN(4) {
	case 0:
		return Special[r.IntN(len(Special))]
	case 1:
		return math.Float64frombits(r.Uint64())
	}
	return r.NormFloat64() * math.Ldexp(1, r.IntN(12)-6)
}

// Data are inputs for the bases of a block, for MaxGroups groups of w lanes.
func Data(r *rand.Rand, w int) [][]float64 {
	d := make([][]float64, Bases)
	for i, n := range [Bases]int{rows * w * MaxGroups, rows + w*MaxGroups, shared, outs * w * MaxGroups, rows * w * MaxGroups} {
		d[i] = make([]float64, n)
		for k := range d[i] {
			d[i][k] = Number(r)
		}
	}
	return d
}

var tables = [][]float64{
	{1, -2, math.Inf(1), 0.25},
	{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3},
}

// gen is a block under construction with the values made so far.
type gen struct {
	*block.Builder
	r      *rand.Rand
	floats []block.Value
	masks  []block.Value
	cold   bool
}

// Block makes a block of about size operations.
func Block(r *rand.Rand, size int) (*block.Block, error) {
	g := &gen{r: r, Builder: block.NewBuilder(block.Layout{Rows: rows}, block.Layout{}, block.Layout{}, block.Layout{Rows: outs}, block.Layout{Rows: rows})}
	for range 1 + r.IntN(rows) {
		g.floats = append(g.floats, g.leaf())
	}
	g.ops(size)
	for i := range outs {
		if i == 0 || r.IntN(3) == 0 {
			g.Store(Out, i, g.float())
		}
	}
	for i := range rows {
		if r.IntN(4) == 0 {
			g.Store(InPlace, i, g.float())
			if r.IntN(2) == 0 {
				g.floats = append(g.floats, g.Load(InPlace, r.IntN(rows)))
				g.ops(3)
			}
		}
	}
	g.Store(Out, r.IntN(outs), g.float())
	return g.Done()
}

func (g *gen) ops(n int) {
	for range n {
		if g.r.IntN(6) == 0 {
			g.masks = append(g.masks, g.mask())
		} else {
			g.floats = append(g.floats, g.op())
		}
	}
}

func (g *gen) leaf() block.Value {
	switch g.r.IntN(6) {
	case 0:
		return g.Const(Number(g.r))
	case 1:
		return g.Load(Flat, g.r.IntN(rows))
	case 2:
		return g.LoadBroadcast(Shared, g.r.IntN(shared))
	case 3:
		return g.Load(InPlace, g.r.IntN(rows))
	}
	return g.Load(Blocked, g.r.IntN(rows))
}

// float is a value made before; the last ones more often, sometimes a new leaf.
func (g *gen) float() block.Value {
	n := len(g.floats)
	switch g.r.IntN(8) {
	case 0:
		return g.leaf()
	case 1, 2, 3:
		return g.floats[n-1-g.r.IntN(min(n, 4))]
	}
	return g.floats[g.r.IntN(n)]
}

// pure is a value whose bits are the same everywhere: one that is not NaN.
func (g *gen) pure() block.Value {
	x := g.float()
	return g.Select(g.IsNaN(x), g.Const(1.25), x)
}

func (g *gen) someMask() block.Value {
	if len(g.masks) == 0 {
		return g.Cmp(block.Pred(g.r.IntN(8)), g.float(), g.float())
	}
	return g.masks[g.r.IntN(len(g.masks))]
}

func (g *gen) mask() block.Value {
	switch g.r.IntN(8) {
	case 0:
		return g.MaskAnd(g.someMask(), g.someMask())
	case 1:
		return g.MaskOr(g.someMask(), g.someMask())
	case 2:
		return g.MaskXor(g.someMask(), g.someMask())
	case 3:
		return g.MaskAndNot(g.someMask(), g.someMask())
	case 4:
		return g.MaskNot(g.someMask())
	}
	return g.Cmp(block.Pred(g.r.IntN(8)), g.float(), g.float())
}

func (g *gen) op() block.Value {
	switch g.r.IntN(28) {
	case 0, 1:
		return g.Add(g.float(), g.float())
	case 2:
		return g.Sub(g.float(), g.float())
	case 3, 4:
		return g.Mul(g.float(), g.float())
	case 5:
		return g.Div(g.float(), g.float())
	case 6:
		return g.Min(g.float(), g.float())
	case 7:
		return g.Max(g.float(), g.float())
	case 8, 9, 10:
		return g.FMA(g.float(), g.float(), g.float())
	case 11:
		return g.FMS(g.float(), g.float(), g.float())
	case 12:
		return g.FNMA(g.float(), g.float(), g.float())
	case 13:
		return g.FMS(g.Neg(g.float()), g.float(), g.float())
	case 14:
		return g.Neg(g.float())
	case 15:
		return g.Abs(g.float())
	case 16:
		return g.Sqrt(g.float())
	case 17:
		return g.Round(g.float(), block.ToEven+uint8(g.r.IntN(4)))
	case 18:
		return g.And(g.pure(), g.pure())
	case 19:
		return g.AndNot(g.pure(), g.pure())
	case 20:
		return g.Or(g.pure(), g.pure())
	case 21:
		return g.Xor(g.pure(), g.pure())
	case 22:
		return g.AddQ(g.pure(), g.pure())
	case 23:
		return g.SubQ(g.pure(), g.pure())
	case 24:
		return g.ShiftLeft(g.pure(), uint8(g.r.IntN(64)))
	case 25:
		return g.ShiftRight(g.pure(), uint8(g.r.IntN(64)))
	case 26:
		return g.Table(tables[g.r.IntN(len(tables))], g.pure())
	}
	if g.cold || g.r.IntN(3) > 0 {
		return g.Select(g.someMask(), g.float(), g.float())
	}
	m, usual := g.someMask(), g.float()
	return g.Cold(m, usual, func() block.Value {
		floats, masks := len(g.floats), len(g.masks)
		g.cold = true
		g.ops(1 + g.r.IntN(12))
		out := g.float()
		g.cold = false
		g.floats, g.masks = g.floats[:floats], g.masks[:masks]
		return out
	})
}

// Same reports whether two results are the same number to the bit, where all NaN are one.
func Same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}
