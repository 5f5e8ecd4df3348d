package sens

import (
	"math"

	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// quadrature integrates λ alone, and then μᵀ ∂f/∂θ over each of its steps by the rule of Gauss and Kronrod with seven points, halving where that differs too much
// from Gauss's three. So an implicit solver has equations of the size of the states only, however many parameters there are.
//
// A. S. Kronrod, Nodes and weights of quadrature formulas, Consultants Bureau, New York 1965; S. Kim, W. Ji, S. Deng, Y. Ma, C. Rackauckas, Stiff neural ordinary
// differential equations, Chaos 31 (2021), 093122.
type quadrature struct {
	r       *backwards
	sys     *system.System
	p       solve.Problem
	ws      solve.Workspace
	x0      []float64
	f       *adjointRHS
	sol     *solve.Solution
	mu      []float64
	k, low  []float64    // a piece by the longer and by the shorter rule
	one     []float64    // the integrand at a point
	pending [][2]float64 // pieces that are to be done
}

// The rule of seven points on [−1, 1]: nodes, weights, and the weights of the rule of three at the same nodes.
var (
	kronrodNodes   = [7]float64{-0.960491268708020283423507092629080, -0.774596669241483377035853079956480, -0.434243749346802558002071502844628, 0, 0.434243749346802558002071502844628, 0.774596669241483377035853079956480, 0.960491268708020283423507092629080}
	kronrodWeights = [7]float64{0.104656226026467265193823857192073, 0.268488089868333440728569280666710, 0.401397414775962222905051818618432, 0.450916538658474142345110087045571, 0.401397414775962222905051818618432, 0.268488089868333440728569280666710, 0.104656226026467265193823857192073}
	gaussWeights   = [7]float64{0, 5.0 / 9, 0, 8.0 / 9, 0, 5.0 / 9, 0}
)

// mostHalvings is how often a step may be halved.
const mostHalvings = 20

func (r *backwards) beginQuadrature() error {
	sys := r.adjointSystem(nil)
	nx, nth := sys.NX, len(r.g)
	w := &quadrature{r: r, sys: sys, p: r.problem(sys), x0: make([]float64, nx), f: newAdjointRHS(r.track, r.q.Sys, nil), mu: make([]float64, nx),
		k: make([]float64, nth), low: make([]float64, nth), one: make([]float64, nth)}
	w.p.NoDense = false
	r.way = w
	return nil
}

func (w *quadrature) over(from, to float64) error {
	r := w.r
	copy(w.x0, r.lam)
	if r.border != nil {
		r.border.SolveTransposed(w.x0)
	}
	w.p.X0 = w.x0
	r.span(&w.p, from, to)
	clear(w.one)
	if w.f.integrand(w.one, from, w.x0); !finite(w.one) {
		return r.spoilt(from)
	}
	r.sizes(w.p.AtolVec, w.x0, nil, 0)
	var err error
	if w.sol, err = w.ws.Solve(r.ctx, &w.p); err != nil {
		return err
	}
	if err := r.came(w.sol); err != nil {
		return err
	}
	r.ended(w.sol.XEnd)
	for n := range w.sol.NumSteps() {
		st := w.sol.StepRecord(n)
		w.step(st.T, st.T1)
	}
	return nil
}

// step adds the integral over s from a to b.
func (w *quadrature) step(a, b float64) {
	r := w.r
	tol := r.rtol()
	whole := math.Abs(b - a)
	w.pending = append(w.pending[:0], [2]float64{a, b})
	for len(w.pending) > 0 {
		at := w.pending[len(w.pending)-1]
		w.pending = w.pending[:len(w.pending)-1]
		w.piece(at[0], at[1])
		if good := w.good(tol); !good && math.Abs(at[1]-at[0])*(1<<mostHalvings) > whole {
			mid := at[0] + (at[1]-at[0])/2
			w.pending = append(w.pending, [2]float64{mid, at[1]}, [2]float64{at[0], mid})
			continue
		}
		for i, v := range w.k {
			r.g[i] += v
			r.parts[i] += math.Abs(v)
		}
	}
}

// piece writes the integral by both rules.
func (w *quadrature) piece(a, b float64) {
	clear(w.k)
	clear(w.low)
	half, dir := (b-a)/2, w.r.track.dir
	for n, node := range kronrodNodes {
		s := a + half*(1+node)
		if w.sol.At(s, w.mu) != nil {
			spoil(w.mu) // s is within what was integrated
		}
		clear(w.one)
		w.f.integrand(w.one, w.r.track.time(s), w.mu)
		add(w.k, dir*half*kronrodWeights[n], w.one)
		if c := gaussWeights[n]; c != 0 {
			add(w.low, dir*half*c, w.one)
		}
	}
}

// good says whether the rules agree. That of seven points is so much better that its error is estimated by a power of the difference, as in QUADPACK.
//
// R. Piessens, E. de Doncker-Kapenga, C. W. Überhuber, D. K. Kahaner, QUADPACK, Springer 1983, section 2.2.
func (w *quadrature) good(tol float64) bool {
	// The estimate is size·(200 d/size)^1.5.
	bound := math.Pow(tol, 2.0/3) / 200
	most := 0.0
	for i, v := range w.r.parts {
		most = max(most, v+math.Abs(w.k[i]))
	}
	for i, v := range w.k {
		size := max(w.r.parts[i]+math.Abs(v), most*partFloor)
		if d := math.Abs(v - w.low[i]); d > bound*size {
			return false
		}
	}
	return true
}
