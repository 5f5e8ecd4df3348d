package sens

import (
	"context"
	"errors"

	"github.com/udl-lang/udl/runtime/solve"
)

// Auto computes the gradient by the method that suits the problem, and says in Stats.Adjoint of the solution which that was, and why. The results mean what those of
// Adjoint mean.
func Auto(ctx context.Context, p *solve.Problem, loss Loss, g []float64) (float64, *solve.Solution, error) {
	var ws Workspace
	return ws.Auto(ctx, p, loss, nil, g)
}

// Auto is the function Auto, in the memory of the workspace. With wrt only those entries of θ are wanted; the rest of g, which has the length of θ, may then be 0.
func (w *Workspace) Auto(ctx context.Context, p *solve.Problem, loss Loss, wrt []int, g []float64) (float64, *solve.Solution, error) {
	v, sol, err := w.Adjoint(ctx, p, loss, g)
	var no *RefusedError
	if !errors.As(err, &no) {
		if sol != nil {
			sol.Stats.Adjoint = "discrete: the exact derivative of the steps that were made, at a cost that does not grow with the number of parameters"
		}
		return v, sol, err
	}
	// What has no discrete adjoint may have a continuous one.
	c := ContinuousMethod{Kind: Interpolating}
	if q := p.Method; q != nil && q.Info().Family.Implicit() {
		c.Kind = Quadrature
	}
	v, sol, err2 := c.Gradient(ctx, p, loss, g)
	if errors.As(err2, new(*RefusedError)) {
		return 0, nil, no
	}
	if sol != nil {
		sol.Stats.Adjoint = c.Kind.String() + ": " + no.Error()
	}
	return v, sol, err2
}
