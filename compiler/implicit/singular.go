package implicit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/udl-lang/udl/compiler/ir"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/model"
	"github.com/udl-lang/udl/runtime/system"
)

// singular refuses a system that no differentiation can mend: with x and its derivatives taken for one, there is still no way to assign
// every equation a quantity of its own.
func (s *structure) singular() error {
	rows := make([][]int, len(s.rows))
	for i, r := range s.rows {
		rows[i] = r.in
	}
	m := match(rows, s.nx)
	if m.perfect() {
		return nil
	}
	over, cols := m.over()
	under := m.under()
	names := system.Names(slotsOf(s.lay))
	var eq, det, free []string
	var d *diag.Diagnostic
	for r, yes := range over {
		if !yes {
			continue
		}
		e := s.rows[r]
		if e.of >= 0 {
			eq = append(eq, "`"+names[e.of]+"'`")
			continue
		}
		q := s.m.Implicit[e.eq]
		if d == nil {
			d = diag.New("E0235", q.Span, "the equations do not determine the unknowns")
		} else if len(d.Labels) < 4 && q.Span != d.Labels[len(d.Labels)-1].Span {
			d.And(q.Span, "and this one")
		}
		eq = append(eq, "`"+s.text(q, e.eq, e.k)+"`")
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
		d = diag.New("E0235", s.m.Implicit[0].Span, "the equations do not determine the unknowns")
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
func (s *structure) endless() error {
	d := diag.New("E0236", s.m.Implicit[0].Span, "the index cannot be reduced")
	over, _ := s.pair.over()
	for r, yes := range over {
		if e := s.rows[r]; yes && e.of < 0 {
			d = diag.New("E0236", s.m.Implicit[e.eq].Span, "the index cannot be reduced").At("differentiated %d times, it still determines no unknown", e.level)
			break
		}
	}
	return d.WithHelp("check that the constraint acts on what it is to determine")
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

// elementText is how messages call an element of an implicit equation.
func elementText(q *model.Implicit, k int) string {
	if q.Rate != nil {
		st := q.Rate.State
		if st.Shape.IsScalar() {
			return st.Name + "'"
		}
		missing := q.Rate.Missing()
		for j := range st.Shape.Size() { // the k-th that is given
			if !slices.Contains(missing, j) {
				if k == 0 {
					return ir.Element(st.Name, st.Shape, j) + "'"
				}
				k--
			}
		}
	}
	text := Text(q)
	if q.Size() > 1 {
		text += ", element " + strconv.Itoa(k+1)
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
