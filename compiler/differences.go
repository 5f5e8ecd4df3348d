package compiler

import (
	"math"

	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// differences is the Jacobian of a right-hand side that calls registered functions without derivatives: by central differences, several columns at a
// time where they share no row. Of J that is exact but for some ten digits implicit methods keep their order; a gradient needs better, and is refused.
type differences struct {
	f        system.Func
	colors   *sparse.Coloring
	pattern  *sparse.Pattern
	x        []float64 // displaced
	at       []float64 // f where it is not
	up, down []float64
	known    bool // at is that of the point at hand
}

var _ system.Jacobian = (*differences)(nil)

// byDifferences implements system.System.Jacobian.
func (s *shared) byDifferences() system.Jacobian {
	p := s.places()
	return &differences{f: s.bind(), colors: sparse.Color(p), pattern: p,
		x: make([]float64, s.nx), at: make([]float64, s.nz), up: make([]float64, s.nz), down: make([]float64, s.nz)}
}

// Prepare implements system.Jacobian.
func (d *differences) Prepare(th []float64) { d.f.Prepare(th) }

// step is how far to go from x to either side: what loses as much by rounding as by curvature.
func step(x float64) float64 { return 6e-6 * math.Max(math.Abs(x), 1e-3) }

// Eval implements system.Jacobian.
func (d *differences) Eval(v, ft []float64, t float64, x []float64) {
	copy(d.x, x)
	d.known = false
	for q := range d.colors.Groups() {
		cols := d.colors.Columns(q)
		for _, j := range cols {
			d.x[j] = x[j] + step(x[j])
		}
		d.f.Eval(d.up, t, d.x, nil)
		for _, j := range cols {
			d.x[j] = x[j] - step(x[j])
		}
		d.f.Eval(d.down, t, d.x, nil)
		for _, j := range cols {
			d.x[j] = x[j]
		}
		for _, j := range cols {
			rows, first := d.pattern.Column(int(j))
			for k, r := range rows {
				v[first+k] = d.slope(int(r), x[j], t, step(x[j]))
			}
		}
	}
	if ft == nil {
		return
	}
	h := step(t)
	d.f.Eval(d.up, t+h, d.x, nil)
	d.f.Eval(d.down, t-h, d.x, nil)
	for r := range ft {
		ft[r] = d.slope(r, t, t, h)
	}
}

// slope is the derivative of row r by what was y and went h to either side; where one side is outside of where f is finite, by the other alone.
func (d *differences) slope(r int, y, t, h float64) float64 {
	up, down := d.up[r], d.down[r]
	hi, lo := y+h, y-h // as rounded
	if finite(up) == finite(down) {
		return (up - down) / (hi - lo)
	}
	if !d.known {
		d.f.Eval(d.at, t, d.x, nil)
		d.known = true
	}
	if finite(up) {
		return (up - d.at[r]) / (hi - y)
	}
	return (d.at[r] - down) / (y - lo)
}

func finite(x float64) bool { return x-x == 0 }
