package solve

// bdfReader interpolates by the polynomial of the step's order through its ends and the points before: Newton's form over t_n, t_{n+1}, t_{n−1}, …, whose
// coefficients are the scaled differences from the second on, since divided differences do not depend on the order of their points. So it meets both ends exactly.
type bdfReader struct{ nx int }

// A step's row is its order, ψ_1 … ψ_5 at its end, and φ_2 … φ_{k+1}.
const bdfHead = 1 + maxBDF

func (b *bdf) width() int { return bdfHead + b.m.MaxOrder*b.s.sys.NX }

func (b *bdf) save(row []float64) {
	b.advance()
	row[0] = float64(b.made)
	copy(row[1:bdfHead], b.psi[1:])
	nx := b.s.sys.NX
	for j := 1; j <= b.made; j++ {
		copy(row[bdfHead+(j-1)*nx:], b.phi[j])
	}
}

func (b *bdf) reader() reader { return bdfReader{b.s.sys.NX} }

func (r bdfReader) dense(st *StepRecord, theta float64, out []float64) {
	copy(out, st.X)
	var w [maxBDF + 1]float64
	k := int(st.K[0])
	bdfWeights(&w, k, st.K[:bdfHead], theta)
	for j := 1; j <= k; j++ {
		at := bdfHead + (j-1)*r.nx
		add(out, w[j], st.K[at:at+r.nx])
	}
}

func (b *bdf) interpolate(theta float64, out []float64) {
	b.advance()
	copy(out, b.s.x)
	var w [maxBDF + 1]float64
	bdfWeights(&w, b.made, b.psi[:], theta)
	for j := 1; j <= b.made; j++ {
		add(out, w[j], b.phi[j])
	}
}

// bdfWeights writes the weights of φ_{j+1} into w[j], j ≤ k; psi[j] is ψ_j.
func bdfWeights(w *[maxBDF + 1]float64, k int, psi []float64, theta float64) {
	h := psi[1]
	w[1] = theta
	for j := 2; j <= k; j++ {
		before := 0.0 // from the point that joined last to the end
		if j > 2 {
			before = psi[j-1]
		}
		w[j] = w[j-1] * (before + (theta-1)*h) / psi[j]
	}
}
