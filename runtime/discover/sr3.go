package discover

import (
	"context"
	"math"
)

// sr3 minimises ½‖Θξ − y‖² + λ‖w‖₀ + ‖ξ − w‖²/(2ν) in turns by ξ, a linear system whose matrix is factored once, and by
// w, which is ξ cut off below a threshold √(2λν) (Zheng et al. 2019). The columns have norm 1, as one sample of size 1 would
// have: a large ν, which draws them together much less than the data do, is what thousands of samples amount to, and where
// columns nearly depend on each other a small one takes very long.
func sr3(ctx context.Context, l *library, o Options) ([]support, error) {
	var out supports
	out.add(nil, math.NaN())
	for _, free := range l.starts() {
		if err := sr3From(ctx, l, free, o, &out); err != nil {
			return nil, err
		}
	}
	return out.list, nil
}

func sr3From(ctx context.Context, l *library, free []int, o Options, out *supports) error {
	k := len(free)
	if k == 0 {
		return nil
	}
	nu := o.or("nu", 1e4)
	iters := int(o.or("iters", 500))
	// The normal equations A = RᵀR + I/ν are well conditioned by the I/ν.
	a, rhs := make([]float64, k*k), make([]float64, k)
	cols := make([][]float64, k)
	for i, j := range free {
		cols[i] = make([]float64, l.p)
		l.column(j, cols[i])
		rhs[i] = dot(cols[i], l.q)
	}
	for i := range k {
		for j := range k {
			a[i*k+j] = dot(cols[i], cols[j])
		}
		a[i*k+i] += 1 / nu
	}
	if !cholesky(a, k) {
		return nil
	}
	start := append([]float64(nil), rhs...)
	substitute(a, k, start)
	norm := math.Sqrt(l.total)
	for _, cut := range thresholds(o, norm, rhs) {
		if err := ctx.Err(); err != nil {
			return err
		}
		w := append([]float64(nil), start...)
		x := make([]float64, k)
		var last []int
		still := 0
		for range iters {
			for i := range x {
				x[i] = rhs[i] + w[i]/nu
			}
			substitute(a, k, x)
			var set []int
			change := 0.0
			for i := range x {
				v := x[i]
				if math.Abs(v) < cut {
					v = 0
				} else {
					set = append(set, free[i])
				}
				change = math.Max(change, math.Abs(v-w[i]))
				w[i] = v
			}
			if keyOf(set) == keyOf(last) {
				still++
			} else {
				still, last = 0, set
			}
			if change <= 1e-10*norm || still > 100 {
				break
			}
		}
		out.add(last, cut/norm)
	}
	return nil
}

// cholesky factors a symmetric positive definite matrix in place, lower triangle.
func cholesky(a []float64, n int) bool {
	for j := range n {
		d := a[j*n+j] - dot(a[j*n:j*n+j], a[j*n:j*n+j])
		if !(d > 0) {
			return false
		}
		d = math.Sqrt(d)
		a[j*n+j] = d
		for i := j + 1; i < n; i++ {
			a[i*n+j] = (a[i*n+j] - dot(a[i*n:i*n+j], a[j*n:j*n+j])) / d
		}
	}
	return true
}

// substitute solves with the factor.
func substitute(a []float64, n int, b []float64) {
	for i := range n {
		b[i] = (b[i] - dot(a[i*n:i*n+i], b[:i])) / a[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		s := b[i]
		for j := i + 1; j < n; j++ {
			s -= a[j*n+i] * b[j]
		}
		b[i] = s / a[i*n+i]
	}
}
