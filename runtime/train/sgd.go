package train

// Gradient descent with heavy-ball momentum.
//
// H. Robbins, S. Monro, A stochastic approximation method, Annals of Mathematical Statistics 22 (1951), 400–407;
// B. T. Polyak, Some methods of speeding up the convergence of iteration methods, USSR
// Computational Mathematics and Mathematical Physics 4 (1964), 1–17.

var _ rule = (*sgd)(nil)

type sgd struct {
	momentum float64
	v        []float64 // the running sum of gradients
}

func runSGD(r *run, s *Stage) (Status, error) {
	return descend(r, s, &sgd{momentum: s.value("momentum"), v: make([]float64, r.n)})
}

func (a *sgd) reset()          { clear(a.v) }
func (a *sgd) state(l *ledger) { l.vec("v", a.v) }

func (a *sgd) step(u, g []float64, rate float64, _ int) {
	for i, gi := range g {
		a.v[i] = a.momentum*a.v[i] + gi
		u[i] -= rate * a.v[i]
	}
}
