package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/udl-lang/udl/internal/testsys"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/trace/safetensors"
	"github.com/udl-lang/udl/runtime/train"
)

// fill gives every field a value of its own.
func fill(v reflect.Value, rng *rand.Rand) { fillTo(v, rng, 0) }

func fillTo(v reflect.Value, rng *rand.Rand, depth int) {
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		v.SetInt(rng.Int64N(1 << 50))
	case reflect.Float64:
		v.SetFloat(math.Float64frombits(rng.Uint64()))
		if v.Float() != v.Float() {
			v.SetFloat(math.NaN())
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(fmt.Sprint("text \"", rng.IntN(1000), "\" α"))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fillTo(v.Index(i), rng, depth+i) // the last of a list of pointers stays nil
		}
	case reflect.Pointer: // a snapshot within a snapshot
		if depth < 2 {
			v.Set(reflect.New(v.Type().Elem()))
			fillTo(v.Elem(), rng, 2)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).Kind() != reflect.Func {
				fillTo(v.Field(i), rng, depth)
			}
		}
	default:
		panic(v.Kind())
	}
}

// equal compares to the bit.
func equal(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	case reflect.Pointer:
		return a.IsNil() == b.IsNil() && (a.IsNil() || equal(a.Elem(), b.Elem()))
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			if a.Field(i).Kind() != reflect.Func && !equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

// Whatever a snapshot holds, in every field that it has, reads back to the same bits; a file that lacks some of it is an error.
func TestSnapshotIsKept(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		var s, back train.Snapshot
		fill(reflect.ValueOf(&s).Elem(), rng)
		f := newFlat()
		if err := f.put("", reflect.ValueOf(&s).Elem()); err != nil {
			t.Fatal(err)
		}
		f.read = &safetensors.File{Tensors: f.tensors}
		if err := f.get("", reflect.ValueOf(&back).Elem()); err != nil {
			t.Fatal(err)
		}
		if !equal(reflect.ValueOf(s), reflect.ValueOf(back)) {
			t.Fatalf("%+v\n%+v", s, back)
		}
		for i := range f.tensors {
			f.read = &safetensors.File{Tensors: slices.Delete(slices.Clone(f.tensors), i, i+1)}
			if err := f.get("", reflect.ValueOf(&back).Elem()); err == nil {
				t.Fatalf("nobody misses %s", f.tensors[i].Name)
			}
		}
		// Counts that are not those of the tensors.
		f.read = &safetensors.File{Tensors: f.tensors}
		f.Counts["History"] = 1 << 60
		if err := f.get("", reflect.ValueOf(&back).Elem()); err == nil {
			t.Fatal("a history of any length")
		}
	}
}

func stage(t testing.TB, name string, values map[string]float64) train.Stage {
	t.Helper()
	s, err := train.NewStage(name, values)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// spec is a small fit by the given chain.
func spec(stages ...train.Stage) train.Spec {
	d := &train.Data{Columns: []train.Column{{Name: "x"}, {Name: "y", Of: train.Quantity{Index: 1}}}}
	for i := range 15 {
		tt := 0.3 * float64(i)
		d.Times = append(d.Times, tt)
		d.Columns[0].Values = append(d.Columns[0].Values, 1.3+0.8*math.Sin(1.4*tt))
		d.Columns[1].Values = append(d.Columns[1].Values, 1.2+0.7*math.Cos(1.4*tt))
	}
	sys := testsys.LotkaVolterra()
	return train.Spec{Sys: sys, Theta: []float64{1.2, 0.9, 1.5, 0.8, 1.2, 1.8}[:sys.NTheta], Data: d, Stages: stages, Problem: solve.Problem{Rtol: 1e-7, Atol: 1e-9}}
}

func same(a, b *train.Result) bool {
	eq := func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) }
	return a.Status == b.Status && eq(a.Loss, b.Loss) && slices.EqualFunc(a.Theta, b.Theta, eq) &&
		slices.EqualFunc(a.History, b.History, func(p, q train.Point) bool { return equal(reflect.ValueOf(p), reflect.ValueOf(q)) }) &&
		a.Report.Iters == b.Report.Iters && a.Report.Evals == b.Report.Evals
}

// Every optimiser, and a fit in phases, is stopped after any of its iterations, and goes on to the same bits.
func TestGoesOn(t *testing.T) {
	var chains [][]train.Stage
	for _, o := range train.Optimisers() {
		chains = append(chains, []train.Stage{stage(t, o.Name, map[string]float64{"iters": 5})})
	}
	chains = append(chains, []train.Stage{stage(t, "adam", map[string]float64{"iters": 3}), stage(t, "bfgs", map[string]float64{"iters": 3})})
	for i, chain := range chains {
		for _, method := range []string{"", "grow", "collocation", "starts"} {
			name := chain[0].Optimiser.Name
			if method != "" && i < len(chains)-1 && name != "lbfgs" {
				continue
			}
			make := func() train.Spec {
				s := spec(chain...)
				s.Seed = 5
				switch method {
				case "starts":
					s.Starts, s.Threads = 3, 2
				case "grow":
					s.Methods = []train.Method{{Grow: []float64{0.4}}}
				case "":
				default:
					s.Methods = []train.Method{{Name: method}}
				}
				return s
			}
			want, err := train.Fit(context.Background(), make())
			if err != nil {
				t.Fatal(name, err)
			}
			dir := filepath.Join(t.TempDir(), "c")
			for stop := 1; ; stop++ {
				s := make()
				k, err := Keep(&s, Options{Dir: dir, Every: 1 + (i+stop)%3})
				if err != nil {
					t.Fatal(name, err)
				}
				ctx, cancel := context.WithCancel(context.Background())
				seen := 0
				s.Progress = func(train.Progress) {
					if seen++; seen == stop { // later each time, so that it ends
						cancel()
					}
				}
				got, err := train.Fit(ctx, s)
				cancel()
				if e := k.Close(); err != nil || e != nil {
					t.Fatal(name, err, e)
				}
				if got.Status == train.Cancelled {
					continue
				}
				if !same(got, want) {
					t.Errorf("%s, method %q: %v after %d iterations, want %v after %d; loss %v, want %v", name, method, got.Status, got.Report.Iters, want.Status, want.Report.Iters, got.Loss, want.Loss)
				}
				break
			}
		}
	}
}

func TestKeepErrors(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "c")
	lbfgs := stage(t, "lbfgs", map[string]float64{"iters": 5})
	run := func(edit func(s *train.Spec), o Options) error {
		s := spec(lbfgs)
		if edit != nil {
			edit(&s)
		}
		if o.Dir == "" {
			o.Dir = dir
		}
		k, err := Keep(&s, o)
		if err != nil {
			return err
		}
		if _, err := train.Fit(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		return k.Close()
	}
	if err := run(nil, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := run(func(s *train.Spec) { s.Threads, s.Progress = 1, func(train.Progress) {} }, Options{}); err != nil {
		t.Errorf("what changes nothing: %v", err)
	}
	for want, edit := range map[string]func(s *train.Spec){
		"the data is not": func(s *train.Spec) { s.Data.Columns[0].Values[3] += 1e-9 },
		"the values that the training starts with is not": nil,
		"the optimisers": func(s *train.Spec) { s.Stages = []train.Stage{stage(t, "bfgs", nil)} },
		"the solver":     func(s *train.Spec) { s.Problem.Rtol = 1e-6 },
		"the loss":       func(s *train.Spec) { s.Compare.Log = true },
		"the method":     func(s *train.Spec) { s.Methods = []train.Method{{Grow: []float64{0.5}}} },
		"the seed":       func(s *train.Spec) { s.Seed = 2 },
		"what is free":   func(s *train.Spec) { s.Free = []train.Free{{Name: "alpha", Index: []int{0}}} },
	} {
		if edit == nil {
			want = "the values that the training starts with"
			edit = func(s *train.Spec) { s.Theta[0] = 1.21 }
		}
		want = strings.TrimSuffix(want, " is not")
		err := run(edit, Options{})
		var other *MismatchError
		if !errors.As(err, &other) || len(other.Differs) != 1 || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := run(nil, Options{Parts: []train.Part{{Name: "the loss's function", Digest: "1"}}}); err == nil {
		t.Error("a further part is not noticed")
	}
	if err := run(func(s *train.Spec) { s.Seed = 3 }, Options{Fresh: true}); err != nil {
		t.Errorf("anew: %v", err)
	}
	if err := run(nil, Options{}); err == nil {
		t.Error("the new one was not kept")
	}

	var warned error
	if err := run(func(s *train.Spec) { s.Seed = 3 }, Options{Backend: "another", Warn: func(err error) { warned = err }}); err != nil || warned == nil || !strings.Contains(warned.Error(), "last digits") {
		t.Errorf("another back end: %v, %v", err, warned)
	}

	var damaged *DamagedError
	list, _ := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	for _, f := range list {
		if err := os.Truncate(f, 100); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(func(s *train.Spec) { s.Seed = 3 }, Options{}); !errors.As(err, &damaged) {
		t.Errorf("cut off: %v", err)
	}

	var write *WriteError
	if err := run(nil, Options{Dir: filepath.Join(dir, "no", "such")}); !errors.As(err, &write) {
		t.Errorf("no folder: %v", err)
	}
	// A folder that goes away while the training runs costs the checkpoint, not the training.
	gone := filepath.Join(t.TempDir(), "gone")
	warned = nil
	err := run(func(s *train.Spec) {
		s.Progress = func(p train.Progress) {
			if p.Iter == 2 {
				_ = os.RemoveAll(gone)
			}
		}
	}, Options{Dir: gone, Every: 1, Warn: func(err error) { warned = err }})
	if !errors.As(err, &write) || !errors.As(warned, &write) {
		t.Errorf("gone: %v, warned of %v", err, warned)
	}
}

// The time decides, too, and nothing is written more often than it says.
func TestInterval(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "c")
	s := spec(stage(t, "adam", map[string]float64{"iters": 30}))
	k, err := Keep(&s, Options{Dir: dir, Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s.Progress = func(p train.Progress) {
		if _, err := os.Stat(filepath.Join(dir, "state.json")); err == nil {
			t.Errorf("written at iteration %d", p.Iter)
		}
	}
	if _, err := train.Fit(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	s.Snapshot, s.Progress = nil, nil
	k, err = Keep(&s, Options{Dir: dir})
	if err != nil || k.Resumed() == nil || k.Resumed().Iter != 30 {
		t.Errorf("%v, %+v", err, k.Resumed())
	}
}
