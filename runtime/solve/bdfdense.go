package solve

// A step of order k is interpolated by the polynomial of that degree through its ends and the points before, which meets both exactly. The points are on
// record as the states that the steps before began with, so a step adds little to the record: its order, and the state it led to, for where an event cuts it.

func bdfWidth(nx int) int { return 1 + nx }

func (b *bdf) width() int { return bdfWidth(b.s.sys.NX) }

func (b *bdf) save(row []float64) {
	row[0] = float64(b.k)
	copy(row[1:], b.s.x1)
	if b.s.isCut { // x1 is where it was cut
		for i, v := range b.pred {
			row[1+i] = v + b.e[i]
		}
	}
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
	add(out, sum, b.e)
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
