package train

import "math"

// Adam.
//
// D. P. Kingma, J. Ba, Adam: a method for stochastic optimization, 3rd International Conference
// on Learning Representations, 2015, arXiv:1412.6980, algorithm 1.

var _ rule = (*adam)(nil)

// adam keeps running means of the gradient and of its square. decay 0 is Adam itself.
type adam struct {
	beta1, beta2, eps float64
	decay             float64
	decays            []bool // which variables decay; nil: all
	m, v              []float64
}

func newAdam(r *run, s *Stage) *adam {
	buf := make([]float64, 2*r.n)
	return &adam{beta1: s.value("beta1"), beta2: s.value("beta2"), eps: s.value("eps"), m: buf[:r.n], v: buf[r.n:]}
}

func runAdam(r *run, s *Stage) (Status, error) { return descend(r, s, newAdam(r, s)) }

func (a *adam) reset() {
	clear(a.m)
	clear(a.v)
}

func (a *adam) state(l *ledger) {
	l.vec("m", a.m)
	l.vec("v", a.v)
}

func (a *adam) step(u, g []float64, rate float64, k int) {
	// The means start at zero; dividing by what their weights sum to takes that bias away.
	c1 := 1 - math.Pow(a.beta1, float64(k))
	c2 := 1 - math.Pow(a.beta2, float64(k))
	for i, gi := range g {
		a.m[i] = a.beta1*a.m[i] + (1-a.beta1)*gi
		a.v[i] = a.beta2*a.v[i] + (1-a.beta2)*gi*gi
		d := 0.0
		// A variable that the loss never depended on has 0/0 where eps is 0: it stays.
		if q := math.Sqrt(a.v[i]/c2) + a.eps; q > 0 {
			d = a.m[i] / c1 / q
		}
		if a.decay != 0 && (a.decays == nil || a.decays[i]) {
			d += a.decay * u[i]
		}
		u[i] -= rate * d
	}
}
