// What can be known before values: a transversal, the blocks, an order in each. The scheme is that of Davis, Natarajan,
// "Algorithm 907: KLU", ACM TOMS 37 (2010): only diagonal blocks are factored, so nothing fills in between blocks.

package sparse

import "fmt"

// Options of an analysis; zero values mean the defaults.
type Options struct {
	Threshold float64 // a diagonal entry is the pivot if it is at least this much of the column's largest (0.1)
	Growth    float64 // Refactor refuses when multipliers times growth exceed this and ten times that of Factor (1e6)
	Natural   bool    // keep the order of columns within blocks, for comparison
}

// Symbolic is the analysis of a pattern. It never changes: any number of LUs, in any goroutines, may share one.
type Symbolic struct {
	p     *Pattern
	opt   Options
	cols  []int32 // column at each step
	rowAt []int32 // step at which a row is expected to be the pivot's
	start []int   // block b is steps start[b]…start[b+1]−1
	lnz   float64
	flops float64
}

// Analyze finds blocks and an order of columns. A pattern that is singular whatever the values gives a *SingularError.
func Analyze(p *Pattern, opt Options) (*Symbolic, error) {
	if opt.Threshold == 0 {
		opt.Threshold = 0.1
	}
	if opt.Growth == 0 {
		opt.Growth = 1e6
	}
	if !(opt.Threshold > 0 && opt.Threshold <= 1) || !(opt.Growth >= 1) {
		return nil, fmt.Errorf("sparse: threshold %v must be in (0, 1] and growth %v at least 1", opt.Threshold, opt.Growth)
	}
	rowOf, colOf, rank := transversal(p)
	if rank < p.n {
		return nil, structuralError(p, rowOf, colOf, rank)
	}
	s := &Symbolic{p: p, opt: opt, rowAt: make([]int32, p.n)}
	s.cols, s.start = blocks(p, colOf)
	s.order(colOf)
	for k, j := range s.cols {
		s.rowAt[rowOf[j]] = int32(k)
	}
	return s, nil
}

// order puts the columns of each block in the order of minimum degree of B + Bᵀ, rows taken in the place of the columns they are
// matched with.
func (s *Symbolic) order(colOf []int32) {
	var (
		at    = make([]int32, s.p.n) // a column's place in its block
		block = make([]int32, s.p.n) // and its block
		pairs [][2]int32             // off-diagonal places within a block
	)
	for b := range len(s.start) - 1 {
		for k, j := range s.cols[s.start[b]:s.start[b+1]] {
			at[j], block[j] = int32(k), int32(b)
		}
	}
	for b := range len(s.start) - 1 {
		cols := s.cols[s.start[b]:s.start[b+1]]
		n := len(cols)
		if n == 1 {
			continue
		}
		pairs = pairs[:0]
		for k, j := range cols {
			rows, _ := s.p.Column(int(j))
			for _, i := range rows {
				if c := colOf[i]; block[c] == int32(b) && int(at[c]) != k {
					pairs = append(pairs, [2]int32{at[c], int32(k)})
				}
			}
		}
		ptr, adj := symmetric(n, pairs)
		order, lnz, flops := minimumDegree(n, ptr, adj)
		s.lnz, s.flops = s.lnz+lnz, s.flops+flops
		if s.opt.Natural {
			continue
		}
		was := append([]int32(nil), cols...)
		for k, o := range order {
			cols[k] = was[o]
		}
	}
}

// symmetric makes lists of neighbours of the graph with these edges, each neighbour once.
func symmetric(n int, pairs [][2]int32) (ptr []int, adj []int32) {
	count := make([]int, n+1)
	for _, e := range pairs {
		count[e[0]+1]++
		count[e[1]+1]++
	}
	for i := range n {
		count[i+1] += count[i]
	}
	next := append([]int(nil), count...)
	all := make([]int32, 2*len(pairs))
	for _, e := range pairs {
		all[next[e[0]]], all[next[e[1]]] = e[1], e[0]
		next[e[0]]++
		next[e[1]]++
	}
	ptr, seen := make([]int, n+1), filled(n, -1)
	for i := range n {
		for _, j := range all[count[i]:count[i+1]] {
			if seen[j] != int32(i) {
				seen[j] = int32(i)
				adj = append(adj, j)
			}
		}
		ptr[i+1] = len(adj)
	}
	return ptr, adj
}

// Pattern is what was analysed.
func (s *Symbolic) Pattern() *Pattern { return s.p }

// Pivots lists the rows and columns of the pivots in the order in which they are expected, and where each diagonal block of the upper
// block triangular form starts among them, with the end; not to be changed.
func (s *Symbolic) Pivots() (rows, cols []int32, start []int) {
	rows = make([]int32, s.p.n)
	for i, k := range s.rowAt {
		rows[k] = int32(i)
	}
	return rows, s.cols, s.start
}

// Blocks is how many diagonal blocks the block triangular form has.
func (s *Symbolic) Blocks() int { return len(s.start) - 1 }

// LargestBlock is the size of the largest diagonal block.
func (s *Symbolic) LargestBlock() int {
	most := 0
	for b := range s.Blocks() {
		most = max(most, s.start[b+1]-s.start[b])
	}
	return most
}

// Expected is what factors will hold and cost if every pivot is the expected one: entries of L and U with the diagonal,
// and multiply-adds.
func (s *Symbolic) Expected() (nonzeros, flops float64) {
	return 2*s.lnz + float64(s.p.n), s.flops
}
