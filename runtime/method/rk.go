package method

// RK is an explicit Runge–Kutta method with an embedded error estimate and a continuous
// extension. Stages are numbered from 0; stage i is
//
//	k_i = f(t + C[i] h, x + h Σ_{j<i} A[i][j] k_j).
//
// The first Stages stages make the step; further rows of A and C, if any, are extra stages
// that only the continuous extension needs.
//
// The methods of the table are shared: read them, never write to them.
type RK struct {
	Name   string
	Order  int
	Stages int
	A      [][]float64 // row i has i entries
	B, C   []float64
	E      []float64 // weights of the error estimate, B − B̂; nil without one (fixed step only)
	EOrder int       // order of the embedded solution
	FSAL   bool      // the last of Stages is f at the new point

	// Dense[i][m] are the coefficients of the continuous extension,
	// x(t + θh) = x + h Σ_i b_i(θ) k_i with b_i(θ) = Σ_m Dense[i][m] θ^(m+1). An empty row is
	// a stage that takes no part.
	Dense      [][]float64
	DenseOrder int

	// DenseMid, where there is one, gives the same b_i(θ) = Σ_m DenseMid[i][m] (θ−½)^m. It is for
	// high orders, whose powers of θ cancel and lose four digits; these lose one.
	DenseMid [][]float64

	Doc  string // stability, when to use
	Cite string
}

// Adaptive reports whether the method estimates its error, so that a step size can be chosen.
func (m *RK) Adaptive() bool { return m.E != nil }

// EndStage is the stage that is f at the new point, which is the first stage of the next step:
// the last of Stages of an FSAL method, or the extra stage whose row repeats B. It is −1 when
// there is none.
func (m *RK) EndStage() int {
	if m.FSAL {
		return m.Stages - 1
	}
rows:
	for i := m.Stages; i < len(m.A); i++ {
		if m.C[i] != 1 {
			continue
		}
		for j, a := range m.A[i] {
			b := 0.0
			if j < len(m.B) {
				b = m.B[j]
			}
			if a != b {
				continue rows
			}
		}
		return i
	}
	return -1
}

// DenseWeight is Σ_m p[m] θ^(m+1): a row of a continuous extension at θ.
func DenseWeight(p []float64, theta float64) float64 {
	v := 0.0
	for m := len(p) - 1; m >= 0; m-- {
		v = (v + p[m]) * theta
	}
	return v
}
