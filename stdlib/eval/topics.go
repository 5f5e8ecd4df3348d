package eval

import (
	"fmt"
	"strings"

	"github.com/udl-lang/udl/stdlib/value"
)

// topics are help pages on what is no builtin: words of models, and matters of training. The words, and the page, in
// which " stands for a backquote and ” for a quote.
var topics = []struct {
	words []string
	page  string
	more  func() string // what the page ends with, where that stands in a table; nil for none
}{
	{[]string{"events", "event"}, `events    [model]
  What happens at moments, inside a model:
    when y < 0 { v := -0.9*v }           where a condition turns true
    at t = 24 { dose := dose + 100 }     at one moment
    every 24 { dose := dose + 100 }      at the start of the run plus multiples of a period
    stop when y < 0                      ends the run there
  Assignments read the values before the event. A state that only events change is a "discrete".
  Afterwards S.events lists what fired, S.events.t the times.
  See also: when, at, every, stop, discrete.
`, nil},
	{[]string{"when", "either", "falling", "rising", "initially"}, `when CONDITION [falling | either] [initially] [after DELAY] { STATE := VALUE; … }    [model]
  Fires where the condition turns true, at a time that is located to rounding; "falling" where it turns false, "either" at both.
  "initially" lets it fire at the start too, if it holds there. With "after" the values are read when it fires and assigned later.
    when T > 22 { on := 0 }
    when x > 1 and y < 2 either { n := n + 1 }
  See also: events, stop, discrete.
`, nil},
	{[]string{"at"}, `at t = TIME { STATE := VALUE; … }    [model]
  Happens once, at a time made of parameters and constants; gradients go through the time.
    at t = t_dose after lag { gut := gut + 100 }
  See also: events, every.
`, nil},
	{[]string{"every"}, `every PERIOD [initially] { STATE := VALUE; … }    [model]
  Happens at the start of the run plus each multiple of the period, with "initially" at the start too.
    every 24 initially { gut := gut + dose }
  See also: events, at.
`, nil},
	{[]string{"after"}, `EVENT after DELAY { STATE := VALUE; … }    [model]
  The event fires as without it; the values are read then, and assigned after the delay.
    every 24 after lag { gut := gut + dose }      reads gut a lag too early: what changes meanwhile is lost
    every 24 after lag { given := t }             t when it fired
  See also: events.
`, nil},
	{[]string{"stop"}, `stop when CONDITION [falling | either]    [model]
  Ends the run where the condition turns true; other events of that time still happen. The last output is that moment.
    stop when height < 0
  See also: events, when.
`, nil},
	{[]string{"discrete"}, `discrete NAME = VALUE    [model]
  A state that keeps its value between events, which change it: a counter, a switch, a mode.
    discrete on = 1
    when T > 22 { on := 0 }
    when T < 19 { on := 1 }
  See also: events, when.
`, nil},
	{[]string{"early stopping", "early_stopping"}, `early stopping    [training]
  Stop when the loss over data that were held out no longer falls, and keep the point that met them best:
    fit(M, data, holdout = 0.3, patience = 50)
  See also: holdout, patience, regularise.
`, nil},
	{[]string{"weights", "weight"}, `weights    [training]
  Of data: a factor for each matched quantity, or a column of the data with one for each datum; a datum of weight 0 does not count.
    fit(M, data, loss = sse(weights = {x: 2, y: ''w''}))
  Where the size of the errors is known, say it by a likelihood: loss = normal(sd = 0.1).
  Of an unknown function: its learnable arrays, best.U.W1, best.U.b1; "free = [U]" frees all of them, "save(best, ''best.safetensors'')" keeps them.
  See also: losses, free, save, load.
`, nil},
	{[]string{"aic", "bic", "standard errors", "likelihood"}, `aic, bic, standard errors    [training]
  AIC = 2p - 2 log L and BIC = p log n - 2 log L of p estimates (standard deviations included) and n values; of sse and mse L is that of normal
  errors, whose standard deviation is estimated. They compare fits to the same data: the lower, the better.
  Standard errors are those of the Fisher information at the optimum, on the scale of the residuals; where data do not determine a
  parameter they say so, and "profile(best, ''k'')" gives an interval that need not be symmetric.
  They are parts of the report: best.report.aic, best.report.bic, best.report.standard_errors.
  See also: report, profile, losses.
`, nil},
	{[]string{"report"}, `report    [training]
  The account of a fit, best.report: print it, "save(best.report, ''report.txt'')" or ".json" keeps it, and its parts are
`, partsOfReport},
	{[]string{"trajectories", "several trajectories", "replicates"}, `trajectories    [training]
  Data of several runs, each with its own initial values, times and inputs, are a list of tables:
    d = csv(''subjects.csv'', time = ''t'', by = ''id'')
    best = fit(M, d, free = [k, x])        k is one for all, x its own for each
    best[2]                                the model as it is for the second, best[''2''] for the one called so
  See also: csv, set, inputs, initial, holdout, method.
`, nil},
}

// topic is the help page of a word, "" for none.
func topic(word string) string {
	for _, t := range topics {
		for _, w := range t.words {
			if w == word {
				page := strings.NewReplacer("''", `"`, `"`, "`").Replace(t.page)
				if t.more != nil {
					page += t.more()
				}
				return page
			}
		}
	}
	return ""
}

// partsOfReport lists the parts of a report.
func partsOfReport() string {
	var b strings.Builder
	names, docs := value.Figures()
	for i, n := range names {
		fmt.Fprintf(&b, "    %-16s %s\n", n, docs[i])
	}
	b.WriteString("  See also: fit, profile, aic.\n")
	return b.String()
}
