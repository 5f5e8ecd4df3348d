package train

import (
	"fmt"
	"math"
)

// rule turns gradients into steps: what one optimiser without line search differs in from another.
type rule interface {
	// step changes u, given the gradient there. k counts from 1 since the last reset.
	step(u, g []float64, rate float64, k int)
	// reset forgets all earlier gradients.
	reset()
	// state goes through what step keeps.
	state(l *ledger)
}

// minRate is the share of the rate at which halving ends: what is left would take forever to get anywhere.
const minRate = 0x1p-40

// descend iterates a rule. Where the loss is infinite it goes back to the best point, halves the
// rate and forgets the momentum that led astray.
func descend(r *run, s *Stage, ru rule) (Status, error) {
	u, g := make([]float64, r.n), make([]float64, r.n)
	clip := s.value("clip")
	r.toBest(u, g)
	share, k := 1.0, 0
	made, err := r.keep(func(l *ledger) {
		l.vec("u", u)
		l.vec("g", g)
		l.num("share", &share)
		l.whole("k", &k)
		ru.state(l)
	})
	if err != nil {
		return Done, err
	}
	for it := made + 1; it <= s.Iters(); it++ {
		if share < minRate {
			return NoProgress, nil
		}
		norm := norm2(g)
		if norm == 0 && !r.partial { // of a batch it says nothing about the others
			return Converged, nil
		}
		if clip > 0 && norm > clip {
			for i := range g {
				g[i] *= clip / norm
			}
		}
		rate := share * s.rate(it-1)
		k++
		ru.step(u, g, rate, k)
		r.iteration(it)
		f, err := r.eval(u, g)
		if err != nil {
			return Cancelled, err
		}
		if !math.IsInf(f, 1) {
			if err := r.note(Point{Iter: it, Loss: f, GradNorm: norm2(g), Rate: rate}, u); err != nil {
				return Cancelled, err
			}
			continue
		}
		share /= 2
		note := fmt.Sprintf("infinite loss: back to the best point, rate halved to %.3g", rate/2)
		if share < minRate {
			note = "infinite loss however small the rate"
		}
		r.toBest(u, g)
		ru.reset()
		k = 0
		if err := r.note(Point{Iter: it, Loss: f, GradNorm: math.NaN(), Rate: rate, Note: note}, u); err != nil {
			return Cancelled, err
		}
	}
	if share < minRate {
		return NoProgress, nil
	}
	return Done, nil
}
