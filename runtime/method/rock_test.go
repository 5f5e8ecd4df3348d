package method

import (
	"math"
	"testing"
)

var rocks = []*ROCK{&rock2, &rock4}

// tableau is the scheme as an explicit Runge–Kutta method, f at the new point included as the last stage.
func (s *ROCKScheme) tableau() (a [][]float64, b, e []float64) {
	n := s.Stages + 1
	row := func() []float64 { return make([]float64, n) }
	x := [][]float64{row(), row()} // X_j as x + h Σ x[j][i] f_i
	x[1][0] = s.Mu[0]
	for j := 1; j < s.Degree; j++ {
		r := row()
		for i := range r {
			r[i] = (1+s.Kappa[j])*x[j][i] - s.Kappa[j]*x[j-1][i]
		}
		r[j] += s.Mu[j]
		x = append(x, r)
	}
	g := x[s.Degree]
	a = append(a, x[:s.Degree]...)
	sum := func(w []float64) []float64 {
		r := append([]float64(nil), g...)
		for i, v := range w {
			r[s.Degree+i] += v
		}
		return r
	}
	for _, w := range s.A {
		a = append(a, sum(w))
	}
	b = sum(s.B)
	e = row()
	copy(e[s.Degree:], s.E)
	return append(a, b), b, e
}

func TestROCKOrderConditions(t *testing.T) {
	trees := treesTo(5)
	for _, m := range rocks {
		all := m.Schemes()
		for i := range all {
			s := &all[i]
			a, b, e := s.tableau()
			order := func(b []float64) (p int, worst float64) {
				for p = 1; p < len(trees); p++ {
					most := 0.0
					for _, tr := range trees[p] {
						d, _ := tr.defect(coupling{a, a}, b)
						most = math.Max(most, math.Abs(d))
					}
					if most > 1e-14 {
						break
					}
					worst = math.Max(worst, most)
				}
				return p - 1, worst
			}
			got, worst := order(b)
			hat, worstHat := order(minus(b, e))
			t.Logf("%s with %d stages: orders %d, %d, residuals %.1e, %.1e", m.Name, s.Stages, got, hat, worst, worstHat)
			if got != m.Order || hat != m.EOrder {
				t.Errorf("%s with %d stages is of order %d, embedded %d, want %d, %d", m.Name, s.Stages, got, hat, m.Order, m.EOrder)
			}
			// C is the sum of a row.
			for j := range s.Degree {
				c := 0.0
				for _, v := range a[j] {
					c += v
				}
				if math.Abs(c-s.C[j]) > 1e-14 {
					t.Errorf("%s with %d stages: C[%d] = %v, the row sums to %v", m.Name, s.Stages, j, s.C[j], c)
				}
			}
		}
	}
}

// |R(z)| ≤ 1 along the whole interval that is claimed, evaluated as a step does it, and not far beyond.
func TestROCKStability(t *testing.T) {
	for _, m := range rocks {
		all := m.Schemes()
		for i := range all {
			s := &all[i]
			worst, beyond := 0.0, 0.0
			for n := range 20201 {
				r := math.Abs(s.stability(-s.Length * float64(n) / 20000))
				if n <= 20000 {
					worst = math.Max(worst, r)
				} else {
					beyond = math.Max(beyond, r)
				}
			}
			t.Logf("%s with %3d stages: to %8.2f = %.4f s²", m.Name, s.Stages, s.Length, s.Length/float64(s.Stages*s.Stages))
			if worst > 1+1e-12 || beyond < 1 {
				t.Errorf("%s with %d stages: |R| reaches %v before %v, %v soon after", m.Name, s.Stages, worst, s.Length, beyond)
			}
			if i > 0 && s.Length <= all[i-1].Length {
				t.Errorf("%s: %d stages are no more stable than %d", m.Name, s.Stages, all[i-1].Stages)
			}
		}
	}
}

func (s *ROCKScheme) stability(z float64) float64 {
	before, x := 1.0, 1+z*s.Mu[0]
	for j := 1; j < s.Degree; j++ {
		before, x = x, z*s.Mu[j]*x+(1+s.Kappa[j])*x-s.Kappa[j]*before
	}
	k := make([]float64, len(s.B))
	r := x
	for i := range k {
		v := x
		for j, a := range s.A[i] {
			v += a * k[j]
		}
		k[i] = z * v
		r += s.B[i] * k[i]
	}
	return r
}

func TestROCKPick(t *testing.T) {
	for _, m := range rocks {
		if s := m.Pick(0); s == nil || s != &m.Schemes()[0] {
			t.Errorf("%s: Pick(0) is not the first scheme", m.Name)
		}
		if s := m.Pick(m.Longest()); s == nil || m.Pick(1.01*m.Longest()) != nil {
			t.Errorf("%s: Pick does not end at %v", m.Name, m.Longest())
		}
	}
}

// The continuous extension has its order, and keeps what is stiff bounded.
func TestROCKDense(t *testing.T) {
	trees := treesTo(5)
	for _, m := range rocks {
		all := m.Schemes()
		for i := range all {
			s := &all[i]
			a, b, _ := s.tableau()
			rows := make([][]float64, len(b))
			for k := range rows {
				rows[k] = make([]float64, 1+len(s.Dense))
				rows[k][0] = b[k]
				for p, w := range s.Dense {
					for j, v := range w {
						rows[k][0] -= v * a[j+1][k]
						rows[k][p+1] += v * a[j+1][k]
					}
				}
			}
			size := 0.0
			for _, w := range s.Dense {
				for _, v := range w {
					size = math.Max(size, math.Abs(v))
				}
			}
			worst := 0.0
			for q := range m.DenseOrder {
				for _, tr := range trees[q+1] {
					w, _ := tr.weights(coupling{a, a})
					for p := range rows[0] {
						d := 0.0
						if p == q {
							d = -1 / tr.density
						}
						for k := range rows {
							d += rows[k][p] * w[k]
						}
						worst = math.Max(worst, math.Abs(d))
					}
				}
			}
			amplify := s.amplification()
			t.Logf("%s with %3d stages: residual %.1e, weights to %.1f, stiff components to %.2f", m.Name, s.Stages, worst, size, amplify)
			if worst > 1e-13 || amplify > 1.7 {
				t.Errorf("%s with %d stages: the dense output fails its conditions by %.1e and lets stiff components grow by %.2f", m.Name, s.Stages, worst, amplify)
			}
		}
	}
}

// amplification is the largest |x(t + θh)/x| for x' = λx, h λ within the stability interval.
func (s *ROCKScheme) amplification() float64 {
	worst := 0.0
	for n := range 100 {
		z := -s.Length * math.Pow(1e-4, float64(n)/100)
		x := []float64{1, 1 + z*s.Mu[0]}
		for j := 1; j < s.Degree; j++ {
			x = append(x, z*s.Mu[j]*x[j]+(1+s.Kappa[j])*x[j]-s.Kappa[j]*x[j-1])
		}
		g := x[s.Degree]
		for _, row := range append(s.A[1:len(s.A):len(s.A)], s.B) {
			v := g
			for j, a := range row {
				v += a * z * x[s.Degree+j]
			}
			x = append(x, v)
		}
		for k := range 11 {
			theta := float64(k) / 10
			v := 1 + theta*(x[s.Stages]-1)
			for m, w := range s.Dense {
				for j, d := range w {
					v += (math.Pow(theta, float64(m+2)) - theta) * d * (x[j+1] - 1)
				}
			}
			worst = math.Max(worst, math.Abs(v))
		}
	}
	return worst
}
