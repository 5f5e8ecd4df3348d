package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/udl-lang/udl/runtime/sens"
)

// A fit from several starts: the given one, and others that are drawn. Each is a fit by itself, and they share the cores; the
// best is the result. What a start draws depends on the seed and its number alone, and so the result
// is the same, to the bit, on any number of cores.
//
// A. H. G. Rinnooy Kan, G. T. Timmer, Stochastic global optimization methods part I: clustering methods, Mathematical
// Programming 39 (1987), 27–56.

const (
	purposeStarts = 0x57a7c5
	// spread is the standard deviation of the logarithm of the factor that a start without bounds is drawn by: two
	// thirds lie between a half and twice as much.
	spread = math.Ln2
	// decades is the ratio of positive bounds from which on a start is drawn evenly on the logarithmic scale.
	decades = 100
)

// StartReport is how the fit from one of several starts ended.
type StartReport struct {
	Loss         float64 // +Inf or NaN where it could not begin, or was cancelled before it did
	Held         float64 // the loss over the data held out, with early stopping; else NaN
	Status       Status
	Iters, Evals int
	Elapsed      time.Duration
	Failed       string // why it could not begin; "" if it could
	Best         bool   // it is the result
}

// CloneLoss is a loss of its own that can be evaluated by several goroutines, each with a clone. One that is none
// makes the fits from several starts run one after the other.
type CloneLoss interface {
	sens.Loss
	Clone() sens.Loss
}

// begun is a fit from one start.
type begun struct {
	f      *fitting
	m      *Minimum
	phases []PhaseReport
	err    error
}

// value is what the best start has least of, and of several with the same what decides among them. With early stopping one that has never met
// what was held out is behind all that have.
func (b *begun) value() (first, second float64) {
	if b.err != nil || b.m == nil {
		return math.Inf(1), math.Inf(1)
	}
	loss := b.m.F + b.f.penalty()
	if math.IsNaN(loss) {
		loss = math.Inf(1)
	}
	switch {
	case b.f.spec.Patience > 0 && math.IsNaN(b.m.HeldF):
		return math.Inf(1), loss
	case b.f.spec.Patience > 0:
		return b.m.HeldF, loss
	}
	return loss, loss
}

func (b *begun) better(than *begun) bool {
	x, y := b.value()
	v, w := than.value()
	return x < v || x == v && y < w
}

// fitFrom runs the fits from all starts and gives the best.
func fitFrom(ctx context.Context, s *Spec) (*begun, []StartReport, error) {
	n := s.Starts
	if n < 1 {
		return nil, nil, fmt.Errorf("a fit from %d starts makes no sense; take 1 or more", n)
	}
	if r := s.Resume; r != nil && len(r.Starts) != n {
		return nil, nil, &SnapshotError{fmt.Sprintf("it is of %d starts, there are %d", len(r.Starts), n)}
	}
	threads := s.Threads
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	each := max(1, threads/n) // for the trajectories of one fit
	threads = min(threads, n)
	clone, cloned := s.Loss.(CloneLoss)
	if s.Loss != nil && !cloned {
		threads = 1
	}
	watch := newWatch(s, n)
	watch.threads = threads
	list := make([]begun, n)
	var next atomic.Int64
	var all sync.WaitGroup
	for range threads {
		all.Add(1)
		go func() {
			defer all.Done()
			for {
				k := int(next.Add(1) - 1)
				if k >= n {
					return
				}
				one := *s
				one.Starts, one.Threads = 1, each
				if cloned {
					one.Loss = clone.Clone()
				}
				watch.over(&one, k)
				list[k] = from(ctx, &one, k)
				watch.end(k)
			}
		}()
	}
	all.Wait()
	best := 0
	for k := range list {
		var start *StartError
		if err := list[k].err; err != nil && !errors.As(err, &start) {
			return nil, nil, err // what makes no sense does so from every start
		}
		if list[k].better(&list[best]) {
			best = k
		}
	}
	if list[best].err != nil {
		best = max(slices.IndexFunc(list, func(b begun) bool { return b.err == nil }), 0)
		if list[best].err != nil {
			return nil, nil, list[0].err
		}
	}
	reports := make([]StartReport, n)
	for k := range list {
		r, b := &reports[k], &list[k]
		if *r = (StartReport{Loss: math.Inf(1), Held: math.NaN(), Best: k == best}); b.err != nil {
			r.Failed = b.err.Error()
			continue
		}
		r.Loss, r.Held, r.Status, r.Iters, r.Evals, r.Elapsed = b.m.F, b.m.HeldF, b.m.Status, b.m.Iters, b.m.Evals, b.m.Elapsed
	}
	for k := range list { // the best is done, but the others might have bettered it
		if list[k].m != nil && list[k].m.Status == Cancelled {
			list[best].m.Status = Cancelled
		}
	}
	return &list[best], reports, nil
}

// from runs the fit from start k.
func from(ctx context.Context, s *Spec, k int) begun {
	if s.given = s.Theta; s.given == nil && s.Sys != nil {
		s.given = s.Sys.Defaults()
	}
	if err := s.draw(k); err != nil {
		return begun{err: err}
	}
	f, err := prepare(s)
	if err != nil {
		return begun{err: err}
	}
	b := begun{f: f}
	b.m, b.phases, b.err = f.run(ctx)
	return b
}

// draw gives the spec the parameters of start k. The first are those given.
func (s *Spec) draw(k int) error {
	sys := s.Sys
	if k == 0 || sys == nil {
		return nil
	}
	th := sys.Defaults()
	if s.Theta != nil {
		copy(th, s.Theta)
	} else if sys.Randomize != nil {
		sys.Randomize(th, s.Seed)
	}
	free := s.Free
	if free == nil {
		var err error
		if free, err = Select(sys, th, nil, s.Problem.T0); err != nil {
			return err
		}
	}
	rng := rand.New(rand.NewPCG(s.Seed^purposeStarts, uint64(k)))
	weights := slices.Clone(th)
	if sys.Randomize != nil {
		sys.Randomize(weights, rng.Uint64())
	}
	for _, f := range free {
		lo, hi := f.Lo, f.Hi
		if lo == 0 && hi == 0 {
			lo, hi = math.Inf(-1), math.Inf(1)
		}
		for _, i := range f.Index {
			if i < 0 || i >= len(th) {
				continue // prepare tells
			}
			if f.Weight {
				th[i] = weights[i]
			} else {
				th[i] = drawn(rng, th[i], lo, hi)
			}
		}
	}
	if s.Draw != nil {
		s.Draw(th, k)
	}
	for _, f := range free { // what a prior draws beyond bounds
		if f.Lo == 0 && f.Hi == 0 {
			continue
		}
		for _, i := range f.Index {
			if i >= 0 && i < len(th) {
				th[i] = min(max(th[i], f.Lo), f.Hi)
			}
		}
	}
	s.Theta = th
	return nil
}

// drawn is a value between bounds, or near the one given.
func drawn(rng *rand.Rand, given, lo, hi float64) float64 {
	u, z := rng.Float64(), rng.NormFloat64() // both, so that bounds of one do not change what others draw
	factor := math.Exp(spread * z)
	switch lower, upper := !math.IsInf(lo, 0), !math.IsInf(hi, 0); {
	case lower && upper && lo > 0 && hi/lo >= decades:
		return lo * math.Pow(hi/lo, u)
	case lower && upper:
		return lo + u*(hi-lo)
	case lower && given > lo:
		return lo + (given-lo)*factor
	case lower:
		return lo + factor
	case upper && given < hi:
		return hi - (hi-given)*factor
	case upper:
		return hi - factor
	case given == 0:
		return z
	}
	return given * factor
}

// watch gathers what the fits from all starts tell, one at a time.
type watch struct {
	s     *Spec
	mu    sync.Mutex
	state []*Snapshot
	mine  []*Snapshot // those of state that are not of a snapshot that the fit goes on from; nil before
	best  int

	threads int
	made    []int // iterations of each start; nil before the first
	ended   []bool
}

func newWatch(s *Spec, n int) *watch {
	w := &watch{s: s, state: make([]*Snapshot, n), mine: make([]*Snapshot, n)}
	if s.Resume != nil {
		copy(w.state, s.Resume.Starts)
	}
	return w
}

// count adds up the iterations of all starts, which run on some threads at a time.
func (w *watch) count(p *Progress, k int) {
	if w.made == nil {
		w.made, w.ended = make([]int, len(w.state)), make([]bool, len(w.state))
	}
	w.made[k] = p.Made
	one := p.All
	p.All, p.Made = one*len(w.made), 0
	for i, n := range w.made {
		if w.ended[i] {
			n = one
		}
		p.Made += n
	}
	p.left(w.threads)
}

// end says that a start is done.
func (w *watch) end(k int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended != nil {
		w.ended[k] = true
	}
}

// over connects the fit from start k.
func (w *watch) over(one *Spec, k int) {
	one.Resume = nil
	if w.s.Resume != nil {
		one.Resume = w.s.Resume.Starts[k]
	}
	if to := w.s.Progress; to != nil {
		one.Progress = func(p Progress) {
			w.mu.Lock()
			defer w.mu.Unlock()
			p.Start, p.Starts = k, len(w.state)
			w.count(&p, k)
			to(p)
		}
	}
	if to := w.s.Snapshot; to != nil {
		one.Snapshot = func(s *Snapshot) {
			w.mu.Lock()
			defer w.mu.Unlock()
			// The others go on while this is looked at.
			if w.mine[k] == nil {
				w.mine[k] = new(Snapshot)
				w.state[k] = w.mine[k]
			}
			s.copyTo(w.mine[k])
			if b := w.state[w.best]; b == nil || s.BestLoss < b.BestLoss {
				w.best = k
			}
			all := *w.state[w.best]
			all.Starts = slices.Clone(w.state)
			to(&all)
		}
	}
}
