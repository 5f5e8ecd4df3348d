package train

import (
	"math/rand/v2"
	"slices"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Mini-batches: each iteration of an optimiser without line search looks at some of the trajectories only, or at a window of
// the times of each. A batch is a pure function of the seed, the stage and the iteration, so that a fit that is resumed needs
// to remember nothing. Trajectories are drawn without replacement: each is seen once in an epoch.
//
// H. Robbins, S. Monro, Annals of Mathematical Statistics 22 (1951), 400–407; M. Gürbüzbalaban, A. Ozdaglar,
// P. Parrilo, Why random reshuffling beats stochastic gradient descent, Mathematical Programming 186 (2021), 49–84, for the
// drawing without replacement. Windows that start at measured states: R. T. Q. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud, Neural ordinary
// differential equations, NeurIPS 2018.

// batches draws them.
type batches struct {
	size   int // trajectories of an iteration
	window int // rows of each, 0 for all
	seed   uint64
	order  []int // of the trajectories in an epoch
	of     [2]int
	place  []state // where the measured states go; empty without windows
	begin  [][]int // per trajectory the rows at which a window may begin
}

// state is where the initial value of a scalar state stands in θ, and in which column it is measured.
type state struct{ th, flag, col int }

// newBatches checks what is asked for; nil where that is all data.
func newBatches(of *Method, seed uint64, tr []*trajectory) (*batches, error) {
	m := &batches{size: of.Batch, window: of.Window, seed: seed, of: [2]int{-1, -1}}
	switch {
	case m.size < 0:
		return nil, of.bad("leave `batch` out for all of them", "a batch is a number of trajectories, not %d", m.size)
	case m.window < 0 || m.window == 1:
		return nil, of.bad("a window of one row would be its initial value alone", "a window is two rows or more, not %d", m.window)
	case m.size == 0 && m.window == 0:
		return nil, nil
	}
	rows := 0
	for _, x := range tr {
		rows = max(rows, len(x.data.data.Times))
	}
	if m.size == 0 || m.size > len(tr) {
		m.size = len(tr)
	}
	if m.window >= rows {
		m.window = 0
	}
	if m.window == 0 && m.size == len(tr) {
		return nil, nil
	}
	for i := range tr {
		m.order = append(m.order, i)
	}
	if m.window == 0 {
		return m, nil
	}
	for k, x := range tr {
		place, err := measured(of, x.prob.Sys, x.data.data)
		if err != nil {
			return nil, x.named(err)
		}
		if k == 0 {
			m.place = place
		} else if !slices.Equal(place, m.place) {
			return nil, x.named(of.bad("give all trajectories the same columns, in the same order", "windows need the same columns in all data"))
		}
		var begin []int
		n := len(x.data.data.Times)
		for row := range max(n-m.window, 0) + 1 {
			end := min(row+m.window, n)
			switch {
			case row == 0 && x.data.window(x.told(), end) == 0: // there would be nothing to learn
			case row == 0 || m.known(x.data.data, row) && x.data.window(row, end) > len(place):
				begin = append(begin, row)
			}
		}
		if begin == nil {
			begin = []int{0}
		}
		x.data.window(0, n)
		m.begin = append(m.begin, begin)
	}
	return m, nil
}

// told is the first row of a trajectory whose values say something about what is free: not that where it starts, unless initial values are free.
func (tr *trajectory) told() int {
	if tr.prob.T0 < tr.data.data.Times[0] || slices.ContainsFunc(tr.wrt, func(i int) bool { return isInitial(tr.prob.Sys, i) }) {
		return 0
	}
	return 1
}

// measured says where the columns of the states are. A state that is not measured has no value to start from within the data.
func measured(of *Method, sys *system.System, d *Data) ([]state, error) {
	var out []state
	for i, s := range sys.States {
		if i < len(sys.Latent) && sys.Latent[i] {
			continue
		}
		init, flag := sys.Find(s.Name, system.RoleInit), sys.Find(s.Name, system.RoleFlag)
		for k, name := range system.Names([]system.Slot{s}) {
			col := slices.IndexFunc(d.Columns, func(c Column) bool { return !c.Of.Output && c.Of.Index == s.Off+k })
			if col < 0 {
				return nil, of.bad("match all states, or leave `window` out", "windows start from measured states, and %s is not compared with data", name)
			}
			if init == nil || flag == nil {
				return nil, of.bad("leave `window` out", "the initial value of %s is fixed, so that no window can start within the data", name)
			}
			out = append(out, state{init.Off + k, flag.Off, col})
		}
	}
	return out, nil
}

// known says whether all states are measured at a row.
func (m *batches) known(d *Data, row int) bool {
	for _, s := range m.place {
		if d.Columns[s.col].missing(row) {
			return false
		}
	}
	return true
}

// purposeBatch keeps these numbers apart from others of the same seed.
const purposeBatch = 0xba7c4e5

// choose gives the legs of an iteration, from 1, in the order of the trajectories.
func (m *batches) choose(legs []leg, tr []*trajectory, stage, iter int) []leg {
	n := len(m.order)
	per := (n + m.size - 1) / m.size
	epoch := (iter - 1) / per
	if m.of != [2]int{stage, epoch} {
		for i := range m.order {
			m.order[i] = i
		}
		rng := rand.New(rand.NewPCG(m.seed^purposeBatch, uint64(stage)<<40|uint64(epoch)))
		rng.Shuffle(n, func(i, j int) { m.order[i], m.order[j] = m.order[j], m.order[i] })
		m.of = [2]int{stage, epoch}
	}
	from := (iter - 1) % per * m.size
	for _, k := range m.order[from:min(from+m.size, n)] {
		legs = append(legs, leg{tr: k, hi: len(tr[k].data.data.Times)})
	}
	slices.SortFunc(legs, func(a, b leg) int { return a.tr - b.tr })
	if m.window > 0 {
		rng := rand.New(rand.NewPCG(m.seed^purposeBatch, 1<<63|uint64(stage)<<40|uint64(iter)))
		for i := range legs {
			l := &legs[i]
			begin := m.begin[l.tr]
			l.lo = begin[rng.IntN(len(begin))]
			l.hi = min(l.lo+m.window, l.hi)
		}
	}
	return legs
}

// places says whether a variable is an initial value that a window within the data replaces by a measured state. That of a latent
// state is not.
func (m *batches) places(v *variable) bool {
	return v.initial && slices.ContainsFunc(m.place, func(s state) bool { return s.th == v.index })
}

// enter makes a problem one over a window: from the measured states at its first row, unless that is where the data begin.
func (m *batches) enter(p *solve.Problem, l *DataLoss, w *leg) {
	p.T1 = l.data.Times[w.hi-1]
	if w.lo == 0 {
		return
	}
	p.T0 = l.data.Times[w.lo]
	for _, s := range m.place {
		p.Theta[s.th], p.Theta[s.flag] = l.data.Columns[s.col].Values[w.lo], 1
	}
}
