package ad_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/ir/irtest"
	"github.com/udl-lang/udl/compiler/opt"
	"github.com/udl-lang/udl/runtime/sparse"
)

// Both whole Jacobians say what directional derivatives say, and z and ∂z/∂t with them.
func TestJacobian(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g, nz := irtest.Graph(rt, irtest.Smooth, false)
		n := max(nz, irtest.NX)
		var rows, cols []int
		for i, list := range ad.Sparsity(g, nz, irtest.NX) {
			for _, j := range list {
				rows, cols = append(rows, i), append(cols, j)
			}
		}
		p, err := sparse.NewPattern(n, rows, cols)
		if err != nil {
			rt.Fatal(err)
		}
		c := sparse.Color(p)
		banks := *irtest.Banks()
		run := func(g *ir.Graph, err error, sizes ...int) [][]float64 {
			if err != nil {
				rt.Fatal(err)
			}
			if err := ir.Verify(g); err != nil {
				rt.Fatal(err)
			}
			q, err := code.Compile(opt.Run(g))
			if err != nil {
				rt.Fatal(err)
			}
			var out [][]float64
			for _, n := range sizes {
				out = append(out, make([]float64, n))
			}
			q.New().Run(&banks, out)
			return out
		}
		flat, _ := opt.Scalars(g, 1<<20)
		entries, err := ad.Entries(flat, p, c)
		e := run(entries, err, nz, p.NNZ(), nz)
		products, err := ad.Products(g, nz, c)
		m := run(products, err, c.Groups()*nz, nz)
		z := run(g, nil, nz)[0]
		jvp, err := ad.JVP(g)
		along := func(dt float64, dx []float64) []float64 {
			banks[ir.BankDT], banks[ir.BankDX], banks[ir.BankDTheta] = []float64{dt}, dx, make([]float64, irtest.NTheta)
			return run(jvp, err, nz)[0]
		}
		same := func(what string, got, want float64) {
			if !(math.Abs(got-want) <= 1e-12*(1+math.Abs(want))) && (got == got || want == want) {
				rt.Fatalf("%s is %v, not %v", what, got, want)
			}
		}
		dt := along(1, make([]float64, irtest.NX))
		for i := range z {
			same("z", e[ad.VecValue][i], z[i])
			same("∂z/∂t of the entries", e[ad.VecTime][i], dt[i])
			same("∂z/∂t of the products", m[1][i], dt[i])
		}
		for j := range irtest.NX {
			dx := make([]float64, irtest.NX)
			dx[j] = 1
			want := along(0, dx)
			list, first := p.Column(j)
			for k, r := range list {
				same("an entry", e[ad.VecEntries][first+k], want[r])
				same("an entry of the products", m[0][c.Group(j)*nz+int(r)], want[r])
			}
		}
	})
}

// What terms say adds up to what directional derivatives say.
func TestTerms(t *testing.T) {
	graphs := 0
	rapid.Check(t, func(rt *rapid.T) {
		g, nz := irtest.Graph(rt, irtest.Smooth, false)
		h, terms, ok, err := ad.Terms(g, irtest.NX)
		if err != nil {
			rt.Fatal(err)
		}
		if !ok {
			return
		}
		graphs++
		size := 0
		for _, l := range terms {
			size += len(l.Cols)
		}
		if err := ir.Verify(h); err != nil {
			rt.Fatal(err)
		}
		run := func(g *ir.Graph, banks *ir.Banks, sizes ...int) [][]float64 {
			p, err := code.Compile(opt.Run(g))
			if err != nil {
				rt.Fatal(err)
			}
			var out [][]float64
			for _, n := range sizes {
				out = append(out, make([]float64, n))
			}
			p.New().Run(banks, out)
			return out
		}
		banks := *irtest.Banks()
		got := run(h, &banks, size, nz)
		jac := make([]float64, nz*irtest.NX)
		for _, l := range terms {
			for i, c := range l.Cols {
				if c >= 0 {
					jac[(l.Row+i)*irtest.NX+int(c)] += got[0][l.Off+i]
				}
			}
		}
		jvp, err := ad.JVP(g)
		if err != nil {
			rt.Fatal(err)
		}
		banks[ir.BankDTheta], banks[ir.BankDX] = make([]float64, irtest.NTheta), make([]float64, irtest.NX)
		same := func(got, want float64) {
			if !(math.Abs(got-want) <= 1e-12*(1+math.Abs(want))) && (got == got || want == want) {
				rt.Fatalf("%v is not %v", got, want)
			}
		}
		for j := range irtest.NX + 1 {
			clear(banks[ir.BankDX])
			banks[ir.BankDT] = []float64{0}
			if j < irtest.NX {
				banks[ir.BankDX][j] = 1
			} else {
				banks[ir.BankDT][0] = 1
			}
			for i, want := range run(jvp, &banks, nz)[0] {
				if j < irtest.NX {
					same(jac[i*irtest.NX+j], want)
				} else {
					same(got[1][i], want)
				}
			}
		}
	})
	if graphs < 10 {
		t.Errorf("only %d graphs have terms", graphs)
	}
}
