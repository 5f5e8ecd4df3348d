// Package solve integrates the initial value problems of compiled models: one loop over the
// methods that package method describes as data, with step-size control, dense output, outputs
// at given times, and statuses that say honestly how far it came.
//
// Solve runs a Problem and gives a Solution; Workspace does the same again and again without
// allocating for each step; Stepper is the loop's inside, one accepted step at a time.
//
// Outputs are kept in the Solution, or handed one by one to Problem.Sink, in memory that does not
// grow with the length of the run.
//
// Events are found and carried out by the eventer: events.go is its loop, locate.go finds where conditions change within a step, fire.go carries out what
// is due, and jumps.go holds what jumps in the right-hand side over each step.
//
// Stopping is a status, with everything kept that was found so far; an error is only for a call
// that makes no sense. Gradients are not here: package sens wraps this one.
//
// The package may import runtime/system and runtime/method, and nothing of the language.
package solve
