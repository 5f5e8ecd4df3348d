package method

// Rosenbrock is a linearly implicit Runge–Kutta (Rosenbrock–Wanner) method for M·x' = f(t, x) with J = ∂f/∂x at the start of the step, in the form without
// products of matrix and vector:
//
//	(M/(h·Gamma) − J) u_i = f(t + C[i] h, x + Σ_{j<i} A[i][j] u_j) + M Σ_{j<i} (G[i][j]/h) u_j + h·D[i] ∂f/∂t,
//	x1 = x + Σ_i B[i] u_i,  error = Σ_i E[i] u_i.
//
// E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, section IV.7, equations (7.25).
//
// The methods of the table are shared: read them, never write to them.
type Rosenbrock struct {
	Name   string
	Order  int
	Stages int
	Gamma  float64
	A, G   [][]float64 // row i has i entries
	C, D   []float64
	B, E   []float64
	EOrder int
	FSAL   bool // the f of the last stage is f at the new point, from which the next step starts

	// Dense[i][m] are the coefficients of the continuous extension, x(t + θh) = x + Σ_i b_i(θ) u_i with b_i(θ) = Σ_m Dense[i][m] θ^(m+1).
	Dense      [][]float64
	DenseOrder int

	Stability string
	Doc, Cite string
}

// Info implements Method.
func (m *Rosenbrock) Info() Info {
	return Info{Name: m.Name, Family: RosenbrockW, Order: m.Order, Dense: m.DenseOrder, Adaptive: true, Mass: true, Stability: m.Stability, Doc: m.Doc, Cite: m.Cite}
}

// ErrorOrder is k of the step-size control.
func (m *Rosenbrock) ErrorOrder() int { return min(m.Order, m.EOrder) + 1 }

// denseRodas brings the continuous extension of the Rodas methods, published as
//
//	x(t + θh) = (1−θ) x + θ (x1 + (1−θ)(k_1 + θ k_2 + θ² k_3 + …)),  k_l = Σ_i h[l−1][i] u_i,
//
// into the form of Rosenbrock.Dense: b_i(θ) = θ B_i + (θ − θ²) Σ_l h_li θ^(l−1). E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition,
// Springer 1996, section VI.4.
func denseRodas(b []float64, h [][]float64) [][]float64 {
	d := make([][]float64, len(b))
	for i, w := range b {
		row := make([]float64, len(h)+1)
		row[0] = w
		for l, k := range h {
			row[l] += k[i]
			row[l+1] -= k[i]
		}
		d[i] = row
	}
	return d
}
