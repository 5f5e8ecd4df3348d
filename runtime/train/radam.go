package train

import "math"

// RAdam: Adam whose scaling by the gradients' mean square is held back while that mean, over few gradients yet,
// varies too much; before that it is descent along the mean gradient.
//
// L. Liu, H. Jiang, P. He, W. Chen, X. Liu, J. Gao, J. Han, On the variance of the adaptive learning rate and
// beyond, 8th International Conference on Learning Representations, 2020, arXiv:1908.03265,
// algorithm 2.

var _ rule = (*radam)(nil)

type radam struct{ adam }

func runRAdam(r *run, s *Stage) (Status, error) { return descend(r, s, &radam{*newAdam(r, s)}) }

func (a *radam) step(u, g []float64, rate float64, k int) {
	c1, b2 := 1-math.Pow(a.beta1, float64(k)), math.Pow(a.beta2, float64(k))
	c2 := 1 - b2
	// How many gradients the mean square is over, in the end and now.
	most := 2/(1-a.beta2) - 1
	now := most - 2*float64(k)*b2/c2
	share := 0.0
	if now > 4 {
		share = math.Sqrt((now - 4) * (now - 2) * most / ((most - 4) * (most - 2) * now))
	}
	for i, gi := range g {
		a.m[i] = a.beta1*a.m[i] + (1-a.beta1)*gi
		a.v[i] = a.beta2*a.v[i] + (1-a.beta2)*gi*gi
		d := a.m[i] / c1
		if share > 0 {
			if q := math.Sqrt(a.v[i]/c2) + a.eps; q > 0 {
				d *= share / q
			} else {
				d = 0
			}
		}
		u[i] -= rate * d
	}
}
