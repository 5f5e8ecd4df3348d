package solve

// combine writes out = x + h Σ_n w[n] k[idx[n]], at most six terms in one sweep over the state.
// out may be x.
func combine(out, x []float64, h float64, w []float64, idx []int, k [][]float64) {
	if len(w) == 0 {
		copy(out, x)
		return
	}
	for {
		n := min(len(w), 6)
		sweep(out, x, h, w[:n], idx[:n], k)
		if w, idx = w[n:], idx[n:]; len(w) == 0 {
			return
		}
		x = out
	}
}

// sweep is combine for one to six terms, unrolled: this is where a solver spends its own time.
func sweep(out, x []float64, h float64, w []float64, idx []int, k [][]float64) {
	n := len(out)
	x = x[:n]
	a, w0 := k[idx[0]][:n], w[0]
	switch len(w) {
	case 1:
		for i := range out {
			out[i] = x[i] + h*(w0*a[i])
		}
	case 2:
		b, w1 := k[idx[1]][:n], w[1]
		for i := range out {
			out[i] = x[i] + h*(w0*a[i]+w1*b[i])
		}
	case 3:
		b, w1 := k[idx[1]][:n], w[1]
		c, w2 := k[idx[2]][:n], w[2]
		for i := range out {
			out[i] = x[i] + h*(w0*a[i]+w1*b[i]+w2*c[i])
		}
	case 4:
		b, w1 := k[idx[1]][:n], w[1]
		c, w2 := k[idx[2]][:n], w[2]
		d, w3 := k[idx[3]][:n], w[3]
		for i := range out {
			out[i] = x[i] + h*(w0*a[i]+w1*b[i]+w2*c[i]+w3*d[i])
		}
	case 5:
		b, w1 := k[idx[1]][:n], w[1]
		c, w2 := k[idx[2]][:n], w[2]
		d, w3 := k[idx[3]][:n], w[3]
		e, w4 := k[idx[4]][:n], w[4]
		for i := range out {
			out[i] = x[i] + h*(w0*a[i]+w1*b[i]+w2*c[i]+w3*d[i]+w4*e[i])
		}
	case 6:
		b, w1 := k[idx[1]][:n], w[1]
		c, w2 := k[idx[2]][:n], w[2]
		d, w3 := k[idx[3]][:n], w[3]
		e, w4 := k[idx[4]][:n], w[4]
		f, w5 := k[idx[5]][:n], w[5]
		for i := range out {
			out[i] = x[i] + h*(w0*a[i]+w1*b[i]+w2*c[i]+w3*d[i]+w4*e[i]+w5*f[i])
		}
	}
}
