package verb

import (
	"slices"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// objective is what grad, hessian and check_grad differentiate: a loss over one trajectory, or the sum of those over several.
type objective struct {
	model *value.Model
	p     *solve.Problem // what is common to the parts
	parts []part
}

// part is one trajectory: what of its problem is its own, and its loss, which counts by a factor.
type part struct {
	own    func(p *solve.Problem)
	loss   sens.Loss
	factor float64
}

// problem is that of a part.
func (of *objective) problem(k int) *solve.Problem {
	q := *of.p
	if own := of.parts[k].own; own != nil {
		own(&q)
	}
	return &q
}

// objective reads model, data and loss.
func (c *Call) objective() (*objective, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	if c.overData() {
		if err := c.covariates(); err != nil {
			return nil, err
		}
	}
	p, err := c.problem(m)
	if err != nil {
		return nil, err
	}
	if l, ok := c.Args["loss"].(*value.Lambda); ok {
		loss, err := c.lossOf(m, l, p)
		return &objective{m, p, []part{{loss: loss, factor: 1}}}, err
	}
	spec := train.Spec{Sys: m.C.System, Theta: p.Theta, Problem: *p}
	if m, err = c.gather(m, &spec, &value.Fit{}); err != nil {
		return nil, err
	}
	p.Sys, p.Theta = m.C.System, spec.Theta
	of, n := &objective{model: m, p: p}, 0
	for k := range spec.Trajectories {
		tr := &spec.Trajectories[k]
		loss, err := c.dataLoss(tr, spec.Compare)
		if err != nil {
			return nil, err
		}
		n += loss.N()
		times := tr.Data.Times
		of.parts = append(of.parts, part{func(p *solve.Problem) {
			p.Sys, p.T0, p.T1 = tr.Sys, times[0], times[len(times)-1]
			if tr.T0 != nil {
				p.T0 = *tr.T0
			}
			p.Theta = slices.Clone(p.Theta)
			for i, at := range tr.Index {
				p.Theta[at] = tr.Values[i]
			}
		}, loss, 1})
	}
	if l, ok := lossOf(spec.Compare.Kind); ok && l.Mean { // over all values, not over those of each
		for k := range of.parts {
			of.parts[k].factor = float64(of.parts[k].loss.(*train.DataLoss).N()) / float64(n)
		}
	}
	return of, nil
}

// gradient is that of the sum, by everything in θ. The account is that of the first trajectory.
func (of *objective) gradient(c *Call, how string) (out *value.Gradient, sum []float64, err error) {
	for k, part := range of.parts {
		r, g, err := gradient(c, of.problem(k), part.loss, how)
		if err != nil {
			return nil, nil, err
		}
		if len(of.parts) == 1 {
			return r, g, nil
		}
		if k == 0 {
			out, sum = &value.Gradient{Sol: r.Sol}, make([]float64, len(g))
		}
		out.Loss += part.factor * r.Loss
		add(sum, part.factor, g)
	}
	return out, sum, nil
}

// differences are central differences of the sum, and by how much those of several steps disagree.
func (of *objective) differences(c *Call) (sum, apart []float64, err error) {
	sum, apart = make([]float64, of.p.Sys.NTheta), make([]float64, of.p.Sys.NTheta)
	for k, part := range of.parts {
		g, off, err := differences(c, of.problem(k), part.loss)
		if err != nil {
			return nil, nil, err
		}
		add(sum, part.factor, g)
		add(apart, part.factor, off)
	}
	return sum, apart, nil
}

func add(sum []float64, factor float64, g []float64) {
	for i, v := range g {
		sum[i] += factor * v
	}
}
