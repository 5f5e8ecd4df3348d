package ir

import "github.com/udl-lang/udl/lang/types"

// The derivatives of the operations that are not elementwise. All but products, extremes and
// registered functions are linear in each argument.

var reshapeRule = Rule{
	JVP: func(g *Graph, n ID, _, t []ID) ID {
		if t[0] == None {
			return None
		}
		return g.Reshape(t[0], g.Shape(n))
	},
	VJP: func(g *Graph, n ID, ct ID) []ID { return []ID{g.Reshape(ct, g.Shape(g.Nodes[n].Args[0]))} },
}

var gatherRule = Rule{
	JVP: func(g *Graph, n ID, _, t []ID) ID {
		if t[0] == None {
			return None
		}
		return g.Gather(t[0], g.Nodes[n].Ints, g.Shape(n))
	},
	VJP: func(g *Graph, n ID, ct ID) []ID {
		a := g.Nodes[n].Args[0]
		if g.Shape(a).IsScalar() {
			return []ID{g.Sum(ct)}
		}
		return []ID{g.Scatter(ct, g.Nodes[n].Ints, g.Shape(a))}
	},
}

var scatterRule = Rule{
	JVP: func(g *Graph, n ID, _, t []ID) ID {
		if t[0] == None {
			return None
		}
		return g.Scatter(t[0], g.Nodes[n].Ints, g.Shape(n))
	},
	VJP: func(g *Graph, n ID, ct ID) []ID {
		return []ID{g.Gather(ct, g.Nodes[n].Ints, g.Shape(g.Nodes[n].Args[0]))}
	},
}

var concatRule = Rule{
	JVP: func(g *Graph, _ ID, args, t []ID) ID {
		parts, any := make([]ID, len(args)), false
		for i, p := range t {
			parts[i] = p
			if p == None {
				parts[i] = g.Fill(g.Shape(args[i]), 0)
				continue
			}
			any = true
		}
		if !any {
			return None
		}
		return g.Concat(parts...)
	},
	VJP: func(g *Graph, n ID, ct ID) []ID {
		args := g.Nodes[n].Args
		out, off := make([]ID, len(args)), 0
		for i, a := range args {
			s := g.Shape(a)
			out[i] = g.Gather(ct, count(off, s.Size()), s)
			off += s.Size()
		}
		return out
	},
}

// count lists n numbers from lo.
func count(lo, n int) []int {
	idx := make([]int, n)
	for i := range idx {
		idx[i] = lo + i
	}
	return idx
}

var matmulRule = Rule{
	JVP: func(g *Graph, n ID, x, t []ID) ID {
		ta, tb := g.Nodes[n].Ints[0] == 1, g.Nodes[n].Ints[1] == 1
		sum := None
		if t[0] != None {
			sum = g.MatMul(t[0], x[1], ta, tb)
		}
		if t[1] != None {
			sum = g.plus(sum, g.MatMul(x[0], t[1], ta, tb))
		}
		return sum
	},
	VJP: func(g *Graph, n ID, ct ID) []ID {
		a, b := g.Nodes[n].Args[0], g.Nodes[n].Args[1]
		ta, tb := g.Nodes[n].Ints[0] == 1, g.Nodes[n].Ints[1] == 1
		va, vb := len(g.Shape(a)) == 1, len(g.Shape(b)) == 1
		outer := func(x, y ID, swap bool) ID {
			if swap {
				return g.Outer(y, x)
			}
			return g.Outer(x, y)
		}
		switch {
		case va && vb: // a·b
			return []ID{g.Mul(ct, b), g.Mul(ct, a)}
		case vb: // A b
			return []ID{outer(ct, b, ta), g.MatMul(a, ct, !ta, false)}
		case va: // aᵀ B
			return []ID{g.MatMul(b, ct, tb, false), outer(a, ct, tb)}
		}
		ga, gb := None, None
		if ta {
			ga = g.MatMul(b, ct, tb, true)
		} else {
			ga = g.MatMul(ct, b, false, !tb)
		}
		if tb {
			gb = g.MatMul(ct, a, true, ta)
		} else {
			gb = g.MatMul(a, ct, !ta, false)
		}
		return []ID{ga, gb}
	},
}

var outerRule = Rule{
	JVP: func(g *Graph, _ ID, x, t []ID) ID {
		sum := None
		if t[0] != None {
			sum = g.Outer(t[0], x[1])
		}
		if t[1] != None {
			sum = g.plus(sum, g.Outer(x[0], t[1]))
		}
		return sum
	},
	VJP: func(g *Graph, n ID, ct ID) []ID {
		a, b := g.Nodes[n].Args[0], g.Nodes[n].Args[1]
		return []ID{g.MatMul(ct, b, false, false), g.MatMul(ct, a, true, false)}
	},
}

// spread repeats a reduced array along the axes that the reduction removed.
func (g *Graph) spread(a ID, shape types.Shape, axes []int) ID {
	drop := map[int]bool{}
	for _, d := range axes {
		drop[d] = true
	}
	dims, k := make([]int, len(shape)), 0
	for d := range shape {
		dims[d] = -1
		if !drop[d] {
			dims[d] = k
			k++
		}
	}
	return g.Expand(a, shape, dims)
}

var sumRule = Rule{
	JVP: func(g *Graph, n ID, _, t []ID) ID {
		if t[0] == None {
			return None
		}
		return g.Reduce(OpSum, t[0], g.Nodes[n].Ints...)
	},
	VJP: func(g *Graph, n ID, ct ID) []ID {
		return []ID{g.spread(ct, g.Shape(g.Nodes[n].Args[0]), g.Nodes[n].Ints)}
	},
}

// prodRule multiplies by the product of the other factors, so that zeros among them are no
// special case, in derivatives of any order.
var prodRule = Rule{
	JVP: func(g *Graph, n ID, x, t []ID) ID {
		if t[0] == None {
			return None
		}
		return g.Reduce(OpSum, g.Mul(t[0], g.others(x[0], g.Nodes[n].Ints)), g.Nodes[n].Ints...)
	},
	VJP: func(g *Graph, n ID, ct ID) []ID {
		a, axes := g.Nodes[n].Args[0], g.Nodes[n].Ints
		return []ID{g.Mul(g.spread(ct, g.Shape(a), axes), g.others(a, axes))}
	},
}

// others is, for each element of a, the product of the others that a reduction over the axes
// multiplies it with: the product of those before by the product of those after, each a scan in
// log₂ n multiplications of arrays (Hillis and Steele, Data parallel algorithms, CACM 29, 1986).
func (g *Graph) others(a ID, axes []int) ID {
	s := g.Shape(a)
	line, at := lines(s, axes)
	longest := 0
	for _, l := range line {
		longest = max(longest, len(l))
	}
	// scan multiplies, at each element, all that lie dir·1, dir·2, … places further on its line.
	scan := func(dir int) ID {
		shift := func(x ID, by int) ID {
			idx := make([]int, s.Size())
			for k := range idx {
				l, i := line[at[k][0]], at[k][1]+dir*by
				idx[k] = s.Size() // the 1 after the last element
				if i >= 0 && i < len(l) {
					idx[k] = l[i]
				}
			}
			return g.Gather(g.Concat(x, g.Num(1)), idx, s)
		}
		p := shift(a, 1)
		for by := 1; by < longest-1; by *= 2 {
			p = g.Mul(p, shift(p, by))
		}
		return p
	}
	return g.Mul(scan(-1), scan(1))
}

// lines lists, for each element of a reduction's result, the flat positions it is reduced from,
// and for each position its line and place there.
func lines(s types.Shape, axes []int) (line [][]int, at [][2]int) {
	to, n := reduceMap(s, axes)
	line, at = make([][]int, n), make([][2]int, s.Size())
	for k, o := range to {
		at[k] = [2]int{o, len(line[o])}
		line[o] = append(line[o], k)
	}
	return line, at
}

// ReduceMap gives for each flat position of a reduction's argument the position in its result.
func (g *Graph) ReduceMap(n *Node) []int {
	to, _ := reduceMap(g.Shape(n.Args[0]), n.Ints)
	return to
}

// reduceMap gives for each flat position of an array the position in the result of a reduction
// over the axes, and the result's size.
func reduceMap(s types.Shape, axes []int) (to []int, size int) {
	stride := make([]int, len(s))
	for d := range stride {
		stride[d] = -1
	}
	for _, d := range axes {
		stride[d] = 0
	}
	size = 1
	for d := len(s) - 1; d >= 0; d-- {
		if stride[d] < 0 {
			stride[d] = size
			size *= s[d]
		}
	}
	to = make([]int, s.Size())
	for k := range to {
		rem, o := k, 0
		for d := len(s) - 1; d >= 0; d-- {
			o += rem % s[d] * stride[d]
			rem /= s[d]
		}
		to[k] = o
	}
	return to, size
}

// extremeRule shares the derivative among the elements that equal the extreme.
var extremeRule = Rule{
	JVP: func(g *Graph, n ID, x, t []ID) ID {
		if t[0] == None {
			return None
		}
		axes := g.Nodes[n].Ints
		hit := g.Do(OpEq, x[0], g.spread(n, g.Shape(x[0]), axes))
		sum := g.Reduce(OpSum, g.Select(hit, t[0], g.Num(0)), axes...)
		return g.Div(sum, g.Reduce(OpSum, hit, axes...))
	},
	VJP: func(g *Graph, n ID, ct ID) []ID {
		a, axes := g.Nodes[n].Args[0], g.Nodes[n].Ints
		s := g.Shape(a)
		hit := g.Do(OpEq, a, g.spread(n, s, axes))
		share := g.Div(ct, g.Reduce(OpSum, hit, axes...))
		return []ID{g.Select(hit, g.spread(share, s, axes), g.Num(0))}
	},
}

// extRule takes the partial derivatives from the function's Grad, all at once.
var extRule = Rule{
	JVP: func(g *Graph, n ID, args, t []ID) ID {
		sum, grad := None, None
		for i := range args {
			if t[i] == None {
				continue
			}
			if part := g.extPartial(n, i); part != None {
				sum = g.plus(sum, g.Mul(t[i], part))
				continue
			}
			if grad == None {
				grad = g.extGrad(n)
			}
			sum = g.plus(sum, g.Mul(t[i], g.Gather(grad, []int{i}, nil)))
		}
		return sum
	},
	VJP: func(g *Graph, n ID, ct ID) []ID {
		out := make([]ID, len(g.Nodes[n].Args))
		grad := None
		for i := range out {
			if part := g.extPartial(n, i); part != None {
				out[i] = g.Mul(ct, part)
				continue
			}
			if grad == None {
				grad = g.extGrad(n)
			}
			out[i] = g.Mul(ct, g.Gather(grad, []int{i}, nil))
		}
		return out
	},
}

// extPartial is a partial derivative that is a function of its own; None where there is none.
func (g *Graph) extPartial(n ID, i int) ID {
	f := g.Nodes[n].Ext
	if f.Partial == nil {
		return None
	}
	return g.Call(f.Partial(i), g.Nodes[n].Args...)
}

func (g *Graph) extGrad(n ID) ID {
	f := g.Nodes[n].Ext
	return g.push(Node{Op: OpExtGrad, Args: g.Nodes[n].Args, Ext: f, Shape: types.Shape{len(g.Nodes[n].Args)}})
}
