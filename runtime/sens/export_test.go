package sens

import (
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Kronrod is the rule of seven points, and the weights of that of three.
func Kronrod() (nodes, weights, low [7]float64) { return kronrodNodes, kronrodWeights, gaussWeights }

// AdjointInTime is the derivative by the time of an adjoint's right-hand side at t, for μ, along a solution: by second derivatives, or by differences.
func AdjointInTime(sol *solve.Solution, sys *system.System, t float64, mu []float64, differences bool) []float64 {
	tr := newTrack(sol, sys)
	tr.open(0, sol.NumSteps())
	a := newAdjointRHS(tr, sys, nil)
	a.follow()
	tr.at(t, a.x)
	dz := make([]float64, sys.NX)
	if differences {
		a.differ(dz, t, mu, 1)
	} else {
		a.inTime(dz, t, mu, 1)
	}
	return dz
}
