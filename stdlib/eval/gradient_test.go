package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/stdlib/value"
)

// reference is one file of independent gradients (23 digits, by quadruple-precision integrators).
type reference struct {
	Names    []string  `json:"parameter_names"`
	Params   []float64 `json:"parameters"`
	Initial  []float64 `json:"initial"`
	Loss     float64   `json:"loss_value"`
	Gradient []float64 `json:"gradient"`
	Rows     []struct {
		T      float64   `json:"t"`
		Target []float64 `json:"target"`
	} `json:"rows"`
}

func load(t *testing.T, name string) reference {
	t.Helper()
	b, err := os.ReadFile("../../runtime/sens/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// weights writes layers of a network as a set of arrays, row-major weights then biases.
func weights(p []float64, sizes ...int) string {
	var b strings.Builder
	for k := 1; k < len(sizes); k++ {
		in, out := sizes[k-1], sizes[k]
		rows := make([]string, out)
		for i := range rows {
			rows[i] = list(p[i*in : (i+1)*in])
		}
		p = p[in*out:]
		fmt.Fprintf(&b, ", U.W%d: [%s], U.b%d: %s", k, strings.Join(rows, ", "), k, list(p[:out]))
		p = p[out:]
	}
	return b.String()
}

func list(v []float64) string {
	s := make([]string, len(v))
	for i := range v {
		s[i] = value.Format(v[i])
	}
	return "[" + strings.Join(s, ", ") + "]"
}

// The gradients of the reference problems, written in the language, by both methods at 1e-11: every component
// within 1e-7 of the largest.
func TestReferenceGradients(t *testing.T) {
	lv, node, ude := load(t, "lv"), load(t, "neural_ode_2_8_2_tanh"), load(t, "ude_lv_tanh_2_5_5_5_2")
	for _, c := range []struct {
		name, model, set, loss string
		ref                    reference
		keys                   []string
	}{
		{"lv", "model M { param alpha = 1.5, beta = 1, gamma = 3, delta = 1; state x = 1, y = 1; x' = alpha*x - beta*x*y; y' = delta*x*y - gamma*y }", "x: 1",
			"s -> sum((s.x - 1)^2)", lv, []string{"alpha", "beta", "gamma", "delta", "x", "y"}},
		{"neural ODE", "model M { state u[2] = [2, 0]; unknown U(u) -> (a, b) = NN(hidden = [8], act = tanh, scale = 1); u' = U(u) }", "u: [2, 0]" + weights(node.Params, 2, 8, 2),
			"s -> sum((s.u - target)^2)", node, []string{"U.W1", "U.b1", "U.W2", "U.b2", "u"}},
		{"UDE", "model M { param alpha = 1.3, delta = 1.8; state x = 0.44249296, y = 4.6280594; unknown U(x, y) -> (a, b) = NN(hidden = [5, 5, 5], act = tanh, scale = 1); let (a, b) = U(x, y); x' = alpha*x + a; y' = -delta*y + b }",
			"x: 0.44249296" + weights(ude.Params[2:], 2, 5, 5, 5, 2), "s -> sum((s.x - target[.., 1])^2) + sum((s.y - target[.., 2])^2)", ude,
			[]string{"alpha", "delta", "U.W1", "U.b1", "U.W2", "U.b2", "U.W3", "U.b3", "U.W4", "U.b4", "x", "y"}},
	} {
		for _, how := range []string{"discrete", "forward", "interpolating", "quadrature", "backsolve", "auto"} {
			var times []float64
			rows := make([]string, len(c.ref.Rows))
			for i, r := range c.ref.Rows {
				times = append(times, r.T)
				rows[i] = list(r.Target)
			}
			end := times[len(times)-1]
			text := fmt.Sprintf("%s\ntarget = [%s]\ng = grad(M, t = 0..%g at %s, loss = %s, set = {%s}, rtol = 1e-11, atol = 1e-11, solver = Vern7, adjoint = %s)",
				c.model, strings.Join(rows, ", "), end, list(times), c.loss, c.set, how)
			in, _ := session(t)
			if err := in.Run(context.Background(), diag.NewSource("m", text)); err != nil {
				t.Fatal(c.name, err)
			}
			v, _ := in.Var("g")
			g := v.(*value.Gradient)
			var got []float64
			for _, k := range c.keys {
				a, ok := g.Get(k)
				if !ok {
					t.Fatalf("%s: no %s", c.name, k)
				}
				got = append(got, a.(*value.Array).Data...)
			}
			worst, scale := 0.0, 0.0
			for i, w := range c.ref.Gradient {
				scale = math.Max(scale, math.Abs(w))
				worst = math.Max(worst, math.Abs(got[i]-w))
			}
			t.Logf("%s, %s: loss off by %.1e, gradient by %.1e of the largest component", c.name, how, math.Abs(g.Loss-c.ref.Loss)/c.ref.Loss, worst/scale)
			if !(worst <= 1e-7*scale) || !(math.Abs(g.Loss-c.ref.Loss) <= 1e-8*c.ref.Loss) {
				t.Errorf("%s, %s: gradient off by %g, loss by %g", c.name, how, worst/scale, g.Loss-c.ref.Loss)
			}
		}
	}
}
