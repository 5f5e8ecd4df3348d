package code

import (
	"fmt"
	"slices"

	"github.com/udl-lang/udl/compiler/code/native"
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// Trajectories as lanes: the step of step.go with its acceptance, the choice of the next step and the limits in code too, so that each lane
// goes its own way without a branch. Lanes lie in groups of the register's width; a run makes one attempt in every group, so that
// the processor works on several groups at once while each waits for its own chain of stages.

// The rows of a group: one number per lane each, followed by x, f(t, x), what varies of θ, and for dense output the last step.
const (
	rowT = iota
	rowNext
	rowLog
	rowCap // what the factor may be at most: 1 after a rejection
	rowEnd
	rowAccepted
	rowTried
	rowStatus
	rowBad // the last rejection was for a value that is not finite
	rowX
)

// The bases of a block of lanes, and what is shared by all lanes.
const (
	laneState = iota
	laneShared
	laneTheta
	laneBases

	sharedRtol   = 0
	sharedHmax   = 1
	sharedHmin   = 2
	sharedSmall  = 3 // the smallest step that the span allows
	sharedDir    = 4
	sharedLimit  = 5
	sharedAtol   = 6
	groupsOfLane = 8
)

// LaneProgram is a compiled step over lanes. It is immutable and may be shared by goroutines.
type LaneProgram struct {
	code       *native.Code
	width, nx  int
	nth        int
	rows, vary int
	stages     int
	dense      int // first row of the last step, 0 for none
	doubts     bool
}

// WholeLanes compiles a step of m over lanes, with the entries vary of θ, which has nth, for each lane its own. width 0 is the machine's widest. The error says why
// there is none.
func WholeLanes(p *Program, m *method.RK, nx, nth int, vary []int, dense bool, width int) (*LaneProgram, error) {
	if err := p.wholeStep(m, nx); err != nil && err != ErrLayered {
		return nil, err
	}
	if !m.FSAL || m.EndStage() != m.Stages-1 {
		return nil, fmt.Errorf("%s does not hand on its last stage", m.Name)
	}
	if dense && len(m.A) > m.Stages {
		return nil, fmt.Errorf("%s needs further stages between its steps", m.Name)
	}
	if width == 0 {
		width = native.Host().Widest()
	}
	l := newLaneProgram(nx, nth, m.Stages, vary, dense, width)
	return l, l.compile(vary, func(b *blocks, s *attempted, input func(bank ir.Bank, off int) block.Value) (handed []block.Value, err error) {
		attempt(b, m, s, inlined(b, p.whole, &err, input))
		return s.k[m.Stages-1], err
	})
}

// WholeRosenbrockLanes is WholeLanes for a Rosenbrock method. A lane whose step is in doubt (see system.Step) stops, for a solver that exchanges rows.
func WholeRosenbrockLanes(lin Linear, m *method.Rosenbrock, nx, nth int, vary []int, dense bool, width int) (*LaneProgram, error) {
	if err := lin.whole(); err != nil {
		return nil, err
	}
	if lin.Mass != nil {
		return nil, fmt.Errorf("a mass matrix")
	}
	if width == 0 {
		width = native.Host().Widest()
	}
	l := newLaneProgram(nx, nth, m.Stages, vary, dense, width)
	l.doubts = true
	return l, l.compile(vary, func(b *blocks, s *attempted, input func(bank ir.Bank, off int) block.Value) ([]block.Value, error) {
		k0 := s.k[0]
		s.k = nil
		return k0, linear(b, lin.Program.whole, lin, m, s, input)
	})
}

func newLaneProgram(nx, nth, stages int, vary []int, dense bool, width int) *LaneProgram {
	l := &LaneProgram{width: width, nx: nx, nth: nth, vary: len(vary), stages: stages, rows: rowX + 2*nx + len(vary)}
	if dense {
		l.dense = l.rows
		l.rows += 2 + nx + stages*nx
	}
	return l
}

// laneStep builds an attempted step; handed is what takes the place of f at the start when the step is accepted.
type laneStep func(b *blocks, s *attempted, input func(bank ir.Bank, off int) block.Value) (handed []block.Value, err error)

func (l *LaneProgram) compile(vary []int, step laneStep) error {
	blk, err := l.block(vary, step)
	if err != nil {
		return err
	}
	l.code, err = native.Compile(native.Options{}, native.Segment{Block: blk, Width: l.width})
	return err
}

func (l *LaneProgram) block(vary []int, step laneStep) (*block.Block, error) {
	nx := l.nx
	b := newBlocks(block.Layout{Rows: l.rows}, block.Layout{}, block.Layout{})
	row := func(i int) block.Value { return b.Load(laneState, i) }
	shared := func(i int) block.Value { return b.LoadBroadcast(laneShared, i) }
	zero, one := b.Const(0), b.Const(1)
	t, end, dir := row(rowT), row(rowEnd), shared(sharedDir)

	// The choice of the step, as solve.Stepper makes it.
	left := b.Mul(b.Sub(end, t), dir)
	want := b.Min(row(rowNext), shared(sharedHmax))
	last := b.LE(left, b.Mul(want, b.Const(method.Stretch)))
	t1 := b.Select(last, end, b.Add(t, b.Mul(dir, want)))
	h := b.Sub(t1, t)
	size := b.Abs(h)
	least := b.Max(shared(sharedHmin), b.Max(b.Mul(b.Const(16*0x1p-52), b.Abs(t)), shared(sharedSmall)))
	short := b.MaskAndNot(last, b.MaskOr(b.LT(size, least), b.EQ(t1, t)))
	active := b.MaskAnd(b.EQ(row(rowStatus), zero), b.LT(zero, left))
	spent := b.MaskAnd(active, b.LE(shared(sharedLimit), row(rowTried)))
	short = b.MaskAndNot(spent, b.MaskAnd(active, short))
	going := b.MaskAndNot(b.MaskOr(spent, short), active)

	s := &attempted{t: t, h: h, t1: t1, logErr: row(rowLog), rtol: shared(sharedRtol)}
	k0 := make([]block.Value, nx)
	for j := range nx {
		s.x = append(s.x, row(rowX+j))
		s.atol = append(s.atol, shared(sharedAtol+j))
		k0[j] = row(rowX + nx + j)
	}
	s.k = [][]block.Value{k0}
	handed, err := step(b, s, func(_ ir.Bank, off int) block.Value {
		if i := slices.Index(vary, off); i >= 0 {
			return row(rowX + 2*nx + i)
		}
		return b.LoadBroadcast(laneTheta, off)
	})
	if err != nil {
		return nil, err
	}
	accepted := b.MaskAnd(going, s.accepted)
	finite := b.LT(s.q, b.Const(inf))

	put := func(i int, v block.Value) { b.Store(laneState, i, v) }
	if d := l.dense; d > 0 {
		put(d, t)
		put(d+1, h)
		for j := range nx {
			put(d+2+j, s.x[j])
		}
		for i, k := range s.k {
			for j, v := range k {
				put(d+2+nx+i*nx+j, v)
			}
		}
	}
	put(rowT, b.Select(accepted, t1, t))
	factor := b.Select(accepted, b.Min(s.factor, row(rowCap)), s.factor)
	put(rowNext, b.Select(going, b.Mul(size, factor), row(rowNext)))
	put(rowLog, b.Select(accepted, s.e, row(rowLog)))
	put(rowCap, b.Select(going, b.Select(accepted, b.Const(method.Grow), one), row(rowCap)))
	put(rowAccepted, b.Add(row(rowAccepted), b.Select(accepted, one, zero)))
	put(rowTried, b.Add(row(rowTried), b.Select(going, one, zero)))
	failed := b.Select(b.EQ(row(rowBad), zero), b.Const(float64(system.LaneStepTooSmall)), b.Const(float64(system.LaneNonFinite)))
	status := b.Select(short, failed, row(rowStatus))
	status = b.Select(spent, b.Const(float64(system.LaneMaxSteps)), status)
	if l.doubts {
		status = b.Select(b.MaskAnd(going, b.EQ(s.q, b.Const(inf))), b.Const(float64(system.LaneDoubt)), status)
	}
	put(rowStatus, status)
	put(rowBad, b.Select(going, b.Select(finite, zero, one), row(rowBad)))
	for j := range nx {
		put(rowX+j, b.Select(accepted, s.x1[j], s.x[j]))
		put(rowX+nx+j, b.Select(accepted, handed[j], k0[j]))
	}
	return b.Done()
}

// Lanes is a LaneProgram with memory of its own.
type Lanes struct {
	p      *LaneProgram
	frame  *native.Frame
	mem    []float64
	shared []float64
	th     []float64
}

var _ system.Lanes = (*Lanes)(nil)

// New makes Lanes with groups of lanes in memory of their own, idle.
func (l *LaneProgram) New() *Lanes {
	s := &Lanes{p: l, frame: l.code.NewFrame(), mem: native.Aligned[float64](l.rows * l.width * groupsOfLane), shared: make([]float64, sharedAtol+l.nx), th: make([]float64, l.nth)}
	s.frame.Bind(laneState, s.mem)
	s.frame.Bind(laneShared, s.shared)
	s.frame.Bind(laneTheta, s.th)
	return s
}

// Size implements system.Lanes.
func (s *Lanes) Size() int { return s.p.width * groupsOfLane }

// Prepare implements system.Lanes.
func (s *Lanes) Prepare(th []float64, set system.LaneSettings) {
	copy(s.th, th)
	copy(s.shared[sharedAtol:], set.Atol)
	span := set.T1 - set.T0
	s.shared[sharedRtol], s.shared[sharedHmax], s.shared[sharedHmin] = set.Rtol, set.Hmax, set.Hmin
	s.shared[sharedSmall], s.shared[sharedLimit], s.shared[sharedDir] = 1e-24*max(span, -span), float64(set.MaxSteps), 1
	if span < 0 {
		s.shared[sharedDir] = -1
	}
	clear(s.mem)
}

// at is where a lane's number of a row lies, and how far the next row.
func (s *Lanes) at(lane, row int) int {
	w := s.p.width
	return (lane/w*s.p.rows+row)*w + lane%w
}

// Load implements system.Lanes.
func (s *Lanes) Load(lane int, t, t1, h float64, x, k0, vary []float64) {
	w, m := s.p.width, s.mem[s.at(lane, 0):]
	m[rowT*w], m[rowNext*w], m[rowLog*w], m[rowCap*w], m[rowEnd*w] = t, h, method.Log2(method.MinError), method.Grow, t1
	m[rowAccepted*w], m[rowTried*w], m[rowStatus*w], m[rowBad*w] = 0, 0, 0, 0
	for j := range s.p.nx {
		m[(rowX+j)*w], m[(rowX+s.p.nx+j)*w] = x[j], k0[j]
	}
	for i := range s.p.vary {
		m[(rowX+2*s.p.nx+i)*w] = vary[i]
	}
}

// Clear implements system.Lanes. The state stays, so that an idle lane computes with ordinary numbers.
func (s *Lanes) Clear(lane int) { s.mem[s.at(lane, rowEnd)] = s.mem[s.at(lane, rowT)] }

// Run implements system.Lanes.
func (s *Lanes) Run(attempts int) {
	for range attempts {
		if err := s.frame.Run(groupsOfLane); err != nil {
			panic("code: " + err.Error())
		}
	}
}

// Next implements system.Lanes.
func (s *Lanes) Next(lane int) int {
	w, rows := s.p.width, s.p.rows
	for g := lane / w; g < groupsOfLane; g++ {
		m := s.mem[g*rows*w:][:(rowStatus+1)*w]
		t, end, status := m[rowT*w:][:w], m[rowEnd*w:][:w], m[rowStatus*w:][:w]
		for l := lane % w; l < w; l++ {
			if t[l] == end[l] || status[l] != 0 {
				return g*w + l
			}
		}
		lane = 0
	}
	return groupsOfLane * w
}

// State implements system.Lanes.
func (s *Lanes) State(lane int, x []float64) system.LaneState {
	w, m := s.p.width, s.mem[s.at(lane, 0):]
	st := system.LaneState{T: m[rowT*w], Accepted: int(m[rowAccepted*w]), Attempts: int(m[rowTried*w]), Status: system.LaneStatus(m[rowStatus*w])}
	if st.Status == system.LaneRunning && st.T == m[rowEnd*w] {
		st.Status = system.LaneDone
	}
	for j := range x {
		x[j] = m[(rowX+j)*w]
	}
	return st
}

// Dense implements system.Lanes.
func (s *Lanes) Dense(lane int, x, k []float64) (t, h float64) {
	w, m := s.p.width, s.mem[s.at(lane, s.p.dense):]
	for j := range s.p.nx {
		x[j] = m[(2+j)*w]
	}
	for j := range s.p.stages * s.p.nx {
		k[j] = m[(2+s.p.nx+j)*w]
	}
	return m[0], m[w]
}
