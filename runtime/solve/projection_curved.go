package solve

import (
	"math"

	"github.com/udl-lang/udl/runtime/system"
)

// curved is what Projection needs for its derivative beyond the tangent plane.
type curved struct {
	inv, rhs   system.Func // (t, [x, v], [θ, 0]) → the derivative along v
	th2        []float64
	xv, dxv    []float64
	gx, gth    []float64
	mu, y, dir []float64
	oneTh      []float64
	prepared   bool
}

// BackFrom is Back where the state from that Project came is known. With x̂ that state, m = x − x̂, y = (C W Cᵀ)⁻¹ c and all else at x̂, the first iteration is
// x = x̂ − W Cᵀ y, and those that follow keep its derivative on the constraints. Beside what Back takes into account, W and C change with x̂: with λ what Back makes of
// the derivative by x, μ = W λ and H_k the second derivatives of c_k,
//
//	λ̂ = λ − W' ∘ Cᵀy ∘ λ − Σ y_k H_k μ + Cᵀ (C W Cᵀ)⁻¹ s,  s_k = μᵀ H_k m,
//
// and by θ likewise. What is left out is of second order in m.
func (p *Projection) BackFrom(t float64, from, x []float64, rtol float64, atol []float64, lam, g []float64) error {
	if p.sys.NoSecond != "" {
		return p.Back(t, x, rtol, atol, lam, g)
	}
	n, ni, nth := p.n, p.m-len(p.rows), p.sys.NTheta
	c := p.curve()
	p.weigh(from, rtol, atol)
	if err := p.linearise(t, x); err != nil {
		return err
	}
	for j, w := range p.weight {
		c.dir[j] = w * lam[j]
	}
	p.along(t, x, c.dir)
	p.lu.Solve(p.y)
	for k := range p.y {
		p.y[k] = -p.y[k]
	}
	p.across(t, x, p.y, lam, g)

	if err := p.linearise(t, from); err != nil {
		return err
	}
	p.constraints(t, from)
	copy(p.y, p.c)
	p.lu.Solve(p.y)
	copy(c.y, p.y)
	copy(c.xv, from)
	clear(c.dxv)
	for j, w := range p.weight {
		c.mu[j] = w * lam[j]
		c.dxv[j] = x[j] - from[j]
	}
	copy(c.xv[n:], c.mu)
	clear(c.gx)
	clear(c.gth)
	c.inv.VJP(c.gx, c.gth, t, c.xv, nil, c.y[:ni])
	c.inv.JVP(p.y[:ni], t, c.xv, nil, 0, c.dxv, nil)
	if len(p.rows) > 0 {
		clear(p.back)
		for k, i := range p.rows {
			p.back[i] = c.y[ni+k]
		}
		c.rhs.VJP(c.gx, c.gth, t, c.xv, nil, p.back)
		c.rhs.JVP(p.z, t, c.xv, nil, 0, c.dxv, nil)
		for k, i := range p.rows {
			p.y[ni+k] = p.z[i]
		}
	}
	p.lu.Solve(p.y)
	for j, w := range p.weight {
		slope := 2 * math.Sqrt(w) * rtol
		if from[j] < 0 {
			slope = -slope
		}
		lam[j] -= slope*c.gx[n+j]*lam[j] + c.gx[j]
	}
	for k, v := range c.gth[:nth] {
		g[k] -= v
	}
	p.across(t, from, p.y, lam, g)
	return nil
}

// curve makes the tangents on first use, and prepares them.
func (p *Projection) curve() *curved {
	c := p.curves
	if c == nil {
		n, nth := p.n, p.sys.NTheta
		c = &curved{inv: p.inv.Tangent(), th2: make([]float64, 2*nth), xv: make([]float64, 2*n), dxv: make([]float64, 2*n), gx: make([]float64, 2*n), gth: make([]float64, 2*nth),
			mu: make([]float64, n), dir: make([]float64, n), y: make([]float64, p.m), oneTh: make([]float64, nth)}
		if len(p.rows) > 0 {
			c.rhs = p.rhs.Tangent()
		}
		p.curves = c
	}
	if !c.prepared {
		copy(c.th2, p.th)
		c.prepared = true
		c.inv.Prepare(c.th2)
		if c.rhs != nil {
			c.rhs.Prepare(c.th2)
		}
	}
	return c
}

// along writes C·v at (t, x) into y.
func (p *Projection) along(t float64, x, v []float64) { p.alongBoth(t, x, v, nil) }

// alongBoth writes C·v + c_θ·dth at (t, x) into y.
func (p *Projection) alongBoth(t float64, x, v, dth []float64) {
	ni := p.m - len(p.rows)
	p.inv.JVP(p.y[:ni], t, x, nil, 0, v, dth)
	if len(p.rows) > 0 {
		p.rhs.JVP(p.z, t, x, nil, 0, v, dth)
		for k, i := range p.rows {
			p.y[ni+k] = p.z[i]
		}
	}
}

// across adds Cᵀ·y at (t, x) to lam, and c_θᵀ·y to g, which may be nil.
func (p *Projection) across(t float64, x, y, lam, g []float64) {
	ni := p.m - len(p.rows)
	p.inv.VJP(lam, g, t, x, nil, y[:ni])
	if len(p.rows) > 0 {
		clear(p.back)
		for k, i := range p.rows {
			p.back[i] = y[ni+k]
		}
		p.rhs.VJP(lam, g, t, x, nil, p.back)
	}
}

// CarryFrom moves derivatives of the state along with Project, from the state from to x: s holds one of length NX for each entry of θ in wrt, one after the other. It is the
// transpose of BackFrom.
func (p *Projection) CarryFrom(t float64, from, x []float64, rtol float64, atol []float64, s []float64, wrt []int) error {
	n := p.n
	c := p.curve()
	p.weigh(from, rtol, atol)
	if p.sys.NoSecond == "" {
		if err := p.bend(t, from, x, rtol, s, wrt); err != nil {
			return err
		}
	}
	if err := p.linearise(t, x); err != nil {
		return err
	}
	for q, i := range wrt {
		sq := s[q*n : (q+1)*n]
		c.oneTh[i] = 1
		p.alongBoth(t, x, sq, c.oneTh)
		c.oneTh[i] = 0
		p.lu.Solve(p.y)
		clear(c.dir)
		p.across(t, x, p.y, c.dir, nil)
		for j, w := range p.weight {
			sq[j] -= w * c.dir[j]
		}
	}
	return nil
}

// bend is CarryFrom's first part: what is due to W and C changing with the state.
func (p *Projection) bend(t float64, from, x []float64, rtol float64, s []float64, wrt []int) error {
	n, ni, nth := p.n, p.m-len(p.rows), p.sys.NTheta
	c := p.curves
	if err := p.linearise(t, from); err != nil {
		return err
	}
	p.constraints(t, from)
	copy(p.y, p.c)
	p.lu.Solve(p.y)
	copy(c.y, p.y)
	clear(c.dir)
	p.across(t, from, c.y, c.dir, nil) // Cᵀ·y
	// second is Σ g_k H_k v, and what moves C along dθ with it, in the first half of c.gx.
	second := func(v, gz []float64) {
		copy(c.xv, from)
		copy(c.xv[n:], v)
		clear(c.gx)
		c.inv.VJP(c.gx, nil, t, c.xv, c.th2, gz[:ni])
		if len(p.rows) > 0 {
			clear(p.back)
			for k, i := range p.rows {
				p.back[i] = gz[ni+k]
			}
			c.rhs.VJP(c.gx, nil, t, c.xv, c.th2, p.back)
		}
	}
	for q, i := range wrt {
		sq := s[q*n : (q+1)*n]
		c.oneTh[i] = 1
		p.alongBoth(t, from, sq, c.oneTh)
		c.oneTh[i] = 0
		p.lu.Solve(p.y)
		for j := range x {
			c.mu[j] = x[j] - from[j]
		}
		second(c.mu, p.y)
		copy(c.dxv, c.gx[:n])
		c.th2[nth+i] = 1
		second(sq, c.y)
		c.th2[nth+i] = 0
		for j, w := range p.weight {
			slope := 2 * math.Sqrt(w) * rtol
			if from[j] < 0 {
				slope = -slope
			}
			sq[j] += w*(c.dxv[j]-c.gx[j]) - slope*c.dir[j]*sq[j]
		}
	}
	c.prepared = false // for θ alone
	return nil
}
