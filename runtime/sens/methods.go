package sens

import (
	"context"

	"github.com/udl-lang/udl/runtime/solve"
)

// Method is one way to the gradient of a loss.
type Method struct {
	Name string // as it is written in the language
	Doc  string
	Cite string
	// Continuous says that it is the derivative of the equations' solution, as exact as the tolerance, not that of the steps that were made.
	Continuous bool
	// Gradient writes dL/dθ into g, length NTheta, and returns L and the solution. See Adjoint
	// for the meaning of the results, which is the same for all.
	Gradient func(ctx context.Context, p *solve.Problem, loss Loss, g []float64) (float64, *solve.Solution, error)
}

// table is THE list of gradient methods.
var table = [...]Method{
	{
		Name:     "discrete",
		Doc:      "The discrete adjoint: the exact derivative of the steps that were taken, but for the times of events, which are as exact as the tolerance. Its cost does not grow with the number of parameters.",
		Cite:     "Hager, Numerische Mathematik 87 (2000) 247–282",
		Gradient: Adjoint,
	},
	{
		Name: "forward",
		Doc:  "Forward sensitivities, integrated with the states and under the same error control. For few parameters.",
		Cite: "Hindmarsh et al., ACM Transactions on Mathematical Software 31 (2005) 363–396",
		Gradient: func(ctx context.Context, p *solve.Problem, loss Loss, g []float64) (float64, *solve.Solution, error) {
			return Forward(ctx, p, loss, nil, g)
		},
	},
	{
		Name:       "interpolating",
		Doc:        "A continuous adjoint: the adjoint equations and the integral over the parameters, integrated backwards along the dense output, as exact as the tolerance. For solvers whose steps have no reverse, and many parameters.",
		Cite:       "Serban, Hindmarsh, ASME IDETC (2005) 257–269",
		Continuous: true,
		Gradient:   ContinuousMethod{Kind: Interpolating}.Gradient,
	},
	{
		Name:       "quadrature",
		Doc:        "A continuous adjoint whose integral over the parameters is taken afterwards, by a Gauss–Kronrod rule: for stiff problems of many parameters, since an implicit solver then solves for the states alone.",
		Cite:       "Kim et al., Chaos 31 (2021) 093122",
		Continuous: true,
		Gradient:   ContinuousMethod{Kind: Quadrature}.Gradient,
	},
	{
		Name:       "backsolve",
		Doc:        "A continuous adjoint that integrates the states backwards too, as neural ODEs first did. What the equations damp grows backwards: it warns where the states depart from the solution.",
		Cite:       "Chen et al., NeurIPS (2018)",
		Continuous: true,
		Gradient:   ContinuousMethod{Kind: Backsolve}.Gradient,
	},
	{
		Name: "differences",
		Doc:  "Central differences over the steps of one solve: slow, and independent of every derivative rule. For checking.",
		Cite: "Richardson, Philosophical Transactions of the Royal Society A 210 (1911) 307–357",
		Gradient: func(ctx context.Context, p *solve.Problem, loss Loss, g []float64) (float64, *solve.Solution, error) {
			return FiniteDifferences(ctx, p, loss, nil, g)
		},
	},
}

// Methods lists the ways to a gradient, the usual one first.
func Methods() []Method { return append([]Method(nil), table[:]...) }

// Lookup finds a method by its name.
func Lookup(name string) (Method, bool) {
	for _, m := range table {
		if m.Name == name {
			return m, true
		}
	}
	return Method{}, false
}
