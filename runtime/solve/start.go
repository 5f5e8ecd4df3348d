package solve

import (
	"context"

	"github.com/udl-lang/udl/runtime/method"
)

// NewStepper checks the problem and stands at its start. Errors are those of a call that makes
// no sense; an initial value that is not finite is a status.
func NewStepper(ctx context.Context, p *Problem) (*Stepper, error) {
	s := new(Stepper)
	if err := s.start(ctx, p); err != nil {
		return nil, err
	}
	return s, nil
}

// Start is NewStepper in the memory of s, for one problem after another.
func (s *Stepper) Start(ctx context.Context, p *Problem) error { return s.start(ctx, p) }

// First readies the first step without making it: f at the start, valid until the next call, and the length of the step that would be
// tried, positive. It is false where there is none, as Status tells.
func (s *Stepper) First() (k0 []float64, h float64, ok bool) {
	if s.status != Running || !s.ready() {
		return nil, 0, false
	}
	return s.k[0], s.next, true
}

// start makes the stepper ready for a problem, with the memory of the last one where it fits.
func (s *Stepper) start(ctx context.Context, p *Problem) error {
	set, err := p.resolve(s.set.atol)
	if err != nil {
		return err
	}
	if s.sys != p.Sys || s.m != set.m || s.auto != nil && !s.auto.serves(&set) || s.given != (p.Preconditioner != nil) {
		s.given = p.Preconditioner != nil
		s.sys, s.rhs, s.m = p.Sys, p.Sys.RHS.Clone(), set.m
		if s.init = nil; p.Sys.Init != nil {
			s.init = p.Sys.Init.Clone()
		}
		s.sc, s.eng, s.auto = nil, nil, nil
		if set.info.Family == method.Automatic {
			s.auto = choose(p.Sys, &set)
			set.rk = s.auto.explicit
		}
		n := 1
		if set.rk != nil {
			s.sc = NewScheme(set.rk)
			n = s.sc.Stages()
		}
		nx := p.Sys.NX
		buf := make([]float64, nx*(n+6)+n)
		cut := func(n int) []float64 {
			c := buf[:n:n]
			buf = buf[n:]
			return c
		}
		s.x, s.x1, s.tmp, s.e, s.zero, s.inner = cut(nx), cut(nx), cut(nx), cut(nx), cut(nx), cut(nx)
		s.dense = cut(n)
		s.k = make([][]float64, n)
		s.kflat = buf
		for i := range s.k {
			s.k[i] = cut(nx)
		}
		s.onto, s.algebra = NewProjection(p.Sys), NewAlgebra(p.Sys)
		s.whole = nil
		if p.Sys.Stepping != nil && set.rk != nil && set.info.Adaptive {
			s.whole = p.Sys.Stepping(set.rk)
		}
		if s.auto == nil || s.sc == nil || widthOf(s.auto.implicit, nx) == 0 {
			if err := s.newEngine(); err != nil {
				s.m = nil
				return err
			}
		} // else when it is needed: most problems are not stiff
	}
	if s.auto != nil {
		s.auto.tighten(p.Sys, &set)
	} else if share := method.Share(set.m, set.rtol, p.Sys.Mass != nil); share < 1 && set.controlled {
		set.tighten(share)
	}
	for i := range s.k { // in their order: steps of the last problem may have exchanged them
		s.k[i] = s.kflat[i*p.Sys.NX : (i+1)*p.Sys.NX : (i+1)*p.Sys.NX]
	}
	s.set, s.p, s.th = set, p, p.Theta
	if s.th == nil {
		s.th = p.Sys.Defaults()
	}
	s.rhs.Prepare(s.th)
	// A whole step controls its own size by all states as one group.
	if s.useWhole = s.whole != nil && set.controlled && set.errGroup == p.Sys.NX && p.Sys.Kinks == nil; s.useWhole {
		s.whole.Prepare(s.th, set.rtol, set.atol)
	}
	s.tEnd = p.T1
	s.startKinks(p.Sys.Kinks)
	s.attempts = 0
	s.stats, s.switches = Stats{Whole: s.useWhole}, nil
	if s.eng != nil {
		s.eng.prepare()
	}
	if s.onto != nil {
		s.onto.Prepare(s.th)
	}
	if s.algebra != nil {
		s.algebra.Prepare(s.th, set.rtol, set.atol)
	}
	s.use(s.sc == nil)
	s.turn = 0
	if s.auto != nil {
		s.auto.start(s)
	}
	s.done, s.shifted = nil, s.shifted[:0]
	if ctx != nil {
		s.done = ctx.Done()
	}
	if p.X0 != nil {
		copy(s.x, p.X0)
	} else {
		s.init.Eval(s.x, p.T0, nil, s.th)
	}
	if p.Sys.Mass != nil && finite(s.x) {
		copy(s.tmp, s.x)
		c := consistent{sys: p.Sys, t: p.T0, x: s.x, th: s.th, rtol: set.rtol, atol: set.atol, nearest: p.Nearest}
		if err := c.run(); err != nil {
			return err
		}
		s.shifted = shifts(p.Sys, s.shifted, s.tmp, s.x, set.rtol, set.atol)
	}
	s.Restart(p.T0, s.x)
	return nil
}

// use says whether the engine or the explicit Runge–Kutta method makes the steps from here on.
func (s *Stepper) use(engine bool) {
	s.useEngine = engine
	if engine {
		s.k1 = 2
	} else {
		s.k1 = float64(s.sc.Method.ErrorOrder())
	}
}

// newEngine makes the engine of the method that is no explicit Runge–Kutta method.
func (s *Stepper) newEngine() (err error) {
	m := s.m
	if s.auto != nil {
		m = s.auto.implicit
	}
	s.eng, err = newEngine(m, s)
	return err
}

// width is how many numbers, beside time, length and state, a step is remembered by.
func (s *Stepper) width() int {
	w := 0
	if s.sc != nil {
		w = s.sc.Method.Stages * s.sys.NX
	}
	switch {
	case s.eng != nil:
		w = max(w, s.eng.width())
	case s.auto != nil:
		w = max(w, widthOf(s.auto.implicit, s.sys.NX))
	}
	return w
}

// Restart stands the stepper at (t, x), length NX, as after a jump of the state: what the last
// step would have handed on, a first stage and a controller's memory, is dropped, and the first
// step is chosen anew. Counts go on.
func (s *Stepper) Restart(t float64, x []float64) {
	copy(s.x, x)
	s.t, s.t1, s.t0 = t, t, t
	s.meshAt = 0
	s.h, s.next, s.turn = 0, 0, 0
	s.forgetErrors()
	s.rejected, s.haveK0, s.moved, s.extra, s.bad = false, false, false, false, false
	s.isCut, s.adjusted, s.opened = false, false, false
	s.status, s.why = Running, ""
	if s.eng != nil {
		s.eng.restart()
	}
	if !finite(s.x) {
		s.status, s.badT = NonFinite, t
		copy(s.x1, s.x)
	}
}
