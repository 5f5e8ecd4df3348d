package verb

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/method"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// Default tolerances of every verb that solves.
const (
	defaultRtol = 1e-6
	defaultAtol = 1e-9
)

// chosen is a solver with the reason for it.
type chosen struct {
	m    method.Method
	step float64 // fixed step, 0 for control
}

// solverOf reads the option `solver`.
func (c *Call) solverOf() (chosen, error) {
	v, ok := c.Args["solver"]
	if w, isWord := v.(value.Word); !ok || isWord && w == "auto" {
		return chosen{m: method.Auto{}}, nil // the statistics say why
	}
	s, ok := v.(*value.Spec)
	if !ok {
		d := c.Bad("solver", "`solver` must name a solver, this is %s", value.Describe(v))
		if w, ok := v.(value.Word); ok {
			if near := diag.Suggest(string(w), solverNames()); near != "" {
				return chosen{}, d.WithHelp("did you mean `%s`?", near)
			}
		}
		return chosen{}, d.WithHelp("the solvers are: %s", strings.Join(solverNames(), ", "))
	}
	m, found := method.Find(s.Row.Name)
	if !found {
		return chosen{}, c.Bad("solver", "`%s` is no solver", s.Row.Name).WithHelp("the solvers are: %s", strings.Join(solverNames(), ", "))
	}
	if v, ok := s.Args["dt"]; ok {
		if a, ok := v.(*value.Array); !ok || !a.Shape.IsScalar() || a.Data[0] == 0 {
			return chosen{}, c.Bad("solver", "`dt` must be a positive number, this is %s", value.Describe(v))
		}
	}
	if r, ok := m.(*method.Radau); ok && s.Args["order"] == value.Word("auto") {
		m = r.Varying()
	} else if ok && s.Args["order"] != nil {
		v := s.Float("order", 0)
		of, has := r.Of(int(v))
		if a, isArray := s.Args["order"].(*value.Array); !isArray || !a.Shape.IsScalar() {
			return chosen{}, c.Bad("solver", "`order` must be a number or `auto`, this is %s", value.Describe(s.Args["order"])).WithHelp("the orders are %s, or `auto`", orders(r))
		}
		if !has || v != math.Trunc(v) {
			return chosen{}, c.Bad("solver", "`%s` has no order %s", s.Row.Name, value.Format(v)).WithHelp("its orders are %s, or `auto`", orders(r))
		}
		m = of
	}
	if b, ok := m.(*method.BDF); ok {
		var err error
		if m, err = c.bdfOf(b, s); err != nil {
			return chosen{}, err
		}
	}
	ch := chosen{m: m, step: s.Float("dt", 0)}
	if info := m.Info(); !info.Adaptive && ch.step == 0 {
		return ch, c.Bad("solver", "`%s` has no error estimate, so it needs a fixed step", info.Name).WithHelp("write `solver = %s(dt = 0.01)`", info.Name)
	}
	if ch.step < 0 || math.IsNaN(ch.step) || math.IsInf(ch.step, 0) {
		return ch, c.Bad("solver", "`dt` must be positive, this is %s", value.Format(ch.step))
	}
	return ch, nil
}

// bdfOf reads the options of a multistep method.
func (c *Call) bdfOf(b *method.BDF, s *value.Spec) (method.Method, error) {
	if s.Args["order"] != nil {
		v := s.Float("order", 0)
		of, has := b.With(int(v), "")
		if !has || v != math.Trunc(v) || v == 0 {
			return nil, c.Bad("solver", "`%s` has no order %s", s.Row.Name, value.Format(v)).WithHelp("its orders are 1 to %d", b.MaxOrder)
		}
		b = of
	}
	if v := s.Args["linear"]; v != nil {
		w, _ := v.(value.Word)
		of, has := b.With(0, string(w))
		if !has || w == "" {
			return nil, c.Bad("solver", "`linear` must be one of %s, this is %s", strings.Join(b.Linears(), ", "), value.Describe(v))
		}
		b = of
	}
	return b, nil
}

// orders lists a family's orders, for messages.
func orders(r *method.Radau) string {
	all := fmt.Sprint(r.Orders())
	return strings.ReplaceAll(strings.Trim(all, "[]"), " ", ", ")
}

func solverNames() []string {
	var names []string
	for _, m := range method.Solvers() {
		names = append(names, m.Info().Name)
	}
	return names
}

// tolerances reads rtol and atol.
func (c *Call) tolerances() (rtol, atol float64, err error) {
	if rtol, err = c.Number("rtol", defaultRtol); err != nil {
		return
	}
	if atol, err = c.Number("atol", defaultAtol); err != nil {
		return
	}
	if !(rtol > 0) || math.IsInf(rtol, 0) {
		return 0, 0, c.Bad("rtol", "`rtol` must be a positive number, this is %s", value.Format(rtol)).WithHelp("1e-6 is the default; 1e-9 is careful")
	}
	if !(atol > 0) || math.IsInf(atol, 0) {
		return 0, 0, c.Bad("atol", "`atol` must be a positive number, this is %s", value.Format(atol)).WithHelp("1e-9 is the default; take one well below the values that matter")
	}
	return
}

// times reads the option `t`, as far as it can be told without making a list of it.
func (c *Call) times() (*value.Range, error) {
	r, ok := c.Args["t"].(*value.Range)
	if !ok {
		if v, given := c.Args["t"]; given {
			return nil, c.Bad("t", "`t` must be a range of times, this is %s", value.Describe(v)).WithHelp("write `t = 0..10`, or `t = 0..10 by 0.1`")
		}
		return nil, diag.New("E0706", c.Span, "`%s` needs the times, `t`", c.Verb.Name).WithHelp("write `t = 0..10`, or `t = 0..10 by 0.1`")
	}
	if !finite(r.Lo) || !finite(r.Hi) {
		return nil, c.Bad("t", "the ends of `t` must be finite, these are %s and %s", value.Format(r.Lo), value.Format(r.Hi))
	}
	if r.Lo == r.Hi {
		return nil, c.Bad("t", "`t` is a single moment, %s", value.Format(r.Lo))
	}
	if (r.At == nil && r.By != 0 || math.IsNaN(r.By)) && !((r.Hi-r.Lo)*r.By > 0) {
		return nil, c.Bad("t", "a step of %s does not lead from %s to %s", value.Format(r.By), value.Format(r.Lo), value.Format(r.Hi)).
			WithHelp("%s", r.StepHelp())
	}
	return r, nil
}

// span reads the option `t`: the interval, and the output times, nil for every step.
func (c *Call) span() (t0, t1 float64, times []float64, err error) {
	r, err := c.times()
	if err != nil {
		return 0, 0, nil, err
	}
	if r.At == nil && r.By != 0 {
		if n := (r.Hi - r.Lo) / r.By; n > value.MaxPoints {
			return 0, 0, nil, c.Bad("t", "these are %.3g output times, more than %d", n, value.MaxPoints)
		}
	}
	if r.At != nil && len(r.At) == 0 {
		return 0, 0, nil, c.Bad("t", "the list of output times is empty").WithHelp("leave `at` out for every step")
	}
	times = r.Points()
	lo, hi := math.Min(r.Lo, r.Hi), math.Max(r.Lo, r.Hi)
	for i, t := range times {
		if !(t >= lo && t <= hi) {
			return 0, 0, nil, c.Bad("t", "the output time %s lies outside %s..%s", value.Format(t), value.Format(r.Lo), value.Format(r.Hi))
		}
		if i > 0 && (t-times[i-1])*(r.Hi-r.Lo) <= 0 {
			return 0, 0, nil, c.Bad("t", "the output times must run one way, %s follows %s", value.Format(t), value.Format(times[i-1]))
		}
	}
	return r.Lo, r.Hi, times, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// theta is the model's θ with the option `set` and the command line's values in force.
func (c *Call) theta(m *value.Model) ([]float64, error) {
	th := append([]float64(nil), m.Theta...)
	if c.Has("seed") {
		seed, err := c.seed()
		if err != nil {
			return nil, err
		}
		if !m.Trained() {
			m.C.System.Randomize(th, seed)
		}
	} else if !m.Trained() && c.Seed != 0 {
		m.C.System.Randomize(th, c.Seed)
	}
	for _, name := range sortedNames(c.Sets) {
		if Settable(m.C.System, name) {
			if err := Set(m, th, name, value.Num(c.Sets[name])); err != nil {
				return nil, diag.New("E0714", c.Span, "--set %s: %v", name, err)
			}
		}
	}
	v, ok := c.Args["set"]
	if _, each := v.(value.List); each && c.overData() {
		return th, m.C.Follow(th, !m.Trained(), c.isSet) // each trajectory has its own
	}
	if !ok {
		return th, m.C.Follow(th, !m.Trained(), c.isSet)
	}
	r, ok := v.(*value.Record)
	if !ok {
		return nil, c.Bad("set", "`set` must be a record, this is %s", value.Describe(v)).WithHelp("write `set = {alpha: 2}`")
	}
	return th, c.put(m, th, r)
}

// thetaWith is θ of one trajectory of several, with what `set` says of it.
func (c *Call) thetaWith(m *value.Model, r *value.Record) ([]float64, error) {
	th, err := c.theta(m)
	if err != nil {
		return nil, err
	}
	return th, c.put(m, th, r)
}

// put puts values into θ, and what is computed from them.
func (c *Call) put(m *value.Model, th []float64, r *value.Record) error {
	for i, key := range r.Keys {
		if err := Set(m, th, key, r.Vals[i]); err != nil {
			at := c.SpanOf("set")
			if i < len(r.Span) {
				at = r.Span[i]
			}
			d := diag.New("E0714", at, "%v", err)
			if se, ok := err.(*setError); ok && se.help != "" {
				d.WithHelp("%s", se.help)
			}
			return d
		}
	}
	return m.C.Follow(th, !m.Trained(), func(name string) bool {
		_, own := r.Get(name)
		return own || c.isSet(name)
	})
}

// isSet says whether a name was given a value for this run.
func (c *Call) isSet(name string) bool {
	if _, ok := c.Sets[name]; ok {
		return true
	}
	if r, ok := c.Args["set"].(*value.Record); ok {
		_, ok := r.Get(name)
		return ok
	}
	return false
}

func (c *Call) seed() (uint64, error) {
	if !c.Has("seed") {
		return c.Seed, nil
	}
	s, err := c.Number("seed", 0)
	if err != nil {
		return 0, err
	}
	if s < 0 || s != math.Trunc(s) || s > 1<<53 {
		return 0, c.Bad("seed", "`seed` must be a whole number from 0, this is %s", value.Format(s))
	}
	return uint64(s), nil
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// setError is a wrong key or value of `set`, with help.
type setError struct{ msg, help string }

func (e *setError) Error() string { return e.msg }

// Settable says whether a name can be given a value for a run.
func Settable(sys *system.System, name string) bool {
	return sys.Find(name, system.RoleParam, system.RoleConst, system.RoleWeight, system.RoleScale, system.RoleInit) != nil
}

// Set gives a parameter, constant, weight or initial value a value for a run. A scalar fills an array.
func Set(m *value.Model, th []float64, name string, v value.Value) error {
	sys := m.C.System
	if l, ok := v.(*value.Learned); ok {
		v = l.Weights()
	}
	if r, ok := v.(*value.Record); ok { // U: {W1: …}
		for i, k := range r.Keys {
			if err := Set(m, th, name+"."+k, r.Vals[i]); err != nil {
				return err
			}
		}
		return nil
	}
	sl, init, err := settable(m, name)
	if err != nil {
		return err
	}
	a, ok := v.(*value.Array)
	if !ok {
		return &setError{msg: "`" + name + "` must be a number or an array, this is " + value.Describe(v)}
	}
	n := sl.Size()
	if len(a.Data) != n && len(a.Data) != 1 || len(a.Data) == n && n > 1 && !a.Shape.Equal(sl.Shape) {
		have := value.Array{Shape: sl.Shape}
		return &setError{msg: "`" + name + "` is " + have.Type() + ", this is " + a.Type()}
	}
	for i := range n {
		x := a.Data[i%len(a.Data)]
		if math.IsNaN(x) {
			return &setError{msg: "`" + name + "` cannot be nan"}
		}
		if x < sl.Lo || x > sl.Hi {
			return &setError{msg: "`" + name + "` = " + value.Format(x) + " lies outside its bounds " + value.Format(sl.Lo) + ".." + value.Format(sl.Hi)}
		}
		th[sl.Off+i] = x
	}
	if flag := sys.Find(name, system.RoleFlag); flag != nil && (init || sl.Role == system.RoleConst) {
		th[flag.Off] = 1
	}
	return nil
}

// settable finds what a name of `set` stands for; init says that it is a state's initial value.
func settable(m *value.Model, name string) (sl *system.ThetaSlot, init bool, err error) {
	sys := m.C.System
	sl = sys.Find(name, system.RoleParam, system.RoleConst, system.RoleWeight, system.RoleScale)
	if sl == nil {
		sl, init = sys.Find(name, system.RoleInit), true
	}
	if sl == nil {
		e := &setError{msg: "`" + name + "` is nothing that can be set in " + m.Name()}
		var names []string
		for _, t := range sys.Theta {
			if t.Role != system.RoleFlag {
				names = append(names, t.Name)
			}
		}
		for _, k := range m.C.Model.Consts {
			if k.Structural && k.Name == name {
				e.msg = "`" + name + "` fixes a shape of " + m.Name() + ", so it cannot be set for a run"
				e.help = "change it in the model"
				return nil, false, e
			}
		}
		for _, l := range m.C.Model.Lets {
			if l.Name == name && l.Input {
				e.msg = "`" + name + "` is an input, so it is not set"
				e.help = "give it a number or a table by `inputs = {" + name + ": …}`"
				return nil, false, e
			}
			if l.Name == name {
				e.msg = "`" + name + "` is computed by a `let`, so it cannot be set"
				e.help = "set what it is computed from"
				return nil, false, e
			}
		}
		if s := diag.Suggest(name, names); s != "" {
			e.help = "did you mean `" + s + "`?"
		} else {
			e.help = "settable are: " + strings.Join(unique(names), ", ")
		}
		return nil, false, e
	}
	return sl, init, nil
}

func unique(names []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// problem sets up an initial value problem from the call's options.
func (c *Call) problem(m *value.Model) (*solve.Problem, error) {
	ch, err := c.solverOf()
	if err != nil {
		return nil, err
	}
	p := &solve.Problem{Sys: m.C.System, Method: ch.m, Step: ch.step}
	if p.Rtol, p.Atol, err = c.tolerances(); err != nil {
		return nil, err
	}
	if p.Theta, err = c.theta(m); err != nil {
		return nil, err
	}
	if p.MaxSteps, err = c.Int("max_steps", c.Limits.Steps); err != nil {
		return nil, err
	}
	if p.Hmax, err = c.Number("max_step", 0); err != nil {
		return nil, err
	}
	if c.Has("max_step") && !(p.Hmax > 0) {
		return nil, c.Bad("max_step", "`max_step` must be a positive number, this is %s", value.Format(p.Hmax)).WithHelp("take it shorter than the shortest thing that happens")
	}
	p.MaxMemory = c.Limits.Memory
	return p, nil
}

func solveVerb(c *Call) (value.Value, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	p, err := c.problem(m)
	if err != nil {
		return nil, err
	}
	if into, ok := c.Args["into"]; ok {
		return c.solveInto(m, p, into)
	}
	if p.T0, p.T1, p.Times, err = c.span(); err != nil {
		return nil, err
	}
	p.OutputsFirst = true
	sol, err := solve.Solve(c.Ctx, p)
	if err != nil {
		return nil, err
	}
	c.shifted(m, sol.Shifted)
	s := &value.Solution{Sol: sol, Model: m, Theta: p.Theta}
	if d := c.Failure(sol, p); d != nil {
		if c.Ctx.Err() != nil {
			return nil, d
		}
		c.Warn(d.AsWarning(), true)
	}
	return s, nil
}
