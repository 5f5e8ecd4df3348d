package train

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/system"
)

// observed is Lotka and Volterra's model with two lets: x y + alpha t, and x/(1 + y).
func observed() *system.System {
	sys := testsys.LotkaVolterra()
	sys.Outs = []system.Slot{{Name: "meet"}, {Name: "ratio", Off: 1}}
	sys.Output = testsys.Func(2, 6, func(t testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
		return []testsys.Expr{x[0].Mul(x[1]).Add(th[0].Mul(t)), x[0].Div(x[1].Plus(1))}
	})
	return sys
}

// someData is four times with three columns, two of them of lets, with holes.
func someData() *Data {
	nan := math.NaN()
	return &Data{Times: []float64{0, 1, 2.5, 4}, Columns: []Column{
		{Name: "hare", Values: []float64{1.1, nan, 0.4, 2}},
		{Name: "met", Values: []float64{0.9, 3, nan, 2.2}, Of: Quantity{Output: true, Index: 0}, Weight: 0.25},
		{Name: "rel", Values: []float64{nan, nan, nan, 0.7}, Of: Quantity{Output: true, Index: 1}, Weight: 3},
	}}
}

// The gradients of every loss, on both scales, are those of differences.
func TestLossGradients(t *testing.T) {
	sys := observed()
	rng := rand.New(rand.NewPCG(3, 4))
	x, th := make([]float64, 8), sys.Defaults()
	for i := range x {
		x[i] = 0.5 + 2*rng.Float64()
	}
	for _, pen := range Losses() {
		for _, log := range []bool{false, true} {
			for _, delta := range []float64{0, 0.3} {
				spec := LossSpec{Kind: pen.Name, Log: log, Delta: delta}
				d := someData()
				if pen.Likelihood {
					if log {
						continue // it is refused
					}
					if pen.Scaled {
						spec.SD, spec.DF = 0.6+delta, 10*delta
						d.Columns[1].SDs = []float64{0.5, 1, 1, 2}
					} else {
						for _, c := range d.Columns {
							for i, v := range c.Values {
								c.Values[i] = math.Round(v)
							}
						}
					}
				}
				t.Run(fmt.Sprint(spec, delta), func(t *testing.T) {
					l, err := NewDataLoss(sys, d, spec)
					if err != nil {
						t.Fatal(err)
					}
					value := func() float64 {
						v, err := l.Eval(x, th, nil, nil)
						if err != nil {
							t.Fatal(err)
						}
						return v
					}
					gx, gth := make([]float64, len(x)), make([]float64, len(th))
					for i := range gx {
						gx[i] = 99 // is overwritten
					}
					gth[2] = 5 // is added to
					v, err := l.Eval(x, th, gx, gth)
					if err != nil || v != value() {
						t.Fatalf("%v with gradient, %v without; %v", v, value(), err)
					}
					gth[2] -= 5
					for _, c := range []struct{ at, g []float64 }{{x, gx}, {th, gth}} {
						for i := range c.at {
							const h = 1e-6
							old := c.at[i]
							c.at[i] = old + h
							up := value()
							c.at[i] = old - h
							down := value()
							c.at[i] = old
							if want := (up - down) / (2 * h); math.Abs(c.g[i]-want) > 1e-7*(1+math.Abs(want)) {
								t.Errorf("component %d: %v, by differences %v", i, c.g[i], want)
							}
						}
					}
					if a := testing.AllocsPerRun(10, func() { _, _ = l.Eval(x, th, gx, gth) }); a != 0 {
						t.Errorf("%v allocations per evaluation", a)
					}
				})
			}
		}
	}
}

// Values by hand: what is missing counts neither in the sum nor in the mean.
func TestLossByHand(t *testing.T) {
	nan := math.NaN()
	sys := testsys.LotkaVolterra()
	d := &Data{Times: []float64{0, 1}, Columns: []Column{
		{Name: "a", Values: []float64{1, nan}},
		{Name: "b", Values: []float64{2, 8}, Of: Quantity{Index: 1}, Weight: 2},
	}}
	x := []float64{1.5, 1, 77, 11} // residuals 0.5; −1, 3 with weight 2
	lg := func(v float64) float64 { return math.Log(v) * math.Log(v) }
	for _, c := range []struct {
		spec LossSpec
		want float64
	}{
		{LossSpec{}, 0.25 + 2*(1+9)},
		{LossSpec{Kind: "sse"}, 20.25},
		{LossSpec{Kind: "mse"}, 20.25 / 3},
		{LossSpec{Kind: "mae"}, (0.5 + 2*(1+3)) / 3},
		{LossSpec{Kind: "huber"}, (0.125 + 2*(0.5+2.5)) / 3},
		{LossSpec{Kind: "huber", Delta: 2}, (0.125 + 2*(0.5+4)) / 3},
		{LossSpec{Log: true}, lg(1.5) + 2*(lg(0.5)+lg(11./8))},
		{LossSpec{Kind: "normal", SD: 0.5}, 0.5 + 1/(2*0.125) + 9/(2*0.125) + 3*math.Log(2*math.Pi)/2 + math.Log(0.5) + math.Log(0.125)},
	} {
		l, err := NewDataLoss(sys, d, c.spec)
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.Eval(x, nil, nil, nil)
		if err != nil || math.Abs(got-c.want) > 1e-14*c.want || l.N() != 3 {
			t.Errorf("%v: %v over %d values, want %v; %v", c.spec, got, l.N(), c.want, err)
		}
	}
}

// A model value that the loss cannot take makes it infinite and is named; it is no error.
func TestInfiniteLoss(t *testing.T) {
	d := someData()
	d.Columns[0].Place = func(row int) string { return fmt.Sprintf("lynx_hare.csv:%d: hare", row+2) }
	for _, c := range []struct {
		log  bool
		v    float64
		want string
	}{
		{true, 0, "x = 0 at t = 2.5, which has no logarithm, compared with lynx_hare.csv:4: hare"},
		{true, -3, "x = -3 at t = 2.5, which has no logarithm"},
		{false, math.NaN(), "x = NaN at t = 2.5, compared with"},
		{false, math.Inf(1), "x = +Inf at t = 2.5, compared with"},
	} {
		l, err := NewDataLoss(observed(), d, LossSpec{Log: c.log})
		if err != nil {
			t.Fatal(err)
		}
		x := []float64{1, 1, 1, 1, c.v, 1, 1, 1}
		f, err := l.Eval(x, observed().Defaults(), make([]float64, 8), make([]float64, 6))
		e := l.Failure()
		if err != nil || !math.IsInf(f, 1) || e == nil || e.Row != 2 || !strings.Contains(e.Error(), c.want) {
			t.Errorf("%v: %v, %v, %v", c.v, f, e, err)
		}
		if f, _ := l.Eval([]float64{1, 1, 1, 1, 1, 1, 1, 1}, observed().Defaults(), nil, nil); math.IsInf(f, 0) || l.Failure() != nil {
			t.Errorf("the failure is forgotten by the next evaluation: %v, %v", f, l.Failure())
		}
	}
}

func TestDataErrors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	file := func(col string) func(int) string {
		return func(row int) string { return fmt.Sprintf("d.csv:%d: %s", row+2, col) }
	}
	for _, c := range []struct {
		name string
		edit func(d *Data)
		spec LossSpec
		row  int
		want string
	}{
		{"empty", func(d *Data) { *d = Data{} }, LossSpec{}, -1, "there are no data"},
		{"no columns", func(d *Data) { d.Columns = nil }, LossSpec{}, -1, "there are no data"},
		{"unsorted", func(d *Data) { d.Times[2] = 0.5 }, LossSpec{}, 2, "d.csv:4: year: the time 0.5 comes after 1"},
		{"time NaN", func(d *Data) { d.Times[1] = nan }, LossSpec{}, 1, "d.csv:3: year: the time is NaN"},
		{"time Inf", func(d *Data) { d.Times[3] = inf }, LossSpec{}, 3, "the time is +Inf"},
		{"short column", func(d *Data) { d.Columns[0].Values = d.Columns[0].Values[:3] }, LossSpec{}, -1, "hare has 3 values for 4 times"},
		{"infinite", func(d *Data) { d.Columns[0].Values[2] = inf }, LossSpec{}, 2, "d.csv:4: hare: the value is +Inf"},
		{"log of 0", func(d *Data) { d.Columns[0].Values[3] = 0 }, LossSpec{Log: true}, 3, "d.csv:5: hare: the value is 0, which has no logarithm"},
		{"log of -1", func(d *Data) { d.Columns[0].Values[0] = -1 }, LossSpec{Log: true, Kind: "mae"}, 0, "d.csv:2: hare: the value is -1"},
		{"all missing", func(d *Data) { d.Columns[0].Values = []float64{nan, nan, nan, nan} }, LossSpec{}, -1, "all values are missing"},
		{"no such state", func(d *Data) { d.Columns[0].Of.Index = 2 }, LossSpec{}, -1, "the model has 2 of that kind"},
		{"no such let", func(d *Data) { d.Columns[0].Of = Quantity{Output: true} }, LossSpec{}, -1, "the model has 0 of that kind"},
		{"latent", func(d *Data) { d.Columns[0].Of.Index = 1 }, LossSpec{}, -1, "hare is matched with y, which is latent"},
		{"negative weight", func(d *Data) { d.Columns[0].Weight = -1 }, LossSpec{}, -1, "the weight of hare is -1"},
		{"weight NaN", func(d *Data) { d.Columns[0].Weight = nan }, LossSpec{}, -1, "the weight of hare is NaN"},
	} {
		sys := testsys.LotkaVolterra()
		sys.Latent[1] = true
		d := &Data{Times: []float64{0, 1, 2.5, 4}, TimePlace: file("year"),
			Columns: []Column{{Name: "hare", Values: []float64{1.1, nan, 0.4, 2}, Place: file("hare")}}}
		c.edit(d)
		_, err := NewDataLoss(sys, d, c.spec)
		var e *DataError
		if !errors.As(err, &e) || e.Row != c.row || e.Help == "" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want row %d, %q", c.name, err, c.row, c.want)
		}
	}
	for _, spec := range []LossSpec{{Kind: "rmse"}, {Kind: "huber", Delta: -1}, {Kind: "huber", Delta: inf}} {
		if _, err := NewDataLoss(observed(), someData(), spec); err == nil {
			t.Errorf("%+v is accepted", spec)
		}
	}
	l, err := NewDataLoss(observed(), someData(), LossSpec{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Eval(make([]float64, 6), make([]float64, 6), nil, nil); err == nil {
		t.Error("a trajectory of another length is accepted")
	}
	if e := (&DataError{Reason: "r"}); e.Error() != "r" {
		t.Error(e)
	}
	if p := someData().timePlace(1); p != "row 2 of the times" {
		t.Error(p)
	}
}

func TestObserve(t *testing.T) {
	for name, want := range map[string]Quantity{"x": {}, "y": {Index: 1}, "meet": {Output: true}, "ratio": {Output: true, Index: 1}} {
		if q, ok := Observe(observed(), name); !ok || q != want || q.name(observed()) != name {
			t.Errorf("%s: %v, %v", name, q, ok)
		}
	}
	if _, ok := Observe(observed(), "z"); ok {
		t.Error("z is found")
	}
}

func TestHeldOut(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		h     HeldOut
		train int
		first float64 // time held out
	}{
		{HeldOut{}, 21, 0},
		{HeldOut{Last: 1. / 3}, 14, 1914},
		{HeldOut{Last: 1e-9}, 20, 1920},
		{HeldOut{Last: 0.9}, 2, 1902},
		{HeldOut{From: 1913.5, To: inf}, 14, 1914},
		{HeldOut{From: 1905, To: 1909}, 16, 1905},
	} {
		train, held, err := c.h.split(pelts())
		if err != nil {
			t.Fatalf("%+v: %v", c.h, err)
		}
		if len(train.Times) != c.train || c.first == 0 != (held == nil) {
			t.Fatalf("%+v: %d rows to train on", c.h, len(train.Times))
		}
		if held == nil {
			continue
		}
		if held.Times[0] != c.first || len(held.Times)+c.train != 21 {
			t.Errorf("%+v: held out %v", c.h, held.Times)
		}
		row := int(c.first - 1900)
		if held.Columns[1].Values[0] != lynx[row] || held.Columns[1].place(0) != fmt.Sprintf("row %d of lynx", row+1) || held.timePlace(0) != fmt.Sprintf("row %d of the times", row+1) {
			t.Errorf("%+v: row %d is %v, %s", c.h, row, held.Columns[1].Values[0], held.Columns[1].place(0))
		}
	}
	for _, h := range []HeldOut{{Last: -0.1}, {Last: 1 - 1e-9}, {Last: 1}, {Last: math.NaN()}, {From: 1950, To: 1960}, {From: 1890, To: 1905}, {From: 1910, To: 1905}} {
		if _, _, err := h.split(pelts()); err == nil {
			t.Errorf("%+v is accepted", h)
		}
	}
}
