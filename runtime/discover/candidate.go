package discover

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/train"
)

// rounds is how often the noise of the groups is estimated anew while a candidate is fitted.
const rounds = 5

// descend fits the variables of a candidate from v. The likelihood with the noise profiled out is fitted in turns: the
// coefficients by least squares with the noise as it stands, then the noise from what they leave.
func (c *Curve) descend(ctx context.Context, f *fitted, v []float64) error {
	k := &candidate{c: c, v: slices.Clone(v), w: make([]float64, c.n), j: make([]float64, c.n*c.m)}
	k.active = slices.Clone(f.set)
	for j := c.Terms * c.Outs; j < c.m; j++ {
		k.active = append(k.active, j)
	}
	r := make([]float64, c.n)
	ok, err := k.at(ctx, v, r)
	if err != nil || !ok {
		return err
	}
	got := fitted{set: f.set, v: v, r: r, rss: c.sums(r), ok: true, score: f.score}
	value := c.minus2(got.rss)
	lm, err := train.NewStage("lm", map[string]float64{"iters": 30, "ftol": 1e-4})
	if err != nil {
		return err
	}
	for range rounds {
		if len(k.active) == 0 {
			break
		}
		copy(k.w, c.weights(&got))
		u := make([]float64, len(k.active))
		for i, j := range k.active {
			u[i] = got.v[j]
		}
		m, err := train.Minimise(ctx, k, u, []train.Stage{lm}, train.Settings{})
		if err != nil {
			var start *train.NonFiniteStart
			if errors.As(err, &start) {
				break
			}
			return err
		}
		if m.Status == train.Cancelled {
			return ctx.Err()
		}
		next := slices.Clone(got.v)
		for i, j := range k.active {
			next[j] = m.U[i]
		}
		r := make([]float64, c.n)
		if ok, err := k.at(ctx, next, r); err != nil {
			return err
		} else if !ok {
			break
		}
		rss := c.sums(r)
		gain := value - c.minus2(rss)
		if gain < 0 {
			break
		}
		got.v, got.r, got.rss, value = next, r, rss, value-gain
		if gain < 1e-3 {
			break
		}
	}
	got.j = make([]float64, c.n*c.m)
	c.evals++
	if ok, err := c.tried(c.Res.Jacobian(ctx, got.v, got.j)); err != nil || !ok || !allFinite(got.j) {
		return err
	}
	*f = got
	return nil
}

// candidate is the squares of one candidate's residuals divided by their noise, as a function of its own variables.
type candidate struct {
	c      *Curve
	active []int
	v, w   []float64
	j      []float64 // by all variables
}

var _ train.LeastSquares = (*candidate)(nil)

// Dim implements train.Objective.
func (k *candidate) Dim() int { return len(k.active) }

// Squares implements train.LeastSquares.
func (k *candidate) Squares() (int, string) { return k.c.n, "" }

func (k *candidate) set(u []float64) []float64 {
	for i, j := range k.active {
		k.v[j] = u[i]
	}
	return k.v
}

// at writes residuals as they are.
func (k *candidate) at(ctx context.Context, v, r []float64) (bool, error) {
	k.c.evals++
	ok, err := k.c.tried(k.c.Res.Residuals(ctx, v, r))
	return ok && allFinite(r), err
}

// tried makes a derivative that there is not, as at an event that grazes, a failed trial: another candidate may have it. Where none has a
// solution, it says why.
func (c *Curve) tried(ok bool, err error) (bool, error) {
	var no *sens.RefusedError
	if errors.As(err, &no) {
		c.refused = no
		return false, nil
	}
	return ok, err
}

// Residuals implements train.LeastSquares.
func (k *candidate) Residuals(ctx context.Context, u, r []float64) (bool, error) {
	ok, err := k.at(ctx, k.set(u), r)
	for i := range r {
		r[i] *= k.w[i]
	}
	return ok, err
}

// Jacobian implements train.LeastSquares.
func (k *candidate) Jacobian(ctx context.Context, u, j []float64) (bool, error) {
	k.c.evals++
	ok, err := k.c.tried(k.c.Res.Jacobian(ctx, k.set(u), k.j))
	if err != nil || !ok {
		return false, err
	}
	n := len(k.active)
	for i := range k.c.n {
		for a, col := range k.active {
			j[i*n+a] = k.w[i] * k.j[i*k.c.m+col]
		}
	}
	return true, nil
}

// Eval implements train.Objective.
func (k *candidate) Eval(ctx context.Context, u, g []float64) (float64, error) {
	r := make([]float64, k.c.n)
	ok, err := k.Residuals(ctx, u, r)
	if err != nil || !ok {
		return math.Inf(1), err
	}
	if g != nil {
		n := len(k.active)
		j := make([]float64, k.c.n*n)
		if ok, err := k.Jacobian(ctx, u, j); err != nil || !ok {
			return math.Inf(1), err
		}
		clear(g)
		for i, v := range r {
			for a := range g {
				g[a] += 2 * v * j[i*n+a]
			}
		}
	}
	return dot(r, r), nil
}

func allFinite(v []float64) bool {
	for _, x := range v {
		if x-x != 0 {
			return false
		}
	}
	return true
}
