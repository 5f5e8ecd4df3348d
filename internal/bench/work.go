package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	api "github.com/udl-lang/udl"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
)

// viaAPI is how the curve of Model.Solve is called.
const viaAPI = "Model.Solve"

// patience is how long one solve of udl may take; what takes longer has no point on its curve.
const patience = 12 * time.Second

// work is the work–precision curves of a problem: CVODE's first, then udl's.
type work struct {
	problem string
	who     []string
	counts  []string  // which of them the figure may be of
	points  [][]point // of each, from the loosest tolerance on; times are medians over the rounds
}

// solver does a solve a number of times and gives the nanoseconds of all, and where it ends.
type solver func(ctx context.Context, rtol float64, reps int) (ns int64, end []float64, err error)

// against measures the time that udl takes to an error at the end point, over that of CVODE.
func against(problem string) measure {
	return func(l *lab, rounds int) (figure, error) {
		s, err := findStiff(problem)
		if err != nil {
			return figure{}, err
		}
		e, err := s.load()
		if err != nil {
			return figure{}, err
		}
		who, run, absent, err := s.contenders(l, e)
		if err != nil {
			return figure{}, err
		}
		w, each, err := s.measure(l, e, who, run, rounds)
		if err != nil {
			return figure{}, err
		}
		l.works = append(l.works, w)
		if absent != "" {
			return figure{absent: "no CVODE", detail: absent + "; " + w.alone()}, nil
		}
		return w.verdict(each)
	}
}

// contenders are CVODE, unless it is absent, and the solvers of udl.
func (s *stiff) contenders(l *lab, e endpoint) (who []string, run []solver, absent string, err error) {
	c, err := l.side(cvode)
	switch {
	case errors.Is(err, errNoC), errors.Is(err, errNoCVODE):
		absent = err.Error()
	case err != nil:
		return nil, nil, "", err
	default:
		p := []float64{e.T1}
		for range e.End {
			p = append(p, s.scale)
		}
		if err := c.set(s.name, e.Initial, p); err != nil {
			return nil, nil, "", err
		}
		who, run = append(who, cvode), append(run, func(_ context.Context, rtol float64, reps int) (int64, []float64, error) {
			o, err := c.run(fmt.Sprintf("%s/%g", s.name, rtol), reps)
			if err != nil || len(o.values) < len(e.End) {
				return 0, nil, fmt.Errorf("CVODE: %w", err)
			}
			return o.ns, o.values[:len(e.End)], nil
		})
	}
	for _, name := range slices.Concat(s.solvers, s.beside) {
		f, err := s.engine(name, e)
		if err != nil {
			return nil, nil, "", err
		}
		who, run = append(who, name), append(run, f)
	}
	if s.api {
		f, err := s.public(e)
		if err != nil {
			return nil, nil, "", err
		}
		who, run = append(who, viaAPI), append(run, f)
	}
	return who, run, absent, nil
}

// engine solves with udl in a workspace that was used before, for the end point alone.
func (s *stiff) engine(name string, e endpoint) (solver, error) {
	meth, ok := method.Find(name)
	if !ok {
		return nil, fmt.Errorf("there is no solver %s", name)
	}
	sys, err := compileModel(s.model)
	if err != nil {
		return nil, err
	}
	p := &solve.Problem{Sys: sys, Theta: sys.Defaults(), T1: e.T1, Times: []float64{e.T1}, Method: meth, NoDense: true, MaxSteps: 1e7}
	if s.initial != nil {
		p.X0 = s.initial()
	}
	var w solve.Workspace
	return func(ctx context.Context, rtol float64, reps int) (int64, []float64, error) {
		p.Rtol, p.Atol = rtol, s.scale*rtol
		var sol *solve.Solution
		start := time.Now()
		for range reps {
			if sol, err = w.Solve(ctx, p); err != nil {
				return 0, nil, err
			}
			if sol.Status != solve.Done {
				return 0, nil, fmt.Errorf("stops early: %s", sol.Status)
			}
		}
		return time.Since(start).Nanoseconds(), s.toC(sol.XEnd), nil
	}, nil
}

// public solves with the package that Go programs import, as somebody does who says nothing but the tolerances.
func (s *stiff) public(e endpoint) (solver, error) {
	m, err := api.Parse(s.model, modelText(s.model))
	if err != nil {
		return nil, err
	}
	o := api.SolveOptions{T1: e.T1, At: []float64{e.T1}}
	if s.initial != nil {
		x := s.initial()
		n := len(x) / len(s.states)
		o.Set = map[string]any{}
		for i, name := range s.states {
			o.Set[name] = x[i*n : (i+1)*n]
		}
	}
	return func(ctx context.Context, rtol float64, reps int) (int64, []float64, error) {
		o.Rtol, o.Atol = rtol, s.scale*rtol
		var sol *api.Solution
		start := time.Now()
		for range reps {
			var err error
			if sol, err = m.Solve(ctx, o); err != nil {
				return 0, nil, err
			}
		}
		ns := time.Since(start).Nanoseconds()
		var end []float64
		for _, name := range s.states {
			x, err := sol.Series(name)
			if err != nil {
				return 0, nil, err
			}
			end = append(end, x...)
		}
		return ns, s.toC(end), nil
	}, nil
}

// measure times everybody at all tolerances in turns. each[r] are the curves of a round.
func (s *stiff) measure(l *lab, e endpoint, who []string, run []solver, rounds int) (w work, each [][]curve, err error) {
	tols := s.tolerances()
	w = work{problem: s.name, who: who, counts: s.solvers, points: make([][]point, len(who))}
	reps := make([][]int, len(who))
	times := make([][][]float64, len(who))
	for i, f := range run {
		failed := 0
		for _, tol := range tols {
			p := point{rtol: tol, err: math.NaN()}
			n := 0
			// What fails twice at ever tighter tolerances after it ran will not run again.
			if failed < 2 {
				if ns, end, err := first(f, tol); err != nil {
					failed++
				} else {
					failed = 0
					p.err = s.errorOf(end, e.End)
					n = int(max(1, min(1e6, l.goal.Nanoseconds()/max(ns, 1))))
				}
			}
			w.points[i] = append(w.points[i], p)
			reps[i] = append(reps[i], n)
		}
		times[i] = make([][]float64, len(tols))
	}
	for range rounds {
		now := make([][]point, len(who))
		for k, tol := range tols {
			for i, f := range run {
				n := reps[i][k]
				if n == 0 {
					continue
				}
				ns, _, err := f(context.Background(), tol, n)
				if err != nil {
					return w, nil, fmt.Errorf("%s with %s at %.1g: %w", s.name, who[i], tol, err)
				}
				t := float64(ns) / float64(n)
				times[i][k] = append(times[i][k], t)
				now[i] = append(now[i], point{tol, t, w.points[i][k].err})
			}
		}
		var curves []curve
		for i := range who {
			curves = append(curves, envelope(now[i]))
		}
		each = append(each, curves)
	}
	for i := range who {
		for k := range tols {
			if len(times[i][k]) > 0 {
				w.points[i][k].ns = median(times[i][k])
			}
		}
		w.points[i] = slices.DeleteFunc(w.points[i], func(p point) bool { return p.ns == 0 })
	}
	return w, each, nil
}

// first solves once, and not for ever.
func first(f solver, tol float64) (int64, []float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return f(ctx, tol, 1)
}

// verdict is the figure of the best solver of udl: the one with the least ratio of those that come about as near to the truth as the one that comes nearest.
func (w *work) verdict(each [][]curve) (figure, error) {
	type entry struct {
		who    string
		ratios []float64
		all    comparison // of the medians
	}
	base := envelope(w.points[0])
	var tried []entry
	var out []string
	most := 0
	for i := 1; i < len(w.who); i++ {
		t := entry{who: w.who[i], all: compare(envelope(w.points[i]), base)}
		if t.all.n == 0 {
			out = append(out, w.who[i]+" has no error in common with CVODE")
			if len(w.points[i]) == 0 {
				out[len(out)-1] = w.who[i] + " does not run"
			}
			continue
		}
		for _, curves := range each {
			t.ratios = append(t.ratios, compare(curves[i], curves[0]).mean)
		}
		if slices.Contains(w.counts, t.who) {
			most = max(most, t.all.reach)
		}
		tried = append(tried, t)
	}
	best := -1
	for i, t := range tried {
		if slices.Contains(w.counts, t.who) && 4*t.all.reach >= 3*most && (best < 0 || median(t.ratios) < median(tried[best].ratios)) {
			best = i
		}
	}
	for i, who := range w.who {
		if c := envelope(w.points[i]); len(c) > 0 && c[len(c)-1].err > 1e-3 {
			return figure{}, fmt.Errorf("%s: %s does not come to the known end: it is off by %.2g at best", w.problem, who, c[len(c)-1].err)
		}
	}
	if best < 0 {
		return figure{absent: "no curve", detail: strings.Join(out, "; ")}, nil
	}
	f := spread(tried[best].ratios)
	say := []string{tried[best].who + ", " + tried[best].all.String()}
	for i, t := range tried {
		if i != best {
			say = append(say, t.who+" "+number(median(t.ratios)))
		}
	}
	f.detail = strings.Join(append(say, out...), "; ")
	return f, nil
}

// String says the ratio at each power of ten, or over which errors there are ratios.
func (c comparison) String() string {
	var s []string
	for i, r := range c.decades {
		if !math.IsNaN(r) {
			s = append(s, fmt.Sprintf("1e-%d %s", int(loosestTarget)+i, number(r)))
		}
	}
	if len(s) == 0 {
		return fmt.Sprintf("to 1e-%g–1e-%g", c.lo, c.hi)
	}
	return "to " + strings.Join(s, ", ")
}

// alone says what udl takes by itself: to the middle of the errors compared.
func (w *work) alone() string {
	var s []string
	for i, who := range w.who {
		if ns, ok := envelope(w.points[i]).at(1e-6); ok {
			s = append(s, who+" "+duration(ns))
		}
	}
	return "to 1e-6: " + strings.Join(s, ", ")
}
