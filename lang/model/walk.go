package model

// Walk calls f on e and then, while f says so, on everything in it: arguments, and positions of indices.
// What symbols and unknowns stand for is not entered.
func (e *Expr) Walk(f func(*Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	for _, a := range e.Args {
		a.Walk(f)
	}
	for _, ix := range e.Idx {
		ix.At.Walk(f)
	}
}
