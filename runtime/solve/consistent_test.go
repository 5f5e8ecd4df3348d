package solve_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// withMass is a system with the mass matrix m, full and row-major.
func withMass(s *system.System, m ...float64) *system.System {
	n := s.NX
	var rows, cols []int
	var v []float64
	for j := range n { // as the pattern is ordered
		for i := range n {
			if m[i*n+j] != 0 {
				rows, cols, v = append(rows, i), append(cols, j), append(v, m[i*n+j])
			}
		}
	}
	p, err := sparse.NewPattern(n, rows, cols)
	if err != nil {
		panic(err)
	}
	s.Mass = &system.Mass{Pattern: p, Values: testsys.Func(0, s.NTheta, func(t testsys.Expr, _, _ []testsys.Expr) []testsys.Expr {
		out := make([]testsys.Expr, len(v))
		for k := range out {
			out[k] = t.Const(v[k])
		}
		return out
	})}
	return s
}

// A mass matrix of any rank: M·x is kept, and the equations hold that are left when x' is eliminated.
func TestConsistentKeepsMass(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	solved := 0
	for range 200 {
		n := 2 + r.IntN(5)
		rank := r.IntN(n)
		m := make([]float64, n*n)
		for range rank {
			a, b := make([]float64, n), make([]float64, n)
			for i := range n {
				a[i], b[i] = float64(r.IntN(5)-2), float64(r.IntN(5)-2)
			}
			for i := range n {
				for j := range n {
					m[i*n+j] += a[i] * b[j]
				}
			}
		}
		c := make([]float64, n*n)
		for i := range c {
			c[i] = r.NormFloat64()
		}
		// f = C·x + sin of it, so that Newton's method has something to do.
		sys := withMass(testsys.System("random", strings.Split("abcdefgh", "")[:n], nil, testsys.Fixed(make([]float64, n)...),
			func(t testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
				out := make([]testsys.Expr, n)
				for i := range out {
					s := t.Const(-1)
					for j := range n {
						s = s.Add(x[j].Times(c[i*n+j]))
					}
					out[i] = s.Add(s.Sin().Times(0.1))
				}
				return out
			}), m...)
		x0, x := make([]float64, n), make([]float64, n)
		for i := range x {
			x0[i] = r.NormFloat64()
		}
		copy(x, x0)
		if err := solve.Consistent(sys, 0, x, nil, 1e-8, nil); err != nil {
			if strings.Contains(err.Error(), "do not determine") || strings.Contains(err.Error(), "closer to zero") || strings.Contains(err.Error(), "converged") {
				continue // a random problem may have none
			}
			t.Fatal(err)
		}
		solved++
		f := make([]float64, n)
		sys.RHS.Eval(f, 0, x, nil)
		size := 0.0
		for i := range n {
			d := 0.0
			for j := range n {
				d += m[i*n+j] * (x[j] - x0[j])
			}
			size += math.Abs(x[i])
			if math.Abs(d) > 1e-8*(1+size)*100 {
				t.Fatalf("M·x moved by %v, M = %v, x from %v to %v", d, m, x0, x)
			}
		}
		// f is in the range of M: the residual of a least-squares fit by its columns vanishes.
		if d := beyond(m, f, n); d > 1e-6*(1+size) {
			t.Fatalf("f = %v is %v off the range of M = %v", f, d, m)
		}
	}
	if t.Logf("%d of 200 solved", solved); solved < 150 {
		t.Errorf("only %d of 200 could be solved", solved)
	}
}

// beyond is the distance of f from the span of the columns of m, by Gram and Schmidt, twice each.
func beyond(m, f []float64, n int) float64 {
	var q [][]float64
	f = append([]float64(nil), f...)
	take := func(v []float64) {
		for range 2 {
			for _, u := range q {
				s := 0.0
				for i := range u {
					s += u[i] * v[i]
				}
				for i := range u {
					v[i] -= s * u[i]
				}
			}
		}
	}
	norm := func(v []float64) float64 {
		s := 0.0
		for _, x := range v {
			s += x * x
		}
		return math.Sqrt(s)
	}
	for j := range n {
		v := make([]float64, n)
		for i := range n {
			v[i] = m[i*n+j]
		}
		take(v)
		if l := norm(v); l > 1e-9 {
			for i := range v {
				v[i] /= l
			}
			q = append(q, v)
		}
	}
	take(f)
	return norm(f)
}

// Without mass matrix and invariants there is nothing to do.
func TestConsistentLeavesAlone(t *testing.T) {
	s := testsys.LotkaVolterra()
	x := []float64{3, 4}
	if err := solve.Consistent(s, 0, x, s.Defaults(), 1e-6, nil); err != nil || x[0] != 3 || x[1] != 4 {
		t.Error(x, err)
	}
}

// An invariant that the values break is told by its name; without one it has a number.
func TestConsistentInvariant(t *testing.T) {
	sys := testsys.System("circle", []string{"x", "y"}, nil, testsys.Fixed(1, 0), func(t testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{x[1].Neg(), x[0]}
	})
	sys.Invariants = testsys.Func(2, 0, func(t testsys.Expr, x, _ []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{x[0].Mul(x[0]).Add(x[1].Mul(x[1])).Plus(-1)}
	})
	x := []float64{0.6000001, 0.8}
	if err := solve.Consistent(sys, 0, x, nil, 1e-6, nil); err != nil || math.Abs(x[0]*x[0]+x[1]*x[1]-1) > 1e-14 {
		t.Error(x, err)
	}
	if d := math.Hypot(x[0]-0.6000001, x[1]-0.8); math.Abs(d-0.6e-7) > 1e-12 {
		t.Errorf("moved by %v, the shortest way is 6e-8", d)
	}
	x = []float64{1, 1}
	err := solve.Consistent(sys, 2, x, nil, 1e-6, nil)
	if err == nil || err.Error() != "inconsistent initial values: invariant 1 gives 1 at x = 1, y = 1" {
		t.Error(err)
	}
	sys.Conserved = []system.Equation{{Name: "0 = x^2 + y^2 - 1"}}
	if err = solve.Consistent(sys, 2, x, nil, 1e-6, nil); err == nil || !strings.Contains(err.Error(), "0 = x^2 + y^2 - 1 gives 1") {
		t.Error(err)
	}
	if x[0] != 1 || x[1] != 1 {
		t.Error("values that contradict were changed:", x)
	}
}
