package verb

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/runtime/discover"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// An unknown function is known along the trajectory that it was trained on, and nowhere else: there it is sampled, and the
// regression says which terms it looks like. Where the model was fitted to data, what looks alike is told apart by the data.

// maxRefit is how many coefficients are held against data: each solve has as many sensitivities.
const maxRefit = 300

// minPoints is how many points of a trajectory are looked at, at least.
const minPoints = 200

func (c *Call) discoverUnknown(m *value.Model) (value.Value, error) {
	u, err := c.theUnknown(m)
	if err != nil {
		return nil, err
	}
	if c.Has("derivatives") {
		return nil, c.Bad("derivatives", "an unknown function is sampled where its model has been: no derivatives are taken").
			WithHelp("leave `derivatives` out, or look for equations of the data themselves, `discover(data, over = […])`")
	}
	set, err := c.regression()
	if err != nil {
		return nil, err
	}
	inputs, err := c.overOf(scalarInputs(u), u.Inputs...)
	if err != nil {
		return nil, err
	}
	exprs, err := c.basisOf("basis", inputs)
	if err != nil {
		return nil, err
	}
	if err := c.otherMeaning(m.C.Syntax(), paramNames(u), exprs, "basis"); err != nil {
		return nil, err
	}
	d := &value.Discovered{Of: u.Name, Outs: outNames(u), Inputs: paramNames(u), Begin: m}
	args, n, err := c.alongTrajectories(m, u)
	if err != nil {
		return nil, err
	}
	ys, err := c.learnedAt(m, u, args, n)
	if err != nil {
		return nil, err
	}
	all := scalarInputs(u)
	var x [][]float64
	for _, in := range inputs {
		x = append(x, args[slices.IndexFunc(all, func(a input) bool { return a.name == in.name })])
	}
	exprs, cols, notes, err := c.terms(exprs, inputs, x, n)
	if err != nil {
		return nil, err
	}
	lib, exprs, cols, more, err := c.fitting(m, u, exprs, cols)
	if err != nil {
		return nil, err
	}
	d.Notes = append(notes, more...)
	if _, k := readable(u); k > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("`%s` is also called with an expression; what it is there was not looked at: give it a name, `let z = …`", u.Name))
	}
	c.library(d, exprs)
	theta := matrix(cols, n)
	alike(d, theta, n)
	refit, note, err := c.refits(m, set)
	if err != nil {
		return nil, err
	}
	if note != "" {
		d.Notes = append(d.Notes, note)
	}
	if k := len(exprs) * len(d.Outs); refit != nil && k > maxRefit {
		if c.Has("refit") {
			return nil, c.Bad("refit", "%d coefficients are too many to be held against data, more than %d", k, maxRefit).WithHelp("take fewer candidate terms, or leave `refit` out")
		}
		d.Notes = append(d.Notes, fmt.Sprintf("%d coefficients were not held against the data, but against what the unknown has learned; up to %d are", k, maxRefit))
		refit = nil
	}
	learned := func(set discover.Settings) (rs []*discover.Result, err error) {
		for o := range d.Outs {
			r, err := discover.Regress(c.Ctx, &discover.Data{X: theta, Y: ys[o], N: n, P: len(exprs), Series: true}, set)
			if err != nil {
				return nil, c.discoverError(err, d, o)
			}
			rs = append(rs, r)
		}
		return rs, nil
	}
	if refit != nil {
		var begin []*discover.Result
		if set.Method != "best_subset" { // those the search on the data begins with anyway
			alone := set
			alone.Ensemble = 0
			if begin, err = learned(alone); err != nil {
				return nil, err
			}
		}
		err = c.againstData(d, m, lib, u, refit, begin, theta, ys, n, set)
		var no *sens.RefusedError
		switch {
		case errors.As(err, &no) && !c.Has("refit"):
			d.Notes = append(d.Notes, "the terms were not held against the data: "+no.Error())
			d.Noisy, refit = nil, nil
		case err != nil:
			return nil, c.discoverError(err, d, 0)
		}
	}
	if refit == nil {
		rs, err := learned(set)
		if err != nil {
			return nil, err
		}
		d.Proved = true
		for o, r := range rs {
			take(d, &r.Model)
			cancelled(d, r, o)
			d.Proved = d.Proved && r.Proved
			d.Sigma = append(d.Sigma, r.RMS(&discover.Data{N: n}))
			d.Noisy = append(d.Noisy, d.Outs[o])
			if r.Inclusion != nil {
				d.Chances = append(d.Chances, r.Inclusion)
			}
		}
		d.Path = pathOf(d, rs)
	}
	if d.Model, err = c.replaced(m, u, &replacement{d.Inputs, c.foundFormula(d)}, "from"); err != nil {
		return nil, err
	}
	d.Move(d.Model)
	d.Model.Kept = true
	return d, nil
}

// theUnknown is the unknown that is meant.
func (c *Call) theUnknown(m *value.Model) (*model.Unknown, error) {
	name, err := c.TextOf("unknown", "")
	if err != nil {
		return nil, err
	}
	if name == "" {
		us := m.C.Model.Unknowns
		if len(us) == 1 {
			return us[0], nil
		}
		var names []string
		for _, u := range us {
			names = append(names, u.Name)
		}
		d := diag.New("E0706", c.Span, "`discover` needs to know which unknown function of %s is meant", m.Name())
		if len(names) == 0 {
			return nil, d.WithHelp("the model has none; for equations of its states give a solution, `discover(solve(%s, …))`", m.Name())
		}
		return nil, d.WithHelp("it has: %s", join(names))
	}
	return c.unknownOf(m, name, "unknown")
}

func outNames(u *model.Unknown) []string {
	if len(u.Outs) > 0 {
		return u.Outs
	}
	if u.NOut == 1 {
		return []string{u.Name}
	}
	return system.Names([]system.Slot{{Name: u.Name, Shape: u.Shape}})
}

// alongTrajectories gives the inputs of an unknown at points along the solution, or along those of all trajectories of the fit,
// scalar by scalar; where it is called several times, those of all calls.
func (c *Call) alongTrajectories(m *value.Model, u *model.Unknown) (args [][]float64, n int, err error) {
	if c.Has("t") || m.Fit == nil || len(m.Fit.Trajectories) == 0 {
		return c.alongTrajectory(m, nil, u)
	}
	args = make([][]float64, len(u.Inputs))
	for _, tr := range m.Fit.Trajectories {
		own, k, err := c.alongTrajectory(tr.Model, &value.Fit{Times: tr.Times, Solved: m.Fit.Solved}, u)
		if err != nil {
			return nil, 0, err
		}
		for i := range args {
			args[i] = append(args[i], own[i]...)
		}
		n += k
	}
	return args, n, nil
}

// alongTrajectory is that of one; fit nil stands for the model's.
func (c *Call) alongTrajectory(m *value.Model, fit *value.Fit, u *model.Unknown) (args [][]float64, n int, err error) {
	if fit == nil {
		fit = m.Fit
	}
	p := &solve.Problem{Sys: m.C.System, Theta: m.Theta}
	var times []float64
	switch {
	case c.Has("t"):
		if p.T0, p.T1, times, err = c.span(); err != nil {
			return nil, 0, err
		}
		p.Rtol, p.Atol = defaultRtol, defaultAtol
	case fit != nil:
		*p = fit.Solved
		p.Sys, p.Theta = m.C.System, m.Theta
		t := fit.Times
		p.T0, p.T1 = t[0], t[len(t)-1]
	default:
		return nil, 0, diag.New("E0706", c.Span, "%s was not fitted, so it is not known along which trajectory to look at `%s`", m.Name(), u.Name).WithHelp("say over which times, `t = 0..10`")
	}
	if len(times) < 2 {
		k := max(minPoints, 4*len(times))
		for i := range k + 1 {
			times = append(times, p.T0+(p.T1-p.T0)*float64(i)/float64(k))
		}
		times = times[len(times)-k-1:]
		times[k] = p.T1
	}
	p.Times = times
	sol, err := solve.Solve(c.Ctx, p)
	if err != nil {
		return nil, 0, err
	}
	if !sol.Status.Ended() {
		return nil, 0, c.Failure(sol, p)
	}
	s := &value.Solution{Sol: sol, Model: m, Theta: m.Theta}
	args = make([][]float64, len(u.Inputs))
	calls, _ := readable(u)
	for _, call := range calls {
		own, err := c.inputsAlong(s, u, call)
		if err != nil {
			return nil, 0, err
		}
		for i := range args {
			args[i] = append(args[i], own[i]...)
		}
		n += len(sol.T)
	}
	return args, n, nil
}

// readable are the calls of an unknown all of whose inputs have names, and how many others there are; all, where none has.
func readable(u *model.Unknown) (calls [][]string, others int) {
	for _, call := range u.Calls {
		if slices.Contains(call, "") {
			others++
		} else {
			calls = append(calls, call)
		}
	}
	if len(calls) == 0 {
		return u.Calls, 0
	}
	return calls, others
}

// inputsAlong reads the inputs of one call of an unknown off a solution, scalar by scalar.
func (c *Call) inputsAlong(s *value.Solution, u *model.Unknown, call []string) (args [][]float64, err error) {
	n := len(s.Sol.T)
	for i, name := range call {
		if name == "" {
			return nil, diag.New("E0813", c.Span, "an input of `%s` is an expression, so it cannot be read off the solution", u.Name).
				WithHelp("give it a name in the model, `let z = …`, and call `%s(z)`; elements of an array one by one, `let a = u[1]` and `%s(a)`", u.Name, u.Name)
		}
		v, ok := s.Member(name)
		a, isArray := v.(*value.Array)
		if !ok || !isArray {
			return nil, diag.New("E0813", c.Span, "`%s`, an input of `%s`, cannot be read off the solution", name, u.Name)
		}
		// The element: how many scalars before this one are of the same argument.
		k := 0
		for j := i - 1; j >= 0 && call[j] == name && sameArg(u, i, j); j-- {
			k++
		}
		col := make([]float64, n)
		width := len(a.Data) / n
		for r := range col {
			if len(a.Data) < n || len(a.Shape) == 0 { // a parameter
				col[r] = a.Data[k%len(a.Data)]
			} else {
				col[r] = a.Data[r*width+k]
			}
		}
		args = append(args, col)
	}
	return args, nil
}

// sameArg says whether two scalars are elements of one input.
func sameArg(u *model.Unknown, i, j int) bool {
	for k := range u.Params {
		lo := offset(u, k)
		hi := lo + u.Params[k].Shape.Size()
		if i >= lo && i < hi {
			return j >= lo && j < hi
		}
	}
	return false
}

// learnedAt evaluates the unknown at points, output by output.
func (c *Call) learnedAt(m *value.Model, u *model.Unknown, args [][]float64, n int) ([][]float64, error) {
	f := &value.Learned{Model: m, Unknown: u}
	out := make([][]float64, u.NOut)
	for o := range out {
		out[o] = make([]float64, n)
	}
	scalar := true
	for _, p := range u.Params {
		scalar = scalar && p.Shape.IsScalar()
	}
	eval := func(arrays []value.Value) (*value.Array, error) {
		names := map[string]value.Value{"f": f}
		e := &ast.Call{Fun: &ast.Ident{Name: "f"}}
		for i, a := range arrays {
			name := fmt.Sprintf("a%d", i)
			names[name] = a
			e.Args = append(e.Args, &ast.Arg{Value: &ast.Ident{Name: name}})
		}
		v, err := c.Eval(e, names)
		if err != nil {
			return nil, err
		}
		return v.(*value.Array), nil
	}
	put := func(a *value.Array, from int) {
		for i := range len(a.Data) / u.NOut {
			for o := range out {
				out[o][from+i] = a.Data[i*u.NOut+o]
			}
		}
	}
	if scalar {
		var arrays []value.Value
		for _, col := range args {
			arrays = append(arrays, value.Vec(col))
		}
		a, err := eval(arrays)
		if err != nil {
			return nil, err
		}
		put(a, 0)
		return out, nil
	}
	for i := range n {
		var arrays []value.Value
		for k, p := range u.Params {
			x := &value.Array{Shape: p.Shape}
			for j := range p.Shape.Size() {
				x.Data = append(x.Data, args[offset(u, k)+j][i])
			}
			arrays = append(arrays, x)
		}
		a, err := eval(arrays)
		if err != nil {
			return nil, err
		}
		put(a, i)
	}
	return out, nil
}

// fitting makes the model with all terms in the unknown's place, and leaves out those that do not fit there by their units.
func (c *Call) fitting(m *value.Model, u *model.Unknown, exprs []ast.Expr, cols [][]float64) (lib *value.Model, kept []ast.Expr, keptCols [][]float64, notes []string, err error) {
	with := func(list []ast.Expr) (*value.Model, error) {
		sums := make([][]coefTerm, u.NOut)
		for o := range sums {
			for _, e := range list {
				sums[o] = append(sums[o], coefTerm{term: e})
			}
		}
		return c.replaced(m, u, &replacement{paramNames(u), c.formulaFrom(paramNames(u), sums)}, "basis")
	}
	if lib, err = with(exprs); err == nil {
		return lib, exprs, cols, nil, nil
	}
	for k, e := range exprs {
		_, bad := with([]ast.Expr{e})
		if bad == nil {
			kept, keptCols = append(kept, e), append(keptCols, cols[k])
			continue
		}
		l := diag.From(bad)
		if len(l) == 0 {
			return nil, nil, nil, nil, bad
		}
		if !strings.Contains(l[0].Message, "unit") {
			return nil, nil, nil, nil, diag.New("E0810", c.termSpan(e), "the term `%s` cannot stand in a model: %s", ast.ExprString(e), strings.TrimPrefix(l[0].Message, "the formula does not fit in the place of `"+u.Name+"`: "))
		}
		notes = append(notes, fmt.Sprintf("`%s` is left out for its units: %s", ast.ExprString(e), strings.TrimPrefix(l[0].Message, "the formula does not fit in the place of `"+u.Name+"`: ")))
	}
	if len(kept) == 0 {
		return nil, nil, nil, nil, c.Bad("basis", "no term fits in the place of `%s`", u.Name).WithHelp("%s", strings.Join(notes, "; "))
	}
	lib, err = with(kept)
	return lib, kept, keptCols, notes, err
}

// discoverError gives an error of a search its code and place.
func (c *Call) discoverError(err error, d *value.Discovered, out int) error {
	if len(diag.From(err)) > 0 || c.Ctx.Err() != nil {
		return err
	}
	if e, ok := err.(*discover.NotFinite); ok && e.Term < 0 {
		return diag.New("E0813", c.Span, "`%s` is %s at one of the points", d.Outs[out], value.Format(e.Value)).WithHelp("take times in which it is a number, by `t`")
	}
	return diag.New("E0813", c.Span, "%v", err)
}
