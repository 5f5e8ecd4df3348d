package train

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// A loss over many trajectories is made in parts, each over some neighbouring ones, which are added in order. How many there are
// depends on the number of trajectories only, so that the result is the same to the bit on any number of cores.

// maxParts bounds the memory of the sums; more cores than this would find nothing to do.
const maxParts = 64

// leg is one solve of an evaluation: a trajectory, and the rows of its data that are compared. From a row other than the first
// it starts from the measured states.
type leg struct{ tr, lo, hi int }

// crew solves legs.
type crew struct {
	threads int // 0: all cores
	workers []*worker
	sums    []part
}

// part is the sum over some legs.
type part struct {
	f      float64
	g      []float64 // by the shared variables, as they stand in θ
	at     int       // the trajectory that what follows is of
	err    error
	fault  *solve.Fault
	value  *ValueError
	spoilt *sens.NonFinite
}

// worker is what one goroutine works with.
type worker struct {
	th   []float64
	g    []float64
	cols []int
	prob solve.Problem
	at   map[*system.System]*desk
}

// desk is what a worker has for a system.
type desk struct {
	ws       sens.Workspace
	tangents sens.ForwardWorkspace
	plain    solve.Workspace // of what was held out
	*outputs
}

// run evaluates all legs, with the gradient where g is not nil: that by what a trajectory has for itself is written there. It gives
// how many parts there are. From the first that failed on they may not be complete.
func (c *crew) run(ctx context.Context, t *trial, u, g []float64) int {
	n := min(len(t.legs), maxParts)
	for len(c.sums) < n {
		c.sums = append(c.sums, part{g: make([]float64, len(t.shared))})
	}
	if g != nil {
		for k := range t.vars {
			if t.vars[k].own {
				g[k] = 0
			}
		}
	}
	c.share(t, n, func(w *worker, k int) bool {
		c.part(ctx, w, t, k, n, u, g)
		return !c.sums[k].failed()
	})
	return n
}

// share does pieces of work numbered below n on all cores, until one is not well: those behind it need not be done.
func (c *crew) share(t *trial, n int, do func(w *worker, k int) bool) {
	threads := c.threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	threads = min(threads, n)
	for len(c.workers) < threads {
		c.workers = append(c.workers, &worker{th: make([]float64, len(t.prob.Theta)), at: map[*system.System]*desk{}})
	}
	if threads == 1 {
		w := c.workers[0]
		copy(w.th, t.prob.Theta)
		for k := range n {
			if !do(w, k) {
				break
			}
		}
		return
	}
	var next, bad atomic.Int64
	bad.Store(int64(n))
	var all sync.WaitGroup
	for _, w := range c.workers[:threads] {
		all.Add(1)
		go func() {
			defer all.Done()
			copy(w.th, t.prob.Theta)
			for {
				k := next.Add(1) - 1
				if k >= bad.Load() || k >= int64(n) {
					return
				}
				if do(w, int(k)) {
					continue
				}
				for b := bad.Load(); k < b && !bad.CompareAndSwap(b, k); b = bad.Load() {
				}
			}
		}()
	}
	all.Wait()
}

func (p *part) failed() bool {
	return p.err != nil || p.fault != nil || p.value != nil || p.f-p.f != 0
}

// part evaluates the legs of part k of n.
func (c *crew) part(ctx context.Context, w *worker, t *trial, k, n int, u, g []float64) {
	p := &c.sums[k]
	p.f, p.at, p.err, p.fault, p.value, p.spoilt = 0, 0, nil, nil, nil, nil
	clear(p.g)
	for i := k * len(t.legs) / n; i < (k+1)*len(t.legs)/n; i++ {
		w.leg(ctx, t, &t.legs[i], p, u, g)
		if p.failed() {
			p.at = t.legs[i].tr
			return
		}
	}
}

// leg adds one leg to a part.
func (w *worker) leg(ctx context.Context, t *trial, l *leg, p *part, u, g []float64) {
	tr := t.tr[l.tr]
	w.prob = tr.prob
	w.prob.Theta = w.th
	tr.write(w.th)
	loss := t.loss
	if tr.data != nil {
		loss = tr.data
	}
	d := w.desk(tr.prob.Sys, tr.data)
	inside := l.lo > 0 || tr.data != nil && l.hi < len(tr.data.data.Times)
	if inside {
		t.batch.enter(&w.prob, tr.data, l)
	}
	var f float64
	var sol *solve.Solution
	var err error
	switch {
	case g == nil:
		f, sol, err = d.ws.Value(ctx, &w.prob, loss)
	case t.forward:
		w.g = resize(w.g, len(tr.wrt))
		f, sol, err = sens.Forward(ctx, &w.prob, loss, tr.wrt, w.g)
	case t.by != nil:
		w.g = resize(w.g, w.prob.Sys.NTheta)
		f, sol, err = t.by.gradient(ctx, &d.ws, &w.prob, loss, w.g)
	default:
		w.g = resize(w.g, w.prob.Sys.NTheta)
		f, sol, err = d.ws.Adjoint(ctx, &w.prob, loss, w.g)
	}
	w.restore(t, tr, inside)
	if err != nil {
		spoilt := nonFinite(err)
		if spoilt == nil {
			p.err = err
			return
		}
		if p.spoilt == nil {
			p.spoilt, p.at = spoilt, l.tr
		}
	}
	if !sol.Status.Ended() {
		if sol.Status == solve.Cancelled && ctx.Err() != nil {
			p.err = ctx.Err()
			return
		}
		p.f, p.fault = math.Inf(1), sol.Fault
		return
	}
	if tr.data != nil {
		p.value = tr.data.Failure()
	}
	p.f += f
	if g == nil || p.failed() {
		return
	}
	// A derivative that is not finite by something that is not free does no harm: x^n by a
	// constant n, where x is 0.
	measured := func(v *variable) bool { return l.lo > 0 && t.batch.places(v) } // it starts elsewhere
	for i, k := range t.shared {
		v := &t.vars[k]
		at := v.index
		if t.forward {
			at = i
		}
		if !measured(v) {
			p.g[i] += w.g[at]
		}
	}
	for i, k := range tr.own {
		v := &t.vars[k]
		at := v.index
		if t.forward {
			at = len(t.shared) + i
		}
		if d := w.g[at]; d != 0 && !measured(v) {
			g[k] = d * v.Slope(u[k])
		}
	}
}

// nonFinite is the error of a gradient that is not finite, nil for any other.
func nonFinite(err error) (e *sens.NonFinite) {
	errors.As(err, &e)
	return e
}

// desk is what the worker has for a system. Its evaluation of lets is lent to the loss, nil for none of data, so that there need not be one
// for each of thousands of trajectories.
func (w *worker) desk(sys *system.System, l *DataLoss) *desk {
	d := w.at[sys]
	if d == nil {
		d = &desk{}
		w.at[sys] = d
	}
	if l != nil && l.lets {
		if d.outputs == nil {
			d.outputs = newOutputs(sys)
		}
		l.outputs = d.outputs
	}
	return d
}

// restore takes what a trajectory has for itself out of θ.
func (w *worker) restore(t *trial, tr *trajectory, inside bool) {
	if inside {
		copy(w.th, t.prob.Theta)
		return
	}
	for _, i := range tr.index {
		w.th[i] = t.prob.Theta[i]
	}
}

func resize(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}
