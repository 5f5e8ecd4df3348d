package train

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
)

// Fits of a line through points with a price on its slope have solutions on paper.
func TestRegularisation(t *testing.T) {
	// y = 2 t at 0, 1, …, 4 with the value at 0 known: the slope b is least of Σ (b t − 2 t)² + price, Σ t² = 30.
	data := func() *Data {
		d := &Data{Columns: []Column{{Name: "y"}}}
		for i := range 5 {
			d.Times = append(d.Times, float64(i))
			d.Columns[0].Values = append(d.Columns[0].Values, 2*float64(i))
		}
		return d
	}
	sys := line(0, 1)
	free, err := Select(sys, sys.Defaults(), []string{"slope"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		kind   string
		values map[string]float64
		want   float64
		tol    float64
	}{
		{"ridge", "l2", map[string]float64{"weight": 10}, 60. / 40, 1e-6},
		{"lasso", "l1", map[string]float64{"weight": 12, "eps": 1e-7}, (60. - 6) / 30, 1e-6},
		{"lasso to 0", "l1", map[string]float64{"weight": 150}, 0, 2e-4},
		{"none", "l2", map[string]float64{"weight": 0}, 2, 1e-6},
	} {
		for _, stages := range [][]Stage{nil, {mustStage(t, "lbfgs", nil)}, {mustStage(t, "adam", map[string]float64{"rate": 0.05, "iters": 2000})}} {
			s := Spec{Sys: sys, Free: free, Data: data(), Stages: stages, Regularise: []Regular{{Name: "slope", Kind: c.kind, Values: c.values}}}
			s.Problem.Rtol, s.Problem.Atol = 1e-10, 1e-10
			r := fit(t, s)
			b := r.Theta[1]
			tol := c.tol
			if stages != nil && stages[0].Optimiser.Name == "adam" {
				tol = 5e-3
			}
			price := c.values["weight"] * b * b
			if c.kind == "l1" {
				price = c.values["weight"] * math.Abs(b)
			}
			sse := 30 * (b - 2) * (b - 2)
			if math.Abs(b-c.want) > tol || math.Abs(r.Loss-sse) > 1e-6*(1+sse) || math.Abs(r.Report.Penalty-price) > 2e-2 {
				t.Errorf("%s by %v: %v, loss %v (%v), price %v (%v); want %v", c.name, r.Report.Optimisers, b, r.Loss, sse, r.Report.Penalty, price, c.want)
			}
			last := r.History[len(r.History)-1].Best
			if math.Abs(last-r.Loss-r.Report.Penalty) > 1e-8*(1+last) || r.Report.Train.Loss != r.Loss {
				t.Errorf("%s: the history ends at %v, loss and price are %v and %v", c.name, last, r.Loss, r.Report.Penalty)
			}
			if c.values["weight"] > 0 && !strings.Contains(r.Report.String(), "beside the loss") {
				t.Errorf("%v", r.Report)
			}
		}
	}
	for _, c := range []struct {
		of   Regular
		want string
	}{
		{Regular{Name: "slop", Kind: "l2"}, "slop cannot have a price: the model has no such"},
		{Regular{Name: "start", Kind: "l2"}, "start cannot have a price: it is not free"},
		{Regular{Name: "slope", Kind: "l3"}, "l3: there is no such regulariser; there are l1, l2"},
		{Regular{Name: "slope", Kind: "l2", Values: map[string]float64{"weight": -1}}, "l2(weight): it must be a number, at least 0, not -1"},
	} {
		_, err := Fit(context.Background(), Spec{Sys: sys, Free: free, Data: data(), Regularise: []Regular{c.of}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// The derivatives of prices are those of differences, on bounded variables too.
func TestPricesAreDifferentiated(t *testing.T) {
	for i := range regularisers {
		row := &regularisers[i]
		for _, th := range []float64{-3, -1e-3, 0, 2e-4, 1, 40} {
			const eps = 1e-3
			v, d := row.root(th, eps)
			h := 1e-5 * math.Max(math.Abs(th), eps)
			up, _ := row.root(th+h, eps)
			down, _ := row.root(th-h, eps)
			if math.Abs((up-down)/(2*h)-d) > 1e-6*math.Abs(d) {
				t.Errorf("%s at %v: derivative %v, by differences %v", row.Name, th, d, (up-down)/(2*h))
			}
			want := th * th
			if row.Name == "l1" {
				want = math.Hypot(th, eps) - eps
			}
			if math.Abs(v*v-want) > 1e-12*(1+want) {
				t.Errorf("%s at %v: %v, want %v", row.Name, th, v*v, want)
			}
		}
		if row.Doc == "" || row.Cite == "" {
			t.Errorf("%s lacks doc or citation", row.Name)
		}
	}
	s := peltsSpec(1.1)
	s.Regularise = []Regular{{"alpha", "l1", map[string]float64{"weight": 0.3}}, {"beta", "l2", map[string]float64{"weight": 20}}}
	var err error
	th := append([]float64(nil), s.Theta...)
	if s.Free, err = Select(s.Sys, th, nil, 1900); err != nil {
		t.Fatal(err)
	}
	s.Free[0].Lo, s.Free[0].Hi = 0.1, 2
	f, err := prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	o := f.objective(f.phases[0]).(*regularised)
	u := f.trial.start()
	n := len(u)
	g, two := make([]float64, n), make([]float64, n)
	if _, err := o.Eval(context.Background(), u, g); err != nil {
		t.Fatal(err)
	}
	rows, _ := o.Squares()
	r, j := make([]float64, rows), make([]float64, rows*n)
	if ok, err := o.Residuals(context.Background(), u, r); !ok || err != nil {
		t.Fatal(err)
	}
	if ok, err := o.Jacobian(context.Background(), u, j); !ok || err != nil {
		t.Fatal(err)
	}
	for k := range u {
		at := append([]float64(nil), u...)
		const h = 1e-5
		at[k] = u[k] + h
		up, _ := o.Eval(context.Background(), at, nil)
		at[k] = u[k] - h
		down, _ := o.Eval(context.Background(), at, nil)
		for i, v := range r {
			two[k] += 2 * v * j[i*n+k]
		}
		if d := (up - down) / (2 * h); math.Abs(d-g[k]) > 1e-5*norm2(g) || math.Abs(two[k]-g[k]) > 1e-8*norm2(g) {
			t.Errorf("%d: %v, by differences %v, by residuals %v", k, g[k], d, two[k])
		}
	}
	var e *OptionError
	s.Compare.Kind, s.Stages = "huber", []Stage{mustStage(t, "lm", nil)}
	if _, err := Fit(context.Background(), s); !errors.As(err, &e) {
		t.Error(err)
	}
}

// The rounding of l1 is a share of the start that was given, with bounds too, and the same for all starts that are drawn.
func TestRoundingOfL1(t *testing.T) {
	sys := line(0, 1)
	spec := func(given, lo, hi float64) *Spec {
		d := &Data{Columns: []Column{{Name: "y"}}}
		for i := range 5 {
			d.Times = append(d.Times, float64(i))
			d.Columns[0].Values = append(d.Columns[0].Values, 2*float64(i))
		}
		th := sys.Defaults()
		th[1] = given
		free, err := Select(sys, th, []string{"slope"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		free[0].Lo, free[0].Hi = lo, hi
		return &Spec{Sys: sys, Theta: th, Free: free, Data: d, Regularise: []Regular{{Name: "slope", Kind: "l1"}}}
	}
	inf := math.Inf(1)
	for _, c := range []struct{ given, lo, hi, want float64 }{
		{3, -inf, inf, 3e-4}, {-3, -inf, inf, 3e-4}, {3, 0, 1e4, 3e-4}, {3, 2, inf, 3e-4}, {0, -inf, inf, 1e-4}, {0, 0, inf, 1e-4}, {0, 0, 20, 2e-3}, {0, -2, 2, 4e-4},
	} {
		for k := range 3 {
			b := from(context.Background(), spec(c.given, c.lo, c.hi), k)
			if b.err != nil {
				t.Fatal(b.err)
			}
			if eps := b.f.priced[0].eps; math.Abs(eps/c.want-1) > 1e-12 {
				t.Errorf("start %v in %v..%v, number %d: eps %v, want %v", c.given, c.lo, c.hi, k, eps, c.want)
			}
		}
	}
}
