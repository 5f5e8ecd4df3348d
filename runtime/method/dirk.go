package method

// DIRK is a diagonally implicit Runge–Kutta method with the same coefficient on the diagonal of all implicit stages; the first stage may be explicit (ESDIRK), and
// an explicit method on the same abscissae may treat a part of the right-hand side (IMEX).
//
//	X_i = x + h Σ_{j≤i} A[i][j] f(t + C[j] h, X_j),  x1 = x + h Σ_i B[i] f_i,  error = h Σ_i E[i] f_i.
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

	// Predict[i] weighs the stages before i for a guess of h·f_i's stage value: X_i ≈ x + h Σ_{j<i} Predict[i][j] f_j; nil: the value of the stage before.
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
