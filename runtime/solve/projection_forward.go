package solve

// Carry moves a derivative s of the state along with Project: x is the projected state, s that by one parameter before, dth the direction of θ that it belongs to. It is the
// transpose of Back.
func (p *Projection) Carry(t float64, x []float64, rtol float64, atol []float64, s, dth []float64) error {
	p.weigh(x, rtol, atol)
	if err := p.linearise(t, x); err != nil {
		return err
	}
	ni := p.m - len(p.rows)
	p.inv.JVP(p.y[:ni], t, x, nil, 0, s, dth)
	if len(p.rows) > 0 {
		p.rhs.JVP(p.z, t, x, nil, 0, s, dth)
		for k, i := range p.rows {
			p.y[ni+k] = p.z[i]
		}
	}
	p.lu.Solve(p.y)
	// W Cᵀ y, by the transposed products.
	clear(p.z)
	p.inv.VJP(p.z, nil, t, x, nil, p.y[:ni])
	if len(p.rows) > 0 {
		clear(p.back)
		for k, i := range p.rows {
			p.back[i] = p.y[ni+k]
		}
		p.rhs.VJP(p.z, nil, t, x, nil, p.back)
	}
	for j, w := range p.weight {
		s[j] -= w * p.z[j]
	}
	return nil
}
