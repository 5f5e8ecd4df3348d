package models

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/parser"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/signal"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/eval"
)

// gradientCase is how the gradients of a model of the gallery are compared: over which time, and for explicit solvers of what is stiff a shorter one. A model without a row
// is compared over 0..1.
type gradientCase struct {
	end, explicit float64
	atol          float64
	text          string    // of a model that is not of the gallery
	input         string    // that is given as a table that jumps
	start         []float64 // initial values in place of those that are at rest, from where steps of any length are without error
	bends         string    // what is not smooth, and not located as jumps are: methods then agree no better than the steps meet it; "" where there is nothing
	stable        float64   // the longest step of explicit solvers, 0 for any
	big           string    // why forward sensitivities are by parameters only, and low orders are left out; "" where they are not
}

var gradientCases = map[string]gradientCase{
	"augmented.Plain":              {end: 1},
	"augmented.Augmented":          {end: 1},
	"bouncing_ball.Ball":           {end: 5},
	"bouncing_ball.Three":          {end: 5},
	"dosing.Doses":                 {end: 40},
	"driven.RC":                    {end: 5, input: "U"},
	"ensemble.LotkaVolterra":       {end: 4},
	"collocation.VanDerPol":        {end: 2},
	"collocation.Learned":          {end: 2},
	"exponential.ByPolynomial":     {end: 0.4},
	"exponential.ByFormula":        {end: 1},
	"exponential.ByNetwork":        {end: 1},
	"hamiltonian.Pendulum":         {end: 3},
	"hamiltonian.Learned":          {end: 3},
	"kepler.Planet":                {end: 6},
	"lorenz_discover.Lorenz":       {end: 1},
	"lotka_volterra.LotkaVolterra": {end: 4},
	"lynx.LynxHare":                {end: 4},
	"lynx_holdout.LynxHare":        {end: 4},
	"lynx_holdout.Classical":       {end: 4},
	"pelts.Pelts":                  {end: 4},
	"poisson.Plate":                {end: 0.02, explicit: 0.005, stable: 1e-4, big: "1089 states, each with an initial value"},
	"recovery_loop.Truth":          {end: 3},
	"recovery_loop.Known":          {end: 3},
	"robertson.Robertson":          {end: 40, explicit: 0.3, atol: 1e-13},
	"robertson.Conserved":          {end: 40, atol: 1e-13},
	"neural_ode.Truth":             {end: 2, start: []float64{0.5, 0.3}},
	"neural_ode.Net":               {end: 1, start: []float64{0.5, 0.3}},
	"spheres.Plain":                {end: 1},
	"spheres.Augmented":            {end: 1},
	"spiral.Truth":                 {end: 1.5},
	"spiral.Spiral":                {end: 1},
	"swing.Swing":                  {end: 2},
	"swing.Angle":                  {end: 2},
	"ude_recovery.Truth":           {end: 3},
	"ude_recovery.Known":           {end: 3},
	// Times of events from parameters, an event that resets by parameters at a threshold of its own, and a condition that jumps.
	"times": {end: 3, text: "model M {\nparam a = 0.8, b = 0.6, T1 = 0.9, p = 0.7, c = 0.4\nstate x = 1, y = 0.5*b\nx' = -a*x + 0.3*y + (if x > c then 0.2 else b)\ny' = a*x - y\n" +
		"at t = T1 { x := x + b }\nevery p { y := y + 0.1*a }\nwhen y > 0.75 { y := 0.5*y + 0.1*x }\n}"},
}

// left is why a solver is not held to 1e-6 on a model, "" where it is.
func left(m method.Info, c gradientCase, s *system.System) string {
	switch {
	case s.Mass != nil && !m.Mass:
		return "does not solve algebraic equations"
	case m.Family == method.Hamiltonian && notSeparable(s):
		return "the equations are not those of positions and momenta"
	case m.Order == 1:
		return "its first-order steps of fixed length are nowhere near 1e-6"
	case !m.Adaptive && len(s.Events)+len(s.Jumps) > 0 && m.Order < 4:
		return "second-order steps of fixed length are nowhere near 1e-6"
	case c.bends != "":
		return c.bends
	case s.Invariants != nil && m.Name == "Rosenbrock23":
		return "on a constraint at 1e-9 its second-order steps leave 2e-6 between discrete and forward, and continuous adjoints refuse, by name, as their steps become too small"
	case weighty(s) && m.Order <= 3:
		return "low order at 1e-9: too many steps with thousands of weights"
	case c.big != "" && m.Order <= 3:
		return "low order at 1e-9: too many steps with " + c.big
	}
	return ""
}

func notSeparable(s *system.System) bool { _, err := solve.Separate(s); return err != nil }

// galleryModels compiles the models of all files, by file and name, and those of the cases that are texts.
func galleryModels(t *testing.T) map[string]*compiler.Compiled {
	t.Helper()
	all := map[string]*compiler.Compiled{}
	load := func(prefix, text string) {
		tree, errs := parser.Parse(diag.NewSource(prefix, text))
		if errs.HasErrors() {
			t.Fatal(explain(errs))
		}
		in := eval.New(eval.Options{Quiet: true})
		if err := in.Declare(tree); err != nil {
			t.Fatal(explain(err))
		}
		for name, m := range in.Models() {
			all[prefix+"."+name] = m.C
		}
	}
	for _, f := range files(t) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		load(strings.TrimSuffix(f, ".udl"), string(b))
	}
	for name, c := range gradientCases {
		if c.text != "" {
			load(name, c.text)
			all[name] = all[name+".M"]
			delete(all, name+".M")
		}
	}
	return all
}

// TestGradientsAgree holds forward, discrete, interpolating and quadrature gradients against each other at 1e-9, for every model of the gallery: by parameters, weights, initial
// values, times of events, and times of outputs. By itself it takes a few solvers; with UDL_GRADIENTS=all every one that there is, and with a part of
// their names those models only.
func TestGradientsAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("gradients of the whole gallery: left out with -short")
	}
	only := os.Getenv("UDL_GRADIENTS")
	thorough := only != ""
	if only == "all" {
		only = ""
	}
	few := map[string]bool{"Vern7": true, "Rodas5P": true}
	models := galleryModels(t)
	var names []string
	for name := range models {
		if strings.Contains(name, only) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	worst, worstOf, pairs := 0.0, "", 0
	for _, name := range names {
		c, ok := gradientCases[name]
		if !ok {
			c.end = 1 // a model that says nothing of itself
		}
		s := dressed(t, models[name], c.input)
		for _, m := range method.Solvers() {
			info := m.Info()
			if !thorough && (!few[info.Name] || weighty(s) && info.Family != method.ExplicitRK) {
				continue
			}
			if why := left(info, c, s); why != "" {
				if thorough {
					t.Logf("%-30s %-12s left out: %s", name, info.Name, why)
				}
				continue
			}
			off, err := agree(t, name, c, s, m, thorough)
			if err != nil {
				t.Errorf("%s, %s: %v", name, info.Name, err)
				continue
			}
			if pairs++; off > worst {
				worst, worstOf = off, name+" by "+info.Name
			}
		}
	}
	t.Logf("%d pairs of models and solvers; the largest difference is %.1e of the largest component, %s", pairs, worst, worstOf)
}

// dressed gives the model its input, a table that jumps.
func dressed(t *testing.T, c *compiler.Compiled, input string) *system.System {
	t.Helper()
	if input == "" {
		return c.System
	}
	f, err := signal.New(signal.Hold, []float64{0, 1, 2, 3.3, 4}, []float64{5, 0, 5, 1, 2}, true)
	if err != nil {
		t.Fatal(err)
	}
	zero := &ir.External{Name: input, N: 1, Eval: func([]float64) float64 { return 0 }}
	zero.Partial = func(int) *ir.External { return zero }
	of := &ir.External{Name: input, N: 1, Eval: func(x []float64) float64 { return f.Eval(x[0]) }, Partial: func(int) *ir.External { return zero }}
	out, err := c.WithSignals([]compiler.Signal{{Input: input, Elements: []*ir.External{of}, Kinks: f.Kinks(), Lo: math.Inf(-1), Hi: math.Inf(1)}})
	if err != nil {
		t.Fatal(err)
	}
	return out.System
}

// weighted is a loss on all states at all output times, each in proportion to its size, with a weight for each of them; the elements of an array have one size and one weight, since the
// steps for a field that is smooth are none for a loss that is rough in space. For the same reason it is squares alone where even is set: the field is zero on the rim, and so is their slope.
// The sum is multiplied by a mean of 1 + cos/10 over the parameters and weights, so that they count by themselves, and the times of events by a sine, so that both are of the size of the rest.
type weighted struct {
	times []float64
	size  []float64
	slot  []int
	even  bool
	own   []int // entries of θ that it reads
	fired []float64
	byAt  []float64 // where the derivatives by the times of events go; nil where they are not wanted
}

var _ sens.EventLoss = (*weighted)(nil)

func (l *weighted) Times() []float64 { return l.times }

func (l *weighted) Events(t, gt []float64) error {
	l.fired, l.byAt = t, gt
	return nil
}

func (l *weighted) Eval(x, th, gx, gth []float64) (float64, error) {
	sum := l.states(x, gx)
	end := l.times[len(l.times)-1]
	for k, t := range l.fired {
		w := (1 + math.Mod(0.61*float64(k), 1)) / end
		sum += end * math.Sin(w*t)
		if gx != nil && l.byAt != nil {
			l.byAt[k] = end * w * math.Cos(w*t)
		}
	}
	part, n := 1.0, float64(len(l.own))
	for _, i := range l.own {
		part += 0.1 * math.Cos(th[i]) / n
	}
	if gx != nil {
		for i := range gx[:len(x)] {
			gx[i] *= part
		}
		for k := range l.byAt {
			l.byAt[k] *= part
		}
		if gth != nil {
			for _, i := range l.own {
				gth[i] -= sum * 0.1 * math.Sin(th[i]) / n
			}
		}
	}
	return sum * part, nil
}

// states is the sum over them.
func (l *weighted) states(x, gx []float64) float64 {
	sum, nx := 0.0, len(l.size)
	for i, v := range x {
		w, u := 1+math.Mod(0.37*float64(i/nx+3*l.slot[i%nx]), 1), v/l.size[i%nx]
		v, slope := u*u/2, u
		if !l.even {
			v, slope = v+math.Sin(u), slope+math.Cos(u)
		}
		sum += w * v
		if gx != nil {
			gx[i] = w * slope / l.size[i%nx]
		}
	}
	return sum
}

// agree is the largest difference for one model and solver, an error where it is above 1e-6, or where a method refuses what it should not.
func agree(t *testing.T, name string, c gradientCase, s *system.System, m method.Method, thorough bool) (float64, error) {
	ctx, info, began := context.Background(), m.Info(), time.Now()
	p := &solve.Problem{Sys: s, Method: m, T1: c.end, Rtol: 1e-9, Atol: 1e-11, MaxSteps: 20_000_000, MaxMemory: 6 << 30}
	if c.atol > 0 {
		p.Atol = c.atol
	}
	if c.explicit > 0 && !info.Family.Implicit() && info.Family != method.Automatic {
		p.T1 = c.explicit
		// Nine steps of DP5 take a smooth field over this time, beyond where they are stable: what rounding excites grows until the error control sees it, and by as much in λ,
		// where it does not. The discrete gradient, which is that of the steps, is then 4e-6 off by the initial value of a single point, 1e-15 with steps that are stable.
		if info.Family != method.Stabilised {
			p.Hmax = c.stable
		}
	}
	if low := info.Adaptive && info.Order <= 2; low && len(s.Events)+len(s.Jumps) == 0 {
		p.T1 /= 4 // some hundred thousand steps a unit of time
	}
	if !info.Adaptive {
		p.Step = p.T1 / 4000
		if info.Order == 2 {
			p.Step = p.T1 / 100000
		}
	}
	loss := &weighted{size: make([]float64, s.NX), slot: make([]int, s.NX), even: c.big != ""}
	for k, sl := range s.States {
		for i := range sl.Size() {
			loss.slot[sl.Off+i] = k
		}
	}
	for _, sl := range s.Theta {
		switch sl.Role {
		case system.RoleParam, system.RoleConst, system.RoleWeight:
			for k := range sl.Size() {
				loss.own = append(loss.own, sl.Off+k)
			}
		}
	}
	for _, f := range []float64{0, 0.113, 0.3371, 0.338, 0.71, 0.97, 1} {
		loss.times = append(loss.times, f*p.T1)
	}
	p.Theta = trainedTheta(s)
	if c.start != nil {
		p.Theta = givenInitial(s, p.Theta)
		copy(p.Theta[s.Find(s.States[0].Name, system.RoleInit).Off:], c.start)
	}
	q := *p
	q.Times, q.Rtol, q.NoDense = loss.times, 1e-6, true
	if sol, err := solve.Solve(ctx, &q); err != nil || !sol.Status.Ended() {
		return 0, fmt.Errorf("it is not solved: %v", err)
	} else {
		size := make([]float64, len(s.States))
		for i, v := range sol.X {
			k := loss.slot[i%s.NX]
			size[k] = max(size[k], math.Abs(v))
		}
		for i, k := range loss.slot {
			if loss.size[i] = size[k]; size[k] == 0 {
				loss.size[i] = 1
			}
		}
	}
	// Initial values are given, where that is asked for, besides what computes them.
	worst := 0.0
	var by []string
	given := givenInitial(s, p.Theta)
	thetas := [][]float64{p.Theta}
	if given != nil {
		thetas = append(thetas, given)
	}
	if !thorough && len(thetas) > 1 {
		thetas = thetas[1:]
	}
	for _, th := range thetas {
		p.Theta = th
		gs, ts := map[string][]float64{}, map[string][]float64{}
		wrt := wanted(s, c, th)
		if info.Order <= 3 || weighty(s) || thorough && info.Family != method.ExplicitRK {
			wrt = thin(wrt)
		}
		for _, how := range []string{"discrete", "forward", "interpolating", "quadrature"} {
			g := make([]float64, s.NTheta)
			seen := sens.Recording(loss)
			gm, _ := sens.Lookup(how)
			var sol *solve.Solution
			var err error
			if how == "forward" && wrt != nil {
				d := make([]float64, len(wrt))
				_, sol, err = sens.Forward(ctx, p, seen, wrt, d)
				for k, i := range wrt {
					g[i] = d[k]
				}
			} else {
				_, sol, err = gm.Gradient(ctx, p, seen, g)
			}
			var no *sens.RefusedError
			if errors.As(err, &no) {
				return 0, fmt.Errorf("%s refuses, which nothing in the gallery is a reason for: %v", how, err)
			}
			if err != nil {
				return 0, fmt.Errorf("%s: %v", how, err)
			}
			if !sol.Status.Ended() {
				return 0, fmt.Errorf("%s stops: %v", how, sol.Fault)
			}
			gs[how] = g
			if ts[how], err = sens.ByOutputTimes(ctx, p, sol, seen); err != nil {
				return 0, fmt.Errorf("%s, by output times: %v", how, err)
			}
		}
		for a, ga := range gs {
			for b, gb := range gs {
				if a >= b {
					continue
				}
				only := wrt
				if a != "forward" && b != "forward" {
					only = nil
				}
				off := max(apart(ga, gb, only), apart(ts[a], ts[b], nil))
				worst = max(worst, off)
				if !(off <= 1e-6) {
					by = append(by, fmt.Sprintf("%s and %s by %.1e", a, b, off))
				}
			}
		}
	}
	t.Logf("%-30s %-12s %.1e in %.2f s", name, info.Name, worst, time.Since(began).Seconds())
	if by != nil {
		return worst, fmt.Errorf("differ: %s", strings.Join(by, ", "))
	}
	return worst, nil
}

// apart is the largest difference relative to the largest component, over the entries of only.
func apart(a, b []float64, only []int) float64 {
	d, size := 0.0, 0.0
	one := func(i int) {
		if e := math.Abs(a[i] - b[i]); !(e <= d) {
			d = e
		}
	}
	for i := range a {
		size = max(size, math.Abs(a[i]), math.Abs(b[i]))
		if only == nil {
			one(i)
		}
	}
	for _, i := range only {
		one(i)
	}
	if d == 0 {
		return 0
	}
	return d / size
}

// trainedTheta are the defaults with weights as after a training, since the last layer begins with zeros.
func trainedTheta(s *system.System) []float64 {
	th := s.Defaults()
	if s.Randomize != nil {
		s.Randomize(th, 1)
	}
	for _, sl := range s.Theta {
		if sl.Role != system.RoleWeight {
			continue
		}
		for k := range sl.Size() {
			th[sl.Off+k] += 0.3 * math.Sin(float64(7*sl.Off+3*k+1))
		}
	}
	return th
}

// givenInitial is θ with all initial values given; nil where there are none to give.
func givenInitial(s *system.System, th []float64) []float64 {
	if s.Find(s.States[0].Name, system.RoleInit) == nil {
		return nil
	}
	x0 := make([]float64, s.NX)
	s.Init.Clone().Eval(x0, 0, nil, th)
	out := append([]float64(nil), th...)
	for _, st := range s.States {
		if sl := s.Find(st.Name, system.RoleInit); sl != nil {
			copy(out[sl.Off:sl.Off+sl.Size()], x0[st.Off:])
		}
		if sl := s.Find(st.Name, system.RoleFlag); sl != nil {
			out[sl.Off] = 1
		}
	}
	return out
}

// weighty says that a model has so many weights that implicit solvers and forward sensitivities take long.
func weighty(s *system.System) bool {
	n := 0
	for _, sl := range s.Theta {
		if sl.Role == system.RoleWeight {
			n += sl.Size()
		}
	}
	return n > 1000
}

// mostForward is how many entries of θ forward sensitivities are taken by where there are many steps, or equations to solve in each.
const mostForward = 12

// thin takes as many of wrt, evenly.
func thin(wrt []int) []int {
	if len(wrt) <= mostForward {
		return wrt
	}
	var out []int
	for k := range mostForward {
		out = append(out, wrt[k*(len(wrt)-1)/(mostForward-1)])
	}
	return out
}

// wanted are the entries of θ that forward sensitivities are taken by; nil for all. Initial values that are not in force have none.
func wanted(s *system.System, c gradientCase, th []float64) []int {
	out := []int{}
	for _, sl := range s.Theta {
		if sl.Role == system.RoleFlag || sl.Role == system.RoleInit && c.big != "" {
			continue
		}
		if sl.Role == system.RoleInit {
			if f := s.Find(sl.Name, system.RoleFlag); f != nil && th[f.Off] == 0 {
				continue
			}
		}
		for k := range sl.Size() {
			out = append(out, sl.Off+k)
		}
	}
	return out
}
