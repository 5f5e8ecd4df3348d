package implicit

import (
	"strconv"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/runtime/system"
)

// singular refuses a system that no differentiation can mend: with x and its derivatives taken for one, there is still no way to assign
// every equation a quantity of its own.
func (a *analysis) singular(explicit [][]int, own []int) error {
	var rows [][]int
	var eqs []int // of the rows: an element of eqs, or −1 − the element of x whose derivative it gives
	base := func(row []int, first int) []int {
		var out []int
		if first >= 0 {
			out = append(out, first)
		}
		for _, v := range row {
			if v >= a.nx {
				v = a.loose[(v-a.nx)%len(a.loose)]
			}
			if v != first {
				out = append(out, v)
			}
		}
		return out
	}
	for v, row := range explicit {
		if own[v] < 0 {
			rows = append(rows, base(row, v))
			eqs = append(eqs, -1-v)
		}
	}
	for i, e := range a.eqs {
		rows = append(rows, base(e.inBase, -1))
		eqs = append(eqs, i)
	}
	m := match(rows, a.nx)
	if m.perfect() {
		return nil
	}
	over, cols := m.over()
	under := m.under()
	names := system.Names(a.slots())
	var eq, det, free []string
	var d *diag.Diagnostic
	for r, yes := range over {
		if !yes {
			continue
		}
		if eqs[r] < 0 {
			eq = append(eq, "`"+names[-1-eqs[r]]+"'`")
			continue
		}
		e := a.eqs[eqs[r]]
		q := a.m.Implicit[e.eq]
		if d == nil {
			d = diag.New("E0235", q.Span, "the equations do not determine the unknowns")
		} else if len(d.Labels) < 4 && q.Span != d.Labels[len(d.Labels)-1].Span {
			d.And(q.Span, "and this one")
		}
		eq = append(eq, "`"+a.name(eqs[r])+"`")
	}
	for c := range cols {
		if cols[c] {
			det = append(det, "`"+names[c]+"`")
		}
		if under[c] {
			free = append(free, "`"+names[c]+"`")
		}
	}
	if d == nil {
		d = diag.New("E0235", a.m.Implicit[0].Span, "the equations do not determine the unknowns")
	}
	if len(det) == 0 {
		d.At("no state or unknown stands in it")
	} else {
		verb := " are "
		if len(eq) == 1 {
			verb = " is "
		}
		d.At("%s%smore than %s can satisfy", list(eq), verb, list(det))
	}
	if len(free) > 0 {
		d.Note("nothing determines %s", list(free))
	}
	return d.WithHelp("leave an equation out, or write one that holds what nothing determines")
}

// endless refuses what would have to be differentiated without end.
func (a *analysis) endless() error {
	over, _ := a.found.over()
	for i, yes := range over {
		if yes {
			return diag.New("E0236", a.m.Implicit[a.eqs[i].eq].Span, "the index cannot be reduced").At("differentiated %d times, it still determines no unknown", a.eqs[i].level).
				WithHelp("check that the constraint acts on what it is to determine")
		}
	}
	return diag.New("E0236", a.m.Span, "the index cannot be reduced").WithHelp("check the constraints")
}

func list(names []string) string {
	if len(names) > 5 {
		names = append(names[:5:5], "…")
	}
	if n := len(names); n > 1 && names[n-1] != "…" {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, ", ")
}

func (a *analysis) slots() []system.Slot { return slotsOf(a.lay) }

// name is how messages call an element of an implicit equation.
func (a *analysis) name(i int) string {
	e := a.eqs[i]
	q := a.m.Implicit[e.eq]
	text := Text(q)
	if q.Size() > 1 {
		text += ", element " + strconv.Itoa(e.k+1)
	}
	return text
}

// Text is an implicit equation as it is written, in one line and not too long.
func Text(q *model.Implicit) string {
	text := strings.Join(strings.Fields(q.Span.Text()), " ")
	if r := []rune(text); len(r) > 60 {
		text = string(r[:59]) + "…"
	}
	if text == "" {
		text = "0 = …"
	}
	return text
}
