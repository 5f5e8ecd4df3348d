package train

// Gradient descent with Nesterov's momentum: the step looks ahead along the sum of gradients.
//
// Yu. Nesterov, A method of solving a convex programming problem with convergence rate O(1/k²), Soviet
// Mathematics Doklady 27 (1983), 372–376, in the form of I. Sutskever, J. Martens, G. Dahl, G. Hinton, On the
// importance of initialization and momentum in deep learning, ICML 2013, where the gradient is taken at u.

var _ rule = (*nesterov)(nil)

type nesterov struct {
	momentum float64
	v        []float64 // the running sum of gradients
}

func runNesterov(r *run, s *Stage) (Status, error) {
	return descend(r, s, &nesterov{momentum: s.value("momentum"), v: make([]float64, r.n)})
}

func (a *nesterov) reset()          { clear(a.v) }
func (a *nesterov) state(l *ledger) { l.vec("v", a.v) }

func (a *nesterov) step(u, g []float64, rate float64, _ int) {
	for i, gi := range g {
		a.v[i] = a.momentum*a.v[i] + gi
		u[i] -= rate * (gi + a.momentum*a.v[i])
	}
}
