package verb

import (
	"math"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/train"
)

// finiteLoss refuses a loss that is no finite number: it has no derivatives, and zeros would pass for some.
func (c *Call) finiteLoss(v float64, loss sens.Loss) error {
	if v-v == 0 {
		return nil
	}
	word := "infinite"
	if math.IsNaN(v) {
		word = "not a number"
	}
	at := c.Span
	if c.Has("loss") {
		at = c.SpanOf("loss")
	}
	why, help := "the solution is finite, so it is the loss function that is not", "take other parameters, or write the loss so that it is finite here"
	if r, ok := loss.(*sens.Recorded); ok {
		loss = r.Loss
	}
	if l, ok := loss.(*train.DataLoss); ok && l.Failure() != nil {
		if why = l.Failure().Error(); l.Failure().Log {
			help = "take parameters that keep this quantity positive, or leave `scale = log` out"
		}
	}
	return diag.New("E0511", at, "%s: the loss is %s, so it has no derivatives: %s", c.Verb.Name, word, why).WithHelp("%s", help)
}
