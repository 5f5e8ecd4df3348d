package method

import (
	"math"
	"testing"
)

func rosenbrocks() (all []*Rosenbrock) {
	for _, m := range Solvers() {
		if r, ok := m.(*Rosenbrock); ok {
			all = append(all, r)
		}
	}
	return all
}

// classical brings a row into the classical form: α, γ and the weights b, ê, b(θ) of k_i, where u_i = h Σ_j γ_ij k_j: Γ⁻¹ = diag(1/γ) − G.
func (m *Rosenbrock) classical() (alpha, gamma [][]float64) {
	n := m.Stages
	gamma = make([][]float64, n)
	for i := range gamma { // Γ by substitution in (diag(1/γ) − G) Γ = 1
		gamma[i] = make([]float64, n)
		gamma[i][i] = m.Gamma
		for j := range i {
			for k := j; k < i; k++ {
				gamma[i][j] += m.Gamma * m.G[i][k] * gamma[k][j]
			}
		}
	}
	// α Γ⁻¹ = A, that is α = A Γ.
	alpha = make([][]float64, n)
	for i := range alpha {
		alpha[i] = times(m.A[i], gamma)
	}
	return alpha, gamma
}

// times is the row vector w with the matrix m.
func times(w []float64, m [][]float64) []float64 {
	r := make([]float64, len(m))
	for k, v := range w {
		for j, g := range m[k] {
			r[j] += v * g
		}
	}
	return r
}

func (m *Rosenbrock) coupling() coupling {
	alpha, gamma := m.classical()
	beta := make([][]float64, m.Stages)
	for i := range beta {
		beta[i] = make([]float64, m.Stages)
		for j := range beta[i] {
			beta[i][j] = alpha[i][j] + gamma[i][j]
		}
	}
	return coupling{single: beta, several: alpha}
}

func minus(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return d
}

func TestRosenbrockOrderConditions(t *testing.T) {
	trees := treesTo(6)
	for _, m := range rosenbrocks() {
		_, gamma := m.classical()
		c := m.coupling()
		if got := orderOf(c, times(m.B, gamma), trees); got != m.Order {
			t.Errorf("%s: B satisfies the conditions of order %d, want %d", m.Name, got, m.Order)
		}
		if got := orderOf(c, times(minus(m.B, m.E), gamma), trees); got != m.EOrder {
			t.Errorf("%s: B − E satisfies the conditions of order %d, want %d", m.Name, got, m.EOrder)
		}
		// b(θ) of the k_i, power by power.
		dense := make([][]float64, m.Stages)
		for p := range m.Stages + 1 {
			b := make([]float64, m.Stages)
			for i, row := range m.Dense {
				if p < len(row) {
					b[i] = row[p]
				}
			}
			for i, v := range times(b, gamma) {
				dense[i] = append(dense[i], v)
			}
		}
		if got := denseOrder(c, dense, trees); got != m.DenseOrder {
			t.Errorf("%s: the continuous extension is of order %d, want %d", m.Name, got, m.DenseOrder)
		}
	}
}

// D = Γ1 and C = α1, which are (1/γ − G) D = 1 and C = A D; the tables have their lengths, the interpolant meets the step.
func TestRosenbrockConsistency(t *testing.T) {
	for _, m := range rosenbrocks() {
		for i := range m.Stages {
			if len(m.A[i]) != i || len(m.G[i]) != i {
				t.Errorf("%s: row %d has %d and %d entries", m.Name, i, len(m.A[i]), len(m.G[i]))
			}
			d, dsize := m.D[i]/m.Gamma-1, math.Abs(m.D[i]/m.Gamma)+1
			c, csize := -m.C[i], 1.0
			for j := range i {
				d -= m.G[i][j] * m.D[j]
				dsize += math.Abs(m.G[i][j] * m.D[j])
				c += m.A[i][j] * m.D[j]
				csize += math.Abs(m.A[i][j] * m.D[j])
			}
			if math.Abs(d) > 1e-15*dsize {
				t.Errorf("%s: D[%d] differs from Σ γ_ij: the residual is %.1e", m.Name, i, d)
			}
			if math.Abs(c) > 1e-15*csize {
				t.Errorf("%s: C[%d] differs from Σ α_ij by %.1e", m.Name, i, c)
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
		if len(m.A) != m.Stages || len(m.G) != m.Stages || len(m.C) != m.Stages || len(m.D) != m.Stages || len(m.B) != m.Stages ||
			len(m.E) != m.Stages || len(m.Dense) != m.Stages {
			t.Errorf("%s: tables of different lengths", m.Name)
		}
		same := m.C[m.Stages-1] == 1 && m.B[m.Stages-1] == 0
		for j, a := range m.A[m.Stages-1] {
			same = same && a == m.B[j]
		}
		if same != m.FSAL {
			t.Errorf("%s: FSAL is %v, the last stage is at the new point: %v", m.Name, m.FSAL, same)
		}
	}
}

// stability is R(z) = 1 + Σ B_i u_i of weights b for x' = λx, z = hλ; at = ∞ it is the limit.
func (m *Rosenbrock) stability(b []float64, z complex128, infinite bool) complex128 {
	u := make([]complex128, m.Stages)
	r := complex(1, 0)
	for i := range u {
		x, g := complex(1, 0), complex(0, 0)
		for j := range i {
			x += complex(m.A[i][j], 0) * u[j]
			g += complex(m.G[i][j], 0) * u[j]
		}
		if infinite {
			u[i] = -x
		} else {
			u[i] = (z*x + g) / (complex(1/m.Gamma, 0) - z)
		}
		r += complex(b[i], 0) * u[i]
	}
	return r
}

// A-stability is |R(iy)| ≤ 1, since the only pole is at 1/γ; L-stability is R(∞) = 0 in addition.
func TestRosenbrockStability(t *testing.T) {
	for _, m := range rosenbrocks() {
		worst := 0.0
		for k := range 4000 {
			y := 1e-3 * math.Pow(10, float64(k)/500)
			r := m.stability(m.B, complex(0, y), false)
			worst = math.Max(worst, math.Hypot(real(r), imag(r)))
		}
		inf, hat := real(m.stability(m.B, 0, true)), real(m.stability(minus(m.B, m.E), 0, true))
		t.Logf("%-13s max |R(iy)| = 1 + %.1e, R(∞) = %.1e, of the embedded %.3g", m.Name, worst-1, inf, hat)
		if worst > 1+1e-13 {
			t.Errorf("%s: |R(iy)| reaches %v", m.Name, worst)
		}
		if math.Abs(inf) > 1e-13 {
			t.Errorf("%s: R(∞) = %v", m.Name, inf)
		}
		accurate := m.B[m.Stages-1] == 1 && m.C[m.Stages-1] == 1
		for j, a := range m.A[m.Stages-1] {
			accurate = accurate && a == m.B[j]
		}
		if claimed := m.Stability == "L-stable, stiffly accurate"; claimed != accurate {
			t.Errorf("%s is said to be %q; stiffly accurate: %v", m.Name, m.Stability, accurate)
		}
	}
}

// step is one step for y' = y cos t (z − y² − sin 2t), 0 = z³ − w³ with w = 1 + y² + sin 2t, whose solution is y = e^(sin t), z = w: a differential-algebraic
// equation of index 1 that is nonlinear in everything and not autonomous.
func (m *Rosenbrock) step(t, h float64, x [2]float64) [2]float64 {
	f := func(t float64, x [2]float64) [2]float64 {
		w := 1 + x[0]*x[0] + math.Sin(2*t)
		return [2]float64{x[0] * math.Cos(t) * (x[1] - w + 1), x[1]*x[1]*x[1] - w*w*w}
	}
	y, z := x[0], x[1]
	sin, cos := math.Sincos(t)
	w := 1 + y*y + math.Sin(2*t)
	j := [2][2]float64{{cos*(z-w+1) - 2*y*y*cos, y * cos}, {-6 * w * w * y, 3 * z * z}}
	dt := [2]float64{-y*sin*(z-w+1) - 2*y*cos*math.Cos(2*t), -6 * w * w * math.Cos(2*t)}
	a, b, c, d := 1/(h*m.Gamma)-j[0][0], -j[0][1], -j[1][0], -j[1][1]
	u := make([][2]float64, m.Stages)
	end := x
	for i := range u {
		at, g := x, 0.0
		for k := range i {
			for q := range at {
				at[q] += m.A[i][k] * u[k][q]
			}
			g += m.G[i][k] / h * u[k][0] // M is diag(1, 0)
		}
		r := f(t+m.C[i]*h, at)
		p, q := r[0]+g+h*m.D[i]*dt[0], r[1]+h*m.D[i]*dt[1]
		u[i] = [2]float64{(d*p - b*q) / (a*d - b*c), (a*q - c*p) / (a*d - b*c)}
		for q := range end {
			end[q] += m.B[i] * u[i][q]
		}
	}
	return end
}

// The order on an equation of index 1 is that of the method in both kinds of variables.
func TestRosenbrockAlgebraic(t *testing.T) {
	exact := func(t float64) [2]float64 {
		y := math.Exp(math.Sin(t))
		return [2]float64{y, 1 + y*y + math.Sin(2*t)}
	}
	for _, m := range rosenbrocks() {
		var err [2][2]float64
		for k, n := range [2]int{150, 450} {
			h, x := 1.5/float64(n), exact(0)
			for i := range n {
				x = m.step(float64(i)*h, h, x)
			}
			want := exact(1.5)
			for q := range x {
				err[q][k] = math.Abs(x[q] - want[q])
			}
		}
		for q, name := range []string{"differential", "algebraic"} {
			order := math.Log(err[q][0]/err[q][1]) / math.Log(3)
			t.Logf("%-13s %s variable: %.1e, %.1e, order %.2f", m.Name, name, err[q][0], err[q][1], order)
			if math.Abs(order-float64(m.Order)) > 0.2 {
				t.Errorf("%s: order %.2f in the %s variable, want %d", m.Name, order, name, m.Order)
			}
		}
	}
}

// A wrong digit must not pass: each coefficient of Rodas5P is disturbed in turn.
func TestRosenbrockBites(t *testing.T) {
	trees := treesTo(5)
	m := rodas5p
	fails := func() bool {
		_, gamma := m.classical()
		return orderOf(m.coupling(), times(m.B, gamma), trees) < 5 || orderOf(m.coupling(), times(minus(m.B, m.E), gamma), trees) < 4
	}
	for _, table := range []*[][]float64{&m.A, &m.G} {
		sound := *table
		*table = nil
		for _, row := range sound {
			*table = append(*table, append([]float64(nil), row...))
		}
		for i, row := range *table {
			for j, was := range row {
				row[j] += 1e-9 * math.Max(1, math.Abs(was))
				if !fails() {
					t.Errorf("a disturbed coefficient (%d, %d) was not noticed", i, j)
				}
				row[j] = was
			}
		}
		*table = sound
	}
	if fails() {
		t.Error("the sound row fails")
	}
}
