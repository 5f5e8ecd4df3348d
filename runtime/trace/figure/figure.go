package figure

import (
	"fmt"
	"image/color"
	"io"
	"path/filepath"
	"sort"
	"strings"

	"github.com/udl-lang/udl/runtime/trace"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Size is the size of a figure; the zero value is 15 × 9 cm.
type Size struct {
	Width, Height float64 // cm
	DPI           int     // of a PNG, 200 when 0
}

// formats are the endings that Write knows.
var formats = map[string]func(w, h vg.Length, dpi int) vg.CanvasWriterTo{
	"svg": func(w, h vg.Length, _ int) vg.CanvasWriterTo { return vgsvg.New(w, h) },
	"pdf": func(w, h vg.Length, _ int) vg.CanvasWriterTo {
		c := vgpdf.New(w, h)
		c.EmbedFonts(true)
		return c
	},
	"png": func(w, h vg.Length, dpi int) vg.CanvasWriterTo {
		return vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dpi))}
	},
}

// Formats lists the formats that Write knows, sorted.
func Formats() []string {
	var names []string
	for n := range formats {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Format is the format that a file's ending asks for; an error names those there are.
func Format(path string) (string, error) {
	f := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
	if _, ok := formats[f]; !ok {
		return "", unknown(f)
	}
	return f, nil
}

func unknown(format string) error {
	return fmt.Errorf("cannot draw the format `%s`: a figure ends in .%s", format, strings.Join(Formats(), ", ."))
}

// The colours of M. Okabe and K. Ito, "Color universal design" (2008), which stay apart for
// the colour-blind, the darkest first; yellow is left out as it is hard to see on white.
var inks = [...]color.RGBA{
	{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255},
	{86, 180, 233, 255}, {230, 159, 0, 255}, {0, 0, 0, 255},
}

var glyphs = [...]draw.GlyphDrawer{draw.CircleGlyph{}, draw.RingGlyph{}, draw.TriangleGlyph{}, draw.SquareGlyph{}, draw.PyramidGlyph{}, draw.BoxGlyph{}, draw.CrossGlyph{}, draw.PlusGlyph{}}

// dashes come in once the colours are used up.
var dashes = [...][]vg.Length{nil, {vg.Points(5), vg.Points(3)}, {vg.Points(1.5), vg.Points(2.5)}}

// sans has the Greek letters that models are full of.
var sans = font.Font{Typeface: "Liberation", Variant: "Sans"}

// Write draws a plot in one of Formats. Points that cannot be shown are left out, and a note
// at the bottom says so. The error is that of the writer, of an unknown format or of series of unequal length.
func Write(w io.Writer, format string, p *trace.Plot, size Size) (err error) {
	open, ok := formats[strings.ToLower(format)]
	if !ok {
		return unknown(format)
	}
	if err := p.Check(); err != nil {
		return err
	}
	if size.Width <= 0 {
		size.Width = 15
	}
	if size.Height <= 0 {
		size.Height = 9
	}
	if size.DPI <= 0 {
		size.DPI = 200
	}
	// The graphics library reports some failures by panicking.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot draw the figure: %v", r)
		}
	}()
	pl, legend, err := build(p)
	if err != nil {
		return err
	}
	c := open(vg.Length(size.Width)*vg.Centimeter, vg.Length(size.Height)*vg.Centimeter, size.DPI)
	dc := draw.Crop(draw.New(c), vg.Points(6), -vg.Points(6), vg.Points(4), -vg.Points(6))
	dc = footnotes(dc, p.Notes())
	dc = beside(dc, legend)
	pl.Draw(draw.Crop(dc, 0, -vg.Points(6), 0, 0))
	_, err = c.WriteTo(w)
	return err
}

// Save draws a plot into a file whose ending gives the format, all or nothing.
func Save(path string, p *trace.Plot, size Size) error {
	format, err := Format(path)
	if err != nil {
		return err
	}
	return trace.WriteFile(path, func(w io.Writer) error { return Write(w, format, p, size) })
}

// footnotes writes what could not be drawn beneath the figure, as wide as it is, and returns what is left.
func footnotes(c draw.Canvas, notes []string) draw.Canvas {
	const most = 3
	if len(notes) > most {
		notes = append(notes[:most-1:most-1], fmt.Sprintf("and %d more such notes", len(notes)-most+1))
	}
	st := text.Style{Color: color.Gray{90}, Font: sans, Handler: plot.DefaultTextHandler}
	st.Font.Size = vg.Points(7)
	height := st.FontExtents().Height + vg.Points(1)
	for i, n := range notes {
		r := []rune(n)
		for len(r) > 1 && st.Rectangle(string(r)).Size().X > c.Size().X {
			r = append(r[:len(r)-2], '…')
		}
		c.FillText(st, vg.Point{X: c.Min.X, Y: c.Min.Y + height*vg.Length(len(notes)-1-i)}, string(r))
	}
	if len(notes) == 0 {
		return c
	}
	return draw.Crop(c, 0, 0, height*vg.Length(len(notes))+vg.Points(2), 0)
}

// beside draws the legend at the right, where it hides no data, and returns what is left.
func beside(c draw.Canvas, l *plot.Legend) draw.Canvas {
	if l == nil {
		return c
	}
	r := l.Rectangle(c)
	width := min(r.Size().X+vg.Points(2), c.Size().X/2)
	l.Draw(draw.Crop(c, c.Size().X-width, 0, 0, -vg.Points(22)))
	return draw.Crop(c, 0, -width-vg.Points(4), 0, 0)
}

// build makes the library's plot of ours, and its legend, nil when no series has a name.
func build(p *trace.Plot) (*plot.Plot, *plot.Legend, error) {
	pl := plot.New()
	xl, yl, ok := p.Limits()
	pl.Title.Text = p.Title
	pl.X.Label.Text, pl.Y.Label.Text = p.Labels()
	for _, st := range []*text.Style{&pl.Title.TextStyle, &pl.X.Label.TextStyle, &pl.Y.Label.TextStyle, &pl.X.Tick.Label, &pl.Y.Tick.Label, &pl.Legend.TextStyle} {
		size := st.Font.Size
		st.Font = sans
		st.Font.Size = size
	}
	pl.Title.TextStyle.Font.Size = vg.Points(12)
	pl.Title.Padding = vg.Points(4)
	pl.X.Label.TextStyle.Font.Size, pl.Y.Label.TextStyle.Font.Size = vg.Points(10), vg.Points(10)
	pl.X.Tick.Label.Font.Size, pl.Y.Tick.Label.Font.Size = vg.Points(9), vg.Points(9)
	pl.Legend.TextStyle.Font.Size = vg.Points(9)
	pl.Legend.Top, pl.Legend.Left = true, true
	pl.Legend.Padding = vg.Points(2)
	pl.Legend.ThumbnailWidth = vg.Points(18)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{232}, color.Gray{232}
	pl.Add(grid)
	if !ok {
		pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = 0, 1, 0, 1
		pl.Title.Text = strings.TrimSpace(pl.Title.Text + " (nothing to draw)")
		return pl, nil, nil
	}
	slots := p.Slots()
	// Bands lie below lines, lines below points, whatever the order in the description.
	for _, style := range []trace.Style{trace.Band, trace.Line, trace.Points} {
		for i := range p.Series {
			if p.Series[i].Style == style {
				if err := add(pl, p, &p.Series[i], slots[i]); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = xl.Lo, xl.Hi, yl.Lo, yl.Hi
	pl.X.Tick.Marker, pl.Y.Tick.Marker = ticker{9, p.LogX}, ticker{7, p.LogY}
	if p.LogX {
		pl.X.Scale = plot.LogScale{}
	}
	if p.LogY {
		pl.Y.Scale = plot.LogScale{}
	}
	var legend *plot.Legend
	for _, s := range p.Series {
		if s.Name != "" {
			l := pl.Legend
			legend = &l
			pl.Legend = plot.NewLegend()
			break
		}
	}
	return pl, legend, nil
}

// ticker puts our round ticks into the library.
type ticker struct {
	n   int
	log bool
}

// Ticks implements plot.Ticker.
func (t ticker) Ticks(lo, hi float64) []plot.Tick {
	var out []plot.Tick
	for _, k := range trace.Ticks(trace.Limits{Lo: lo, Hi: hi}, t.n, t.log) {
		out = append(out, plot.Tick{Value: k.Value, Label: k.Label})
	}
	return out
}

// add draws one series; a curve is broken where it cannot be shown.
func add(pl *plot.Plot, p *trace.Plot, s *trace.Series, slot int) error {
	ink := inks[slot%len(inks)]
	switch s.Style {
	case trace.Points:
		var pts plotter.XYs
		for k := range s.X {
			if p.Drawable(s.X[k], s.Y[k]) {
				pts = append(pts, plotter.XY{X: s.X[k], Y: s.Y[k]})
			}
		}
		if len(pts) == 0 {
			return nil
		}
		sc, err := plotter.NewScatter(pts)
		if err != nil {
			return err
		}
		sc.GlyphStyle = draw.GlyphStyle{Color: ink, Radius: vg.Points(2.4), Shape: glyphs[slot%len(glyphs)]}
		pl.Add(sc)
		if s.Name != "" {
			pl.Legend.Add(s.Name, sc)
		}
	case trace.Band:
		fill := color.NRGBA{ink.R, ink.G, ink.B, 60}
		named := s.Name == ""
		for _, r := range runs(p, s) {
			var pts plotter.XYs
			for k := r[0]; k < r[1]; k++ {
				pts = append(pts, plotter.XY{X: s.X[k], Y: s.Y[k]})
			}
			for k := r[1] - 1; k >= r[0]; k-- {
				pts = append(pts, plotter.XY{X: s.X[k], Y: s.Hi[k]})
			}
			pg, err := plotter.NewPolygon(pts)
			if err != nil {
				return err
			}
			pg.Color, pg.LineStyle.Width = fill, 0
			pl.Add(pg)
			if !named {
				pl.Legend.Add(s.Name, pg)
				named = true
			}
		}
	default:
		named := s.Name == ""
		for _, r := range runs(p, s) {
			pts := make(plotter.XYs, 0, r[1]-r[0])
			for k := r[0]; k < r[1]; k++ {
				pts = append(pts, plotter.XY{X: s.X[k], Y: s.Y[k]})
			}
			l, err := plotter.NewLine(pts)
			if err != nil {
				return err
			}
			l.LineStyle = draw.LineStyle{Color: ink, Width: vg.Points(1.4), Dashes: dashes[slot/len(inks)%len(dashes)]}
			pl.Add(l)
			if !named {
				pl.Legend.Add(s.Name, l)
				named = true
			}
		}
	}
	return nil
}

// runs are the stretches [from, to) of a series in which every point can be shown.
func runs(p *trace.Plot, s *trace.Series) [][2]int {
	var out [][2]int
	from := -1
	for k := range s.X {
		ok := p.Drawable(s.X[k], s.Y[k]) && (s.Style != trace.Band || p.Drawable(s.X[k], s.Hi[k]))
		switch {
		case ok && from < 0:
			from = k
		case !ok && from >= 0:
			out = append(out, [2]int{from, k})
			from = -1
		}
	}
	if from >= 0 {
		out = append(out, [2]int{from, len(s.X)})
	}
	return out
}
