package train

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Objective is a function to be minimised, over variables u without bounds.
type Objective interface {
	// Dim is the length of u.
	Dim() int
	// Eval gives the value at u and, unless g is nil, writes the gradient into g. A trial that
	// fails has the value +Inf, whatever is in g; an error ends the minimisation. When ctx
	// is cancelled Eval returns soon, with an error.
	Eval(ctx context.Context, u, g []float64) (float64, error)
}

// Parts is an objective that can be looked at in parts: mini-batches. Optimisers without line search call Iteration before the
// evaluation of each iteration, from 1, and evaluations are then over that iteration's part, which is a function of stage and iteration;
// the result says whether it is less than all. Iteration 0 means all of it. An optimiser with a line search sees all.
type Parts interface {
	Objective
	Iteration(stage, iter int) (part bool)
}

// Status is how a minimisation ended.
type Status int

// The statuses.
const (
	Done       Status = iota // all iterations were made
	Converged                // a tolerance on the gradient or on the change of the loss is met
	NoProgress               // no lower loss was found from the best point
	Cancelled                // the context was cancelled, or its deadline passed
	Stopped                  // the error over the data that were held out no longer fell
)

var statusNames = [...]string{"done", "converged", "no further progress", "cancelled", "stopped early"}

// String is the status in words.
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusNames) {
		return fmt.Sprintf("status %d", int(s))
	}
	return statusNames[s]
}

// Point is one iteration in the history of a minimisation. Iteration 0 of the first stage is the start.
type Point struct {
	Phase    int     // of a fit in several; 0 of Minimise
	Stage    int     // index into the stages
	Iter     int     // within the stage
	Loss     float64 // +Inf for a failed trial
	Best     float64 // the lowest loss so far, in the phase
	GradNorm float64 // Euclidean, before clipping, in the optimiser's variables; NaN after a failed trial
	Rate     float64 // the learning rate, or the length of a line search's step in units of its direction
	Held     float64 // the loss over the data that were held out, with early stopping; else NaN
	Note     string  // what was unusual
}

// Progress is what a callback is told after each iteration.
type Progress struct {
	Point
	Start     int    // of a fit from several, from 0
	Starts    int    // how many there are; 0 of one
	Phases    int    // how many there are; 0 of Minimise
	Method    string // what the phase is: "shooting to t = 1905"
	Optimiser string // of the stage: "adam"
	Stages    int    // how many there are
	Total     int    // iterations of the stage at most
	Evals     int    // of the objective, so far
	Elapsed   time.Duration

	// Made of All iterations lie behind, over all stages, phases and starts; a stage that converges counts as made. Left is the time that the
	// rest would take at the pace of the last iterations: at most, since stages may converge. 0 while that is not known.
	Made, All int
	Left      time.Duration
	each      time.Duration // an iteration takes lately
}

// NonFiniteStart is the error of an objective that has no finite value, or no finite gradient,
// where the minimisation starts.
type NonFiniteStart struct {
	Value    float64
	Gradient bool // the value is finite, the gradient is not
	Index    int  // of the first component of the gradient that is not
}

// Error says what is not finite.
func (e *NonFiniteStart) Error() string {
	if e.Gradient {
		return fmt.Sprintf("the loss is %v at the start, but component %d of its gradient is not finite", e.Value, e.Index+1)
	}
	return fmt.Sprintf("the loss is %v at the start; training needs a start where it is finite", e.Value)
}

// run is a minimisation under way. All evaluations go through it, so that the best point ever
// seen is kept, whatever an optimiser does next.
type run struct {
	ctx   context.Context
	obj   Objective
	pace  pace
	set   Settings
	n     int
	start time.Time

	best, bestG []float64
	fbest       float64
	// partial says that evaluations are over a part of the data: then the best point is the last one, since losses of different parts do not
	// compare. from and ffrom are where the stage began, over all data.
	partial bool
	from    []float64
	ffrom   float64

	stages  []Stage
	stage   int
	evals   int
	iters   int
	history []Point
	failed  failures

	early early

	state  func(*ledger) // what the optimiser of the stage keeps between iterations
	book   ledger
	resume *Snapshot // to be filled in by the stage that it was taken in; nil once that is done
}

// eval evaluates the objective and its gradient. The value is finite or +Inf; a gradient that is not finite counts as a
// failed trial, since no optimiser can go on from it.
func (r *run) eval(u, g []float64) (float64, error) {
	if err := r.ctx.Err(); err != nil {
		return math.NaN(), err
	}
	r.evals++
	f, err := r.obj.Eval(r.ctx, u, g)
	if err != nil {
		return math.NaN(), err
	}
	if f-f != 0 {
		r.fail(f, -1)
		return math.Inf(1), nil
	}
	if i := firstBad(g); i >= 0 {
		r.fail(f, i)
		return math.Inf(1), nil
	}
	r.seen(f, u, g)
	return f, nil
}

// values evaluates the objective alone at several points. They do not count as seen, since the best point has a gradient.
func (r *run) values(us [][]float64, f []float64) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	r.evals += len(us)
	if err := valuesOf(r.ctx, r.obj, us, f); err != nil {
		return err
	}
	bad := -1
	for k, v := range f {
		if v-v != 0 {
			if f[k] = math.Inf(1); bad >= 0 {
				r.failed.N++
			}
			bad = k
		}
	}
	if bad >= 0 {
		// Once more, alone, to see why: of several evaluated at a time nobody can tell.
		v, err := r.obj.Eval(r.ctx, us[bad], nil)
		if err != nil {
			return err
		}
		r.fail(v, -1)
	}
	return nil
}

// seen keeps a point that is better than all before.
func (r *run) seen(f float64, u, g []float64) {
	if f < r.fbest || r.partial {
		r.fbest = f
		copy(r.best, u)
		copy(r.bestG, g)
	}
}

// iteration chooses the part of the data for an iteration.
func (r *run) iteration(iter int) {
	if p, ok := r.obj.(Parts); ok {
		if now := p.Iteration(r.stage, iter); now && !r.partial {
			r.from, r.ffrom = append(r.from[:0], r.best...), r.fbest
			r.partial = true
		}
	}
}

// settle ends a stage over parts of the data: its end is evaluated over all of them. If it is worse than where the stage began, that is
// what comes back.
func (r *run) settle(ctx context.Context) error {
	if !r.partial {
		return nil
	}
	r.obj.(Parts).Iteration(r.stage, 0)
	r.partial = false
	u := append([]float64(nil), r.best...)
	at := r.ctx
	r.ctx = ctx
	defer func() { r.ctx = at }()
	g := make([]float64, r.n)
	r.fbest = math.Inf(1)
	if _, err := r.eval(u, g); err != nil {
		return err
	}
	if r.fbest <= r.ffrom {
		return nil
	}
	r.fbest = math.Inf(1)
	_, err := r.eval(r.from, g)
	return err
}

// toBest writes the best point and its gradient into u and g and gives its loss.
func (r *run) toBest(u, g []float64) float64 {
	copy(u, r.best)
	copy(g, r.bestG)
	return r.fbest
}

// note records an iteration, which has come to u, and tells the callbacks. The optimiser must be ready for the next one, since
// its state is written down here. An error ends the minimisation.
func (r *run) note(p Point, u []float64) (err error) {
	p.Stage, p.Best = r.stage, r.fbest
	if p.Held, err = r.look(u); err != nil {
		return err
	}
	if p.Iter > 0 {
		r.iters++
	}
	p.Note = r.failed.say(p.Note)
	r.history = append(r.history, p)
	if r.set.Snapshot != nil {
		r.snapshot(p)
	}
	if r.set.Progress != nil {
		s := &r.stages[r.stage]
		g := Progress{Point: p, Optimiser: s.Optimiser.Name, Stages: len(r.stages), Total: s.Iters(),
			Evals: r.evals, Elapsed: time.Since(r.start), Made: p.Iter, All: itersOf(r.stages)}
		g.Made += itersOf(r.stages[:r.stage])
		g.each = r.pace.tick(p)
		g.left(1)
		r.set.Progress(g)
	}
	if r.over() {
		return errEarly
	}
	return nil
}

// firstBad is the first component that is not finite, −1 for none.
func firstBad(g []float64) int {
	for i, v := range g {
		if v-v != 0 {
			return i
		}
	}
	return -1
}

// norm2 is the Euclidean norm, safe from overflow.
func norm2(g []float64) float64 {
	m := normInf(g)
	if m == 0 || math.IsInf(m, 1) {
		return m
	}
	s := 0.0
	for _, v := range g {
		s += (v / m) * (v / m)
	}
	return m * math.Sqrt(s)
}

func normInf(g []float64) float64 {
	m := 0.0
	for _, v := range g {
		m = math.Max(m, math.Abs(v))
	}
	return m
}
