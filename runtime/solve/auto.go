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

	low, high int // the two stages at the same time; low < 0 where there are none
	limit     float64
	stiff     int // steps in favour of changing, less those against
	calm      int
	mild      int // steps by the implicit method that the explicit one could have made
	since     int // the step of the last change
}

// What a switch takes.
const (
	stiffSteps  = 15  // so many steps at the limit of stability turn to the implicit method
	calmSteps   = 6   // so many below it in a row forget them
	mildSteps   = 10  // so many implicit steps within the explicit method's reach turn back
	mildShare   = 0.7 // of the limit of stability, that an implicit step must lie within
	sparseSize  = 128 // states from which on the multistep method's fewer factorisations pay
	stiffMargin = 0.8 // of the limit, beyond which a step counts as limited by it
)

// haveBDF: its steps are made by an engine.
const haveBDF = false

// choose picks methods for a system.
func choose(sys *system.System, set *settings) *switcher {
	w := &switcher{low: -1}
	name := "Tsit5"
	if set.rtol < 1e-7 {
		name = "Vern7"
	}
	implicit, why := "Rodas5P", "the system is small"
	if sys.NX > sparseSize && haveBDF {
		if m, ok := method.Find("BDF"); ok {
			implicit, why = m.Info().Name, fmt.Sprintf("with %d states factorisations are dear", sys.NX)
		}
	}
	w.implicit, _ = method.Find(implicit)
	if sys.Mass != nil {
		w.why = implicit + ", for there is " + algebraic(sys) + "; " + why
		return w
	}
	w.explicit, _ = method.Lookup(name)
	w.why = fmt.Sprintf("%s while the problem is not stiff, %s where it is: rtol is %.3g, %s", name, implicit, set.rtol, why)
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

// first is the name of the method that begins.
func (w *switcher) first() string {
	if w.explicit != nil {
		return w.explicit.Name
	}
	return w.implicit.Info().Name
}

// start makes the switcher forget what it saw of another problem.
func (w *switcher) start(s *Stepper) {
	w.stiff, w.calm, w.mild, w.since = 0, 0, 0, 0
	s.stats.Chosen = w.why
}

// watch looks at the step that was just accepted, and changes the method for the next one where that pays.
func (w *switcher) watch(s *Stepper) {
	if w.explicit == nil {
		return
	}
	if s.useEngine {
		rho, ok := s.eng.(interface{ spectral() (float64, bool) })
		if !ok {
			return
		}
		r, known := rho.spectral()
		if known && r*math.Abs(s.h) < mildShare*w.limit {
			w.mild++
		} else {
			w.mild = 0
		}
		if w.mild >= mildSteps {
			w.change(s, false)
		}
		return
	}
	if w.low < 0 {
		return
	}
	// The new state is one of the two stage values, where the method's last stage is f there.
	z := math.Abs(s.h) * w.lambda(s)
	if z > stiffMargin*w.limit {
		w.calm = 0
		if w.stiff++; w.stiff >= stiffSteps {
			w.change(s, true)
		}
		return
	}
	if w.calm++; w.calm >= calmSteps {
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
	w.since = s.stats.Steps
	s.turn = 1
	if implicit {
		s.turn = 2
	}
}
