// An estimate of ‖A⁻¹‖₁ from a few solves: Hager (1984) as improved by Higham, "FORTRAN codes for estimating the one-norm of a
// real or complex matrix", ACM TOMS 14 (1988), algorithm 4.1.

package sparse

import "math"

// Condition estimates ‖A‖₁·‖A⁻¹‖₁ from below, nearly always within a factor of 3, by up to eleven solves. s must hold the factors
// of a. It allocates two vectors. 1/ε ≈ 4.5e15 means that no digit of a solution is certain.
func Condition(s Solver, a *Matrix) float64 {
	norm := 0.0
	for j := range a.n {
		sum := 0.0
		for _, v := range a.Values[a.ptr[j]:a.ptr[j+1]] {
			sum += math.Abs(v)
		}
		norm = max(norm, sum)
	}
	return norm * inverseNorm(s)
}

func inverseNorm(s Solver) float64 {
	n := s.N()
	if n == 0 {
		return 0
	}
	x, sign := make([]float64, n), make([]float64, n)
	for i := range x {
		x[i] = 1 / float64(n)
	}
	s.Solve(x)
	est := sum1(x)
	if n == 1 {
		return est
	}
	signs(sign, x)
	copy(x, sign)
	s.SolveTransposed(x)
	at := largest(x)
	for range 4 {
		clear(x)
		x[at] = 1
		s.Solve(x)
		now := sum1(x)
		same := signs(sign, x)
		if same || now <= est {
			est = max(est, now)
			break
		}
		est = now
		copy(x, sign)
		s.SolveTransposed(x)
		next := largest(x)
		if math.Abs(x[next]) <= math.Abs(x[at]) {
			break
		}
		at = next
	}
	// A vector of alternating sign and growing size catches what the gradient steps miss.
	for i := range x {
		x[i] = 1 + float64(i)/float64(n-1)
		if i%2 == 1 {
			x[i] = -x[i]
		}
	}
	s.Solve(x)
	return max(est, 2*sum1(x)/(3*float64(n)))
}

func sum1(x []float64) (s float64) {
	for _, v := range x {
		s += math.Abs(v)
	}
	return s
}

// signs sets s to the signs of x and says whether nothing changed.
func signs(s, x []float64) bool {
	same := true
	for i, v := range x {
		g := math.Copysign(1, v)
		same = same && s[i] == g
		s[i] = g
	}
	return same
}

func largest(x []float64) int {
	at := 0
	for i, v := range x {
		if math.Abs(v) > math.Abs(x[at]) {
			at = i
		}
	}
	return at
}
