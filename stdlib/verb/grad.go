package verb

import (
	"context"
	"errors"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// wrt lists what derivatives are taken by: the slots of θ that a record of them names.
func gradSlots(sys *system.System) []*system.ThetaSlot {
	var out []*system.ThetaSlot
	for i := range sys.Theta {
		switch t := &sys.Theta[i]; t.Role {
		case system.RoleParam, system.RoleConst, system.RoleWeight, system.RoleInit:
			out = append(out, t)
		}
	}
	return out
}

// fixInitial puts the initial values in force as given values, so that derivatives by them exist; the
// derivatives by parameters in their expressions are then those at fixed initial values, which is
// why grad does this for the initial values only (see gradient).
func fixInitial(sys *system.System, th []float64, t0 float64) []float64 {
	x0 := make([]float64, sys.NX)
	sys.Init.Clone().Eval(x0, t0, nil, th)
	fixed := append([]float64(nil), th...)
	for _, t := range sys.Theta {
		switch t.Role {
		case system.RoleInit:
			for _, s := range sys.States {
				if s.Name == t.Name {
					copy(fixed[t.Off:t.Off+t.Size()], x0[s.Off:s.Off+s.Size()])
				}
			}
		case system.RoleFlag:
			if sys.Find(t.Name, system.RoleInit) != nil {
				fixed[t.Off] = 1
			}
		}
	}
	return fixed
}

// given is th with the initial value of one state given, at its value in fixed. Initial values
// that are computed from it still are.
func given(sys *system.System, th, fixed []float64, state string) []float64 {
	out := append([]float64(nil), th...)
	t := sys.Find(state, system.RoleInit)
	copy(out[t.Off:t.Off+t.Size()], fixed[t.Off:])
	out[sys.Find(state, system.RoleFlag).Off] = 1
	return out
}

// noGradient refuses what has no derivative, by name.
func (c *Call) noGradient(sys *system.System) error {
	return diag.New("E0510", c.SpanOf("model"), "%s has no derivative here: %s", sys.Name, sys.NoGradient)
}

// gradient computes a loss and its derivatives by everything in θ. Derivatives by parameters go through
// the initial-value expressions; derivatives by an initial value are those of its own.
func gradient(c *Call, p *solve.Problem, loss sens.Loss, how string) (*value.Gradient, []float64, error) {
	sys := p.Sys
	if sys.NoGradient != "" {
		return nil, nil, c.noGradient(sys)
	}
	g := make([]float64, sys.NTheta)
	seen := sens.Recording(loss)
	v, sol, err := oneGradient(c, p, seen, how, g)
	if err != nil {
		return nil, nil, err
	}
	out := &value.Gradient{Loss: v, Sol: sol}
	// Found when it is asked for, which is after this call has returned: the context is that of who asks.
	out.ByTime = func(ctx context.Context) ([]float64, error) {
		v, err := sens.ByOutputTimes(ctx, p, sol, seen)
		var un *sens.UnsolvedError
		if errors.As(err, &un) {
			if d := c.Failure(un.Sol, p); d != nil {
				return nil, d
			}
		}
		return v, c.Explain(err)
	}
	// Initial values whose expressions are in force get their derivatives from a run in which
	// they are given.
	need := false
	for _, t := range sys.Theta {
		if t.Role == system.RoleFlag && p.Theta[t.Off] == 0 && sys.Find(t.Name, system.RoleInit) != nil {
			need = true
		}
	}
	if need {
		q := *p
		q.Theta = fixInitial(sys, p.Theta, p.T0)
		g2 := make([]float64, sys.NTheta)
		if _, _, err := oneGradient(c, &q, loss, how, g2); err != nil {
			return nil, nil, err
		}
		lam := make([]float64, sys.NX) // the loss's derivative by x(t0)
		for _, s := range sys.States {
			t := sys.Find(s.Name, system.RoleInit)
			copy(lam[s.Off:s.Off+s.Size()], g2[t.Off:])
		}
		init, gth := sys.Init.Clone(), make([]float64, sys.NTheta)
		for _, s := range sys.States {
			t := sys.Find(s.Name, system.RoleInit)
			clear(gth)
			init.VJP(nil, gth, p.T0, nil, given(sys, p.Theta, q.Theta, s.Name), lam)
			copy(g[t.Off:t.Off+t.Size()], gth[t.Off:])
		}
	}
	return out, g, nil
}

func oneGradient(c *Call, p *solve.Problem, loss sens.Loss, how string, g []float64) (float64, *solve.Solution, error) {
	run := sens.Auto
	if m, ok := sens.Lookup(how); ok {
		run = m.Gradient
	}
	v, sol, err := run(c.Ctx, p, loss, g)
	if err != nil {
		return 0, nil, err
	}
	if d := c.Failure(sol, p); d != nil {
		return 0, nil, d
	}
	if err := c.finiteLoss(v, loss); err != nil {
		return 0, nil, err
	}
	if sol.Stats.Adjoint == "" {
		sol.Stats.Adjoint = how
	}
	return v, sol, nil
}

// lossOf reads a loss that is a function of the solution, with its times.
func (c *Call) lossOf(m *value.Model, l *value.Lambda, p *solve.Problem) (sens.Loss, error) {
	if c.Has("match") {
		return nil, c.Bad("match", "`match` and a loss that is a function exclude each other: the function says what is compared").
			WithHelp("leave `match` out, or use `loss = sse`")
	}
	t0, t1, times, err := c.lossTimes()
	if err != nil {
		return nil, err
	}
	p.T0, p.T1 = t0, t1
	ll, err := c.Lambda(l, m, len(times), func() (int, error) {
		q := *p
		q.Times, q.NoDense = times, true
		sol, err := solve.Solve(c.Ctx, &q)
		if err != nil {
			return 0, err
		}
		if f := c.Failure(sol, &q); f != nil {
			return 0, f
		}
		return len(sol.Events), nil
	})
	if err != nil {
		return nil, err
	}
	return ll.Bind(m.C.System, times), nil
}

// lossTimes are the output times of a lambda's loss: those of `t`, or of the data.
func (c *Call) lossTimes() (t0, t1 float64, times []float64, err error) {
	if !c.Has("t") {
		tb, err := c.table("data")
		if err != nil {
			return 0, 0, nil, err
		}
		if tb != nil {
			times, err = c.tableTimes(tb)
			if err != nil {
				return 0, 0, nil, err
			}
			return times[0], times[len(times)-1], times, nil
		}
		return 0, 0, nil, diag.New("E0706", c.SpanOf("loss"), "a loss that is a function needs the times at which the solution is taken, `t`").
			WithHelp("add `t = 0..10 by 0.1`")
	}
	t0, t1, times, err = c.span()
	if err == nil && times == nil {
		return 0, 0, nil, c.Bad("t", "a loss needs fixed output times").WithHelp("write `t = %s..%s by …`", value.Format(t0), value.Format(t1))
	}
	return
}

func gradVerb(c *Call) (value.Value, error) {
	of, err := c.objective()
	if err != nil {
		return nil, err
	}
	how, err := c.adjoint()
	if err != nil {
		return nil, err
	}
	told, err := c.checkpoints(of.p)
	if err != nil {
		return nil, err
	}
	r, g, err := of.gradient(c, how)
	if err != nil {
		return nil, err
	}
	told()
	c.departed(r.Sol)
	for _, t := range gradSlots(of.p.Sys) {
		r.Put(t.Name, &value.Array{Shape: t.Shape, Data: append([]float64(nil), g[t.Off:t.Off+t.Size()]...)})
	}
	return r, nil
}

// adjoints are the words of the option `adjoint`.
func adjoints() []string {
	words := []string{"auto"}
	for _, row := range adjointRows() {
		words = append(words, row.Name)
	}
	return words
}

// adjoint reads the option `adjoint`.
func (c *Call) adjoint() (string, error) {
	if s, ok := c.Args[AdjointOption].(*value.Spec); ok {
		return s.Row.Name, nil
	}
	return c.WordOf("adjoint", "auto", adjoints()...)
}

// departed warns of states integrated backwards that are not those of the solution.
func (c *Call) departed(sol *solve.Solution) {
	if sol == nil || sol.Stats.Departed == "" {
		return
	}
	d := diag.New("E0532", c.SpanOf("adjoint"), "%s: %s", c.Verb.Name, sol.Stats.Departed)
	c.Warn(d.WithHelp("take `adjoint = interpolating` or `quadrature`, which read the states from the solution").AsWarning(), false)
}

// sensitivityVerb gives the derivatives of the states at the output times by parameters and initial values.
func sensitivityVerb(c *Call) (value.Value, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	p, err := c.problem(m)
	if err != nil {
		return nil, err
	}
	if p.T0, p.T1, p.Times, err = c.span(); err != nil {
		return nil, err
	}
	if p.Times == nil {
		return nil, c.Bad("t", "sensitivities need fixed output times").WithHelp("write `t = %s..%s by …`", value.Format(p.T0), value.Format(p.T1))
	}
	sys := m.C.System
	if sys.NoGradient != "" {
		return nil, c.noGradient(sys)
	}
	var slots []*system.ThetaSlot
	if c.Has("wrt") {
		for _, name := range c.names("wrt") {
			t := sys.Find(name, system.RoleParam, system.RoleConst, system.RoleWeight, system.RoleInit)
			if t == nil {
				return nil, c.Bad("wrt", "`%s` is nothing to differentiate by in %s", name, m.Name())
			}
			slots = append(slots, t)
		}
	} else {
		for _, t := range gradSlots(sys) {
			if t.Role == system.RoleParam || t.Role == system.RoleInit {
				slots = append(slots, t)
			}
		}
	}
	out := &value.Record{}
	nt, nx := len(p.Times), sys.NX
	byState := map[string]*value.Record{}
	for _, s := range sys.States {
		byState[s.Name] = &value.Record{}
		out.Put(s.Name, byState[s.Name])
	}
	put := func(t *system.ThetaSlot, at func(i, x, j int) float64) {
		for _, s := range sys.States {
			a := &value.Array{Shape: append(append([]int{nt}, s.Shape...), t.Shape...)}
			for i := range nt {
				for k := range s.Size() {
					for j := range t.Size() {
						a.Data = append(a.Data, at(i, s.Off+k, j))
					}
				}
			}
			byState[s.Name].Put(t.Name, a)
		}
	}
	run := func(th []float64, wrt []int) ([]float64, error) {
		q := *p
		q.Theta = th
		S, sol, err := sens.Sensitivities(c.Ctx, &q, wrt)
		if err != nil {
			return nil, err
		}
		if d := c.Failure(sol, &q); d != nil {
			return nil, d
		}
		return S, nil
	}
	var wrt, initial []int
	inits := false
	for _, t := range slots {
		inits = inits || t.Role == system.RoleInit
		if t.Role != system.RoleInit {
			for k := range t.Size() {
				wrt = append(wrt, t.Off+k)
			}
		}
	}
	if len(wrt) > 0 {
		S, err := run(p.Theta, wrt)
		if err != nil {
			return nil, err
		}
		col := 0
		for _, t := range slots {
			if t.Role != system.RoleInit {
				from := col
				put(t, func(i, x, j int) float64 { return S[(i*nx+x)*len(wrt)+from+j] })
				col += t.Size()
			}
		}
	}
	if !inits {
		return out, nil
	}
	for _, s := range sys.States {
		t := sys.Find(s.Name, system.RoleInit)
		for k := range t.Size() {
			initial = append(initial, t.Off+k)
		}
	}
	fixed := fixInitial(sys, p.Theta, p.T0)
	S, err := run(fixed, initial)
	if err != nil {
		return nil, err
	}
	init := sys.Init.Clone()
	for _, t := range slots {
		if t.Role != system.RoleInit {
			continue
		}
		// What else starts from this initial value moves with it.
		th := given(sys, p.Theta, fixed, t.Name)
		moves := make([][]float64, t.Size())
		for j := range moves {
			dth := make([]float64, sys.NTheta)
			dth[t.Off+j] = 1
			moves[j] = make([]float64, nx)
			init.JVP(moves[j], p.T0, nil, th, 0, nil, dth)
		}
		put(t, func(i, x, j int) float64 {
			v := 0.0
			for k, d := range moves[j] {
				if d != 0 {
					v += d * S[(i*nx+x)*nx+k]
				}
			}
			return v
		})
	}
	return out, nil
}

// names reads a list of names.
func (c *Call) names(arg string) []string {
	var out []string
	switch v := c.Args[arg].(type) {
	case value.Word:
		out = append(out, string(v))
	case value.Text:
		out = append(out, string(v))
	case value.List:
		for _, x := range v {
			switch x := x.(type) {
			case value.Word:
				out = append(out, string(x))
			case value.Text:
				out = append(out, string(x))
			}
		}
	}
	return out
}
