package value

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/ensemble"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/runtime/trace"
)

// Ensemble is many trajectories of one model, and what each was computed with.
type Ensemble struct {
	Res   *ensemble.Result
	Prob  *ensemble.Problem
	Model *Model
	// Varied are the quantities that differ from member to member: Off counts columns of Prob.Values.
	Varied []system.Slot
	// Follow are parameters and constants that are written in a constant that differs; their columns come after those of Varied.
	Follow []system.Slot
	Grid   []int     // the extents of a sweep, in the order of Varied; nil of a drawn ensemble
	Times  []float64 // output times of a member that is solved by itself; nil: every step

	once sync.Once
	outs []float64 // members × times × lets, made on demand
}

// Type implements Value.
func (*Ensemble) Type() string { return "an ensemble" }

// Names implements members.
func (e *Ensemble) Names() []string {
	var out []string
	for _, name := range append(e.series(), names(e.Varied)...) {
		if name, _, _ = strings.Cut(name, "."); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return append(out, "t", "n", "mean", "sd", "median", "values", "failed", "stopped", "status", "stats")
}

func (e *Ensemble) sys() *system.System { return e.Model.C.System }

// series are the names of what there is at every time: states, then lets.
func (e *Ensemble) series() []string { return append(names(e.sys().States), names(e.sys().Outs)...) }

func names(slots []system.Slot) (n []string) {
	for _, sl := range slots {
		n = append(n, sl.Name)
	}
	return n
}

// Member implements members: states and lets (member × time × shape), what differs (member × shape), what all members share,
// statistics over the members.
func (e *Ensemble) Member(name string) (Value, bool) {
	n, nt := e.Res.N, len(e.Res.T)
	if rows, w, sl, ok := e.find(name); ok {
		a := slot(rows, n*nt, w, sl)
		a.Shape = append(types.Shape{n, nt}, sl.Shape...)
		return a, true
	}
	all := e.Values()
	if v, ok := all.Member(name); ok { // U.W1 too, part by part
		return v, true
	}
	switch name {
	case "t":
		return Vec(slices.Clone(e.Res.T)), true
	case "n":
		return Num(float64(n)), true
	case "mean":
		return &Spread{E: e, What: "mean", of: mean}, true
	case "sd":
		return &Spread{E: e, What: "sd", of: sd}, true
	case "median":
		return e.Quantile(0.5), true
	case "values":
		return all, true
	case "failed":
		return Num(float64(e.Res.Failed)), true
	case "stopped":
		stopped := []float64{}
		for i, s := range e.Res.Status {
			if !s.Ended() {
				stopped = append(stopped, float64(i+1))
			}
		}
		return Vec(stopped), true
	case "status":
		var l List
		for _, s := range e.Res.Status {
			l = append(l, Text(s.String()))
		}
		return l, true
	case "stats":
		return e.Stats(), true
	}
	return ThetaMember(e.sys(), e.Prob.Theta, name)
}

// Values are what differs from member to member, by name: member × shape. What follows a constant that differs is among them.
func (e *Ensemble) Values() *Record {
	r := &Record{}
	for _, sl := range append(slices.Clone(e.Varied), e.Follow...) {
		r.Put(sl.Name, slot(e.Prob.Values, e.Res.N, len(e.Prob.Vary), sl))
	}
	return r
}

// slot is series, without a copy where there is nothing else in the rows: these may be large.
func slot(rows []float64, n, w int, sl system.Slot) *Array {
	if w == sl.Size() {
		return &Array{Shape: append(types.Shape{n}, sl.Shape...), Data: rows}
	}
	return series(rows, n, w, sl)
}

// find gives the rows that hold a state or let, member after member, time after time.
func (e *Ensemble) find(name string) (rows []float64, width int, sl system.Slot, ok bool) {
	for _, sl := range e.sys().States {
		if sl.Name == name {
			return e.Res.X, e.Res.NX, sl, true
		}
	}
	for _, sl := range e.sys().Outs {
		if sl.Name == name {
			_, _, w := e.sys().Output.Dims()
			return e.lets(), w, sl, true
		}
	}
	return nil, 0, sl, false
}

// lets are the named quantities of all members, computed when one is asked for.
func (e *Ensemble) lets() []float64 {
	e.once.Do(func() {
		f := e.sys().Output.Clone()
		_, _, w := f.Dims()
		nt := len(e.Res.T)
		e.outs = make([]float64, e.Res.N*nt*w)
		for i := range e.Res.N {
			f.Prepare(e.Theta(i))
			for k, t := range e.Res.T {
				f.Eval(e.outs[(i*nt+k)*w:(i*nt+k+1)*w], t, e.Res.Row(i, k), nil)
			}
		}
	})
	return e.outs
}

// Theta is θ of a member, counted from 0.
func (e *Ensemble) Theta(i int) []float64 {
	th := slices.Clone(e.Prob.Theta)
	for n, v := range e.Prob.Vary {
		th[v] = e.Prob.Values[i*len(e.Prob.Vary)+n]
	}
	return th
}

// One is member i, counted from 0, solved again by itself, as a solution: it equals the member up to rounding, and is known at all times.
// A fault that stopped it is in the solution.
func (e *Ensemble) One(ctx context.Context, i int) (*Solution, *solve.Problem, error) {
	p := e.Prob
	th := e.Theta(i)
	q := &solve.Problem{Sys: p.Sys, Method: p.Method, T0: p.T0, T1: p.T1, Times: e.Times, Theta: th, Rtol: p.Rtol, Atol: p.Atol,
		Step: p.Step, Hmax: p.Hmax, MaxSteps: p.MaxSteps, MaxMemory: p.MaxMemory}
	sol, err := solve.Solve(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	return &Solution{Sol: sol, Model: e.Model, Theta: th}, q, nil
}

// Curve is one scalar of a state or let of member i, counted from 0, at every time.
func (e *Ensemble) Curve(i int, name string, scalar int) []float64 {
	rows, w, sl, _ := e.find(name)
	out := make([]float64, len(e.Res.T))
	for k := range out {
		out[k] = rows[(i*len(out)+k)*w+sl.Off+scalar]
	}
	return out
}

// Column are statistics over the members of one scalar of a state or let, each at every time; members that stopped early are left out. The
// functions may sort what they are given.
func (e *Ensemble) Column(name string, scalar int, of ...func(v []float64) float64) [][]float64 {
	rows, w, sl, _ := e.find(name)
	nt := len(e.Res.T)
	out := make([][]float64, len(of))
	for i := range out {
		out[i] = make([]float64, nt)
	}
	v := make([]float64, 0, e.Res.N)
	for k := range nt {
		v = v[:0]
		for i := range e.Res.N {
			x := rows[(i*nt+k)*w+sl.Off+scalar]
			switch s := e.Res.Status[i]; {
			case s == solve.Done, s == solve.Stopped && x == x: // a member that an event ended counts until then
				v = append(v, x)
			}
		}
		for i, f := range of {
			out[i][k] = f(v)
		}
	}
	return out
}

// Spread is one statistic over the members of an ensemble, for every state and let at every output time. It is computed when a part is
// asked for: a quantile sorts the members at each time.
type Spread struct {
	E    *Ensemble
	What string // "mean", "90 % quantile"
	of   func(v []float64) float64
}

// Type implements Value.
func (s *Spread) Type() string { return "the " + s.What + " of an ensemble" }

// Names implements members.
func (s *Spread) Names() []string { return append(s.E.series(), "t") }

// Member implements members: times × shape.
func (s *Spread) Member(name string) (Value, bool) {
	if _, _, sl, ok := s.E.find(name); ok {
		n := sl.Size()
		a := &Array{Shape: append(types.Shape{len(s.E.Res.T)}, sl.Shape...), Data: make([]float64, len(s.E.Res.T)*n)}
		for j := range n {
			for k, v := range s.Curve(name, j) {
				a.Data[k*n+j] = v
			}
		}
		return a, true
	}
	if name == "t" {
		return Vec(slices.Clone(s.E.Res.T)), true
	}
	return nil, false
}

// Curve is the statistic of one scalar of a state or let at every time.
func (s *Spread) Curve(name string, scalar int) []float64 { return s.E.Column(name, scalar, s.of)[0] }

// Frame is the statistic as columns: t, the scalars of the states, then of the lets.
func (s *Spread) Frame() *trace.Frame {
	f := &trace.Frame{Columns: []Column{{Name: "t", Unit: s.E.Model.TimeUnit(), Values: s.E.Res.T}}}
	for _, name := range s.E.series() {
		_, _, sl, _ := s.E.find(name)
		for j, scalar := range system.Names([]system.Slot{sl}) {
			f.Columns = append(f.Columns, Column{Name: scalar, Unit: sl.Unit, Doc: sl.Doc, Values: s.Curve(name, j)})
		}
	}
	return f
}

// Quantile is the q-quantile over the members, linear between the two nearest.
func (e *Ensemble) Quantile(q float64) *Spread {
	what := "median"
	if q != 0.5 {
		what = Format(100*q) + " % quantile"
	}
	return &Spread{E: e, What: what, of: Quantile(q)}
}

// Quantile gives the q-quantile of numbers, which it sorts, linear between the two nearest (type 7 of Hyndman and Fan 1996, as in R
// and NumPy); not a number when one is none, or there are none.
func Quantile(q float64) func(v []float64) float64 {
	return func(v []float64) float64 {
		if !slices.IsSorted(v) { // several quantiles of one set sort it once
			slices.Sort(v)
		}
		if len(v) == 0 || math.IsNaN(v[0]) {
			return math.NaN()
		}
		at := q * float64(len(v)-1)
		i := min(int(at), len(v)-1)
		if i+1 == len(v) || v[i] == v[i+1] {
			return v[i]
		}
		return v[i] + (at-float64(i))*(v[i+1]-v[i])
	}
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

// sd is the sample's standard deviation, of n − 1 degrees of freedom; one member has none.
func sd(v []float64) float64 {
	if len(v) < 2 {
		return math.NaN()
	}
	m, s := mean(v), 0.0
	for _, x := range v {
		s += (x - m) * (x - m)
	}
	return math.Sqrt(s / float64(len(v)-1))
}

// Stats is the account of the run.
func (e *Ensemble) Stats() *Record {
	r := &Record{}
	r.Put("solver", Text(e.Res.Solver))
	if e.Res.Chosen != "" {
		r.Put("why", Text(e.Res.Chosen))
	}
	st := e.Res.Stats
	r.Put("members", Num(float64(e.Res.N)))
	r.Put("failed", Num(float64(e.Res.Failed)))
	r.Put("steps", Num(float64(st.Steps)))
	r.Put("rejected", Num(float64(st.Rejected)))
	r.Put("evaluations", Num(float64(st.Evals)))
	if e.Res.Again > 0 {
		r.Put("stiff", Num(float64(e.Res.Again)))
	}
	r.Put("threads", Num(float64(e.Res.Threads)))
	r.Put("lanes", Num(float64(e.Res.Lanes)))
	if e.Res.Why != "" {
		r.Put("why_no_lanes", Text(e.Res.Why))
	}
	backend := "portable"
	if b := e.sys().Backend; b != nil {
		backend = b()
	}
	r.Put("backend", Text(backend))
	return r
}

// Reasons lists how members stopped early, with how many did.
func (e *Ensemble) Reasons() string {
	count := map[string]int{}
	var order []string
	for _, s := range e.Res.Status {
		if !s.Ended() {
			if count[s.String()] == 0 {
				order = append(order, s.String())
			}
			count[s.String()]++
		}
	}
	for i, s := range order {
		order[i] = Format(float64(count[s])) + " " + s
	}
	return strings.Join(order, ", ")
}

// VariedNames are the names of what differs, scalar by scalar, in the order of the first columns of Prob.Values; x(0) is the initial value of x.
func (e *Ensemble) VariedNames() (all []string) {
	for _, sl := range e.Varied {
		for _, name := range system.Names([]system.Slot{sl}) {
			if _, _, _, state := e.find(sl.Name); state {
				name += "(0)"
			}
			all = append(all, name)
		}
	}
	return all
}

// Frame is the ensemble as columns: member, what varied, t, the scalars of the states and lets.
func (e *Ensemble) Frame() *trace.Frame {
	f := &trace.Frame{}
	nt := len(e.Res.T)
	column := func(name, unit, doc string, at func(i, k int) float64) {
		v := make([]float64, 0, e.Res.N*nt)
		for i := range e.Res.N {
			for k := range nt {
				v = append(v, at(i, k))
			}
		}
		f.Columns = append(f.Columns, Column{Name: name, Unit: unit, Doc: doc, Values: v})
	}
	column("member", "", "", func(i, _ int) float64 { return float64(i + 1) })
	varied := e.VariedNames()
	for _, sl := range e.Varied {
		for j := range sl.Size() {
			column(varied[sl.Off+j], sl.Unit, sl.Doc, func(i, _ int) float64 { return e.Prob.Values[i*len(e.Prob.Vary)+sl.Off+j] })
		}
	}
	column("t", e.Model.TimeUnit(), "", func(_, k int) float64 { return e.Res.T[k] })
	for _, name := range e.series() {
		rows, w, sl, _ := e.find(name)
		for j, scalar := range system.Names([]system.Slot{sl}) {
			column(scalar, sl.Unit, sl.Doc, func(i, k int) float64 { return rows[(i*nt+k)*w+sl.Off+j] })
		}
	}
	return f
}
