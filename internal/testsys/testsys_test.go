package testsys

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/runtime/system"
)

// everything uses every operation once.
func everything() system.Func {
	return Func(2, 2, func(t Expr, x, th []Expr) []Expr {
		a := x[0].Mul(th[0]).Add(t.Sin()).Sub(x[1].Div(th[1]))
		b := a.Mul(a).Plus(1).Sqrt().Log()
		return []Expr{b.Add(a.Cos()), x[0].Tanh().Mul(th[1].Neg().Exp()), t.Times(2)}
	})
}

func TestDerivativesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		num := func(name string) float64 { return rapid.Float64Range(0.5, 2).Draw(t, name) }
		vec := func(name string, n int) []float64 {
			v := make([]float64, n)
			for i := range v {
				v[i] = num(name)
			}
			return v
		}
		f := everything()
		check(t, f, num("t"), vec("x", 2), vec("th", 2), vec("dx", 2), vec("dth", 2), vec("gz", 3), num("dt"))
		// The tangent is again a function with derivatives, and so is its tangent.
		tan := f.Tangent()
		check(t, tan, num("t"), vec("x", 4), vec("th", 4), vec("dx", 4), vec("dth", 4), vec("gz", 3), num("dt"))

		x, th, dx, dth := vec("x", 2), vec("th", 2), vec("dx", 2), vec("dth", 2)
		want, got := make([]float64, 3), make([]float64, 3)
		f.JVP(want, 0.3, x, th, 0, dx, dth)
		tan.Eval(got, 0.3, append(x, dx...), append(th, dth...))
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-13*(1+math.Abs(want[i])) {
				t.Fatalf("tangent %v, JVP %v", got, want)
			}
		}
	})
}

func check(t *rapid.T, f system.Func, tt float64, x, th, dx, dth, gz []float64, dt float64) {
	dz, p, m := make([]float64, 3), make([]float64, 3), make([]float64, 3)
	f.JVP(dz, tt, x, th, dt, dx, dth)
	const h = 1e-6
	at := func(z []float64, s float64) {
		y, w := append([]float64(nil), x...), append([]float64(nil), th...)
		for i := range y {
			y[i] += s * dx[i]
		}
		for i := range w {
			w[i] += s * dth[i]
		}
		f.Eval(z, tt+s*dt, y, w)
	}
	at(p, h)
	at(m, -h)
	for i := range dz {
		if d := (p[i] - m[i]) / (2 * h); math.Abs(d-dz[i]) > 1e-6*(1+math.Abs(d)+math.Abs(m[i])) {
			t.Fatalf("JVP %v, differences %v", dz[i], d)
		}
	}
	gx, gth := make([]float64, len(x)), make([]float64, len(th))
	gt := f.Clone().VJP(gx, gth, tt, x, th, gz)
	lhs, rhs, size := 0.0, gt*dt, 1.0
	for i := range dz {
		lhs += gz[i] * dz[i]
		size += math.Abs(gz[i] * dz[i])
	}
	for i := range gx {
		rhs += gx[i] * dx[i]
		size += math.Abs(gx[i] * dx[i])
	}
	for i := range gth {
		rhs += gth[i] * dth[i]
		size += math.Abs(gth[i] * dth[i])
	}
	if math.Abs(lhs-rhs) > 1e-12*size {
		t.Fatalf("gz·JVP = %v, VJP·(dx, dθ) = %v", lhs, rhs)
	}
}
