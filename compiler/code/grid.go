package code

import (
	"github.com/udl-lang/udl/compiler/ir"
)

// Stencils. A gather that moves a grid by some rows and columns, whatever it does at the edges, reads a copy of its source with a margin
// all round, in which the edges' rule (periodic, clamped, mirrored) has been carried out. Then every neighbour of a group of points is a group of
// neighbours, one load, and the whole stencil is one loop over rows and columns.

// maxShift is the widest margin.
const maxShift = 8

// grid is the shape of such copies: rows of cols points, in memory stride apart, with a margin of maxShift columns on both sides and of
// some rows above and below.
type grid struct{ rows, cols int }

func (g grid) stride() int { return g.cols + 2*maxShift }

// pad is the copy of one source.
type pad struct {
	grid
	src    ir.ID
	margin int         // rows above and below
	edge   map[int]int // cells of the margin, as (row+maxShift)·stride + column+maxShift, and the element of the source that each repeats
	at     int32       // of its first row of margin
	made   bool
}

// shifted is a gather that a pad serves.
type shifted struct {
	pad    *pad
	dr, dc int
}

type padKey struct {
	root  ir.ID
	shift int
	grid
}

// gridOf is the grid of a shape; ok is false where lanes do not fit its rows.
func (c *cutter) gridOf(id ir.ID) (g grid, ok bool) {
	s := c.g.Shape(id)
	switch len(s) {
	case 1:
		g = grid{1, s[0]}
	case 2:
		g = grid{s[0], s[1]}
	default:
		return g, false
	}
	return g, c.wide >= 4 && g.cols%4 == 0
}

// width is the number of lanes over the rows of a grid.
func (c *cutter) width(g grid) int {
	if g.cols%c.wide == 0 {
		return c.wide
	}
	return 4
}

// moved recognises a gather that moves a grid.
func (c *cutter) moved(id ir.ID, n *ir.Node) bool {
	g, ok := c.gridOf(id)
	a := n.Args[0]
	if !ok || !c.g.Shape(a).Equal(n.Shape) {
		return false
	}
	mid := g.rows/2*g.cols + g.cols/2
	from := n.Ints[mid]
	s := &shifted{dr: from/g.cols - mid/g.cols, dc: from%g.cols - mid%g.cols}
	if max(s.dr, -s.dr, s.dc, -s.dc) > maxShift {
		return false
	}
	key := padKey{c.root[a], c.shift[a], g}
	s.pad = c.pads[key]
	if s.pad == nil {
		s.pad = &pad{grid: g, src: a, edge: map[int]int{}}
	}
	fresh := map[int]int{}
	for p, from := range n.Ints {
		row, col := p/g.cols+s.dr, p%g.cols+s.dc
		if row >= 0 && row < g.rows && col >= 0 && col < g.cols {
			if from != row*g.cols+col {
				return false
			}
			continue
		}
		cell := (row+maxShift)*g.stride() + col + maxShift
		if was, ok := s.pad.edge[cell]; ok && was != from {
			return false
		}
		fresh[cell] = from
	}
	for cell, from := range fresh {
		s.pad.edge[cell] = from
	}
	s.pad.margin = max(s.pad.margin, s.dr, -s.dr)
	c.pads[key] = s.pad
	c.shifts[id] = s
	return true
}

// fill makes the copies that a segment reads.
func (a *assembler) fill(p *pad) {
	if p.made {
		return
	}
	p.made = true
	p.at = a.mem
	a.mem += int32(roundUp((p.rows+2*p.margin)*p.stride(), 8))
	src := a.at(p.src)
	w := a.width(p.grid)
	b := a.builder()
	b.Store(int(spaceGridStore), p.cell(0, 0), b.Load(int(src.space), int(src.off)))
	a.rowSegment(b, w, p.grid)
	// The margin: runs of neighbours that repeat neighbours in groups, the rest one by one.
	wide, single := a.builder(), a.builder()
	for row := -p.margin; row < p.rows+p.margin; row++ {
		for col := -maxShift; col < p.cols+maxShift; {
			cell := (row+maxShift)*p.stride() + col + maxShift
			from, ok := p.edge[cell]
			if !ok {
				col++
				continue
			}
			run := 1
			for run < w && p.edge[cell+run] == from+run {
				if _, ok := p.edge[cell+run]; !ok {
					break
				}
				run++
			}
			if run == w {
				wide.Store(int(spaceGridStore), p.cell(row, col), wide.Load(int(src.space), int(src.off)+from))
				col += w
				continue
			}
			single.Store(int(spaceGridStore), p.cell(row, col), single.Load(int(src.space), int(src.off)+from))
			col++
		}
	}
	a.segment(wide, w, 1)
	a.segment(single, 1, 1)
}

// cell is where a point of the copy lies in the scratch memory.
func (p *pad) cell(row, col int) int {
	return int(p.at) + (row+p.margin)*p.stride() + col + maxShift
}

// rowSegment closes a block as a segment over the rows of a grid.
func (a *assembler) rowSegment(b *blocks, w int, g grid) {
	a.segment(b, w, g.cols/w)
	if n := len(a.code); n > 0 && a.err == nil {
		s := &a.code[n-1]
		s.Rows = g.rows
		s.Gap = make([]int, numBases)
		s.Gap[spaceGrid], s.Gap[spaceGridStore] = g.stride()-g.cols, g.stride()-g.cols
	}
}
