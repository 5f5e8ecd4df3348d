package sens_test

import (
	"context"
	"fmt"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
)

// The derivative of the prey at t = 2 by the four rates and two initial values.
func ExampleAdjoint() {
	sys := testsys.LotkaVolterra()
	p := &solve.Problem{Sys: sys, T1: 2, Rtol: 1e-10, Atol: 1e-10}
	g := make([]float64, sys.NTheta)
	value, _, err := sens.Adjoint(context.Background(), p, last{2}, g)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("x(2) = %.4f\n", value)
	for i, d := range g {
		fmt.Printf("by %-5s %8.4f\n", sys.Theta[i].Name, d)
	}
	// Output:
	// x(2) = 6.7772
	// by alpha  -3.3815
	// by beta    0.2663
	// by gamma   3.5060
	// by delta -12.6620
	// by x0     -5.8848
	// by y0      0.2663
}
