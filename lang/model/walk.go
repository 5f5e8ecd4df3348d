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

// Missing lists the elements of the state that no part covers, rising.
func (q *Equation) Missing() []int {
	n := q.State.Shape.Size()
	covered := make([]bool, n)
	for _, p := range q.Parts {
		if p.Flat == nil {
			return nil
		}
		for _, k := range p.Flat {
			covered[k] = true
		}
	}
	var out []int
	for k, c := range covered {
		if !c {
			out = append(out, k)
		}
	}
	return out
}

// Exprs calls f on what stands in the equation.
func (q *Implicit) Exprs(f func(*Expr)) {
	if q.Rate != nil {
		for _, p := range q.Rate.Parts {
			f(p.RHS)
		}
		return
	}
	if q.LHS != nil {
		f(q.LHS)
	}
	f(q.RHS)
}
