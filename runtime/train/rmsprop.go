package train

import "math"

// RMSprop: steps divided by the running root mean square of each component of the gradient.
//
// T. Tieleman, G. Hinton, Lecture 6.5, Neural Networks for Machine Learning, Coursera 2012; the momentum of the
// divided gradient is that of A. Graves, Generating sequences with recurrent neural networks,
// arXiv:1308.0850 (2013), without its centring.

var _ rule = (*rmsprop)(nil)

type rmsprop struct {
	beta2, eps, momentum float64
	v, step0             []float64
}

func runRMSprop(r *run, s *Stage) (Status, error) {
	buf := make([]float64, 2*r.n)
	return descend(r, s, &rmsprop{beta2: s.value("beta2"), eps: s.value("eps"), momentum: s.value("momentum"), v: buf[:r.n], step0: buf[r.n:]})
}

func (a *rmsprop) reset() {
	clear(a.v)
	clear(a.step0)
}

func (a *rmsprop) state(l *ledger) {
	l.vec("v", a.v)
	l.vec("step", a.step0)
}

func (a *rmsprop) step(u, g []float64, rate float64, _ int) {
	for i, gi := range g {
		a.v[i] = a.beta2*a.v[i] + (1-a.beta2)*gi*gi
		d := 0.0
		// A variable that the loss never depended on has 0/0 where eps is 0: it stays.
		if q := math.Sqrt(a.v[i]) + a.eps; q > 0 {
			d = gi / q
		}
		a.step0[i] = a.momentum*a.step0[i] + d
		u[i] -= rate * a.step0[i]
	}
}
