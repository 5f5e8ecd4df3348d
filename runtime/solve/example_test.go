package solve_test

import (
	"context"
	"fmt"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
)

func ExampleSolve() {
	s, err := solve.Solve(context.Background(), &solve.Problem{
		Sys: testsys.LotkaVolterra(), T1: 3, Times: []float64{1, 2, 3},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, t := range s.T {
		fmt.Printf("t = %v: x = %.3f, y = %.3f\n", t, s.Row(i)[0], s.Row(i)[1])
	}
	out := make([]float64, s.NX)
	if err := s.At(2.5, out); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("between: %.3f\n", out)
	fmt.Println(s.Status)
	// Output:
	// t = 1: x = 2.773, y = 0.259
	// t = 2: x = 6.777, y = 2.013
	// t = 3: x = 0.970, y = 1.910
	// between: [2.178 4.369]
	// done
}

// What happened is told by the status; what was found until then is kept.
func ExampleSolution() {
	s, err := solve.Solve(context.Background(), &solve.Problem{Sys: pole(), T1: 2, Times: []float64{0.5, 1.5}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v near t = %.4f, %d output: x(%v) = %.3f\n", s.Status, s.TEnd, len(s.T), s.T[0], s.X[0])
	// Output:
	// step too small near t = 1.0000, 1 output: x(0.5) = 2.000
}
