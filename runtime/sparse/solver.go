package sparse

import "fmt"

// Solver factors matrices of one pattern and solves with the last. Values are in the order of the pattern.
// A Solver is one goroutine's. Errors are *ValueError, *SingularError and *GrowthError.
type Solver interface {
	N() int
	Factor(values []float64) error   // chooses pivots
	Refactor(values []float64) error // keeps pivots; after a *GrowthError call Factor
	Solve(b []float64)               // b becomes A⁻¹·b
	SolveTransposed(b []float64)     // b becomes A⁻ᵀ·b
	Nonzeros() int                   // numbers in the factors
	Growth() float64                 // rounding errors are about this many times those of the input
}

var (
	_ Solver = (*LU)(nil)
	_ Solver = (*Dense)(nil)
	_ Solver = (*Banded)(nil)
)

// Kind of solver.
type Kind int

// What Choose can choose.
const (
	KindDense Kind = iota
	KindBanded
	KindSparse
)

func (k Kind) String() string { return [...]string{"dense", "banded", "sparse"}[k] }

// Choice is a kind of solver with the reason, in words for statistics.
type Choice struct {
	Kind     Kind
	Reason   string
	Factor   float64 // about how many nanoseconds Refactor takes
	Solve    float64 // and Solve
	p        *Pattern
	symbolic *Symbolic
}

// Nanoseconds of what Refactor does in each, measured with this package's benchmarks and rounded: only their ratios decide,
// and only near a tie.
const (
	costDense       = 0.5 // a multiply-add
	costDenseEntry  = 2.5
	costBanded      = 0.65
	costBandedRow   = 5.0 // a row touched by a pivot
	costSparse      = 0.72
	costSparseEntry = 2.5 // an entry of the matrix or of the factors
	costStep        = 10.0
	costFresh       = 1.25 // a sparse Factor costs two or three Refactors, and is needed now and then
)

// Choose compares what the three would cost on a pattern. A structurally singular pattern gives a *SingularError.
func Choose(p *Pattern) (Choice, error) {
	s, err := Analyze(p, Options{})
	if err != nil {
		return Choice{}, err
	}
	n := float64(p.n)
	lower, upper := p.Bandwidth()
	below, above, entries := float64(lower), float64(upper), float64(p.NNZ())
	nonzeros, flops := s.Expected()
	cost := [...]float64{
		KindDense:  n * (costDense*n*n/3 + costDenseEntry*n + costStep),
		KindBanded: n*(costBanded*below*(below+above+1)+costBandedRow*(1+below)+costStep) + costSparseEntry*entries,
		KindSparse: costFresh * (costSparse*flops + costSparseEntry*(nonzeros+entries) + costStep*n),
	}
	c := Choice{Kind: KindDense, p: p, symbolic: s}
	for k, v := range cost {
		if v < cost[c.Kind] {
			c.Kind = Kind(k)
		}
	}
	c.Factor = cost[c.Kind]
	c.Solve = costSparseEntry / 2 * [...]float64{KindDense: n * n, KindBanded: n * (2*below + above + 1), KindSparse: nonzeros + n}[c.Kind]
	about := fmt.Sprintf("%d unknowns, %d entries (%.3g%%)", p.n, p.NNZ(), 100*entries/max(1, n*n))
	switch c.Kind {
	case KindDense:
		c.Reason = "dense: " + about + ": too few or too full for anything else to pay"
	case KindBanded:
		c.Reason = fmt.Sprintf("banded: %s, all within %d below and %d above the diagonal", about, lower, upper)
	default:
		c.Reason = fmt.Sprintf("sparse: %s, about %.0f in the factors, %d diagonal blocks, the largest of %d",
			about, nonzeros, s.Blocks(), s.LargestBlock())
	}
	return c, nil
}

// New makes a solver of the chosen kind. Several may be made of one choice, for as many goroutines.
func (c Choice) New() Solver {
	switch c.Kind {
	case KindDense:
		return NewDenseOf(c.p)
	case KindBanded:
		return NewBanded(c.p)
	}
	return c.symbolic.New()
}

// Update refactors, and factors anew if the last pivots no longer serve. fresh says which it was.
func (f *LU) Update(values []float64) (fresh bool, err error) {
	if f.fixed {
		err = f.Refactor(values)
		if _, stale := err.(*GrowthError); !stale {
			return false, err
		}
	}
	return true, f.Factor(values)
}
