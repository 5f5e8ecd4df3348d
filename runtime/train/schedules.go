package train

import (
	"math"
	"strconv"
)

// ScheduleRow is one row of the table of learning-rate schedules.
type ScheduleRow struct {
	Name    string
	Doc     string
	Cite    string
	Options []Option // the first is the rate
	// Of says that another schedule may stand for the rate.
	Of bool

	// at is the rate of iteration k of n, from 0.
	at func(s *Schedule, k, n int) float64
}

var (
	optTo      = Option{Name: "to", Doc: "rate at the end", Min: 0, Max: math.MaxFloat64}
	optHighest = Option{Name: "rate", Default: "0.01", Doc: "rate at the start", Min: math.SmallestNonzeroFloat64, Max: math.MaxFloat64}
)

func withDefault(o Option, v string) Option { o.Default = v; return o }
func withDoc(o Option, doc string) Option   { o.Doc = doc; return o }

// schedules is THE list of learning-rate schedules.
var schedules = [...]ScheduleRow{
	{Name: "constant", Doc: "The same rate throughout.", Options: []Option{withDoc(optHighest, "the rate")},
		at: func(s *Schedule, _, _ int) float64 { return s.value("rate") }},
	{Name: "step", Doc: "The rate is multiplied by a factor now and then.",
		Options: []Option{optHighest,
			{Name: "factor", Default: "0.5", Doc: "what the rate is multiplied by", Min: math.SmallestNonzeroFloat64, Max: 1},
			{Name: "every", Default: "100", Doc: "iterations between", Min: 1, Max: 1e9, Whole: true}},
		at: func(s *Schedule, k, _ int) float64 {
			return s.value("rate") * math.Pow(s.value("factor"), math.Floor(float64(k)/s.value("every")))
		}},
	{Name: "exponential", Doc: "The rate falls by the same factor from each iteration to the next.",
		Options: []Option{optHighest, {Name: "to", Default: "1e-4", Doc: optTo.Doc, Min: math.SmallestNonzeroFloat64, Max: math.MaxFloat64}},
		at: func(s *Schedule, k, n int) float64 {
			return s.value("rate") * math.Pow(s.value("to")/s.value("rate"), along(k, n))
		}},
	{Name: "cosine", Doc: "The rate falls along half a cosine; with a period it starts again at each end of one.",
		Cite: "I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017, arXiv:1608.03983",
		Options: []Option{optHighest, withDefault(optTo, "0"),
			{Name: "period", Default: "0", Doc: "iterations until the first restart; 0 for none", Min: 0, Max: 1e9, Whole: true},
			{Name: "grow", Default: "1", Doc: "each period is so many times as long as the one before", Min: 1, Max: 100}},
		at: func(s *Schedule, k, n int) float64 {
			share := along(k, n)
			if p := s.value("period"); p > 0 {
				x := float64(k)
				for x >= p {
					x, p = x-p, p*s.value("grow")
				}
				share = x / p
			}
			return s.value("to") + (s.value("rate")-s.value("to"))*(1+math.Cos(math.Pi*share))/2
		}},
	{Name: "warmup", Of: true, Doc: "The rate rises linearly over the first iterations, then it stays; or it follows another schedule, `warmup(cosine(0.1, 1e-4), steps = 50)`.",
		Cite: "P. Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour, arXiv:1706.02677 (2017)",
		Options: []Option{withDoc(optHighest, "the rate that is reached, or a schedule that follows"),
			{Name: "steps", Default: "100", Doc: "iterations of the rise", Min: 1, Max: 1e9, Whole: true}},
		at: func(s *Schedule, k, n int) float64 {
			steps := int(s.value("steps"))
			share := math.Min(float64(k+1)/float64(steps), 1)
			if s.Inner == nil {
				return share * s.value("rate")
			}
			return share * s.Inner.Rate(max(k-steps, 0), max(n-steps, 1))
		}},
	{Name: "one_cycle", Doc: "The rate rises to its peak and falls far below where it began, both along half a cosine. Momentum is left as it is.",
		Cite: "L. N. Smith, N. Topin, Super-convergence: very fast training of neural networks using large learning rates, arXiv:1708.07120 (2018)",
		Options: []Option{withDoc(optHighest, "rate at the peak"),
			{Name: "rise", Default: "0.3", Doc: "share of the iterations until the peak", Min: 0, Max: 1},
			{Name: "start", Default: "0.04", Doc: "rate at the start, as a share of the peak", Min: 0, Max: 1},
			{Name: "end", Default: "4e-6", Doc: "rate at the end, as a share of the peak", Min: 0, Max: 1}},
		at: func(s *Schedule, k, n int) float64 {
			x, rise := along(k, n), s.value("rise")
			from, to, share := s.value("start"), 1.0, 0.0
			if x < rise {
				share = x / rise
			} else if from, to = 1, s.value("end"); rise < 1 {
				share = (x - rise) / (1 - rise)
			}
			return s.value("rate") * (to + (from-to)*(1+math.Cos(math.Pi*share))/2)
		}},
}

// along is how much of n iterations lies behind at iteration k: 0 at the first, 1 at the last.
func along(k, n int) float64 {
	if n < 2 {
		return 0
	}
	return math.Min(float64(k)/float64(n-1), 1)
}

// Schedules lists the learning-rate schedules. The slice is the caller's.
func Schedules() []ScheduleRow { return append([]ScheduleRow(nil), schedules[:]...) }

// Schedule is a learning rate that changes with the iterations. NewSchedule makes one.
type Schedule struct {
	Row    *ScheduleRow
	Values map[string]float64 // options by name; what is missing has its default
	Inner  *Schedule          // in place of the rate, where the row takes one; nil for none
}

// NewSchedule looks up a schedule and checks its options by name; inner is one that stands for its rate, nil for
// none. The error is *OptionError.
func NewSchedule(name string, values map[string]float64, inner *Schedule) (*Schedule, error) {
	var known []string
	for i := range schedules {
		row := &schedules[i]
		if row.Name != name {
			known = append(known, row.Name)
			continue
		}
		if inner != nil && !row.Of {
			return nil, &OptionError{Optimiser: name, Option: "rate", Reason: "it must be a number, not a schedule"}
		}
		return &Schedule{row, values, inner}, checkOptions(name, row.Options, values)
	}
	return nil, &OptionError{Optimiser: name, Reason: "there is no such schedule", Known: known}
}

// Rate is the learning rate of an iteration, from 0, of so many.
func (s *Schedule) Rate(iter, iters int) float64 { return s.Row.at(s, iter, iters) }

// Rates is the schedule over so many iterations, for Stage.Rate.
func (s *Schedule) Rates(iters int) func(iter int) float64 {
	return func(iter int) float64 { return s.Rate(iter, iters) }
}

func (s *Schedule) value(name string) float64 { return optionValue(s.Row.Options, s.Values, name) }

// optionValue is an option's value, or its default; 0 for an option that is not there.
func optionValue(options []Option, values map[string]float64, name string) float64 {
	if v, ok := values[name]; ok {
		return v
	}
	for i := range options {
		if o := &options[i]; o.Name == name {
			v, _ := strconv.ParseFloat(o.Default, 64)
			return v
		}
	}
	return 0
}
