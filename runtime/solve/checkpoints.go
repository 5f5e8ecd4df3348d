package solve

import (
	"context"
	"fmt"
	"math"
	"sort"
)

// A gradient reads the accepted steps backwards. Where memory does not hold all of them, the record holds a stretch at a time, and marks hold, at some boundaries of
// stretches, what the steps after them rest on: walking back, each stretch is made again from the mark before it, to the same bits. How many steps there will be nobody
// knows at first. So the first pass marks the end of each stretch, and when the marks fill their memory, drops every second and marks every second boundary from there on
// (online checkpointing by doubling). As long as all boundaries are marked, the walk costs each step once more, and no more. Where they are not, a stretch is reached from
// further back, and on the way marks that are free by then are set anew where recursion by binomials says, so that n stretches and c marks cost each step about r times more,
// with n the binomial of c + r over c.
//
// A. Griewank, A. Walther, Algorithm 799: revolve: an implementation of checkpointing for the reverse or adjoint mode of computational differentiation, ACM
// Transactions on Mathematical Software 26 (2000), 19–45; P. Stumm, A. Walther, New algorithms for optimal online checkpointing, SIAM Journal on Scientific Computing 32
// (2010), 836–854; Q. Wang, P. Moin, G. Iaccarino, Minimal repetition dynamic checkpointing algorithm for unsteady adjoint calculation, SIAM Journal on Scientific
// Computing 31 (2009), 2549–2567; H. Zhang, E. M. Constantinescu, Optimal checkpointing for adjoint multistage time-stepping schemes, Journal of Computational Science 66
// (2023), 101913, for keeping stages beside states.

// Checkpoints bounds the memory of accepted steps, for who reads them backwards by Workspace.Recall.
type Checkpoints struct {
	// Memory is how many bytes outputs, steps and checkpoints may take together; 0: MaxMemory. Events are kept beside it, their states before and after as long as the steps
	// around them are on record.
	Memory int64
	// Beside is how much of it others take.
	Beside int64
	// Recursive takes little memory, however many the steps: 32 checkpoints, and 128 steps on record. Of a million steps each is made three or four times more.
	Recursive bool
	// Full, if not nil, is told when memory ends and the first step will have to be made again.
	Full func()
}

// How memory is shared.
const (
	markShare     = 8   // the part of memory that is for marks is one in so many,
	fewMarks      = 8   // but enough for so many, as far as half of it goes
	recursiveMost = 32  // marks,
	recursiveRows = 128 // and steps on record, of Recursive
)

// tape are the stretches of a solution.
type tape struct {
	on     bool
	memory int64 // bytes for steps and marks
	limit  int64 // for steps
	full   int   // how many steps fill the record, as far as it has grown; −1: nobody minds
	before int   // how many steps before the one it reads a method looks at
	from   int   // the first step on record with as many before it
	block  int   // steps of a stretch
	every  int   // stretches from mark to mark
	most   int   // marks, beside the start
	marks  []*mark
	spare  []*mark
	gone   [2]int // how many events and jumps have no states any more
	again  int    // steps made again
	made   int    // marks

	rows, x []float64 // scratch
}

// reset follows a new problem, whose steps take so many bytes each.
func (t *tape) reset(p *Problem, maxMemory, bytes int64) {
	t.release(0)
	t.on = p.Checkpoints != nil && !p.NoDense && p.Sink == nil && p.Times != nil
	t.limit, t.full, t.from, t.again, t.made, t.gone = maxMemory, -1, 0, 0, 0, [2]int{}
	if !t.on {
		return
	}
	t.memory = maxMemory
	if m := p.Checkpoints.Memory; m > 0 {
		t.memory = min(m, maxMemory)
	}
	t.memory -= p.Checkpoints.Beside + 8*int64(len(p.Times))*int64(p.Sys.NX+1)
	t.limit = t.memory - t.memory/markShare
	if p.Checkpoints.Recursive {
		t.limit = min(t.limit, recursiveRows*bytes)
	}
}

// start readies the record for the first step.
func (t *tape) start(o *outputs) {
	if !t.on {
		return
	}
	o.steps = t.limit
	if rec := &o.sol.rec; rec.room > 0 || rec.grow(t.limit) {
		t.full = rec.room
	}
}

// release drops all marks but so many.
func (t *tape) release(n int) {
	for _, m := range t.marks[n:] {
		if !m.start {
			t.spare = append(t.spare, m)
		}
	}
	t.marks = t.marks[:n]
}

// thin drops every second mark.
func (t *tape) thin() {
	kept := t.marks[:0]
	for i, m := range t.marks {
		if i%2 == 0 {
			kept = append(kept, m)
		} else {
			t.spare = append(t.spare, m)
		}
	}
	t.marks = kept
	t.every *= 2
}

// turn makes room in the record, which is full, for steps to come.
func (w *Workspace) turn() Status {
	t, sol, o := &w.tape, w.sol, &w.o
	rec := &sol.rec
	if rec.grow(t.limit) {
		t.full = rec.room
		return Running
	}
	if w.st.T() == o.p.T1 {
		return Running // there are none
	}
	first := !sol.part
	if first {
		sol.part, sol.dense = true, false
		if o.p.Checkpoints.Full != nil {
			o.p.Checkpoints.Full()
		}
		t.marks = append(t.marks, &mark{start: true})
		t.before, t.every, t.most = w.looksBack(), 1, math.MaxInt
	}
	if now := rec.end(); first || now-t.marks[len(t.marks)-1].step >= t.every*t.block {
		if len(t.marks)-1 >= t.most {
			t.thin()
		}
		if first || now-t.marks[len(t.marks)-1].step >= t.every*t.block {
			t.marks = append(t.marks, w.mark())
		}
	}
	t.gone[0], t.gone[1] = forgetStates(sol.Events, t.gone[0]), forgetStates(sol.Jumps, t.gone[1])
	if first && !w.share() {
		return o.full(w.st.T(), w.st.X())
	}
	w.goOn(rec.end())
	return Running
}

// forgetStates drops the states before and after events, from the given one on as far as there are any: they come again with the steps. It gives where it ended.
func forgetStates(all []Fired, from int) int {
	for from < len(all) && all[from].Before != nil {
		all[from].Before, all[from].After = nil, nil
		from++
	}
	return from
}

// share shares the memory between steps and marks, now that it is known what one takes. It is false where it does not hold both.
func (w *Workspace) share() bool {
	t, rec := &w.tape, &w.sol.rec
	size := t.marks[len(t.marks)-1].size()
	if want := min(fewMarks, t.memory/2/size); (t.memory-t.limit)/size < want {
		t.limit = t.memory - want*size
	}
	t.most = int((t.memory - t.limit) / size)
	if w.o.p.Checkpoints.Recursive {
		t.most = min(t.most, recursiveMost)
	}
	if rec.used > t.limit {
		w.lastRows()
		end := rec.end()
		*rec = record{nx: rec.nx, width: rec.width}
		for rec.grow(t.limit) {
		}
		rec.base, rec.n = end, 0
		t.full = rec.room
		w.o.steps = t.limit
		if t.block = rec.room - t.before; t.block < max(1, t.before) {
			return false
		}
		w.putRows(end, t.rows)
	}
	t.block = rec.room - t.before
	return t.most > 0 && t.block >= max(1, t.before)
}

// looksBack is how many steps before the one that it reads the reverse of a method looks at.
func (w *Workspace) looksBack() int {
	m := w.st.m
	if w.st.auto != nil {
		m = w.st.auto.implicit
	}
	return looksBack(m)
}

// lastRows copies the rows of the steps before the next, as many as are looked back to.
func (w *Workspace) lastRows() []float64 {
	t, rec := &w.tape, &w.sol.rec
	t.rows = t.rows[:0]
	for n := max(rec.base, rec.end()-t.before); n < rec.end(); n++ {
		t.rows = append(t.rows, rec.row(n)...)
	}
	return t.rows
}

// putRows begins the record anew, for steps from n on, with the rows of those before.
func (w *Workspace) putRows(n int, rows []float64) {
	rec := &w.sol.rec
	stride := rec.stride()
	rec.base, rec.n = n-len(rows)/stride, 0
	for ; len(rows) > 0; rows = rows[stride:] {
		copy(rec.add(w.tape.limit), rows[:stride])
	}
	w.tape.from = n
}

// goOn lets the record go on with step n, the next.
func (w *Workspace) goOn(n int) { w.putRows(n, w.lastRows()) }

// mark marks where the integration stands.
func (w *Workspace) mark() *mark {
	t := &w.tape
	m := new(mark)
	if n := len(t.spare); n > 0 {
		m, t.spare = t.spare[n-1], t.spare[:n-1]
	}
	m.reset(w.st.stats.Steps)
	w.keep(m)
	m.lookedAt = append(m.lookedAt, w.lastRows()...)
	t.made++
	return m
}

// keep is what steps, events and outputs to come rest on.
func (w *Workspace) keep(m *mark) {
	if w.ev != nil {
		w.ev.keep(m)
	}
	w.st.keep(m)
	sol := w.sol
	done := [...]int{w.o.next, len(sol.T), len(sol.Events), len(sol.Jumps), len(sol.frozen)}
	held(m, &done)
	if m.back { // what comes again is what is there
		w.o.next = done[0]
		sol.T, sol.X = sol.T[:done[1]], sol.X[:done[1]*sol.NX]
		sol.Events, sol.Jumps, sol.frozen = sol.Events[:done[2]], sol.Jumps[:done[3]], sol.frozen[:done[4]]
	}
}

// Recall makes sure that step n of the last solution is on record for StepRecord, with those that its method's reverse looks back to. Where memory does not hold all steps,
// it makes those around n again, for which n, n−1, … is the cheap order. ctx is that of the solve.
func (w *Workspace) Recall(ctx context.Context, n int) error {
	t, sol := &w.tape, w.sol
	if !sol.part || n >= t.from && n < sol.rec.end() {
		return nil
	}
	after := func(all []Fired) int { return sort.Search(len(all), func(i int) bool { return all[i].Step > n+1 }) }
	forgetStates(sol.Events, after(sol.Events))
	forgetStates(sol.Jumps, after(sol.Jumps))
	was := *w.sol.lists(&t.x)
	status, err := w.recall(ctx, n)
	was.putBack(sol)
	sol.Stats.Repeated = t.again
	switch {
	case err != nil:
		return err
	case status == Cancelled && context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case status != Running:
		return fmt.Errorf("the steps before t = %v could not be made again: %v", sol.upT, status)
	}
	return nil
}

// recall is Recall, which leaves the solution's lists as they were at step n.
func (w *Workspace) recall(ctx context.Context, n int) (Status, error) {
	t := &w.tape
	last := len(t.marks) - 1
	for t.marks[last].step > n {
		last--
	}
	t.release(last + 1)
	m := t.marks[last]
	if err := w.goBack(ctx, m); err != nil {
		return Running, err
	}
	at, end := m.step, n+1
	for end-at > t.block && (at > 0 || end > t.block+t.before) {
		units, free := (end-at+t.block-1)/t.block, t.most-(len(t.marks)-1)
		k := ahead(units, free)
		to := at + k*t.block
		w.o.record = false
		if s := w.run(to - t.before); s != Running {
			return s, nil
		}
		w.putRows(to-t.before, nil)
		w.o.record = true
		if s := w.run(to); s != Running {
			return s, nil
		}
		if free > 0 && units-k > 1 {
			t.marks = append(t.marks, w.mark())
		}
		at = to
		w.goOn(at)
	}
	w.o.record = true
	if s := w.run(end); s != Running {
		return s, nil
	}
	w.sol.upT = w.st.T()
	w.sol.upX = append(w.sol.upX[:0], w.st.X()...)
	return Running, nil
}

// run makes steps until so many are made.
func (w *Workspace) run(steps int) Status {
	st := &w.st
	for st.stats.Steps < steps {
		status := Running
		if w.ev != nil {
			status = w.ev.step(&w.o)
		} else if st.Step() {
			status = w.o.step()
		} else {
			status = st.status
		}
		w.tape.again++
		if status != Running && st.stats.Steps < steps {
			return status
		}
	}
	return Running
}

// goBack puts back what a mark holds.
func (w *Workspace) goBack(ctx context.Context, m *mark) error {
	if !m.start {
		m.rewind()
		w.keep(m)
		w.putRows(m.step, m.lookedAt)
		return nil
	}
	p, sol := w.o.p, w.sol
	sol.T, sol.X = sol.T[:0], sol.X[:0]
	if err := w.st.start(ctx, p); err != nil {
		return err
	}
	if _, err := w.begin(p); err != nil {
		return err
	}
	w.o.steps = w.tape.limit
	w.putRows(0, nil)
	return nil
}

// lists are what grows in a solution, and its end.
type lists struct {
	t, x          []float64
	events, jumps []Fired
	frozen        []frozenAt
	tEnd          float64
	xEnd          []float64
}

// lists are those of s; buf is memory.
func (s *Solution) lists(buf *[]float64) *lists {
	*buf = append((*buf)[:0], s.XEnd...)
	return &lists{s.T, s.X, s.Events, s.Jumps, s.frozen, s.TEnd, *buf}
}

// putBack makes them those of a solution again, of which some may have come again, the same as before, in other memory.
func (l *lists) putBack(s *Solution) {
	copy(l.events, s.Events)
	copy(l.jumps, s.Jumps)
	copy(l.frozen, s.frozen)
	copy(l.t, s.T)
	copy(l.x, s.X)
	s.T, s.X, s.Events, s.Jumps, s.frozen, s.TEnd = l.t, l.x, l.events, l.jumps, l.frozen, l.tEnd
	copy(s.XEnd, l.xEnd)
}

// ahead is how many of n stretches, the last of which goes on record, the walk goes on before it sets the next of so many free marks.
func ahead(n, free int) int {
	if free == 0 || n <= 2 {
		return n - 1
	}
	c, r := free+1, 1 // the start of the stretches is marked
	for binomial(c, r) < n {
		r++
	}
	// Least work has one of these; what is made again of n stretches with c marks is r·n less the binomial of c + r over c + 1.
	best, least := n-1, math.MaxInt
	for _, k := range [...]int{binomial(c, r-1), binomial(c, r-2), n - binomial(c-1, r), n - binomial(c-1, r-1) - binomial(c-2, r-1)} {
		if k < 1 || k >= n {
			continue
		}
		if work := k + repeats(n-k, c-1) + repeats(k, c); work < least {
			best, least = k, work
		}
	}
	return best
}

// repeats is how many stretches are made without a record, until n were on record from the last to the first, with c marks, the start's included.
func repeats(n, c int) int {
	if n <= 1 {
		return 0
	}
	r := 1
	for binomial(c, r) < n {
		r++
	}
	return r*n - binomial(c+1, r-1)
}

// binomial is that of c + r over c, cut where it is large; 0 for negative r.
func binomial(c, r int) int {
	if r < 0 || c < 0 {
		return 0
	}
	v := 1
	for i := 1; i <= min(c, r); i++ {
		if v > math.MaxInt32 {
			return v
		}
		v = v * (max(c, r) + i) / i
	}
	return v
}
