package discover

import (
	"context"
	"slices"
)

// Guesser gives the coefficients that a regression would give a set of terms: where a search on trajectories begins.
type Guesser struct {
	l *library
	s *solver
}

// NewGuesser prepares a regression.
func NewGuesser(d *Data) *Guesser {
	l := newLibrary(factor(d.X, d.Y, d.W, d.N, d.P))
	return &Guesser{l, newSolver(l.triangle)}
}

// Coef are the coefficients of a set; zeros where it has none.
func (g *Guesser) Coef(set []int) []float64 {
	c := make([]float64, len(set))
	if len(set) > 0 {
		if _, ok := g.s.solve(set, 0, c); !ok {
			clear(c)
		}
	}
	return c
}

const (
	seedSize = 4  // terms per output
	seedKeep = 4  // sets of each size
	seedAll  = 64 // combinations
)

// Seeds combines, over the outputs, the best few sets of each size that the regressions know, and what they chose, if anything: where a
// search on trajectories begins. Variables are numbered output × terms + term.
func Seeds(ctx context.Context, outs []*Guesser, chosen []*Result) ([][]int, error) {
	lists := make([][][]int, len(outs)) // per output: sets, the best of each size first
	heads := make([][][]int, len(outs)) // the best of each size
	for o, g := range outs {
		best, _, err := subsets(ctx, g.l, seedSize, seedKeep, curveNodes)
		if err != nil {
			return nil, err
		}
		heads[o] = [][]int{nil}
		for k := 1; k < len(best.sets); k++ {
			if len(best.sets[k]) > 0 {
				heads[o] = append(heads[o], best.sets[k][0].set)
			}
		}
		for i := range seedKeep {
			for k := 1; k < len(best.sets) && k <= 2; k++ {
				if i < len(best.sets[k]) {
					lists[o] = append(lists[o], best.sets[k][i].set)
				}
			}
		}
		slices.SortStableFunc(lists[o], func(a, b []int) int { return len(a) - len(b) })
	}
	var all supports
	p := outs[0].l.p
	put := func(sets [][]int) {
		var s []int
		for o, set := range sets {
			for _, j := range set {
				s = append(s, o*p+j)
			}
		}
		all.add(s, 0)
	}
	pick := make([][]int, len(outs))
	for o := range outs {
		pick[o] = heads[o][min(1, len(heads[o])-1)]
	}
	for o, r := range chosen {
		pick[o] = r.Set
		if len(pick[o]) > 2*seedSize { // so many terms are what a curve needs that no few terms make
			pick[o] = heads[o][len(heads[o])-1]
		}
	}
	put(pick)
	for k := range seedSize + 1 {
		sets := make([][]int, len(outs))
		for o := range outs {
			sets[o] = heads[o][min(k, len(heads[o])-1)]
		}
		put(sets)
	}
	// All pairs of the best single terms, and each output's list beside the best of the others.
	count := 1
	for range outs {
		count *= seedKeep
	}
	if count <= seedAll {
		idx := make([]int, len(outs))
		for range count {
			sets := make([][]int, len(outs))
			for o, i := range idx {
				if len(lists[o]) > 0 {
					sets[o] = lists[o][min(i, len(lists[o])-1)]
				}
			}
			put(sets)
			for o := range idx {
				if idx[o]++; idx[o] < seedKeep {
					break
				}
				idx[o] = 0
			}
		}
	}
	for o := range outs {
		for _, set := range lists[o] {
			sets := slices.Clone(pick)
			for i := range sets {
				if len(sets[i]) > 2 && len(heads[i]) > 1 {
					sets[i] = heads[i][1]
				}
			}
			sets[o] = set
			put(sets)
		}
	}
	var out [][]int
	for _, s := range all.list {
		out = append(out, s.set)
	}
	return out, nil
}
