package kernels

import (
	"math"

	"github.com/udl-lang/udl/compiler/ir/libm"
)

// The kernels in Go: what every architecture has, and what the reference back end is defined by.

func goUnary(f function, d, a []float64) {
	switch f {
	case fExp:
		for i, v := range a {
			d[i] = libm.Exp(v)
		}
	case fLog:
		for i, v := range a {
			d[i] = libm.Log(v)
		}
	case fTanh:
		for i, v := range a {
			d[i] = libm.Tanh(v)
		}
	case fSigmoid:
		for i, v := range a {
			d[i] = libm.Sigmoid(v)
		}
	case fSin:
		for i, v := range a {
			d[i] = libm.Sin(v)
		}
	case fCos:
		for i, v := range a {
			d[i] = libm.Cos(v)
		}
	case fSqrt:
		for i, v := range a {
			d[i] = math.Sqrt(v)
		}
	}
}

func goPow(d, a, b []float64) {
	i, j := 1, 1 // how far to go on for the next element
	if len(a) == 1 {
		i = 0
	}
	if len(b) == 1 {
		j = 0
	}
	for k := range d {
		d[k] = libm.Pow(a[k*i], b[k*j])
	}
}

// The products sum every element of a result from 0 in the order of the inner index, each product rounded before it is added; several elements are
// under way at once, so that the sums do not wait for each other.

func goMatVec(d, w, x, bias []float64) {
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
	for i, v := range bias {
		d[i] += v
	}
}

// goMatTVec goes along the rows, four at a time.
func goMatTVec(d, w, x []float64) {
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

func goOuterAdd(d, a, b []float64) {
	for i, x := range a {
		row := d[i*len(b) : (i+1)*len(b)][:len(b)]
		for j, y := range b {
			row[j] += float64(x * y)
		}
	}
}
