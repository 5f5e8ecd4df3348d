package train

// Gradient descent with heavy-ball or Nesterov momentum.
//
// B. T. Polyak, Some methods of speeding up the convergence of iteration methods, USSR
// Computational Mathematics and Mathematical Physics 4 (1964), 1–17; Yu. Nesterov, A method of
// solving a convex programming problem with convergence rate O(1/k²), Soviet Mathematics Doklady
// 27 (1983), 372–376, in the form of I. Sutskever, J. Martens, G. Dahl, G. Hinton, On the
// importance of initialization and momentum in deep learning, ICML 2013, where the gradient is
// taken at u and the step looks ahead.

var _ rule = (*sgd)(nil)

type sgd struct {
	momentum float64
	nesterov bool
	v        []float64 // the running sum of gradients
}

func runSGD(r *run, s *Stage) (Status, error) {
	return descend(r, s, &sgd{momentum: s.value("momentum"), nesterov: s.value("nesterov") != 0, v: make([]float64, r.n)})
}

func (a *sgd) reset()          { clear(a.v) }
func (a *sgd) state(l *ledger) { l.vec("v", a.v) }

func (a *sgd) step(u, g []float64, rate float64, _ int) {
	for i, gi := range g {
		a.v[i] = a.momentum*a.v[i] + gi
		d := a.v[i]
		if a.nesterov {
			d = gi + a.momentum*a.v[i]
		}
		u[i] -= rate * d
	}
}
