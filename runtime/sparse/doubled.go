package sparse

// Doubled is the pattern of a complex matrix written as a real one: entry a + ib becomes the block (a −b; b a), so that unknowns 2j and 2j+1 are the real and the
// imaginary part of unknown j.
func Doubled(p *Pattern) *Pattern {
	d := &Pattern{n: 2 * p.n, ptr: make([]int, 2*p.n+1), row: make([]int32, 0, 4*len(p.row))}
	for j := range p.n {
		for half := range 2 {
			for _, i := range p.row[p.ptr[j]:p.ptr[j+1]] {
				d.row = append(d.row, 2*i, 2*i+1)
			}
			d.ptr[2*j+half+1] = len(d.row)
		}
	}
	return d
}

// SetDoubled writes re + i·im, values of p, into values of Doubled(p). It allocates nothing.
func SetDoubled(p *Pattern, values, re, im []float64) {
	for j := range p.n {
		lo, hi := p.ptr[j], p.ptr[j+1]
		first, second := values[4*lo:2*(lo+hi)], values[2*(lo+hi):4*hi]
		for k := range hi - lo {
			a, b := re[lo+k], im[lo+k]
			first[2*k], first[2*k+1] = a, b
			second[2*k], second[2*k+1] = -b, a
		}
	}
}

// SetComplex writes M − (γ + iδ)J into re + i·im; else it is Set.
func (s *Shifted) SetComplex(re, im, mass []float64, gamma, delta float64, jac []float64) {
	s.Set(re, mass, gamma, jac)
	s.pattern.check(im)
	clear(im)
	for k, at := range s.jac {
		im[at] -= delta * jac[k]
	}
}
