package solve

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// invariants moves x onto the invariants: guesses as far as need be, then everything by no more than rounding.
func (c *consistent) invariants() error {
	c.inv = c.sys.Invariants.Clone()
	c.inv.Prepare(c.th)
	_, _, n := c.inv.Dims()
	c.g = make([]float64, n)
	c.rows = make([][]term, n)
	c.gx = make([]float64, c.sys.NX)
	if c.guesses() {
		if c.keep {
			c.linearise()
			for _, row := range c.rows {
				c.began = append(c.began, append([]term(nil), row...))
			}
		}
		if err := c.project(true); err != nil {
			return err
		}
	}
	c.linearise()
	for k, v := range c.g {
		if !(math.Abs(v) <= c.allowed(k)) && !c.nearest {
			return c.contradiction(c.worst())
		}
	}
	return c.project(false)
}

func (c *consistent) guesses() bool {
	for i := range c.sys.Guesses {
		if c.sys.Guesses[i] && !(i < len(c.sys.Algebraic) && c.sys.Algebraic[i]) {
			return true
		}
	}
	return false
}

// linearise computes the invariants at x and their derivatives.
func (c *consistent) linearise() {
	c.inv.Eval(c.g, c.t, c.x, nil)
	gz := make([]float64, len(c.g))
	for k := range c.g {
		clear(c.gx)
		clear(gz)
		gz[k] = 1
		c.inv.VJP(c.gx, nil, c.t, c.x, nil, gz)
		c.rows[k] = c.rows[k][:0]
		for i, v := range c.gx {
			if v != 0 {
				c.rows[k] = append(c.rows[k], term{i, v})
			}
		}
	}
}

// allowed is by how much given values may miss an invariant.
func (c *consistent) allowed(k int) float64 {
	s := 0.0
	for _, e := range c.rows[k] {
		a := 0.0
		if e.i < len(c.atol) {
			a = c.atol[e.i]
		}
		s += math.Abs(e.v) * (looseness*math.Abs(c.x[e.i]) + a)
	}
	return s
}

// met says whether the invariants hold as well as they can in the arithmetic.
func (c *consistent) met() bool {
	c.inv.Eval(c.g, c.t, c.x, nil)
	for k, v := range c.g {
		s := 0.0
		for _, e := range c.rows[k] {
			s += math.Abs(e.v) * (1e-12*math.Abs(c.x[e.i]) + 1e-4*c.scale(e.i, c.x[e.i]))
		}
		if !(math.Abs(v) <= s) {
			return false
		}
	}
	return true
}

// project moves x by −Gᵀ·(G·Gᵀ)⁻¹·g until g vanishes; with guesses only those move, and what they cannot mend is left.
func (c *consistent) project(guesses bool) error {
	n := len(c.g)
	before := math.Inf(1)
	for range 20 {
		c.linearise()
		worst := 0.0
		for k, v := range c.g {
			if math.IsNaN(v) {
				return c.contradiction(k)
			}
			worst = max(worst, math.Abs(v))
		}
		if worst == 0 || worst >= before/2 && before < 1e-8 {
			return nil
		}
		before = worst
		byCol := map[int][]term{}
		var cols []int
		for k, row := range c.rows {
			for _, e := range row {
				if guesses && !c.sys.Guesses[e.i] {
					continue
				}
				if byCol[e.i] == nil {
					cols = append(cols, e.i)
				}
				byCol[e.i] = append(byCol[e.i], term{k, e.v})
			}
		}
		var is, js []int
		for _, j := range cols {
			for _, a := range byCol[j] {
				for _, b := range byCol[j] {
					is, js = append(is, a.i), append(js, b.i)
				}
			}
		}
		for k := range n {
			is, js = append(is, k), append(js, k)
		}
		p, err := sparse.NewPattern(n, is, js)
		if err != nil {
			return err
		}
		a := make([]float64, p.NNZ())
		for _, j := range cols {
			for _, u := range byCol[j] {
				for _, v := range byCol[j] {
					a[p.Index(u.i, v.i)] += u.v * v.v
				}
			}
		}
		// Rows of one size, and a little on the diagonal, for those that depend on others or do not move at all.
		scale := make([]float64, n)
		moves := false
		for k := range n {
			if d := a[p.Index(k, k)]; d > 0 {
				scale[k], moves = 1/math.Sqrt(d), true
			}
		}
		if !moves {
			return nil
		}
		for j := range n {
			rows, first := p.Column(j)
			for l, i := range rows {
				a[first+l] *= scale[i] * scale[j]
			}
		}
		choice, err := sparse.Choose(p)
		if err != nil {
			return err
		}
		lu := choice.New()
		for _, mu := range []float64{1e-14, 1e-9} {
			for k := range n {
				a[p.Index(k, k)] += mu
			}
			if err = lu.Factor(a); err == nil {
				break
			}
		}
		if err != nil {
			return c.contradiction(c.worst())
		}
		y := append([]float64(nil), c.g...)
		for k := range y {
			y[k] *= scale[k]
		}
		lu.Solve(y)
		for k := range y {
			y[k] *= scale[k]
		}
		for _, j := range cols {
			for _, e := range byCol[j] {
				c.x[j] -= e.v * y[e.i]
			}
		}
	}
	c.linearise()
	return nil
}

// worst is the invariant that is missed by most.
func (c *consistent) worst() int {
	at, most := 0, -1.0
	for k, v := range c.g {
		r := math.Abs(v) / max(c.allowed(k), math.SmallestNonzeroFloat64)
		if r > most || math.IsNaN(r) {
			at, most = k, r
		}
	}
	return at
}

// standing lists the states in an invariant: a derivative that happens to be zero at x is not at another point.
func (c *consistent) standing(k int) []term {
	x, gz := make([]float64, len(c.x)), make([]float64, len(c.g))
	for i, v := range c.x {
		x[i] = v + 0.1 + 0.01*float64(i%7)
	}
	gz[k] = 1
	clear(c.gx)
	c.inv.VJP(c.gx, nil, c.t, x, nil, gz)
	for _, e := range c.rows[k] {
		c.gx[e.i] = e.v
	}
	var out []term
	for i, v := range c.gx {
		if v != 0 {
			out = append(out, term{i, v})
		}
	}
	return out
}

func (c *consistent) operands(row []term) []system.Operand {
	names := c.sys.StateNames()
	var out []system.Operand
	for _, e := range row {
		out = append(out, system.Operand{Name: names[e.i], Value: c.x[e.i]})
	}
	return out
}

// contradiction is the error of an invariant that the given values break.
func (c *consistent) contradiction(k int) error {
	eq := system.Equation{Name: fmt.Sprintf("invariant %d", k+1)}
	if k < len(c.sys.Conserved) {
		eq = c.sys.Conserved[k]
	}
	e := &InitialError{Equation: eq, Residual: c.g[k], T: c.t, At: c.operands(c.standing(k)), help: "give initial values that satisfy it"}
	// Only a state by which the invariant has a derivative here can mend it; of a pendulum's velocity at rest in x, v where y is not zero.
	if row := c.operands(c.rows[k]); len(row) > 0 {
		name := row[len(row)-1].Name
		if e.help = fmt.Sprintf("give initial values that satisfy it, for example by computing `%s` from the others", name); len(row) == 1 {
			e.help = fmt.Sprintf("give initial values that satisfy it: with the others as they are it is `%s` that must change", name)
		}
	}
	return e
}
