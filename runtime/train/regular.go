package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/udl-lang/udl/runtime/system"
)

// Regularisation: a price on large values of what is free, added to the loss. Each is a sum of squares of smooth
// functions, so that every optimiser can take it, least squares too. l1 has a kink at 0, which is rounded off over a
// width eps: values that it presses below eps are as good as 0, but not 0.
//
// A. E. Hoerl, R. W. Kennard, Technometrics 12 (1970), 55–67; R. Tibshirani, Journal of the Royal Statistical Society B
// 58 (1996), 267–288; P. Charbonnier, L. Blanc-Féraud, G. Aubert, M. Barlaud, IEEE Transactions on Image
// Processing 6 (1997), 298–311, for the rounding √(θ² + ε²) − ε.

// Regulariser is one row of the table of regularisers.
type Regulariser struct {
	Name    string
	Doc     string
	Cite    string
	Options []Option

	// root is a function of a value whose square is the price in units of the weight, and its derivative.
	root func(th, eps float64) (v, d float64)
}

var optPrice = Option{Name: "weight", Default: "1e-4", Doc: "what it counts beside the loss", Min: 0, Max: math.MaxFloat64}

// regularisers is THE list of regularisers.
var regularisers = [...]Regulariser{
	{Name: "l1", Doc: "Price on the magnitude of each value, weight*abs(v), which presses those that do little towards 0. The kink at 0 is rounded off over a width eps, so that values below eps count as 0.",
		Cite: "R. Tibshirani, Journal of the Royal Statistical Society B 58 (1996), 267-288; P. Charbonnier et al., IEEE Transactions on Image Processing 6 (1997), 298-311",
		Options: []Option{optPrice,
			{Name: "eps", Default: "1e-4", Doc: "width of the rounding, in units of the parameter's start as it was given; where that is 0 of the distance between its bounds, else 1; of a weight in its own", Min: 1e-12, Max: math.MaxFloat64}},
		root: func(th, eps float64) (float64, float64) {
			q := math.Hypot(th, eps)
			r := math.Sqrt(q + eps)
			return th / r, r / (2 * q)
		}},
	{Name: "l2", Doc: "Price on the square of each value, weight*v^2.",
		Cite:    "A. E. Hoerl, R. W. Kennard, Technometrics 12 (1970), 55-67",
		Options: []Option{optPrice},
		root:    func(th, _ float64) (float64, float64) { return th, 1 }},
}

// Regularisers lists the regularisers. The slice is the caller's.
func Regularisers() []Regulariser { return append([]Regulariser(nil), regularisers[:]...) }

// Regular is a price on what is free.
type Regular struct {
	Name   string // of a parameter, an unknown, an array of weights, or a state for its initial value
	Kind   string // of the table: "l1", "l2"
	Values map[string]float64
}

// priced is a Regular on one variable.
type priced struct {
	k           int // the variable
	row         *Regulariser
	weight, eps float64
}

// price finds the variables that prices are on. The error is *NameError or *OptionError.
func (f *fitting) price() error {
	for _, x := range f.spec.Regularise {
		var row *Regulariser
		e := &OptionError{Optimiser: x.Kind, Reason: "there is no such regulariser"}
		for i := range regularisers {
			e.Known = append(e.Known, regularisers[i].Name)
			if regularisers[i].Name == x.Kind {
				row = &regularisers[i]
			}
		}
		if row == nil {
			return e
		}
		if err := checkOptions(x.Kind, row.Options, x.Values); err != nil {
			return err
		}
		of, err := slotsOf(f.spec.Sys, x.Name)
		if e := (*NameError)(nil); errors.As(err, &e) {
			e.Price = true
		}
		if err != nil {
			return err
		}
		found := false
		for k := range f.trial.vars {
			v := &f.trial.vars[k]
			if !of(v.index) {
				continue
			}
			found = true
			f.priced = append(f.priced, priced{k, row, optionValue(row.Options, x.Values, "weight"), f.unit(v) * optionValue(row.Options, x.Values, "eps")})
		}
		if !found {
			return &NameError{Name: x.Name, Reason: "it is not free", Price: true}
		}
	}
	return nil
}

// unit is the magnitude of a variable that a rounding is a share of: that of the start that was given, also for starts that are drawn, so that
// all are fitted at the same price.
func (f *fitting) unit(v *variable) float64 {
	if v.weight {
		return 1
	}
	given := f.spec.given
	if given == nil {
		given = f.spec.Theta
	}
	if given == nil {
		given = f.spec.Sys.Defaults()
	}
	start, largest := 0.0, 0.0
	if v.index < len(given) {
		start = given[v.index]
	}
	list := f.spec.trajectories()
	if v.own {
		start = f.trial.value1(v)
	} else if len(list) == 1 {
		if i := slices.Index(list[0].Index, v.index); i >= 0 {
			start = list[0].Values[i]
		}
	}
	for _, x := range f.free {
		if !slices.Contains(x.Index, v.index) {
			continue
		}
		for _, i := range x.Index {
			if !v.own && i < len(given) {
				largest = math.Max(largest, math.Abs(given[i]))
			}
		}
	}
	if v.two() && math.Abs(start) < smallScale && largest < smallScale {
		return v.Hi - v.Lo
	}
	return (&Free{}).scale(start, largest, math.Inf(-1), math.Inf(1))
}

// slotsOf says which entries of θ a name means.
func slotsOf(sys *system.System, name string) (func(i int) bool, error) {
	var slots []*system.ThetaSlot
	for i := range sys.Theta {
		s := &sys.Theta[i]
		switch s.Role {
		case system.RoleParam, system.RoleInit:
			if s.Name == name {
				slots = append(slots, s)
			}
		case system.RoleWeight:
			if s.Name == name || s.Owner == name {
				slots = append(slots, s)
			}
		}
	}
	if slots == nil {
		return nil, unknownName(sys, name)
	}
	return func(i int) bool {
		for _, s := range slots {
			if i >= s.Off && i < s.Off+s.Size() {
				return true
			}
		}
		return false
	}, nil
}

// penalty is the sum of all prices where θ stands.
func (f *fitting) penalty() float64 {
	sum := 0.0
	for _, p := range f.priced {
		v, _ := p.row.root(f.trial.value1(&f.trial.vars[p.k]), p.eps)
		sum += p.weight * v * v
	}
	return sum
}

// regularised is a phase with prices added. The first variables of every phase are those of the fit.
type regularised struct {
	phase
	vars   []variable
	priced []priced
}

var (
	_ LeastSquares = (*regularised)(nil)
	_ Parts        = (*regularised)(nil)
)

// objective is a phase as it is minimised. Collocation compares slopes, not values: prices that are meant beside a loss
// over data would not be the same beside that.
func (f *fitting) objective(p phase) Objective {
	if len(f.priced) == 0 || p.plan().method == "collocation" {
		return p
	}
	return &regularised{p, f.trial.vars, f.priced}
}

// Eval implements Objective.
func (o *regularised) Eval(ctx context.Context, u, g []float64) (float64, error) {
	f, err := o.phase.Eval(ctx, u, g)
	if err != nil || f-f != 0 {
		return f, err
	}
	for _, p := range o.priced {
		t := &o.vars[p.k]
		v, d := p.row.root(t.Value(u[p.k]), p.eps)
		f += p.weight * v * v
		if g != nil {
			g[p.k] += 2 * p.weight * v * d * t.Slope(u[p.k])
		}
	}
	return f, nil
}

// Squares implements LeastSquares.
func (o *regularised) Squares() (int, string) {
	l, ok := o.phase.(LeastSquares)
	if !ok {
		return 0, fmt.Sprintf("it needs a sum of squares, and %s is none", o.plan().method)
	}
	rows, why := l.Squares()
	if rows > 0 {
		rows += len(o.priced)
	}
	return rows, why
}

// Offset implements Shifted.
func (o *regularised) Offset() float64 {
	if s, ok := o.phase.(Shifted); ok {
		return s.Offset()
	}
	return 0
}

// Residuals implements LeastSquares.
func (o *regularised) Residuals(ctx context.Context, u, r []float64) (bool, error) {
	m := len(r) - len(o.priced)
	for i, p := range o.priced {
		v, _ := p.row.root(o.vars[p.k].Value(u[p.k]), p.eps)
		r[m+i] = math.Sqrt(p.weight) * v
	}
	return o.phase.(LeastSquares).Residuals(ctx, u, r[:m])
}

// Jacobian implements LeastSquares.
func (o *regularised) Jacobian(ctx context.Context, u, j []float64) (bool, error) {
	n := len(u)
	m := len(j)/n - len(o.priced)
	clear(j[m*n:])
	for i, p := range o.priced {
		t := &o.vars[p.k]
		_, d := p.row.root(t.Value(u[p.k]), p.eps)
		j[(m+i)*n+p.k] = math.Sqrt(p.weight) * d * t.Slope(u[p.k])
	}
	return o.phase.(LeastSquares).Jacobian(ctx, u, j[:m*n])
}

// Iteration implements Parts.
func (o *regularised) Iteration(stage, iter int) bool {
	p, ok := o.phase.(Parts)
	return ok && p.Iteration(stage, iter)
}
