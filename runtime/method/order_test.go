package method

import (
	"math"
	"strings"
	"testing"
)

// tree is a rooted tree, its branches in the order in which they were generated.
type tree struct {
	order    int
	density  float64 // γ
	branches []*tree
	id       int
}

// treesTo generates all rooted trees of up to n vertices: J. C. Butcher, Numerical Methods for
// Ordinary Differential Equations, 3rd edition, Wiley 2016, section 301. A tree of order p is a
// root with a multiset of branches of total order p − 1, written with ids that do not increase.
func treesTo(n int) [][]*tree {
	by := make([][]*tree, n+1)
	var all []*tree
	for p := 1; p <= n; p++ {
		var build func(left, maxID int, br []*tree)
		var found []*tree
		build = func(left, maxID int, br []*tree) {
			if left == 0 {
				t := &tree{order: p, density: float64(p), branches: append([]*tree(nil), br...)}
				for _, b := range br {
					t.density *= b.density
				}
				found = append(found, t)
				return
			}
			for id := maxID; id >= 0; id-- {
				if b := all[id]; b.order <= left {
					build(left-b.order, id, append(br, b))
				}
			}
		}
		build(p-1, len(all)-1, nil)
		for _, t := range found {
			t.id = len(all)
			all = append(all, t)
		}
		by[p] = found
	}
	return by
}

func TestTreesAreAllThere(t *testing.T) {
	trees := treesTo(10)
	for p, want := range []int{0, 1, 1, 2, 4, 9, 20, 48, 115, 286, 719} { // OEIS A000081
		if got := len(trees[p]); got != want {
			t.Errorf("%d trees of order %d, want %d", got, p, want)
		}
	}
}

// coupling are the matrices that lead from a stage to its branches: one for a vertex with a single branch, another for one with several. They are the same,
// A, for Runge–Kutta methods; a Rosenbrock method has β = α + γ on single branches and α on several (E. Hairer, G. Wanner, Solving Ordinary Differential
// Equations II, 2nd edition, Springer 1996, section IV.7).
type coupling struct{ single, several [][]float64 }

func (m *RK) coupling() coupling { return coupling{m.A, m.A} }

// weights gives, per stage, the elementary weight of the tree without its last sum over b, and
// beside it the same of the absolute values, which says how much rounding there is.
func (tr *tree) weights(m coupling) (w, size []float64) {
	n := len(m.single)
	w, size = make([]float64, n), make([]float64, n)
	for i := range w {
		w[i], size[i] = 1, 1
	}
	matrix := m.several
	if len(tr.branches) == 1 {
		matrix = m.single
	}
	for _, b := range tr.branches {
		bw, bs := b.weights(m)
		for i, row := range matrix {
			s, a := 0.0, 0.0
			for j, v := range row {
				s += v * bw[j]
				a += math.Abs(v) * bs[j]
			}
			w[i] *= s
			size[i] *= a
		}
	}
	return w, size
}

// defect is Σ b_i w_i − 1/γ, and the rounding that can be expected in it.
func (tr *tree) defect(m coupling, b []float64) (d, round float64) {
	w, size := tr.weights(m)
	d = -1 / tr.density
	round = 1e-15
	for i, v := range b {
		d += v * w[i]
		round += 1e-15 * math.Abs(v) * size[i]
	}
	return d, round
}

// orderOf is the highest order whose conditions and those below b satisfies.
func orderOf(m coupling, b []float64, trees [][]*tree) int {
	for p := 1; p < len(trees); p++ {
		for _, tr := range trees[p] {
			if d, round := tr.defect(m, b); math.Abs(d) > 4*round {
				return p - 1
			}
		}
	}
	return len(trees) - 1
}

func TestOrderConditions(t *testing.T) {
	trees := treesTo(10) // one order beyond the highest, so that no row can claim too little
	for _, m := range All() {
		if got := orderOf(m.coupling(), m.B, trees); got != m.Order {
			t.Errorf("%s: B satisfies the conditions of order %d, want %d", m.Name, got, m.Order)
		}
		if !m.Adaptive() {
			continue
		}
		hat := make([]float64, m.Stages)
		for i := range hat {
			hat[i] = m.B[i] - m.E[i]
		}
		if got := orderOf(m.coupling(), hat, trees); got != m.EOrder {
			t.Errorf("%s: B − E satisfies the conditions of order %d, want %d", m.Name, got, m.EOrder)
		}
	}
}

// denseOrder is the highest order of the continuous extension. One of order q has
// Σ_i b_i(θ) w_i = θ^p/γ for every tree of order p ≤ q, which holds power by power of θ.
func denseOrder(m coupling, dense [][]float64, trees [][]*tree) int {
	deg := 0
	for _, row := range dense {
		deg = max(deg, len(row))
	}
	for p := 1; p < len(trees); p++ {
		for _, tr := range trees[p] {
			for pow := 1; pow <= max(deg, p); pow++ {
				b := make([]float64, len(m.single))
				for i, row := range dense {
					if pow <= len(row) {
						b[i] = row[pow-1]
					}
				}
				d, round := tr.defect(m, b)
				if pow != p {
					d += 1 / tr.density
				}
				if math.Abs(d) > 4*round {
					return p - 1
				}
			}
		}
	}
	return len(trees) - 1
}

func TestDenseOrderConditions(t *testing.T) {
	trees := treesTo(10) // one order beyond the highest, so that no row can claim too little
	for _, m := range All() {
		if got := denseOrder(m.coupling(), m.Dense, trees); got != m.DenseOrder {
			t.Errorf("%s: the continuous extension is of order %d, want %d", m.Name, got, m.DenseOrder)
		}
	}
}

// The interpolant meets the step: b_i(1) = B_i, and C_i is the sum of row i.
func TestConsistency(t *testing.T) {
	for _, m := range All() {
		for i, row := range m.A {
			if len(row) != i {
				t.Errorf("%s: row %d of A has %d entries", m.Name, i, len(row))
			}
			s, size := 0.0, 1.0
			for _, v := range row {
				s += v
				size += math.Abs(v)
			}
			if math.Abs(s-m.C[i]) > 1e-15*size {
				t.Errorf("%s: row %d of A sums to %v, C is %v", m.Name, i, s, m.C[i])
			}
		}
		if len(m.C) != len(m.A) || len(m.Dense) != len(m.A) || len(m.B) != m.Stages {
			t.Errorf("%s: tables of different lengths", m.Name)
		}
		for i, row := range m.Dense {
			s, size, want := 0.0, 1.0, 0.0
			for _, v := range row {
				s += v
				size += math.Abs(v)
			}
			if i < m.Stages {
				want = m.B[i]
			}
			if math.Abs(s-want) > 1e-15*size {
				t.Errorf("%s: b_%d(1) = %v, want %v", m.Name, i, s, want)
			}
		}
		if m.FSAL {
			for j, a := range m.A[m.Stages-1] {
				if a != m.B[j] {
					t.Errorf("%s: said to be FSAL, but its last row differs from B", m.Name)
				}
			}
		}
		if m.EndStage() < 0 {
			t.Errorf("%s: no stage is the derivative at the new point", m.Name)
		}
	}
}

// A wrong digit must not pass: each coefficient is disturbed in turn by 1e-10.
func TestOrderConditionsBite(t *testing.T) {
	trees := treesTo(5)
	m := tsit5
	m.A = make([][]float64, len(tsit5.A))
	for i, row := range tsit5.A {
		m.A[i] = append([]float64(nil), row...)
	}
	for i := 1; i < m.Stages-1; i++ { // the last row is B, which the conditions of B test
		for j := range m.A[i] {
			was := m.A[i][j]
			m.A[i][j] += 1e-10
			if orderOf(m.coupling(), m.B, trees) == 5 {
				t.Errorf("a disturbed A[%d][%d] was not noticed", i, j)
			}
			m.A[i][j] = was
		}
	}
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range All() {
		if m.Doc == "" || m.Cite == "" || m.Name == "" {
			t.Errorf("%s: without doc, citation or name", m.Name)
		}
		if key := strings.ToLower(m.Name); seen[key] {
			t.Errorf("%s: twice in the table", m.Name)
		} else {
			seen[key] = true
		}
		for _, name := range []string{m.Name, strings.ToLower(m.Name), strings.ToUpper(m.Name)} {
			if got, ok := Lookup(name); !ok || got != m {
				t.Errorf("Lookup(%q) = %v, %v", name, got, ok)
			}
		}
	}
	if _, ok := Lookup("Tsit6"); ok {
		t.Error("Lookup finds what is not there")
	}
	All()[0] = nil
	if All()[0] == nil {
		t.Error("a caller can write into the table")
	}
}
