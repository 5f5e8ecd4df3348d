package method

import "sync"

// Radau is a family of Radau IIA collocation methods of different numbers of stages s, order 2s − 1 each. The stage increments Z_i = X_i − x solve
//
//	Σ_j Inverse[i][j] M Z_j = h f(t + C[i] h, x + Z_i),  x1 = x + Z_{s−1},
//
// Inverse being A⁻¹. With Z = T W the simplified Newton iteration falls apart into one real system and (s−1)/2 complex ones: (Gamma/h M − J) ΔW_0 = R_0 and
// ((Alpha[k] + i Beta[k])/h M − J)(ΔW_{2k+1} + i ΔW_{2k+2}) = R_{2k+1} + i R_{2k+2}, R being T⁻¹ times the residuals.
//
// E. Hairer, G. Wanner, Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, sections IV.5 and IV.8; E. Hairer, G. Wanner, Stiff differential
// equations solved by Radau methods, Journal of Computational and Applied Mathematics 111 (1999), 93–111, for the switching of orders.
type Radau struct {
	Name   string
	Stages []int // ascending, all odd; the first is the default
	Varies bool  // steps are made by all of them, as the problem goes

	Stability string
	Doc, Cite string
}

// RadauTableau is one method of the family, to the last bit of float64. It is shared: read it, never write to it.
type RadauTableau struct {
	Stages     int
	Order      int // 2·Stages − 1
	DenseOrder int // Stages
	EOrder     int // Stages
	C          []float64
	A, Inverse [][]float64

	// T⁻¹ A⁻¹ T is block-diagonal: Gamma, then (Alpha[k] −Beta[k]; Beta[k] Alpha[k]) with Beta[k] > 0, ascending. TInv is T⁻¹.
	T, TInv     [][]float64
	Gamma       float64
	Alpha, Beta []float64

	// The error estimate is that of the quadrature formula of order Stages that has the abscissa 0, too, with weight 1/Gamma: the error e solves
	// (Gamma/h M − J) e = f(t, x) + Σ_i E[i] M Z_i/h. (Hairer and Wanner, section IV.8; after a rejected step, or in the first one, they do it again with
	// f(t, x + e) for f(t, x).)
	E []float64

	// Dense[i][m] are the coefficients of the collocation polynomial, x(t + θh) = x + Σ_i w_i(θ) Z_i with w_i(θ) = Σ_m Dense[i][m] θ^(m+1); beyond θ = 1 it
	// starts the next step's iteration.
	Dense [][]float64
}

// Info implements Method. Its orders are those of the default.
func (m *Radau) Info() Info {
	s := m.Stages[0]
	if m.Varies {
		return Info{Name: m.Name, Family: FullyImplicit, Order: 2*m.Stages[len(m.Stages)-1] - 1, Dense: s, Adaptive: true, Mass: true, Stability: m.Stability, Doc: m.Doc, Cite: m.Cite}
	}
	return Info{Name: m.Name, Family: FullyImplicit, Order: 2*s - 1, Dense: s, Adaptive: true, Mass: true, Stability: m.Stability, Doc: m.Doc, Cite: m.Cite}
}

// Orders lists the orders that the family has, ascending.
func (m *Radau) Orders() []int {
	var all []int
	for _, s := range m.Stages {
		all = append(all, 2*s-1)
	}
	return all
}

// Tableau is the method of the given order; nil when the family has none.
func (m *Radau) Tableau(order int) *RadauTableau {
	for _, s := range m.Stages {
		if 2*s-1 == order {
			return radauTableaus[s]()
		}
	}
	return nil
}

var radauTableaus = map[int]func() *RadauTableau{
	3: sync.OnceValue(func() *RadauTableau { return radauIIA(3) }),
	5: sync.OnceValue(func() *RadauTableau { return radauIIA(5) }),
	7: sync.OnceValue(func() *RadauTableau { return radauIIA(7) }),
}

var radau = Radau{
	Name:      "RadauIIA5",
	Stages:    []int{3, 5, 7},
	Stability: "L-stable, stiffly accurate",
	Doc: "Radau IIA of order 5, 9 or 13, RadauIIA5(order = 9), or of all by turns, RadauIIA5(order = auto), which is the fastest below 1e-7: stiff problems and " +
		"differential-algebraic equations at stringent tolerances, oscillating stiff problems; each step solves one real and some complex systems.",
	Cite: "Hairer, Wanner, Solving Ordinary Differential Equations II, 2nd edition, Springer 1996, section IV.8",
}

// radauIIA computes the method of s stages, s odd. Abscissae are the zeros of the (s−1)th derivative of x^(s−1) (1−x)^s; eigenvalues of A⁻¹ are the zeros of
// the denominator of the stability function, the Padé approximant with degrees s − 1 and s. (Hairer and Wanner, sections IV.5 and IV.3.)
func radauIIA(s int) *RadauTableau {
	var nodes, denominator []*precise
	for k := range s + 1 {
		sign := float64(1 - 2*(k&1))
		// (−1)^k C(s,k) (s−1+k)!/k! and (−1)^k C(s,k) (2s−1−k)!, all below 2^200: exact.
		nodes = append(nodes, factorial(s-1+k).times(exact(sign*float64(binomial(s, k)))).over(factorial(k)))
		denominator = append(denominator, factorial(2*s-1-k).times(exact(sign*float64(binomial(s, k)))))
	}
	c := realRoots(nodes)
	lambda := roots(denominator)

	// A V = W with V_jk = c_j^k, W_ik = c_i^(k+1)/(k+1): C(s). The row of 1, b, is the last row of A, since c_s = 1.
	v, w := preciseMatrix(s), preciseMatrix(s)
	power := preciseMatrix(s) // c_i^(k+1)
	for i := range s {
		p := exact(1)
		for k := range s {
			v[i][k] = p
			p = p.times(c[i])
			power[i][k] = p
			w[i][k] = p.over(exact(float64(k + 1)))
		}
	}
	a := product(w, inverse(v))
	inv := inverse(a)

	// The eigenvectors of A⁻¹, their last component 1: (A⁻¹ − λ) u = 0 without the last equation. One real, then the pairs α − iβ with β > 0 as u = p + iq:
	// A⁻¹p = αp + βq, A⁻¹q = −βp + αq.
	tab := &RadauTableau{Stages: s, Order: 2*s - 1, DenseOrder: s, EOrder: s}
	t := preciseMatrix(s)
	col := 0
	for _, l := range lambda {
		if l.im.float() > 0 {
			continue // its conjugate is there, too
		}
		alpha, beta := l.re, exact(0).minus(l.im)
		re, im := eigenvector(inv, alpha, beta)
		for i := range s {
			t[i][col] = re[i]
		}
		if col == 0 {
			tab.Gamma = alpha.float()
			col = 1
			continue
		}
		for i := range s {
			t[i][col+1] = im[i]
		}
		tab.Alpha = append(tab.Alpha, alpha.float())
		tab.Beta = append(tab.Beta, beta.float())
		col += 2
	}

	// b̂ from Σ_i b̂_i c_i^k = 1/(k+1) − [k = 0]/γ; then e = γ (b̂ − b) A⁻¹.
	gamma := lambda[0].re
	rhs := preciseMatrix(s)
	for k := range s {
		rhs[0][k] = exact(1).over(exact(float64(k + 1)))
	}
	rhs[0][0] = rhs[0][0].minus(exact(1).over(gamma))
	e := product(rhs[:1], inverse(v))
	for j := range s {
		e[0][j] = e[0][j].minus(a[s-1][j]).times(gamma)
	}
	e = product(e, inv)

	for _, x := range c {
		tab.C = append(tab.C, x.float())
	}
	tab.A, tab.Inverse, tab.T, tab.TInv = floats(a), floats(inv), floats(t), floats(inverse(t))
	tab.E = floats(e)[0]
	// Σ_m Dense_im c_k^(m+1) = [i = k].
	tab.Dense = transpose(floats(inverse(power)))
	return tab
}

func transpose(m [][]float64) [][]float64 {
	t := make([][]float64, len(m[0]))
	for j := range t {
		for i := range m {
			t[j] = append(t[j], m[i][j])
		}
	}
	return t
}
