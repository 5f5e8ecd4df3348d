package train

import (
	"fmt"
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

// Batch is what an iteration looks at. The zero value is all data.
type Batch struct {
	Size   int // trajectories of an iteration; 0: all
	Window int // rows of the data of each, following each other, from the measured state at the first; 0: all
}

// batches draws them.
type batches struct {
	Batch
	seed  uint64
	order []int // of the trajectories in an epoch
	of    [2]int
	place []state // where the measured states go; empty without windows
	begin [][]int // per trajectory the rows at which a window may begin
}

// state is where the initial value of a scalar state stands in θ, and in which column it is measured.
type state struct{ th, flag, col int }

// newBatches checks what is asked for; nil where that is all data.
func newBatches(b Batch, seed uint64, tr []*trajectory) (*batches, error) {
	switch {
	case b.Size < 0 || b.Window < 0:
		return nil, fmt.Errorf("a batch of %d trajectories and %d rows makes no sense", b.Size, b.Window)
	case b.Window == 1:
		return nil, fmt.Errorf("a window of one row is its initial value alone: take two or more")
	}
	rows := 0
	for _, x := range tr {
		rows = max(rows, len(x.data.data.Times))
	}
	if b.Size == 0 || b.Size > len(tr) {
		b.Size = len(tr)
	}
	if b.Window >= rows {
		b.Window = 0
	}
	if b.Window == 0 && b.Size == len(tr) {
		return nil, nil
	}
	m := &batches{Batch: b, seed: seed, of: [2]int{-1, -1}}
	for i := range tr {
		m.order = append(m.order, i)
	}
	if b.Window == 0 {
		return m, nil
	}
	for k, x := range tr {
		place, err := measured(x.prob.Sys, x.data.data)
		if err != nil {
			return nil, x.named(err)
		}
		if k == 0 {
			m.place = place
		} else if !slices.Equal(place, m.place) {
			return nil, x.named(fmt.Errorf("its columns are not those of the first trajectory, which windows need"))
		}
		var begin []int
		n := len(x.data.data.Times)
		for row := range max(n-b.Window, 0) + 1 {
			if row == 0 || m.known(x.data.data, row) && x.data.window(row, min(row+b.Window, n)) > len(place) {
				begin = append(begin, row)
			}
		}
		x.data.window(0, n)
		m.begin = append(m.begin, begin)
	}
	return m, nil
}

// measured says where the columns of the states are. A state that is not measured has no value to start from within the data.
func measured(sys *system.System, d *Data) ([]state, error) {
	var out []state
	for i, s := range sys.States {
		if i < len(sys.Latent) && sys.Latent[i] {
			continue
		}
		init, flag := sys.Find(s.Name, system.RoleInit), sys.Find(s.Name, system.RoleFlag)
		for k, name := range system.Names([]system.Slot{s}) {
			col := slices.IndexFunc(d.Columns, func(c Column) bool { return !c.Of.Output && c.Of.Index == s.Off+k })
			if col < 0 {
				return nil, &WindowError{State: name}
			}
			if init == nil || flag == nil {
				return nil, fmt.Errorf("the initial value of %s is fixed, so that no window can start within the data", name)
			}
			out = append(out, state{init.Off + k, flag.Off, col})
		}
	}
	return out, nil
}

// WindowError is a state that is not measured, so that no window of the data can start from it.
type WindowError struct{ State string }

// Error says so.
func (e *WindowError) Error() string {
	return fmt.Sprintf("windows start from measured states, and %s is not compared with data", e.State)
}

// known says whether all states are measured at a row.
func (m *batches) known(d *Data, row int) bool {
	for _, s := range m.place {
		if v := d.Columns[s.col].Values[row]; v != v {
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
	per := (n + m.Size - 1) / m.Size
	epoch := (iter - 1) / per
	if m.of != [2]int{stage, epoch} {
		for i := range m.order {
			m.order[i] = i
		}
		rng := rand.New(rand.NewPCG(m.seed^purposeBatch, uint64(stage)<<40|uint64(epoch)))
		rng.Shuffle(n, func(i, j int) { m.order[i], m.order[j] = m.order[j], m.order[i] })
		m.of = [2]int{stage, epoch}
	}
	from := (iter - 1) % per * m.Size
	for _, k := range m.order[from:min(from+m.Size, n)] {
		legs = append(legs, leg{tr: k, hi: len(tr[k].data.data.Times)})
	}
	slices.SortFunc(legs, func(a, b leg) int { return a.tr - b.tr })
	if m.Window > 0 {
		rng := rand.New(rand.NewPCG(m.seed^purposeBatch, 1<<63|uint64(stage)<<40|uint64(iter)))
		for i := range legs {
			l := &legs[i]
			begin := m.begin[l.tr]
			l.lo = begin[rng.IntN(len(begin))]
			l.hi = min(l.lo+m.Window, l.hi)
		}
	}
	return legs
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
