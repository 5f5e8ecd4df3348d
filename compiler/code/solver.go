package code

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/udl-lang/udl/compiler/code/native"
	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/runtime/sparse"
)

// Linear equations of one sparse pattern as straight-line code: which numbers are eliminated with which is written down once, so that
// no index is read and nothing is searched. The order of the pivots is that of the sparse LU's analysis, without exchanges: where the multipliers
// say that this was not wise, a solver that does exchange takes over (eliminate.go has the threshold).

// maxSolverFlops bounds the multiply-adds of a factorisation: more code takes longer to make than it saves, and no longer fits the caches.
const maxSolverFlops = 8000

// The bases of a factorisation and of a solution.
const (
	factorIn  = iota // values
	factorOut        // factors
	factorSum        // partial sums of the multipliers' magnitudes
	factorBases

	solveFactors = 0
	solveB       = 1
	solveBases   = 2
)

// sumRows is how many rows one partial sum is over: the additions need not wait for each other, and no multiplier for its.
const sumRows = 16

// SolverProgram is compiled elimination for one pattern. It is immutable and may be shared by goroutines.
type SolverProgram struct {
	choice  sparse.Choice // of what takes over
	n, nnz  int
	f       factors
	factor  *native.Code
	solve   *native.Code
	sums    int
	reverse lazyCode // the transposed solution
}

type lazyCode struct {
	once sync.Once
	code *native.Code
	err  error
}

// factors says where the factors lie. Rows and columns are numbered by step.
type factors struct {
	rows, cols []int32   // of each step
	start      []int     // blocks
	l, u       [][]place // by row: columns before and after the pivot, in L·D·U with ones on the diagonals of L and U
	f          [][]place // by row: what lies right of its block
	inv        []int     // of each pivot, where its inverse lies
	given      [][]place // by row: the matrix's own entries, and where they lie among its values
	size       int
}

type place struct{ col, at int }

// WholeSolver compiles elimination for matrices of a pattern. The error says why there is none.
func WholeSolver(p *sparse.Pattern) (*SolverProgram, error) {
	if h := native.Host(); h.Widest() == 0 {
		return nil, fmt.Errorf("%w: %s", native.ErrCPU, h.Why)
	}
	if p.NNZ() > maxSolverFlops { // before the analysis, which is dear for what is large
		return nil, fmt.Errorf("%d entries, more than the %d that are worth it", p.NNZ(), maxSolverFlops)
	}
	symbolic, err := sparse.Analyze(p, sparse.Options{})
	if err != nil {
		return nil, err
	}
	if nonzeros, flops := symbolic.Expected(); flops > maxSolverFlops || nonzeros > maxSolverFlops {
		return nil, fmt.Errorf("some %.0f multiply-adds, more than the %d that are worth it", flops, maxSolverFlops)
	}
	s := &SolverProgram{n: p.N(), nnz: p.NNZ()}
	if s.choice, err = sparse.Choose(p); err != nil {
		return nil, err
	}
	s.f.rows, s.f.cols, s.f.start = pivots(p, symbolic)
	blk, err := s.factorBlock(p)
	if err != nil {
		return nil, err
	}
	if s.factor, err = native.Compile(native.Options{}, native.Segment{Block: blk, Width: 1, Groups: 1}); err != nil {
		return nil, err
	}
	if blk, err = s.f.solveBlock(); err != nil {
		return nil, err
	}
	if s.solve, err = native.Compile(native.Options{}, native.Segment{Block: blk, Width: 1, Groups: 1}); err != nil {
		return nil, err
	}
	return s, nil
}

// factorBlock builds the elimination row by row, each by those before it, and lays out the factors.
func (s *SolverProgram) factorBlock(p *sparse.Pattern) (*block.Block, error) {
	f, n := &s.f, s.n
	b := newBlocks(make([]block.Layout, factorBases)...)
	step := make([]int, n) // of a row
	for k, r := range f.rows {
		step[r] = k
	}
	given := make([][]place, n)
	for k, c := range f.cols {
		list, first := p.Column(int(c))
		for i, r := range list {
			given[step[r]] = append(given[step[r]], place{k, first + i})
		}
	}
	f.given = given
	f.l, f.u, f.f, f.inv = make([][]place, n), make([][]place, n), make([][]place, n), make([]int, n)
	store := func(v block.Value) int {
		b.Store(factorOut, f.size, v)
		f.size++
		return f.size - 1
	}
	one := b.Const(1)
	row := make([]block.Value, n)     // the row at hand, absent where it is zero
	upper := make([][]block.Value, n) // of the rows before it, as f.u
	invs := make([]block.Value, n)
	for i := range row {
		row[i] = absent
	}
	sum, zero := b.Const(0), b.Const(0)
	check := func(v block.Value) block.Value { // v, and the sum is not a number where v is not finite
		sum = b.FMA(v, zero, sum)
		return v
	}
	for blk := range len(f.start) - 1 {
		from, to := f.start[blk], f.start[blk+1]
		for i := from; i < to; i++ {
			var cols []int // of the row, within the block, rising
			for _, e := range given[i] {
				v := b.Load(factorIn, e.at)
				if e.col >= to {
					f.f[i] = append(f.f[i], place{e.col, store(check(v))})
					continue
				}
				row[e.col] = v
				cols = append(cols, e.col)
			}
			slices.Sort(cols)
			for at := 0; at < len(cols) && cols[at] < i; at++ {
				k := cols[at]
				l := b.Mul(row[k], invs[k])
				row[k] = l
				sum = b.Add(sum, b.Abs(l))
				for t, e := range f.u[k] {
					if row[e.col] != absent {
						row[e.col] = b.FNMA(l, upper[k][t], row[e.col])
						continue
					}
					row[e.col] = b.Neg(b.Mul(l, upper[k][t]))
					place, _ := slices.BinarySearch(cols, e.col)
					cols = slices.Insert(cols, place, e.col)
				}
			}
			if row[i] == absent {
				return nil, errors.New("a pivot that is zero by structure")
			}
			invs[i] = check(b.Div(one, row[i]))
			for _, c := range cols {
				switch v := row[c]; {
				case c < i:
					f.l[i] = append(f.l[i], place{c, store(v)})
				case c > i: // of the solution the row divided by its pivot, so that no product waits for the unknowns before it
					f.u[i] = append(f.u[i], place{c, store(check(b.Mul(v, invs[i])))})
					upper[i] = append(upper[i], v)
				default:
					f.inv[i] = store(invs[i])
				}
				row[c] = absent
			}
			if (i+1)%sumRows == 0 || i == n-1 {
				b.Store(factorSum, s.sums, sum)
				s.sums++
				sum = b.Const(0)
			}
		}
	}
	return b.Done()
}

// solveBlock builds the solution, the last block of the triangular form first.
func (f *factors) solveBlock() (*block.Block, error) {
	n := len(f.rows)
	b := newBlocks(make([]block.Layout, solveBases)...)
	at := func(p place) block.Value { return b.Load(solveFactors, p.at) }
	x := make([]block.Value, n)
	for i, r := range f.rows {
		x[i] = b.Load(solveB, int(r))
	}
	for blk := len(f.start) - 2; blk >= 0; blk-- {
		from, to := f.start[blk], f.start[blk+1]
		for i := from; i < to; i++ {
			for _, e := range f.f[i] {
				x[i] = b.FNMA(at(e), x[e.col], x[i])
			}
			for _, e := range f.l[i] {
				x[i] = b.FNMA(at(e), x[e.col], x[i])
			}
			b.Store(solveB, int(f.rows[i]), x[i]) // so that it is computed now
		}
		for i := to - 1; i >= from; i-- {
			x[i] = b.Mul(b.Load(solveB, int(f.rows[i])), b.Load(solveFactors, f.inv[i]))
			for _, e := range slices.Backward(f.u[i]) { // what was solved last comes last
				x[i] = b.FNMA(at(e), x[e.col], x[i])
			}
		}
	}
	for i := n - 1; i >= 0; i-- {
		b.Store(solveB, int(f.cols[i]), x[i])
	}
	return b.Done()
}

// transposedBlock builds the solution with the transposed matrix.
func (f *factors) transposedBlock() (*block.Block, error) {
	n := len(f.rows)
	b := newBlocks(make([]block.Layout, solveBases)...)
	at := func(p place) block.Value { return b.Load(solveFactors, p.at) }
	x := make([]block.Value, n)
	for i, c := range f.cols {
		x[i] = b.Load(solveB, int(c))
	}
	for blk := range len(f.start) - 1 {
		from, to := f.start[blk], f.start[blk+1]
		for i := from; i < to; i++ {
			for _, e := range f.u[i] {
				x[e.col] = b.FNMA(at(e), x[i], x[e.col])
			}
		}
		for i := from; i < to; i++ {
			x[i] = b.Mul(x[i], b.Load(solveFactors, f.inv[i]))
		}
		for i := to - 1; i >= from; i-- {
			for _, e := range f.l[i] {
				x[e.col] = b.FNMA(at(e), x[i], x[e.col])
			}
		}
		for i := from; i < to; i++ {
			for _, e := range f.f[i] {
				x[e.col] = b.FNMA(at(e), x[i], x[e.col])
			}
		}
	}
	for i, r := range f.rows {
		b.Store(solveB, int(r), x[i])
	}
	return b.Done()
}

// Solver is a SolverProgram with memory of its own; it serves one goroutine, and allocates nothing but, once, what takes over and the units of rows.
type Solver struct {
	p        *SolverProgram
	factor   *native.Frame
	solve    *native.Frame
	reverse  *native.Frame
	lu, sums []float64
	unit     []float64 // of rows, where it is wanted
	growth   float64
	other    sparse.Solver // takes over where the fixed order of pivots does not serve
	useOther bool          // the last factors are its
}

var _ sparse.Solver = (*Solver)(nil)

// New makes a Solver.
func (p *SolverProgram) New() *Solver {
	s := &Solver{p: p, factor: p.factor.NewFrame(), solve: p.solve.NewFrame(), lu: native.Aligned[float64](p.f.size), sums: make([]float64, p.sums)}
	s.factor.Bind(factorOut, s.lu)
	s.factor.Bind(factorSum, s.sums)
	s.solve.Bind(solveFactors, s.lu)
	return s
}

// N implements sparse.Solver.
func (s *Solver) N() int { return s.p.n }

// Nonzeros implements sparse.Solver.
func (s *Solver) Nonzeros() int {
	if s.useOther {
		return s.other.Nonzeros()
	}
	return s.p.f.size
}

// Growth implements sparse.Solver.
func (s *Solver) Growth() float64 {
	if s.useOther {
		return s.other.Growth()
	}
	return s.growth
}

// eliminate reports whether the fixed order of pivots served.
func (s *Solver) eliminate(values []float64) bool {
	s.factor.Point(factorIn, values)
	if err := s.factor.Run(1); err != nil {
		panic("code: " + err.Error())
	}
	sum := 0.0
	for _, v := range s.sums {
		sum += v
	}
	if sum > maxMultipliers && !math.IsInf(sum, 1) {
		sum = s.scaled(values)
	}
	s.growth = max(1, sum)
	return sum <= maxMultipliers
}

// scaled is the sum of the multipliers' magnitudes with each row measured by its largest entry: rows in other units have large multipliers and no error.
func (s *Solver) scaled(values []float64) float64 {
	f := &s.p.f
	if s.unit == nil {
		s.unit = make([]float64, s.p.n)
	}
	for i, row := range f.given {
		s.unit[i] = 0
		for _, e := range row {
			s.unit[i] = max(s.unit[i], math.Abs(values[e.at]))
		}
	}
	sum := 0.0
	for i, row := range f.l {
		for _, e := range row {
			sum += math.Abs(s.lu[e.at]) * s.unit[e.col] / s.unit[i]
		}
	}
	return sum
}

// Factor implements sparse.Solver.
func (s *Solver) Factor(values []float64) error {
	if s.eliminate(values) {
		s.useOther = false
		return nil
	}
	if s.other == nil {
		s.other = s.p.choice.New()
	}
	s.useOther = true
	return s.other.Factor(values)
}

// Refactor implements sparse.Solver.
func (s *Solver) Refactor(values []float64) error {
	if s.useOther {
		return s.other.Refactor(values)
	}
	if s.eliminate(values) {
		return nil
	}
	g := s.growth
	if math.IsNaN(g) {
		g = math.Inf(1)
	}
	return &sparse.GrowthError{Growth: g}
}

// Solve implements sparse.Solver.
func (s *Solver) Solve(b []float64) {
	if s.useOther {
		s.other.Solve(b)
		return
	}
	s.run(s.solve, b)
}

// SolveTransposed implements sparse.Solver.
func (s *Solver) SolveTransposed(b []float64) {
	if s.useOther {
		s.other.SolveTransposed(b)
		return
	}
	if s.reverse == nil {
		c := s.p.transposed()
		s.reverse = c.NewFrame()
		s.reverse.Bind(solveFactors, s.lu)
	}
	s.run(s.reverse, b)
}

func (s *Solver) run(f *native.Frame, b []float64) {
	f.Point(solveB, b)
	if err := f.Run(1); err != nil {
		panic("code: " + err.Error())
	}
}

// transposed is the code of the transposed solution, made once.
func (p *SolverProgram) transposed() *native.Code {
	r := &p.reverse
	r.once.Do(func() {
		var blk *block.Block
		if blk, r.err = p.f.transposedBlock(); r.err == nil {
			r.code, r.err = native.Compile(native.Options{}, native.Segment{Block: blk, Width: 1, Groups: 1})
		}
	})
	if r.err != nil {
		panic("code: " + r.err.Error()) // what solves can be solved transposed: it is as long, and the memory was to be had
	}
	return r.code
}
