package code

import (
	"fmt"

	"github.com/udl-lang/udl/compiler/code/native"
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// The reverse of a whole step in one block: package sens has the formulas and the ordinary loop, which says the same.

// The bases of a reverse step.
const (
	backScalars = iota // t, h, t1
	backX
	backK
	backX1
	backLam
	backKB
	backXB
	backHand
	backG
	backTheta
	backPrep
	backBases
)

// WholeReverse compiles the reverse of a step of m. vjp is the program of the right-hand side's transposed derivative. The error says why there is none.
func WholeReverse(vjp *Program, m *method.RK, nx, nth int) (*ReverseProgram, error) {
	if err := vjp.wholeStep(m, nx); err != nil {
		return nil, err
	}
	if !m.FSAL || len(m.A) > m.Stages {
		return nil, fmt.Errorf("%s does not hand on its last stage", m.Name)
	}
	b := newBlocks(make([]block.Layout, backBases)...)
	vector := func(base, at int) []block.Value {
		v := make([]block.Value, nx)
		for j := range v {
			v[j] = b.Load(base, at+j)
		}
		return v
	}
	t, h, t1 := b.Load(backScalars, 0), b.Load(backScalars, 1), b.Load(backScalars, 2)
	x, x1, lam, xb, hand := vector(backX, 0), vector(backX1, 0), vector(backLam, 0), vector(backXB, 0), vector(backHand, 0)
	k, kb := make([][]block.Value, m.Stages), make([][]block.Value, m.Stages)
	for i := range k {
		k[i], kb[i] = vector(backK, i*nx), vector(backKB, i*nx)
	}
	theta := map[int]block.Value{} // what is added to g
	var order []int
	var failure error
	pull := func(t block.Value, x, ct []block.Value) []block.Value {
		out, err := inline(b, vjp.g, 3, func(bank ir.Bank, off int) block.Value {
			switch bank {
			case ir.BankT:
				return t
			case ir.BankX:
				return x[off]
			case ir.BankGZ:
				return ct[off]
			case ir.BankPrep:
				return b.Load(backPrep, off)
			}
			return b.Load(backTheta, off)
		})
		if err != nil {
			failure = err
			return x
		}
		for i, v := range out[1] {
			if v == absent {
				continue
			}
			if was, ok := theta[i]; ok {
				v = b.Add(was, v)
			} else {
				order = append(order, i)
			}
			theta[i] = v
		}
		for len(out[0]) < nx {
			out[0] = append(out[0], absent)
		}
		return out[0]
	}
	plus := func(x, y block.Value) block.Value {
		if y == absent {
			return x
		}
		return b.Add(x, y)
	}
	end := m.Stages - 1
	for j := range nx {
		kb[end][j] = b.Add(kb[end][j], hand[j])
	}
	mu := pull(t1, x1, kb[end])
	for j := range nx {
		lam[j] = plus(lam[j], mu[j])
		xb[j] = b.Add(xb[j], lam[j])
		for i, w := range m.B {
			if w != 0 && i != end {
				kb[i][j] = b.FMA(b.Mul(h, b.Const(w)), lam[j], kb[i][j])
			}
		}
	}
	for i := end - 1; i > 0; i-- {
		p := make([]block.Value, nx)
		for j := range p {
			p[j] = x[j]
			for n, a := range m.A[i] {
				if a != 0 {
					p[j] = b.FMA(b.Mul(h, b.Const(a)), k[n][j], p[j])
				}
			}
		}
		at := t1
		if m.C[i] != 1 {
			at = b.FMA(b.Const(m.C[i]), h, t)
		}
		mu := pull(at, p, kb[i])
		for j := range nx {
			if mu[j] == absent {
				continue
			}
			xb[j] = b.Add(xb[j], mu[j])
			for n, a := range m.A[i] {
				if a != 0 {
					kb[n][j] = b.FMA(b.Mul(h, b.Const(a)), mu[j], kb[n][j])
				}
			}
		}
	}
	if failure != nil {
		return nil, failure
	}
	for j := range nx {
		b.Store(backLam, j, xb[j])
		b.Store(backHand, j, kb[0][j])
	}
	for _, i := range order {
		b.Store(backG, i, b.Add(b.Load(backG, i), theta[i]))
	}
	blk, err := b.Done()
	if err != nil {
		return nil, err
	}
	c, err := native.Compile(native.Options{}, native.Segment{Block: blk, Width: 1, Groups: 1})
	if err != nil {
		return nil, err
	}
	return &ReverseProgram{p: vjp, code: c, nth: nth}, nil
}

// ReverseProgram is a compiled reverse step. It is immutable and may be shared by goroutines.
type ReverseProgram struct {
	p    *Program
	code *native.Code
	nth  int
}

// Reverse is a ReverseProgram with memory of its own; it serves one goroutine.
type Reverse struct {
	frame *native.Frame
	held
	num [3]float64
}

var _ system.Reverse = (*Reverse)(nil)

// New makes a Reverse.
func (r *ReverseProgram) New() *Reverse {
	s := &Reverse{frame: r.code.NewFrame(), held: hold(r.p, r.nth)}
	s.frame.Bind(backScalars, s.num[:])
	s.frame.Bind(backTheta, s.th)
	s.frame.Bind(backPrep, s.in[ir.BankPrep])
	return s
}

// Prepare implements system.Reverse.
func (s *Reverse) Prepare(th []float64) { s.fix(th) }

// Back implements system.Reverse.
func (s *Reverse) Back(t, h, t1 float64, x, k, x1, lam, kb, xb, hand, g []float64) {
	s.num = [3]float64{t, h, t1}
	f := s.frame
	f.Point(backX, x)
	f.Point(backK, k)
	f.Point(backX1, x1)
	f.Point(backLam, lam)
	f.Point(backKB, kb)
	f.Point(backXB, xb)
	f.Point(backHand, hand)
	f.Point(backG, g)
	if err := f.Run(1); err != nil {
		panic("code: " + err.Error())
	}
}

// held is θ with what was prepared of it.
type held struct {
	exec *Exec // for what Prepare computes, nil for nothing
	in   Banks
	th   []float64
}

func hold(p *Program, nth int) held {
	h := held{th: make([]float64, nth)}
	h.in[ir.BankPrep] = make([]float64, max(1, p.prepared))
	if p.prep != nil {
		h.exec = p.prep.New()
	}
	return h
}

// fix takes θ over.
func (h *held) fix(th []float64) {
	copy(h.th, th)
	if h.exec != nil {
		fixed := h.in[ir.BankPrep]
		h.in[ir.BankTheta] = h.th
		h.exec.Run(&h.in, [][]float64{fixed})
		h.in[ir.BankPrep] = fixed
	}
}
