package ensemble

import (
	"math"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// attemptsAtOnce is how often lanes step before somebody looks whether one is at its end. A lane that has ended waits that long at most.
const attemptsAtOnce = 6

// statuses are the solver's names for how a lane ended.
var statuses = [...]solve.Status{system.LaneDone: solve.Done, system.LaneMaxSteps: solve.MaxSteps,
	system.LaneStepTooSmall: solve.StepTooSmall, system.LaneNonFinite: solve.NonFinite}

// laneDriver steps members as lanes.
type laneDriver struct {
	*worker
	l      system.Lanes
	st     solve.Stepper
	in     *solve.Interpolant
	evals  int   // of an attempt
	member []int // of each lane, −1 for none
	output []int // the next output of each lane
	taken  []int // accepted steps whose outputs are written
	x      []float64
	out    []float64
	k      []float64
	dir    float64
	dense  bool

	checks  bool // whether outputs within steps are looked at
	check   solve.Stepper
	checker int       // the member that check is started for, −1 for none
	checked []float64 // of each lane, the length of the step looked at last; 0: look at the next
	since   []int     // of each lane, steps with outputs since then
	end1    []float64
}

const (
	checkEvery  = 4   // steps of a lane with outputs within
	checkGrowth = 1.2 // of their length, from which on the next is looked at
	insideMost  = 4   // of what the step control of a single solve allows, up to which a lane goes on
)

// stiffSteps is how many steps a member may take in a lane before it is suspected to be stiff and integrated again by what its problem chooses: more than
// most smooth trajectories take, and cheap beside what stiff ones would.
const stiffSteps = 5000

// lanes integrates members many at once; a lane that is free takes the next member.
func (w *worker) lanes(l system.Lanes) {
	d := &laneDriver{worker: w, l: l, dir: 1, dense: w.between()}
	n, nx := l.Size(), w.Sys.NX
	d.member, d.output, d.taken = make([]int, n), make([]int, n), make([]int, n)
	d.x, d.out = make([]float64, nx), make([]float64, nx)
	switch m := w.by.(type) {
	case *method.RK:
		d.evals, d.k = m.Stages-1, make([]float64, len(m.A)*nx)
	case *method.Rosenbrock:
		d.evals, d.k = m.Stages, make([]float64, m.Stages*nx)
		d.checks, d.checker = d.dense, -1
		d.checked, d.since, d.end1 = make([]float64, n), make([]int, n), make([]float64, nx)
	}
	d.in, _ = solve.NewInterpolant(w.by, nx)
	if w.T1 < w.T0 {
		d.dir = -1
	}
	w.prob.Method = w.by
	set, err := w.settings()
	if err != nil {
		w.fail(err)
		return
	}
	if w.auto {
		set.MaxSteps = min(set.MaxSteps, stiffSteps)
		defer w.repeat()
	}
	l.Prepare(w.Theta, set)
	active := 0
	for lane := range n {
		if d.fill(lane) {
			active++
		}
	}
	attempts := attemptsAtOnce
	if d.dense {
		attempts = 1 // the last step is kept only until the next
	}
	for active > 0 && w.ctx.Err() == nil {
		l.Run(attempts)
		if d.dense {
			for lane, i := range d.member {
				if i < 0 {
					continue
				}
				if s := l.State(lane, nil); s.Accepted > d.taken[lane] {
					d.taken[lane] = s.Accepted
					if d.write(lane, i, s.T) {
						continue
					}
					// As one in doubt is: by a stepper, which makes steps such that outputs within them are right.
					if s.Status = system.LaneDoubt; !d.end(lane, i, s) {
						active--
					}
				}
			}
		}
		for lane := l.Next(0); lane < n; lane = l.Next(lane + 1) {
			if i := d.member[lane]; i >= 0 {
				if s := l.State(lane, nil); !d.end(lane, i, s) {
					active--
				}
			}
		}
	}
}

// settings are what lanes share, with the defaults of package solve.
func (w *worker) settings() (set system.LaneSettings, err error) {
	set = system.LaneSettings{Rtol: w.Rtol, Hmax: w.Hmax, T0: w.T0, T1: w.T1, MaxSteps: w.MaxSteps}
	atol := w.Atol
	if set.Rtol == 0 {
		set.Rtol = solve.DefaultRtol
	}
	if atol == 0 {
		atol = solve.DefaultAtol
	}
	if set.Hmax == 0 {
		set.Hmax = math.Abs(w.T1 - w.T0)
	}
	share := method.Share(w.by, set.Rtol, w.Sys.Mass != nil)
	set.Rtol *= share
	atol *= share
	for range w.Sys.NX {
		set.Atol = append(set.Atol, atol)
	}
	// What is wrong with the call, a stepper says in the words that a single solve has.
	_, err = solve.NewStepper(w.ctx, &w.prob)
	return set, err
}

// fill puts the next member that can start into a lane; it is false when there is none.
func (d *laneDriver) fill(lane int) bool {
	for {
		i := d.take()
		if i < 0 {
			d.member[lane] = -1
			d.l.Clear(lane)
			return false
		}
		if err := d.st.Start(d.ctx, &d.prob); err != nil {
			d.fail(err)
			d.member[lane] = -1
			return false
		}
		o := 0
		if d.st.Status() == solve.Running {
			for ; o < len(d.Times) && (d.Times[o]-d.T0)*d.dir <= 0; o++ {
				copy(d.result.Row(i, o), d.st.X())
			}
		}
		k0, h, ok := d.st.First()
		d.stats.Evals += d.st.Stats().Evals
		if !ok {
			d.finish(i, d.st.Status(), d.T0, o)
			continue
		}
		d.l.Load(lane, d.T0, d.T1, h, d.st.X(), k0, d.Values[i*len(d.Vary):(i+1)*len(d.Vary)])
		d.member[lane], d.output[lane], d.taken[lane] = i, o, 0
		if d.checks {
			d.checked[lane] = 0
		}
		return true
	}
}

// write interpolates the outputs within the step that a lane has just made, to t1. It is false where they would be wrong.
func (d *laneDriver) write(lane, i int, t1 float64) bool {
	o := d.output[lane]
	if o >= len(d.Times) || (d.Times[o]-t1)*d.dir > 0 || d.Times[o] == d.T1 {
		return true
	}
	t, h := d.l.Dense(lane, d.x, d.k)
	if d.checks && !d.right(lane, i, t, h) {
		return false
	}
	for ; o < len(d.Times) && (d.Times[o]-t1)*d.dir <= 0 && d.Times[o] != d.T1; o++ {
		if d.Times[o] == t1 {
			d.l.State(lane, d.result.Row(i, o))
			continue
		}
		d.in.At((d.Times[o]-t)/h, d.result.Row(i, o), d.x, h, d.k)
	}
	d.output[lane] = o
	return true
}

// right looks whether the dense output of a lane's step from t, in x and k, is right, at some of them: where steps grow, and now and then.
func (d *laneDriver) right(lane, i int, t, h float64) bool {
	size := math.Abs(h)
	if d.since[lane]++; d.checked[lane] > 0 && size <= checkGrowth*d.checked[lane] && d.since[lane] < checkEvery {
		return true
	}
	if d.checker != i {
		d.be(i)
		if d.check.Start(d.ctx, &d.prob) != nil {
			return true // it started before
		}
		d.checker = i
	}
	d.checked[lane], d.since[lane] = size, 0
	d.l.State(lane, d.end1)
	return d.check.Inside(t, h, d.x, d.end1, d.k) <= insideMost
}

// end takes the member out of a lane that is done or stopped and fills it anew; it is false when there is nothing to fill it with.
func (d *laneDriver) end(lane, i int, s system.LaneState) bool {
	if s.Status == system.LaneDoubt {
		d.be(i)
		if !d.alone(i) {
			d.member[lane] = -1
			d.l.Clear(lane)
			return false
		}
		return d.fill(lane)
	}
	o := d.output[lane]
	status := statuses[s.Status]
	if status == solve.Done {
		for ; o < len(d.Times); o++ { // the end, and times beyond it by rounding
			d.l.State(lane, d.result.Row(i, o))
		}
	}
	if d.auto && (status == solve.MaxSteps || status == solve.StepTooSmall) {
		d.again = append(d.again, i)
	} else {
		d.finish(i, status, s.T, o)
	}
	d.stats.Steps += s.Accepted
	d.stats.Rejected += s.Attempts - s.Accepted
	d.stats.Evals += s.Attempts * d.evals
	return d.fill(lane)
}
