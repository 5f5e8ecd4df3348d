// How often each equation must be differentiated: C. C. Pantelides, "The consistent initialization of differential-algebraic systems",
// SIAM J. Sci. Stat. Comput. 9 (1988), on the orders of derivatives alone as J. D. Pryce, "A simple structural analysis method for DAEs", BIT 41 (2001). All
// equations that stand in the way are differentiated in one round, not one after the other.
//
// Which derivatives then count as unknowns is not decided as dummy derivatives do (S. E. Mattsson, G. Söderlind, SIAM J. Sci. Comput. 14, 1993): the highest derivative of
// a constraint takes its place, all states stay states, and the constraint with its lower derivatives is kept by projection: E. Eich, "Convergence results for
// a coordinate projection method applied to mechanical systems with algebraic constraints", SIAM J. Numer. Anal. 30 (1993).

package implicit

import (
	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/lower"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
)

// structure is what stands where, as written: rows are equations, those that give derivatives first, in the order of x, columns are elements of x.
type structure struct {
	m     *model.Model
	lay   *lower.Layout
	o     *lower.Open // as written
	nx    int
	rows  []row
	with  []combination // that stand in the place of rows
	top   []int         // per element of x: the highest of its derivatives that counts as unknown
	free  []bool
	pair  *matching
	level bool // nothing is differentiated, by flat

	ntheta int
}

// row is one equation.
type row struct {
	of    int // the element of x whose derivative it gives, −1 for those of implicit equations
	eq, k int // of implicit equations
	in    []int
	rate  []bool // per column of in: its derivative stands there
	level int    // how often it is to be differentiated
}

// most is how often anything may be differentiated. The algorithm ends by itself where the structure is sound; nobody has met such an index.
const most = 40

// structureOf analyses a model, with combinations in the place of the rows they say. The error names what has no structure that determines its unknowns.
func structureOf(m *model.Model, lay *lower.Layout, b lower.Builtins, with []combination, flat bool) (*structure, error) {
	own := lower.LayoutOf(m)
	o, err := lower.Written(m, own, b)
	if err != nil {
		return nil, err
	}
	s := &structure{m: m, lay: lay, o: o, nx: lay.NX, ntheta: own.NTheta, top: make([]int, lay.NX), free: make([]bool, lay.NX)}
	given := make([]bool, lay.NX)
	for i, eq := range m.Eqs {
		off := lay.X[i].Off
		for k := range eq.State.Shape.Size() {
			given[off+k] = true
		}
		for _, k := range eq.Missing() {
			given[off+k] = false
		}
	}
	for v := range lay.NX {
		if given[v] {
			s.rows = append(s.rows, row{of: v})
		}
	}
	for i, q := range m.Implicit {
		for k := range q.Size() {
			s.rows = append(s.rows, row{of: -1, eq: i, k: k})
		}
	}
	if s.with = with; len(with) > 0 {
		s.combined(o.G, o.Rest, with, func(r int) (elem, bool) {
			if v := s.rows[r].of; v >= 0 {
				i, k := stateAt(lay, v)
				return elem{o.Rates[i], k}, true
			}
			return elem{o.Rest[s.rows[r].eq], s.rows[r].k}, true
		})
	}
	nodes := append(append(append([]ir.ID(nil), o.Rates...), o.Rest...), o.Outputs...)
	all := dependence(o.G, nodes)
	n := lay.NX
	for r := range s.rows {
		if v := s.rows[r].of; v >= 0 {
			s.rows[r] = s.row(s.rows[r], all[v])
			continue
		}
		s.rows[r] = s.row(s.rows[r], all[n])
		n++
	}
	for _, list := range all[n:] {
		for _, v := range list {
			if v >= s.nx {
				s.top[v-s.nx] = 1
			}
		}
	}
	for _, r := range s.rows {
		for i, v := range r.in {
			if r.rate[i] {
				s.top[v] = 1
			}
		}
	}
	for v, n := range s.top {
		s.free[v] = n == 0
	}
	if flat && s.flat() {
		return s, nil
	}
	return s, s.levels()
}

func (s *structure) row(r row, list []int) row {
	at := map[int]int{}
	add := func(v int, rate bool) {
		i, ok := at[v]
		if !ok {
			i = len(r.in)
			at[v] = i
			r.in, r.rate = append(r.in, v), append(r.rate, false)
		}
		r.rate[i] = r.rate[i] || rate
	}
	if r.of >= 0 {
		add(r.of, true)
	}
	for _, v := range list {
		add(v%s.nx, v >= s.nx)
	}
	return r
}

// levels finds how often each equation is differentiated, and which derivative of each element is then an unknown.
func (s *structure) levels() error {
	for round := 0; ; round++ {
		inc := make([][]int, len(s.rows))
		for r, row := range s.rows {
			for i, v := range row.in {
				order := row.level
				if row.rate[i] {
					order++
				}
				if order == s.top[v] {
					inc[r] = append(inc[r], v)
				}
			}
		}
		s.pair = match(inc, s.nx)
		if s.pair.perfect() {
			return nil
		}
		if round == 0 {
			if err := s.singular(); err != nil {
				return err
			}
		}
		if round == most {
			return s.endless()
		}
		over, cols := s.pair.over()
		for r, yes := range over {
			if yes {
				s.rows[r].level++
			}
		}
		for v, yes := range cols {
			if yes {
				s.top[v]++
			}
		}
	}
}

// opened are the states whose equations must count as implicit ones: where a derivative is determined by others, and its own equation by
// something else, it cannot be put in for the derivative.
func (s *structure) opened() map[int]bool {
	out := map[int]bool{}
	for _, r := range s.rows {
		if r.of >= 0 && s.top[r.of] != r.level+1 {
			i, _ := stateAt(s.lay, r.of)
			out[i] = true
		}
	}
	return out
}

// analysis is what is known of the equations. Variables are numbered as the inputs of the graph: the states' elements first, then
// the first derivatives of the loose ones, then their second derivatives, …
type analysis struct {
	m       *model.Model
	written *structure
	lay     *lower.Layout
	o       *lower.Open
	nx      int
	loose   []int  // as in lower.Open
	plain   []bool // of each loose element: its derivative stands nowhere as written
	order   []int  // of each loose element: which of its derivatives is the unknown, 0 for itself

	eqs   []equation
	rest  [][]ir.ID // of each implicit equation: itself and its derivatives by time
	found *matching // of eqs to loose elements
}

// equation is one element of an implicit equation.
type equation struct {
	eq, k int
	level int // how often it is differentiated
}

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

// analyse differentiates what must be, and assigns an unknown to every equation.
func analyse(m *model.Model, lay *lower.Layout, b lower.Builtins, with []combination, flat bool) (*analysis, error) {
	s, err := structureOf(m, lay, b, with, flat)
	if err != nil {
		return nil, err
	}
	levels := map[[2]int]int{}
	for _, r := range s.rows {
		if r.of < 0 {
			levels[[2]int{r.eq, r.k}] = r.level
		}
	}
	if opened := s.opened(); len(opened) > 0 {
		m = open(m, opened)
		for _, r := range s.rows {
			if r.of < 0 {
				continue
			}
			i, k := stateAt(lay, r.of)
			for j, q := range m.Implicit {
				if q.Rate != nil && q.Rate.State == m.States[i] {
					levels[[2]int{j, position(q.Rate, k)}] = r.level
				}
			}
		}
	}
	o, err := lower.OpenOf(m, lay, b)
	if err != nil {
		return nil, err
	}
	if len(with) > 0 {
		s.combined(o.G, o.Rest, with, func(r int) (elem, bool) {
			v := s.rows[r].of
			if v < 0 {
				return elem{o.Rest[s.rows[r].eq], s.rows[r].k}, true
			}
			i, k := stateAt(lay, v)
			for j, q := range m.Implicit {
				if q.Rate != nil && q.Rate.State == m.States[i] {
					return elem{o.Rest[j], position(q.Rate, k)}, true
				}
			}
			return elem{}, false // its derivative is put in
		})
	}
	a := &analysis{m: m, written: s, lay: lay, o: o, nx: lay.NX, loose: o.Loose}
	for _, v := range o.Loose {
		a.plain = append(a.plain, s.free[v])
		a.order = append(a.order, s.top[v])
	}
	for i, q := range m.Implicit {
		for k := range q.Size() {
			a.eqs = append(a.eqs, equation{eq: i, k: k, level: levels[[2]int{i, k}]})
		}
		a.rest = append(a.rest, []ir.ID{o.Rest[i]})
	}
	if err := a.differentiate(); err != nil {
		return nil, err
	}
	a.found = match(a.incidence(), len(a.loose))
	if s.level {
		a.found = match(a.paired(), len(a.loose))
	}
	if !a.found.perfect() {
		return nil, s.endless()
	}
	return a, nil
}

// open is the model with equations of some states among the implicit ones.
func open(m *model.Model, which map[int]bool) *model.Model {
	c := *m
	c.Eqs = append([]*model.Equation(nil), m.Eqs...)
	c.Implicit = append([]*model.Implicit(nil), m.Implicit...)
	for i, eq := range m.Eqs {
		if which[i] {
			c.Eqs[i] = &model.Equation{State: eq.State, Span: eq.Span}
			c.Implicit = append(c.Implicit, model.OfRate(eq))
		}
	}
	return &c
}

// position is which of the elements that an equation gives is element k.
func position(eq *model.Equation, k int) int {
	n := 0
	for _, j := range eq.Missing() {
		if j < k {
			n++
		}
	}
	return k - n
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

// incidence lists the unknowns of each equation.
func (a *analysis) incidence() [][]int {
	own := a.whose()
	start := map[ir.ID]int{}
	var nodes []ir.ID
	n := 0
	for _, e := range a.eqs {
		id := a.rest[e.eq][e.level]
		if _, ok := start[id]; !ok {
			start[id] = n
			n += a.o.G.Shape(id).Size()
			nodes = append(nodes, id)
		}
	}
	all := dependence(a.o.G, nodes)
	rows := make([][]int, len(a.eqs))
	for i, e := range a.eqs {
		for _, v := range all[start[a.rest[e.eq][e.level]]+e.k] {
			if q, level, ok := a.derivative(v, own); ok && level == a.order[q] {
				rows[i] = append(rows[i], q)
			}
		}
	}
	return rows
}

// differentiate adds the derivatives of equations that are called for.
func (a *analysis) differentiate() error {
	need := make([]int, len(a.rest))
	for _, e := range a.eqs {
		need[e.eq] = max(need[e.eq], e.level)
	}
	for level := 1; ; level++ {
		var which []int
		var nodes []ir.ID
		for i, n := range need {
			if n >= level {
				which = append(which, i)
				nodes = append(nodes, a.rest[i][level-1])
			}
		}
		if which == nil {
			return nil
		}
		d, err := a.byTime(nodes)
		if err != nil {
			return diag.New("E0236", a.m.Implicit[which[0]].Span, "the index cannot be reduced: %v", err).At("must be differentiated by time").
				WithHelp("write the equation with functions that have derivatives")
		}
		for j, i := range which {
			a.rest[i] = append(a.rest[i], d[j])
		}
	}
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
			if i, k := stateAt(a.lay, in.Off); k == 0 && a.lay.X[i].Shape.Equal(in.Shape) { // most inputs are one state
				return a.o.Rates[i]
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
