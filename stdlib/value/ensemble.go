package value

import (
	"math"
	"slices"
	"strings"

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
	Grid   []int // the extents of a sweep, in the order of Varied; nil of a drawn ensemble
	Solver string
	Why    string // why that solver

	outs []float64 // members × times × lets, made on demand
}

// Type implements Value.
func (*Ensemble) Type() string { return "an ensemble" }

// Names implements members.
func (e *Ensemble) Names() []string {
	var names []string
	for _, list := range [][]system.Slot{e.sys().States, e.sys().Outs, e.Varied} {
		for _, sl := range list {
			if !slices.Contains(names, sl.Name) {
				names = append(names, sl.Name)
			}
		}
	}
	return append(names, "t", "n", "mean", "sd", "median", "failed", "status", "stats")
}

func (e *Ensemble) sys() *system.System { return e.Model.C.System }

// Member implements members: states and lets (member × time × shape), what varied, statistics over the members.
func (e *Ensemble) Member(name string) (Value, bool) {
	if rows, w, sl, ok := e.find(name); ok {
		return series(rows, e.Res.N*len(e.Res.T), w, sl).reshape(e.Res.N, len(e.Res.T), sl.Shape), true
	}
	for _, sl := range e.Varied {
		if sl.Name == name {
			return series(e.Prob.Values, e.Res.N, len(e.Prob.Vary), sl), true
		}
	}
	switch name {
	case "t":
		return Vec(slices.Clone(e.Res.T)), true
	case "n":
		return Num(float64(e.Res.N)), true
	case "mean":
		return e.over(mean), true
	case "sd":
		return e.over(sd), true
	case "median":
		return e.Quantile(0.5), true
	case "failed":
		return Num(float64(e.Res.Failed)), true
	case "status":
		var l List
		for _, s := range e.Res.Status {
			l = append(l, Text(s.String()))
		}
		return l, true
	case "stats":
		return e.Stats(), true
	}
	return nil, false
}

func (a *Array) reshape(n, nt int, shape []int) *Array {
	a.Shape = append(types.Shape{n, nt}, shape...)
	return a
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

// lets are the named quantities of all members.
func (e *Ensemble) lets() []float64 {
	if e.outs == nil {
		f := e.sys().Output.Clone()
		_, _, w := f.Dims()
		nt := len(e.Res.T)
		out := make([]float64, e.Res.N*nt*w)
		for i := range e.Res.N {
			f.Prepare(e.Theta(i))
			for k, t := range e.Res.T {
				f.Eval(out[(i*nt+k)*w:(i*nt+k+1)*w], t, e.Res.Row(i, k), nil)
			}
		}
		e.outs = out
	}
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

// One is member i, counted from 0, solved again by itself, as a solution.
func (e *Ensemble) One(i int, run func(*solve.Problem) (*solve.Solution, error)) (*Solution, error) {
	p := e.Prob
	th := e.Theta(i)
	sol, err := run(&solve.Problem{Sys: p.Sys, Method: p.Method, T0: p.T0, T1: p.T1, Times: p.Times, Theta: th, Rtol: p.Rtol, Atol: p.Atol,
		Step: p.Step, Hmax: p.Hmax, MaxSteps: p.MaxSteps, MaxMemory: p.MaxMemory})
	if err != nil {
		return nil, err
	}
	return &Solution{Sol: sol, Model: e.Model, Theta: th, Solver: e.Solver, Why: e.Why}, nil
}

// over applies a statistic to the members of every state and let at every time; members that stopped early are left out.
func (e *Ensemble) over(f func(v []float64) float64) *Record {
	r := &Record{}
	nt := len(e.Res.T)
	v := make([]float64, 0, e.Res.N)
	for _, name := range append(names(e.sys().States), names(e.sys().Outs)...) {
		rows, w, sl, _ := e.find(name)
		n := sl.Size()
		a := &Array{Shape: append(types.Shape{nt}, sl.Shape...), Data: make([]float64, nt*n)}
		for k := range nt {
			for j := range n {
				v = v[:0]
				for i := range e.Res.N {
					if e.Res.Status[i] == solve.Done {
						v = append(v, rows[(i*nt+k)*w+sl.Off+j])
					}
				}
				a.Data[k*n+j] = f(v)
			}
		}
		r.Put(name, a)
	}
	return r
}

func names(slots []system.Slot) (n []string) {
	for _, sl := range slots {
		n = append(n, sl.Name)
	}
	return n
}

// Quantile is the q-quantile over the members, linear between the two nearest.
func (e *Ensemble) Quantile(q float64) *Record {
	return e.over(func(v []float64) float64 {
		if len(v) == 0 {
			return math.NaN()
		}
		slices.Sort(v)
		at := q * float64(len(v)-1)
		i := min(int(at), len(v)-1)
		if i+1 == len(v) {
			return v[i]
		}
		return v[i] + (at-float64(i))*(v[i+1]-v[i])
	})
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

// sd is the sample's standard deviation, of n − 1 degrees of freedom; 0 of one member.
func sd(v []float64) float64 {
	if len(v) == 1 {
		return 0
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
	r.Put("solver", Text(e.Solver))
	if e.Why != "" {
		r.Put("why", Text(e.Why))
	}
	st := e.Res.Stats
	r.Put("members", Num(float64(e.Res.N)))
	r.Put("failed", Num(float64(e.Res.Failed)))
	r.Put("steps", Num(float64(st.Steps)))
	r.Put("rejected", Num(float64(st.Rejected)))
	r.Put("evaluations", Num(float64(st.Evals)))
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
		if s != solve.Done {
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
	for _, sl := range e.Varied {
		for j, name := range system.Names([]system.Slot{sl}) {
			if _, _, _, state := e.find(sl.Name); state {
				name += "(0)"
			}
			column(name, sl.Unit, sl.Doc, func(i, _ int) float64 { return e.Prob.Values[i*len(e.Prob.Vary)+sl.Off+j] })
		}
	}
	column("t", e.Model.TimeUnit(), "", func(_, k int) float64 { return e.Res.T[k] })
	for _, name := range append(names(e.sys().States), names(e.sys().Outs)...) {
		rows, w, sl, _ := e.find(name)
		for j, scalar := range system.Names([]system.Slot{sl}) {
			column(scalar, sl.Unit, sl.Doc, func(i, k int) float64 { return rows[(i*nt+k)*w+sl.Off+j] })
		}
	}
	return f
}
