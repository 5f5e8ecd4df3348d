package method

import (
	"math"
	"testing"
)

// A wrong digit of Vern9 must not pass either, neither in a stage of the step nor in one of the
// interpolant.
func TestVern9Bites(t *testing.T) {
	trees := treesTo(9)
	m := vern9
	m.A = make([][]float64, len(vern9.A))
	for i, row := range vern9.A {
		m.A[i] = append([]float64(nil), row...)
	}
	noticed := func(i int) bool {
		switch {
		case i < m.Stages-1:
			return orderOf(m.coupling(), m.B, trees) < 9
		case i == m.Stages-1:
			hat := make([]float64, m.Stages)
			for j := range hat {
				hat[j] = m.B[j] - m.E[j]
			}
			return orderOf(m.coupling(), hat, trees) < 8
		}
		return denseOrder(m.coupling(), m.Dense, trees) < 8
	}
	for i := 1; i < len(m.A); i++ {
		for j, was := range m.A[i] {
			if was == 0 {
				continue
			}
			m.A[i][j] += 1e-9
			if !noticed(i) {
				t.Errorf("a disturbed A[%d][%d] was not noticed", i, j)
			}
			m.A[i][j] = was
		}
	}
}

// What is left for x' = 1 says how far the dense output can be trusted: the weights b_i(θ) are of
// size 1, but powers of θ cancel. The two forms of one interpolant agree as far as that lets them.
func TestDenseRounding(t *testing.T) {
	for _, m := range All() {
		worst, apart := 0.0, 0.0
		for k := range 101 {
			theta, sum := float64(k)/100, 0.0
			for i, row := range m.Dense {
				v := 0.0
				for p := len(row) - 1; p >= 0; p-- {
					v = (v + row[p]) * theta
				}
				if m.DenseMid != nil {
					u := 0.0
					for p := len(m.DenseMid[i]) - 1; p >= 0; p-- {
						u = u*(theta-0.5) + m.DenseMid[i][p]
					}
					apart = math.Max(apart, math.Abs(u-v))
					v = u
				}
				sum += v
			}
			worst = math.Max(worst, math.Abs(sum-theta))
		}
		t.Logf("%-8s %.1e of a step, apart %.1e", m.Name, worst, apart)
		if worst > 4e-13 || apart > 1e-11 {
			t.Errorf("%s: the interpolant loses %.1e of a step to rounding, its forms are %.1e apart", m.Name, worst, apart)
		}
	}
}

// contracts reports whether stages and result are convex combinations of Euler steps of h/r:
// no entry of K (1 + rA)⁻¹ and none of 1 − r K (1 + rA)⁻¹ 1 is negative, K being A with the
// weights below it (Kraaijevanger 1991).
func contracts(m *RK, b []float64, r float64) bool {
	ok := true
	for _, row := range append(m.A[:m.Stages:m.Stages], b) {
		y := make([]float64, m.Stages)
		copy(y, row)
		sum := 0.0
		for j := m.Stages - 1; j >= 0; j-- { // y (1 + rA) = row, from the right
			for i := j + 1; i < m.Stages; i++ {
				y[j] -= r * y[i] * m.A[i][j]
			}
			ok = ok && y[j] >= -1e-15
			sum += y[j]
		}
		ok = ok && r*sum <= 1+1e-15
	}
	return ok
}

func TestStrongStability(t *testing.T) {
	hat := make([]float64, ssprk43.Stages)
	for i := range hat {
		hat[i] = ssprk43.B[i] - ssprk43.E[i]
	}
	for _, b := range [][]float64{ssprk43.B, hat} {
		if !contracts(&ssprk43, b, 2) {
			t.Errorf("SSPRK43 with %v: not contractive at its coefficient 2", b)
		}
		if contracts(&ssprk43, b, 2.001) {
			t.Errorf("SSPRK43 with %v: contractive beyond its coefficient 2", b)
		}
	}
	if contracts(&rk4, rk4.B, 0.01) {
		t.Error("RK4 is said to be contractive, which it is not")
	}
}
