package verb

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/runtime/discover"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// Candidates are held against the data that a model was fitted to: the same comparison, with the model that has all terms in the
// unknown's place.

// far is how many times farther from data than a smooth curve equations must be for that to be said.
const far = 3.0

// refits says what data candidates are to be held against; nil where they are not, with what is to be said about it.
func (c *Call) refits(m *value.Model, set discover.Settings) (spec *train.Spec, note string, err error) {
	want, err := c.Truth("refit", true)
	if err != nil || !want {
		return nil, "", err
	}
	why := ""
	switch f := m.Fit; {
	case f == nil:
		why = "the model was not fitted"
	case f.Spec == nil || f.Spec.Data == nil && f.Spec.Trajectories == nil:
		why = "the model was fitted by a loss of its own, not to data"
	case squaresOf(f.Spec.Compare).Kind == "":
		why = "the model was fitted by " + f.Spec.Compare.Kind + ", and this compares by squares"
	case set.Criterion == "cv":
		why = "terms are chosen by cross-validation, which is of samples"
	case set.Robust:
		why = "`robust` is of samples"
	default:
		return f.Spec, "", nil
	}
	if c.Has("refit") {
		return nil, "", c.Bad("refit", "candidates cannot be held against data: %s", why).WithHelp("leave `refit` out")
	}
	if m.Fit == nil {
		return nil, "", nil
	}
	return nil, "the terms were held against what the unknown has learned, not against the data: " + why, nil
}

// squaresOf is a comparison as one by squares, whose noise the search estimates by itself: that of a normal likelihood too. Its Kind
// is "" where there is none.
func squaresOf(s train.LossSpec) train.LossSpec {
	switch s.Kind {
	case "", "sse", "mse", "normal":
		return train.LossSpec{Kind: "sse", Log: s.Log}
	case "lognormal":
		return train.LossSpec{Kind: "sse", Log: true}
	}
	return train.LossSpec{}
}

// againstData chooses terms by holding candidates against the data; what else was estimated with them is kept in d.
func (c *Call) againstData(d *value.Discovered, m, lib *value.Model, u *model.Unknown, spec *train.Spec, rs []*discover.Result, theta []float64, ys [][]float64, n int, set discover.Settings) (err error) {
	sys := lib.C.System
	free := coefficients(sys, u.Name)
	p, outs := len(d.Texts), len(d.Outs)
	if len(free) != p*outs {
		return fmt.Errorf("%d coefficients for %d terms", len(free), p*outs)
	}
	held := ""
	for _, f := range freeBeside(sys, spec.Free, u.Name) {
		if f.Weight {
			if of, _, _ := strings.Cut(f.Name, "."); of != held {
				held = of
				d.Notes = append(d.Notes, fmt.Sprintf("the weights of `%s` were held while terms were chosen", of))
			}
			continue
		}
		free = append(free, f)
	}
	// The same comparison with the other model: what was free stays free, and the trajectories' own values stay theirs.
	s := *spec
	s.Sys, s.Free, s.Theta = sys, free, append([]float64(nil), lib.Theta...)
	s.Compare = squaresOf(spec.Compare)
	s.AutoScale, s.Methods, s.Stages, s.Progress, s.Snapshot, s.Resume = nil, nil, nil, nil, nil, nil
	s.Regularise, s.Starts, s.Draw, s.Patience, s.Gradient = nil, 0, nil, 0, ""
	s.Problem.Sys, s.Problem.Theta = sys, nil
	if s.Trajectories, err = trajectoriesOf(m, lib, spec); err != nil {
		return err
	}
	comp, err := train.NewComparison(s)
	if err != nil {
		return err
	}
	curve := &discover.Curve{Res: comp, Terms: p, Outs: outs, Start: comp.Start()}
	rtol := s.Problem.Rtol
	if rtol == 0 {
		rtol = defaultRtol
	}
	groups(curve, d, comp.Columns(), s.Compare.Log, rtol)
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
		return err
	}
	f, err := curve.Search(c.Ctx, seeds, set)
	if err != nil {
		return err
	}
	d.Found = make([][]value.Term, outs)
	for i, j := range f.Set {
		d.Found[j/p] = append(d.Found[j/p], value.Term{At: j % p, Coef: f.Coef[i], StdErr: f.StdErr[i]})
	}
	d.Sigma = f.Sigma
	rough := comp.Rough()
	for g, name := range d.Noisy {
		if r, ok := rough[name]; ok && f.Sigma[g] > far*r+curve.Floor[g] {
			d.Notes = append(d.Notes, fmt.Sprintf("`%s` lies %.2g times farther from these equations than from a smooth curve: the training that they begin with may have ended badly (its loss is %s), or the basis lacks a term", name, f.Sigma[g]/r, value.Short(m.Fit.Result.Loss, 4)))
			break
		}
	}
	if f.Inclusion != nil {
		for o := range outs {
			d.Chances = append(d.Chances, f.Inclusion[o*p:(o+1)*p])
		}
	}
	d.Path = curvePath(d, f, p)
	for k := p * outs; k < comp.Dim(); k++ {
		i, own := comp.Entry(k)
		if own {
			continue
		}
		for _, sl := range sys.Theta {
			if i >= sl.Off && i < sl.Off+sl.Size() {
				d.Moved = append(d.Moved, value.Moved{Name: sl.Name, Role: sl.Role, At: i - sl.Off, Value: comp.At(k, f.V[k])})
			}
		}
	}
	return nil
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
