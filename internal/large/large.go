// Package large writes a large model for tests and benchmarks.
package large

import (
	"fmt"
	"strings"
)

// Text is a model of n coupled equations, each with a parameter of its own.
func Text(n int) string {
	var b strings.Builder
	b.WriteString("model Large {\n")
	for i := range n {
		fmt.Fprintf(&b, "  param k%d = %g in 0..10\n", i, 0.1+float64(i%7)/10)
	}
	for i := range n {
		fmt.Fprintf(&b, "  state x%d = %g\n", i, float64(i%5)/5)
	}
	for i := range n {
		j, k := (i+1)%n, (i+n-1)%n
		fmt.Fprintf(&b, "  x%d' = k%d*(x%d - 2*x%d + x%d) - x%d^2/(1 + x%d) + 0.1*sin(x%d)*exp(-t)\n", i, i, j, i, k, i, j, k)
	}
	b.WriteString("}\n")
	return b.String()
}
