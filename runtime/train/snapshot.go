package train

import (
	"fmt"
	"slices"
	"time"
)

// Snapshot is the complete state of a minimisation between two iterations. Minimise goes on from it,
// on the same objective with the same stages, to the same bits as if it had never stopped.
type Snapshot struct {
	Phase     int    // of a fit in several; Minimise leaves it 0
	Stage     int    // index into the stages
	Optimiser string // of that stage
	Iter      int    // iterations of that stage that are made; 0 for the start
	Iters     int    // over all stages
	Evals     int    // of the objective
	Elapsed   time.Duration

	Best     []float64 // the best point so far
	BestGrad []float64 // the gradient there
	BestLoss float64

	// From is where a stage of mini-batches began, with its loss over all data: what comes back if it ends worse; nil of other stages.
	From     []float64
	FromLoss float64

	// Held is, with early stopping, the point that met the held-out data best, with its loss over them and the iterations since.
	Held      []float64
	HeldLoss  float64
	HeldSince int

	History []Point
	// Failed are the trials that failed, of a fit in all its phases, with the first and the last in words.
	Failed                  int
	FirstFailed, LastFailed string
	Arrays                  []Array // what the optimiser keeps, in an order of its own; none at the start

	// Starts are, of a fit from several, the states of all, nil of one that has not begun; the rest is then that of the best.
	Starts []*Snapshot

	// Done are, of a fit, the phases that lie behind, and Before their history; Iters, Evals, Elapsed and History are those of
	// the phase under way.
	Done   []PhaseReport
	Before []Point
	// Kept is what the phase under way holds beside its variables.
	Kept []Array
	// Theta is, of a fit, θ where the phase under way began: what the phase does not move has its values from those before.
	Theta []float64
	// Values gives, of a fit, θ at the best point, length NTheta, valid during the callback.
	Values func() []float64
}

// Array is one piece of an optimiser's state: a vector, a matrix row by row, or a number.
type Array struct {
	Name   string
	Values []float64
}

// Clone is a copy that shares no memory: what a callback keeps beyond its call.
func (s *Snapshot) Clone() *Snapshot {
	if s == nil {
		return nil
	}
	c := *s
	c.Best, c.BestGrad, c.History = slices.Clone(s.Best), slices.Clone(s.BestGrad), slices.Clone(s.History)
	c.From, c.Held = slices.Clone(s.From), slices.Clone(s.Held)
	c.Done, c.Before, c.Theta = slices.Clone(s.Done), slices.Clone(s.Before), slices.Clone(s.Theta)
	if s.Values != nil {
		th := slices.Clone(s.Values())
		c.Values = func() []float64 { return th }
	}
	c.Starts = nil
	for _, x := range s.Starts {
		c.Starts = append(c.Starts, x.Clone())
	}
	c.Arrays, c.Kept = cloneArrays(s.Arrays), cloneArrays(s.Kept)
	return &c
}

func cloneArrays(list []Array) []Array {
	out := make([]Array, len(list))
	for i, a := range list {
		out[i] = Array{a.Name, slices.Clone(a.Values)}
	}
	return out
}

// copyTo makes c what s is, in memory of c's own, which it uses again. Histories only grow, and what is in them stays, so these are shared: a copy after
// each iteration would take the square of the iterations.
func (s *Snapshot) copyTo(c *Snapshot) {
	was := *c
	*c = *s
	c.Best, c.BestGrad = again(was.Best, s.Best), again(was.BestGrad, s.BestGrad)
	c.From, c.Held, c.Theta = again(was.From, s.From), again(was.Held, s.Held), again(was.Theta, s.Theta)
	c.Arrays, c.Kept = arraysAgain(was.Arrays, s.Arrays), arraysAgain(was.Kept, s.Kept)
	if s.Values != nil {
		th := slices.Clone(s.Values())
		c.Values = func() []float64 { return th }
	}
}

// again is a copy of from, in the memory of to if that is large enough; nil of nil.
func again(to, from []float64) []float64 {
	if from == nil {
		return nil
	}
	return append(to[:0], from...)
}

func arraysAgain(to, from []Array) []Array {
	out := to[:0]
	for i, a := range from {
		var v []float64
		if i < len(to) {
			v = to[i].Values
		}
		out = append(out, Array{a.Name, again(v, a.Values)})
	}
	return out
}

// SnapshotError is a snapshot that belongs to another minimisation.
type SnapshotError struct{ Reason string }

// Error says what does not fit.
func (e *SnapshotError) Error() string {
	return "the minimisation cannot go on from this snapshot: " + e.Reason
}

// fits checks what can be checked without the optimiser.
func (s *Snapshot) fits(n int, stages []Stage) error {
	bad := func(format string, args ...any) error { return &SnapshotError{fmt.Sprintf(format, args...)} }
	switch {
	case len(s.Best) != n || len(s.BestGrad) != n || len(s.From) > 0 && len(s.From) != n || len(s.Held) > 0 && len(s.Held) != n:
		return bad("it is of %d variables, there are %d", len(s.Best), n)
	case s.Stage < 0 || s.Stage >= len(stages):
		return bad("it was taken in stage %d, there are %d", s.Stage+1, len(stages))
	case s.Optimiser != stages[s.Stage].Optimiser.Name:
		return bad("stage %d was %s, it is %s now", s.Stage+1, s.Optimiser, stages[s.Stage].Optimiser.Name)
	case s.Iter < 0 || len(s.History) == 0:
		return bad("it has no history")
	}
	return nil
}

// ledger goes through the state of an optimiser, to write it down or to fill it in, so that one
// function of each optimiser says what its state is.
type ledger struct {
	from  []Array // nil: write down
	at    int
	out   []Array
	cells []float64 // of numbers in out
	err   error
}

// vec is a vector, written down without a copy.
func (l *ledger) vec(name string, v []float64) {
	if l.from == nil {
		l.out = append(l.out, Array{name, v})
		return
	}
	if l.err != nil {
		return
	}
	if l.at >= len(l.from) || l.from[l.at].Name != name || len(l.from[l.at].Values) != len(v) {
		l.err = &SnapshotError{fmt.Sprintf("it lacks %d values of %s", len(v), name)}
		return
	}
	copy(v, l.from[l.at].Values)
	l.at++
}

// num is a number.
func (l *ledger) num(name string, v *float64) {
	if l.from == nil {
		l.cells = append(l.cells, *v)
		l.vec(name, l.cells[len(l.cells)-1:len(l.cells):len(l.cells)])
		return
	}
	var one [1]float64
	if l.vec(name, one[:]); l.err == nil {
		*v = one[0]
	}
}

// whole is a whole number.
func (l *ledger) whole(name string, v *int) {
	f := float64(*v)
	l.num(name, &f)
	*v = int(f)
}

// flag is a truth value.
func (l *ledger) flag(name string, v *bool) {
	f := 0
	if *v {
		f = 1
	}
	l.whole(name, &f)
	*v = f != 0
}

// keep makes state what snapshots of this stage hold. Where the minimisation goes on from a snapshot of
// this stage, state is filled in, and made are the iterations that lie behind; else made is 0.
func (r *run) keep(state func(*ledger)) (made int, err error) {
	r.state = state
	s := r.resume
	r.resume = nil
	if s == nil || s.Iter == 0 {
		return 0, nil
	}
	l := &ledger{from: s.Arrays}
	state(l)
	if l.err == nil && l.at != len(l.from) {
		l.err = &SnapshotError{fmt.Sprintf("%s has no %s", s.Optimiser, l.from[l.at].Name)}
	}
	return s.Iter, l.err
}

// snapshot hands the state to the callback.
func (r *run) snapshot(p Point) {
	r.book.out, r.book.cells = r.book.out[:0], r.book.cells[:0]
	if p.Iter > 0 {
		r.state(&r.book)
	}
	s := &Snapshot{Stage: r.stage, Optimiser: r.stages[r.stage].Optimiser.Name, Iter: p.Iter, Iters: r.iters, Evals: r.evals,
		Elapsed: time.Since(r.start), Best: r.best, BestGrad: r.bestG, BestLoss: r.fbest, History: r.history, Arrays: r.book.out}
	if r.partial {
		s.From, s.FromLoss = r.from, r.ffrom
	}
	s.Held, s.HeldLoss, s.HeldSince = r.early.best, r.early.loss, r.early.since
	s.Failed, s.FirstFailed, s.LastFailed = r.failed.N, r.failed.First, r.failed.Last
	r.set.Snapshot(s)
}

// restore puts a run where a snapshot was taken.
func (r *run) restore(s *Snapshot) {
	copy(r.best, s.Best)
	copy(r.bestG, s.BestGrad)
	r.fbest, r.history = s.BestLoss, slices.Clone(s.History)
	r.stage, r.iters, r.evals = s.Stage, s.Iters, s.Evals
	r.start = time.Now().Add(-s.Elapsed)
	r.early = early{slices.Clone(s.Held), s.HeldLoss, s.HeldSince}
	r.failed.Failures = Failures{s.Failed, s.FirstFailed, s.LastFailed}
	if r.resume = s; len(s.From) > 0 {
		r.partial, r.from, r.ffrom = true, slices.Clone(s.From), s.FromLoss
	}
}
