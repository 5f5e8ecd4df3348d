package code

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
			e.p.fast.MatTVec(row, b, x)
		} else {
			e.p.fast.MatVec(row, b, x, nil)
		}
	}
}

// outer is d = a bᵀ.
func outer(d, a, b []float64) {
	for i, x := range a {
		row := d[i*len(b) : (i+1)*len(b)]
		for j, y := range b {
			row[j] = x * y
		}
	}
}
