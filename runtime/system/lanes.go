package system

import "github.com/udl-lang/udl/runtime/method"

// Lanes steps many trajectories at once, each with its own time, step size and, of θ, its own values of some entries. Trajectories are lanes of
// the processor's vector registers; what one computes does not depend on how many there are nor on its neighbours.
//
// A Lanes serves one goroutine. No method allocates.
type Lanes interface {
	// Size is the number of lanes.
	Size() int
	// Prepare fixes what all lanes share: θ but for the entries that vary, tolerances (atol has NX entries), the largest and the smallest
	// step, the limit on attempts, and the span, of which the sign is the direction of time. All lanes become idle.
	Prepare(th []float64, s LaneSettings)
	// Load puts a trajectory into a lane: it starts at (t, x) with derivative k0 and first step h > 0, runs to t1, and has the values
	// vary of the entries that vary.
	Load(lane int, t, t1, h float64, x, k0, vary []float64)
	// Clear makes a lane idle.
	Clear(lane int)
	// Run makes so many attempts in each lane that is not idle or at its end.
	Run(attempts int)
	// Next is the first lane, from a given one on, that is at its end, has stopped or is idle; Size when there is none.
	Next(lane int) int
	// State is where a lane is. x may be nil.
	State(lane int, x []float64) LaneState
	// Dense gives the last accepted step of a lane: its start, its length, the state there and the stages, as a StepRecord holds them.
	Dense(lane int, x, k []float64) (t, h float64)
}

// LaneSettings are what lanes share.
type LaneSettings struct {
	Rtol       float64
	Atol       []float64
	Hmax, Hmin float64
	T0, T1     float64
	MaxSteps   int
}

// LaneStatus is how a lane stands.
type LaneStatus int

// The ways a lane stands.
const (
	LaneRunning LaneStatus = iota
	LaneDone
	LaneMaxSteps
	LaneStepTooSmall
	LaneNonFinite
	LaneDoubt // a Rosenbrock step is in doubt (see Step), so the trajectory wants the ordinary loop
)

// LaneState is where a lane is.
type LaneState struct {
	T                  float64
	Accepted, Attempts int
	Status             LaneStatus
}

// Laning makes Lanes for a method and the entries of θ that vary; dense says that Dense will be asked for. Each goroutine calls the result
// for Lanes of its own. The error says why there are none.
type Laning func(m method.Method, vary []int, dense bool) (func() Lanes, error)
