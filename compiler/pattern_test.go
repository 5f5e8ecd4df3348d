package compiler_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/udl-lang/udl/compiler"
)

const brusselator = `model Brusselator {
  const n = %d
  const alpha = 0.02
  state u[n, n] = 1, v[n, n] = 2
  u[i, j]' = 1 + u[i, j]^2*v[i, j] - 4.4*u[i, j] + alpha*(n-1)^2*(u[max(i-1, 1), j] + u[min(i+1, n), j] + u[i, max(j-1, 1)] + u[i, min(j+1, n)] - 4*u[i, j])
  v[i, j]' = 3.4*u[i, j] - u[i, j]^2*v[i, j] + alpha*(n-1)^2*(v[max(i-1, 1), j] + v[min(i+1, n), j] + v[i, max(j-1, 1)] + v[i, min(j+1, n)] - 4*v[i, j])
}`

func scalars(n int) string {
	var b strings.Builder
	b.WriteString("model Large {\n")
	for i := range n {
		fmt.Fprintf(&b, "  param k%d = 0.%d\n  state x%d = %d\n  let v%d = k%d*x%d*x%d/(1 + x%d)\n", i, i+1, i, i, i, (i+7)%n, i, (i+3)%n, (i+1)%n)
	}
	for i := range n {
		fmt.Fprintf(&b, "  x%d' = v%d - 2*k%d*x%d + v%d/3\n", i, (i+1)%n, i, i, (i+n-1)%n)
	}
	return b.String() + "}\n"
}

// The pattern holds every entry of the Jacobian, few others, and is found fast.
func TestPattern(t *testing.T) {
	for _, c := range []struct {
		name, text string
		entries    int // -1: no pattern
	}{
		{"2-D Brusselator", fmt.Sprintf(brusselator, 12), 2*(5*144-4*12) + 2*144},
		{"sparse matrix", "model M { state x[3] = [1, 2, 3]; x' = [[1, 0, 0], [0, 2, 3], [0, 0, 4]] @ x }", 4},
		{"settable matrix", "model M { const A[3, 3] = [[1, 0, 0], [0, 2, 3], [0, 0, 4]]; state x[3] = [1, 2, 3]; x' = A @ x }", 9},
		{"dense matrix", "model M { param A[3, 3] = [[1, 0, 0], [0, 2, 3], [0, 0, 4]]; state x[3] = [1, 2, 3]; x' = A @ x + sum[j in 1..3] x[j] }", 9},
		{"scalars", scalars(40), 200},
		{"sums", "model M { state x[4] = [1, 2, 3, 4], y = 2; x[i]' = sum[j in 1..2] x[j]^2 - x[i]; y' = prod(x[2..3]) }", 2 + 2 + 3 + 3 + 2},
		{"all with all", "model M { const n = 400; state x[n] = 1; x[i]' = sum[j in 1..n] sin(x[i] - x[j]) }", -1},
	} {
		s := compile(t, c.text).System
		if c.entries < 0 {
			if s.Pattern != nil {
				t.Errorf("%s: %d entries", c.name, s.Pattern.NNZ())
			}
			continue
		}
		if s.Pattern == nil || s.Pattern.NNZ() != c.entries || s.Pattern.N() != s.NX {
			t.Errorf("%s: %d entries, want %d", c.name, s.Pattern.NNZ(), c.entries)
			continue
		}
		f, th, x, d, dz := s.RHS.Clone(), s.Defaults(), make([]float64, s.NX), make([]float64, s.NX), make([]float64, s.NX)
		for i := range x {
			x[i] = 1 + math.Sin(float64(3*i))
		}
		for j := range x {
			clear(d)
			d[j] = 1
			f.JVP(dz, 0.3, x, th, 0, d, nil)
			for i, v := range dz {
				if v != 0 && s.Pattern.Index(i, j) < 0 {
					t.Fatalf("%s: entry %d, %d is %v, but not in the pattern", c.name, i, j, v)
				}
			}
		}
	}
}

func BenchmarkPattern(b *testing.B) {
	for name, text := range map[string]string{"Brusselator64": fmt.Sprintf(brusselator, 64), "1000": scalars(1000), "LV": "model M { state x = 1, y = 1; x' = x - x*y; y' = x*y - y }",
		"AllWithAll": "model M { const n = 1000; state x[n] = 1; x[i]' = sum[j in 1..n] sin(x[i] - x[j]) }"} {
		s := compile(b, text).System
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				compiler.PatternOf(s)
			}
		})
	}
}
