package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/udl-lang/udl/internal/testsys"
)

// From eight corners of a box of ±30 % around the optimum, by lm and by bfgs, over a growing time span, the pelts are met as well as they can be. Over the whole span at once,
// 30 % below in every parameter, bfgs ends in another minimum. All 64 corners are in a test of the language, TestPeltsFromAllCorners.
func TestPeltsFromSomeCorners(t *testing.T) {
	if testing.Short() {
		t.Skip("many trainings: left out with -short")
	}
	bfgs := []Stage{mustStage(t, "bfgs", nil)}
	corner := func(c int) Spec {
		s := peltsSpec(1)
		for i := range s.Theta {
			s.Theta[i] *= 0.7
			if c>>i&1 == 1 {
				s.Theta[i] *= 1.3 / 0.7
			}
		}
		s.Stages = bfgs
		return s
	}
	for _, stages := range [][]Stage{nil, bfgs} { // nil is lm
		worst := 0.0
		for c := 0; c < 64; c += 9 {
			s := corner(c)
			s.Stages, s.Methods = stages, []Method{{Grow: GrowBy(4)}}
			r, err := Fit(context.Background(), s)
			if err != nil {
				t.Fatalf("corner %06b: %v", c, err)
			}
			off := math.Abs(r.Loss/peltsSSE - 1)
			if worst = max(worst, off); !(off < 1e-7) {
				t.Errorf("corner %06b: loss %.10g by %v, %v", c, r.Loss, r.Report.Optimisers, r.Status)
			}
		}
		t.Logf("loss %.8g, off by %.2g of it at most", peltsSSE, worst)
	}
	r, err := Fit(context.Background(), corner(0))
	if err != nil {
		t.Fatal(err)
	}
	if !(r.Loss > 5*peltsSSE) {
		t.Errorf("the whole span at once ends at %v, so that growing proves nothing", r.Loss)
	}
}

// Phases are told apart in history, progress and report, and the same again gives the same bits.
func TestPhases(t *testing.T) {
	var seen []string
	fit := func(methods ...Method) *Result {
		t.Helper()
		s := peltsSpec(1.1)
		s.Stages, s.Methods = []Stage{mustStage(t, "bfgs", map[string]float64{"iters": 5})}, methods
		s.Progress = func(p Progress) {
			if len(seen) <= p.Phase {
				seen = append(seen, fmt.Sprintf("%d/%d %s", p.Phase+1, p.Phases, p.Method))
			}
		}
		seen = nil
		r, err := Fit(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	own := []Stage{mustStage(t, "adam", map[string]float64{"iters": 3})}
	r := fit(Method{Until: []float64{1905.5, 1910}, Stages: own}, Method{})
	want := []string{"1/4 shooting to t = 1905", "2/4 shooting to t = 1910", "3/4 shooting", "4/4 shooting"}
	if !slices.Equal(seen, want) {
		t.Errorf("progress tells of %q", seen)
	}
	if n := len(r.Report.Phases); n != 4 || r.Report.Phases[0].Title != "shooting to t = 1905" || r.Report.Phases[1].Iters != 3 || r.Report.Phases[3].Iters != 5 {
		t.Errorf("the report has %+v", r.Report.Phases)
	}
	if r.Report.Iters != 14 || r.Loss != r.Report.Phases[3].Loss || r.Report.Optimisers[0] != "bfgs" {
		t.Errorf("%d iterations, loss %v, %v", r.Report.Iters, r.Loss, r.Report.Optimisers)
	}
	if text := r.Report.String(); !strings.Contains(text, "shooting to t = 1910") {
		t.Errorf("the report says\n%s", text)
	}
	last := r.History[len(r.History)-1]
	if last.Phase != 3 || r.History[0].Phase != 0 {
		t.Errorf("the history ends in phase %d", last.Phase)
	}
	// Each phase starts at the best point of the one before, where the loss over all data is the same.
	for i, p := range r.History {
		if p.Phase == 3 && p.Iter == 0 && p.Loss != r.History[i-1].Best {
			t.Errorf("the last phase starts at %v, the one before ended at %v", p.Loss, r.History[i-1].Best)
		}
	}
	if again := fit(Method{Until: []float64{1905.5, 1910}, Stages: own}, Method{}); !slices.Equal(again.Theta, r.Theta) {
		t.Error("the same again gives other bits")
	}
	// A part of the span that holds all rows is no phase of its own; the last is always the whole.
	if fit(Method{Grow: []float64{0.5, 0.99999999999, 1}}); !slices.Equal(seen, []string{"1/2 shooting to t = 1910", "2/2 shooting"}) {
		t.Errorf("progress tells of %q", seen)
	}
}

// From a snapshot of any phase a fit ends at the same bits, with the same account of all phases.
func TestResumePhases(t *testing.T) {
	spec := func() Spec {
		s := peltsSpec(1.1)
		s.Stages = []Stage{mustStage(t, "adam", map[string]float64{"iters": 4}), mustStage(t, "bfgs", map[string]float64{"iters": 4})}
		s.Methods = []Method{{Grow: GrowBy(3)}}
		return s
	}
	var shots []*Snapshot
	s := spec()
	s.Snapshot = func(s *Snapshot) { shots = append(shots, s.Clone()) }
	want, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, shot := range shots {
		s := spec()
		s.Resume = shot
		r, err := Fit(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		seen[shot.Phase] = true
		same := slices.EqualFunc(r.History, want.History, func(a, b Point) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
		if !slices.Equal(r.Theta, want.Theta) || r.Loss != want.Loss || !same || r.Report.Iters != want.Report.Iters || r.Report.Evals != want.Report.Evals || len(r.Report.Phases) != 3 {
			t.Errorf("from phase %d, stage %d, iteration %d: loss %v after %d points, not %v after %d", shot.Phase, shot.Stage, shot.Iter, r.Loss, len(r.History), want.Loss, len(want.History))
		}
	}
	if len(seen) != 3 {
		t.Errorf("snapshots are of %d phases", len(seen))
	}
	s = spec()
	s.Resume = shots[0].Clone()
	s.Resume.Phase = 3
	var e *SnapshotError
	if _, err := Fit(context.Background(), s); !errors.As(err, &e) || !strings.Contains(err.Error(), "phase 4") {
		t.Errorf("a phase that there is not: %v", err)
	}
}

func TestPhasesRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		methods []Method
		want    string
	}{
		{"unknown", []Method{{Name: "shoting"}}, "no such method"},
		{"both", []Method{{Grow: []float64{0.5}, Until: []float64{1905}}}, "both"},
		{"shares fall", []Method{{Grow: []float64{0.5, 0.4}}}, "rising shares"},
		{"share above 1", []Method{{Grow: []float64{0.5, 1.5}}}, "rising shares"},
		{"no shares", []Method{{Grow: []float64{}}}, "rising shares"},
		{"times as shares", []Method{{Until: []float64{0.5, 1}}}, "between 1900 and 1920"},
		{"not a number", []Method{{Until: []float64{math.NaN()}}}, "between 1900 and 1920"},
		{"too short", []Method{{Grow: []float64{0.01, 1}}}, "one row of data"},
	} {
		s := peltsSpec(1)
		s.Methods = c.methods
		_, err := Fit(context.Background(), s)
		var e *MethodError
		if !errors.As(err, &e) || !strings.Contains(e.Error(), c.want) || e.Help == "" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	s := peltsSpec(1)
	s.Methods = []Method{{Until: []float64{1910}}}
	s.Data, s.Loss, s.Problem.T1 = nil, sumLoss{}, 1
	if _, err := Fit(context.Background(), s); err == nil || !strings.Contains(err.Error(), "needs data") {
		t.Errorf("a loss that is a function: %v", err)
	}
}

// sumLoss is the sum of the states at the end of one unit of time.
type sumLoss struct{}

func (sumLoss) Times() []float64 { return []float64{1} }

func (sumLoss) Eval(x, _, gx, _ []float64) (float64, error) {
	s := 0.0
	for i, v := range x {
		s += v
		if gx != nil {
			gx[i] = 1
		}
	}
	return s, nil
}

// Where a longer part of the span cannot be reached from the best point of a shorter one, the error tells from which to which.
func TestPhaseThatCannotStart(t *testing.T) {
	// x' = k x² from 1 is infinite at t = 1/k.
	sys := testsys.System("Blow", []string{"x"}, []testsys.Param{{Name: "k", Value: 1}}, testsys.Fixed(1),
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(x[0]).Mul(x[0])}
		})
	d := &Data{Times: []float64{0, 0.2, 0.4, 0.6, 1}, Columns: []Column{{Name: "x", Values: make([]float64, 5)}}}
	for i, v := range d.Times {
		d.Columns[0].Values[i] = 1 / (1 - 1.2*v)
	}
	d.Columns[0].Values[4] = 5
	_, err := Fit(context.Background(), Spec{Sys: sys, Theta: []float64{0.5}, Data: d, Methods: []Method{{Until: []float64{0.6}}}, Stages: []Stage{mustStage(t, "bfgs", nil)}})
	var e *StartError
	if !errors.As(err, &e) || e.Phase != "shooting" || e.After != "shooting to t = 0.6" || e.Fault == nil || !strings.Contains(e.Help(), "grow") {
		t.Errorf("%v", err)
	}
}

// A phase over early data may drive a parameter to its bound, where the slope is 0; those after it bring it back.
func TestPhasesLeaveABound(t *testing.T) {
	sys := testsys.System("D", []string{"x"}, []testsys.Param{{Name: "k", Value: 0.7}}, func(th []testsys.Expr) []testsys.Expr { return []testsys.Expr{th[0].Const(2)} },
		func(_ testsys.Expr, x, th []testsys.Expr) []testsys.Expr {
			return []testsys.Expr{th[0].Mul(x[0]).Neg()}
		})
	sys.Theta[0].Lo, sys.Theta[0].Hi = 0.1, 5
	d := &Data{Columns: []Column{{Name: "x"}}}
	for i := range 40 {
		ti, v := 0.1*float64(i), 2.0
		if i > 8 { // it starts late, so that early data ask for no decay at all
			v = 2 * math.Exp(-1.2*(ti-0.8))
		}
		d.Times = append(d.Times, ti)
		d.Columns[0].Values = append(d.Columns[0].Values, v)
	}
	for _, name := range []string{"lm", "bfgs", "lbfgs"} {
		s := Spec{Sys: sys, Data: d, Stages: []Stage{mustStage(t, name, nil)}}
		once := fit(t, s)
		s.Methods = []Method{{Grow: []float64{0.2}}}
		grown := fit(t, s)
		if math.Abs(grown.Loss/once.Loss-1) > 1e-6 {
			t.Errorf("%s: %v at k = %v, all at once %v at %v", name, grown.Loss, grown.Theta[0], once.Loss, once.Theta[0])
		}
		if p := grown.Report.Phases[0]; !(p.Loss < 0.1) {
			t.Errorf("%s: the first phase ends at %v, so that nothing was at its bound", name, p.Loss)
		}
	}
}
