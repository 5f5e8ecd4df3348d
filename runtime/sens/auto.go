package sens

import (
	"context"
	"errors"
	"fmt"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Why the discrete adjoint is the usual choice, also for few parameters, is measured: RATIONALE.md.

// fewParameters is up to how many forward sensitivities are preferred to a continuous adjoint where there is no discrete one: from about this many on, integrating them
// costs more than integrating backwards with a restart at every output.
const fewParameters = 20

// Auto computes the gradient by the method that suits the problem, and says in Stats.Adjoint of the solution which that was, and why. The results mean what those of
// Adjoint mean.
func Auto(ctx context.Context, p *solve.Problem, loss Loss, g []float64) (float64, *solve.Solution, error) {
	return new(Workspace).Auto(ctx, p, loss, g)
}

// Auto is the function Auto, in the memory of the workspace: the discrete adjoint where it goes through the steps that are made and they fit into memory; else forward
// sensitivities for few parameters, and for many a continuous adjoint, of a stiff problem that whose equations do not grow with their number.
func (w *Workspace) Auto(ctx context.Context, p *solve.Problem, loss Loss, g []float64) (float64, *solve.Solution, error) {
	v, sol, err := w.Adjoint(ctx, p, loss, g)
	var no *RefusedError
	why := ""
	switch {
	case errors.As(err, &no):
		why = no.Error()
	case err == nil && sol.Status == solve.MemoryLimit:
		why = "the steps that the discrete adjoint goes back over do not fit into memory"
	default:
		if sol != nil {
			sol.Stats.Adjoint = usual(p, sol)
		}
		return v, sol, err
	}
	full := err == nil
	for _, o := range others(p, sol, full) {
		v2, sol2, err2 := o.run(ctx, p, loss, g)
		if err2 == nil && sol2.Status.Ended() {
			sol2.Stats.Adjoint = o.name + ": " + o.why + ", and the discrete adjoint is not to be had: " + why
			return v2, sol2, nil
		}
		if err2 != nil && !errors.As(err2, new(*RefusedError)) {
			return v2, sol2, err2
		}
	}
	return v, sol, err // nothing else goes either: the first reason is the one to tell
}

// What is said of the discrete adjoint; it is said often, so that it is put together here.
const (
	exact    = "discrete: the exact derivative of the steps that were made, "
	forMany  = exact + "at a cost that does not grow with the number of parameters"
	forOne   = exact + "which even for one parameter costs less than forward sensitivities"
	holdsAll = "; memory holds all its steps"
)

// usual says why the discrete adjoint was taken.
func usual(p *solve.Problem, sol *solve.Solution) string {
	one := trainable(p) == 1
	if n := sol.Stats.Checkpoints; n > 0 {
		why := forMany
		if one {
			why = forOne
		}
		return fmt.Sprintf("%s; of its %d steps memory holds a part, the rest is made again from %d checkpoints", why, sol.Stats.Steps, n)
	}
	if one {
		return forOne + holdsAll
	}
	return forMany + holdsAll
}

// other is a method that may take its place.
type other struct {
	name, why string
	run       func(context.Context, *solve.Problem, Loss, []float64) (float64, *solve.Solution, error)
}

// others are those, the best first; full says that memory does not hold the steps.
func others(p *solve.Problem, sol *solve.Solution, full bool) []other {
	forward := other{"forward", "there are few parameters", func(ctx context.Context, p *solve.Problem, loss Loss, g []float64) (float64, *solve.Solution, error) {
		return Forward(ctx, p, loss, nil, g)
	}}
	inter := other{"interpolating", "there are many parameters", ContinuousMethod{Kind: Interpolating}.Gradient}
	if stiff(p, sol) {
		inter = other{"quadrature", "the problem is stiff, and its linear equations are those of the states alone", ContinuousMethod{Kind: Quadrature}.Gradient}
	}
	if full && trainable(p) > fewParameters {
		forward.why = "there are many parameters, but memory holds no dense output for a continuous adjoint"
		return []other{forward}
	}
	if trainable(p) <= fewParameters {
		return []other{forward, inter}
	}
	return []other{inter, forward}
}

// trainable is how many entries of θ a right-hand side depends on, at most.
func trainable(p *solve.Problem) int {
	n := p.Sys.NTheta
	for i := range p.Sys.Theta {
		if s := &p.Sys.Theta[i]; s.Role == system.RoleInit || s.Role == system.RoleFlag {
			n -= s.Size()
		}
	}
	return n
}

// stiff says whether implicit steps are made.
func stiff(p *solve.Problem, sol *solve.Solution) bool {
	m := p.Method
	if sol != nil && sol.EngineMethod() != nil {
		m = sol.EngineMethod()
	}
	return p.Sys.Mass != nil || m != nil && (m.Info().Family.Implicit() && m.Info().Family != method.ExplicitMultistep)
}
