// Rows whose derivatives depend on each other, as in a' + b' = f beside 2*a' + 2*b' = g. What stands where does not show that; the numbers do: Gaussian elimination of
// the rows that are linear in derivatives with constant coefficients, with a running bound of its rounding errors (N. J. Higham, "Accuracy and Stability of
// Numerical Algorithms", 2nd ed., SIAM 2002, § 3.3). A combination without derivatives is an algebraic equation, and takes the place of its last row.
//
// Coefficients may be made of parameters. The combination is found at one random θ and must hold at others with the same factors: then it holds whatever the parameters
// are, and does not depend on them. C*(a' - b') beside C*(b' - a') is found; what depends for some θ only, or with factors that depend on θ, stays as it is.

package implicit

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/model"
)

// combination is a sum of equations in which all derivatives cancel. Rows are numbered as in structure.rows.
type combination struct {
	of    int // the row whose place it takes, one of the terms
	terms []term
}

type term struct {
	row int
	by  float64
}

// coefficients are those of the derivatives in one row at one θ, by element of x.
type coefficients map[int]float64

// samples is at how many values of θ rows are compared.
const samples = 3

// work is the most operations of an elimination; beyond, nothing is looked for.
const work = 20_000_000

// dependent finds the combinations that must be written out: those with derivatives that stay unknowns, where the rows would determine
// them twice and not at all. Where all go into the mass matrix, that is singular, and the solvers know what to do.
func (a *analysis) dependent(c *constants) []combination {
	stays := map[int]bool{}
	for q, v := range a.loose {
		if a.order[q] > 0 && !c.gone[q] {
			stays[v] = true
		}
	}
	if len(stays) == 0 {
		return nil
	}
	at := a.written.coefficients()
	if at == nil {
		return nil
	}
	var out []combination
	for _, k := range eliminate(at[0]) {
		holds := a.written.rows[k.of].of < 0
		for _, rows := range at[1:] {
			holds = holds && k.cancels(rows)
		}
		unknown := false
		for _, t := range k.terms {
			for v := range at[0][t.row] {
				unknown = unknown || stays[v]
			}
		}
		if holds && unknown {
			out = append(out, k)
		}
	}
	return out
}

// coefficients of the rows with constant ones, at some random θ each; nil for the other rows, and altogether where they cannot be had.
func (s *structure) coefficients() [][]coefficients {
	g, nx := s.o.G, s.nx
	nodes := append(append([]ir.ID(nil), s.o.Rates...), s.o.Rest...)
	d, err := ad.Along(g, nodes, func(in ir.Input) ir.ID {
		if in.Bank != ir.BankX || in.Off < nx {
			return ir.None
		}
		return g.Input("d"+in.Name, ir.BankDX, in.Off, in.Shape)
	})
	if err != nil {
		return nil // a function without derivative: what depends on what stays unknown
	}
	g.Outputs = nil
	defer func() { g.Outputs = nil }()
	start, n := filled(len(nodes), -1), 0
	for i, id := range d {
		if id != ir.None {
			g.Output(ir.Output{Off: n, Node: id})
			start[i] = n
			n += g.Shape(id).Size()
		}
	}
	deps := ad.Dependence(g, n, func(b ir.Bank, off int) int {
		switch b {
		case ir.BankDX:
			return off - nx
		case ir.BankX, ir.BankT:
			return nx
		}
		return -1
	})
	// Where each row's derivatives stand among the outputs; −1 for rows without, or with coefficients that move.
	place, cols := filled(len(s.rows), -1), make([][]int, len(s.rows))
	fixed := make([]bool, len(s.rows))
	for r, row := range s.rows {
		i, k := len(s.o.Rates)+row.eq, row.k
		if row.of >= 0 {
			i, k = stateAt(s.lay, row.of)
		}
		fixed[r] = true
		if start[i] < 0 {
			continue
		}
		in := deps[start[i]+k]
		if len(in) > 0 && in[len(in)-1] == nx {
			fixed[r] = false
		} else if len(in) > 0 {
			place[r], cols[r] = start[i]+k, in
		}
	}
	groups := apart(cols, nx)
	random := rand.New(rand.NewPCG(1, 2)) // the same for every compilation
	var out [][]coefficients
	for range samples {
		var in ir.Banks
		in[ir.BankT] = []float64{random.Float64()}
		in[ir.BankX], in[ir.BankDX] = make([]float64, 2*nx), make([]float64, 2*nx)
		in[ir.BankTheta] = make([]float64, s.ntheta)
		for _, v := range [][]float64{in[ir.BankX], in[ir.BankTheta]} {
			for i := range v {
				v[i] = 0.3 + 0.6*random.Float64()
			}
		}
		rows := make([]coefficients, len(s.rows))
		for r, row := range s.rows {
			if fixed[r] && (row.of >= 0 || place[r] >= 0) {
				rows[r] = coefficients{}
			}
			if fixed[r] && row.of >= 0 {
				rows[r][row.of] = -1
			}
		}
		z := make([]float64, n)
		for _, group := range groups {
			clear(in[ir.BankDX])
			member := map[int]bool{}
			for _, v := range group {
				in[ir.BankDX][nx+v] = 1
				member[v] = true
			}
			if ir.Interpret(g, &in, [][]float64{z}) != nil {
				return nil
			}
			for r, list := range cols {
				for _, v := range list {
					if value := z[place[r]]; member[v] && value != 0 {
						rows[r][v] += value
					}
				}
			}
		}
		for r := range rows {
			for _, v := range rows[r] {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					rows[r] = nil
					break
				}
			}
		}
		out = append(out, rows)
	}
	return out
}

// apart puts columns together that share no row, greedily.
func apart(rows [][]int, cols int) (groups [][]int) {
	in := make([][]int, cols)
	for r, list := range rows {
		for _, c := range list {
			in[c] = append(in[c], r)
		}
	}
	var used []map[int]bool
	for c, list := range in {
		if len(list) == 0 {
			continue
		}
		i := 0
		for i < len(used) && slices.ContainsFunc(list, func(r int) bool { return used[i][r] }) {
			i++
		}
		if i == len(used) {
			used, groups = append(used, map[int]bool{}), append(groups, nil)
		}
		groups[i] = append(groups[i], c)
		for _, r := range list {
			used[i][r] = true
		}
	}
	return groups
}

// reduced is a row less those before it.
type reduced struct {
	row   int
	v     coefficients
	less  []term // which reduced rows were subtracted, by their place
	pivot int
	err   float64 // bounds the rounding errors in v
}

// eliminate finds, for each row that depends on the rows before it, the combination that vanishes. Rows that are nil are passed over.
func eliminate(rows []coefficients) []combination {
	var out []combination
	var done []reduced
	of := map[int]int{} // a pivot's column → its place in done
	left := work
	for r, row := range rows {
		if len(row) == 0 {
			continue
		}
		x := reduced{row: r, v: coefficients{}}
		size := 0.0
		for c, v := range row {
			x.v[c] = v
			size = max(size, math.Abs(v))
		}
		const eps = 0x1p-52
		x.err = 4 * eps * size // the coefficients themselves are rounded
		for {
			first := -1
			for c := range x.v {
				if i, ok := of[c]; ok && (first < 0 || i < first) {
					first = i
				}
			}
			if first < 0 {
				break
			}
			p := &done[first]
			f := x.v[p.pivot] / p.v[p.pivot]
			if left -= len(x.v) + len(p.v); left < 0 {
				return nil
			}
			for c, v := range p.v {
				x.v[c] -= f * v
				size = max(size, math.Abs(x.v[c]))
			}
			delete(x.v, p.pivot)
			x.less = append(x.less, term{first, f})
			x.err += math.Abs(f)*p.err + 2*eps*size
		}
		x.pivot = -1
		for c, v := range x.v {
			if math.Abs(v) <= 8*x.err { // rounding, or what cannot be told from it
				continue
			}
			if x.pivot < 0 || math.Abs(v) > math.Abs(x.v[x.pivot]) || math.Abs(v) == math.Abs(x.v[x.pivot]) && c < x.pivot {
				x.pivot = c
			}
		}
		if x.pivot >= 0 {
			of[x.pivot] = len(done)
			done = append(done, x)
			continue
		}
		out = append(out, x.combination(done))
	}
	return out
}

// combination says which rows make a reduced one.
func (x *reduced) combination(done []reduced) combination {
	by := make([]float64, len(done))
	for _, t := range x.less {
		by[t.row] -= t.by
	}
	k := combination{of: x.row}
	for i := len(done) - 1; i >= 0; i-- {
		f := by[i]
		if f == 0 {
			continue
		}
		for _, t := range done[i].less {
			by[t.row] -= f * t.by
		}
		if whole := math.Round(f); math.Abs(f-whole) < 1e-13 {
			f = whole
		}
		if f != 0 {
			k.terms = append(k.terms, term{done[i].row, f})
		}
	}
	k.terms = append(k.terms, term{x.row, 1})
	slices.SortFunc(k.terms, func(a, b term) int { return a.row - b.row })
	return k
}

// cancels says whether the derivatives cancel in a combination of these rows, up to rounding.
func (k combination) cancels(rows []coefficients) bool {
	sum, size := coefficients{}, coefficients{}
	for _, t := range k.terms {
		if rows[t.row] == nil {
			return false
		}
		for c, v := range rows[t.row] {
			sum[c] += t.by * v
			size[c] += math.Abs(t.by * v)
		}
	}
	for c, v := range sum {
		if math.Abs(v) > 1e-13*size[c] {
			return false
		}
	}
	return true
}

// combined puts combinations in the place of rows of rest. node says where a row stands; ok is false for those that hold by themselves.
func (s *structure) combined(g *ir.Graph, rest []ir.ID, with []combination, node func(row int) (e elem, ok bool)) {
	var nodes []ir.ID
	for _, k := range with {
		for _, t := range k.terms {
			if e, ok := node(t.row); ok {
				nodes = append(nodes, e.node)
			}
		}
	}
	still := atRest(g, nodes, s.nx)
	sums := map[int]map[int]ir.ID{}
	for _, k := range with {
		old := g.At(s.m.Implicit[s.rows[k.of].eq].Span)
		sum := ir.None
		for _, t := range k.terms {
			e, ok := node(t.row)
			if !ok {
				continue
			}
			x := pick(g, []elem{{still[e.node], e.k}}, nil)
			switch {
			case t.by == -1:
				x = g.Neg(x)
			case t.by != 1:
				x = g.Mul(g.Num(t.by), x)
			}
			if sum == ir.None {
				sum = x
			} else {
				sum = g.Add(sum, x)
			}
		}
		g.At(old)
		r := s.rows[k.of]
		if sums[r.eq] == nil {
			sums[r.eq] = map[int]ir.ID{}
		}
		sums[r.eq][r.k] = sum
	}
	for i := range rest {
		if sums[i] == nil {
			continue
		}
		es := make([]elem, g.Shape(rest[i]).Size())
		for k := range es {
			es[k] = elem{rest[i], k}
			if sum, ok := sums[i][k]; ok {
				es[k] = elem{sum, 0}
			}
		}
		rest[i] = pick(g, es, g.Shape(rest[i]))
	}
}

// atRest is what nodes become with zeros for the derivatives, which are the inputs beyond x.
func atRest(g *ir.Graph, nodes []ir.ID, nx int) map[ir.ID]ir.ID {
	g.Outputs = nil
	for _, id := range nodes {
		g.Output(ir.Output{Node: id})
	}
	live := g.Live()
	g.Outputs = nil
	to := map[ir.ID]ir.ID{}
	for id, yes := range live {
		if !yes {
			continue
		}
		n := g.Nodes[id] // a copy: the graph grows
		if n.Op == ir.OpInput {
			to[ir.ID(id)] = ir.ID(id)
			if in := g.Inputs[n.Ints[0]]; in.Bank == ir.BankX && in.Off >= nx {
				to[ir.ID(id)] = g.Fill(in.Shape, 0)
			}
			continue
		}
		args := make([]ir.ID, len(n.Args))
		same := true
		for i, x := range n.Args {
			args[i] = to[x]
			same = same && to[x] == x
		}
		to[ir.ID(id)] = ir.ID(id)
		if !same {
			to[ir.ID(id)] = g.Rebuild(&n, args)
		}
	}
	return to
}

// text is how messages call an element of an implicit equation.
func (s *structure) text(q *model.Implicit, eq, k int) string {
	text := elementText(q, k)
	for _, c := range s.with {
		if r := s.rows[c.of]; r.eq == eq && r.k == k {
			text += ", its derivatives eliminated"
		}
	}
	return text
}
