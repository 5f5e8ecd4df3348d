package native

import (
	"errors"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/udl-lang/udl/compiler/code/native/block"
	"github.com/udl-lang/udl/compiler/code/native/execmem"
)

// TestSegments runs a layer with its units as lanes, then a second one that reads the first's by broadcast, in one call.
func TestSegments(t *testing.T) {
	for _, w := range widths(t) {
		const in, units, groups = 3, 16, 2
		// Bases: 0 input, 1 weights of the first layer by input then unit, 2 its units, 3 output.
		g := block.NewBuilder(block.Layout{}, block.Layout{}, block.Layout{}, block.Layout{})
		s := g.Const(0)
		for i := range in {
			s = g.FMA(g.LoadBroadcast(0, i), g.Load(1, i*units), s)
		}
		g.Store(2, 0, g.Tanh(s))
		first := done(t, g)
		g = block.NewBuilder(block.Layout{}, block.Layout{}, block.Layout{}, block.Layout{})
		s = g.Const(0)
		for i := range units {
			s = g.Add(s, g.LoadBroadcast(2, i))
		}
		g.Store(3, 0, s)
		c, err := Compile(Options{}, Segment{Block: first, Width: w, Groups: units / w}, Segment{Block: done(t, g), Width: 1, Groups: 1})
		if err != nil {
			t.Fatal(err)
		}
		x, weights, h, out := []float64{1, -2, 0.5}, parameters(in*units), make([]float64, units), make([]float64, 1)
		f := c.NewFrame()
		for i, b := range [][]float64{x, weights, h, out} {
			f.Bind(i, b)
		}
		if err := f.Run(0); err != nil {
			t.Fatal(err)
		}
		want := 0.0
		for u := range units {
			s := 0.0
			for i := range in {
				s += x[i] * weights[i*units+u]
			}
			want += math.Tanh(s)
		}
		if math.Abs(out[0]-want) > 1e-14 {
			t.Errorf("%d lanes: %v, want %v", w, out[0], want)
		}
	}
}

// TestPieces holds that a run longer than a call is done in pieces, with the same result.
func TestPieces(t *testing.T) {
	for _, w := range widths(t) {
		b := lotkaVolterra(t, 2)
		c, err := Compile(Options{}, Segment{Block: b, Width: w})
		if err != nil {
			t.Fatal(err)
		}
		groups := 3*c.chunk + 1
		u, got, want := parameters(2*w*groups), make([]float64, 2*w*groups), make([]float64, 2*w*groups)
		p := parameters(4)
		f := c.NewFrame()
		for i, b := range [][]float64{u, p, got} {
			f.Bind(i, b)
		}
		it, err := block.NewInterp(b, w)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Run(groups), it.Run([][]float64{u, p, want}, groups)); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%d lanes, element %d: %v, want %v", w, i, got[i], want[i])
			}
		}
	}
}

type refusing struct{ execmem.Allocator }

var errRefused = errors.New("refused")

func (refusing) Map(n int) ([]byte, error) { return make([]byte, n), nil }
func (refusing) Protect([]byte) error      { return errRefused }
func (refusing) Unmap([]byte) error        { return nil }

// TestRefused holds that whatever stands in the way of native code is an error of Compile.
func TestRefused(t *testing.T) {
	b := lotkaVolterra(t, 2)
	all := &CPU{AVX2: true, AVX512: true}
	many := block.NewBuilder(make([]block.Layout, 8)...) // more than a loop has registers for
	for i := range 8 {
		many.Store(i, 0, many.Const(1))
	}
	long := block.NewBuilder(block.Layout{})
	s := long.Load(0, 0)
	for i := range callLimit {
		s = long.FMA(s, s, long.Const(float64(i)))
	}
	long.Store(0, 0, s)
	for _, c := range []struct {
		name string
		o    Options
		segs []Segment
		want error
	}{
		{"mprotect", Options{CPU: all, Memory: refusing{}}, []Segment{{Block: b, Width: 4}}, errRefused},
		{"old processor", Options{CPU: &CPU{Why: "no AVX2"}}, []Segment{{Block: b, Width: 1, Groups: 0}}, ErrCPU},
		{"no AVX-512", Options{CPU: &CPU{AVX2: true}}, []Segment{{Block: b, Width: 8, Groups: 0}}, ErrCPU},
		{"width", Options{CPU: all}, []Segment{{Block: b, Width: 3, Groups: 0}}, ErrCPU},
		{"open segments", Options{CPU: all, Memory: refusing{}}, []Segment{{Block: b, Width: 4}, {Block: b, Width: 4, Groups: 1}}, ErrGroups},
		{"negative groups", Options{CPU: all, Memory: refusing{}}, []Segment{{Block: b, Width: 4, Groups: -1}}, ErrGroups},
		{"long call", Options{CPU: all, Memory: refusing{}}, []Segment{{Block: b, Width: 4, Groups: 50_000}}, ErrTooLarge},
		{"many groups", Options{CPU: all, Memory: refusing{}}, []Segment{{Block: b, Width: 4, Groups: math.MaxInt}}, ErrTooLarge},
		{"long block", Options{CPU: all, Memory: refusing{}}, []Segment{{Block: done(t, long), Width: 4, Groups: 0}}, ErrTooLarge},
		{"bases", Options{CPU: all, Memory: refusing{}}, []Segment{{Block: done(t, many), Width: 4, Groups: 0}}, ErrBases},
	} {
		if _, err := Compile(c.o, c.segs...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSwitch(t *testing.T) {
	t.Setenv("UDL_NATIVE", "off")
	if h := Host(); h.Widest() != 0 || h.Why != "UDL_NATIVE=off" {
		t.Errorf("%+v", h)
	}
	if _, err := Compile(Options{}, Segment{Block: lotkaVolterra(t, 2), Width: 1, Groups: 1}); !errors.Is(err, ErrCPU) {
		t.Error(err)
	}
}

// TestBounds holds that nothing is computed when a slice is too short, for open and closed programs.
func TestBounds(t *testing.T) {
	ws := widths(t)
	b := lotkaVolterra(t, 2)
	for _, w := range ws {
		for _, groups := range []int{0, 3} {
			c, err := Compile(Options{}, Segment{Block: b, Width: w, Groups: groups})
			if err != nil {
				t.Fatal(err)
			}
			full := []int{2 * w * 3, 4, 2 * w * 3}
			for short := range 4 {
				f := c.NewFrame()
				if err := f.Run(math.MaxInt); groups == 0 && !errors.Is(err, ErrShort) {
					t.Error(err)
				}
				if err := f.Run(3); !errors.Is(err, ErrShort) {
					t.Errorf("nothing bound: %v", err)
				}
				for i, n := range full {
					if i == short {
						n--
					}
					f.Bind(i, make([]float64, n))
				}
				f.Bind(-1, nil)
				f.Bind(99, nil)
				if err := f.Run(3); errors.Is(err, ErrShort) != (short < 3) {
					t.Errorf("width %d, base %d short: %v", w, short, err)
				}
				if short == 0 && groups == 0 {
					if err := f.Run(2); err != nil {
						t.Errorf("two groups fit: %v", err)
					}
					if err := f.Run(-1); !errors.Is(err, ErrGroups) {
						t.Error(err)
					}
				}
			}
			f := c.NewFrame()
			for i, n := range full {
				f.Bind(i, make([]float64, n))
			}
			if err := c.Free(); err != nil {
				t.Fatal(err)
			}
			if err := f.Run(1); !errors.Is(err, ErrFreed) {
				t.Errorf("freed: %v", err)
			}
		}
	}
}

func TestAllocations(t *testing.T) {
	widths(t)
	c, err := Compile(Options{}, Segment{Block: network(t, 2), Width: 4, Groups: 0})
	if err != nil {
		t.Fatal(err)
	}
	f := c.NewFrame()
	u := make([]float64, 8)
	f.Bind(0, u)
	f.Bind(1, parameters(59))
	f.Bind(2, make([]float64, 8))
	if n := testing.AllocsPerRun(100, func() {
		f.Bind(0, u)
		_ = f.Run(1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestDropped holds that programs nobody refers to give their memory back.
func TestDropped(t *testing.T) {
	widths(t)
	before := execmem.Live()
	b := lotkaVolterra(t, 2)
	for range 300 {
		if _, err := Compile(Options{}, Segment{Block: b, Width: 1, Groups: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 {
		runtime.GC()
		if execmem.Live() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%d programs are still held", execmem.Live()-before)
}
