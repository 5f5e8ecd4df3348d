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
