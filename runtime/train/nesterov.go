package train

// Gradient descent with Nesterov's momentum: the step looks ahead along the sum of gradients.
//
// Yu. Nesterov, A method of solving a convex programming problem with convergence rate O(1/k²), Soviet
// Mathematics Doklady 27 (1983), 372–376, in the form of I. Sutskever, J. Martens, G. Dahl, G. Hinton, On the
// importance of initialization and momentum in deep learning, ICML 2013, where the gradient is taken at u.

var _ rule = (*nesterov)(nil)

// nesterov keeps what sgd does, and steps along more of it.
type nesterov struct{ sgd }

func runNesterov(r *run, s *Stage) (Status, error) {
	return descend(r, s, &nesterov{sgd{momentum: s.value("momentum"), v: make([]float64, r.n)}})
}

func (a *nesterov) step(u, g []float64, rate float64, _ int) {
	for i, gi := range g {
		a.v[i] = a.momentum*a.v[i] + gi
		u[i] -= rate * (gi + a.momentum*a.v[i])
	}
}
