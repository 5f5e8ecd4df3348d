package testsys

import (
	"github.com/udl-lang/udl/runtime/system"
)

// LotkaVolterra is x' = αx − βxy, y' = δxy − γy with θ = (α, β, γ, δ, x0, y0).
func LotkaVolterra() *system.System {
	return System("LotkaVolterra", []string{"x", "y"},
		[]Param{{"alpha", 1.5}, {"beta", 1}, {"gamma", 3}, {"delta", 1}, {"x0", 1}, {"y0", 1}}, Last(2),
		func(_ Expr, x, th []Expr) []Expr {
			xy := x[0].Mul(x[1])
			return []Expr{
				th[0].Mul(x[0]).Sub(th[1].Mul(xy)),
				th[3].Mul(xy).Sub(th[2].Mul(x[1])),
			}
		})
}

// RigidBody is Euler's top: y1' = y2y3, y2' = −y1y3, y3' = −0.51y1y2 from (0, 1, 1).
func RigidBody() *system.System {
	return System("RigidBody", []string{"y1", "y2", "y3"}, []Param{{"k2", 0.51}}, Fixed(0, 1, 1),
		func(_ Expr, y, th []Expr) []Expr {
			return []Expr{y[1].Mul(y[2]), y[0].Mul(y[2]).Neg(), th[0].Mul(y[0]).Mul(y[1]).Neg()}
		})
}

// Lorenz is Lorenz' system of 1963 with θ = (σ, ρ, β) from (1, 1, 1).
func Lorenz() *system.System {
	return System("Lorenz", []string{"x", "y", "z"},
		[]Param{{"sigma", 10}, {"rho", 28}, {"beta", 8. / 3}}, Fixed(1, 1, 1),
		func(_ Expr, x, th []Expr) []Expr {
			return []Expr{
				th[0].Mul(x[1].Sub(x[0])),
				x[0].Mul(th[1].Sub(x[2])).Sub(x[1]),
				x[0].Mul(x[1]).Sub(th[2].Mul(x[2])),
			}
		})
}

// Robertson is the stiff kinetics of Robertson, θ = (k1, k2, k3, y1, y2, y3 at the start).
func Robertson() *system.System {
	return System("Robertson", []string{"y1", "y2", "y3"},
		[]Param{{"k1", 0.04}, {"k2", 3e7}, {"k3", 1e4}, {"y1_0", 1}, {"y2_0", 0}, {"y3_0", 0}}, Last(3),
		func(_ Expr, y, th []Expr) []Expr {
			a, b, c := th[0].Mul(y[0]), th[2].Mul(y[1]).Mul(y[2]), th[1].Mul(y[1]).Mul(y[1])
			return []Expr{b.Sub(a), a.Sub(b).Sub(c), c}
		})
}

// ProtheroRobinson is y' = −k(y − cos t) − a·sin t, whose solution from 1 is cos t for a = 1, however large k is.
func ProtheroRobinson() *system.System {
	return System("ProtheroRobinson", []string{"y"}, []Param{{"k", 1e6}, {"a", 1}, {"y0", 1}}, Last(1),
		func(t Expr, y, th []Expr) []Expr {
			return []Expr{th[0].Mul(t.Cos().Sub(y[0])).Sub(th[1].Mul(t.Sin()))}
		})
}

// Pleiades is the planar problem of seven stars of E. Hairer, S. P. Nørsett, G. Wanner, Solving
// Ordinary Differential Equations I, section II.10: masses 1 to 7, states x, y, x', y'.
func Pleiades() *system.System {
	x0 := []float64{3, 3, -1, -3, 2, -2, 2, 3, -3, 2, 0, 0, -4, 4,
		0, 0, 0, 0, 0, 1.75, -1.5, 0, 0, 0, -1.25, 1, 0, 0}
	var names []string
	for _, q := range []string{"x", "y", "u", "v"} {
		for i := range 7 {
			names = append(names, q+itoa(i+1))
		}
	}
	return System("Pleiades", names, nil, Fixed(x0...), func(_ Expr, s, _ []Expr) []Expr {
		z := make([]Expr, 28)
		copy(z, s[14:])
		for i := range 7 {
			ax, ay := s[0].Const(0), s[0].Const(0)
			for j := range 7 {
				if i == j {
					continue
				}
				dx, dy := s[j].Sub(s[i]), s[7+j].Sub(s[7+i])
				r2 := dx.Mul(dx).Add(dy.Mul(dy))
				w := r2.Const(float64(j + 1)).Div(r2.Mul(r2.Sqrt()))
				ax, ay = ax.Add(w.Mul(dx)), ay.Add(w.Mul(dy))
			}
			z[14+i], z[21+i] = ax, ay
		}
		return z
	})
}

// Arenstorf is the restricted three-body problem on Arenstorf's periodic orbit, as in
// E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, section II.0.
func Arenstorf() *system.System {
	return System("Arenstorf", []string{"x", "y", "u", "v"}, []Param{{"mu", 0.012277471}},
		Fixed(0.994, 0, 0, -2.0015851063790824),
		func(_ Expr, s, th []Expr) []Expr {
			x, y, mu := s[0], s[1], th[0]
			mu1 := mu.Neg().Plus(1)
			cube := func(dx Expr) Expr {
				r2 := dx.Mul(dx).Add(y.Mul(y))
				return r2.Mul(r2.Sqrt())
			}
			a, b := x.Add(mu), x.Sub(mu1)
			w1, w2 := mu1.Div(cube(a)), mu.Div(cube(b))
			return []Expr{
				s[2], s[3],
				x.Add(s[3].Times(2)).Sub(w1.Mul(a)).Sub(w2.Mul(b)),
				y.Sub(s[2].Times(2)).Sub(w1.Mul(y)).Sub(w2.Mul(y)),
			}
		})
}

// Layers is a chain of dense layers of the given widths with tanh between them. th holds W
// (out × in, row-major) and then b, layer by layer; used is how many it took.
func Layers(in []Expr, th []Expr, widths ...int) (out []Expr, used int) {
	for l, w := range widths {
		n := len(in)
		next := make([]Expr, w)
		for o := range w {
			s := th[used+w*n+o]
			for i := range in {
				s = s.Add(th[used+o*n+i].Mul(in[i]))
			}
			if l < len(widths)-1 {
				s = s.Tanh()
			}
			next[o] = s
		}
		used += w*n + w
		in = next
	}
	return in, used
}

// NeuralODE is u' = W2 tanh(W1 u + b1) + b2 with two states; the last two parameters are the
// initial state.
func NeuralODE(theta []float64, hidden int) *system.System {
	return System("NeuralODE", []string{"u1", "u2"}, Params("w", theta), Last(2),
		func(_ Expr, x, th []Expr) []Expr {
			z, _ := Layers(x, th, hidden, 2)
			return z
		})
}

// UDE is Lotka–Volterra with the interaction replaced by a network: x' = αx + N1(x, y),
// y' = −δy + N2(x, y), three hidden layers of five; θ = (α, δ, weights, x0, y0).
func UDE(theta []float64) *system.System {
	return System("UDE", []string{"x", "y"}, Params("w", theta), Last(2),
		func(_ Expr, x, th []Expr) []Expr {
			n, _ := Layers(x, th[2:], 5, 5, 5, 2)
			return []Expr{th[0].Mul(x[0]).Add(n[0]), n[1].Sub(th[1].Mul(x[1]))}
		})
}
