package compiler_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/udl-lang/udl/compiler"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// brute integrates a system with events by many small steps of the classical Runge–Kutta method, bisecting where a condition changes: slow, plain, and with
// nothing of the solver's in it.
type brute struct {
	sys     *system.System
	rhs     system.Func
	guards  system.Func
	resets  []system.Func
	order   []int
	holds   []bool
	x       []float64
	moments []float64
	period  []float64
	log     []shot
	times   int
}

type shot struct {
	t     float64
	event int
	at    int // which of the times at which something happened
}

func (b *brute) step(x []float64, t, h float64) []float64 {
	n := len(x)
	k := [4][]float64{}
	at := slices.Clone(x)
	for i, c := range []float64{0, 0.5, 0.5, 1} {
		if i > 0 {
			for j := range at {
				at[j] = x[j] + h*c*k[i-1][j]
			}
		}
		k[i] = make([]float64, n)
		b.rhs.Eval(k[i], t+c*h, at, nil)
	}
	out := make([]float64, n)
	for j := range out {
		out[j] = x[j] + h/6*(k[0][j]+2*k[1][j]+2*k[2][j]+k[3][j])
	}
	return out
}

func (b *brute) truths(t float64, x []float64) []bool {
	g := make([]float64, len(b.holds))
	b.guards.Eval(g, t, x, nil)
	out := make([]bool, len(g))
	for i, v := range g {
		out[i] = v > 0
	}
	return out
}

// cascade fires what is due at t, and what that sets off; false when it does not end.
func (b *brute) cascade(t float64, due []int) bool {
	b.times++
	flip := func() {
		now := b.truths(t, b.x)
		for g, v := range now {
			if v == b.holds[g] {
				continue
			}
			b.holds[g] = v
			for i := range b.sys.Events {
				ev := &b.sys.Events[i]
				if ev.Kind == system.EventWhen && ev.Guard == g && (ev.Direction == system.Either || (ev.Direction == system.Rising) == v) && !slices.Contains(due, i) {
					due = append(due, i)
				}
			}
		}
	}
	flip()
	for n := 0; len(due) > 0; n++ {
		if n > 40 {
			return false
		}
		slices.SortStableFunc(due, func(p, q int) int { return slices.Index(b.order, p) - slices.Index(b.order, q) })
		i := due[0]
		due = due[1:]
		b.log = append(b.log, shot{t, i, b.times})
		z := make([]float64, len(b.x))
		b.resets[i].Eval(z, t, b.x, nil)
		b.x = z
		flip()
	}
	return true
}

// run integrates over 0..t1 from x0 plus a shift; false where the model is of no use.
func (b *brute) run(t1, shift float64) bool {
	sys := b.sys
	th := sys.Defaults()
	b.rhs, b.guards = sys.RHS.Clone(), sys.Guards.Clone()
	b.rhs.Prepare(th)
	b.guards.Prepare(th)
	_, _, ng := b.guards.Dims()
	b.holds, b.log = make([]bool, ng), nil
	b.x = make([]float64, sys.NX)
	sys.Init.Clone().Eval(b.x, 0, nil, th)
	for i := range 2 {
		b.x[i] += shift
	}
	n := len(sys.Events)
	b.resets, b.moments, b.period, b.order = make([]system.Func, n), make([]float64, n), make([]float64, n), nil
	for i := range sys.Events {
		ev := &sys.Events[i]
		b.resets[i] = ev.Reset.Clone()
		b.resets[i].Prepare(th)
		b.order = append(b.order, i)
		b.moments[i] = math.Inf(1)
		if ev.Time != nil {
			v := []float64{0}
			ev.Time.Clone().Eval(v, 0, nil, th)
			b.moments[i] = v[0]
			if ev.Kind == system.EventEvery {
				b.period[i] = v[0]
			}
		}
	}
	slices.SortStableFunc(b.order, func(p, q int) int { return int(sys.Events[q].Priority - sys.Events[p].Priority) })
	copy(b.holds, b.truths(0, b.x))
	t := 0.0
	const h = 2e-3
	for t < t1 {
		end := min(t+h, t1)
		for _, m := range b.moments {
			end = min(end, m)
		}
		x := b.step(b.x, t, end-t)
		if !slices.Equal(b.truths(end, x), b.holds) {
			lo, hi := 0.0, end-t
			for range 60 {
				mid := 0.5 * (lo + hi)
				if slices.Equal(b.truths(t+mid, b.step(b.x, t, mid)), b.holds) {
					lo = mid
				} else {
					hi = mid
				}
			}
			end = t + hi
			x = b.step(b.x, t, hi)
		}
		t, b.x = end, x
		var due []int
		for i, m := range b.moments {
			if m == t {
				due = append(due, i)
				b.moments[i] = math.Inf(1)
				if b.period[i] > 0 {
					b.moments[i] = t + b.period[i]
				}
			}
		}
		if !b.cascade(t, due) || len(b.log) > 60 {
			return false
		}
		for _, v := range b.x {
			if !(math.Abs(v) < 100) {
				return false
			}
		}
	}
	return true
}

// randomModel writes a model of two coupled states, a free one and a counter, with a few events of all kinds.
func randomModel(t *rapid.T) string {
	num := func(lo, hi float64) string {
		v := math.Round(1000*rapid.Float64Range(lo, hi).Draw(t, "c")) / 1000
		if math.Abs(v) < 0.05 { // where all is zero, rounding decides
			v += 0.07
		}
		return fmt.Sprintf("%.3f", v)
	}
	pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, "of") }
	var b strings.Builder
	fmt.Fprintf(&b, "model M {\n  state x = %s, y = %s, z = 0\n  discrete n = 0\n", num(-2, 2), num(-2, 2))
	fmt.Fprintf(&b, "  x' = %s*y + %s*x\n  y' = -(%s)*x + %s*sin(%s*t)\n  z' = x*y\n", num(0.5, 3), num(-0.3, 0.1), num(0.5, 3), num(-1, 1), num(0.3, 4))
	cond := func() string {
		return fmt.Sprintf("%s*x + %s*y %s %s", pick("", "-")+num(0.3, 1), num(0.2, 1), pick(">", "<", ">=", "<="), num(-1.5, 1.5))
	}
	update := func() string {
		return pick(
			fmt.Sprintf("x := %s*x + %s", num(-0.9, 0.9), num(-1, 1)),
			fmt.Sprintf("y := %s*y + %s; n := n + 1", num(-0.9, 0.9), num(-1, 1)),
			fmt.Sprintf("x := y; y := %s*x", num(-1, 1)),
			"n := n + 1",
			fmt.Sprintf("z := %s*z; n := n + 1", num(-1, 1)),
		)
	}
	b.WriteString("  when n > 3.5 { n := 0; x := x + 0.1 }\n")
	for range rapid.IntRange(1, 4).Draw(t, "events") {
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			fmt.Fprintf(&b, "  at t = %s { %s }\n", num(0.1, 4), update())
		case 1:
			fmt.Fprintf(&b, "  every %s priority %s { %s }\n", num(0.3, 2), pick("0", "1"), update())
		case 2:
			fmt.Fprintf(&b, "  when %s %s %s { %s }\n", cond(), pick("and", "or"), cond(), update())
		case 4: // both ways of one condition
			c := cond()
			fmt.Fprintf(&b, "  when %s { %s }\n  when %s falling { n := n + 1 }\n", c, pick("n := n + 1", "z := 0.5*z", update()), c)
		case 3:
			fmt.Fprintf(&b, "  when not (%s) falling priority 1 { %s }\n", cond(), update())
		default:
			fmt.Fprintf(&b, "  when %s %s { %s }\n", cond(), pick("", "falling", "either", "priority 2"), update())
		}
	}
	b.WriteString("}")
	return b.String()
}

// TestRandomEvents holds a thousand random models against brute force. Where a shift of the start by 1e-5 changes what fires, the model says nothing.
func TestRandomEvents(t *testing.T) {
	want, tried, compared, shots := 1000, 0, 0, 0
	if testing.Short() {
		want = 50
	}
	names := []string{"Tsit5", "Vern7", "Vern9", "Rodas5P", "RadauIIA5", "KenCarp4", "BDF", "VCABM", "auto"}
	one := func(text string) {
		tried++
		c := compile(t, text)
		const t1 = 5
		var runs [3]brute
		for i, shift := range []float64{0, 1e-5, -1e-5} {
			runs[i].sys = c.System
			if !runs[i].run(t1, shift) || len(runs[i].log) != len(runs[0].log) {
				return
			}
		}
		ref := &runs[0]
		for i := 1; i < len(ref.log); i++ {
			if ref.log[i].at != ref.log[i-1].at && ref.log[i].t-ref.log[i-1].t < 1e-5 {
				return // as where all is zero, and rounding decides
			}
		}
		spread := make([]float64, len(ref.log))
		end := make([]float64, len(ref.x))
		for _, r := range runs[1:] {
			for i, s := range r.log {
				if s.event != ref.log[i].event {
					return
				}
				spread[i] = max(spread[i], math.Abs(s.t-ref.log[i].t))
			}
			for i, v := range r.x {
				end[i] = max(end[i], math.Abs(v-ref.x[i]))
			}
		}
		compared++
		shots += len(ref.log)
		m, _ := method.Find(names[compared%len(names)])
		s, err := solve.Solve(context.Background(), &solve.Problem{Sys: c.System, T1: t1, Method: m, Rtol: 1e-9, Atol: 1e-11})
		if err != nil {
			t.Fatal(err)
		}
		fail := func(format string, args ...any) {
			t.Errorf("%s, %s:\n%s\nfired %s\nwant  %s", fmt.Sprintf(format, args...), names[compared%len(names)], text, firings(c, s), firingsOf(c, ref.log))
		}
		if s.Status != solve.Done || len(s.Events) != len(ref.log) {
			fail("%v %v", s.Status, s.Fault)
			return
		}
		for i, f := range s.Events {
			if f.Event != ref.log[i].event || math.Abs(f.T-ref.log[i].t) > 1e-7+spread[i] {
				fail("event %d at %.12g, not %.12g", i+1, f.T, ref.log[i].t)
				return
			}
		}
		for i, v := range s.XEnd {
			if math.Abs(v-ref.x[i]) > 1e-6+end[i] {
				fail("ends at %v, not %v", s.XEnd, ref.x)
				return
			}
		}
	}
	texts := rapid.Custom(randomModel)
	for seed := 0; compared < want && tried < 20*want && !t.Failed(); seed++ {
		one(texts.Example(seed))
	}
	t.Logf("%d models compared of %d, %d events", compared, tried, shots)
	if compared < want && !t.Failed() {
		t.Errorf("only %d of %d models say something", compared, tried)
	}
}

func firingsOf(c *compiler.Compiled, log []shot) string {
	var out []string
	for _, s := range log {
		out = append(out, fmt.Sprintf("%.6g %s", s.t, c.System.Events[s.event].Name))
	}
	return strings.Join(out, "; ")
}
