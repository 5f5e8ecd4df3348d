package verb

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/runtime/discover"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// An unknown function is known along the trajectory that it was trained on, and nowhere else: there it is sampled, and the
// regression says which terms it looks like. Where the model was fitted to data, what looks alike is told apart by the data.

// minPoints is how many points of a trajectory are looked at, at least.
const minPoints = 200

func (c *Call) discoverUnknown(m *value.Model) (value.Value, error) {
	u, err := c.theUnknown(m)
	if err != nil {
		return nil, err
	}
	set, err := c.regression()
	if err != nil {
		return nil, err
	}
	inputs, err := c.overOf(scalarInputs(u))
	if err != nil {
		return nil, err
	}
	exprs, err := c.basisOf("basis", inputs)
	if err != nil {
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
	c.library(d, exprs)
	theta := matrix(cols, n)
	refit, err := c.refits(m, set)
	if err != nil {
		return nil, err
	}
	var rs []*discover.Result
	for o := range d.Outs {
		if refit != nil && set.Method == "best_subset" {
			break // the search on the data begins with the best subsets anyway
		}
		r, err := discover.Regress(c.Ctx, &discover.Data{X: theta, Y: ys[o], N: n, P: len(exprs), Series: true}, set)
		if err != nil {
			return nil, c.discoverError(err, d, o)
		}
		rs = append(rs, r)
	}
	if refit == nil {
		d.Proved = true
		for o, r := range rs {
			take(d, &r.Model)
			d.Proved = d.Proved && r.Proved
			d.Sigma = append(d.Sigma, r.RMS(&discover.Data{N: n}))
			d.Noisy = append(d.Noisy, d.Outs[o])
			if r.Inclusion != nil {
				d.Chances = append(d.Chances, r.Inclusion)
			}
		}
		d.Path = pathOf(d, rs)
	}
	var moved map[int]float64
	if refit != nil {
		if moved, err = c.againstData(d, m, lib, u, refit, rs, theta, ys, n, set); err != nil {
			return nil, err
		}
	}
	if d.Model, err = c.replaced(m, u, &replacement{d.Inputs, foundFormula(d)}, "from"); err != nil {
		return nil, err
	}
	// What was estimated together with the coefficients goes with them.
	for i, v := range moved {
		for _, s := range lib.C.System.Theta {
			if i < s.Off || i >= s.Off+s.Size() {
				continue
			}
			if to := d.Model.C.System.Find(s.Name, s.Role); to != nil {
				d.Model.Theta[to.Off+i-s.Off] = v
			}
		}
	}
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
// scalar by scalar.
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
	n = len(sol.T)
	for i, name := range u.Inputs {
		if name == "" {
			return nil, 0, diag.New("E0813", c.Span, "an input of `%s` is an expression, so it cannot be read off the solution", u.Name).
				WithHelp("give it a name in the model, `let z = …`, and call `%s(z)`", u.Name)
		}
		v, ok := s.Member(name)
		a, isArray := v.(*value.Array)
		if !ok || !isArray {
			return nil, 0, diag.New("E0813", c.Span, "`%s`, an input of `%s`, cannot be read off the solution", name, u.Name)
		}
		// The element: how many scalars before this one are of the same argument.
		k := 0
		for j := i - 1; j >= 0 && u.Inputs[j] == name && sameArg(u, i, j); j-- {
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
	return args, n, nil
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
		return c.replaced(m, u, &replacement{paramNames(u), formulaFrom(sums)}, "basis")
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

// refits says what data candidates are to be held against; nil where they are not.
func (c *Call) refits(m *value.Model, set discover.Settings) (*train.Spec, error) {
	want, err := c.Truth("refit", true)
	if err != nil || !want {
		return nil, err
	}
	why := ""
	switch f := m.Fit; {
	case f == nil:
		why = "the model was not fitted"
	case f.Spec == nil || f.Spec.Data == nil && f.Spec.Trajectories == nil:
		why = "the model was fitted by a loss of its own, not to data"
	case f.Spec.Compare.Kind != "" && f.Spec.Compare.Kind != "sse" && f.Spec.Compare.Kind != "mse":
		why = "the model was fitted by " + f.Spec.Compare.Kind + ", and this compares by squares"
	case set.Criterion == "cv":
		why = "terms are chosen by cross-validation, which is of samples"
	case set.Robust:
		why = "`robust` is of samples"
	default:
		return f.Spec, nil
	}
	if c.Has("refit") {
		return nil, c.Bad("refit", "candidates cannot be held against data: %s", why).WithHelp("leave `refit` out")
	}
	return nil, nil
}

// againstData chooses terms by holding candidates against the data; it gives the values of what else was estimated, by its place in
// θ of lib.
func (c *Call) againstData(d *value.Discovered, m, lib *value.Model, u *model.Unknown, spec *train.Spec, rs []*discover.Result, theta []float64, ys [][]float64, n int, set discover.Settings) (map[int]float64, error) {
	sys, err := lib.C.System, error(nil)
	free := coefficients(sys, u.Name)
	p, outs := len(d.Texts), len(d.Outs)
	if len(free) != p*outs {
		return nil, fmt.Errorf("%d coefficients for %d terms", len(free), p*outs)
	}
	for _, f := range freeBeside(sys, spec.Free, u.Name) {
		if f.Weight {
			d.Notes = append(d.Notes, fmt.Sprintf("the weights `%s` were held while terms were chosen", f.Name))
			continue
		}
		free = append(free, f)
	}
	// The same comparison with the other model: what was free stays free, and the trajectories' own values stay theirs.
	s := *spec
	s.Sys, s.Free, s.Theta = sys, free, append([]float64(nil), lib.Theta...)
	s.AutoScale, s.Methods, s.Stages, s.Progress, s.Snapshot, s.Resume = nil, nil, nil, nil, nil, nil
	s.Problem.Sys, s.Problem.Theta = sys, nil
	if s.Trajectories, err = trajectoriesOf(m, lib, spec); err != nil {
		return nil, err
	}
	comp, err := train.NewComparison(s)
	if err != nil {
		return nil, err
	}
	curve := &discover.Curve{Res: comp, Terms: p, Outs: outs, Start: comp.Start()}
	rtol := s.Problem.Rtol
	if rtol == 0 {
		rtol = defaultRtol
	}
	groups(curve, d, comp.Columns(), spec.Compare.Log, rtol)
	guesses := make([]*discover.Guesser, outs)
	for o := range outs {
		guesses[o] = discover.NewGuesser(&discover.Data{X: theta, Y: ys[o], N: n, P: p})
	}
	curve.Guess = func(s []int) []float64 {
		out := make([]float64, len(s))
		for o := range outs {
			var at, own []int
			for i, j := range s {
				if j/p == o {
					at, own = append(at, i), append(own, j%p)
				}
			}
			for k, v := range guesses[o].Coef(own) {
				out[at[k]] = v
			}
		}
		return out
	}
	seeds, err := discover.Seeds(c.Ctx, guesses, rs)
	if err != nil {
		return nil, err
	}
	f, err := curve.Search(c.Ctx, seeds, set)
	if err != nil {
		return nil, c.discoverError(err, d, 0)
	}
	d.Found = make([][]value.Term, outs)
	for i, j := range f.Set {
		d.Found[j/p] = append(d.Found[j/p], value.Term{At: j % p, Coef: f.Coef[i], StdErr: f.StdErr[i]})
	}
	d.Sigma = f.Sigma
	if f.Inclusion != nil {
		for o := range outs {
			d.Chances = append(d.Chances, f.Inclusion[o*p:(o+1)*p])
		}
	}
	d.Path = curvePath(d, f, p)
	moved := map[int]float64{}
	for k := p * outs; k < comp.Dim(); k++ {
		if i, own := comp.Entry(k); !own {
			moved[i] = comp.At(k, f.V[k])
		}
	}
	return moved, nil
}

// trajectoriesOf are those of a fit, for the model with all terms: the same data and values, each with the inputs that it has.
func trajectoriesOf(m, lib *value.Model, spec *train.Spec) ([]train.Trajectory, error) {
	old, now := m.C.System, lib.C.System
	out := slices.Clone(spec.Trajectories)
	for k := range out {
		tr := &out[k]
		tr.Sys = nil
		if m.Fit.Trajectories != nil {
			if s := m.Fit.Trajectories[k].Model.C.Signals(); len(s) > 0 {
				own, err := lib.C.WithSignals(s)
				if err != nil {
					return nil, err
				}
				tr.Sys = own.System
			}
		}
		index, values := tr.Index, tr.Values
		tr.Index, tr.Values = nil, nil
		for n, i := range index {
			for _, s := range old.Theta {
				if i < s.Off || i >= s.Off+s.Size() {
					continue
				}
				if to := now.Find(s.Name, s.Role); to != nil && to.Size() == s.Size() {
					tr.Index, tr.Values = append(tr.Index, to.Off+i-s.Off), append(tr.Values, values[n])
				}
			}
		}
	}
	return out, nil
}

// groups says which data share a noise: those of a column by its name, or all, where the loss weighs them; and how fine the solver is.
func groups(curve *discover.Curve, d *value.Discovered, columns []*train.Column, log bool, rtol float64) {
	weighted := slices.ContainsFunc(columns, func(k *train.Column) bool { return k.Weight != 0 && k.Weight != 1 })
	at := map[string]int{}
	for _, col := range columns {
		name := col.Name
		if weighted {
			name = "all data"
		}
		g, ok := at[name]
		if !ok {
			g = len(at)
			at[name] = g
			d.Noisy = append(d.Noisy, name)
			size := 1.0
			if !log {
				sum, num := 0.0, 0.0
				for _, v := range col.Values {
					if v == v {
						sum, num = sum+v*v, num+1
					}
				}
				size = math.Sqrt(sum / math.Max(num, 1))
			}
			curve.Floor = append(curve.Floor, 10*rtol*size)
		}
		curve.Groups = append(curve.Groups, g)
	}
}

// coefficients are the parameters of a formula, in their order.
func coefficients(sys *system.System, unknown string) (out []train.Free) {
	for i := range sys.Theta {
		if s := &sys.Theta[i]; s.Owner == unknown && s.Role == system.RoleWeight {
			out = append(out, train.Free{Name: s.Name, Index: []int{s.Off}, Lo: math.Inf(-1), Hi: math.Inf(1)})
		}
	}
	return out
}

// freeBeside is what a fit had free beside the weights of an unknown, in another model of the same names.
func freeBeside(sys *system.System, free []train.Free, unknown string) (out []train.Free) {
	add := func(s *system.ThetaSlot, lo, hi float64) {
		f := train.Free{Name: s.Name, Lo: lo, Hi: hi, Weight: s.Role == system.RoleWeight && len(s.Shape) > 0}
		for k := range s.Size() {
			f.Index = append(f.Index, s.Off+k)
		}
		out = append(out, f)
	}
	if free == nil {
		for i := range sys.Theta {
			if s := &sys.Theta[i]; (s.Role == system.RoleParam || s.Role == system.RoleWeight) && s.Owner != unknown {
				add(s, s.Lo, s.Hi)
			}
		}
		return out
	}
	for _, f := range free {
		if strings.HasPrefix(f.Name, unknown+".") {
			continue
		}
		if s := sys.Find(f.Name, system.RoleParam, system.RoleWeight, system.RoleInit); s != nil && s.Size() == len(f.Index) {
			f.Index = nil
			for k := range s.Size() {
				f.Index = append(f.Index, s.Off+k)
			}
			out = append(out, f)
		}
	}
	return out
}

// curvePath is the table of what was held against data.
func curvePath(d *value.Discovered, f *discover.Found, p int) *value.Table {
	size, sse, score, chosen := value.Column{Name: "size"}, value.Column{Name: "sse"}, value.Column{Name: "score"}, value.Column{Name: "chosen"}
	cols := make([]value.Column, len(d.Outs))
	for o, n := range d.Outs {
		cols[o].Name = n
	}
	for i := range f.Path {
		m := &f.Path[i]
		sets := make([][]int, len(d.Outs))
		for _, j := range m.Set {
			sets[j/p] = append(sets[j/p], j%p)
		}
		for o := range cols {
			cols[o].Text = append(cols[o].Text, termList(d, sets[o]))
		}
		size.Values = append(size.Values, float64(len(m.Set)))
		sse.Values = append(sse.Values, m.RSS)
		score.Values = append(score.Values, m.Score)
		chosen.Values = append(chosen.Values, truth(slices.Equal(m.Set, f.Set)))
	}
	return &value.Table{Name: "path", Rows: len(size.Values), Cols: append(cols, size, sse, score, chosen)}
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
