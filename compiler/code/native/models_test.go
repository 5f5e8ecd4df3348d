package native

import (
	"math"
	"testing"

	"github.com/udl-lang/udl/compiler/code/native/block"
)

// lotkaVolterra is du = (αu − βuv, δuv − γv). Base 0 is the state, base 1 the parameters, base 2 the rates.
func lotkaVolterra(t testing.TB, rows int) *block.Block {
	g := block.NewBuilder(block.Layout{Rows: rows}, block.Layout{}, block.Layout{Rows: rows})
	u, v := g.Load(0, 0), g.Load(0, 1)
	p := func(i int) block.Value { return g.LoadBroadcast(1, i) }
	uv := g.Mul(u, v)
	g.Store(2, 0, g.FMS(p(0), u, g.Mul(p(1), uv)))
	g.Store(2, 1, g.FMS(p(3), uv, g.Mul(p(2), v)))
	return done(t, g)
}

func done(t testing.TB, g *block.Builder) *block.Block {
	b, err := g.Done()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// network is a universal differential equation with a 2-5-5-2 network of tanh: du = (αu, −δv) + net(u, v); α and δ are the last two of 61 parameters.
func network(t testing.TB, rows int) *block.Block {
	g := block.NewBuilder(block.Layout{Rows: rows}, block.Layout{}, block.Layout{Rows: rows})
	x := []block.Value{g.Load(0, 0), g.Load(0, 1)}
	h, at := x, 0
	for l, n := range []int{5, 5, 2} {
		out := make([]block.Value, n)
		for i := range out {
			s := g.LoadBroadcast(1, at+n*len(h)+i)
			for k := range h {
				s = g.FMA(g.LoadBroadcast(1, at+i*len(h)+k), h[k], s)
			}
			if l < 2 {
				s = g.Tanh(s)
			}
			out[i] = s
		}
		at += n*len(h) + n
		h = out
	}
	g.Store(2, 0, g.FMA(g.LoadBroadcast(1, at), x[0], h[0]))
	g.Store(2, 1, g.FMA(g.Neg(g.LoadBroadcast(1, at+1)), x[1], h[1]))
	return done(t, g)
}

func goLotkaVolterra(du, u, p []float64) {
	uv := u[0] * u[1]
	du[0] = p[0]*u[0] - p[1]*uv
	du[1] = p[3]*uv - p[2]*u[1]
}

func goNetwork(du, u, p []float64) {
	var a, b [5]float64
	layer := func(out, in, w []float64, act bool) {
		n, m := len(out), len(in)
		for i := range out {
			s := w[n*m+i]
			for k, x := range in {
				s += w[i*m+k] * x
			}
			if act {
				s = math.Tanh(s)
			}
			out[i] = s
		}
	}
	layer(a[:], u[:2], p, true)
	layer(b[:], a[:], p[15:], true)
	layer(du[:2], b[:], p[45:], false)
	du[0] += p[57] * u[0]
	du[1] -= p[58] * u[1]
}

// parameters are numbers of ordinary size.
func parameters(n int) []float64 {
	p := make([]float64, n)
	for i := range p {
		p[i] = math.Sin(float64(7*i+1)) * 0.7
	}
	return p
}

// TestModels compares both right-hand sides with Go's, at every width.
func TestModels(t *testing.T) {
	for _, m := range []struct {
		name  string
		block *block.Block
		plain func(du, u, p []float64)
	}{{"Lotka-Volterra", lotkaVolterra(t, 2), goLotkaVolterra}, {"UDE", network(t, 2), goNetwork}} {
		p := parameters(59)
		for _, w := range widths(t) {
			const groups = 3
			c, err := Compile(Options{}, Segment{Block: m.block, Width: w})
			if err != nil {
				t.Fatal(err)
			}
			u, du := make([]float64, 2*w*groups), make([]float64, 2*w*groups)
			for i := range u {
				u[i] = math.Cos(float64(i))
			}
			f := c.NewFrame()
			f.Bind(0, u)
			f.Bind(1, p)
			f.Bind(2, du)
			if err := f.Run(groups); err != nil {
				t.Fatal(err)
			}
			for l := range w * groups {
				at := l/w*2*w + l%w
				var want [2]float64
				m.plain(want[:], []float64{u[at], u[at+w]}, p)
				for i, x := range want {
					if got := du[at+i*w]; math.Abs(got-x) > 1e-14*(1+math.Abs(x)) {
						t.Errorf("%s, %d lanes: %v, want %v", m.name, w, got, x)
					}
				}
			}
		}
	}
}
