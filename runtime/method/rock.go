package method

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

// ROCK is a family of explicit methods of one order and ever more stages, whose stability intervals along the negative real axis grow with the square of the
// number of stages.
type ROCK struct {
	Name          string
	Order, EOrder int
	DenseOrder    int // of the continuous extension

	schemes func() []ROCKScheme

	Doc, Cite string
}

// ROCKScheme is a method of the family. It begins with Degree stages by a three-term recurrence,
//
//	X_0 = x,  X_1 = x + h Mu[0] f(t, x),  X_j = h Mu[j−1] f(t + C[j−1] h, X_{j−1}) + (1 + Kappa[j−1]) X_{j−1} − Kappa[j−1] X_{j−2},  X_j at t + C[j] h,
//
// and ends with an explicit Runge–Kutta method that starts from X_Degree =: g, its abscissae counted from C[Degree]:
//
//	k_i = f(t + (C[Degree] + c_i) h, g + h Σ_{j<i} A[i][j] k_j), c_i = Σ_j A[i][j],  x1 = g + h Σ_i B[i] k_i,  error = h Σ_i E[i] k_i,
//
// where E may have one entry more than B, for f at the new point. The schemes of the table are shared: read them, never write to them.
type ROCKScheme struct {
	Degree int
	Stages int // Degree and the stages of the end
	// Length is that of the stability interval: h ρ ≤ Length, ρ being the spectral radius of ∂f/∂x. It is measured on the figures; the rules of
	// thumb of the original codes, 0.811 s² − 1.5 and 0.353 s² − 3 for s stages, overstate it by up to 0.5 %.
	Length          float64
	C               []float64
	Mu, Kappa, B, E []float64
	A               [][]float64
	// Dense has the weights of the continuous extension, of θ² first, then of θ³ if it is a cubic: with X_1, X_2, … the points where f is taken, one after the
	// other, and x1 the last, Stages together,
	//
	//	x(t + θh) = x + θ (x1 − x) + Σ_m (θ^(m+2) − θ) Σ_j Dense[m][j] (X_{j+1} − x).
	Dense [][]float64
}

// Info implements Method.
func (m *ROCK) Info() Info {
	return Info{Name: m.Name, Family: Stabilised, Order: m.Order, Dense: m.DenseOrder, Adaptive: true,
		Stability: "explicit, stable along the negative real axis", Doc: m.Doc, Cite: m.Cite}
}

// ErrorOrder is k of the step-size control.
func (m *ROCK) ErrorOrder() int { return min(m.Order, m.EOrder) + 1 }

// Schemes lists the methods of the family by their number of stages. The slice is shared.
func (m *ROCK) Schemes() []ROCKScheme { return m.schemes() }

// Pick is the scheme with the fewest stages that is stable for h ρ; nil when the step is too long for all of them.
func (m *ROCK) Pick(hrho float64) *ROCKScheme {
	all := m.schemes()
	for i := range all {
		if hrho <= all[i].Length {
			return &all[i]
		}
	}
	return nil
}

// Longest is the largest h ρ for which there is a stable scheme.
func (m *ROCK) Longest() float64 {
	all := m.schemes()
	return all[len(all)-1].Length
}

//go:embed rock2.txt
var rock2Figures string

//go:embed rock4.txt
var rock4Figures string

// rock2 is the family of order 2 of Abdulle and Medovikov. Of the finishing procedure g_1 = g + fp1 k_1, x1 = g_1 + fp1 k_2 + fp2 (k_2 − k_1) the last summand
// is the error estimate.
//
// A. Abdulle, A. A. Medovikov, Second order Chebyshev methods based on orthogonal polynomials, Numerische Mathematik 90 (2001), 1–18.
var rock2 = ROCK{
	Name: "ROCK2", Order: 2, EOrder: 1, DenseOrder: 2,
	schemes: sync.OnceValue(func() []ROCKScheme {
		return rockSchemes(rock2Figures, 2, func(s *ROCKScheme, fp []float64) {
			s.A = [][]float64{{}, {fp[0]}}
			s.B = []float64{fp[0] - fp[1], fp[0] + fp[1]}
			s.E = []float64{-fp[1], fp[1]}
		})
	}),
	Doc: "Explicit, of order 2 with up to 200 stages: large systems with eigenvalues near the negative real axis, such as discretised diffusion, at tolerances from " +
		"1e-2 to 1e-5, without any linear algebra.",
	Cite: "Abdulle, Medovikov, Numerische Mathematik 90 (2001) 1–18",
}

// rock4 is the family of order 4 of Abdulle, with embedded methods of order 3. The schemes of 133 and 152 stages are not among them: their |R(z)| exceeds 1 near z = −8.4.
//
// A. Abdulle, Fourth order Chebyshev methods with recurrence relation, SIAM Journal on Scientific Computing 23 (2002), 2041–2054.
var rock4 = ROCK{
	Name: "ROCK4", Order: 4, EOrder: 3, DenseOrder: 3,
	schemes: sync.OnceValue(func() []ROCKScheme {
		return rockSchemes(rock4Figures, 3, func(s *ROCKScheme, fp []float64) {
			s.A = [][]float64{{}, fp[:1], fp[1:3], fp[3:6]}
			s.B = fp[6:10]
			for i, hat := range fp[10:] {
				e := -hat
				if i < len(s.B) {
					e += s.B[i]
				}
				s.E = append(s.E, e)
			}
		})
	}),
	Doc: "Explicit, of order 4 with up to 142 stages: as ROCK2, at tolerances from 1e-4 to 1e-8; h times the spectral radius should stay below some thousand, since " +
		"rounding grows with its fourth power.",
	Cite: "Abdulle, SIAM Journal on Scientific Computing 23 (2002) 2041–2054",
}

// rockSchemes reads figures: three lines for each degree, after comments; dense is the order of the continuous extension. finish makes the end of a scheme from the second one. The figures are part of the
// program and read by the tests.
func rockSchemes(figures string, dense int, finish func(*ROCKScheme, []float64)) []ROCKScheme {
	var lines [][]float64
	for line := range strings.Lines(figures) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var row []float64
		for _, f := range strings.Fields(line) {
			v, _ := strconv.ParseFloat(f, 64)
			row = append(row, v)
		}
		lines = append(lines, row)
	}
	var all []ROCKScheme
	for ; len(lines) >= 3; lines = lines[3:] {
		s := ROCKScheme{Degree: int(lines[0][0]), Length: lines[0][1], C: []float64{0}}
		for j := range s.Degree {
			mu, kappa := lines[2][max(0, 2*j-1)], 0.0
			c := mu
			if j > 0 {
				kappa = lines[2][2*j]
				c += (1+kappa)*s.C[j] - kappa*s.C[j-1]
			}
			s.Mu, s.Kappa, s.C = append(s.Mu, mu), append(s.Kappa, kappa), append(s.C, c)
		}
		finish(&s, lines[1])
		s.Stages = s.Degree + len(s.B)
		s.Dense = rockDense(&s, dense)
		all = append(all, s)
	}
	return all
}

// rockDense makes the continuous extension of an order, 2 or 3. The papers give none, and Hermite's interpolation fails where it is needed most: h f at the ends
// multiplies what a step leaves of stiff components by up to h ρ. So it is made of the values X_j, which the method keeps bounded. With b_i(θ) the weights of f_i, the
// conditions of order 3, Σ b_i = θ, Σ b_i c_i = θ²/2, Σ b_i c_i² = θ³/3 and Σ_ij b_i a_ij c_j = θ³/6, are linear in the weights of the X_j; of all solutions those of the
// least sum of squares are taken. Stiff components then grow by no more than 1.6 within a step.
func rockDense(s *ROCKScheme, order int) [][]float64 {
	n := 2
	if order == 3 {
		n = 4
	}
	// What each value has of the four sums, as if f were 1, c, c² and Σ a c at its point.
	type sums [4]float64
	at := func(x sums) sums { return sums{1, x[0], x[0] * x[0], x[1]} }
	plus := func(x sums, a float64, f sums) sums {
		for k := range x {
			x[k] += a * f[k]
		}
		return x
	}
	x := []sums{{}, plus(sums{}, s.Mu[0], at(sums{}))}
	for j := 1; j < s.Degree; j++ {
		v := plus(sums{}, s.Mu[j], at(x[j]))
		v = plus(v, 1+s.Kappa[j], x[j])
		x = append(x, plus(v, -s.Kappa[j], x[j-1]))
	}
	g := x[s.Degree]
	k := []sums{at(g)}
	for i, row := range append(s.A[1:len(s.A):len(s.A)], s.B) {
		v := g
		for j, a := range row {
			v = plus(v, a, k[j])
		}
		x = append(x, v)
		if i < len(s.A)-1 {
			k = append(k, at(v))
		}
	}
	x = x[1:]
	gram := make([][]float64, n)
	for p := range gram {
		gram[p] = make([]float64, n)
		for q := range n {
			for _, v := range x {
				gram[p][q] += v[p] * v[q]
			}
		}
	}
	var dense [][]float64
	for _, want := range [][]float64{{0, 0.5, 0, 0}, {0, 0, 1. / 3, 1. / 6}}[:order-1] {
		w := make([]float64, len(x))
		left := append([]float64(nil), want[:n]...)
		for range 3 { // what one solution leaves, the next one mends
			y := solvePositive(gram, left)
			copy(left, want)
			for j, v := range x {
				for p := range n {
					w[j] += v[p] * y[p]
				}
				for p := range n {
					left[p] -= v[p] * w[j]
				}
			}
		}
		dense = append(dense, w)
	}
	return dense
}

// solvePositive solves a·x = b for a positive definite matrix of a few rows by elimination.
func solvePositive(a [][]float64, b []float64) []float64 {
	n := len(b)
	g := make([][]float64, n)
	for i, row := range a {
		g[i] = append(append([]float64(nil), row...), b[i])
	}
	for k := range n {
		for l := k + 1; l < n; l++ {
			r := g[l][k] / g[k][k]
			for q := k; q <= n; q++ {
				g[l][q] -= r * g[k][q]
			}
		}
	}
	x := make([]float64, n)
	for k := n - 1; k >= 0; k-- {
		x[k] = g[k][n]
		for l := k + 1; l < n; l++ {
			x[k] -= g[k][l] * x[l]
		}
		x[k] /= g[k][k]
	}
	return x
}
