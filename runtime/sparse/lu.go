package sparse

import "fmt"

// LU is a sparse P·R·A·Q = L·U + F: R scales rows, L·U is block diagonal, F what lies above the blocks. It is one
// goroutine's; the Symbolic it came from may be shared. Refactor and the solves allocate nothing.
type LU struct {
	s     *Symbolic
	ready bool // factors are those of the last values
	fixed bool // pivots and pattern of fill are there for Refactor

	scale []float64 // of rows, by row
	lp    []int     // L by columns without its unit diagonal; rows are steps once a Factor is done
	li    []int32
	lx    []float64
	up    []int // U by columns without its diagonal; the order within a column is one of elimination
	ui    []int32
	ux    []float64
	diag  []float64 // U's diagonal
	fp    []int     // F by columns
	fi    []int32
	fx    []float64
	step  []int32 // the step at which a row is the pivot's, by row
	dest  []int32 // the step of each entry's row, by position among the values

	x, w []float64 // work, all zero between calls

	// Of Factor alone; by position, which is a row's expected step.
	pinv   []int32 // step at which it became pivot, −1 before
	want   []int32 // position that a step hopes for, and
	wanter []int32 // the step that hopes for it
	mark   []int32
	lend   []int // end of the part of a column of L that the search must follow (symmetric pruning); −1: all
	topo   []int32
	stack  []int32
	next   []int

	growth   growth
	doubts   doubts
	accepted float64 // growth that Factor arrived at
	stats    Stats
}

// Stats says what a factorisation holds and did.
type Stats struct {
	NonzerosL, NonzerosU, NonzerosF int // L without, U with diagonal
	OffDiagonal                     int // pivots other than the expected ones
	Flops                           int // multiply-adds of the last Factor or Refactor
	Search                          int // steps of the search for the pattern of fill; 0 in Refactor
}

// growth of entries and of multipliers during elimination.
type growth struct{ entry, multiplier float64 }

func (g growth) product() float64 { return g.entry * max(1, g.multiplier) }

// New makes an LU without values.
func (s *Symbolic) New() *LU {
	n := s.p.n
	room := int(min(s.lnz, 1e8))
	return &LU{
		s: s, scale: make([]float64, n), x: make([]float64, n), w: make([]float64, n),
		lp: make([]int, n+1), up: make([]int, n+1), fp: make([]int, n+1), diag: make([]float64, n),
		li: make([]int32, 0, room), lx: make([]float64, 0, room), ui: make([]int32, 0, room), ux: make([]float64, 0, room),
		step: make([]int32, n), dest: make([]int32, len(s.p.row)),
		pinv: make([]int32, n), want: make([]int32, n), wanter: make([]int32, n), mark: make([]int32, n), lend: make([]int, n),
		topo: make([]int32, n), stack: make([]int32, 0, n), next: make([]int, n),
	}
}

// NewLU analyses a pattern with the default options and makes an LU. Errors are those of [Analyze].
func NewLU(p *Pattern) (*LU, error) {
	s, err := Analyze(p, Options{})
	if err != nil {
		return nil, err
	}
	return s.New(), nil
}

// N is the number of unknowns.
func (f *LU) N() int { return f.s.p.n }

// Stats of the last Factor or Refactor.
func (f *LU) Stats() Stats { return f.stats }

// Nonzeros is how many numbers the factors hold.
func (f *LU) Nonzeros() int { return len(f.lx) + len(f.ux) + len(f.diag) + len(f.fx) }

// Growth is the largest multiplier times the largest growth of a column's entries: about how many times the rounding
// of the input the factorisation's own backward error may be.
func (f *LU) Growth() float64 { return f.growth.product() }

// Solve replaces b by A⁻¹·b. It panics without factors or if b has not length n.
func (f *LU) Solve(b []float64) {
	mustSolve(f.ready, f.s.p.n, b)
	x, s := f.x, f.s
	for i, k := range f.step {
		x[k] = b[i] * f.scale[i]
	}
	for blk := len(s.start) - 2; blk >= 0; blk-- {
		from, to := s.start[blk], s.start[blk+1]
		if to-from == 1 {
			x[from] /= f.diag[from]
		} else {
			f.lower(x, from, to)
			f.upper(x, from, to)
		}
		for k := from; k < to; k++ {
			xk := x[k]
			for t := f.fp[k]; t < f.fp[k+1]; t++ {
				x[f.fi[t]] -= f.fx[t] * xk
			}
		}
	}
	for k, j := range s.cols {
		b[j], x[k] = x[k], 0
	}
}

func (f *LU) lower(x []float64, from, to int) {
	for k := from; k < to; k++ {
		xk := x[k]
		if xk == 0 {
			continue
		}
		li := f.li[f.lp[k]:f.lp[k+1]]
		lx := f.lx[f.lp[k]:f.lp[k+1]][:len(li)]
		for t, i := range li {
			x[i] -= lx[t] * xk
		}
	}
}

func (f *LU) upper(x []float64, from, to int) {
	for k := to - 1; k >= from; k-- {
		xk := x[k] / f.diag[k]
		x[k] = xk
		if xk == 0 {
			continue
		}
		ui := f.ui[f.up[k]:f.up[k+1]]
		ux := f.ux[f.up[k]:f.up[k+1]][:len(ui)]
		for t, i := range ui {
			x[i] -= ux[t] * xk
		}
	}
}

// SolveTransposed replaces b by A⁻ᵀ·b, as adjoints need. It panics as Solve does.
func (f *LU) SolveTransposed(b []float64) {
	mustSolve(f.ready, f.s.p.n, b)
	x, s := f.x, f.s
	for k, j := range s.cols {
		x[k] = b[j]
	}
	for blk := range len(s.start) - 1 {
		from, to := s.start[blk], s.start[blk+1]
		for k := from; k < to; k++ {
			v := x[k]
			for t := f.fp[k]; t < f.fp[k+1]; t++ {
				v -= f.fx[t] * x[f.fi[t]]
			}
			for t := f.up[k]; t < f.up[k+1]; t++ {
				v -= f.ux[t] * x[f.ui[t]]
			}
			x[k] = v / f.diag[k]
		}
		for k := to - 1; k >= from; k-- {
			v := x[k]
			for t := f.lp[k]; t < f.lp[k+1]; t++ {
				v -= f.lx[t] * x[f.li[t]]
			}
			x[k] = v
		}
	}
	for i, k := range f.step {
		b[i] = x[k] * f.scale[i]
	}
	clear(x)
}

func mustSolve(ready bool, n int, b []float64) {
	if !ready {
		panic("sparse: a solve without a factorisation that succeeded")
	}
	if len(b) != n {
		panic(fmt.Sprintf("sparse: a right-hand side of length %d for a matrix of %d rows", len(b), n))
	}
}
