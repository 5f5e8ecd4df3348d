package method

import (
	"math"
	"math/cmplx"
	"testing"
)

// residual is that of the formula of order k for x = e^t, without f: Σ_{m≤k} ∇^m/m, with ∇ = 1 − e^(−h), must be h to order k.
func (m *BDF) residual(k int, nabla complex128) complex128 {
	s, p := complex(0, 0), complex(1, 0)
	for i := 1; i <= k; i++ {
		p *= nabla
		s += p / complex(float64(i), 0)
	}
	return s
}

func TestBDFOrder(t *testing.T) {
	m := &bdf
	for k := 1; k <= m.MaxOrder; k++ {
		h := 0.02
		nabla := 1 - math.Exp(-h)
		got := (h - real(m.residual(k, complex(nabla, 0)))) / math.Pow(nabla, float64(k+1))
		if want := 1 / float64(k+1); math.Abs(got-want) > 2*h {
			t.Errorf("order %d: error constant %v, measured %v", k, want, got)
		}
	}
}

// The angles of A(α)-stability, from the root locus, are those of Hairer and Wanner, Solving Ordinary Differential Equations II, table V.2.1.
func TestBDFAngles(t *testing.T) {
	m := &bdf
	for k, want := range []float64{0, 90, 90, 86, 73, 51} {
		if k == 0 {
			continue
		}
		alpha := 90.0
		for n := 1; n < 20000; n++ {
			z := m.residual(k, 1-cmplx.Exp(complex(0, -math.Pi*float64(n)/20000)))
			if real(z) < -1e-12 {
				alpha = math.Min(alpha, math.Atan2(imag(z), -real(z))*180/math.Pi)
			}
		}
		t.Logf("order %d: α = %.2f°", k, alpha)
		if alpha < want || alpha > want+1 { // they print whole degrees
			t.Errorf("order %d: α = %.2f°, want %v°", k, alpha, want)
		}
	}
}

// The generating functions of Adams' coefficients: Σ_{i≤k} γ_i/(k+1−i) = 1 and Σ_{i≤k} γ*_i/(k+1−i) = 0 for k > 0.
func TestAdamsCoefficients(t *testing.T) {
	m := &vcabm
	if len(m.Gamma) != m.MaxOrder+2 || len(m.GammaStar) != m.MaxOrder+2 {
		t.Fatalf("%d and %d coefficients", len(m.Gamma), len(m.GammaStar))
	}
	for k := range m.Gamma {
		s, star := -1.0, 0.0
		if k == 0 {
			star = -1
		}
		for i := 0; i <= k; i++ {
			s += m.Gamma[i] / float64(k+1-i)
			star += m.GammaStar[i] / float64(k+1-i)
		}
		if math.Abs(s) > 1e-15 || math.Abs(star) > 1e-15 {
			t.Errorf("k = %d: %v and %v are left over", k, s, star)
		}
	}
}

// Every method says what it is, when to use it and whence it comes; names are unique and found in any case.
func TestSolvers(t *testing.T) {
	seen := map[string]bool{}
	last := ExplicitRK
	for _, m := range Solvers() {
		i := m.Info()
		if i.Name == "" || i.Doc == "" || i.Cite == "" || i.Stability == "" || i.Order < 1 || i.Dense < 1 && i.Family != Automatic {
			t.Errorf("%s: %+v lacks something", i.Name, i)
		}
		if got, ok := Find(i.Name); !ok || got != m {
			t.Errorf("Find(%q) = %v, %v", i.Name, got, ok)
		}
		if seen[i.Name] {
			t.Errorf("%s is there twice", i.Name)
		}
		seen[i.Name] = true
		if i.Family < last {
			t.Errorf("%s: families are not together", i.Name)
		}
		last = i.Family
		if i.Mass && !i.Family.Implicit() && i.Family != Automatic {
			t.Errorf("%s: a %s method with mass matrices", i.Name, i.Family)
		}
	}
}
