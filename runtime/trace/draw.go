package trace

import (
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"
)

// DrawOptions say how large a plot in the terminal is; the zero value works.
type DrawOptions struct {
	Width  int  // characters of a line; 80 when 0, at least 24
	Height int  // lines of the drawing area; by the width when 0, at least 4
	Color  bool // series by colour; else by dashes
}

// marks of the series' points.
var marks = [...]rune{'●', '○', '▲', '△', '■', '□', '×', '+'}

// inks are readable on dark and on light ground.
var inks = [...]color.Attribute{color.FgBlue, color.FgRed, color.FgGreen, color.FgMagenta, color.FgCyan, color.FgYellow}

// Draw writes a plot as text: a braille canvas with axes, round tick labels and a legend. Points
// that cannot be shown are left out, which a note below says. The error is that of the writer or of series of
// unequal length.
func Draw(w io.Writer, p *Plot, o DrawOptions) error {
	if err := p.Check(); err != nil {
		return err
	}
	if o.Width <= 0 {
		o.Width = 80
	}
	o.Width = max(o.Width, 24)
	if o.Height <= 0 {
		o.Height = min(max(o.Width/5, 8), 18)
	}
	o.Height = max(o.Height, 4)
	d := &drawing{p: p, o: o, slots: p.Slots()}
	d.write()
	_, err := io.WriteString(w, d.b.String())
	return err
}

// drawing is one plot on its way into text.
type drawing struct {
	p     *Plot
	o     DrawOptions
	b     strings.Builder
	slots []int
	x, y  Limits
	c     *canvas
}

func (d *drawing) write() {
	x, y, ok := d.p.Limits()
	d.x, d.y = x, y
	if !ok {
		if d.p.Title != "" {
			d.line(oneLine(d.p.Title, d.o.Width))
		}
		d.line("(nothing to draw)")
		d.notes()
		return
	}
	yticks := Ticks(y, max(3, d.o.Height/3+1), d.p.LogY)
	gutter := 0
	for _, t := range yticks {
		gutter = max(gutter, utf8.RuneCountInString(t.Label))
	}
	gutter = min(gutter+1, d.o.Width/2)
	d.c = newCanvas(d.o.Width-gutter-2, d.o.Height)
	for i := range d.p.Series {
		if d.p.Series[i].Style == Band {
			d.band(i)
		}
	}
	for i := range d.p.Series {
		if d.p.Series[i].Style == Line {
			d.curve(i)
		}
	}
	for i := range d.p.Series {
		if d.p.Series[i].Style == Points {
			d.points(i)
		}
	}
	xlabel, ylabel := d.p.Labels()
	if d.p.Title != "" {
		d.centred(d.p.Title, gutter+1)
	}
	d.legend(gutter + 1)
	if ylabel != "" {
		d.line(oneLine(ylabel, d.o.Width))
	}
	at := map[int]string{}
	for _, t := range yticks {
		_, r := d.dot(x.Lo, t.Value)
		at[r/4] = t.Label
	}
	for r := range d.c.h {
		l, ok := at[r]
		d.b.WriteString(strings.Repeat(" ", max(0, gutter-1-utf8.RuneCountInString(l))))
		d.b.WriteString(l)
		if ok {
			d.b.WriteString(" ┤")
		} else {
			d.b.WriteString(" │")
		}
		d.row(r)
	}
	d.axis(gutter)
	if xlabel != "" {
		d.centred(xlabel, gutter+1)
	}
	d.notes()
}

// dot is where a point of the data falls.
func (d *drawing) dot(x, y float64) (int, int) {
	w, h := float64(2*d.c.w-1), float64(4*d.c.h-1)
	return int(math.Round(d.x.At(x, d.p.LogX) * w)), int(math.Round((1 - d.y.At(y, d.p.LogY)) * h))
}

func (d *drawing) curve(i int) {
	s := &d.p.Series[i]
	p := pen{c: d.c, slot: d.slots[i]}
	if !d.o.Color {
		p.d = dashes[d.slots[i]%len(dashes)]
	}
	on := false
	var x0, y0 int
	for k := range s.X {
		if !d.p.Drawable(s.X[k], s.Y[k]) {
			on = false
			continue
		}
		x, y := d.dot(s.X[k], s.Y[k])
		if on {
			p.line(x0, y0, x, y, false)
		} else {
			p.line(x, y, x, y, true)
		}
		x0, y0, on = x, y, true
	}
}

func (d *drawing) points(i int) {
	s := &d.p.Series[i]
	for k := range s.X {
		if d.p.Drawable(s.X[k], s.Y[k]) {
			x, y := d.dot(s.X[k], s.Y[k])
			d.c.mark(x, y, marks[d.slots[i]%len(marks)], d.slots[i])
		}
	}
}

// band shades every other dot between the edges, column by column.
func (d *drawing) band(i int) {
	s := &d.p.Series[i]
	for k := 1; k < len(s.X); k++ {
		if !d.p.Drawable(s.X[k-1], s.Y[k-1]) || !d.p.Drawable(s.X[k], s.Y[k]) || !d.p.Drawable(s.X[k-1], s.Hi[k-1]) || !d.p.Drawable(s.X[k], s.Hi[k]) {
			continue
		}
		xa, la := d.dot(s.X[k-1], s.Y[k-1])
		_, ha := d.dot(s.X[k-1], s.Hi[k-1])
		xb, lb := d.dot(s.X[k], s.Y[k])
		_, hb := d.dot(s.X[k], s.Hi[k])
		if xb < xa {
			xa, xb, la, lb, ha, hb = xb, xa, lb, la, hb, ha
		}
		for x := xa; x <= xb; x++ {
			f := 0.0
			if xb > xa {
				f = float64(x-xa) / float64(xb-xa)
			}
			lo := int(math.Round(float64(la) + f*float64(lb-la)))
			hi := int(math.Round(float64(ha) + f*float64(hb-ha)))
			for y := min(lo, hi); y <= max(lo, hi); y++ {
				if (x+2*y)%4 == 0 {
					d.c.set(x, y, d.slots[i])
				}
			}
		}
	}
}

// row writes one line of the canvas; runs of one colour are coloured at once.
func (d *drawing) row(r int) {
	cells := d.c.cells[r*d.c.w : (r+1)*d.c.w]
	end := len(cells)
	for end > 0 && cells[end-1].rune() == ' ' {
		end--
	}
	for i := 0; i < end; {
		j := i
		var run strings.Builder
		for j < end && cells[j].slot == cells[i].slot {
			run.WriteRune(cells[j].rune())
			j++
		}
		d.b.WriteString(d.ink(cells[i].slot, run.String()))
		i = j
	}
	d.b.WriteByte('\n')
}

func (d *drawing) ink(slot int, s string) string {
	if !d.o.Color || slot < 0 {
		return s
	}
	c := color.New(inks[slot%len(inks)])
	c.EnableColor()
	return c.Sprint(s)
}

// axis writes the x axis and its labels, as many as do not touch.
func (d *drawing) axis(gutter int) {
	var ticks []Tick
	var where []int
	for n := max(2, d.c.w/8); ; n-- {
		ticks, where = Ticks(d.x, n, d.p.LogX), nil
		free, fits := -gutter, true
		for _, t := range ticks {
			x, _ := d.dot(t.Value, d.y.Lo)
			w := utf8.RuneCountInString(t.Label)
			from := min(x/2-w/2, d.c.w-w)
			fits = fits && from >= free
			free = from + w + 2
			where = append(where, from)
		}
		if fits || n <= 2 {
			break
		}
	}
	rule := []rune(strings.Repeat("─", d.c.w))
	for _, t := range ticks {
		x, _ := d.dot(t.Value, d.y.Lo)
		rule[min(max(x/2, 0), d.c.w-1)] = '┬'
	}
	d.line(strings.Repeat(" ", gutter) + "└" + string(rule))
	var l strings.Builder
	at := -gutter - 1
	for i, t := range ticks {
		if where[i] <= at && i > 0 {
			continue
		}
		l.WriteString(strings.Repeat(" ", max(0, where[i]-at)))
		l.WriteString(t.Label)
		at = max(at, where[i]) + utf8.RuneCountInString(t.Label)
	}
	d.line(l.String())
}

// legend names the series, wrapped to the width.
func (d *drawing) legend(indent int) {
	var l strings.Builder
	used := indent
	for i := range d.p.Series {
		s := &d.p.Series[i]
		if s.Name == "" {
			continue
		}
		var sample string
		switch s.Style {
		case Points:
			sample = string(marks[d.slots[i]%len(marks)])
		case Band:
			sample = "⠕⠕⠕"
		default:
			c := newCanvas(4, 1)
			p := pen{c: c}
			if !d.o.Color {
				p.d = dashes[d.slots[i]%len(dashes)]
			}
			p.line(0, 2, 7, 2, true)
			for _, x := range c.cells {
				if x.dots == 0 {
					sample += "⠀" // a blank braille cell, as wide as the others in every font
					continue
				}
				sample += string(x.rune())
			}
		}
		name := oneLine(s.Name, max(8, d.o.Width-indent-8))
		w := utf8.RuneCountInString(sample) + 1 + utf8.RuneCountInString(name)
		if used > indent && used+3+w > d.o.Width {
			l.WriteString("\n")
			used = indent
		}
		if used == indent {
			l.WriteString(strings.Repeat(" ", indent))
		} else {
			l.WriteString("   ")
			used += 3
		}
		l.WriteString(d.ink(d.slots[i], sample) + " " + name)
		used += w
	}
	if l.Len() > 0 {
		d.line(l.String())
	}
}

func (d *drawing) centred(s string, indent int) {
	s = oneLine(s, d.o.Width)
	room := d.o.Width - indent - utf8.RuneCountInString(s)
	if room < 0 {
		indent, room = 0, d.o.Width-utf8.RuneCountInString(s)
	}
	d.line(strings.Repeat(" ", indent+max(0, room/2)) + s)
}

func (d *drawing) line(s string) {
	d.b.WriteString(strings.TrimRight(s, " "))
	d.b.WriteByte('\n')
}

func (d *drawing) notes() {
	for _, n := range d.p.Notes() {
		d.line("(" + n + ")")
	}
}
