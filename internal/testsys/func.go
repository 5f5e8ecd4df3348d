package testsys

import "github.com/udl-lang/udl/runtime/system"

// fn runs a graph as a system.Func.
type fn struct {
	g        *graph
	v, d, dd []float64 // values, tangents, cotangents
	th       []float64 // prepared
}

var _ system.Func = (*fn)(nil)

// Func makes a differentiable function of nx states and nth parameters from a closure that
// builds its outputs out of the inputs it is given. With neither states nor parameters the
// closure has t to make numbers with.
func Func(nx, nth int, f func(t Expr, x, th []Expr) []Expr) system.Func {
	g := &graph{nx: nx, nth: nth}
	t := g.add(node{op: opT})
	x, th := make([]Expr, nx), make([]Expr, nth)
	for i := range x {
		x[i] = g.add(node{op: opX, a: i})
	}
	for i := range th {
		th[i] = g.add(node{op: opTheta, a: i})
	}
	for _, z := range f(t, x, th) {
		g.out = append(g.out, z.id)
	}
	return newFn(g)
}

func newFn(g *graph) *fn {
	n := len(g.nodes)
	return &fn{g: g, v: make([]float64, n), d: make([]float64, n), dd: make([]float64, n)}
}

// Dims implements system.Func.
func (f *fn) Dims() (x, th, z int) { return f.g.nx, f.g.nth, len(f.g.out) }

// Clone implements system.Func.
func (f *fn) Clone() system.Func { return newFn(f.g) }

// Tangent implements system.Func.
func (f *fn) Tangent() system.Func { return newFn(f.g.tangent()) }

// Prepare implements system.Func.
func (f *fn) Prepare(th []float64) { f.th = append(f.th[:0], th...) }

func (f *fn) eval(t float64, x, th []float64) {
	if th != nil {
		f.Prepare(th)
	}
	f.g.eval(f.v, t, x, f.th)
}

// Eval implements system.Func.
func (f *fn) Eval(z []float64, t float64, x, th []float64) {
	f.eval(t, x, th)
	for i, o := range f.g.out {
		z[i] = f.v[o]
	}
}

// VJP implements system.Func.
func (f *fn) VJP(gx, gth []float64, t float64, x, th, gz []float64) (gt float64) {
	f.eval(t, x, th)
	clear(f.dd)
	for i, o := range f.g.out {
		f.dd[o] += gz[i]
	}
	for i := len(f.g.nodes) - 1; i >= 0; i-- {
		w := f.dd[i]
		if w == 0 {
			continue
		}
		switch n := f.g.nodes[i]; n.op {
		case opConst:
		case opT:
			gt += w
		case opX:
			if gx != nil {
				gx[n.a] += w
			}
		case opTheta:
			if gth != nil {
				gth[n.a] += w
			}
		case opAdd, opSub, opMul, opDiv:
			da, db := f.g.partials(i, f.v)
			f.dd[n.a] += w * da
			f.dd[n.b] += w * db
		default:
			da, _ := f.g.partials(i, f.v)
			f.dd[n.a] += w * da
		}
	}
	return gt
}

// JVP implements system.Func.
func (f *fn) JVP(dz []float64, t float64, x, th []float64, dt float64, dx, dth []float64) {
	f.eval(t, x, th)
	for i, n := range f.g.nodes {
		f.d[i] = 0
		switch n.op {
		case opConst:
		case opT:
			f.d[i] = dt
		case opX:
			if dx != nil {
				f.d[i] = dx[n.a]
			}
		case opTheta:
			if dth != nil {
				f.d[i] = dth[n.a]
			}
		case opAdd, opSub, opMul, opDiv:
			da, db := f.g.partials(i, f.v)
			f.d[i] = da*f.d[n.a] + db*f.d[n.b]
		default:
			da, _ := f.g.partials(i, f.v)
			f.d[i] = da * f.d[n.a]
		}
	}
	for i, o := range f.g.out {
		dz[i] = f.d[o]
	}
}
