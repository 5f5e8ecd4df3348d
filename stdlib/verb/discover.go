package verb

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/runtime/discover"
	"github.com/udl-lang/udl/stdlib/value"
)

// discoverRow is the row of the table.
var discoverRow = verb("discover", "discovered equations", "Sparse equations for what a model's unknown function has learned, or for the derivatives of data or of a solution: the few terms of a library that explain it. "+
	"For a model that was fitted to data the candidates are held against those data: each is put in the unknown's place and fitted. "+
	"`.system` is the model with the equations in it; `put_back` puts them into another.",
	"model M { state x = 1; unknown f(x) = poly(2); x' = f(x) }\nbest = fit(M, t = 0..1 by 0.1, loss = s -> sum((s.x - exp(-s.t))^2), train = lbfgs(iters = 50))\nprint(discover(best, \"f\", basis = poly(2)))", discoverVerb,
	arg("from", "fitted model, table or solution", "", ""),
	pos("unknown", "text", "none", "the unknown function, by its name; not needed where there is one"),
	arg("basis", OfTerms, "poly(2)", "candidate terms: `poly(3)`, a function by name, `sin`, which stands for that of each input, `[x, x*y, exp(x)]`, sums `poly(3) + sin` and products `poly(1)*sin` of these"),
	arg("over", "names", "none", "the inputs that terms are made of, or the columns or states whose equations are wanted; all when left out"),
	arg("method", "method of discovery", "best_subset", "best_subset, stlsq or sr3"),
	arg("select", "word: ebic, bic, aicc, cv", "ebic", "chooses among what the method proposes: an information criterion, or cross-validation"),
	arg("ensemble", "whole number", "0", "resamplings, for the probability of each term to be included"),
	arg("refit", "truth value", "none", "whether candidates are held against the data the model was fitted to; true where it can be"),
	arg("robust", "truth value", "false", "whether some samples may be corrupt: they are found and left out"),
	arg("derivatives", "word or record", "none", "of data: differences, savgol, spline or weak, or `{x: \"dx\"}`, columns that hold them; spline of a table, or differences where `robust`, exact of a solution when left out"),
	arg("accuracy", "number", "1e-3", "the share of each left side, in the root mean square, that is not looked into: smaller terms are not searched for; 1e-6 of a solution, whose derivatives are exact; 0: down to rounding"),
	optT,
	arg("seed", "whole number", "0", "of resamplings and of the search for corrupt samples"))

func discoverVerb(c *Call) (value.Value, error) {
	switch v := c.Args["from"].(type) {
	case *value.Model:
		return c.discoverUnknown(v)
	case *value.Table, *value.Record:
		t, err := c.table("from")
		if err != nil {
			return nil, err
		}
		return c.discoverData(t)
	case *value.Solution:
		return c.discoverSolution(v)
	}
	return nil, c.Bad("from", "`discover` needs a model, a table or a solution, this is %s", value.Describe(c.Args["from"]))
}

// regression reads the settings of sparse regression.
func (c *Call) regression() (s discover.Settings, err error) {
	s.Options = discover.Options{}
	s.Method = "best_subset"
	switch v := c.Args["method"].(type) {
	case nil:
	case *value.Spec:
		s.Method = v.Row.Name
		for k, x := range v.Args {
			a, ok := x.(*value.Array)
			if !ok || !a.Shape.IsScalar() {
				return s, diag.New("E0704", v.Span, "the option `%s` of `%s` must be a number, this is %s", k, v.Row.Name, value.Describe(x))
			}
			s.Options[k] = a.Data[0]
		}
	case value.Word:
		s.Method = string(v)
	case value.Text:
		s.Method = string(v)
	default:
		return s, c.Bad("method", "`method` must be one of %s, this is %s", join(discoverMethods()), value.Describe(v))
	}
	if !slices.Contains(discoverMethods(), s.Method) {
		return s, c.Bad("method", "`%s` is no method of discovery", s.Method).WithHelp("there are: %s", join(discoverMethods()))
	}
	if s.Criterion, err = c.WordOf("select", "ebic", discover.Criteria...); err != nil {
		return s, err
	}
	if s.Ensemble, err = c.Int("ensemble", 0); err != nil {
		return s, err
	}
	if s.Ensemble < 0 || s.Ensemble > 1e6 {
		return s, c.Bad("ensemble", "`ensemble` must be a whole number from 0, this is %d", s.Ensemble)
	}
	if s.Accuracy, err = c.Number("accuracy", 1e-3); err != nil {
		return s, err
	}
	if !(s.Accuracy >= 0 && s.Accuracy < 1) {
		return s, c.Bad("accuracy", "`accuracy` must be a number from 0 to 1, this is %s", value.Format(s.Accuracy))
	}
	if s.Accuracy == 0 {
		s.Accuracy = -1 // rounding alone
	}
	if s.Robust, err = c.Truth("robust", false); err != nil {
		return s, err
	}
	s.Seed, err = c.seed()
	return s, err
}

func discoverMethods() (names []string) {
	for _, m := range discover.Methods() {
		names = append(names, m.Name)
	}
	return names
}

// discoverRows are the methods' rows for help.
func discoverRows() (out []sig.Builtin) {
	for _, m := range discover.Methods() {
		b := sig.Builtin{Name: m.Name, Kind: sig.Discovery, Result: "method of discovery", Doc: m.Doc, Cite: m.Cite, Example: "method = " + m.Name + "(" + m.Options[0].Name + " = 0.1)"}
		if m.Name == "best_subset" {
			b.Example = "method = best_subset(size = 4)"
		}
		for _, o := range m.Options {
			b.Params = append(b.Params, arg(o.Name, "number", o.Default, o.Doc))
		}
		out = append(out, b)
	}
	return out
}

// Truth reads a truth value.
func (c *Call) Truth(name string, def bool) (bool, error) {
	switch v := c.Args[name].(type) {
	case nil:
		return def, nil
	case value.Bool:
		return bool(v), nil
	}
	return false, c.Bad(name, "`%s` must be true or false, this is %s", name, value.Describe(c.Args[name]))
}

// overOf reads which of some inputs are meant; also are other names of theirs, as of the states that go into an unknown.
func (c *Call) overOf(inputs []input, also ...string) ([]input, error) {
	if !c.Has("over") {
		return inputs, nil
	}
	var out []input
	var known []string
	for _, in := range inputs {
		known = append(known, in.name)
	}
	for _, n := range c.names("over") {
		before := len(out)
		for i, in := range inputs {
			if in.name == n || root(in.expr) != nil && root(in.expr).Name == n || i < len(also) && also[i] == n {
				out = append(out, in)
			}
		}
		if len(out) == before {
			d := c.Bad("over", "`%s` is nothing that terms can be made of here", n)
			if s := diag.Suggest(n, known); s != "" {
				return nil, d.WithHelp("did you mean `%s`?", s)
			}
			return nil, d.WithHelp("there are: %s", join(known))
		}
	}
	if len(out) == 0 {
		return nil, c.Bad("over", "`over` names nothing").WithHelp("leave it out, or name some of: %s", join(known))
	}
	return out, nil
}

// terms evaluates candidate terms at n points, x the columns of the inputs. What is not a number somewhere is left out, with a note.
func (c *Call) terms(exprs []ast.Expr, inputs []input, x [][]float64, n int) (kept []ast.Expr, cols [][]float64, notes []string, err error) {
	names := map[string]value.Value{}
	alias := map[string]string{}
	for i, in := range inputs {
		key := in.name
		if _, ok := in.expr.(*ast.Index); ok {
			key = fmt.Sprintf("%s #%d", in.name, i) // no name of the language
			alias[ast.ExprString(in.expr)] = key
		}
		names[key] = value.Vec(x[i])
	}
	first := map[string]value.Value{}
	for k, v := range names {
		first[k] = value.Num(v.(*value.Array).Data[0])
	}
	for _, e := range exprs {
		if err := c.Ctx.Err(); err != nil {
			return nil, nil, nil, err
		}
		text := ast.ExprString(e)
		e := e
		own := ast.Replace(e, func(x ast.Expr) (ast.Expr, bool) {
			if ix, ok := x.(*ast.Index); ok {
				if key, ok := alias[ast.ExprString(ix)]; ok {
					return &ast.Ident{Base: ast.Base{Sp: ix.Span()}, Name: key}, true
				}
			}
			return nil, false
		})
		one, err := c.Eval(own, first)
		if err != nil {
			return nil, nil, nil, c.badTerm(text, e, err)
		}
		a, ok := one.(*value.Array)
		if !ok || !a.Shape.IsScalar() {
			return nil, nil, nil, diag.New("E0810", c.termSpan(e), "the term `%s` must be one number, this is %s", text, value.Describe(one))
		}
		col := make([]float64, n)
		all, err := c.Eval(own, names)
		whole, ok := all.(*value.Array)
		switch {
		case err == nil && ok && whole.Shape.IsScalar() && whole.Data[0] == a.Data[0] && !uses(own, names):
			for i := range col {
				col[i] = whole.Data[0]
			}
		case err == nil && ok && len(whole.Shape) == 1 && len(whole.Data) == n && same(whole.Data[0], a.Data[0]):
			copy(col, whole.Data)
		default: // it means something else for arrays
			for i := range col {
				at := map[string]value.Value{}
				for k, v := range names {
					at[k] = value.Num(v.(*value.Array).Data[i])
				}
				v, err := c.Eval(own, at)
				if err != nil {
					return nil, nil, nil, c.badTerm(text, e, err)
				}
				col[i] = v.(*value.Array).Data[0]
			}
		}
		if i := slices.IndexFunc(col, func(v float64) bool { return !finite(v) }); i >= 0 {
			notes = append(notes, fmt.Sprintf("`%s` is %s at one of the points, so it is left out", text, value.Format(col[i])))
			continue
		}
		kept, cols = append(kept, e), append(cols, col)
	}
	if len(kept) == 0 {
		return nil, nil, nil, c.Bad("basis", "none of the terms is a number at all points").WithHelp("%s", strings.Join(notes, "; "))
	}
	return kept, cols, notes, nil
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// uses says whether an expression has one of some names in it.
func uses(e ast.Expr, names map[string]value.Value) (is bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && names[id.Name] != nil {
			is = true
		}
		return !is
	})
	return is
}

func (c *Call) badTerm(text string, e ast.Expr, err error) error {
	if l := diag.From(err); len(l) > 0 {
		d := diag.New("E0810", c.termSpan(e), "the term `%s` cannot be evaluated: %s", text, l[0].Message)
		if l[0].Help != "" {
			d.WithHelp("%s", l[0].Help)
		}
		return d
	}
	return err
}

func (c *Call) termSpan(e ast.Expr) diag.Span {
	if s := e.Span(); !s.IsZero() {
		return s
	}
	return c.SpanOf("basis")
}

// matrix is columns as a row-major matrix.
func matrix(cols [][]float64, n int) []float64 {
	p := len(cols)
	x := make([]float64, n*p)
	for j, col := range cols {
		for i, v := range col {
			x[i*p+j] = v
		}
	}
	return x
}

// cancelled says that terms which nearly cancel would fit better.
func cancelled(d *value.Discovered, r *discover.Result, out int) {
	if r.Cancel != nil {
		d.Notes = append(d.Notes, fmt.Sprintf("%s: `%s` nearly cancel at all points; sets of terms that fit by what is left of them were passed over", d.Outs[out], strings.Join(strings.Split(termList(d, r.Cancel), ", "), "`, `")))
	}
}

// alike says which terms cannot be told from others at the points that were looked at: their columns, n rows of them.
func alike(d *value.Discovered, theta []float64, n int) {
	p := len(d.Texts)
	like, rank, others := discover.Alike(theta, n, p)
	for j, k := range like {
		if k >= 0 {
			d.Notes = append(d.Notes, fmt.Sprintf("`%s` is a multiple of `%s` at all points, so only `%s` was looked at", d.Texts[j], d.Texts[k], d.Texts[k]))
		}
	}
	if rank < others && n > others {
		what := "are combinations"
		if others-rank == 1 {
			what = "is a combination"
		}
		d.Notes = append(d.Notes, fmt.Sprintf("%d of the %d terms %s of the others at all points, as where something is conserved: other equations say the same there, and what was looked for are those of the fewest terms", others-rank, others, what))
	}
}

// explained says where equations leave most of their left side open.
func explained(d *value.Discovered, r *discover.Result, data *discover.Data, out int) {
	total, left, n := 0.0, 0.0, 0
	for i, y := range data.Y {
		if r.Kept == nil || r.Kept[i] {
			total += y * y
			n++
		}
	}
	if left = r.RSS; n > 0 && left > total/2 {
		d.Notes = append(d.Notes, fmt.Sprintf("%s: the terms that were found explain %.0f %% of its squares. What drives it may be no candidate: terms are made of states or columns, not of the time, and inputs and lets of a model are not among them; a column is, `discover({t: s.t, x: s.x, u: s.u}, …)`", d.Outs[out], 100*math.Max(0, 1-left/total)))
	}
}

// take fills in the equation of an output from a regression.
func take(d *value.Discovered, r *discover.Model) {
	var terms []value.Term
	for k, j := range r.Set {
		terms = append(terms, value.Term{At: j, Coef: r.Coef[k], StdErr: r.StdErr[k]})
	}
	d.Found = append(d.Found, terms)
}

// termList is the terms of a set as a text.
func termList(d *value.Discovered, set []int) string {
	var s []string
	for _, j := range set {
		s = append(s, d.Texts[j])
	}
	if len(s) == 0 {
		return "0"
	}
	return strings.Join(s, ", ")
}

// pathOf is the table of what regressions proposed, an output after the other.
func pathOf(d *value.Discovered, rs []*discover.Result) *value.Table {
	out := value.Column{Name: "output"}
	terms := value.Column{Name: "terms"}
	size, rss, score, chosen := value.Column{Name: "size"}, value.Column{Name: "rss"}, value.Column{Name: "score"}, value.Column{Name: "chosen"}
	for o, r := range rs {
		for i := range r.Path {
			m := &r.Path[i]
			out.Text = append(out.Text, d.Outs[o])
			terms.Text = append(terms.Text, termList(d, m.Set))
			size.Values = append(size.Values, float64(len(m.Set)))
			rss.Values = append(rss.Values, m.RSS)
			score.Values = append(score.Values, m.Score)
			chosen.Values = append(chosen.Values, truth(slices.Equal(m.Set, r.Set)))
		}
	}
	return &value.Table{Name: "path", Rows: len(size.Values), Cols: []value.Column{out, terms, size, rss, score, chosen}}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// library notes the candidate terms in the result.
func (c *Call) library(d *value.Discovered, exprs []ast.Expr) {
	d.Library = exprs
	d.Texts = nil
	for _, e := range exprs {
		d.Texts = append(d.Texts, ast.ExprString(e))
	}
}
