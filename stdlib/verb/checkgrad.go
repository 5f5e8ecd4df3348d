package verb

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
	"github.com/udl-lang/udl/stdlib/value"
)

// checked is the gradient by one method, or why it has none.
type checked struct {
	name     string
	g        []float64
	refused  error
	departed string // of backsolve: why it is not held against the others
	off      float64
	rough    []bool // of differences: the entries where the loss is not smooth, which are not held against the others
}

// smooth says whether entry i is one that counts.
func (c *checked) smooth(i int) bool { return c.rough == nil || !c.rough[i] }

// Where differences disagree by more than roughPart of a derivative, and by more than roughScale of the largest that is sure, the loss is not smooth.
const roughPart, roughScale = 1e-3, 1e-5

// mostRows is how many derivatives the table shows.
const mostRows = 40

// checkGradVerb compares the gradient methods with each other and with central differences. What a method refuses is left out, and told.
func checkGradVerb(c *Call) (value.Value, error) {
	of, err := c.objective()
	if err != nil {
		return nil, err
	}
	asked, err := c.checkedMethods()
	if err != nil {
		return nil, err
	}
	sys := of.p.Sys
	var all []checked
	var have []*checked
	for _, how := range asked {
		col := checked{name: how}
		var r *value.Gradient
		if how == "differences" {
			var apart []float64
			col.g, apart, err = of.differences(c)
			col.rough = roughIn(col.g, apart)
		} else if r, col.g, err = of.gradient(c, how); err == nil {
			col.departed = r.Sol.Stats.Departed
		}
		var no *sens.RefusedError
		if errors.As(err, &no) {
			col.refused = err
		} else if err != nil {
			return nil, err
		}
		all = append(all, col)
	}
	for i := range all {
		if all[i].refused == nil {
			have = append(have, &all[i])
		}
	}
	if len(have) < 2 {
		for _, col := range all {
			if col.refused != nil {
				return nil, col.refused // with nothing to compare it with
			}
		}
		return nil, c.Bad("methods", "there is nothing to compare: name two methods at least")
	}
	fmt.Fprint(c.Out, compare(sys, have))
	worst := 0.0
	for _, col := range have[1:] {
		if col.departed == "" {
			worst = math.Max(worst, col.off)
		}
	}
	for _, col := range all {
		switch {
		case col.refused != nil:
			fmt.Fprintf(c.Out, "without %s: %v\n", col.name, col.refused)
		case col.departed != "":
			fmt.Fprintf(c.Out, "not counted, %s, off by %.2g: %s\n", col.name, col.off, col.departed)
		}
	}
	for _, col := range have {
		if names := roughNames(sys, col.rough); len(names) > 0 {
			fmt.Fprintf(c.Out, "not counted, %s by %s: the loss jumps or bends there, at these values, as where an output stands at the time of an event\n", col.name, strings.Join(names, ", "))
		}
	}
	fmt.Fprintf(c.Out, "largest difference: %.2g of the largest component\n", worst)
	return value.Num(worst), nil
}

// checkedMethods reads which methods are to be compared: all that there are, differences last.
func (c *Call) checkedMethods() ([]string, error) {
	var all []string
	for _, m := range sens.Methods() {
		all = append(all, m.Name)
	}
	if !c.Has("methods") {
		return all, nil
	}
	asked := c.names("methods")
	for _, name := range asked {
		if _, ok := sens.Lookup(name); !ok {
			return nil, c.Bad("methods", "there is no gradient method `%s`", name).WithHelp("there are: %s", strings.Join(all, ", "))
		}
	}
	return asked, nil
}

// compare is the table, and how far each column is from the first goes into off.
func compare(sys *system.System, have []*checked) string {
	scale := 0.0
	for i, v := range have[0].g {
		if have[0].smooth(i) {
			scale = math.Max(scale, math.Abs(v))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-16s", "")
	for _, col := range have {
		fmt.Fprintf(&b, " %15s", col.name)
	}
	fmt.Fprintln(&b)
	shown := 0
	for _, t := range gradSlots(sys) {
		names := system.Names([]system.Slot{t.Slot})
		for k := range t.Size() {
			i := t.Off + k
			nothing := true
			for _, col := range have {
				nothing = nothing && (col.g[i] == 0 || col.name == "differences" && math.Abs(col.g[i]) < 1e-12*scale)
				if have[0].smooth(i) && col.smooth(i) {
					col.off = math.Max(col.off, math.Abs(have[0].g[i]-col.g[i]))
				}
			}
			if nothing {
				continue
			}
			if shown < mostRows {
				fmt.Fprintf(&b, "%-16s", names[k])
				for _, col := range have {
					if col.smooth(i) {
						fmt.Fprintf(&b, " %15.8g", col.g[i])
					} else {
						fmt.Fprintf(&b, " %15s", "not smooth")
					}
				}
				fmt.Fprintln(&b)
			}
			shown++
		}
	}
	if shown > mostRows {
		fmt.Fprintf(&b, "… and %d more\n", shown-mostRows)
	}
	fmt.Fprintf(&b, "%-16s %15s", "off by", "")
	for _, col := range have[1:] {
		if scale > 0 {
			col.off /= scale
		}
		fmt.Fprintf(&b, " %15.2g", col.off)
	}
	fmt.Fprintln(&b)
	return b.String()
}

// differences are finite differences by every entry of θ that has a derivative; an initial value is given
// for its own. apart says by how much differences of several steps disagree.
func differences(c *Call, p *solve.Problem, loss sens.Loss) (g, apart []float64, err error) {
	sys := p.Sys
	g, apart = make([]float64, sys.NTheta), make([]float64, sys.NTheta)
	run := func(th []float64, wrt []int) error {
		if len(wrt) == 0 {
			return nil
		}
		q := *p
		q.Theta = th
		d, off := make([]float64, len(wrt)), make([]float64, len(wrt))
		v, sol, err := sens.Differences(c.Ctx, &q, loss, wrt, d, off)
		if err != nil {
			return err
		}
		if f := c.Failure(sol, &q); f != nil {
			return f
		}
		if err := c.finiteLoss(v, loss); err != nil {
			return err
		}
		for k, i := range wrt {
			g[i], apart[i] = d[k], off[k]
		}
		return nil
	}
	var rest []int
	fixed := fixInitial(sys, p.Theta, p.T0)
	for _, t := range gradSlots(sys) {
		var wrt []int
		for k := range t.Size() {
			wrt = append(wrt, t.Off+k)
		}
		if t.Role != system.RoleInit {
			rest = append(rest, wrt...)
		} else if err := run(given(sys, p.Theta, fixed, t.Name), wrt); err != nil {
			return nil, nil, err
		}
	}
	return g, apart, run(p.Theta, rest)
}

// roughNames are the names of the entries that are rough.
func roughNames(sys *system.System, rough []bool) (names []string) {
	if rough == nil {
		return nil
	}
	for _, t := range gradSlots(sys) {
		for k, name := range system.Names([]system.Slot{t.Slot}) {
			if rough[t.Off+k] {
				names = append(names, name)
			}
		}
	}
	return names
}

// roughIn finds the entries of a gradient by differences where the loss is not smooth; nil for none.
func roughIn(g, apart []float64) (rough []bool) {
	scale := 0.0
	for i, v := range g {
		if apart[i] <= roughPart*math.Abs(v) {
			scale = math.Max(scale, math.Abs(v))
		}
	}
	for i, v := range g {
		if apart[i] > roughPart*math.Abs(v) && apart[i] > roughScale*scale {
			if rough == nil {
				rough = make([]bool, len(g))
			}
			rough[i] = true
		}
	}
	return rough
}
