package trace

// A canvas of braille characters: each cell holds 2 × 4 dots (Unicode block U+2800, whose low
// eight bits are the dots), so that a terminal shows eight times as many points as letters.

// cell is one character of the canvas.
type cell struct {
	dots byte
	mark rune // drawn in place of the dots; 0 for none
	slot int  // whose colour; -1 for none
}

// canvas has w × h cells, thus 2w × 4h dots; the dot (0, 0) is at the top left.
type canvas struct {
	w, h  int
	cells []cell
}

func newCanvas(w, h int) *canvas {
	c := &canvas{w: w, h: h, cells: make([]cell, w*h)}
	for i := range c.cells {
		c.cells[i].slot = -1
	}
	return c
}

// bits[y][x] is the bit of a dot in its cell.
var bits = [4][2]byte{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

// at is the cell of a dot; nil outside.
func (c *canvas) at(x, y int) *cell {
	if x < 0 || y < 0 || x >= 2*c.w || y >= 4*c.h {
		return nil
	}
	return &c.cells[y/4*c.w+x/2]
}

func (c *canvas) set(x, y, slot int) {
	if p := c.at(x, y); p != nil {
		p.dots |= bits[y%4][x%2]
		p.slot = slot
	}
}

// mark puts a character into the cell of a dot.
func (c *canvas) mark(x, y int, r rune, slot int) {
	if p := c.at(x, y); p != nil {
		p.mark, p.slot = r, slot
	}
}

// dash is a pattern of dots on and off along a line; the zero value is solid.
type dash struct{ on, off int }

// dashes tell lines apart where there is no colour.
var dashes = [...]dash{{}, {5, 3}, {1, 2}, {9, 3}, {2, 4}, {3, 1}}

// pen draws one polyline; the pattern runs on over its corners.
type pen struct {
	c    *canvas
	d    dash
	slot int
	at   int // dots drawn or left out so far
}

func (p *pen) dot(x, y int) {
	if p.d.off == 0 || p.at%(p.d.on+p.d.off) < p.d.on {
		p.c.set(x, y, p.slot)
	}
	p.at++
}

// line draws from one dot to another, the first one excluded unless start. J. E. Bresenham,
// IBM Systems Journal 4 (1965) 25–30.
func (p *pen) line(x0, y0, x1, y1 int, start bool) {
	dx, dy := abs(x1-x0), -abs(y1-y0)
	sx, sy := sign(x1-x0), sign(y1-y0)
	e := dx + dy
	if start {
		p.dot(x0, y0)
	}
	for x0 != x1 || y0 != y1 {
		if 2*e >= dy && x0 != x1 {
			e += dy
			x0 += sx
			// A step in both directions is one dot, not two.
			if 2*(e-dy) <= dx && y0 != y1 {
				e += dx
				y0 += sy
			}
		} else {
			e += dx
			y0 += sy
		}
		p.dot(x0, y0)
	}
}

// rune is what a cell looks like; a space when empty.
func (c cell) rune() rune {
	switch {
	case c.mark != 0:
		return c.mark
	case c.dots != 0:
		return 0x2800 + rune(c.dots)
	}
	return ' '
}

func abs(a int) int {
	if a < 0 {
		return -a
	}
	return a
}

func sign(a int) int {
	switch {
	case a < 0:
		return -1
	case a > 0:
		return 1
	}
	return 0
}
