package solve

// A step of order k is interpolated by the polynomial of that degree through its ends and the points before, which meets both exactly. The points are on
// record as the states that the steps before began with, so a step adds little to the record: its order, and the state it led to, for where an event cuts it.

func (b *bdf) width() int { return 1 + b.s.sys.NX }

func (b *bdf) save(row []float64) {
	row[0] = float64(b.k)
	copy(row[1:], b.s.x1)
}

func (b *bdf) reader() reader { return bdfReader{} }

func (b *bdf) interpolate(theta float64, out []float64) {
	b.advance()
	copy(out, b.s.x)
	// Newton's form over t_n, t_{n+1}, t_{n−1}, …, whose coefficients are the scaled differences from the second on, since divided differences do not depend
	// on the order of their points.
	h, w := b.psi[1], theta
	for j := 1; j <= b.made; j++ {
		if j > 1 {
			before := 0.0 // from the point that joined last to the end
			if j > 2 {
				before = b.psi[j-1]
			}
			w *= (before + (theta-1)*h) / b.psi[j]
		}
		add(out, w, b.phi[j])
	}
}

type bdfReader struct{}

func (bdfReader) dense(st *StepRecord, theta float64, out []float64) {
	k := int(st.K[0])
	var at [maxBDF + 1]float64 // times of the points, from st.T
	var x [maxBDF + 1][]float64
	at[0], x[0] = st.H, st.K[1:1+len(out)]
	x[1] = st.X
	for j := 2; j <= k; j++ {
		at[j], x[j] = st.before(j - 1)
		at[j] -= st.T
	}
	t := theta * st.H
	clear(out)
	for i := range k + 1 {
		w := 1.0
		for j := range k + 1 {
			if j != i {
				w *= (t - at[j]) / (at[i] - at[j])
			}
		}
		add(out, w, x[i])
	}
}
