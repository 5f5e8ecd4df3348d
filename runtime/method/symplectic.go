package method

// Symplectic is a composition of kicks and drifts for separable Hamiltonian systems q' = v(p), p' = f(q), of fixed step. Beginning at i = 0,
//
//	p += B[i] h f(t + C[i] h, q),  q += A[i] h v(t + D[i] h, p),
//
// C and D being the sums of A before and of B up to i. All methods here are symmetric, so the last A is 0 and the last f is the first one of the next step.
//
// E. Hairer, C. Lubich, G. Wanner, Geometric Numerical Integration, 2nd edition, Springer 2006, sections II.4, II.5 and V.3.
//
// The methods of the table are shared: read them, never write to them.
type Symplectic struct {
	Name       string
	Order      int
	A, B, C, D []float64
	// DenseOrder is that of Hermite's interpolation between both ends of a step: up to 3 by values and slopes, above by second derivatives too.
	DenseOrder int

	Doc, Cite string
}

// Info implements Method.
func (m *Symplectic) Info() Info {
	return Info{Name: m.Name, Family: Hamiltonian, Order: m.Order, Dense: m.DenseOrder, Stability: "explicit, symplectic", Doc: m.Doc, Cite: m.Cite}
}

// composed makes the row of the steps w of the Verlet method, one after the other: half a kick, a drift, half a kick each.
func composed(m Symplectic, w ...float64) Symplectic {
	m.B = []float64{0}
	m.C = []float64{0}
	for i, v := range w {
		m.B[i] += v / 2
		m.D = append(m.D, sumOf(m.B))
		m.A = append(m.A, v)
		m.B = append(m.B, v/2)
		m.C = append(m.C, sumOf(m.A))
	}
	m.A = append(m.A, 0)
	m.C[len(w)] = 1
	m.D = append(m.D, 1)
	return m
}

func sumOf(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}

// verlet is the method of Störmer, Verlet and others: the leapfrog.
//
// L. Verlet, Computer "experiments" on classical fluids. I. Thermodynamical properties of Lennard–Jones molecules, Physical Review 159 (1967), 98–103.
var verlet = composed(Symplectic{
	Name: "Verlet", Order: 2, DenseOrder: 2,
	Doc:  "The leapfrog of order 2 for separable Hamiltonian systems with a fixed step: molecular dynamics, and long runs whose energy must not drift.",
	Cite: "Verlet, Physical Review 159 (1967) 98–103",
}, 1)

// yoshida6 is solution A of Yoshida: a symmetric composition of seven steps of Verlet's method of order 6. Its weights are computed anew to 20 digits from the
// conditions Σ w = 1, Σ w³ = 0, Σ w⁵ = 0 and that of the commutator of order 5.
//
// H. Yoshida, Construction of higher order symplectic integrators, Physics Letters A 150 (1990), 262–268, table 1.
var yoshida6 = composed(Symplectic{
	Name: "Yoshida6", Order: 6, DenseOrder: 5,
	Doc:  "Yoshida's composition of order 6 for separable Hamiltonian systems with a fixed step: celestial mechanics over long times at high accuracy.",
	Cite: "Yoshida, Physics Letters A 150 (1990) 262–268",
}, 0.78451361047755726382, 0.23557321335935813368, -1.1776799841788710069, 1.3151863206839112189, -1.1776799841788710069, 0.23557321335935813368,
	0.78451361047755726382)
