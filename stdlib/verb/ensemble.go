package verb

import (
	"errors"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/ensemble"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// vary is one quantity of an ensemble: where it lies in θ, and its values member by member.
type vary struct {
	slot  *system.ThetaSlot
	state bool
	draw  func(r *rand.Rand) float64 // nil: values are given
	given []float64                  // n × size
	at    diag.Span
}

func ensembleVerb(c *Call) (value.Value, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	rec, ok := c.Args["vary"].(*value.Record)
	if !ok || len(rec.Keys) == 0 {
		return nil, c.Bad("vary", "`vary` must be a record, this is %s", value.Describe(c.Args["vary"])).WithHelp("write `vary = {x: normal(1, 0.1)}`")
	}
	n, err := c.Int("n", 0)
	if err != nil {
		return nil, err
	}
	if c.Has("n") && n < 1 {
		return nil, c.Bad("n", "`n` must be a whole number from 1, this is %d", n)
	}
	var list []vary
	for i := range rec.Keys {
		v, err := c.varied(m, rec, i, "vary")
		if err != nil {
			return nil, err
		}
		size := v.slot.Size()
		switch x := rec.Vals[i].(type) {
		case *value.Spec:
			if v.draw, err = c.sampler(x); err != nil {
				return nil, err
			}
		case *value.Array:
			members := 0
			switch {
			case len(x.Shape) == 1 && size == 1:
				members = x.Shape[0]
			case len(x.Shape) == 1+len(v.slot.Shape) && len(x.Data) == x.Shape[0]*size:
				members = x.Shape[0]
			default:
				return nil, diag.New("E0714", v.at, "`%s` needs one value for each member, this is %s", rec.Keys[i], value.Describe(x)).
					WithHelp("write a distribution, `normal(1, 0.1)`, or a list; what all members share is given by `set`")
			}
			if n == 0 {
				n = members
			}
			if members != n {
				return nil, diag.New("E0714", v.at, "`%s` has values for %d members, the ensemble has %d", rec.Keys[i], members, n)
			}
			v.given = x.Data
		default:
			return nil, diag.New("E0714", v.at, "`%s` must be a distribution or a list of values, this is %s", rec.Keys[i], value.Describe(rec.Vals[i])).
				WithHelp("for example `normal(1, 0.1)`")
		}
		list = append(list, v)
	}
	if n == 0 {
		return nil, diag.New("E0706", c.Span, "`ensemble` needs `n`, the number of members").WithHelp("for example `n = 1000`")
	}
	return c.together(m, list, n, nil)
}

func sweepVerb(c *Call) (value.Value, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	rec, ok := c.Args["over"].(*value.Record)
	if !ok || len(rec.Keys) == 0 {
		return nil, c.Bad("over", "`over` must be a record, this is %s", value.Describe(c.Args["over"])).WithHelp("write `over = {k: [0.1, 0.2, 0.5]}`")
	}
	var list []vary
	var axes [][]float64
	var grid []int
	n := 1
	for i, key := range rec.Keys {
		v, err := c.varied(m, rec, i, "over")
		if err != nil {
			return nil, err
		}
		if v.slot.Size() != 1 {
			return nil, diag.New("E0714", v.at, "`%s` is an array, and a sweep goes over numbers", key).WithHelp("`ensemble` takes arrays, a row for each member")
		}
		var axis []float64
		switch x := rec.Vals[i].(type) {
		case *value.Array:
			axis = x.Data
		case *value.Range:
			axis = x.Points()
		}
		if len(axis) == 0 {
			return nil, diag.New("E0714", v.at, "`%s` must be a list of values or a range with a step, this is %s", key, value.Describe(rec.Vals[i])).
				WithHelp("for example `%s: 1..3 by 0.5`", key)
		}
		if n > value.MaxPoints/len(axis) {
			return nil, c.Bad("over", "these are more than %d members", value.MaxPoints)
		}
		n *= len(axis)
		list, axes, grid = append(list, v), append(axes, axis), append(grid, len(axis))
	}
	for k := range list {
		list[k].given = make([]float64, n)
	}
	for i := range n { // row-major: the last quantity runs fastest
		at := i
		for k := len(axes) - 1; k >= 0; k-- {
			list[k].given[i] = axes[k][at%len(axes[k])]
			at /= len(axes[k])
		}
	}
	return c.together(m, list, n, grid)
}

// varied finds what a key names.
func (c *Call) varied(m *value.Model, rec *value.Record, i int, option string) (vary, error) {
	v := vary{at: c.SpanOf(option)}
	if i < len(rec.Span) {
		v.at = rec.Span[i]
	}
	var err error
	if v.slot, v.state, err = settable(m, rec.Keys[i]); err != nil {
		d := diag.New("E0714", v.at, "%v", err)
		var se *setError
		if errors.As(err, &se) && se.help != "" {
			d.WithHelp("%s", se.help)
		}
		return v, d
	}
	return v, nil
}

// together runs the members.
func (c *Call) together(m *value.Model, list []vary, n int, grid []int) (value.Value, error) {
	p, ch, err := c.problem(m)
	if err != nil {
		return nil, err
	}
	q := &ensemble.Problem{Sys: p.Sys, Method: p.Method, N: n, Theta: p.Theta, Rtol: p.Rtol, Atol: p.Atol, Step: p.Step, Hmax: p.Hmax,
		MaxSteps: p.MaxSteps, MaxMemory: p.MaxMemory}
	if q.T0, q.T1, q.Times, err = c.span(); err != nil {
		return nil, err
	}
	if q.Times == nil {
		q.Times = []float64{q.T0, q.T1} // members step each in their own way, so the steps are no common times
	}
	if q.Threads, err = c.Int("threads", 0); err != nil {
		return nil, err
	}
	if q.Threads < 0 {
		return nil, c.Bad("threads", "`threads` must be a whole number from 1, this is %d", q.Threads)
	}
	seed, err := c.seed()
	if err != nil {
		return nil, err
	}
	e := &value.Ensemble{Prob: q, Model: m, Grid: grid, Solver: ch.rk.Name, Why: ch.why}
	width := 0
	for _, v := range list {
		width += v.slot.Size()
	}
	if limit := q.MaxMemory; limit > 0 && q.Bytes()+8*float64(n)*float64(width) > float64(limit) {
		return nil, c.tooLarge(q.Bytes()+8*float64(n)*float64(width), limit)
	}
	q.Values = make([]float64, n*width)
	col := 0
	for _, v := range list {
		size := v.slot.Size()
		slot := v.slot.Slot
		slot.Off = col
		e.Varied = append(e.Varied, slot)
		for k := range size {
			q.Vary = append(q.Vary, v.slot.Off+k)
		}
		if flag := q.Sys.Find(v.slot.Name, system.RoleFlag); flag != nil && (v.state || v.slot.Role == system.RoleConst) {
			q.Theta[flag.Off] = 1
		}
		if err := v.fill(q.Values[col:], n, width, seed); err != nil {
			return nil, err
		}
		col += size
	}
	if c.Progress != nil && !c.Quiet {
		q.Progress = func(done int) {
			c.Progress(Progress{What: c.Verb.Name + " of " + m.Name(), Iter: done, Total: n, Loss: math.NaN(), Best: math.NaN()})
		}
	}
	e.Res, err = ensemble.Run(c.Ctx, q)
	if q.Progress != nil {
		c.Progress(Progress{What: c.Verb.Name + " of " + m.Name(), Done: true})
	}
	var large *ensemble.MemoryError
	switch {
	case errors.As(err, &large):
		return nil, c.tooLarge(large.Bytes, large.Limit)
	case err != nil && c.Ctx.Err() != nil:
		return nil, diag.New("E0504", c.Span, "%s: stopped before all members were done", c.Verb.Name)
	case err != nil:
		return nil, err
	}
	if e.Res.Failed > 0 {
		c.Warn(diag.New("E0507", c.Span, "%s: %d of %d members stopped early (%s)", c.Verb.Name, e.Res.Failed, n, e.Reasons()).
			WithHelp("statistics leave them out; `.status` says how each ended").AsWarning(), e.Res.Failed == n)
	}
	return e, nil
}

func (c *Call) tooLarge(bytes float64, limit int64) error {
	return diag.New("E0506", c.Span, "%s: the trajectories would take %.3g bytes, more than the limit of %d", c.Verb.Name, bytes, limit).
		WithHelp("take fewer members or fewer output times")
}

// fill writes the values of a quantity, one row of the table for each member; every member has a stream of its own for every quantity,
// so that its numbers do not depend on how many members there are, nor on what else varies.
func (v *vary) fill(table []float64, n, width int, seed uint64) error {
	h := fnv.New64a()
	h.Write([]byte(v.slot.Name))
	name, size := h.Sum64(), v.slot.Size()
	for i := range n {
		row := table[i*width:][:size]
		if v.draw == nil {
			copy(row, v.given[i*size:])
		} else {
			r := rand.New(rand.NewPCG(seed^name, uint64(i)))
			r.Uint64() // neighbouring seeds part after the first number
			for k := range row {
				row[k] = v.draw(r)
			}
		}
		for _, x := range row {
			switch {
			case math.IsNaN(x):
				return diag.New("E0714", v.at, "`%s` of member %d is not a number", v.slot.Name, i+1)
			case x < v.slot.Lo || x > v.slot.Hi:
				d := diag.New("E0714", v.at, "`%s` of member %d is %s, outside its bounds %s..%s", v.slot.Name, i+1, value.Short(x, 6), value.Format(v.slot.Lo), value.Format(v.slot.Hi))
				if v.draw != nil {
					d.WithHelp("take a distribution that stays within, such as `uniform(%s, %s)` or a lognormal", value.Format(v.slot.Lo), value.Format(v.slot.Hi))
				}
				return d
			}
		}
	}
	return nil
}

// sampler gives the draws of a distribution.
func (c *Call) sampler(s *value.Spec) (func(r *rand.Rand) float64, error) {
	row, ok := samplers[s.Row.Name]
	if !ok {
		return nil, diag.New("E0714", s.Span, "`%s` cannot be drawn from here", s.Row.Name).WithHelp("these can: %s", strings.Join(sortedNames(samplers), ", "))
	}
	var p []float64
	for _, par := range s.Row.Params {
		a, ok := s.Args[par.Name].(*value.Array)
		if !ok || len(a.Data) != 1 {
			return nil, diag.New("E0714", s.Span, "`%s` of `%s` must be a number, this is %s", par.Name, s.Row.Name, value.Describe(s.Args[par.Name]))
		}
		p = append(p, a.Data[0])
	}
	for k, name := range row.positive {
		if name != "" && !(p[k] > 0 && !math.IsInf(p[k], 0)) {
			return nil, diag.New("E0714", s.Span, "`%s` of `%s` must be positive, this is %s", name, s.Row.Name, value.Format(p[k]))
		}
	}
	if s.Row.Name == "uniform" && !(p[0] < p[1]) {
		return nil, diag.New("E0714", s.Span, "`uniform` needs lo < hi, these are %s and %s", value.Format(p[0]), value.Format(p[1]))
	}
	return func(r *rand.Rand) float64 { return row.draw(r, p) }, nil
}

// sampling is how a distribution is drawn from.
type sampling struct {
	positive []string // parameters that must be positive, in their places
	draw     func(r *rand.Rand, p []float64) float64
}

// samplers has a row for each continuous distribution.
var samplers = map[string]sampling{
	"normal":      {[]string{"", "sd"}, func(r *rand.Rand, p []float64) float64 { return p[0] + p[1]*r.NormFloat64() }},
	"lognormal":   {[]string{"", "sd"}, func(r *rand.Rand, p []float64) float64 { return math.Exp(p[0] + p[1]*r.NormFloat64()) }},
	"uniform":     {nil, func(r *rand.Rand, p []float64) float64 { return p[0] + (p[1]-p[0])*r.Float64() }},
	"exponential": {[]string{"rate"}, func(r *rand.Rand, p []float64) float64 { return r.ExpFloat64() / p[0] }},
	"half_normal": {[]string{"sd"}, func(r *rand.Rand, p []float64) float64 { return math.Abs(p[0] * r.NormFloat64()) }},
	"cauchy":      {[]string{"", "scale"}, func(r *rand.Rand, p []float64) float64 { return p[0] + p[1]*standardCauchy(r) }},
	"half_cauchy": {[]string{"scale"}, func(r *rand.Rand, p []float64) float64 { return math.Abs(p[0] * standardCauchy(r)) }},
	"gamma":       {[]string{"shape", "rate"}, func(r *rand.Rand, p []float64) float64 { return standardGamma(r, p[0]) / p[1] }},
	"inverse_gamma": {[]string{"shape", "scale"}, func(r *rand.Rand, p []float64) float64 {
		return p[1] / standardGamma(r, p[0])
	}},
	"beta": {[]string{"a", "b"}, func(r *rand.Rand, p []float64) float64 {
		x, y := standardGamma(r, p[0]), standardGamma(r, p[1])
		return x / (x + y)
	}},
	"student_t": {[]string{"df", "", "scale"}, func(r *rand.Rand, p []float64) float64 {
		return p[1] + p[2]*r.NormFloat64()/math.Sqrt(standardGamma(r, p[0]/2)*2/p[0])
	}},
}

func standardCauchy(r *rand.Rand) float64 { return math.Tan(math.Pi * (r.Float64() - 0.5)) }

// standardGamma draws from the gamma distribution of a shape and rate 1.
//
// G. Marsaglia, W. W. Tsang, A simple method for generating gamma variables, ACM Transactions on Mathematical Software 26 (2000), 363–372.
func standardGamma(r *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return standardGamma(r, shape+1) * math.Pow(1-r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	k := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + k*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < 0.5*x*x+d*(1-v+math.Log(v)) {
			return d * v
		}
	}
}

func quantileVerb(c *Call) (value.Value, error) {
	e, ok := c.Args["ensemble"].(*value.Ensemble)
	if !ok {
		return nil, c.Bad("ensemble", "`quantile` needs an ensemble, this is %s", value.Describe(c.Args["ensemble"]))
	}
	q, err := c.Number("p", 0.5)
	if err != nil {
		return nil, err
	}
	if !(q >= 0 && q <= 1) {
		return nil, c.Bad("p", "`p` must lie in 0..1, this is %s", value.Format(q))
	}
	return e.Quantile(q), nil
}
