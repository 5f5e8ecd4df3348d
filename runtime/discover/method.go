package discover

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
)

// Option is a setting of a method, as help shows it.
type Option struct {
	Name, Default, Doc string
}

// Method is a row of the table: a way of proposing supports.
type Method struct {
	Name, Doc, Cite string
	Options         []Option
	// path proposes supports, ascending, each once, the empty one included.
	path func(ctx context.Context, l *library, o Options) ([]support, error)
}

// Options are a method's settings by name; what is missing has its default.
type Options map[string]float64

func (o Options) or(name string, def float64) float64 {
	if v, ok := o[name]; ok {
		return v
	}
	return def
}

// methods is the table.
var methods = []Method{
	{Name: "stlsq", Doc: "Sequentially thresholded least squares: terms below a threshold are dropped and the others fitted anew until nothing changes, for a range of thresholds. Columns are scaled to one norm.",
		Cite: "S. L. Brunton, J. L. Proctor, J. N. Kutz, Discovering governing equations from data by sparse identification of nonlinear dynamical systems, PNAS 113 (2016), 3932-3937",
		Options: []Option{{"threshold", "0", "of the coefficients of the scaled columns, as a share of the norm of the left side; 0: a range of them"},
			{"ridge", "1e-10", "squares of the coefficients that are added, columns scaled to norm 1"}},
		path: stlsq},
	{Name: "sr3", Doc: "Sparse relaxed regularised regression: coefficients and their sparse copies, drawn together, the copies cut off below a threshold, for a range of thresholds.",
		Cite: "P. Zheng, T. Askham, S. L. Brunton, J. N. Kutz, A. Y. Aravkin, A unified framework for sparse relaxed regularized regression: SR3, IEEE Access 7 (2019), 1404-1423; K. Champion, P. Zheng, A. Y. Aravkin, S. L. Brunton, J. N. Kutz, A unified sparse optimization framework to learn parsimonious physics-informed models from data, IEEE Access 8 (2020), 169259-169271",
		Options: []Option{{"threshold", "0", "of the coefficients of the scaled columns, as a share of the norm of the left side; 0: a range of them"},
			{"nu", "1e4", "how far apart coefficients and copies may be, columns scaled to norm 1"}, {"iters", "500", "at most, for each threshold"}},
		path: sr3},
	{Name: "best_subset", Doc: "The best of all subsets of each size, found exactly by branch and bound: what MIOSR finds by mixed-integer programming. A certificate says whether the search was complete.",
		Cite:    "G. M. Furnival, R. W. Wilson, Regressions by leaps and bounds, Technometrics 16 (1974), 499-511; D. Bertsimas, W. Gurnee, Learning sparse nonlinear dynamics via mixed-integer optimization, Nonlinear Dynamics 111 (2023), 6585-6604",
		Options: []Option{{"size", "10", "terms at most"}, {"nodes", "2e5", "subsets looked at for each size, at most; what is larger is found by adding and dropping terms one by one"}},
		path:    bestSubset},
}

// Methods lists the table.
func Methods() []Method { return append([]Method(nil), methods...) }

// Find finds a row of the table.
func Find(name string) (Method, bool) {
	for _, m := range methods {
		if m.Name == name {
			return m, true
		}
	}
	return Method{}, false
}

// check refuses settings that no method can take.
func (m *Method) check(o Options) error {
	for name, v := range o {
		known := false
		for _, k := range m.Options {
			known = known || k.Name == name
		}
		switch {
		case !known:
			return fmt.Errorf("`%s` has no option `%s`", m.Name, name)
		case math.IsNaN(v) || math.IsInf(v, 0) || v < 0:
			return fmt.Errorf("`%s` of `%s` must be a number from 0", name, m.Name)
		case (name == "nu" || name == "size" || name == "iters" || name == "nodes") && v == 0:
			return fmt.Errorf("`%s` of `%s` must be positive", name, m.Name)
		}
	}
	return nil
}

// library is what a method works on: the factored columns, and those of them that are candidates.
type library struct {
	*triangle
	free  []int
	rank  int // how many of the candidates are independent: no set of more can be fitted
	exact int // sizes up to which the search was complete; kept by best_subset
}

func newLibrary(t *triangle) *library {
	l := &library{triangle: t, rank: len(t.independent())}
	l.free, _ = t.distinct()
	return l
}

// starts are the sets that methods begin with which drop terms from a whole: all candidates; and where these depend on each other,
// so that the fit of all shares out the true terms among those they are combinations of, independent ones as well, those first
// that explain most.
func (l *library) starts() [][]int {
	out := [][]int{l.free}
	if l.rank < len(l.free) {
		set := slices.Clone(forward(l)[:l.rank])
		slices.Sort(set)
		out = append(out, set)
	}
	return out
}

// support is a set of columns, ascending, with the setting that gave it.
type support struct {
	set    []int
	lambda float64
}

// supports collects each set once.
type supports struct {
	seen map[string]bool
	list []support
}

func (s *supports) add(set []int, lambda float64) {
	c := append([]int(nil), set...)
	sort.Ints(c)
	k := keyOf(c)
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	if s.seen[k] {
		return
	}
	s.seen[k] = true
	s.list = append(s.list, support{c, lambda})
}

func keyOf(set []int) string {
	b := make([]byte, 0, 2*len(set))
	for _, j := range set {
		b = append(b, byte(j), byte(j>>8))
	}
	return string(b)
}

// thresholds are those of a path: from just above the largest of the values down over six decades.
func thresholds(o Options, norm float64, values []float64) []float64 {
	if t := o.or("threshold", 0); t > 0 {
		return []float64{t * norm}
	}
	m := 0.0
	for _, v := range values {
		m = math.Max(m, math.Abs(v))
	}
	var out []float64
	for k := range 61 {
		out = append(out, m*math.Pow(10, -float64(k)/10)*1.0000001)
	}
	return out
}
