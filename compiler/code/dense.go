package code

// Products of matrices and vectors. Every element of a result is summed from 0 in the order of the inner
// index, each product rounded before it is added; several elements are under way at once, so that the sums do not
// wait for each other. (The order is that of one lane per element, which vector units keep.)

// matVec is d = W x for W with len(d) rows, row-major.
func matVec(d, w, x []float64) {
	n := len(x)
	i := 0
	for ; i+4 <= len(d); i += 4 {
		w0, w1, w2, w3 := w[i*n:i*n+n], w[i*n+n:i*n+2*n], w[i*n+2*n:i*n+3*n], w[i*n+3*n:i*n+4*n]
		w0, w1, w2, w3 = w0[:len(x)], w1[:len(x)], w2[:len(x)], w3[:len(x)]
		var s0, s1, s2, s3 float64
		for j, v := range x {
			s0 += float64(w0[j] * v)
			s1 += float64(w1[j] * v)
			s2 += float64(w2[j] * v)
			s3 += float64(w3[j] * v)
		}
		o := d[i : i+4 : i+4]
		o[0], o[1], o[2], o[3] = s0, s1, s2, s3
	}
	if i+2 <= len(d) {
		w0, w1 := w[i*n:i*n+n], w[i*n+n:i*n+2*n]
		w0, w1 = w0[:len(x)], w1[:len(x)]
		var s0, s1 float64
		for j, v := range x {
			s0 += float64(w0[j] * v)
			s1 += float64(w1[j] * v)
		}
		d[i], d[i+1] = s0, s1
		i += 2
	}
	if i < len(d) {
		w0 := w[i*n : i*n+n][:len(x)]
		s := 0.0
		for j, v := range x {
			s += float64(w0[j] * v)
		}
		d[i] = s
	}
}

// matTVec is d = Wᵀ x for W with len(x) rows, row-major: it goes along the rows, four at a time.
func matTVec(d, w, x []float64) {
	clear(d)
	n := len(d)
	i := 0
	for ; i+4 <= len(x); i += 4 {
		x0, x1, x2, x3 := x[i], x[i+1], x[i+2], x[i+3]
		w0, w1, w2, w3 := w[i*n:i*n+n], w[i*n+n:i*n+2*n], w[i*n+2*n:i*n+3*n], w[i*n+3*n:i*n+4*n]
		w0, w1, w2, w3 = w0[:len(d)], w1[:len(d)], w2[:len(d)], w3[:len(d)]
		for j, s := range d {
			d[j] = s + float64(w0[j]*x0) + float64(w1[j]*x1) + float64(w2[j]*x2) + float64(w3[j]*x3)
		}
	}
	for ; i < len(x); i++ {
		v, w0 := x[i], w[i*n : i*n+n][:len(d)]
		for j, s := range d {
			d[j] = s + float64(w0[j]*v)
		}
	}
}

// matMul goes row by row of the left factor; each row is a product with a vector.
func (e *Exec) matMul(k *kernel) {
	m := &k.dims
	a, b, d := e.at(k.a, m.M*m.K), e.at(k.b, m.K*m.N), e.at(k.d, m.M*m.N)
	for i := range m.M {
		row := d[i*m.N : (i+1)*m.N]
		var x []float64
		if m.A[1] == 1 {
			x = a[i*m.A[0] : i*m.A[0]+m.K]
		} else {
			x = e.at(k.tmp, m.K)
			for j := range x {
				x[j] = a[i*m.A[0]+j*m.A[1]]
			}
		}
		if m.B[1] == 1 && m.N > 1 {
			matTVec(row, b, x)
		} else {
			matVec(row, b, x)
		}
	}
}

func outer(d, a, b []float64) {
	for i, x := range a {
		row := d[i*len(b) : (i+1)*len(b)]
		for j, y := range b {
			row[j] = x * y
		}
	}
}

// outerAdd is d += a bᵀ: the gradient of a layer's weights, which is never formed.
func outerAdd(d, a, b []float64) {
	for i, x := range a {
		row := d[i*len(b) : (i+1)*len(b)][:len(b)]
		for j, y := range b {
			row[j] += float64(x * y)
		}
	}
}
