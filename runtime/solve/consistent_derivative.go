package solve

import (
	"fmt"
	"math"

	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// Linearised is the derivative of what Consistent makes of given values: x, by those values and by θ. With G = ∂g/∂x of the invariants, all at the consistent x,
// it is made of
//
//	dx ← dx − Rᵀ (R Rᵀ)⁺ (G dx + g_θ dθ),        R the columns of G that may move: guesses first, then all,
//	dx ← dx − K (Nᵀ J K)⁻¹ Nᵀ (J dx + f_θ dθ − dM x'),
//
// by the implicit function theorem: the second is exact wherever Newton's method began, and so is the first where the guesses that move are determined by the invariants,
// or these are linear in them. Given values that a constraint ties are moved to the nearest that satisfy it; derivatives by them are those of that.
//
// A Linearised serves one goroutine.
type Linearised struct {
	c       *consistent
	lu      sparse.Solver // of Nᵀ·J·K, nil where nothing is algebraic
	y       []float64
	nu, fx  []float64
	guess   *moving // nil where no guess moves
	all     *moving // nil where there are no invariants
	rounds  int
	mass    system.Func
	dx      []float64 // some x' with M·x' = f
	gz, dm  []float64 // entries of M
	ignored []int     // first guesses that do not matter at all
}

// NoDerivative says why consistent values have none by what they were made of.
type NoDerivative struct{ text string }

func (e *NoDerivative) Error() string { return e.text }

// mostRounds is how often the two moves may take turns where one disturbs the other.
const mostRounds = 60

// Linearise is Consistent, moving x, with the derivative at the x found; nearest is as Problem.Nearest. The error is that of Consistent, or a *NoDerivative.
func Linearise(sys *system.System, t float64, x, th []float64, rtol float64, atol []float64, nearest bool) (*Linearised, error) {
	c := &consistent{sys: sys, t: t, x: x, th: th, rtol: rtol, atol: atol, nearest: nearest, keep: true}
	if err := c.run(); err != nil {
		return nil, err
	}
	l := &Linearised{c: c, rounds: 1, nu: make([]float64, sys.NX), fx: make([]float64, sys.NX)}
	if n := len(c.left); n > 0 {
		if err := l.massFixed(); err != nil {
			return nil, err
		}
		p, err := c.reduced()
		if err != nil {
			return nil, err
		}
		l.y = make([]float64, n)
		choice, err := sparse.Choose(p)
		if err != nil {
			return nil, c.singular(err, l.y)
		}
		a := make([]float64, p.NNZ())
		c.reduce(p, a)
		l.lu = choice.New()
		if err := l.lu.Factor(a); err != nil {
			return nil, c.singular(err, l.y)
		}
	}
	if sys.Invariants == nil {
		l.ignore()
		return l, nil
	}
	c.linearise()
	var err error
	if c.guesses() {
		if l.guess, err = c.moving(sys.Guesses); err != nil {
			return nil, err
		}
		if err := l.straight(); err != nil {
			return nil, err
		}
	}
	if l.all, err = c.moving(nil); err != nil {
		return nil, err
	}
	along := map[int]bool{}
	for _, v := range c.right {
		for _, e := range v {
			along[e.i] = true
		}
	}
	for _, row := range c.rows {
		for _, e := range row {
			if along[e.i] {
				l.rounds = mostRounds
			}
		}
	}
	if l.rounds == 1 {
		l.ignore()
	}
	return l, nil
}

// ignore lists the first guesses that do not matter: unknowns that Newton's method moves by themselves.
func (l *Linearised) ignore() {
	for _, v := range l.c.right {
		if len(v) == 1 {
			l.ignored = append(l.ignored, v[0].i)
		}
	}
}

// massFixed looks whether θ turns the right null space of M, whose derivative is not taken. That of the left one is: Nᵀ·M = 0 gives dNᵀ·f = −Nᵀ·dM·x' for
// f = M·x'.
func (l *Linearised) massFixed() error {
	c := l.c
	p := c.sys.Mass.Pattern
	l.mass = c.sys.Mass.Values.Clone()
	l.mass.Prepare(c.th)
	l.gz, l.dm = make([]float64, p.NNZ()), make([]float64, p.NNZ())
	g := make([]float64, c.sys.NTheta)
	for _, y := range c.right { // dM·K, a row at a time
		rowsOf := map[int][]term{}
		for _, e := range y {
			rows, first := p.Column(e.i)
			for k, i := range rows {
				rowsOf[int(i)] = append(rowsOf[int(i)], term{first + k, e.v})
			}
		}
		for i := range p.N() {
			if rowsOf[i] == nil {
				continue
			}
			clear(l.gz)
			for _, e := range rowsOf[i] {
				l.gz[e.i] = e.v
			}
			clear(g)
			l.mass.VJP(nil, g, 0, nil, nil, l.gz)
			for i, v := range g {
				if v != 0 {
					name := fmt.Sprintf("θ[%d]", i)
					for _, s := range c.sys.Theta {
						if i >= s.Off && i < s.Off+s.Size() {
							name = s.Name
						}
					}
					return &NoDerivative{fmt.Sprintf("the mass matrix is singular along a direction that turns with `%s`", name)}
				}
			}
		}
	}
	return l.slopes()
}

// slopes finds an x' with M·x' = f, which is known but for K.
func (l *Linearised) slopes() error {
	c := l.c
	values := make([]float64, c.sys.Mass.Pattern.NNZ())
	l.mass.Eval(values, 0, nil, nil)
	b, err := bordered(c.sys.Mass.Pattern, values, c.left, c.right)
	if err != nil {
		return err
	}
	l.dx = make([]float64, c.sys.NX)
	c.f.Eval(l.dx, c.t, c.x, nil)
	b.Solve(l.dx)
	return nil
}

// straight looks whether the guesses moved along a straight line, or to where they are determined; else where they come to depends on the way.
func (l *Linearised) straight() error {
	c := l.c
	same := func(a, b []term) bool {
		v, size := map[int]float64{}, 0.0
		for _, e := range a {
			v[e.i], size = e.v, max(size, math.Abs(e.v))
		}
		for _, e := range b {
			v[e.i] -= e.v
			size = max(size, math.Abs(e.v))
		}
		for i, d := range v {
			if c.sys.Guesses[i] && math.Abs(d) > looseness*size {
				return false
			}
		}
		return true
	}
	bent := -1
	for k := range c.rows {
		if !same(c.began[k], c.rows[k]) {
			bent = k
		}
	}
	if bent < 0 {
		return nil
	}
	// Are they determined? Then nothing is left of a random direction.
	d := make([]float64, c.sys.NX)
	seed, size := uint64(1), 0.0
	for k := range l.guess.rows {
		for _, e := range c.standing(k) {
			if c.sys.Guesses[e.i] && d[e.i] == 0 {
				seed = seed*6364136223846793005 + 1442695040888963407
				d[e.i] = 0.5 + float64(seed>>11)/(1<<53)
				size = max(size, d[e.i])
			}
		}
	}
	r := make([]float64, len(l.guess.rows))
	l.guess.times(r, d)
	y := l.guess.invert(r)
	l.guess.subtract(d, y)
	for i, v := range d {
		if math.Abs(v) > 1e-6*size {
			eq := fmt.Sprintf("invariant %d", bent+1)
			if bent < len(c.sys.Conserved) {
				eq = c.sys.Conserved[bent].Name
			}
			return &NoDerivative{fmt.Sprintf("the constraint `%s` moves the first guess of `%s` without determining it, so that the initial values depend on the way of the iteration; give guesses that satisfy it",
				eq, c.sys.StateNames()[i])}
		}
	}
	return nil
}

// Back carries the derivative lam of a loss by the consistent values to that by the given ones, and adds that by θ to g.
func (l *Linearised) Back(lam, g []float64) error {
	was := make([]float64, len(lam))
	for r := 0; ; r++ {
		copy(was, lam)
		l.algebraicBack(lam, g)
		if l.all != nil {
			l.all.back(lam, g)
		}
		if r+1 == l.rounds && l.rounds == 1 || atRest(was, lam) {
			break
		}
		if r+1 == l.rounds {
			return l.unsettled()
		}
	}
	if l.guess != nil {
		l.guess.back(lam, g)
	}
	for _, i := range l.ignored {
		lam[i] = 0
	}
	return nil
}

// Forward carries a direction dx of the given values, with θ moving along dth, to that of the consistent ones.
func (l *Linearised) Forward(dx, dth []float64) error {
	if l.guess != nil {
		l.guess.forward(dx, dth)
	}
	was := make([]float64, len(dx))
	for r := 0; ; r++ {
		copy(was, dx)
		if l.all != nil {
			l.all.forward(dx, dth)
		}
		l.algebraicForward(dx, dth)
		if r+1 == l.rounds && l.rounds == 1 || atRest(was, dx) {
			return nil
		}
		if r+1 == l.rounds {
			return l.unsettled()
		}
	}
}

func (l *Linearised) unsettled() error {
	return &NoDerivative{"its constraints and its algebraic equations move the same initial values, back and forth"}
}

// atRest says whether a round changed nothing more than rounding.
func atRest(was, is []float64) bool {
	size, d := 0.0, 0.0
	for i, v := range is {
		size = max(size, math.Abs(v), math.Abs(was[i]))
		d = max(d, math.Abs(v-was[i]))
	}
	return !(d > 1e-13*size)
}

func (l *Linearised) algebraicBack(lam, g []float64) {
	if l.lu == nil {
		return
	}
	c := l.c
	for k, v := range c.right {
		l.y[k] = 0
		for _, e := range v {
			l.y[k] -= e.v * lam[e.i]
		}
	}
	l.lu.SolveTransposed(l.y)
	clear(l.nu)
	for k, v := range c.left {
		for _, e := range v {
			l.nu[e.i] += e.v * l.y[k]
		}
	}
	c.f.VJP(lam, g, c.t, c.x, nil, l.nu)
	p := c.sys.Mass.Pattern
	for j, v := range l.dx {
		rows, first := p.Column(j)
		for k, i := range rows {
			l.gz[first+k] = -l.nu[i] * v
		}
	}
	l.mass.VJP(nil, g, 0, nil, nil, l.gz)
}

func (l *Linearised) algebraicForward(dx, dth []float64) {
	if l.lu == nil {
		return
	}
	c := l.c
	c.f.JVP(l.fx, c.t, c.x, nil, 0, dx, dth)
	l.mass.JVP(l.dm, 0, nil, nil, 0, nil, dth)
	p := c.sys.Mass.Pattern
	for j, v := range l.dx {
		rows, first := p.Column(j)
		for k, i := range rows {
			l.fx[i] -= l.dm[first+k] * v
		}
	}
	l.bend(dx)
}

// bend adds to dx what along the right null space of M keeps the algebraic equations, which change by fx.
func (l *Linearised) bend(dx []float64) {
	c := l.c
	for k, v := range c.left {
		l.y[k] = 0
		for _, e := range v {
			l.y[k] += e.v * l.fx[e.i]
		}
	}
	l.lu.Solve(l.y)
	for k, v := range c.right {
		for _, e := range v {
			dx[e.i] -= e.v * l.y[k]
		}
	}
}

// moving is the move of least length, of some of the states, that makes the linearised invariants vanish as far as those states can. The matrix R·Rᵀ is singular
// where constraints say the same, or do not move: it is taken with a little on the diagonal, and what that leaves out is found by iterating.
//
// J. D. Riley, Solving systems of linear equations with a positive definite, symmetric, but possibly ill-conditioned matrix, Mathematical Tables and Other
// Aids to Computation 9 (1955), 96–101.
type moving struct {
	c     *consistent
	rows  [][]term // R
	scale []float64
	p     *sparse.Pattern
	a     []float64 // scaled R·Rᵀ
	lu    sparse.Solver
	r     []float64
	dx    []float64
}

const onDiagonal = 1e-7

// moving is that of the states marked in of, all with nil, for the invariants as they were last linearised.
func (c *consistent) moving(of []bool) (*moving, error) {
	n := len(c.rows)
	m := &moving{c: c, scale: make([]float64, n), r: make([]float64, n), dx: make([]float64, c.sys.NX)}
	byCol := make([][]term, c.sys.NX)
	for k, row := range c.rows {
		var mine []term
		size := 0.0
		for _, e := range row {
			if of == nil || of[e.i] {
				mine = append(mine, e)
				size += e.v * e.v
			}
		}
		if size > 0 {
			m.scale[k] = 1 / math.Sqrt(size)
		}
		m.rows = append(m.rows, mine)
		for _, e := range mine {
			byCol[e.i] = append(byCol[e.i], term{k, e.v * m.scale[k]})
		}
	}
	var is, js []int
	for k := range n {
		is, js = append(is, k), append(js, k)
	}
	for _, col := range byCol {
		for _, a := range col {
			for _, b := range col {
				is, js = append(is, a.i), append(js, b.i)
			}
		}
	}
	var err error
	if m.p, err = sparse.NewPattern(n, is, js); err != nil {
		return nil, err
	}
	m.a = make([]float64, m.p.NNZ())
	for _, col := range byCol {
		for _, a := range col {
			for _, b := range col {
				m.a[m.p.Index(a.i, b.i)] += a.v * b.v
			}
		}
	}
	choice, err := sparse.Choose(m.p)
	if err != nil {
		return nil, err
	}
	with := append([]float64(nil), m.a...)
	for k := range n {
		with[m.p.Index(k, k)] += onDiagonal
	}
	m.lu = choice.New()
	return m, m.lu.Factor(with)
}

// times writes R·x.
func (m *moving) times(out, x []float64) {
	for k, row := range m.rows {
		s := 0.0
		for _, e := range row {
			s += e.v * x[e.i]
		}
		out[k] = s
	}
}

// subtract is x −= Rᵀ·y.
func (m *moving) subtract(x, y []float64) {
	for k, row := range m.rows {
		for _, e := range row {
			x[e.i] -= e.v * y[k]
		}
	}
}

// invert gives (R·Rᵀ)⁺·b.
func (m *moving) invert(b []float64) []float64 {
	n := len(b)
	y, r, res := make([]float64, n), make([]float64, n), make([]float64, n)
	for k, v := range b {
		res[k] = v * m.scale[k]
	}
	moved := 0.0
	for range 40 {
		copy(r, res)
		m.lu.Solve(r)
		for k, v := range r {
			y[k] += v
		}
		// The residual, and what the correction moves.
		clear(m.dx)
		step := 0.0
		for j := range n {
			rows, first := m.p.Column(j)
			for l, i := range rows {
				res[i] -= m.a[first+l] * r[j]
			}
		}
		for k := range n {
			r[k] *= m.scale[k]
		}
		m.subtract(m.dx, r)
		for _, v := range m.dx {
			step = max(step, math.Abs(v))
		}
		if moved = max(moved, step); step <= 1e-14*moved {
			break
		}
	}
	for k := range y {
		y[k] *= m.scale[k]
	}
	return y
}

func (m *moving) forward(dx, dth []float64) {
	m.c.inv.JVP(m.r, m.c.t, m.c.x, nil, 0, dx, dth)
	m.subtract(dx, m.invert(m.r))
}

func (m *moving) back(lam, g []float64) {
	m.times(m.r, lam)
	y := m.invert(m.r)
	for k := range y {
		y[k] = -y[k]
	}
	m.c.inv.VJP(lam, g, m.c.t, m.c.x, nil, y)
}
