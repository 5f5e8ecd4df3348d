package udl_test

import (
	"context"
	"fmt"
	"os"

	"github.com/udl-lang/udl"
)

// The README's program.
func Example() {
	ctx := context.Background()
	m, err := udl.Load("models/lotka_volterra.udl")
	if err != nil {
		udl.Explain(os.Stderr, err) // with the line, a caret and the fix
		return
	}
	sol, err := m.Solve(ctx, udl.SolveOptions{T1: 10, By: 0.1, Set: map[string]any{"alpha": 1.4}})
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := sol.At(2.5, "x")
	if err != nil {
		fmt.Println(err)
		return
	}
	fit, err := m.Fit(ctx, udl.FitOptions{SolveOptions: udl.SolveOptions{T1: 10, By: 0.1},
		Loss: "s -> mean((s.x - 1)^2)", Train: "adam(rate = 0.05, iters = 200)"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("x(2.5) = %.3f, loss below 0.01: %v\n", x[0], fit.Loss() < 0.01)
	// Output: x(2.5) = 3.286, loss below 0.01: true
}

// A Go function with its derivative, called from the language.
func ExampleWithFunc() {
	monod := udl.Func{Name: "monod", N: 2,
		Eval: func(x []float64) float64 { return x[0] / (x[1] + x[0]) },
		Grad: func(x, g []float64) {
			d := (x[1] + x[0]) * (x[1] + x[0])
			g[0], g[1] = x[1]/d, -x[0]/d
		}}
	m, err := udl.Parse("growth.udl", "model Growth { param K = 2; state x = 1; x' = monod(x, K) }", udl.WithFunc(monod))
	if err != nil {
		udl.Explain(os.Stdout, err)
		return
	}
	v, g, err := m.Gradient(context.Background(), udl.FitOptions{SolveOptions: udl.SolveOptions{T1: 1, By: 0.5}, Loss: "s -> s.x[end]"})
	fmt.Printf("%.4f %.4f %v\n", v, g["K"][0], err)
	// Output: 1.3702 -0.1280 <nil>
}
