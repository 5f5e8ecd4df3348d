package ir

// This file turns the chain rule of an elementwise operation into its JVP and VJP: both are
// the same product with the partial derivative, once pushed forward and once pulled back, so
// a rule is said once.

// chain makes c·∂n/∂x[i] for one argument i of the elementwise node n = f(x…); c has the
// shape of n or is a scalar, or it has the shape of the argument. None is zero.
type chain func(g *Graph, n ID, x []ID, c ID) ID

// linear is the rule of an operation whose chains multiply c by nothing that may not be finite.
func linear(cs ...chain) Rule { return elementwise(false, cs) }

// smooth is the rule of any other elementwise operation. A nil chain is a derivative of zero.
func smooth(cs ...chain) Rule { return elementwise(true, cs) }

// step is the rule of an operation of n arguments that is constant between jumps.
func step(n int) Rule { return elementwise(false, make([]chain, n)) }

func elementwise(gated bool, cs []chain) Rule {
	return Rule{
		JVP: func(g *Graph, n ID, args, tangents []ID) ID {
			sum := None
			for i, c := range cs {
				if c != nil && tangents[i] != None {
					sum = g.plus(sum, c(g, n, args, tangents[i]))
				}
			}
			return g.likeOf(sum, n)
		},
		VJP: func(g *Graph, n ID, ct ID) []ID {
			args := g.Nodes[n].Args
			out := make([]ID, len(args))
			for i, c := range cs {
				out[i] = None
				if c == nil || g.Nodes[args[i]].Op == OpConst {
					continue
				}
				d := c(g, n, args, ct)
				if d == None {
					continue
				}
				if gated && g.strong && d != ct {
					d = g.Select(g.Do(OpEq, ct, g.Num(0)), g.Num(0), d)
				}
				out[i] = g.pullBack(d, args[i])
			}
			return out
		},
	}
}

// Strong sets whether the VJP rules of elementwise operations give zero for a cotangent of
// zero whatever the partial derivative is, infinite or NaN included, and returns the previous setting. The cotangent of a branch
// that an `if` did not take is zero, and its partial derivatives often do not exist: of
// `if x == 0 then 1 else sin(x)/x` at 0, say. Elsewhere the two extra operations are not worth paying for.
func (g *Graph) Strong(on bool) bool {
	old := g.strong
	g.strong = on
	return old
}

// plus is a + b where either may be None.
func (g *Graph) plus(a, b ID) ID {
	switch {
	case a == None:
		return b
	case b == None:
		return a
	}
	return g.Add(a, b)
}

// likeOf repeats a scalar tangent over the shape of n.
func (g *Graph) likeOf(a, n ID) ID {
	if a == None || g.Shape(a).Equal(g.Shape(n)) {
		return a
	}
	return g.repeat(a, n)
}

// repeat is an array like n of copies of the scalar a.
func (g *Graph) repeat(a, n ID) ID {
	s := g.Shape(n)
	return g.Gather(a, make([]int, s.Size()), s)
}

// pullBack sums the cotangent of an argument that was a scalar beside arrays.
func (g *Graph) pullBack(d, arg ID) ID {
	if g.Shape(arg).IsScalar() && !g.Shape(d).IsScalar() {
		return g.Sum(d)
	}
	return d
}

// Uniform is the value of a constant whose elements are all the same.
func (g *Graph) Uniform(a ID) (float64, bool) {
	n := &g.Nodes[a]
	if n.Op != OpConst || len(n.Data) == 0 {
		return 0, false
	}
	for _, v := range n.Data {
		if v != n.Data[0] {
			return 0, false
		}
	}
	return n.Data[0], true
}

var selectRule = Rule{
	JVP: func(g *Graph, n ID, args, t []ID) ID {
		a, b := t[1], t[2]
		if a == None && b == None {
			return None
		}
		if a == None {
			a = g.Num(0)
		}
		if b == None {
			b = g.Num(0)
		}
		return g.likeOf(g.Select(args[0], a, b), n)
	},
	// Selecting, and not multiplying by 0 and 1, keeps the NaN of one branch out of the other.
	VJP: func(g *Graph, n ID, ct ID) []ID {
		x := g.Nodes[n].Args
		zero := g.Num(0)
		return []ID{None, g.pullBack(g.Select(x[0], ct, zero), x[1]), g.pullBack(g.Select(x[0], zero, ct), x[2])}
	},
}
