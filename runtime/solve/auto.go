package solve

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// switcher is the choice of methods for a problem, and what it has seen of its stiffness.
//
// An explicit method is limited by stability where h·|λ| is about the size of its region of stability; |λ| is estimated from two stages at the same time, which the
// step has computed anyway: |f(X_i) − f(X_j)| / |X_i − X_j|.
//
// L. F. Shampine, Stiffness and nonstiff differential equation solvers, II: detecting stiffness with Runge–Kutta methods, ACM Transactions on Mathematical
// Software 3 (1977), 44–53; E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, section IV.2. The way back,
// from an implicit method whose steps an explicit one could make: L. Petzold, Automatic selection of methods for solving stiff and nonstiff systems of
// ordinary differential equations, SIAM Journal on Scientific and Statistical Computing 4 (1983), 136–148.
type switcher struct {
	explicit *method.RK // nil: the problem is for implicit methods only
	implicit method.Method
	why      string
	// What the choice rests on beside the system.
	tight bool

	low, high int // the two stages at the same time; low < 0 where there are none
	limit     float64
	stiff     int // looks at steps that stability limits
	calm      int // looks in a row at others
	mild      int // looks in a row at implicit steps that the explicit method could have made
	back      int // turns back so far, each of which makes the next one dearer
	at        int // steps since the last look
}

// What a switch takes.
const (
	lookEvery   = 4    // steps
	stiffLooks  = 4    // at the limit of stability turn to the implicit method
	calmLooks   = 2    // below it in a row forget them
	mildLooks   = 4    // at implicit steps within the explicit method's reach turn back
	mildShare   = 0.6  // of the limit of stability, that an implicit step must lie within
	stiffMargin = 0.8  // of the limit, beyond which a step counts as limited by it
	tightRtol   = 1e-7 // below which the explicit method of order 7 pays
	sparseSize  = 128  // states from which on the multistep method's fewer factorisations pay
	// strict is by how much the tolerances of systems with algebraic equations are tightened: their unknowns are the derivatives of others, and err more.
	strict = 3
)

// choose picks methods for a system.
func choose(sys *system.System, set *settings) *switcher {
	w := &switcher{low: -1, tight: set.rtol < tightRtol}
	name := "Tsit5"
	if w.tight {
		name = "Vern7"
	}
	implicit, why := "Rodas5P", "the system is small"
	if sys.NX > sparseSize {
		implicit, why = "BDF", fmt.Sprintf("with %d states factorisations are dear", sys.NX)
	}
	w.implicit, _ = method.Find(implicit)
	if sys.Mass != nil {
		w.why = implicit + " for " + algebraic(sys) + "; " + why
		return w
	}
	w.explicit, _ = method.Lookup(name)
	than := "not below"
	if w.tight {
		than = "below"
	}
	w.why = fmt.Sprintf("%s while the problem is not stiff, %s where it is: rtol is %s %.0e, %s", name, implicit, than, tightRtol, why)
	m := w.explicit
	for i := m.Stages - 1; i > 0; i-- {
		for j := i - 1; j > 0; j-- {
			if m.C[i] == 1 && m.C[j] == 1 {
				w.low, w.high = j, i
			}
		}
		if w.low >= 0 {
			break
		}
	}
	w.limit = realLimit(m)
	return w
}

// realLimit is how far the region of absolute stability of an explicit method reaches along the negative axis.
func realLimit(m *method.RK) float64 {
	k := make([]float64, m.Stages)
	r := func(z float64) float64 {
		x1 := 1.0
		for i := range m.Stages {
			x := 1.0
			for j, a := range m.A[i] {
				x += a * k[j]
			}
			k[i] = z * x
		}
		for i, b := range m.B {
			x1 += b * k[i]
		}
		return math.Abs(x1)
	}
	z := 0.0
	for z < 50 && r(-z-0.05) <= 1 {
		z += 0.05
	}
	return z
}

// serves reports whether the choice is the same for other settings.
func (w *switcher) serves(set *settings) bool {
	return w.tight == (set.rtol < tightRtol)
}

// tighten makes the tolerances those that the problem wants.
func (w *switcher) tighten(sys *system.System, set *settings) {
	if sys.Mass == nil {
		return
	}
	set.tighten(1. / strict)
}

// first is the name of the method that begins.
func (w *switcher) first() string {
	if w.explicit != nil {
		return w.explicit.Name
	}
	return w.implicit.Info().Name
}

// start makes the switcher forget what it saw of another problem.
func (w *switcher) start(s *Stepper) {
	w.stiff, w.calm, w.mild, w.back, w.at = 0, 0, 0, 0, 0
	s.stats.Chosen = w.why
}

// watch looks at the step that was just accepted, now and then, and changes the method for the next one where that pays.
func (w *switcher) watch(s *Stepper) {
	if w.at++; w.at < lookEvery || w.explicit == nil {
		return
	}
	w.at = 0
	if s.useEngine {
		e, ok := s.eng.(interface{ spectral() float64 })
		if ok && e.spectral()*math.Abs(s.h) < mildShare*w.limit {
			w.mild++
		} else {
			w.mild = 0
		}
		if w.mild >= mildLooks<<min(w.back, 10) {
			w.back++
			w.change(s, false)
		}
		return
	}
	if w.low < 0 {
		return
	}
	if math.Abs(s.h)*w.lambda(s) > stiffMargin*w.limit {
		w.calm = 0
		if w.stiff++; w.stiff >= stiffLooks {
			w.change(s, true)
		}
		return
	}
	if w.calm++; w.calm >= calmLooks {
		w.stiff = 0
	}
}

// lambda estimates the modulus of the Jacobian's dominant eigenvalue from the two stages.
func (w *switcher) lambda(s *Stepper) float64 {
	idx, a := s.sc.StageWeights(w.high)
	jdx, b := s.sc.StageWeights(w.low)
	kh, kl := s.k[w.high], s.k[w.low]
	num, den := 0.0, 0.0
	for i := range s.x {
		d := 0.0
		for n, j := range idx {
			d += a[n] * s.k[j][i]
		}
		for n, j := range jdx {
			d -= b[n] * s.k[j][i]
		}
		d *= s.h
		f := kh[i] - kl[i]
		num += f * f
		den += d * d
	}
	if den == 0 {
		return 0
	}
	return math.Sqrt(num / den)
}

// change turns to the implicit method or back; the step that lies ready is the last of the old one.
func (w *switcher) change(s *Stepper, implicit bool) {
	w.stiff, w.calm, w.mild = 0, 0, 0
	s.turn = 1
	if implicit {
		s.turn = 2
	}
}

// Chosen are the methods that Auto takes for a system at a tolerance: the explicit one, nil where there is none for it, and the implicit one.
func Chosen(sys *system.System, rtol float64) (explicit *method.RK, implicit method.Method) {
	w := choose(sys, &settings{rtol: rtol})
	return w.explicit, w.implicit
}
