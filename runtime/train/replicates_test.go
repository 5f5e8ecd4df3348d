package train

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
)

// Several values at one time are several data: estimates, standard errors and AIC are those that SciPy 1.17 has of all seven values
// (least_squares of x0·exp(−k t)).
func TestReplicates(t *testing.T) {
	nan := math.NaN()
	times := []float64{0, 0, 0, 1, 1, 1, 2, 3}
	values := []float64{nan, 3.1, 2.9, 1.8, 1.5, 1.6, 1, 0.5}
	s := decaySpec("sse", times, values)
	for k := range s.Data.Columns {
		s.Data.Columns[k].Place = func(row int) string { return fmt.Sprintf("line %d", row+2) }
	}
	for _, m := range [][]Method{nil, {{Grow: []float64{0.5}}}} {
		s.Methods = m
		r := fit(t, s)
		nearly(t, "k", r.Theta[0], 0.5888232713216314, 1e-6)
		nearly(t, "x0", r.Theta[1], 2.989696391051997, 1e-6)
		nearly(t, "loss", r.Loss, 0.07527872821764657, 1e-8)
		nearly(t, "± of k", r.Report.Params[0].StdErr, 0.03925825180139323, 1e-5)
		nearly(t, "± of x0", r.Report.Params[1].StdErr, 0.08413970523279173, 1e-5)
		nearly(t, "AIC", r.Report.AIC, -5.862135323644885, 1e-8)
		if r.Report.Train.N != 7 || len(r.Report.Columns) != 1 || r.Report.Columns[0].N != 7 || len(r.Report.Residuals) != 7 {
			t.Errorf("%v", r.Report)
		}
	}
	// Weights and deviations go with their values; places stay those of the rows.
	s.Methods = nil
	s.Data.Columns[0].Weights = []float64{1, 0, 1, 2, 1, 1, 1, 1}
	d := s.Data.folded()
	if len(d.Times) != 4 || len(d.Columns) != 3 || d.Columns[0].Values[0] != 3.1 || d.Columns[0].Weights[0] != 0 || d.Columns[1].Values[0] != 2.9 || d.Columns[1].Weights[0] != 1 ||
		d.Columns[0].Weights[1] != 2 || d.Columns[2].Place(1) != "line 7" || d.Columns[0].Place(0) != "line 3" || !math.IsNaN(d.Columns[2].Values[0]) {
		t.Errorf("%+v", d)
	}
	x := columnOf(d, 0)
	nearly(t, "mean at 0", x.Values[0], 2.9, 1e-15)
	nearly(t, "mean at 1", x.Values[1], (2*1.8+1.5+1.6)/4, 1e-15)
	nearly(t, "weight at 1", x.Weights[1], 4, 1e-15)
	values[3] = -1
	s.Compare.Log = true
	if _, err := Fit(context.Background(), s); err == nil || !strings.Contains(err.Error(), "line 5: the value is -1") {
		t.Error(err)
	}
	if _, err := Fit(context.Background(), decaySpec("sse", []float64{1, 1}, []float64{3, 2})); err == nil || !strings.Contains(err.Error(), "all rows are of the time 1") {
		t.Error(err)
	}
	// Curves through their means, and windows.
	s = decaySpec("sse", []float64{0, 0, 0.5, 1, 1, 1.5, 2, 3, 3}, []float64{3.1, 2.9, 2.2, 1.8, 1.6, 1.2, 0.9, 0.5, 0.55})
	s.Methods = []Method{{Name: "collocation"}}
	with := fit(t, s)
	s.Methods = nil
	nearly(t, "k after collocation", with.Theta[0], fit(t, s).Theta[0], 1e-5)
}
