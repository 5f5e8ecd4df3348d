package signal

import (
	"fmt"
	"math"
	"sort"
)

// Kind is how a table is interpolated.
type Kind int

// The kinds of interpolation.
const (
	Hold   Kind = iota // the value of the last knot, from the knot itself on
	Linear             // straight lines
	Cubic              // the cubic spline with two continuous derivatives, not-a-knot at its ends
)

var kindNames = [...]string{"hold", "linear", "cubic"}

// String is the word of the language.
func (k Kind) String() string { return kindNames[k] }

// Signal is a piecewise polynomial in time, continuous from the right.
type Signal struct {
	// Lo and Hi are where it is known: the first and the last knot, or infinite where the end values are held.
	Lo, Hi float64

	knots []float64    // starts of the pieces, rising
	c     [][4]float64 // of each piece, the coefficients of (t − knot)^0 … ^3
	scale float64      // pieces per unit of time, where a first guess of the piece comes from
	kinks []float64
}

// TableError is a table that no signal can be made of.
type TableError struct {
	Row  int // from 0; −1 when it is not about one row
	What string
	Help string
}

func (e *TableError) Error() string { return e.What }

// New interpolates a table of at least one row (two but for Hold); t must rise. With outside, the first value holds
// before the table and the last one behind it; otherwise it is not known there.
func New(kind Kind, t, v []float64, outside bool) (*Signal, error) {
	if err := check(kind, t, v); err != nil {
		return nil, err
	}
	n := len(t)
	s := &Signal{Lo: t[0], Hi: t[n-1]}
	switch kind {
	case Hold:
		for i := range t {
			s.add(t[i], [4]float64{v[i]})
		}
	case Linear:
		for i := range n - 1 {
			s.add(t[i], [4]float64{v[i], (v[i+1] - v[i]) / (t[i+1] - t[i])})
		}
	case Cubic:
		d := slopes(t, v)
		for i := range n - 1 {
			h := t[i+1] - t[i]
			m := (v[i+1] - v[i]) / h
			s.add(t[i], [4]float64{v[i], d[i], (3*m - 2*d[i] - d[i+1]) / h, (d[i] + d[i+1] - 2*m) / (h * h)})
		}
	}
	if kind == Linear {
		for i := 1; i < n-1; i++ {
			if s.c[i-1][1] != s.c[i][1] {
				s.kinks = append(s.kinks, t[i])
			}
		}
	}
	if kind == Cubic {
		for i := 1; i < n-1; i++ {
			h := max(t[i]-t[i-1], t[i+1]-t[i])
			if math.Abs(s.c[i][3]-s.c[i-1][3])*h*h*h > roughness*max(math.Abs(v[i-1]), math.Abs(v[i]), math.Abs(v[i+1])) {
				s.kinks = append(s.kinks, t[i])
			}
		}
	}
	if kind == Hold {
		for i := 1; i < n; i++ {
			if v[i] != v[i-1] {
				s.kinks = append(s.kinks, math.Nextafter(t[i], math.Inf(-1)), t[i])
			}
		}
	}
	if outside {
		s.Lo, s.Hi = math.Inf(-1), math.Inf(1)
		if kind != Hold {
			s.kinks = append(append([]float64{t[0]}, s.kinks...), t[n-1])
			s.add(t[n-1], [4]float64{v[n-1]})
		}
		s.knots = append([]float64{math.Inf(-1)}, s.knots...)
		s.c = append([][4]float64{{v[0]}}, s.c...)
		if len(s.knots) > 1 { // so that t − knot is finite
			s.knots[0] = -math.MaxFloat64
		}
	}
	if t[n-1] > t[0] {
		s.scale = float64(n-1) / (t[n-1] - t[0])
	}
	return s, nil
}

// roughness is how far, in shares of the values around, a cubic piece may leave the next one's course by the end of it before the knot between them is a kink. What
// is less looks smooth to a step across several knots, as that of an even function on a dense table does; noise, and what has as many features as knots, does not.
const roughness = 1e-4

func check(kind Kind, t, v []float64) error {
	switch {
	case len(t) != len(v):
		return &TableError{-1, fmt.Sprintf("%d times, but %d values", len(t), len(v)), "give as many values as times"}
	case len(t) == 0:
		return &TableError{-1, "the table is empty", "give at least two rows"}
	case len(t) == 1 && kind != Hold:
		return &TableError{-1, fmt.Sprintf("%v interpolation needs at least two rows, here is one", kind), "a constant is written as such in the model, or given by `hold`"}
	}
	for i := range t {
		switch {
		case math.IsNaN(t[i]) || math.IsInf(t[i], 0):
			return &TableError{i, fmt.Sprintf("the time in row %d is %v", i+1, t[i]), "every row needs a time"}
		case math.IsNaN(v[i]) || math.IsInf(v[i], 0):
			return &TableError{i, fmt.Sprintf("the value in row %d, at t = %v, is missing or not a number", i+1, t[i]), "fill the gap, or leave the row out"}
		case i > 0 && t[i] == t[i-1]:
			return &TableError{i, fmt.Sprintf("the time %v stands twice, in rows %d and %d", t[i], i, i+1), "a jump is given by `hold`, a steep flank by two times next to each other"}
		case i > 0 && t[i] < t[i-1]:
			return &TableError{i, fmt.Sprintf("the times must rise, but %v in row %d comes after %v", t[i], i+1, t[i-1]), "sort the rows by time"}
		}
	}
	return nil
}

func (s *Signal) add(knot float64, c [4]float64) {
	s.knots = append(s.knots, knot)
	s.c = append(s.c, c)
}

// Kinks are the times, rising, that a step must end at for the signal to be smooth within each step, of a cubic one those where the third derivative jumps by
// more than a step would notice. Where it jumps itself that is the
// knot, from which on the new value holds, and the number next below, up to which the old one does. Read only.
func (s *Signal) Kinks() []float64 { return s.kinks }

// Eval is the value at t. At a jump it is that after it. Outside Lo..Hi it is that of the nearest piece.
func (s *Signal) Eval(t float64) float64 {
	i := s.piece(t)
	c, d := &s.c[i], t-s.knots[i]
	if c[1] == 0 && c[2] == 0 && c[3] == 0 { // a piece that reaches far back
		return c[0]
	}
	return c[0] + d*(c[1]+d*(c[2]+d*c[3]))
}

// piece finds the last piece that starts at or before t: by a guess, which is right where knots are even, else by halving.
func (s *Signal) piece(t float64) int {
	n := len(s.knots)
	if i := int((t - s.knots[n-1]) * s.scale); i <= 0 && i > -n { // from the end, since the first piece may reach far back
		i += n - 1
		for k := max(i-1, 0); k <= i; k++ {
			if s.knots[k] <= t && (k == n-1 || t < s.knots[k+1]) {
				return k
			}
		}
	}
	i := sort.Search(n, func(i int) bool { return s.knots[i] > t }) - 1
	return max(i, 0)
}

// Zero reports whether the signal is zero everywhere.
func (s *Signal) Zero() bool {
	for _, c := range s.c {
		if c != [4]float64{} {
			return false
		}
	}
	return true
}

// Derivative is the derivative by time, from the right where it jumps, and of the value's jumps nothing.
func (s *Signal) Derivative() *Signal {
	d := &Signal{Lo: s.Lo, Hi: s.Hi, knots: s.knots, scale: s.scale, kinks: s.kinks}
	for _, c := range s.c {
		d.c = append(d.c, [4]float64{c[1], 2 * c[2], 3 * c[3]})
	}
	return d
}

// slopes are the derivatives at the knots of the cubic spline that is twice continuously differentiable, its third derivative
// continuous at the second and the last but one knot (not-a-knot): a parabola through three points, a line through two.
//
// C. de Boor, A Practical Guide to Splines, Springer 2001, chapter IV.
func slopes(t, v []float64) []float64 {
	n := len(t)
	h, m := make([]float64, n-1), make([]float64, n-1)
	for i := range h {
		h[i] = t[i+1] - t[i]
		m[i] = (v[i+1] - v[i]) / h[i]
	}
	switch n {
	case 2:
		return []float64{m[0], m[0]}
	case 3:
		mid := (h[1]*m[0] + h[0]*m[1]) / (h[0] + h[1])
		return []float64{2*m[0] - mid, mid, 2*m[1] - mid}
	}
	// a, b, c are the bands of a tridiagonal system with right-hand side d. Its first and last row, which reach one
	// slope further, have been reduced by their neighbours.
	a, b, c, d := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	w := h[0] + h[1]
	b[0], c[0] = h[1], w
	d[0] = ((h[0]+2*w)*h[1]*m[0] + h[0]*h[0]*m[1]) / w
	for i := 1; i < n-1; i++ {
		a[i], b[i], c[i] = h[i], 2*(h[i-1]+h[i]), h[i-1]
		d[i] = 3 * (h[i]*m[i-1] + h[i-1]*m[i])
	}
	w = h[n-3] + h[n-2]
	a[n-1], b[n-1] = w, h[n-3]
	d[n-1] = (h[n-2]*h[n-2]*m[n-3] + (2*w+h[n-2])*h[n-3]*m[n-2]) / w
	for i := 1; i < n; i++ {
		f := a[i] / b[i-1]
		b[i] -= f * c[i-1]
		d[i] -= f * d[i-1]
	}
	d[n-1] /= b[n-1]
	for i := n - 2; i >= 0; i-- {
		d[i] = (d[i] - c[i]*d[i+1]) / b[i]
	}
	return d
}
