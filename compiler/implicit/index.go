// How often each equation must be differentiated: C. C. Pantelides, "The consistent initialization of differential-algebraic systems",
// SIAM J. Sci. Stat. Comput. 9 (1988). All equations that stand in the way are differentiated in one round, not one after the other.
//
// Which derivatives then count as unknowns is not decided as dummy derivatives do (S. E. Mattsson, G. Söderlind, SIAM J. Sci. Comput. 14, 1993): the highest derivative of
// a constraint takes its place, all states stay states, and the constraint with its lower derivatives is kept by projection: E. Eich, "Convergence results for
// a coordinate projection method applied to mechanical systems with algebraic constraints", SIAM J. Numer. Anal. 30 (1993).

package implicit

import (
	"fmt"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
)

// analysis is what is known of the equations. Variables are numbered as the inputs of the graph: the states' elements first, then
// the first derivatives of the loose ones, then their second derivatives, …
type analysis struct {
	m     *model.Model
	lay   *lower.Layout
	o     *lower.Open
	nx    int
	loose []int  // as in lower.Open
	plain []bool // of each loose element: its derivative stands nowhere as written
	order []int  // of each loose element: which of its derivatives is the unknown, 0 for itself

	eqs   []equation
	of    []int // the first of the elements of each implicit equation among eqs; one more for the end
	rest  [][]ir.ID
	found *matching // of eqs to loose elements
}

// equation is one element of an implicit equation.
type equation struct {
	eq, k  int
	level  int // how often it was differentiated
	in     []int
	inBase []int // variables before anything was differentiated
}

// most is how often anything may be differentiated: Pantelides' algorithm ends by itself where the structure is sound, and
// a model of a higher index has not been met.
const most = 12

func (a *analysis) variable(q, level int) int {
	if level == 0 {
		return a.loose[q]
	}
	return a.nx + (level-1)*len(a.loose) + q
}

// derivative says which loose element a variable derives from, and how often; ok is false for the states that have equations of their own.
func (a *analysis) derivative(v int, whose []int) (q, level int, ok bool) {
	if v < a.nx {
		return whose[v], 0, whose[v] >= 0
	}
	n := len(a.loose)
	return (v - a.nx) % n, (v-a.nx)/n + 1, true
}

func (a *analysis) whose() []int {
	w := filled(a.nx, -1)
	for q, v := range a.loose {
		w[v] = q
	}
	return w
}

// analyse assigns an unknown to every equation, differentiating what must be.
func analyse(m *model.Model, lay *lower.Layout, o *lower.Open) (*analysis, error) {
	a := &analysis{m: m, lay: lay, o: o, nx: lay.NX, loose: o.Loose, order: make([]int, len(o.Loose)), of: []int{0}}
	for i, q := range m.Implicit {
		for k := range q.Size() {
			a.eqs = append(a.eqs, equation{eq: i, k: k})
		}
		a.of = append(a.of, len(a.eqs))
		a.rest = append(a.rest, []ir.ID{o.Rest[i]})
	}
	if len(a.eqs) != len(a.loose) {
		return nil, fmt.Errorf("implicit: %d equations for %d unknowns", len(a.eqs), len(a.loose)) // the checker counts
	}
	// A derivative that stands anywhere is the unknown, in place of the state.
	g := o.G
	g.Outputs = nil
	nodes := append(append(append([]ir.ID(nil), o.Rest...), o.Rates...), o.Outputs...)
	rows := dependence(g, nodes)
	n := 0
	for i := range a.eqs {
		a.eqs[i].in, a.eqs[i].inBase = rows[i], rows[i]
	}
	n = len(a.eqs)
	own := a.whose()
	for v, row := range rows[n:] {
		if v < a.nx && own[v] >= 0 {
			continue // the derivative itself, as an input
		}
		for _, w := range row {
			if w >= a.nx {
				a.order[w-a.nx] = 1
			}
		}
	}
	for i := range a.eqs {
		for _, w := range a.eqs[i].in {
			if w >= a.nx {
				a.order[w-a.nx] = 1
			}
		}
	}
	explicit := rows[n : n+a.nx]
	for _, k := range a.order {
		a.plain = append(a.plain, k == 0)
	}
	for round := 0; ; round++ {
		a.found = match(a.incidence(own), len(a.loose))
		if a.found.perfect() {
			return a, nil
		}
		if round == 0 {
			if err := a.singular(explicit, own); err != nil {
				return nil, err
			}
		}
		if round == most {
			return nil, a.endless()
		}
		if err := a.differentiate(own); err != nil {
			return nil, err
		}
	}
}

// incidence lists the unknowns of each equation.
func (a *analysis) incidence(own []int) [][]int {
	rows := make([][]int, len(a.eqs))
	for i, e := range a.eqs {
		for _, v := range e.in {
			if q, level, ok := a.derivative(v, own); ok && level == a.order[q] {
				rows[i] = append(rows[i], q)
			}
		}
	}
	return rows
}

// dependence lists the variables in each element of nodes, one after the other.
func dependence(g *ir.Graph, nodes []ir.ID) [][]int {
	g.Outputs = nil
	n := 0
	for _, id := range nodes {
		g.Output(ir.Output{Off: n, Node: id})
		n += g.Shape(id).Size()
	}
	rows := ad.Dependence(g, n, func(b ir.Bank, off int) int {
		if b != ir.BankX {
			return -1
		}
		return off
	})
	g.Outputs = nil
	return rows
}

// differentiate replaces the equations that are too many for their unknowns by their derivatives.
func (a *analysis) differentiate(own []int) error {
	over, cols := a.found.over()
	deeper := map[int]bool{} // implicit equations of which a derivative is not there yet
	for i, yes := range over {
		if yes {
			e := &a.eqs[i]
			e.level++
			if e.level == len(a.rest[e.eq]) {
				deeper[e.eq] = true
			}
		}
	}
	for q, yes := range cols {
		if yes {
			a.order[q]++
		}
	}
	var which []int
	var nodes []ir.ID
	for i := range a.m.Implicit {
		if deeper[i] {
			which = append(which, i)
			nodes = append(nodes, a.rest[i][len(a.rest[i])-1])
		}
	}
	d, err := a.byTime(nodes)
	if err != nil {
		q := a.m.Implicit[which[0]]
		return diag.New("E0236", q.Span, "the index cannot be reduced: %v", err).At("must be differentiated by time").
			WithHelp("write the equation with functions that have derivatives")
	}
	for j, i := range which {
		a.rest[i] = append(a.rest[i], d[j])
	}
	// What stands in the new ones.
	nodes = nodes[:0]
	var changed []int
	for i := range a.m.Implicit {
		levels := map[int]bool{}
		for k := a.of[i]; k < a.of[i+1]; k++ {
			if over[k] {
				levels[a.eqs[k].level] = true
			}
		}
		for l := range a.rest[i] {
			if levels[l] {
				changed = append(changed, i, l)
				nodes = append(nodes, a.rest[i][l])
			}
		}
	}
	rows := dependence(a.o.G, nodes)
	for j := 0; j < len(changed); j += 2 {
		i, l := changed[j], changed[j+1]
		for k := a.of[i]; k < a.of[i+1]; k++ {
			if over[k] && a.eqs[k].level == l {
				a.eqs[k].in = rows[k-a.of[i]]
			}
		}
		rows = rows[a.of[i+1]-a.of[i]:]
	}
	return nil
}

// byTime adds the total derivatives of nodes by time, along x' = f.
func (a *analysis) byTime(nodes []ir.ID) ([]ir.ID, error) {
	g := a.o.G
	all := ir.None
	seed := func(in ir.Input) ir.ID {
		switch in.Bank {
		case ir.BankT:
			return g.Fill(in.Shape, 1)
		case ir.BankX:
			if in.Off >= a.nx {
				return g.Input(in.Name+"'", ir.BankX, in.Off+len(a.loose), in.Shape)
			}
			for i, p := range a.lay.X { // most inputs are one state
				if p.Off == in.Off && p.Shape.Equal(in.Shape) {
					return a.o.Rates[i]
				}
			}
			if all == ir.None {
				all = g.Concat(a.o.Rates...)
			}
			idx := make([]int, in.Shape.Size())
			for k := range idx {
				idx[k] = in.Off + k
			}
			return g.Gather(all, idx, in.Shape)
		}
		return ir.None
	}
	d, err := ad.Along(g, nodes, seed)
	for i := range d {
		if d[i] == ir.None {
			d[i] = g.Fill(g.Shape(nodes[i]), 0)
		}
	}
	return d, err
}
