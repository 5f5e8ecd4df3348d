package method

import (
	"math"
	"testing"
)

func dirks() (all []*DIRK) {
	for _, m := range Solvers() {
		if r, ok := m.(*DIRK); ok {
			all = append(all, r)
		}
	}
	return all
}

func (m *DIRK) coupling() coupling { return coupling{single: m.A, several: m.A} }

func TestDIRKOrderConditions(t *testing.T) {
	trees := treesTo(6)
	for _, m := range dirks() {
		if got := orderOf(m.coupling(), m.B, trees); got != m.Order {
			t.Errorf("%s: B satisfies the conditions of order %d, want %d", m.Name, got, m.Order)
		}
		if got := orderOf(m.coupling(), minus(m.B, m.E), trees); got != m.EOrder {
			t.Errorf("%s: B − E satisfies the conditions of order %d, want %d", m.Name, got, m.EOrder)
		}
		if got := denseOrder(m.coupling(), m.Dense, trees); got != m.DenseOrder {
			t.Errorf("%s: the continuous extension is of order %d, want %d", m.Name, got, m.DenseOrder)
		}
		if m.Explicit == nil {
			continue
		}
		if got := additiveOrder(m, m.B, trees); got != m.Order {
			t.Errorf("%s: both parts together are of order %d, want %d", m.Name, got, m.Order)
		}
		if got := additiveOrder(m, minus(m.B, m.E), trees); got != m.EOrder {
			t.Errorf("%s: both embedded parts together are of order %d, want %d", m.Name, got, m.EOrder)
		}
		for p := range m.DenseOrder { // power by power, as for one method
			b := make([]float64, m.Stages)
			for i, row := range m.Dense {
				if p < len(row) {
					b[i] = row[p]
				}
			}
			for q := range m.DenseOrder {
				for _, tr := range trees[q+1] {
					for _, w := range tr.coloured(m) {
						d, round := 0.0, 1e-15
						if p == q {
							d = -1 / tr.density
						}
						for i, v := range b {
							d += v * w.w[i]
							round += 1e-15 * math.Abs(v) * w.size[i]
						}
						if math.Abs(d) > 4*round {
							t.Errorf("%s: the continuous extension of both parts fails a condition of order %d by %.1e", m.Name, q+1, d)
						}
					}
				}
			}
		}
	}
}

// weight is what tree.weights returns.
type weight struct{ w, size []float64 }

// coloured gives the weights of the tree for each way to say of every vertex but the root whether it belongs to the implicit or to the explicit part: an edge to
// a vertex of the implicit part has A, one to a vertex of the explicit part Explicit.
//
// C. A. Kennedy, M. H. Carpenter, Applied Numerical Mathematics 44 (2003), section 2.2.
func (tr *tree) coloured(m *DIRK) []weight {
	one := weight{make([]float64, m.Stages), make([]float64, m.Stages)}
	for i := range m.Stages {
		one.w[i], one.size[i] = 1, 1
	}
	all := []weight{one}
	for _, b := range tr.branches {
		var more []weight
		for _, below := range b.coloured(m) {
			for _, matrix := range [][][]float64{m.A, m.Explicit} {
				for _, so := range all {
					x := weight{make([]float64, m.Stages), make([]float64, m.Stages)}
					for i, row := range matrix {
						for j, v := range row {
							x.w[i] += v * below.w[j]
							x.size[i] += math.Abs(v) * below.size[j]
						}
						x.w[i] *= so.w[i]
						x.size[i] *= so.size[i]
					}
					more = append(more, x)
				}
			}
		}
		all = more
	}
	return all
}

// additiveOrder is the order of both parts of an IMEX pair together, all coupling conditions included.
func additiveOrder(m *DIRK, b []float64, trees [][]*tree) int {
	for p := 1; p < len(trees); p++ {
		for _, tr := range trees[p] {
			for _, w := range tr.coloured(m) {
				d, round := -1/tr.density, 1e-15
				for i, v := range b {
					d += v * w.w[i]
					round += 1e-15 * math.Abs(v) * w.size[i]
				}
				if math.Abs(d) > 4*round {
					return p - 1
				}
			}
		}
	}
	return len(trees) - 1
}

func TestDIRKConsistency(t *testing.T) {
	for _, m := range dirks() {
		for i, row := range m.A {
			if len(row) != i+1 || row[i] != m.Gamma && (i > 0 || row[0] != 0) {
				t.Errorf("%s: row %d of A is %v", m.Name, i, row)
			}
			if i > 0 && len(m.Predict[i]) != i {
				t.Errorf("%s: row %d of Predict has %d entries", m.Name, i, len(m.Predict[i]))
			}
			rows := [][]float64{row}
			if m.Explicit != nil {
				rows = append(rows, m.Explicit[i])
			}
			if i > 0 {
				rows = append(rows, m.Predict[i])
			}
			for k, r := range rows {
				s, size := 0.0, 1.0
				for _, v := range r {
					s += v
					size += math.Abs(v)
				}
				if tol := []float64{1e-15, 1e-15, 1e-13}[min(k, len(rows)-1)]; math.Abs(s-m.C[i]) > tol*size {
					t.Errorf("%s: row %d of A, Explicit, Predict number %d sums to %v, C is %v", m.Name, i, k, s, m.C[i])
				}
			}
			s, size := 0.0, 1.0
			for _, v := range m.Dense[i] {
				s += v
				size += math.Abs(v)
			}
			if math.Abs(s-m.B[i]) > 1e-15*size {
				t.Errorf("%s: b_%d(1) = %v, want %v", m.Name, i, s, m.B[i])
			}
		}
		if !m.StifflyAccurate() || !m.FirstExplicit() {
			t.Errorf("%s: stiffly accurate %v, first stage explicit %v", m.Name, m.StifflyAccurate(), m.FirstExplicit())
		}
	}
}

// A guess is exact for f of degree 2 or 1, that is X of degree 3 or 2 where the stage itself is, and does not blow up what it is fed.
func TestDIRKPredictors(t *testing.T) {
	for _, m := range dirks() {
		for i := 1; i < m.Stages; i++ {
			exact := 0
			for k := range min(i, 3) {
				s, want := 0.0, m.Gamma*math.Pow(m.C[i], float64(k))
				for j, p := range m.Predict[i] {
					s += p * math.Pow(m.C[j], float64(k))
					want += m.A[i][j] * math.Pow(m.C[j], float64(k))
				}
				if math.Abs(s-want) > 1e-12 {
					break
				}
				exact++
			}
			amplify := 0.0
			for j, p := range m.Predict[i] {
				amplify += math.Abs(p-m.A[i][j]) / m.Gamma
			}
			t.Logf("%s stage %d: degree %d, weights sum to %.2f in absolute value", m.Name, i, exact-1, amplify)
			if exact < min(i, 2) || amplify > 6 {
				t.Errorf("%s: the guess of stage %d is exact to degree %d, its weights sum to %.2f in absolute value", m.Name, i, exact-1, amplify)
			}
		}
	}
}

// stability is R(z) for weights b: a stage's value from x' = λx, z = hλ.
func (m *DIRK) stability(b []float64, z complex128) complex128 {
	x := make([]complex128, m.Stages)
	r := complex(1, 0)
	for i, row := range m.A {
		x[i] = 1
		for j := range i {
			x[i] += z * complex(row[j], 0) * x[j]
		}
		x[i] /= 1 - z*complex(row[i], 0)
		r += z * complex(b[i], 0) * x[i]
	}
	return r
}

// The poles are at 1/γ, so |R(iy)| ≤ 1 is A-stability; at ∞ the last stage's value, which is R, is −Σ_j A_ij X_j/γ.
func TestDIRKStability(t *testing.T) {
	for _, m := range dirks() {
		worst := 0.0
		for k := range 3000 {
			r := m.stability(m.B, complex(0, 1e-3*math.Pow(10, float64(k)/500)))
			worst = math.Max(worst, math.Hypot(real(r), imag(r)))
		}
		x := make([]float64, m.Stages)
		x[0] = 1
		for i := 1; i < m.Stages; i++ {
			for j := range i {
				x[i] -= m.A[i][j] * x[j] / m.Gamma
			}
		}
		t.Logf("%-9s max |R(iy)| = 1 + %.1e, R(∞) = %.1e", m.Name, worst-1, x[m.Stages-1])
		if worst > 1+1e-11 {
			t.Errorf("%s: |R(iy)| reaches 1 + %.1e", m.Name, worst-1)
		}
		if math.Abs(x[m.Stages-1]) > 1e-13 {
			t.Errorf("%s: R(∞) = %v", m.Name, x[m.Stages-1])
		}
	}
}
