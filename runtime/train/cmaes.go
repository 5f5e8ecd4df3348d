package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// CMA-ES: a cloud of trials drawn from a normal distribution, whose mean, size and shape follow the better half
// of them. Only the order of the values counts; a trial that fails comes last.
//
// N. Hansen, The CMA evolution strategy: a tutorial, arXiv:1604.00772 (2016), with its weights (negative ones
// too), constants and figure 6.

const (
	purposeCMA = 0xc3aae5
	// maxCMA is how many variables there may be: their covariance is decomposed again and again.
	maxCMA = 1000
)

type cmaes struct {
	n, pop               int
	w                    []float64 // by rank, the best first
	mueff                float64
	cs, ds, cc, c1, cmu  float64
	chi                  float64 // mean length of a standard normal vector
	mean, ps, pc         []float64
	sigma                float64
	c, b, d              []float64 // covariance, its axes (by rows) and their lengths
	since                int       // generations since the axes were computed
	low                  []float64 // lowest value of the last generations, the newest last
	x, y, z              [][]float64
	f                    []float64
	order                []int
	step, whitened, work []float64
}

func runCMAES(r *run, s *Stage) (Status, error) {
	if r.n > maxCMA {
		return Done, &OptionError{Optimiser: "cmaes", Reason: fmt.Sprintf("%d variables are too many for it; take adam then lbfgs", r.n)}
	}
	pop := int(s.value("pop"))
	if pop > 0 && pop < 4 {
		return Done, &OptionError{Optimiser: "cmaes", Option: "pop", Reason: "a generation needs four trials, or 0 for as many as are usual"}
	}
	c := newCMAES(r.n, pop, s.value("sigma"))
	u, g := make([]float64, r.n), make([]float64, r.n)
	fbest := r.toBest(u, g)
	norm := norm2(g)
	copy(c.mean, u)
	made, err := r.keep(func(l *ledger) {
		l.vec("mean", c.mean)
		l.vec("ps", c.ps)
		l.vec("pc", c.pc)
		l.num("sigma", &c.sigma)
		l.vec("c", c.c)
		l.vec("b", c.b)
		l.vec("d", c.d)
		l.whole("since", &c.since)
		l.vec("low", c.low)
		l.num("best", &fbest)
		l.num("norm", &norm)
	})
	if err != nil {
		return Done, err
	}
	ftol := s.value("ftol")
	for it := made + 1; ; it++ {
		switch {
		case c.flat(ftol):
			return Converged, nil
		case c.narrow():
			if math.IsInf(c.low[len(c.low)-1], 1) {
				return NoProgress, nil
			}
			return Converged, nil
		case it > s.Iters():
			return Done, nil
		}
		rng := rand.New(rand.NewPCG(r.set.Seed^purposeCMA, uint64(r.stage)<<40|uint64(it)))
		for k := range c.pop {
			c.draw(k, rng)
		}
		if err := r.values(c.x, c.f); err != nil {
			return Cancelled, err
		}
		c.rank()
		best := c.order[0]
		if c.f[best] < fbest {
			fbest = c.f[best]
			// Its gradient is what the next stage starts with. A point that has none is no point to end at.
			f, err := r.eval(c.x[best], g)
			if err != nil {
				return Cancelled, err
			}
			if !math.IsInf(f, 1) {
				norm = norm2(g)
			}
		}
		c.update(it)
		if err := r.note(Point{Iter: it, Loss: c.f[best], GradNorm: norm, Rate: c.sigma}, c.x[best]); err != nil {
			return Cancelled, err
		}
	}
}

func newCMAES(n, pop int, sigma float64) *cmaes {
	if pop == 0 {
		pop = 4 + int(3*math.Log(float64(n)))
	}
	c := &cmaes{n: n, pop: pop, sigma: sigma, f: make([]float64, pop), order: make([]int, pop)}
	for _, v := range []*[]float64{&c.mean, &c.ps, &c.pc, &c.d, &c.step, &c.whitened, &c.work} {
		*v = make([]float64, n)
	}
	c.c, c.b = make([]float64, n*n), make([]float64, n*n)
	for i := range n {
		c.c[i*n+i], c.b[i*n+i], c.d[i] = 1, 1, 1
	}
	for range pop {
		c.x, c.y, c.z = append(c.x, make([]float64, n)), append(c.y, make([]float64, n)), append(c.z, make([]float64, n))
	}
	c.low = make([]float64, 10+(30*n+pop-1)/pop)
	for i := range c.low {
		c.low[i] = math.NaN()
	}
	// Constants: table 1 of the tutorial.
	N := float64(n)
	c.w = make([]float64, pop)
	var sum, sq, nsum, nsq float64
	for i := range c.w {
		c.w[i] = math.Log(float64(pop+1)/2) - math.Log(float64(i+1))
		if c.w[i] > 0 {
			sum, sq = sum+c.w[i], sq+c.w[i]*c.w[i]
		} else {
			nsum, nsq = nsum-c.w[i], nsq+c.w[i]*c.w[i]
		}
	}
	c.mueff = sum * sum / sq
	c.cs = (c.mueff + 2) / (N + c.mueff + 5)
	c.ds = 1 + 2*math.Max(0, math.Sqrt((c.mueff-1)/(N+1))-1) + c.cs
	c.cc = (4 + c.mueff/N) / (N + 4 + 2*c.mueff/N)
	c.c1 = 2 / ((N+1.3)*(N+1.3) + c.mueff)
	c.cmu = math.Min(1-c.c1, 2*(0.25+c.mueff+1/c.mueff-2)/((N+2)*(N+2)+c.mueff))
	c.chi = math.Sqrt(N) * (1 - 1/(4*N) + 1/(21*N*N))
	least := 0.0
	if nsum > 0 && c.cmu > 0 {
		least = math.Min(1+c.c1/c.cmu, math.Min(1+2*(nsum*nsum/nsq)/(c.mueff+2), (1-c.c1-c.cmu)/(N*c.cmu)))
	}
	for i, w := range c.w {
		if w > 0 {
			c.w[i] = w / sum
		} else if nsum > 0 {
			c.w[i] = least * w / nsum
		}
	}
	return c
}

// draw makes trial k.
func (c *cmaes) draw(k int, rng *rand.Rand) {
	x, y, z := c.x[k], c.y[k], c.z[k]
	for i := range z {
		z[i] = rng.NormFloat64()
	}
	clear(y)
	for i, v := range z {
		axpy(y, c.d[i]*v, c.b[i*c.n:(i+1)*c.n])
	}
	for i := range x {
		x[i] = c.mean[i] + c.sigma*y[i]
	}
}

// rank sorts the trials, equal ones in the order they were drawn in.
func (c *cmaes) rank() {
	for i := range c.order {
		c.order[i] = i
	}
	slices.SortStableFunc(c.order, func(a, b int) int {
		switch {
		case c.f[a] < c.f[b]:
			return -1
		case c.f[a] > c.f[b]:
			return 1
		}
		return 0
	})
	copy(c.low, c.low[1:])
	c.low[len(c.low)-1] = c.f[c.order[0]]
}

// update moves and shapes the distribution after generation it.
func (c *cmaes) update(it int) {
	if math.IsInf(c.f[c.order[0]], 1) {
		c.sigma /= 2 // all failed: nothing is known but that the cloud is too wide
		return
	}
	n := c.n
	clear(c.step)
	clear(c.whitened)
	for i, k := range c.order {
		if w := c.w[i]; w > 0 {
			axpy(c.step, w, c.y[k])
			for j := range n { // C^(−1/2) y = B z
				axpy(c.whitened, w*c.z[k][j], c.b[j*n:(j+1)*n])
			}
		}
	}
	axpy(c.mean, c.sigma, c.step)
	keep := math.Sqrt(c.cs * (2 - c.cs) * c.mueff)
	for i := range n {
		c.ps[i] = (1-c.cs)*c.ps[i] + keep*c.whitened[i]
	}
	long := norm2(c.ps)
	// The shape does not learn from a step that is long only since the size lags behind.
	hs := 0.0
	if long/math.Sqrt(1-math.Pow(1-c.cs, 2*float64(it))) < (1.4+2/(float64(n)+1))*c.chi {
		hs = 1
	}
	keep = hs * math.Sqrt(c.cc*(2-c.cc)*c.mueff)
	for i := range n {
		c.pc[i] = (1-c.cc)*c.pc[i] + keep*c.step[i]
	}
	sum := 0.0
	for _, w := range c.w {
		sum += w
	}
	old := 1 + c.c1*(1-hs)*c.cc*(2-c.cc) - c.c1 - c.cmu*sum
	for i := range c.c {
		c.c[i] *= old
	}
	for i := range n {
		axpy(c.c[i*n:(i+1)*n], c.c1*c.pc[i], c.pc)
	}
	for i, k := range c.order {
		w := c.w[i]
		if w < 0 {
			// By its length in the distribution's own measure, so that C stays definite.
			zz := dot(c.z[k], c.z[k])
			if math.IsInf(c.f[k], 1) || zz == 0 {
				continue
			}
			w *= float64(n) / zz
		}
		for j := range n {
			axpy(c.c[j*n:(j+1)*n], c.cmu*w*c.y[k][j], c.y[k])
		}
	}
	c.sigma *= math.Exp(math.Min(1, c.cs/c.ds*(long/c.chi-1)))
	if c.since++; float64(c.since) >= 1/((c.c1+c.cmu)*float64(n)*10) {
		c.axes()
	}
}

// axes decomposes the covariance.
func (c *cmaes) axes() {
	c.since = 0
	n := c.n
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (c.c[i*n+j]+c.c[j*n+i])/2)
		}
	}
	var e mat.EigenSym
	if firstBad(c.c) >= 0 || !e.Factorize(s, true) {
		clear(c.d) // ends as narrow
		return
	}
	v := e.Values(nil)
	var b mat.Dense
	e.VectorsTo(&b)
	for i := range n {
		c.d[i] = math.Sqrt(math.Max(v[i], 0))
		for j := range n {
			c.b[i*n+j] = b.At(j, i)
		}
	}
}

// flat says that the lowest values of the last generations and the spread of this one differ by rounding or less than asked for.
func (c *cmaes) flat(ftol float64) bool {
	if ftol == 0 || math.IsNaN(c.low[0]) {
		return false
	}
	lo, hi := slices.Min(c.low), slices.Max(c.low)
	return hi-lo <= ftol*math.Abs(lo)
}

// narrow says that the cloud is a point for numbers of this size, or flat beyond what numbers can hold.
func (c *cmaes) narrow() bool {
	wide, thin, size := 0.0, math.Inf(1), 0.0
	for i, d := range c.d {
		wide, thin = math.Max(wide, d), math.Min(thin, d)
		size = math.Max(size, math.Abs(c.mean[i]))
	}
	return !(c.sigma*wide > 1e-14*math.Max(size, 1e-3)) || thin <= 1e-8*wide
}
