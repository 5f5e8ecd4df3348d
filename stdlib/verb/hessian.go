package verb

import (
	"fmt"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

var hessianRow = verb("hessian", "gradient", "The product of the matrix of second derivatives of a loss with a direction, by name: how the gradient changes along `along`. With `along = {k: 1}` it is a column of that matrix. "+
	"An initial value that is computed from parameters has a part in it only where `along` or `set` names it.",
	"model M { param k = 1; state x = 1; x' = -k*x }\nh = hessian(M, t = 0..1 by 0.1, loss = s -> s.x[end], along = {k: 1})", hessianVerb,
	arg("model", "model", "", ""), optData, arg("along", "record", "", "the direction: numbers, or arrays of the right shape, by the names of parameters, constants, weights and states (their initial values)"),
	optLoss, optT, optMatch, optSolver, optRtol, optAtol, optSetEach, optInputsEach, optSeed, optStep, optSteps)

func hessianVerb(c *Call) (value.Value, error) {
	of, err := c.objective()
	if err != nil {
		return nil, err
	}
	sys := of.p.Sys
	if sys.NoGradient != "" {
		return nil, c.noGradient(sys)
	}
	v, err := c.direction(of.model, sys)
	if err != nil {
		return nil, err
	}
	sum, shown := &value.Gradient{}, map[string]bool{}
	total := make([]float64, sys.NTheta)
	for k, part := range of.parts {
		p := of.problem(k)
		p.Theta = givenInitial(p, v, shown)
		hv := make([]float64, sys.NTheta)
		l, sol, err := sens.HessianVector(c.Ctx, p, part.loss, v, hv)
		if err != nil {
			return nil, err
		}
		if d := c.Failure(sol, p); d != nil {
			return nil, d
		}
		if err := c.finiteLoss(l, part.loss); err != nil {
			return nil, err
		}
		if sum.Loss += part.factor * l; k == 0 {
			sum.Sol = sol
		}
		add(total, part.factor, hv)
	}
	for _, t := range gradSlots(sys) {
		if t.Role != system.RoleInit || shown[t.Name] {
			sum.Put(t.Name, &value.Array{Shape: t.Shape, Data: append([]float64(nil), total[t.Off:t.Off+t.Size()]...)})
		}
	}
	return sum, nil
}

// givenInitial is θ with the initial values given that depend on nothing else, and those that the direction v names; they are noted in shown.
func givenInitial(p *solve.Problem, v []float64, shown map[string]bool) []float64 {
	sys, th := p.Sys, append([]float64(nil), p.Theta...)
	fixed := fixInitial(sys, th, p.T0)
	for _, s := range sys.States {
		t, flag := sys.Find(s.Name, system.RoleInit), sys.Find(s.Name, system.RoleFlag)
		if t == nil || flag == nil {
			continue
		}
		named := false
		for k := range t.Size() {
			named = named || v[t.Off+k] != 0
		}
		if named || th[flag.Off] != 0 || !computed(sys, p.T0, th, s) {
			copy(th[t.Off:t.Off+t.Size()], fixed[t.Off:])
			th[flag.Off], shown[s.Name] = 1, true
		}
	}
	return th
}

// computed says whether the initial value of a state depends on θ.
func computed(sys *system.System, t0 float64, th []float64, s system.Slot) bool {
	init, one, g := sys.Init.Clone(), make([]float64, sys.NX), make([]float64, sys.NTheta)
	for k := range s.Size() {
		one[s.Off+k] = 1
		init.VJP(nil, g, t0, nil, th, one)
		one[s.Off+k] = 0
		for _, v := range g {
			if v != 0 {
				return true
			}
		}
	}
	return false
}

// direction reads `along`.
func (c *Call) direction(m *value.Model, sys *system.System) ([]float64, error) {
	r, ok := c.Args["along"].(*value.Record)
	if !ok || len(r.Keys) == 0 {
		return nil, c.Bad("along", "`along` must be a record of what moves, this is %s", value.Describe(c.Args["along"])).WithHelp("write `along = {k: 1}`")
	}
	v := make([]float64, sys.NTheta)
	for i, key := range r.Keys {
		at := c.SpanOf("along")
		if i < len(r.Span) {
			at = r.Span[i]
		}
		t := sys.Find(key, system.RoleParam, system.RoleConst, system.RoleWeight, system.RoleInit)
		if t == nil {
			d := diag.New("E0714", at, "`%s` is nothing to differentiate by in %s", key, m.Name())
			var known, weights []string
			for _, t := range gradSlots(sys) {
				known = append(known, t.Name)
				if strings.HasPrefix(t.Name, key+".") {
					weights = append(weights, t.Name)
				}
			}
			if len(weights) > 0 {
				return nil, d.WithHelp("`%s` has several arrays; name those that move, with their shapes: %s", key, shapesOf(sys, weights))
			}
			if s := diag.Suggest(key, known); s != "" {
				return nil, d.WithHelp("did you mean `%s`?", s)
			}
			return nil, d.WithHelp("there are: %s", strings.Join(known, ", "))
		}
		a, ok := r.Vals[i].(*value.Array)
		if !ok || len(a.Data) != t.Size() {
			if t.Size() == 1 {
				return nil, diag.New("E0714", at, "`%s` moves along a number, this is %s", key, value.Describe(r.Vals[i])).WithHelp("for example `%s: 1`", key)
			}
			return nil, diag.New("E0714", at, "`%s` moves along an array of %s, this is %s", key, types.Shape(t.Shape), value.Describe(r.Vals[i])).
				WithHelp("give an array of this shape; for one entry alone, 1 there and 0 elsewhere")
		}
		copy(v[t.Off:], a.Data)
	}
	return v, nil
}

// shapesOf lists slots with their shapes.
func shapesOf(sys *system.System, names []string) string {
	var out []string
	for _, name := range names {
		for _, t := range gradSlots(sys) {
			if t.Name == name {
				out = append(out, fmt.Sprintf("%s of %s", name, types.Shape(t.Shape)))
			}
		}
	}
	return strings.Join(out, ", ")
}
