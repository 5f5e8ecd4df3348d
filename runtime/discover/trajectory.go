package discover

import (
	"context"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/train"
)

// Trajectory is a model held against data, as a function of the entries Wrt of θ.
type Trajectory struct {
	Problem solve.Problem // its Theta is the trajectory's own
	Loss    *train.DataLoss
	Wrt     []int
	Lo, Hi  []float64 // bounds of Wrt; nil: none
}

var _ Residuals = (*Trajectory)(nil)

// Dims implements Residuals.
func (t *Trajectory) Dims() (n, m int) { return t.Loss.N(), len(t.Wrt) }

// Eval implements Residuals.
func (t *Trajectory) Eval(ctx context.Context, v, r, j []float64) (bool, error) {
	for k, i := range t.Wrt {
		if v[k]-v[k] != 0 || t.Lo != nil && (v[k] < t.Lo[k] || v[k] > t.Hi[k]) {
			return false, nil
		}
		t.Problem.Theta[i] = v[k]
	}
	ok, err := t.Loss.Residuals(ctx, &t.Problem, t.Wrt, r, j)
	if err != nil || !ok {
		return false, err
	}
	for _, x := range r {
		if x-x != 0 {
			return false, nil
		}
	}
	for _, x := range j {
		if x-x != 0 {
			return false, nil
		}
	}
	return true, nil
}
