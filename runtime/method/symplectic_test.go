package method

import (
	"math"
	"testing"
)

var symplectics = []*Symplectic{&verlet, &yoshida6}

// step is one step on a pendulum of unit length whose pivot is shaken: q' = p, p' = −sin q + shake·cos 2t.
func (m *Symplectic) step(t, h, shake, q, p float64) (float64, float64) {
	for i := range m.B {
		p += m.B[i] * h * (-math.Sin(q) + shake*math.Cos(2*(t+m.C[i]*h)))
		q += m.A[i] * h * p
	}
	return q, p
}

func (m *Symplectic) run(n int, shake float64) (q, p float64) {
	q, p = 1.2, 0.3
	h := 4 / float64(n)
	for k := range n {
		q, p = m.step(float64(k)*h, h, shake, q, p)
	}
	return q, p
}

func TestSymplecticOrder(t *testing.T) {
	for _, m := range symplectics {
		for _, shake := range []float64{0, 0.5} { // the shaken one shows that C is right
			q, p := yoshida6.run(4000, shake)
			n := 20
			err := func(n int) float64 {
				a, b := m.run(n, shake)
				return math.Hypot(a-q, b-p)
			}
			order := math.Log2(err(n)/err(4*n)) / 2
			t.Logf("%s, shaken by %g: errors %.1e, %.1e, order %.2f", m.Name, shake, err(n), err(4*n), order)
			if math.Abs(order-float64(m.Order)) > 0.2 {
				t.Errorf("%s: measured order %.2f, want %d", m.Name, order, m.Order)
			}
		}
	}
}

// A symmetric method goes back whence it came, and its energy oscillates without a drift; the shapes fit.
func TestSymplecticSymmetry(t *testing.T) {
	for _, m := range symplectics {
		n := len(m.B)
		if len(m.A) != n || len(m.C) != n || len(m.D) != n || m.A[n-1] != 0 || m.C[n-1] != 1 || m.D[n-1] != 1 {
			t.Errorf("%s: %v %v %v %v", m.Name, m.A, m.B, m.C, m.D)
		}
		if a, b := sumOf(m.A), sumOf(m.B); math.Abs(a-1) > 1e-15 || math.Abs(b-1) > 1e-15 {
			t.Errorf("%s: A sums to %v, B to %v", m.Name, a, b)
		}
		q, p := 1.2, 0.3
		energy := func() float64 { return p*p/2 - math.Cos(q) }
		e0, early, late := energy(), 0.0, 0.0
		for k := range 20000 {
			q, p = m.step(0, 0.1, 0, q, p)
			d := math.Abs(energy() - e0)
			if k < 1000 {
				early = math.Max(early, d)
			} else if k >= 19000 {
				late = math.Max(late, d)
			}
		}
		t.Logf("%s: the energy is off by %.1e early, %.1e late", m.Name, early, late)
		if late > 1.1*early+1e-12 {
			t.Errorf("%s: the energy drifts from %.1e to %.1e", m.Name, early, late)
		}
		for range 20000 {
			q, p = m.step(0, -0.1, 0, q, p)
		}
		if math.Hypot(q-1.2, p-0.3) > 1e-9 {
			t.Errorf("%s: back at %v, %v", m.Name, q, p)
		}
	}
}
