package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// What a projection solves with: for few constraints C W Cᵀ itself, as a full matrix; for many, each of which most states do not stand in, the sparse matrix
//
//	( I   (RCD)ᵀ )
//	( RCD   0    ),  D² = W, R the reciprocals of the lengths of the rows of C·D,
//
// of the conditions of Kuhn and Tucker for the smallest change: eliminating its first rows gives C W Cᵀ, which fills up where one state stands in many constraints.

// fewConstraints is up to how many C W Cᵀ is made.
const fewConstraints = 12

// gram is the full matrix. Rows of C are transposed products.
type gram struct {
	p   *Projection
	jac []float64 // C, m × n
	a   []float64 // C W Cᵀ, m × m
	lu  *sparse.Dense
}

var _ normal = (*gram)(nil)

func newGram(p *Projection) *gram {
	return &gram{p: p, jac: make([]float64, p.m*p.n), a: make([]float64, p.m*p.m), lu: sparse.NewDense(p.m)}
}

func (g *gram) prepare([]float64) {} // the projection's functions are its own

func (g *gram) linearise(t float64, x, weight []float64) error {
	p := g.p
	ni, n := p.m-len(p.rows), p.n
	clear(g.jac)
	clear(p.gz)
	for k := range ni {
		p.gz[k] = 1
		p.inv.VJP(g.jac[k*n:(k+1)*n], nil, t, x, nil, p.gz[:ni])
		p.gz[k] = 0
	}
	for k, i := range p.rows {
		p.gz[i] = 1
		p.rhs.VJP(g.jac[(ni+k)*n:(ni+k+1)*n], nil, t, x, nil, p.gz[:n])
		p.gz[i] = 0
	}
	for a := range p.m {
		for b := range a + 1 {
			sum := 0.0
			for j, w := range weight {
				sum += g.jac[a*n+j] * w * g.jac[b*n+j]
			}
			g.a[a*p.m+b], g.a[b*p.m+a] = sum, sum
		}
	}
	return g.lu.Factor(g.a)
}

func (g *gram) times(y, v []float64) {
	for k := range y {
		y[k] = 0
		for j, d := range g.jac[k*len(v) : (k+1)*len(v)] {
			y[k] += d * v[j]
		}
	}
}

func (g *gram) back(v, y []float64) {
	clear(v)
	for k, s := range y {
		add(v, s, g.jac[k*len(v):(k+1)*len(v)])
	}
}

func (g *gram) Solve(y []float64) { g.lu.Solve(y) }

// kkt is the sparse matrix.
type kkt struct {
	n, m    int
	inv     *coloured
	invV    []float64       // of the invariants
	jac     system.Jacobian // of f; nil where no row of it is a constraint
	v       []float64       // of f
	entries []entry         // of C
	c       []float64       // their values
	d, r    []float64       // roots of the weights, and R
	a, b    []float64
	unit    []int // where I is in the matrix
	lu      sparse.Solver
}

// entry is one of C.
type entry struct {
	k, j      int
	from      int // among the values of the invariants or, with rhs, of f
	rhs       bool
	low, high int // where it is in the matrix
}

var _ normal = (*kkt)(nil)

// newKKT is nil where there are few constraints, or nobody knows in which of them a state stands.
func newKKT(p *Projection) *kkt {
	sys := p.sys
	ni := p.m - len(p.rows)
	if p.m <= fewConstraints || sys.InvariantsPattern == nil || len(p.rows) > 0 && sys.Pattern == nil {
		return nil
	}
	k := &kkt{n: p.n, m: p.m, inv: newColoured(sys.Invariants, sys.InvariantsPattern), invV: make([]float64, sys.InvariantsPattern.NNZ())}
	for j := range p.n {
		rows, first := sys.InvariantsPattern.Column(j)
		for l, i := range rows {
			k.entries = append(k.entries, entry{k: int(i), j: j, from: first + l})
		}
	}
	if len(p.rows) > 0 {
		at := make([]int, p.n)
		for i := range at {
			at[i] = -1
		}
		for l, i := range p.rows {
			at[i] = ni + l
		}
		if sys.Jacobian != nil {
			k.jac = sys.Jacobian()
		}
		if k.jac == nil {
			k.jac = newColoured(sys.RHS, sys.Pattern)
		}
		k.v = make([]float64, sys.Pattern.NNZ())
		for j := range p.n {
			rows, first := sys.Pattern.Column(j)
			for l, i := range rows {
				if at[i] >= 0 {
					k.entries = append(k.entries, entry{k: at[i], j: j, from: first + l, rhs: true})
				}
			}
		}
	}
	var is, js []int
	for j := range p.n {
		is, js = append(is, j), append(js, j)
	}
	for _, e := range k.entries {
		is, js = append(is, p.n+e.k, e.j), append(js, e.j, p.n+e.k)
	}
	pattern, err := sparse.NewPattern(p.n+p.m, is, js)
	if err != nil {
		return nil
	}
	choice, err := sparse.Choose(pattern)
	if err != nil { // constraints that depend on each other by structure: the other way says so where it happens
		return nil
	}
	for j := range p.n {
		k.unit = append(k.unit, pattern.Index(j, j))
	}
	for l := range k.entries {
		e := &k.entries[l]
		e.low, e.high = pattern.Index(p.n+e.k, e.j), pattern.Index(e.j, p.n+e.k)
	}
	k.c, k.d, k.r = make([]float64, len(k.entries)), make([]float64, p.n), make([]float64, p.m)
	k.a, k.b = make([]float64, pattern.NNZ()), make([]float64, p.n+p.m)
	k.lu = choice.New()
	return k
}

func (k *kkt) prepare(th []float64) {
	k.inv.Prepare(th)
	if k.jac != nil {
		k.jac.Prepare(th)
	}
}

func (k *kkt) linearise(t float64, x, weight []float64) error {
	k.inv.Eval(k.invV, nil, t, x)
	if k.jac != nil {
		k.jac.Eval(k.v, nil, t, x)
	}
	for j, w := range weight {
		k.d[j] = math.Sqrt(w)
	}
	clear(k.r)
	for l := range k.entries {
		e := &k.entries[l]
		if e.rhs {
			k.c[l] = k.v[e.from]
		} else {
			k.c[l] = k.invV[e.from]
		}
		s := k.c[l] * k.d[e.j]
		k.r[e.k] += s * s
	}
	for i, s := range k.r {
		if k.r[i] = 1; s > 0 {
			k.r[i] = 1 / math.Sqrt(s)
		}
	}
	clear(k.a)
	for _, at := range k.unit {
		k.a[at] = 1
	}
	for l := range k.entries {
		e := &k.entries[l]
		v := k.r[e.k] * k.c[l] * k.d[e.j]
		k.a[e.low], k.a[e.high] = v, v
	}
	return k.lu.Factor(k.a) // with pivots of its own: the same point gives the same bits, whatever came before
}

func (k *kkt) times(y, v []float64) {
	clear(y)
	for l := range k.entries {
		e := &k.entries[l]
		y[e.k] += k.c[l] * v[e.j]
	}
}

func (k *kkt) back(v, y []float64) {
	clear(v)
	for l := range k.entries {
		e := &k.entries[l]
		v[e.j] += k.c[l] * y[e.k]
	}
}

func (k *kkt) Solve(y []float64) {
	clear(k.b[:k.n])
	for i, v := range y {
		k.b[k.n+i] = k.r[i] * v
	}
	k.lu.Solve(k.b)
	for i := range y {
		y[i] = -k.r[i] * k.b[k.n+i]
	}
}
