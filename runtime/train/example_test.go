package train_test

import (
	"context"
	"fmt"

	"github.com/udl-lang/udl/runtime/train"
)

// paraboloid is (u − 1)² + 10 (v + 2)².
type paraboloid struct{}

func (paraboloid) Dim() int { return 2 }

func (paraboloid) Eval(_ context.Context, u, g []float64) (float64, error) {
	a, b := u[0]-1, u[1]+2
	if g != nil {
		g[0], g[1] = 2*a, 20*b
	}
	return a*a + 10*b*b, nil
}

func ExampleMinimise() {
	adam, err := train.NewStage("adam", map[string]float64{"rate": 0.1, "iters": 50})
	if err != nil {
		fmt.Println(err)
		return
	}
	lbfgs, err := train.NewStage("lbfgs", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := train.Minimise(context.Background(), paraboloid{}, []float64{0, 0}, []train.Stage{adam, lbfgs}, train.Settings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.4f at %.4f\n", m.F, m.U)
	// Output: 0.0000 at [1.0000 -2.0000]
}
