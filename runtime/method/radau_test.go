package method

import (
	"math"
	"testing"
)

// The closed form of order 5, its eigenvalues and error weights: Hairer and Wanner, sections IV.5 and IV.8.
func TestRadau5ClosedForm(t *testing.T) {
	tab := radau.Tableau(5)
	r := math.Sqrt(6)
	gamma := 1 / ((6 + math.Pow(81, 1./3) - math.Pow(9, 1./3)) / 30)
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 4e-15*math.Max(1, math.Abs(want)) {
			t.Errorf("%s = %.17g, want %.17g", name, got, want)
		}
	}
	for i, row := range [][]float64{
		{(88 - 7*r) / 360, (296 - 169*r) / 1800, (-2 + 3*r) / 225},
		{(296 + 169*r) / 1800, (88 + 7*r) / 360, (-2 - 3*r) / 225},
		{(16 - r) / 36, (16 + r) / 36, 1. / 9},
	} {
		for j, want := range row {
			near("A", tab.A[i][j], want)
		}
	}
	for i, want := range []float64{(4 - r) / 10, (4 + r) / 10, 1} {
		near("C", tab.C[i], want)
	}
	for i, want := range []float64{-(13 + 7*r) / 3, (-13 + 7*r) / 3, -1. / 3} {
		near("E", tab.E[i], want)
	}
	near("γ", tab.Gamma, gamma)
	near("α", tab.Alpha[0], 2.6810828736277521339)
	near("β", tab.Beta[0], 3.0504301992474105694)
}

// B(2s−1), C(s), D(s−1), which together are order 2s − 1 (Butcher); stiff accuracy and with it R(∞) = 0.
func TestRadauConditions(t *testing.T) {
	for _, order := range radau.Orders() {
		tab := radau.Tableau(order)
		s := tab.Stages
		if order != 2*s-1 || tab.Order != order || tab.C[s-1] != 1 {
			t.Errorf("order %d: %d stages, last abscissa %v", order, s, tab.C[s-1])
		}
		b := tab.A[s-1]
		worst := 0.0
		sum := func(terms func(i int) float64) (v float64) {
			for i := range s {
				v += terms(i)
			}
			return v
		}
		pow := func(i, k int) float64 { return math.Pow(tab.C[i], float64(k)) }
		for k := 1; k <= 2*s-1; k++ {
			worst = math.Max(worst, math.Abs(sum(func(i int) float64 { return b[i] * pow(i, k-1) })-1/float64(k)))
		}
		if d := math.Abs(sum(func(i int) float64 { return b[i] * pow(i, 2*s-1) }) - 1/float64(2*s)); d < 1e-10 {
			t.Errorf("order %d: B(2s) holds to %.1e, which cannot be", order, d)
		}
		for k := 1; k <= s; k++ {
			for i := range s {
				worst = math.Max(worst, math.Abs(sum(func(j int) float64 { return tab.A[i][j] * pow(j, k-1) })-pow(i, k)/float64(k)))
			}
		}
		for k := 1; k <= s-1; k++ {
			for j := range s {
				worst = math.Max(worst, math.Abs(sum(func(i int) float64 { return b[i] * pow(i, k-1) * tab.A[i][j] })-b[j]*(1-pow(j, k))/float64(k)))
			}
		}
		t.Logf("order %d: B, C, D hold to %.1e", order, worst)
		if worst > 1e-15 {
			t.Errorf("order %d: B, C, D hold to %.1e only", order, worst)
		}
	}
}

func TestRadauBlocks(t *testing.T) {
	multiply := func(a, b [][]float64) [][]float64 {
		c := make([][]float64, len(a))
		for i := range c {
			c[i] = times(a[i], b)
		}
		return c
	}
	for _, order := range radau.Orders() {
		tab := radau.Tableau(order)
		s := tab.Stages
		want := make([][]float64, s)
		unit := make([][]float64, s)
		for i := range want {
			want[i], unit[i] = make([]float64, s), make([]float64, s)
			unit[i][i] = 1
		}
		want[0][0] = tab.Gamma
		for k, a := range tab.Alpha {
			i, b := 2*k+1, tab.Beta[k]
			want[i][i], want[i][i+1], want[i+1][i], want[i+1][i+1] = a, -b, b, a
			if b <= 0 || k > 0 && b <= tab.Beta[k-1] {
				t.Errorf("order %d: Beta is %v", order, tab.Beta)
			}
		}
		check := func(name string, got, want [][]float64) {
			worst := 0.0
			for i := range got {
				for j := range got[i] {
					worst = math.Max(worst, math.Abs(got[i][j]-want[i][j]))
				}
			}
			t.Logf("order %2d: %s to %.1e", order, name, worst)
			if worst > 1e-13 {
				t.Errorf("order %d: %s is %.1e off", order, name, worst)
			}
		}
		check("T⁻¹ A⁻¹ T", multiply(multiply(tab.TInv, tab.Inverse), tab.T), want)
		check("T⁻¹ T", multiply(tab.TInv, tab.T), unit)
		check("A⁻¹ A", multiply(tab.Inverse, tab.A), unit)
	}
}

// The collocation polynomial goes through all stages and reproduces powers of θ up to the number of stages; the error estimate vanishes for them.
func TestRadauDense(t *testing.T) {
	for _, order := range radau.Orders() {
		tab := radau.Tableau(order)
		worst, estimate := 0.0, 0.0
		for k := 1; k <= tab.Stages; k++ {
			for n := range 41 {
				theta := float64(n) / 40
				v := 0.0
				for i, row := range tab.Dense {
					w := 0.0
					for m := len(row) - 1; m >= 0; m-- {
						w = (w + row[m]) * theta
					}
					v += w * math.Pow(tab.C[i], float64(k))
				}
				worst = math.Max(worst, math.Abs(v-math.Pow(theta, float64(k))))
			}
			e := 0.0 // x = t^k: h f(0) is 1 for k = 1, else 0
			if k == 1 {
				e = 1
			}
			for i, w := range tab.E {
				e += w * math.Pow(tab.C[i], float64(k))
			}
			estimate = math.Max(estimate, math.Abs(e))
		}
		t.Logf("order %2d: the collocation polynomial to %.1e, the error estimate to %.1e", order, worst, estimate)
		if worst > 2e-13*float64(tab.Stages) || estimate > 1e-13 {
			t.Errorf("order %d: the collocation polynomial is %.1e off, the error estimate %.1e", order, worst, estimate)
		}
	}
	if radau.Tableau(7) != nil {
		t.Error("there is a method of order 7")
	}
}
