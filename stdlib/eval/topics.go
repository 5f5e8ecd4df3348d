package eval

import "strings"

// topics are help pages on words of models that are no functions: the words, and the page.
var topics = []struct {
	words []string
	page  string
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
`},
	{[]string{"when", "either", "falling", "rising", "initially"}, `when CONDITION [falling | either] [initially] [after DELAY] { STATE := VALUE; … }    [model]
  Fires where the condition turns true, at a time that is located to rounding; "falling" where it turns false, "either" at both.
  "initially" lets it fire at the start too, if it holds there. With "after" the values are read when it fires and assigned later.
    when T > 22 { on := 0 }
    when x > 1 and y < 2 either { n := n + 1 }
  See also: events, stop, discrete.
`},
	{[]string{"at"}, `at t = TIME { STATE := VALUE; … }    [model]
  Happens once, at a time made of parameters and constants; gradients go through the time.
    at t = t_dose after lag { gut := gut + 100 }
  See also: events, every.
`},
	{[]string{"every"}, `every PERIOD [initially] { STATE := VALUE; … }    [model]
  Happens at the start of the run plus each multiple of the period, with "initially" at the start too.
    every 24 initially { gut := gut + dose }
  See also: events, at.
`},
	{[]string{"after"}, `EVENT after DELAY { STATE := VALUE; … }    [model]
  The event fires as without it; the values are read then, and assigned after the delay.
    every 24 after lag { gut := gut + dose }      reads gut a lag too early: what changes meanwhile is lost
    every 24 after lag { given := t }             t when it fired
  See also: events.
`},
	{[]string{"stop"}, `stop when CONDITION [falling | either]    [model]
  Ends the run where the condition turns true; other events of that time still happen. The last output is that moment.
    stop when height < 0
  See also: events, when.
`},
	{[]string{"discrete"}, `discrete NAME = VALUE    [model]
  A state that keeps its value between events, which change it: a counter, a switch, a mode.
    discrete on = 1
    when T > 22 { on := 0 }
    when T < 19 { on := 1 }
  See also: events, when.
`},
}

// topic is the help page of a word, "" for none.
func topic(word string) string {
	for _, t := range topics {
		for _, w := range t.words {
			if w == word {
				return strings.ReplaceAll(t.page, `"`, "`")
			}
		}
	}
	return ""
}
