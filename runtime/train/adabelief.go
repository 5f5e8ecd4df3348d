package train

import "math"

// AdaBelief: Adam scaled by how far gradients stray from their running mean, so that steps are long where gradients
// are as foreseen.
//
// J. Zhuang, T. Tang, Y. Ding, S. Tatikonda, N. Dvornek, X. Papademetris, J. S. Duncan, AdaBelief
// optimizer: adapting stepsizes by the belief in observed gradients, Advances in Neural Information Processing
// Systems 33 (2020), arXiv:2010.07468, algorithm 2.

var _ rule = (*adabelief)(nil)

type adabelief struct{ adam } // v is the mean square of what strays

func runAdaBelief(r *run, s *Stage) (Status, error) { return descend(r, s, &adabelief{*newAdam(r, s)}) }

func (a *adabelief) step(u, g []float64, rate float64, k int) {
	c1 := 1 - math.Pow(a.beta1, float64(k))
	c2 := 1 - math.Pow(a.beta2, float64(k))
	for i, gi := range g {
		a.m[i] = a.beta1*a.m[i] + (1-a.beta1)*gi
		d := gi - a.m[i]
		a.v[i] = a.beta2*a.v[i] + (1-a.beta2)*d*d + a.eps
		if q := math.Sqrt(a.v[i]/c2) + a.eps; q > 0 {
			u[i] -= rate * a.m[i] / c1 / q
		}
	}
}
