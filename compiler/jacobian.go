package compiler

import (
	"math"
	"sync"

	"github.com/udl-lang/udl/compiler/ad"
	"github.com/udl-lang/udl/compiler/code"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/compiler/opt"
	"github.com/udl-lang/udl/runtime/sparse"
	"github.com/udl-lang/udl/runtime/system"
)

// ∂f/∂x, in the cheapest of four ways: its entries as straight-line code of their own, in which zeros are gone and the values are shared; the legs of stencils as
// arrays; its products with the seeds of a colouring as one graph of arrays, which keeps arrays in lanes; one directional derivative after the other.

const (
	// maxScalars is how many nodes a right-hand side may be, number by number, for its Jacobian to be written out entry by entry.
	maxScalars = 4000
	// maxEntryNodes bounds the Jacobian written out: more takes longer to make than many a solve.
	maxEntryNodes = 15000
	// maxProductNodes bounds the graph of products, whose nodes are arrays.
	maxProductNodes = 3000
	// maxProducts bounds the numbers of all products: beyond, they and their constants no longer stay in the caches, and one derivative after the other
	// reuses its memory.
	maxProducts = 1 << 15
	// cheap right-hand sides are not worth the comparison of ways.
	cheap = 400
)

// jacobians is what the Jacobians of a function have in common, made when one is first asked for.
type jacobians struct {
	once    sync.Once
	pattern *sparse.Pattern
	colors  *sparse.Coloring
	whole   *ir.Graph     // as ad.Entries gives it, optimised; nil where it is too large
	prog    *code.Program // of the entries, or of the numbers that they are made of, and of ∂f/∂t; nil for directional derivatives
	from    []int32       // where each entry is among those numbers; nil where prog gives the entries themselves
	adds    [][2]int32    // and what is added to some: entry, number
	numbers int           // how many there are
	seeds   [][]float64   // of directional derivatives
	err     error

	linear    sync.Once
	program   *code.Program // of whole
	linearErr error
}

// jacobian implements system.System.Jacobian for functions that have derivatives.
func (s *shared) jacobian() system.Jacobian {
	js := s.jacobians()
	if js.err != nil {
		// Compile offers no Jacobian for models whose functions have no derivative.
		panic(js.err)
	}
	return js.bind(s)
}

func (s *shared) jacobians() *jacobians {
	js := &s.jac
	js.once.Do(func() {
		js.pattern = s.places()
		js.colors = sparse.Color(js.pattern)
		js.err = js.choose(s)
	})
	return js
}

// places are those of the Jacobian's entries: the system's pattern, or all.
func (s *shared) places() *sparse.Pattern {
	if p := s.sys.Pattern; p != nil {
		return p
	}
	return sparse.DensePattern(s.nx)
}

// choose compiles the cheapest way.
func (js *jacobians) choose(s *shared) error {
	products, err := js.products(s)
	if err != nil {
		return err
	}
	if err := js.entries(s.g); err != nil {
		return err
	}
	legs, err := js.legs(s)
	if err != nil {
		return err
	}
	var g *ir.Graph
	best := math.MaxInt
	consider := func(c *ir.Graph, more int) bool {
		if c == nil || code.LaneCost(c)+more >= best {
			return false
		}
		g, best = c, code.LaneCost(c)+more
		return true
	}
	nnz := js.pattern.NNZ()
	if js.whole != nil {
		consider(without(js.whole, ad.VecValue), 0)
	}
	if consider(products, nnz) || g == nil {
		js.numbers, js.adds = js.colors.Groups()*s.nz, nil
		js.from = js.ofProducts(s.nz)
	}
	if legs != nil && consider(legs.graph, nnz) {
		js.numbers, js.from, js.adds = legs.numbers, legs.from, legs.adds
	}
	if g == nil {
		js.seeds = make([][]float64, js.colors.Groups())
		for q := range js.seeds {
			js.seeds[q] = make([]float64, s.nx)
			js.colors.Seed(q, js.seeds[q])
		}
	}
	if g != nil {
		js.prog, err = code.CompileWith(g, s.how)
	}
	return err
}

// ofProducts says where each entry is among the products with the seeds.
func (js *jacobians) ofProducts(nz int) []int32 {
	from := make([]int32, js.pattern.NNZ())
	for j := range js.pattern.N() {
		rows, first := js.pattern.Column(j)
		for k, r := range rows {
			from[first+k] = int32(js.colors.Group(j)*nz) + r
		}
	}
	return from
}

// products is the graph of ad.Products; nil where the entries are sure to be cheaper, or the graph would be too large.
func (js *jacobians) products(s *shared) (*ir.Graph, error) {
	cost, ok := code.Cost(s.g)
	n := js.colors.Groups()
	if ok && cost <= cheap || n*len(s.g.Nodes) > maxProductNodes || n*s.nz > maxProducts {
		return nil, nil
	}
	g, err := ad.Products(s.g, s.nz, js.colors)
	if err != nil {
		return nil, err
	}
	return opt.Run(g), nil
}

// entries makes the graph of f and its Jacobian's entries, where that is not too large.
func (js *jacobians) entries(g *ir.Graph) error {
	flat, ok := opt.Scalars(g, maxScalars)
	if !ok || js.pattern.NNZ() > maxEntryNodes/2 {
		return nil
	}
	whole, err := ad.Entries(flat, js.pattern, js.colors)
	if err != nil {
		return err
	}
	if len(whole.Nodes) <= maxEntryNodes {
		js.whole = opt.Run(whole)
	}
	return nil
}

// without is a graph without a result vector; those after it move up.
func without(g *ir.Graph, vec int) *ir.Graph {
	h := ir.New()
	part := &ir.Graph{Nodes: g.Nodes, Inputs: g.Inputs}
	for _, o := range g.Outputs {
		if o.Vec != vec {
			part.Outputs = append(part.Outputs, o)
		}
	}
	to := h.Embed(part)
	for _, o := range part.Outputs {
		o.Node = to[o.Node]
		if o.Vec > vec {
			o.Vec--
		}
		h.Output(o)
	}
	return h
}

// jacobian implements system.Jacobian.
type jacobian struct {
	js      *jacobians
	f       *fn // where there is no program: of which the directional derivatives are taken
	run     derived
	t       [1]float64
	th      []float64
	stale   bool      // th is not prepared yet
	numbers []float64 // that entries are made of
	unused  []float64 // where an unwanted ∂f/∂t goes
}

var _ system.Jacobian = (*jacobian)(nil)

func (js *jacobians) bind(s *shared) *jacobian {
	j := &jacobian{js: js, th: make([]float64, s.nth), stale: true, unused: make([]float64, s.nz)}
	if js.from != nil {
		j.numbers = make([]float64, js.numbers)
	}
	if js.prog == nil {
		j.f, j.numbers = s.bind(), make([]float64, s.nz)
		return j
	}
	j.run.Exec = js.prog.New()
	j.run.in[ir.BankT], j.run.in[ir.BankTheta] = j.t[:], j.th
	j.run.out[0] = j.numbers
	j.run.changed = code.All
	return j
}

// Prepare implements system.Jacobian.
func (j *jacobian) Prepare(th []float64) {
	copy(j.th, th)
	j.stale = true
}

// Eval implements system.Jacobian.
func (j *jacobian) Eval(v, ft []float64, t float64, x []float64) {
	if j.js.prog == nil {
		j.directional(v, ft, t, x)
		return
	}
	if j.stale {
		j.run.Prepare(&j.run.in)
		j.stale = false
	}
	if ft == nil {
		ft = j.unused
	}
	j.t[0] = t
	j.run.reads(ir.BankX, x)
	j.run.writes(1, ft)
	if j.js.from == nil {
		j.run.writes(0, v)
		j.run.run()
		return
	}
	j.run.run()
	j.recover(v)
}

// recover makes the entries of the numbers.
func (j *jacobian) recover(v []float64) {
	p := j.numbers
	from := j.js.from
	v = v[:len(from)]
	for k, i := range from {
		v[k] = p[i]
	}
	for _, a := range j.js.adds {
		v[a[0]] += p[a[1]]
	}
}

// directional takes one directional derivative after the other.
func (j *jacobian) directional(v, ft []float64, t float64, x []float64) {
	if j.stale {
		j.f.Prepare(j.th)
		j.stale = false
	}
	for q, seed := range j.js.seeds {
		j.f.JVP(j.numbers, t, x, nil, 0, seed, nil)
		j.js.colors.Recover(q, j.numbers, v)
	}
	if ft != nil {
		j.f.JVP(ft, t, x, nil, 1, nil, nil)
	}
}
