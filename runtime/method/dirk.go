package method

import (
	"math"
	"slices"
)

// DIRK is a diagonally implicit Runge–Kutta method with the same coefficient on the diagonal of all implicit stages; the first stage may be explicit (ESDIRK), and
// an explicit method on the same abscissae may treat a part of the right-hand side (IMEX).
//
//	X_i = x + h Σ_{j≤i} A[i][j] f(t + C[j] h, X_j),  x1 = x + h Σ_i B[i] f_i,  error = h Σ_i E[i] f_i.
//
// Of an IMEX pair, the explicit part has the same C, B, E and Dense: X_i = x + h Σ_{j≤i} A[i][j] f^I_j + h Σ_{j<i} Explicit[i][j] f^E_j.
//
// The methods of the table are shared: read them, never write to them.
type DIRK struct {
	Name     string
	Order    int
	Stages   int
	Gamma    float64
	A        [][]float64 // row i has i+1 entries
	Explicit [][]float64 // row i has i entries: the explicit part of an IMEX pair; nil without one
	C, B     []float64
	E        []float64
	EOrder   int
	// Strict multiplies the error estimate in the step-size control, where it is much below the error that it stands for; 0: it does not.
	Strict float64

	// Predict[i] weighs the stages before i for a guess of the stage value: X_i ≈ x + h Σ_{j<i} Predict[i][j] f_j; empty for an explicit first stage.
	Predict [][]float64

	// Dense is as for RK: x(t + θh) = x + h Σ_i b_i(θ) f_i, b_i(θ) = Σ_m Dense[i][m] θ^(m+1).
	Dense      [][]float64
	DenseOrder int

	Stability string
	Doc, Cite string
}

// Info implements Method.
func (m *DIRK) Info() Info {
	return Info{Name: m.Name, Family: DiagonallyImplicit, Order: m.Order, Dense: m.DenseOrder, Adaptive: true, Mass: true, Stability: m.Stability, Doc: m.Doc, Cite: m.Cite}
}

// ErrorOrder is k of the step-size control.
func (m *DIRK) ErrorOrder() int { return min(m.Order, m.EOrder) + 1 }

// Weight is what the error estimate counts for in the step-size control.
func (m *DIRK) Weight() float64 {
	if m.Strict == 0 {
		return 1
	}
	return m.Strict
}

// FirstExplicit reports whether the first stage needs no solution of equations: X_0 = x.
func (m *DIRK) FirstExplicit() bool { return m.A[0][0] == 0 }

// StifflyAccurate reports whether the last stage is the new point; with an explicit first stage its f is the first f of the next step.
func (m *DIRK) StifflyAccurate() bool { return slices.Equal(m.A[m.Stages-1], m.B) }

// extrapolated gives DIRK.Predict: f_i is taken for what a polynomial through the f of the stages before says, of degree 2 where there are enough of them and the
// weights α stay below 6 in sum of absolute values, else 1 or 0. The guess then is X_i ≈ x + h Σ_j (A_ij + γ α_j) f_j.
func extrapolated(a [][]float64, c []float64, gamma float64) [][]float64 {
	p := make([][]float64, len(a))
	for i := 1; i < len(a); i++ {
		for degree := min(2, i-1); degree >= 0; degree-- {
			sum := 0.0
			p[i] = extrapolate(c[:i], c[i], degree)
			for j, w := range p[i] {
				sum += math.Abs(w)
				p[i][j] = a[i][j] + gamma*w
			}
			if sum < 6 {
				break
			}
		}
	}
	return p
}

// extrapolate gives the weights by which values at c predict that at x exactly for polynomials up to the degree. Of all such weights they have the least sum of
// squares, since extrapolation in a stiff transient blows up whatever it is fed: α = V (VᵀV)⁻¹ e with V_jk = c_j^k, e_k = x^k.
func extrapolate(c []float64, x float64, degree int) []float64 {
	n := degree + 1
	g := make([][]float64, n) // VᵀV with e as last column
	for k := range g {
		g[k] = make([]float64, n+1)
		for l := range n {
			for _, v := range c {
				g[k][l] += math.Pow(v, float64(k+l))
			}
		}
		g[k][n] = math.Pow(x, float64(k))
	}
	for k := range n { // the matrix is positive definite: no pivoting
		for l := k + 1; l < n; l++ {
			r := g[l][k] / g[k][k]
			for q := k; q <= n; q++ {
				g[l][q] -= r * g[k][q]
			}
		}
	}
	for k := n - 1; k >= 0; k-- {
		for l := k + 1; l < n; l++ {
			g[k][n] -= g[k][l] * g[l][n]
		}
		g[k][n] /= g[k][k]
	}
	w := make([]float64, len(c))
	for j, v := range c {
		for k := range n {
			w[j] += math.Pow(v, float64(k)) * g[k][n]
		}
	}
	return w
}
