package ensemble

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Problem is an ensemble of N initial value problems. Fields that solve.Problem has too mean the same there.
type Problem struct {
	Sys    *system.System
	Method method.Method // nil: method.Default
	T0, T1 float64
	Times  []float64 // output times; nil: T1 alone

	N      int
	Theta  []float64 // of all members, but for the entries that vary; nil: the system's defaults
	Vary   []int     // entries of θ that differ from member to member
	Values []float64 // N × len(Vary), row-major

	Rtol, Atol float64
	Step       float64 // a fixed step
	Hmax       float64
	MaxSteps   int
	MaxMemory  int64 // bytes of the result
	Threads    int   // 0: as many as the machine has
	NoLanes    bool  // one trajectory at a time
	// Progress is told now and then how many members are done, by one goroutine at a time.
	Progress func(done int)
}

// Result is what an ensemble found.
type Result struct {
	T      []float64 // output times
	N, NX  int
	X      []float64      // N × len(T) × NX; NaN from where a member stopped early
	Status []solve.Status // of each member
	TEnd   []float64      // how far each came
	Failed int            // members that stopped early
	Again  int            // members that turned out stiff in a lane and were integrated again
	Stats  solve.Stats    // sums over the members; First, Smallest and Largest are not filled in

	Threads int
	Solver  string // the method of the members, or of those that do not turn out stiff
	Chosen  string // why, where the problem chose
	Lanes   int    // trajectories at once in each thread, 1 without lanes
	Why     string // there are no lanes
}

// Row is the state of a member at output time i, length NX. Read only.
func (r *Result) Row(member, i int) []float64 {
	at := (member*len(r.T) + i) * r.NX
	return r.X[at : at+r.NX]
}

// Run integrates all members.
func Run(ctx context.Context, p *Problem) (*Result, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	q, err := p.check()
	if err != nil {
		return nil, err
	}
	r := &Result{T: slices.Clone(q.Times), N: q.N, NX: q.Sys.NX, Threads: q.Threads, Lanes: 1}
	r.X = make([]float64, q.N*len(r.T)*r.NX)
	r.Status, r.TEnd = make([]solve.Status, q.N), make([]float64, q.N)
	s := &shared{Problem: q, ctx: ctx, result: r}
	var lanes func() system.Lanes
	s.by = q.Method
	if q.Method.Info().Family == method.Automatic {
		// Members that turn out stiff are integrated again, one at a time.
		explicit, implicit := solve.Chosen(q.Sys, q.Rtol)
		if s.by = implicit; explicit != nil {
			s.by, s.auto = explicit, true
			r.Chosen = "the problem chooses; members that turn out stiff take " + implicit.Info().Name
		} else {
			r.Chosen = "the problem chooses, and it has algebraic equations or a mass matrix"
		}
	}
	r.Solver = s.by.Info().Name
	switch {
	case q.NoLanes:
		r.Why = "turned off"
	case q.Step != 0 || !q.Method.Info().Adaptive:
		r.Why = "a fixed step"
	case q.Sys.Lanes == nil:
		r.Why = "no generated code for lanes"
	default:
		if lanes, err = q.Sys.Lanes(s.by, q.Vary, s.between()); err != nil {
			lanes, r.Why = nil, err.Error()
		}
	}
	if lanes != nil {
		r.Lanes = lanes().Size()
	}
	var wg sync.WaitGroup
	for range q.Threads {
		wg.Go(func() {
			w := newWorker(s)
			if lanes != nil {
				w.lanes(lanes())
			} else {
				w.scalar()
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			r.Stats.Steps += w.stats.Steps
			r.Stats.Rejected += w.stats.Rejected
			r.Stats.Evals += w.stats.Evals
			r.Again += len(w.again)
		})
	}
	wg.Wait()
	if s.err != nil {
		return nil, s.err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, st := range r.Status {
		if !st.Ended() {
			r.Failed++
		}
	}
	return r, nil
}

// check fills in the defaults of a copy.
func (p *Problem) check() (*Problem, error) {
	q := *p
	switch {
	case q.Sys == nil || q.Sys.RHS == nil:
		return nil, errors.New("there is no system to solve")
	case q.N < 1:
		return nil, fmt.Errorf("an ensemble of %d members", q.N)
	case len(q.Values) != q.N*len(q.Vary):
		return nil, fmt.Errorf("%d values were given for %d members that differ in %d entries", len(q.Values), q.N, len(q.Vary))
	}
	for n, i := range q.Vary {
		if slices.Contains(q.Vary[:n], i) {
			return nil, fmt.Errorf("entry %d of the parameters varies twice", i)
		}
		if i < 0 || i >= q.Sys.NTheta {
			return nil, fmt.Errorf("entry %d of %d parameters varies", i, q.Sys.NTheta)
		}
	}
	if q.Method == nil {
		q.Method = method.Default()
	}
	if q.Theta == nil {
		q.Theta = q.Sys.Defaults()
	}
	if q.Times == nil {
		q.Times = []float64{q.T1}
	}
	if q.MaxSteps == 0 {
		q.MaxSteps = solve.DefaultMaxSteps
	}
	if q.MaxMemory == 0 {
		q.MaxMemory = solve.DefaultMaxMemory
	}
	if need := q.Bytes(); need > float64(q.MaxMemory) {
		return nil, &MemoryError{Bytes: need, Limit: q.MaxMemory}
	}
	if q.Threads <= 0 {
		q.Threads = runtime.GOMAXPROCS(0)
	}
	q.Threads = min(q.Threads, q.N)
	return &q, nil
}

// Bytes is the size of the result.
func (p *Problem) Bytes() float64 {
	return 8 * float64(p.N) * (float64(max(1, len(p.Times)))*float64(p.Sys.NX) + 2)
}

// MemoryError tells of a result that would be too large.
type MemoryError struct {
	Bytes float64
	Limit int64
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("the trajectories would take %.3g bytes, more than the limit of %d", e.Bytes, e.Limit)
}

// shared is what the workers have in common.
type shared struct {
	*Problem
	ctx    context.Context
	by     method.Method // of lanes
	auto   bool          // by is what the problem chooses, and stiff members want another
	result *Result
	next   atomic.Int64 // the next member to hand out
	done   atomic.Int64
	mu     sync.Mutex
	err    error // a call that makes no sense
}

// between reports whether outputs are asked for other than at the ends.
func (s *shared) between() bool {
	for _, t := range s.Times {
		if t != s.T0 && t != s.T1 {
			return true
		}
	}
	return false
}

// worker is one goroutine's memory.
type worker struct {
	*shared
	th    []float64
	prob  solve.Problem
	ws    solve.Workspace
	stats solve.Stats

	// Members are taken a few at a time, so that workers do not write into the same lines of a cache; few enough that they
	// end together.
	mine, mineEnd, atOnce int

	again []int // members that the explicit method did not bring to their end
}

func newWorker(s *shared) *worker {
	w := &worker{shared: s, th: slices.Clone(s.Theta), atOnce: min(max(s.N/(64*s.Threads), 1), 32)}
	w.prob = solve.Problem{Sys: s.Sys, Method: s.Method, T0: s.T0, T1: s.T1, Times: s.Times, Theta: w.th, Rtol: s.Rtol, Atol: s.Atol,
		Step: s.Step, Hmax: s.Hmax, MaxSteps: s.MaxSteps, NoDense: true}
	return w
}

// take gives the next member with θ set for it; −1 when there is none, or nobody wants more.
func (w *worker) take() int {
	if w.ctx.Err() != nil {
		return -1
	}
	if w.mine == w.mineEnd {
		w.mineEnd = int(w.next.Add(int64(w.atOnce)))
		w.mine = w.mineEnd - w.atOnce
	}
	i := w.mine
	if i >= w.N {
		return -1
	}
	w.mine++
	w.be(i)
	return i
}

// be sets θ for a member.
func (w *worker) be(i int) {
	for n, v := range w.Vary {
		w.th[v] = w.Values[i*len(w.Vary)+n]
	}
}

func (w *worker) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	w.next.Store(int64(w.N))
}

// finish notes how a member ended, with the outputs from reached on missing.
func (w *worker) finish(i int, status solve.Status, t float64, reached int) {
	r := w.result
	r.Status[i], r.TEnd[i] = status, t
	for k := reached; k < len(r.T); k++ {
		row := r.Row(i, k)
		for j := range row {
			row[j] = math.NaN()
		}
	}
	if w.Progress == nil {
		return
	}
	if done := w.done.Add(1); done%64 == 0 {
		w.mu.Lock()
		w.Progress(int(done))
		w.mu.Unlock()
	}
}

// repeat integrates the members again that the explicit method of the lanes did not bring to their end.
func (w *worker) repeat() {
	w.prob.Method = w.Method
	for _, i := range w.again {
		w.be(i)
		if w.ctx.Err() != nil || !w.alone(i) {
			return
		}
	}
}

// scalar integrates one member after the other.
func (w *worker) scalar() {
	for i := w.take(); i >= 0 && w.alone(i); i = w.take() {
	}
}

// alone integrates a member, for which θ is set; it is false when no other is to follow.
func (w *worker) alone(i int) bool {
	sol, err := w.ws.Solve(w.ctx, &w.prob)
	if err != nil {
		w.fail(err)
		return false
	}
	if sol.Status == solve.Cancelled {
		return false
	}
	copy(w.result.X[i*len(w.Times)*w.Sys.NX:], sol.X)
	w.finish(i, sol.Status, sol.TEnd, len(sol.T))
	w.stats.Steps += sol.Stats.Steps
	w.stats.Rejected += sol.Stats.Rejected
	w.stats.Evals += sol.Stats.Evals
	return true
}
