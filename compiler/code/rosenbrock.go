package code

import (
	"fmt"
	"slices"

	"github.com/udl-lang/udl/compiler/code/native"
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// A whole attempted step of a Rosenbrock method as one block: the right-hand side and its Jacobian at the start, the matrix and its elimination as straight-line
// code without the zeros, the stages, the error and the step-size control that explicit steps have (step.go).

const (
	// maxLinearCost bounds the right-hand side with its Jacobian, in instructions.
	maxLinearCost = 3000
	// maxLinearStep bounds the whole step. It is one call, which the collector may have to wait for.
	maxLinearStep = 25_000
)

// Linear is what a linearly implicit step is made of.
type Linear struct {
	// Program computes three result vectors: f, the entries of ∂f/∂x in the order of Pattern, ∂f/∂t. Every input is a scalar.
	Program *Program
	Pattern *sparse.Pattern
	// Mass is the mass matrix; nil for the identity.
	Mass *system.Mass
}

// WholeRosenbrock compiles a step of m, for systems of few states. The error says why there is none.
func WholeRosenbrock(l Linear, m *method.Rosenbrock) (*StepProgram, error) {
	p, nx := l.Program, l.Pattern.N()
	if err := l.whole(); err != nil {
		return nil, err
	}
	b, s := openStep(nx)
	if err := linear(b, p.g, l, m, s, b.fixed); err != nil {
		return nil, err
	}
	blk, err := s.close(b, 0)
	if err != nil {
		return nil, err
	}
	if n := len(blk.Instrs); n > maxLinearStep {
		return nil, fmt.Errorf("a step of %d instructions, more than %d", n, maxLinearStep)
	}
	c, err := native.Compile(native.Options{}, native.Segment{Block: blk, Width: 1, Groups: 1})
	if err != nil {
		return nil, err
	}
	return &StepProgram{p: p, code: c, nx: nx, mass: l.Mass}, nil
}

// whole says why a step is not compiled as a whole, nil if it can be.
func (l *Linear) whole() error {
	p, nx := l.Program, l.Pattern.N()
	if p.native == nil {
		return fmt.Errorf("generated code is turned off")
	}
	if h := native.Host(); h.Widest() == 0 {
		return fmt.Errorf("%w: %s", native.ErrCPU, h.Why)
	}
	cost, ok := Cost(p.g)
	switch {
	case nx == 0 || nx > MaxStates:
		return fmt.Errorf("%d states, not 1 to %d", nx, MaxStates)
	case !ok:
		return fmt.Errorf("a function without generated code")
	case cost > maxLinearCost:
		return fmt.Errorf("a costly right-hand side")
	}
	return nil
}

// linear builds the step of what g computes, as Linear.Program does; s.k become the u_i. input gives what is not t or x.
func linear(b *blocks, g *ir.Graph, l Linear, m *method.Rosenbrock, s *attempted, input func(bank ir.Bank, off int) block.Value) error {
	nx := len(s.x)
	at := func(t block.Value, x []block.Value, g *ir.Graph, results int) ([][]block.Value, error) {
		return inline(b, g, results, func(bank ir.Bank, off int) block.Value {
			switch bank {
			case ir.BankT:
				return t
			case ir.BankX:
				return x[off]
			}
			return input(bank, off)
		})
	}
	first, err := at(s.t, s.x, g, 3)
	if err != nil {
		return err
	}
	value := &ir.Graph{Nodes: g.Nodes, Inputs: g.Inputs} // f alone
	for _, o := range g.Outputs {
		if o.Vec == 0 {
			value.Outputs = append(value.Outputs, o)
		}
	}
	zero := b.Const(0)
	mass := newMassRows(b, l.Mass, nx)

	hinv := b.Div(b.Const(1), s.h)
	diagonal := b.Mul(hinv, b.Const(1/m.Gamma))
	w := map[[2]int]block.Value{}
	for c := range nx {
		rows, start := l.Pattern.Column(c)
		for k, r := range rows {
			if v := first[1][start+k]; v != zero {
				w[[2]int{int(r), c}] = b.Neg(v)
			}
		}
	}
	for r, row := range mass {
		for _, e := range row {
			at, d := [2]int{r, e.col}, e.times(b, diagonal)
			if v, ok := w[at]; ok {
				d = b.Add(v, d)
			}
			w[at] = d
		}
	}
	// An equation is in the units of its state: what an error of that is measured against.
	unit := make([]block.Value, nx)
	for j := range unit {
		unit[j] = b.FMA(s.rtol, b.Abs(s.x[j]), s.atol[j])
	}
	lu, ok := eliminate(b, nx, w, unit)
	if !ok {
		return fmt.Errorf("a matrix that is singular by structure")
	}

	// Σ a_j u_j, made before it is added to x, so that that is rounded once only. The rows of stiffly accurate methods continue each other.
	var sums []block.Value
	var row []float64
	ahead := func(a []float64) []block.Value {
		from := 0
		if row != nil && len(a) >= len(row) && slices.Equal(a[:len(row)], row) {
			from = len(row)
		}
		next, out := make([]block.Value, nx), make([]block.Value, nx)
		for j := range out {
			sum, some := zero, from > 0
			if some {
				sum = sums[j]
			}
			next[j], some = s.more(b, a, from, j, sum, some)
			out[j] = s.x[j]
			if some {
				out[j] = b.Add(s.x[j], next[j])
			}
		}
		sums, row = next, a
		return out
	}
	for i := range m.Stages {
		f := first[0]
		if i > 0 {
			p, t := ahead(m.A[i]), s.t1
			if m.C[i] != 1 {
				t = b.FMA(b.Const(m.C[i]), s.h, s.t)
			}
			out, err := at(t, p, value, 1)
			if err != nil {
				return err
			}
			f = out[0]
		}
		rhs := make([]block.Value, nx)
		for j := range rhs {
			rhs[j] = f[j]
			if m.D[i] != 0 && first[2][j] != zero {
				rhs[j] = b.FMA(b.Mul(s.h, b.Const(m.D[i])), first[2][j], rhs[j])
			}
			for _, e := range mass[j] {
				if sum, some := s.more(b, m.G[i], 0, e.col, zero, false); some {
					rhs[j] = b.FMA(e.times(b, hinv), sum, rhs[j])
				}
			}
		}
		s.k = append(s.k, lu.solve(b, rhs))
	}
	s.x1 = ahead(m.B)
	errs := make([]block.Value, nx)
	for j := range errs {
		errs[j], _ = s.more(b, m.E, 0, j, zero, false)
	}
	s.control(b, errs, m.ErrorOrder())
	trusted := b.LE(lu.grown, b.Const(maxMultipliers)) // false for NaN
	s.q = b.Select(trusted, s.q, b.Const(inf))
	return nil
}

// massEntry is an entry of a row of the mass matrix.
type massEntry struct {
	col   int
	value block.Value // absent for 1
}

func newMassRows(b *blocks, m *system.Mass, n int) [][]massEntry {
	rows := make([][]massEntry, n)
	for c := range n {
		if m == nil {
			rows[c] = []massEntry{{c, absent}}
			continue
		}
		list, first := m.Pattern.Column(c)
		for k, r := range list {
			rows[r] = append(rows[r], massEntry{c, b.Load(stepMass, first+k)})
		}
	}
	return rows
}

// times is the entry times v.
func (e massEntry) times(b *blocks, v block.Value) block.Value {
	if e.value == absent {
		return v
	}
	return b.Mul(e.value, v)
}

// more adds w_i k_i of state j, from a stage on, to a sum, if there is some already.
func (s *attempted) more(b *blocks, w []float64, from, j int, sum block.Value, some bool) (block.Value, bool) {
	for i := from; i < len(w); i++ {
		k := s.k[i][j]
		switch a := w[i]; {
		case a == 0:
		case !some && a == 1:
			sum, some = k, true
		case !some:
			sum, some = b.Mul(b.Const(a), k), true
		case a == 1:
			sum = b.Add(sum, k)
		default:
			sum = b.FMA(b.Const(a), k, sum)
		}
	}
	return sum, some
}
