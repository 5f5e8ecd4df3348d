package code

import (
	"errors"
	"fmt"
	"math"

	"github.com/udl-lang/udl/compiler/code/native"
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// A whole attempted step of an explicit Runge–Kutta method as one block, made from the row of the table of methods that the ordinary loop
// reads too: the stages with the right-hand side in each, the new state, the scaled error and the step-size control. One builder serves a single
// trajectory (step.go) and many of them as lanes (lanes.go).

const (
	// MaxStates is the largest system whose step is compiled as a whole.
	MaxStates = 20
	// maxStepCost bounds the right-hand side, in instructions; beyond it the code of six of them no longer fits the caches, and lanes within
	// the right-hand side do more.
	maxStepCost = 700
)

var inf = math.Inf(1)

// attempted is what goes into a step, and what comes out.
type attempted struct {
	t, h, t1, logErr block.Value
	rtol             block.Value
	atol, x          []block.Value
	k                [][]block.Value // k[0] is given

	x1           []block.Value
	q, e, factor block.Value
	accepted     block.Value // a mask
}

// rhs builds the right-hand side at a point.
type rhs func(t block.Value, x []block.Value) []block.Value

// attempt builds the step. What needs the last stage alone comes last, so that the chain from stage to stage is as short as can be.
func attempt(b *blocks, m *method.RK, s *attempted, f rhs) {
	nx := len(s.x)
	hw := func(w float64) block.Value { return b.Mul(s.h, b.Const(w)) }
	for i := 1; i < m.Stages; i++ {
		p := make([]block.Value, nx)
		if m.FSAL && i == m.Stages-1 {
			s.x1 = s.ahead(b, m.B, s.x)
			p = s.x1
		} else {
			for j := range p {
				p[j] = s.x[j]
				for n, a := range m.A[i] {
					if a != 0 {
						p[j] = b.FMA(hw(a), s.k[n][j], p[j])
					}
				}
			}
		}
		t := s.t1
		if m.C[i] != 1 {
			t = b.FMA(b.Const(m.C[i]), s.h, s.t)
		}
		s.k = append(s.k, f(t, p))
	}
	if s.x1 == nil {
		s.x1 = s.ahead(b, m.B, s.x)
	}
	s.control(b, s.ahead(b, m.E, nil), m.ErrorOrder())
}

// control builds the scaled error and the step-size control of a method whose errors these are.
func (s *attempted) control(b *blocks, errs []block.Value, errorOrder int) {
	sum := b.Const(0)
	for j := range s.x {
		scale := b.FMA(s.rtol, b.Max(b.Abs(s.x[j]), b.Abs(s.x1[j])), s.atol[j])
		r := b.Mul(errs[j], b.Div(b.Const(1), scale))
		sum = b.FMA(r, r, b.Add(sum, b.Sub(s.x1[j], s.x1[j]))) // the difference is 0, or NaN where the state is infinite
	}
	s.q = b.Mul(sum, b.Const(1/float64(len(s.x))))
	s.accepted = b.LE(s.q, b.Const(1))
	// Half the logarithm of the square is the logarithm of the error.
	s.e = b.Mul(b.Const(0.5), b.log2(b.Max(b.Const(method.MinError*method.MinError), s.q)))
	order := float64(errorOrder)
	pi := b.FMA(b.Const(-method.Alpha/order), s.e, b.Mul(b.Const(method.Beta/order), s.logErr))
	power := b.Select(s.accepted, pi, b.Mul(b.Const(-1/order), s.e))
	grow := b.Mul(b.Const(method.Safety), b.exp2(power))
	grow = b.Max(b.Const(method.Shrink), b.Min(b.Const(method.Grow), grow))
	finite := b.LT(s.q, b.Const(inf)) // false for NaN
	s.factor = b.Select(finite, grow, b.Const(method.BadCut))
}

// ahead is x + h Σ w_i k_i, where the sum is made before it is added to x, so that it is rounded once only; without x the sum alone.
func (s *attempted) ahead(b *blocks, w []float64, x []block.Value) []block.Value {
	last := -1
	for i, a := range w {
		if a != 0 && i < len(s.k) {
			last = i
		}
	}
	out := make([]block.Value, len(s.x))
	for j := range out {
		if last < 0 {
			out[j] = b.Const(0)
			if x != nil {
				out[j] = x[j]
			}
			continue
		}
		sum, some := block.Value(0), false
		for i, a := range w[:last] {
			switch {
			case a == 0:
			case !some:
				sum, some = b.Mul(b.Const(a), s.k[i][j]), true
			default:
				sum = b.FMA(b.Const(a), s.k[i][j], sum)
			}
		}
		hl := b.Mul(s.h, b.Const(w[last]))
		if some {
			out[j] = b.FMA(hl, s.k[last][j], b.Mul(s.h, sum))
		} else {
			out[j] = b.Mul(hl, s.k[last][j])
		}
		if x != nil {
			out[j] = b.Add(x[j], out[j])
		}
	}
	return out
}

// log2 is method.Log2.
func (b *blocks) log2(x block.Value) block.Value {
	const big = 0x4330000000000000 // 2^52: an integer below it, put into the low bits, is added to it
	m := b.Or(b.And(x, b.Bits(1<<52-1)), b.Bits(1023<<52))
	e := b.Sub(b.Or(b.ShiftRight(x, 52), b.Bits(big)), b.Const(1<<52+1023))
	return b.Add(e, b.poly(method.Log2Poly[:], m))
}

// exp2 is method.Exp2.
func (b *blocks) exp2(x block.Value) block.Value {
	const magic = 0x1.8p52
	kd := b.Add(x, b.Const(magic))
	r := b.Sub(x, b.Sub(kd, b.Const(magic)))
	scale := b.AddQ(b.ShiftLeft(kd, 52), b.Bits(1023<<52))
	return b.Mul(b.poly(method.Exp2Poly[:], r), scale)
}

// poly is a polynomial, lowest coefficient first, its even and odd halves side by side.
func (b *blocks) poly(c []float64, x block.Value) block.Value {
	x2 := b.Mul(x, x)
	half := func(first int) block.Value {
		v := block.Value(absent)
		for i := len(c) - 1; i >= 0; i-- {
			switch {
			case i%2 != first:
			case v == absent:
				v = b.Const(c[i])
			default:
				v = b.FMA(v, x2, b.Const(c[i]))
			}
		}
		return v
	}
	return b.FMA(half(1), x, half(0))
}

// The bases of a single step.
const (
	stepScalars = iota // t, h, t1, logErr, rtol; then q, e, factor
	stepX
	stepK
	stepX1
	stepTheta
	stepPrep
	stepAtol
	stepMass // of a Rosenbrock method, the entries of the mass matrix
	stepBases
)

// openStep begins the block of a single step of nx states.
func openStep(nx int) (*blocks, *attempted) {
	b := newBlocks(make([]block.Layout, stepBases)...)
	s := &attempted{t: b.Load(stepScalars, 0), h: b.Load(stepScalars, 1), t1: b.Load(stepScalars, 2), logErr: b.Load(stepScalars, 3), rtol: b.Load(stepScalars, 4)}
	for j := range nx {
		s.x = append(s.x, b.Load(stepX, j))
		s.atol = append(s.atol, b.Load(stepAtol, j))
	}
	return b, s
}

// fixed is what a single step reads of θ and of what was prepared from it.
func (b *blocks) fixed(bank ir.Bank, off int) block.Value {
	if bank == ir.BankPrep {
		return b.Load(stepPrep, off)
	}
	return b.Load(stepTheta, off)
}

// close stores what the step has computed, its stages from a first one on, and ends the block.
func (s *attempted) close(b *blocks, from int) (*block.Block, error) {
	nx := len(s.x)
	for i := from; i < len(s.k); i++ {
		for j, v := range s.k[i] {
			b.Store(stepK, i*nx+j, v)
		}
	}
	for j, v := range s.x1 {
		b.Store(stepX1, j, v)
	}
	for i, v := range []block.Value{s.q, s.e, s.factor} {
		b.Store(stepScalars, 5+i, v)
	}
	return b.Done()
}

// WholeStep compiles a step of m with the right-hand side that p computes, for systems of few states. The error says why there is none.
func WholeStep(p *Program, m *method.RK, nx int) (*StepProgram, error) {
	if err := p.wholeStep(m, nx); err != nil {
		return nil, err
	}
	b, s := openStep(nx)
	k0 := make([]block.Value, nx)
	for j := range nx {
		k0[j] = b.Load(stepK, j)
	}
	s.k = [][]block.Value{k0}
	var failure error
	attempt(b, m, s, inlined(b, p.g, &failure, b.fixed))
	if failure != nil {
		return nil, failure
	}
	blk, err := s.close(b, 1)
	if err != nil {
		return nil, err
	}
	c, err := native.Compile(native.Options{}, native.Segment{Block: blk, Width: 1, Groups: 1})
	if err != nil {
		return nil, err
	}
	return &StepProgram{p: p, code: c, nx: nx}, nil
}

// wholeStep says why a step is not compiled as a whole, nil if it can be.
func (p *Program) wholeStep(m *method.RK, nx int) error {
	if p.native == nil {
		return fmt.Errorf("generated code is turned off")
	}
	if h := native.Host(); h.Widest() == 0 {
		return fmt.Errorf("%w: %s", native.ErrCPU, h.Why)
	}
	cost, ok := Cost(p.g)
	switch {
	case !m.Adaptive() || m.Stages < 2:
		return fmt.Errorf("%s has no error estimate", m.Name)
	case nx == 0 || nx > MaxStates:
		return fmt.Errorf("%d states, not 1 to %d", nx, MaxStates)
	case !ok:
		return fmt.Errorf("a function without generated code")
	case cost > maxStepCost:
		return fmt.Errorf("a costly right-hand side")
	case Layered(p.g):
		return ErrLayered
	}
	return nil
}

// ErrLayered is why a network's step is not compiled as a whole; trajectories as lanes are worth it all the same.
var ErrLayered = errors.New("a network, which has lanes within")

// Layered reports whether costly functions are applied to whole arrays, so that lanes within the right-hand side do more than a step in one piece.
func Layered(g *ir.Graph) bool {
	live := g.Live()
	for id := range g.Nodes {
		if n := &g.Nodes[id]; live[id] && n.Shape.Size() > smallArray && n.Op.Info().Class == ir.Elementwise && scalarCost(n.Op) >= 30 {
			return true
		}
	}
	return false
}

// inlined is a graph as a right-hand side. input gives what is not t or x.
func inlined(b *blocks, g *ir.Graph, failure *error, input func(bank ir.Bank, off int) block.Value) rhs {
	return func(t block.Value, x []block.Value) []block.Value {
		out, err := inline(b, g, 1, func(bank ir.Bank, off int) block.Value {
			switch bank {
			case ir.BankT:
				return t
			case ir.BankX:
				return x[off]
			}
			return input(bank, off)
		})
		if err != nil {
			*failure = err
			return make([]block.Value, len(x))
		}
		return out[0]
	}
}

// StepProgram is a compiled step. It is immutable and may be shared by goroutines.
type StepProgram struct {
	p    *Program
	code *native.Code
	nx   int
	mass *system.Mass // nil for the identity
}

// Step is a StepProgram with memory of its own; it serves one goroutine.
type Step struct {
	frame *native.Frame
	held
	num  [8]float64
	atol []float64
	mass []float64
	m    system.Func // gives mass, nil for the identity
}

var _ system.Step = (*Step)(nil)

// New makes a Step for θ of nth numbers.
func (s *StepProgram) New(nth int) *Step {
	st := &Step{frame: s.code.NewFrame(), held: hold(s.p, nth), atol: make([]float64, s.nx)}
	st.frame.Bind(stepScalars, st.num[:])
	st.frame.Bind(stepTheta, st.th)
	st.frame.Bind(stepPrep, st.in[ir.BankPrep])
	st.frame.Bind(stepAtol, st.atol)
	if s.mass != nil {
		st.m, st.mass = s.mass.Values.Clone(), make([]float64, s.mass.Pattern.NNZ())
		st.frame.Bind(stepMass, st.mass)
	}
	return st
}

// Prepare implements system.Step.
func (s *Step) Prepare(th []float64, rtol float64, atol []float64) {
	s.fix(th)
	copy(s.atol, atol)
	s.num[4] = rtol
	if s.m != nil {
		s.m.Eval(s.mass, 0, nil, th)
	}
}

// Attempt implements system.Step.
func (s *Step) Attempt(t, h, t1, logErr float64, x, k, x1 []float64) (q, e, factor float64) {
	s.num[0], s.num[1], s.num[2], s.num[3] = t, h, t1, logErr
	f := s.frame
	f.Point(stepX, x)
	f.Point(stepK, k)
	f.Point(stepX1, x1)
	if err := f.Run(1); err != nil {
		panic("code: " + err.Error())
	}
	return s.num[5], s.num[6], s.num[7]
}
