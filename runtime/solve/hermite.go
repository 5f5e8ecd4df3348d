package solve

// polynomial is the continuous extension x(t + θh) = x + Σ_j c_j θ^j of a step, the coefficients one after the other from c_1 on, each as long as the state: what
// Hermite's interpolation between both ends gives for methods that bring nothing of their own. Its degree is its value. It is immutable and may be shared.
//
// E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd edition, Springer 1993, section II.6.
type polynomial int

// The degrees: by both values and slopes, and by the second derivatives too.
const (
	cubic   polynomial = 3
	quintic polynomial = 5
)

func (d polynomial) dense(st *StepRecord, theta float64, out []float64) { d.at(theta, out, st.X, st.K) }

// at is the state at t + θh.
func (d polynomial) at(theta float64, out, x, c []float64) {
	n := len(out)
	top := c[(int(d)-1)*n : int(d)*n]
	copy(out, top)
	for j := int(d) - 2; j >= 0; j-- {
		for i, v := range c[j*n : (j+1)*n] {
			out[i] = out[i]*theta + v
		}
	}
	for i, v := range x[:n] {
		out[i] = out[i]*theta + v
	}
}

// hermite3 writes the coefficients of the cubic with values x, x1 and slopes f0, f1 at the ends of a step of length h.
func hermite3(c []float64, h float64, x, x1, f0, f1 []float64) {
	n := len(x)
	a, b, e := c[:n], c[n:2*n], c[2*n:3*n]
	for i := range n {
		d, u, v := x1[i]-x[i], h*f0[i], h*f1[i]
		a[i], b[i], e[i] = u, 3*d-2*u-v, u+v-2*d
	}
}

// hermite5 writes the coefficients of the quintic that has the second derivatives s0, s1 at the ends, too.
func hermite5(c []float64, h float64, x, x1, f0, f1, s0, s1 []float64) {
	n := len(x)
	for i := range n {
		d, u, v, p, q := x1[i]-x[i], h*f0[i], h*f1[i], h*h*s0[i], h*h*s1[i]
		c[i], c[n+i] = u, p/2
		c[2*n+i] = 10*d - 6*u - 4*v - 1.5*p + 0.5*q
		c[3*n+i] = -15*d + 8*u + 7*v + 1.5*p - q
		c[4*n+i] = 6*d - 3*(u+v) + 0.5*(q-p)
	}
}
