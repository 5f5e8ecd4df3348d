package solve

import (
	"reflect"
	"slices"

	"github.com/udl-lang/udl/runtime/sparse"
)

// mark is all that an integration's next steps rest on, as it was between two steps: from there they are made again, to the same bits. What holds numbers by itself is held
// by copying its struct, so that nothing in it can be forgotten; what its slices and pointers lead to, and steps change, is held beside it by its method keep, which says
// what, in one order, for holding and for going back. What only one step uses, and writes before it reads, is left out.
type mark struct {
	step   int       // how many steps lie before
	start  bool      // it is where the integration starts, from which the problem itself leads: there is nothing to hold
	data   []float64 // what slices held
	values []any     // what structs held
	bytes  int64

	back      bool // what was held is put back
	atD, atV  int
	lookedAt  []float64 // the rows of the steps before, to which those after look back
	rowsThere int
}

// reset empties it, for another moment.
func (m *mark) reset(step int) {
	clear(m.values)
	m.step, m.start, m.data, m.values, m.lookedAt = step, false, m.data[:0], m.values[:0], m.lookedAt[:0]
	m.bytes, m.back, m.rowsThere = 0, false, 0
}

// rewind begins to put back.
func (m *mark) rewind() { m.back, m.atD, m.atV = true, 0, 0 }

// held is a struct as it is, with what its slices lead to left as it is.
func held[T any](m *mark, at *T) {
	if m.back {
		*at = m.values[m.atV].(T)
		m.atV++
		return
	}
	m.values = append(m.values, *at)
	m.bytes += int64(reflect.TypeFor[T]().Size()) + 16
}

// heldAll are the elements of a slice.
func heldAll[T any](m *mark, x []T) {
	if m.back {
		copy(x, m.values[m.atV].([]T))
		m.atV++
		return
	}
	m.values = append(m.values, slices.Clone(x))
	m.bytes += int64(len(x))*int64(reflect.TypeFor[T]().Size()) + 40
}

// vectors are the numbers in slices.
func (m *mark) vectors(all ...[]float64) {
	for _, x := range all {
		if m.back {
			copy(x, m.data[m.atD:m.atD+len(x)])
			m.atD += len(x)
			continue
		}
		m.data = append(m.data, x...)
	}
}

// size is the memory that it takes.
func (m *mark) size() int64 { return m.bytes + 8*int64(cap(m.data)+cap(m.lookedAt)) }

// keep is what the next steps of the Stepper rest on.
func (s *Stepper) keep(m *mark) {
	held(m, s)
	heldAll(m, s.k) // steps exchange them
	if m.back && len(s.sys.Jumps) > 0 {
		stats := s.stats
		s.retheta(s.th) // whose values are put back already
		s.stats = stats
	}
	m.vectors(s.x, s.x1, s.kflat)
	if s.auto != nil {
		held(m, s.auto)
	}
	if s.eng != nil {
		s.eng.keep(m)
	}
}

// keep is what events to come rest on, beside the solution's lists of those that were.
func (e *eventer) keep(m *mark) {
	held(m, e)
	m.vectors(e.g, e.noise, e.blur, e.floor, e.at, e.samples, e.moment, e.period, e.burst, e.lastAt, e.gap, e.th, e.before)
	for _, x := range [...][]bool{e.holds, e.hasNoise, e.own} {
		heldAll(m, x)
	}
	for _, x := range [...][]int{e.count, e.atOnce, e.zeno, e.inRow} {
		heldAll(m, x)
	}
	heldAll(m, e.pending)
	heldAll(m, e.due)
	if m.back && e.th != nil {
		e.guards.Prepare(e.th)
	}
}

// keep is what later steps rest on of Newton's method.
func (n *newton) keep(m *mark) {
	held(m, n)
	m.vectors(n.sc)
	n.mat.keep(m)
}

// keep is what later steps rest on of a matrix: J, and the factors, which are made again.
func (m *matrix) keep(k *mark) {
	held(k, m)
	k.vectors(m.v, m.a, m.jx)
	if m.krylov != nil {
		m.krylov.keep(k)
		if k.back && m.c != 0 {
			_ = m.krylov.factor(m, m.a) // where it failed then, the steps know
		}
	}
	m.pivots.keep(k, m.lu, m.a)
}

// keep is what later solutions rest on, but for factors.
func (k *krylov) keep(m *mark) {
	counts, left := [...]int{k.solves, k.directions}, k.left
	held(m, &counts)
	held(m, &left)
	k.solves, k.directions, k.left = counts[0], counts[1], left
}

// keep is what later factors rest on, with those of the entries a themselves.
func (p *pivots) keep(m *mark, lu sparse.Solver, a []float64) {
	m.vectors(p.of)
	if !m.back || !p.chosen {
		return
	}
	_ = lu.Factor(p.of) // which went well then
	if p.later {
		_ = lu.Refactor(a)
	}
}

// keep is what later steps rest on of a complex matrix.
func (q *pair) keep(m *mark) {
	held(m, q)
	m.vectors(q.re, q.im, q.v)
	if q.dense == nil {
		q.pivots.keep(m, q.lu, q.v)
	} else if m.back && q.ready {
		_ = q.dense.Factor(q.re, q.im)
	}
}
