package implicit

import (
	"math"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/sparse"
)

// constants says which derivatives leave the system for a mass matrix: those that stand with constant coefficients wherever they stand.
//
// Where x' = p and B·p = f(t, x, z) with [B, −∂f/∂z] regular, M = B says the same with fewer unknowns, and its index is 1 too: if a combination
// of the rows of f without B had a derivative by z that vanishes on some v, ∂f/∂z·v would be B·p for some p.
type constants struct {
	gone   []bool  // per loose element: its highest derivative
	slopes []ir.ID // derivatives of the rows along these, in the graph; None for rows without
	rows   [][]int // per row: the loose elements that are gone and stand in it
}

// allRows are the nodes whose elements are the rows: the states' derivatives, then the implicit equations at their level, one node for each level
// that is in use.
func (a *analysis) allRows() (nodes []ir.ID, elems []elem) {
	for v, own := range a.whose() {
		if own >= 0 {
			elems = append(elems, elem{ir.None, 0})
			continue
		}
		i, k := stateAt(a.lay, v)
		elems = append(elems, elem{a.o.Rates[i], k})
	}
	for _, e := range a.eqs {
		elems = append(elems, elem{a.rest[e.eq][e.level], e.k})
	}
	seen := map[ir.ID]bool{}
	for _, e := range elems {
		if e.node != ir.None && !seen[e.node] {
			seen[e.node] = true
			nodes = append(nodes, e.node)
		}
	}
	return nodes, elems
}

func (a *analysis) collapse() (*constants, error) {
	c := &constants{gone: make([]bool, len(a.loose))}
	any := false
	for q, n := range a.order {
		c.gone[q] = n > 0
		any = any || n > 0
	}
	g := a.o.G
	// What a let shows must stay.
	if any && len(a.o.Outputs) > 0 {
		own := a.whose()
		for _, row := range dependence(g, a.o.Outputs) {
			for _, v := range row {
				if q, level, ok := a.derivative(v, own); ok && level > 0 && level == a.order[q] {
					c.gone[q] = false
				}
			}
		}
	}
	for any {
		any = false
		for _, yes := range c.gone {
			any = any || yes
		}
		if !any {
			break
		}
		changed, err := a.linear(c)
		if err != nil || !changed {
			return c, err
		}
	}
	c.slopes, c.rows = nil, nil
	return c, nil
}

// linear differentiates the rows by what is to go, and takes out of it what has coefficients that are not constant. It says
// whether that was so.
func (a *analysis) linear(c *constants) (changed bool, err error) {
	g := a.o.G
	nodes, elems := a.allRows()
	top := func(v int) (int, bool) {
		if v < a.nx {
			return 0, false
		}
		n := len(a.loose)
		q, level := (v-a.nx)%n, (v-a.nx)/n+1
		return q, level == a.order[q] && c.gone[q]
	}
	d, err := ad.Along(g, nodes, func(in ir.Input) ir.ID {
		if in.Bank != ir.BankX {
			return ir.None
		}
		mask := make([]float64, in.Shape.Size())
		ones := 0
		for k := range mask {
			if _, ok := top(in.Off + k); ok {
				mask[k] = 1
				ones++
			}
		}
		if ones == 0 {
			return ir.None
		}
		dx := g.Input("d"+in.Name, ir.BankDX, in.Off, in.Shape)
		if ones < len(mask) {
			dx = g.Mul(dx, g.Const(in.Shape, mask...))
		}
		return dx
	})
	if err != nil {
		// A function without derivative: the unknowns stay, which is right whatever the coefficients are.
		for q := range c.gone {
			c.gone[q] = false
		}
		return true, nil
	}
	slope := map[ir.ID]ir.ID{}
	var moving []ir.ID
	start := map[ir.ID]int{}
	n := 0
	for i, id := range nodes {
		slope[id] = d[i]
		if d[i] != ir.None {
			start[id] = n
			n += g.Shape(id).Size()
			moving = append(moving, d[i])
		}
	}
	g.Outputs = nil
	off := 0
	for _, id := range moving {
		g.Output(ir.Output{Off: off, Node: id})
		off += g.Shape(id).Size()
	}
	// Columns: what is to go, then everything whose presence spoils the row.
	deps := ad.Dependence(g, n, func(b ir.Bank, off int) int {
		switch b {
		case ir.BankDX:
			if q, ok := top(off); ok {
				return q
			}
			return -1
		case ir.BankX, ir.BankT:
			return len(a.loose)
		}
		return -1
	})
	g.Outputs = nil
	c.rows = make([][]int, len(elems))
	c.slopes = make([]ir.ID, len(elems))
	for r, e := range elems {
		c.slopes[r] = ir.None
		if e.node == ir.None || slope[e.node] == ir.None {
			continue
		}
		row := deps[start[e.node]+e.k]
		if len(row) == 0 {
			continue
		}
		if row[len(row)-1] == len(a.loose) {
			for _, q := range row[:len(row)-1] {
				c.gone[q] = false
				changed = true
			}
			continue
		}
		c.slopes[r], c.rows[r] = slope[e.node], row
	}
	return changed, nil
}

// mass is M: its pattern and the graph of its entries.
func (s *assembly) mass() (*sparse.Pattern, *ir.Graph, error) {
	var rows, cols []int
	for off, alg := range s.algebraic {
		if !alg && s.lead[off] < 0 {
			rows, cols = append(rows, off), append(cols, off)
		}
	}
	_, elems := s.allRows()
	var of []entry // beside rows and cols beyond the ones
	ones := len(rows)
	at := make([]int, len(elems)) // the row of x that each is
	for r := range elems {
		at[r] = r
		if r >= s.nx {
			at[r] = -1
		}
	}
	for off, i := range s.lead {
		if i >= 0 {
			at[s.nx+i] = off
		}
	}
	colOf := func(q int) int { return s.offset(s.variable(q, s.order[q]-1)) }
	for r, qs := range s.rows {
		for _, q := range qs {
			of = append(of, entry{r, elems[r].k, q})
			rows, cols = append(rows, at[r]), append(cols, colOf(q))
		}
	}
	p, err := sparse.NewPattern(s.n, rows, cols)
	if err != nil {
		return nil, nil, err
	}
	h := ir.New()
	es := make([]elem, p.NNZ())
	one := h.Num(1)
	for k := range ones {
		es[p.Index(rows[k], cols[k])] = elem{one, 0}
	}
	// One copy of the slopes for each group of columns that share no row.
	for _, group := range s.groups(of) {
		var roots []ir.ID
		for _, e := range group.entries {
			roots = append(roots, s.slopes[e.row])
		}
		ids := s.copied(h, roots, func(h *ir.Graph, b ir.Bank, v int) ir.ID {
			if b == ir.BankDX && group.in[(v-s.nx)%len(s.loose)] {
				return one
			}
			return h.Num(0)
		})
		for i, e := range group.entries {
			es[p.Index(at[e.row], colOf(e.q))] = elem{h.Neg(pick(h, []elem{{ids[i], e.k}}, nil)), 0}
		}
	}
	h.Output(ir.Output{Name: "mass", Node: pick(h, es, types.Shape{len(es)})})
	return p, h, nil
}

// entry is the coefficient of a derivative in element k of the node of a row.
type entry struct{ row, k, q int }

type group struct {
	in      map[int]bool
	entries []entry
}

// groups puts columns together that share no row, greedily.
func (s *assembly) groups(of []entry) []*group {
	byCol := map[int][]entry{}
	for _, e := range of {
		byCol[e.q] = append(byCol[e.q], e)
	}
	var out []*group
	var used []map[int]bool
	for q := range s.loose {
		es := byCol[q]
		if len(es) == 0 {
			continue
		}
	next:
		for i := 0; ; i++ {
			if i == len(out) {
				out = append(out, &group{in: map[int]bool{}})
				used = append(used, map[int]bool{})
			}
			for _, e := range es {
				if used[i][e.row] {
					continue next
				}
			}
			out[i].in[q] = true
			out[i].entries = append(out[i].entries, es...)
			for _, e := range es {
				used[i][e.row] = true
			}
			break
		}
	}
	return out
}

func infinite() (lo, hi float64) { return math.Inf(-1), math.Inf(1) }
