package system

// EventKind is what sets an event off.
type EventKind int

// The kinds of events.
const (
	EventWhen  EventKind = iota // a guard turns positive
	EventAt                     // one moment
	EventEvery                  // each multiple of a period
	EventStop                   // a guard turns positive, and the integration ends there
)

// Direction of a guard's crossing that counts.
type Direction int

// The directions.
const (
	Rising  Direction = iota // from not positive to positive
	Falling                  // from positive to not positive
	Either
)

// Jump is an operation of the right-hand side whose value jumps, as that of x > 3 or floor(x) does. Where the entry Frozen of θ is 1 the right-hand side reads its value from
// θ instead, and is smooth in between; who integrates changes the value where a guard passes zero. By default that entry is 0.
type Jump struct {
	Name  string // "x > 3"
	Where any    // the compiler's place in the source, opaque here
	Value int    // which entry of θ
	Guard int    // which of the system's Guards: positive where the value is 1, not positive where it is 0
	// Steps says that the value is a whole number n instead: Guard is positive where it is to be n + 1, the next guard where it is to be n − 1.
	Steps bool
	// Closed says that the value is 1 also where the guard is zero, as that of x >= 3.
	Closed bool
}

// Event is a change of the state at a moment: located where its guard passes zero, or at a given time. Events at the same time run by Priority, the highest first, then in
// the order of the system's list, each reading what the one before left.
type Event struct {
	Name      string // "when y < 0", for messages and records
	Where     any    // the compiler's place in the source, opaque here
	Kind      EventKind
	Direction Direction
	Initially bool // fires at the start if the guard is positive there
	Guard     int  // of When and Stop: which of the system's Guards
	Priority  float64

	// Time has one value, from θ alone: the moment of At, the period of Every. nil for the others.
	Time Func
	// Delay has one value, read where the event fires: how much later the assignments happen; nil for at once.
	Delay Func
	// Reset is the whole state after the event, from that before; nil for none (Stop).
	Reset Func
	// Changes are the scalar states that Reset may change.
	Changes []int
}
