// Rows are scaled by powers of two near 1/max|row|, so that a threshold on pivots means the same whatever the units of an
// equation; powers of two add no rounding. Curtis, Reid, "On the automatic scaling of matrices for Gaussian elimination" (1972);
// the choice of the row's maximum as in KLU (Davis, Natarajan, ACM TOMS 37 (2010), algorithm 907).

package sparse

import "math"

// rowScales sets scale (length n), or says which value is not finite.
func rowScales(p *Pattern, a, scale []float64) error {
	clear(scale)
	for k, i := range p.row {
		v := math.Abs(a[k])
		if !(v <= math.MaxFloat64) {
			return p.valueError(a)
		}
		if v > scale[i] {
			scale[i] = v
		}
	}
	for i, m := range scale {
		scale[i] = reciprocalPower(m)
	}
	return nil
}

// reciprocalPower is the power of two next to 1/m, and 1 for 0.
func reciprocalPower(m float64) float64 {
	if m == 0 {
		return 1
	}
	e := math.Float64bits(m) >> 52
	return math.Float64frombits(max(2046-e, 1) << 52)
}

func (p *Pattern) valueError(a []float64) error {
	for j := range p.n {
		for k := p.ptr[j]; k < p.ptr[j+1]; k++ {
			if !(math.Abs(a[k]) <= math.MaxFloat64) {
				return &ValueError{int(p.row[k]), j, a[k]}
			}
		}
	}
	return nil
}
