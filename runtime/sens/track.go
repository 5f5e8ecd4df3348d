package sens

import (
	"math"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// track is the forward solution between two moments at which something happened: what an integration backwards reads its states from. Within it θ is one and the
// states are smooth, but for the ends of steps. A track serves one goroutine.
type track struct {
	sol      *solve.Solution
	from, to int // steps
	t0, t1   float64
	x0, x1   []float64
	th       []float64 // as these steps saw it
	version  int       // counts the tracks, so that functions see when θ is another
	dir      float64
	base     float64 // where the integration at hand begins: s after that it is at base − s·dir

	rhs    system.Func // for slopes, where there is no mass matrix
	mass   bool
	node   int            // the step whose slope is in cheb, −1 for none
	cheb   [2][][]float64 // of the first and of the second derivative
	values []float64
	thbuf  []float64
}

// slopeDegree is that of the polynomial that a dense output is differentiated as; no method's is higher.
const slopeDegree = 9

func newTrack(sol *solve.Solution, sys *system.System) *track {
	tr := &track{sol: sol, dir: 1, rhs: sys.RHS.Clone(), mass: sys.Mass != nil, values: make([]float64, (slopeDegree+1)*sys.NX)}
	if sol.T1 < sol.T0 {
		tr.dir = -1
	}
	for range slopeDegree + 1 {
		for k := range tr.cheb {
			tr.cheb[k] = append(tr.cheb[k], make([]float64, sys.NX))
		}
	}
	return tr
}

// open goes to the steps from ≤ n < to, of which there is at least one.
func (tr *track) open(from, to int) {
	first, last := tr.sol.StepRecord(from), tr.sol.StepRecord(to-1)
	tr.from, tr.to, tr.node = from, to, -1
	tr.t0, tr.t1, tr.x0, tr.x1 = first.T, last.T1, first.X, last.X1
	if tr.th = tr.sol.Theta; tr.sol.Frozen() {
		tr.thbuf = tr.sol.StepTheta(from, tr.thbuf)
		tr.th = tr.thbuf
	}
	tr.version++
	tr.rhs.Prepare(tr.th)
}

// at writes the state at t, that at its ends as it is on this side of what happens there.
func (tr *track) at(t float64, x []float64) {
	switch {
	case (t-tr.t1)*tr.dir >= 0:
		copy(x, tr.x1)
	case (t-tr.t0)*tr.dir <= 0:
		copy(x, tr.x0)
	default:
		if tr.sol.At(t, x) != nil {
			spoil(x) // t is within what was integrated
		}
	}
}

// slope writes x' at t. With a mass matrix it is that of the dense output.
func (tr *track) slope(t float64, x, out []float64) {
	if !tr.mass {
		tr.rhs.Eval(out, t, x, nil)
		return
	}
	tr.derivative(0, t, out)
}

// derivative writes that of the dense output at t: the first for k = 0, the second for k = 1.
func (tr *track) derivative(k int, t float64, out []float64) {
	n, nx := tr.step(t), len(tr.x0)
	st := tr.sol.StepRecord(n)
	if tr.node != n {
		tr.expand(&st, nx)
		tr.node = n
	}
	// Clenshaw's summation.
	half := (st.T1 - st.T) / 2
	u := min(max((t-st.T)/half-1, -1), 1)
	c := tr.cheb[k]
	if half = 1 / half; k > 0 {
		half *= half
	}
	for i := range nx {
		b1, b2 := 0.0, 0.0
		for m := slopeDegree; m > 0; m-- {
			b1, b2 = 2*u*b1-b2+c[m][i], b1
		}
		out[i] = (u*b1 - b2 + c[0][i]) * half
	}
}

// time is where the integration backwards is after so much of it. It counts from its beginning, so that what is fast there is resolved wherever that is.
func (tr *track) time(s float64) float64 { return tr.base - s*tr.dir }

// step is the one that t lies in.
func (tr *track) step(t float64) int {
	lo, hi := tr.from, tr.to
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if (tr.sol.StepRecord(mid).T-t)*tr.dir > 0 {
			hi = mid
		} else {
			lo = mid
		}
	}
	return lo
}

// expand writes the Chebyshev coefficients of the derivatives over a step.
func (tr *track) expand(st *solve.StepRecord, nx int) {
	const n = slopeDegree
	v := tr.values
	for j := range n + 1 {
		c := math.Cos(math.Pi * float64(j) / n)
		row := v[j*nx : (j+1)*nx]
		switch j {
		case 0:
			copy(row, st.X1)
		case n:
			copy(row, st.X)
		default:
			tr.at(st.T+(st.T1-st.T)*(1+c)/2, row)
		}
	}
	for i := range nx {
		var c [n + 2]float64
		for k := range n + 1 {
			s := (v[i] + v[n*nx+i]*math.Cos(math.Pi*float64(k))) / 2
			for j := 1; j < n; j++ {
				s += v[j*nx+i] * math.Cos(math.Pi*float64(j*k)/n)
			}
			c[k] = 2 * s / n
		}
		c[0] /= 2
		c[n] /= 2
		for m := range tr.cheb {
			var d [n + 2]float64
			for k := n; k > 0; k-- {
				d[k-1] = d[k+1] + 2*float64(k)*c[k]
			}
			d[0] /= 2
			for k := range n + 1 {
				tr.cheb[m][k][i] = d[k]
			}
			c = d
		}
	}
}
