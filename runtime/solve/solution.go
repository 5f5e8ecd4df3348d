package solve

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/system"
)

// Solution is what an integration found, complete or not.
type Solution struct {
	T      []float64 // output times reached; none with a Sink
	X      []float64 // the states there, len(T) × NX, row-major
	NX     int
	Status Status
	Stats  Stats
	Fault  *Fault // why it stopped early; nil when Status is Done
	Theta  []float64
	Method method.Method
	T0, T1 float64 // what was asked for
	TEnd   float64 // how far it came
	// Switches are the changes from one method to another, where the solver is chosen by the problem.
	Switches []Switch
	XEnd     []float64 // the state there, length NX
	Events   []Fired   // what happened, in order; with a Sink what happened last
	// Shifted are the given initial values of differential states that the equations did not leave as they were; with a singular mass matrix whose columns depend on each other
	// it is M·x that stays.
	Shifted []Shift
	// Jumps are the times at which something jumped in the right-hand side; Event is which of the system's Jumps. None with a Sink.
	Jumps []Fired

	frozen       []frozenAt // the values of what jumps, by the step from which on they hold
	frozenSwitch int        // where in θ they stand
	thbuf        []float64

	first  string // the method that began, where it was chosen
	dense  bool
	sunk   bool // the outputs went to a sink
	rec    record
	part   bool // rec holds some of the steps, up to upT and upX unless these are the last
	upT    float64
	upX    []float64
	sc     *Scheme       // of the explicit Runge–Kutta method, nil where there is none
	reader reader        // of steps that another method made
	engine method.Method // that method
	rhs    system.Func   // for stages that only the continuous extension needs

	mu     sync.Mutex // over the scratch below and rhs
	k      [][]float64
	kbuf   []float64
	w      []float64
	cached int // the step whose extra stages are in k, −1 for none

	sys     *system.System
	rtol    float64
	atol    []float64
	algebra *Algebra // of sys, nil before it is needed
	ready   int      // the step that it is open for, −1 before
}

// Row is the state at output i, length NX. Read only.
func (s *Solution) Row(i int) []float64 { return s.X[i*s.NX : (i+1)*s.NX] }

// StepRecord is one accepted step, from T to T1 = T + H. Read only.
type StepRecord struct {
	T, H, T1 float64
	X        []float64 // the state at T, length NX
	K        []float64 // the stages that make the step, Stages × NX; what its method makes of it, of a step by the Engine
	X1       []float64 // the state at T1, before the events there
	Engine   bool      // made by another method than the explicit Runge–Kutta method of Scheme
	Cut      bool      // ended by an event at T1 before T + H

	rec *record
	n   int // which step it is
}

// Before is where the step i steps earlier began, and the state there. Read only.
func (r *StepRecord) Before(i int) (t float64, x []float64) {
	row := r.rec.row(r.n - i)
	return row[0], row[recHead : recHead+len(r.X)]
}

// Continues says of a step of a method whose K begins with its stages' derivatives, so many of them, whether it took the first from the last of the step before.
func (r *StepRecord) Continues(stages int) bool {
	if r.n == 0 {
		return false
	}
	nx := len(r.X)
	return slices.Equal(r.rec.row(r.n - 1)[recHead+stages*nx:][:nx], r.K[:nx])
}

// EngineMethod is the method of the steps that are marked Engine, nil where there are none.
func (s *Solution) EngineMethod() method.Method { return s.engine }

// Used names the methods that made the steps, in order: "Tsit5", or "Tsit5, Rodas5P from t = 0.3".
func (s *Solution) Used() string {
	if s.first == "" {
		return s.Method.Info().Name
	}
	var b strings.Builder
	b.WriteString(s.first)
	for i, w := range s.Switches {
		if i == 3 && len(s.Switches) > 4 {
			fmt.Fprintf(&b, ", … (%d changes)", s.Stats.Switches)
			break
		}
		fmt.Fprintf(&b, ", %s from t = %.4g", w.Method, w.T)
	}
	return b.String()
}

// NumSteps is how many steps are kept: all that were accepted, or none without dense output and without Problem.Checkpoints.
func (s *Solution) NumSteps() int {
	if s.part {
		return s.Stats.Steps
	}
	return s.rec.n
}

// StepRecord is step n of NumSteps; with Problem.Checkpoints it must be on record, as Workspace.Recall makes sure.
func (s *Solution) StepRecord(n int) StepRecord {
	row := s.rec.row(n)
	nx := s.NX
	r := StepRecord{T: row[0], H: row[1], T1: s.TEnd, X: row[recHead : recHead+nx], K: row[recHead+nx:], X1: s.XEnd, rec: &s.rec, n: n}
	r.Engine, r.Cut = int(row[2])&tagEngine != 0, int(row[2])&tagCut != 0
	switch end := s.rec.end(); {
	case n+1 < end:
		next := s.rec.row(n + 1)
		r.T1, r.X1 = next[0], next[recHead:recHead+nx]
	case s.part && end < s.Stats.Steps:
		r.T1, r.X1 = s.upT, s.upX
	}
	if k := s.eventsAfter(n + 1); k < len(s.Events) && s.Events[k].Step == n+1 {
		r.X1 = s.Events[k].Before
	}
	return r
}

// Tolerances are those that the steps were made by; atol has NX entries. Read only.
func (s *Solution) Tolerances() (rtol float64, atol []float64) { return s.rtol, s.atol }

// Scheme is the method as it was stepped.
func (s *Solution) Scheme() *Scheme { return s.sc }

// Mesh lists the ends of all steps, T0 first: what Problem.Mesh takes to repeat them. It is nil
// without dense output.
func (s *Solution) Mesh() []float64 {
	if !s.dense {
		return nil
	}
	m := make([]float64, 0, s.rec.n+1)
	m = append(m, s.T0)
	for n := range s.rec.n {
		m = append(m, s.StepRecord(n).T1)
	}
	return m
}

// MeshOrders are the orders of the steps of Mesh that a multistep method made, 0 for others: what Problem.MeshOrders takes beside Mesh to repeat them. It is nil
// where there are none, and without dense output.
func (s *Solution) MeshOrders() []int {
	if _, ok := s.reader.(bdfReader); !ok || !s.dense {
		return nil
	}
	orders := make([]int, s.rec.n)
	for n := range orders {
		if st := s.StepRecord(n); st.Engine {
			orders[n] = int(st.K[0])
		}
	}
	return orders
}

// MeshEngine tells for each step of Mesh whether it is marked Engine: what Problem.MeshEngine takes beside Mesh to repeat the steps of a solver that
// changes methods; nil where no step is.
func (s *Solution) MeshEngine() []bool {
	if !s.dense {
		return nil
	}
	any, by := false, make([]bool, s.rec.n)
	for n := range by {
		by[n] = s.StepRecord(n).Engine
		any = any || by[n]
	}
	if !any {
		return nil
	}
	return by
}

// At writes the state at time t into out, length NX, by the method's continuous extension. It
// is an error to ask outside what was integrated, without dense output anywhere but at the
// output times, and where they went to a Sink anywhere but at the end. At may be called by many goroutines.
func (s *Solution) At(t float64, out []float64) error {
	if len(out) != s.NX {
		return fmt.Errorf("the state has %d values, there is room for %d", s.NX, len(out))
	}
	dir := 1.0
	if s.T1 < s.T0 {
		dir = -1
	}
	if past := (t - s.TEnd) * dir; past > 0 && past <= slack(s.T0, s.T1) {
		t = s.TEnd
	}
	if !((t-s.T0)*dir >= 0 && (t-s.TEnd)*dir <= 0) {
		if s.Status != Done {
			return fmt.Errorf("t = %v lies outside the solution, which covers %v..%v: it stopped early (%v)", t, s.T0, s.TEnd, s.Status)
		}
		return fmt.Errorf("t = %v lies outside the solution, which covers %v..%v", t, s.T0, s.TEnd)
	}
	if t == s.TEnd {
		copy(out, s.XEnd)
		return nil
	}
	if s.sunk {
		return fmt.Errorf("the outputs went to a sink and nothing of them is kept, so the solution is known at its end only, t = %v, not at t = %v", s.TEnd, t)
	}
	if !s.dense {
		if i := sort.Search(len(s.T), func(i int) bool { return (s.T[i]-t)*dir >= 0 }); i < len(s.T) && s.T[i] == t {
			copy(out, s.Row(i))
			return nil
		}
		return fmt.Errorf("the solution keeps no dense output, so it is known at its output times only, not at t = %v", t)
	}
	// The last step that starts at or before t.
	n := sort.Search(s.rec.n, func(i int) bool { return (s.rec.row(i)[0]-t)*dir > 0 }) - 1
	st := s.StepRecord(n)
	if t == st.T {
		copy(out, st.X)
		return nil
	}
	if st.Engine {
		rec := st // an explicit method's does not leave the stack
		s.reader.dense(&rec, (t-st.T)/st.H, out)
		if s.sys.Mass != nil {
			s.correct(&rec, t, out)
		}
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load(n, st)
	s.sc.Dense((t-st.T)/st.H, out, st.X, st.H, s.k, s.w)
	return nil
}

// correct lets the algebraic unknowns within a step satisfy their equations.
func (s *Solution) correct(st *StepRecord, t float64, x []float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.algebra == nil || s.algebra.sys != s.sys {
		s.algebra, s.ready = NewAlgebra(s.sys), -1
	}
	if s.ready != st.n {
		if s.ready < 0 || s.Frozen() {
			th := s.stepTheta(st.n, s.thbuf)
			if s.Frozen() {
				s.thbuf = th
			}
			s.algebra.Prepare(th, s.rtol, s.atol)
		}
		s.algebra.Open(st.T, st.X, st.T1, st.X1)
		s.ready = st.n
	}
	s.algebra.Inside(t, x)
}

// load points k at the stages of step n, computing those that the step did not need.
func (s *Solution) load(n int, st StepRecord) {
	if s.cached == n {
		return
	}
	m, nx := s.sc.Method, s.NX
	if len(s.k) != s.sc.Stages() {
		s.k = make([][]float64, s.sc.Stages())
		s.kbuf = make([]float64, (s.sc.Stages()-m.Stages+1)*nx)
		s.w = make([]float64, s.sc.Stages())
	}
	for i := range m.Stages {
		s.k[i] = st.K[i*nx : (i+1)*nx]
	}
	if st.Cut { // the step itself went on to T + H
		st.T1 = st.T + st.H
		st.X1 = make([]float64, nx)
		combine(st.X1, st.X, st.H, s.sc.b.w, s.sc.b.idx, s.k)
	}
	buf := s.kbuf
	th := s.stepTheta(n, s.thbuf)
	if s.Frozen() {
		s.thbuf = th
	}
	for i := m.Stages; i < s.sc.Stages(); i++ {
		s.k[i], buf = buf[:nx], buf[nx:]
		x := st.X1
		if i != s.sc.End {
			x = buf[len(buf)-nx:]
			s.sc.StagePoint(i, x, st.X, st.H, s.k)
		}
		s.rhs.Eval(s.k[i], s.sc.StageTime(i, st.T, st.H, st.T1), x, th)
	}
	s.cached = n
}
