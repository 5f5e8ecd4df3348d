package solve

// A step of order k is interpolated by the polynomial of that degree through its ends and the points before, which meets both exactly. The points are on
// record as the states that the steps before began with, so a step adds little to the record: its order, and the state it led to, for where an event cuts it.

func bdfWidth(nx int) int { return 1 + nx }

func (b *bdf) width() int { return bdfWidth(b.s.sys.NX) + len(b.raw) }

// BDFRaw is the state that a step of a backward differentiation formula led to before it was projected, as its equations were solved; projects says that the system has
// invariants beside a mass matrix.
func (st *StepRecord) BDFRaw(projects bool) []float64 {
	n := len(st.X)
	if projects {
		return st.K[1+n : 1+2*n]
	}
	return st.K[1 : 1+n]
}

func (b *bdf) save(row []float64) {
	row[0] = float64(b.k)
	copy(row[1:], b.s.x1)
	if b.s.isCut { // x1 is where it was cut
		for i, v := range b.pred {
			row[1+i] = v + b.e[i]
		}
	}
	copy(row[1+len(b.s.x1):], b.raw)
}

func (b *bdf) reader() reader { return bdfReader{} }

// interpolate uses the differences at the end of the step, which are sums of those at its start and e, in Newton's form over t_n, t_{n+1}, t_{n−1}, …; divided
// differences do not depend on the order of their points.
func (b *bdf) interpolate(theta float64, out []float64) {
	copy(out, b.s.x)
	h, w, sum := b.next[1], theta, 0.0
	for j := 1; j <= b.k; j++ {
		if j > 1 {
			before := 0.0 // from the point that joined last to the end
			if j > 2 {
				before = b.next[j-1]
			}
			w *= (before + (theta-1)*h) / b.next[j]
		}
		sum += w
		add(out, sum*b.beta[j+1], b.phi[j])
	}
	add(out, sum, b.moved())
}

type bdfReader struct{}

func (bdfReader) dense(st *StepRecord, theta float64, out []float64) {
	var w [MaxBDF + 1]float64
	k := st.BDFOutput(theta, &w)
	clear(out)
	add(out, w[0], st.K[1:1+len(out)])
	add(out, w[1], st.X)
	for j := 2; j <= k; j++ {
		_, x := st.Before(j - 1)
		add(out, w[j], x)
	}
}

// BDFOutput writes the weights of the points by which a step of a backward differentiation formula is interpolated at t + θh: w[0] is that of the state that the step
// led to, before an event cut it, w[1] that of the state at its start, w[1+i] that of Before(i). It returns the order, the last weight's index.
func (st *StepRecord) BDFOutput(theta float64, w *[MaxBDF + 1]float64) (order int) {
	order = int(st.K[0])
	var at [MaxBDF + 1]float64 // times of the points, from st.T
	at[0] = st.H
	for j := 2; j <= order; j++ {
		t, _ := st.Before(j - 1)
		at[j] = t - st.T
	}
	for i := range order + 1 {
		w[i] = lagrange(at[:order+1], i, theta*st.H)
	}
	return order
}

// BDFWeights writes the coefficients of a step's formula γ·M·x1 + M·Σ_i c_i·x_i = h·f(t1, x1): c[0] is that of the state at its start, c[i] that of Before(i), up to
// the order, which it returns with γ. Those of points from before a start are 0.
func (st *StepRecord) BDFWeights(c *[MaxBDF + 1]float64) (order int, gamma float64) {
	order = int(st.K[0])
	gamma = bdfGamma[order]
	if order == 1 { // whatever the point before
		c[0], c[1] = -1, 0
		return order, gamma
	}
	var at [MaxBDF + 1]float64 // times of the points, from the end
	at[0] = -st.H
	for j := 1; j <= order; j++ {
		t, _ := st.Before(j)
		at[j] = t - st.T - st.H
	}
	for i := range order + 1 {
		sum := 0.0 // of the derivative of the point's polynomial over its value
		for j, a := range at[:order+1] {
			if j != i {
				sum -= 1 / a
			}
		}
		c[i] = lagrange(at[:order+1], i, 0) * (st.H*sum - gamma)
	}
	return order, gamma
}

// lagrange is the polynomial that is 1 at point i and 0 at the others.
func lagrange(at []float64, i int, t float64) float64 {
	w := 1.0
	for j, a := range at {
		if j != i {
			w *= (t - a) / (at[i] - a)
		}
	}
	return w
}
