package train

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// Optimiser is one row of the table of optimisers.
type Optimiser struct {
	Name       string
	Doc        string
	Cite       string
	LineSearch bool // chooses the length of its steps by itself, so that it has no rate
	Squares    bool // needs a LeastSquares objective
	Options    []Option

	run func(r *run, s *Stage) (Status, error)
}

// Option is a numeric option of an optimiser.
type Option struct {
	Name     string
	Default  string // as it is typed
	Doc      string
	Min, Max float64 // inclusive
	Whole    bool    // a whole number
}

// options that several optimisers have.
var (
	optIters    = Option{Name: "iters", Default: "1000", Doc: "iterations at most", Min: 0, Max: 1e9, Whole: true}
	optRate     = Option{Name: "rate", Default: "0.01", Doc: "learning rate", Min: math.SmallestNonzeroFloat64, Max: math.MaxFloat64}
	optClip     = Option{Name: "clip", Default: "0", Doc: "the gradient is scaled down to this Euclidean norm where it is longer; 0 for never", Min: 0, Max: math.MaxFloat64}
	optBeta1    = Option{Name: "beta1", Default: "0.9", Doc: "decay of the mean of gradients", Min: 0, Max: 1 - 1e-15}
	optBeta2    = Option{Name: "beta2", Default: "0.999", Doc: "decay of the mean of squared gradients", Min: 0, Max: 1 - 1e-15}
	optEpsilon  = Option{Name: "eps", Default: "1e-8", Doc: "added to the root of the mean square", Min: 0, Max: math.MaxFloat64}
	optGradTol  = Option{Name: "gtol", Default: "1e-8", Doc: "stop where no component of the gradient exceeds gtol*|loss|; 0 for never", Min: 0, Max: math.MaxFloat64}
	optLossTol  = Option{Name: "ftol", Default: "1e-10", Doc: "stop after three iterations in a row that lower the loss by less than ftol*|loss|; 0 for never", Min: 0, Max: 1}
	optMemory   = Option{Name: "memory", Default: "15", Doc: "pairs of steps and gradient changes that are kept", Min: 1, Max: 1000, Whole: true}
	optMomentum = Option{Name: "momentum", Default: "0", Doc: "share of the last step that is taken again", Min: 0, Max: 1 - 1e-15}
)

// optimisers is THE list of optimisers.
var optimisers = [...]Optimiser{
	{Name: "adam", run: runAdam,
		Doc:     "First-order steps scaled by running means of the gradient and of its square. Forgiving of a rough or noisy loss; a good first stage.",
		Cite:    "D. P. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015, arXiv:1412.6980",
		Options: []Option{optRate, optIters, optBeta1, optBeta2, optEpsilon, optClip}},
	{Name: "adamw", run: runAdamW,
		Doc:  "adam with weight decay apart from the gradient. The decay acts on the weights of unknowns only, never on parameters or initial values.",
		Cite: "I. Loshchilov, F. Hutter, Decoupled weight decay regularization, ICLR 2019, arXiv:1711.05101",
		Options: []Option{optRate, optIters, optBeta1, optBeta2, optEpsilon, optClip,
			{Name: "decay", Default: "0.01", Doc: "share of a weight that goes with each unit of rate", Min: 0, Max: math.MaxFloat64}}},
	{Name: "radam", run: runRAdam,
		Doc:     "adam whose scaling is held back in the first iterations, while the mean square of few gradients varies too much. Until then, about five iterations, steps are in proportion to the gradient: clip steep ones.",
		Cite:    "L. Liu, H. Jiang, P. He, W. Chen, X. Liu, J. Gao, J. Han, On the variance of the adaptive learning rate and beyond, ICLR 2020, arXiv:1908.03265",
		Options: []Option{optRate, optIters, optBeta1, optBeta2, optEpsilon, optClip}},
	{Name: "adabelief", run: runAdaBelief,
		Doc:     "adam scaled by how far gradients stray from their mean: long steps where they are as foreseen.",
		Cite:    "J. Zhuang, T. Tang, Y. Ding, S. Tatikonda, N. Dvornek, X. Papademetris, J. S. Duncan, AdaBelief optimizer, NeurIPS 2020, arXiv:2010.07468",
		Options: []Option{optRate, optIters, optBeta1, optBeta2, withDefault(optEpsilon, "1e-16"), optClip}},
	{Name: "rmsprop", run: runRMSprop,
		Doc:     "Steps divided by the running root mean square of each component of the gradient.",
		Cite:    "T. Tieleman, G. Hinton, Lecture 6.5, Neural Networks for Machine Learning, Coursera 2012",
		Options: []Option{optRate, optIters, withDefault(optBeta2, "0.9"), optEpsilon, optMomentum, optClip}},
	{Name: "sgd", run: runSGD,
		Doc:     "Plain gradient descent, with momentum if asked for.",
		Cite:    "H. Robbins, S. Monro, Annals of Mathematical Statistics 22 (1951), 400-407; B. T. Polyak, USSR Computational Mathematics and Mathematical Physics 4 (1964), 1-17",
		Options: []Option{optRate, optIters, optMomentum, optClip}},
	{Name: "nesterov", run: runNesterov,
		Doc:     "Gradient descent with a momentum that looks ahead.",
		Cite:    "Yu. Nesterov, Soviet Mathematics Doklady 27 (1983), 372-376; I. Sutskever, J. Martens, G. Dahl, G. Hinton, ICML 2013",
		Options: []Option{optRate, optIters, withDefault(optMomentum, "0.9"), optClip}},
	{Name: "bfgs", run: runBFGS, LineSearch: true,
		Doc:     "Quasi-Newton with line search. Converges fast near an optimum; memory grows with the square of the number of variables, so take lbfgs for networks.",
		Cite:    "J. Nocedal, S. J. Wright, Numerical Optimization, 2nd edition, Springer 2006, section 6.1",
		Options: []Option{optIters, optGradTol, optLossTol}},
	{Name: "lbfgs", run: runLBFGS, LineSearch: true,
		Doc:     "Quasi-Newton with line search and limited memory. Converges fast near an optimum, for networks too; a good last stage.",
		Cite:    "D. C. Liu, J. Nocedal, On the limited memory BFGS method for large scale optimization, Mathematical Programming 45 (1989), 503-528",
		Options: []Option{optIters, optMemory, optGradTol, optLossTol}},
	{Name: "lm", run: runLM, LineSearch: true, Squares: true,
		Doc: "Levenberg–Marquardt with geodesic acceleration, for sums of squares: sse, mse, and normal or lognormal of known `sd`. Converges in few iterations, each with one solve of the forward sensitivities: the default where up to 50 parameters and initial values " +
			"and no weights are free.",
		Cite: "M. K. Transtrum, B. B. Machta, J. P. Sethna, Physical Review E 83 (2011), 036701; M. K. Transtrum, J. P. Sethna, arXiv:1201.5885",
		Options: []Option{optIters,
			{Name: "gtol", Default: "1e-8", Doc: "stop where the cosine of the angle between the residuals and what the model can change of them is below this; 0 for never", Min: 0, Max: 1},
			{Name: "ftol", Default: "1e-14", Doc: optLossTol.Doc, Min: 0, Max: 1}}},
	{Name: "cmaes", run: runCMAES, LineSearch: true,
		Doc:  "A cloud of trials, solved on all cores, that moves and shapes itself by the better ones, without gradients: for a rough loss with many minima and few unknown values. Follow it by lm or lbfgs. An iteration is a generation.",
		Cite: "N. Hansen, The CMA evolution strategy: a tutorial, arXiv:1604.00772 (2016)",
		Options: []Option{optIters,
			{Name: "sigma", Default: "0.3", Doc: "width of the first cloud, in units of the parameters' starts; of parameters between two bounds 1 is a quarter of the distance", Min: math.SmallestNonzeroFloat64, Max: 1e6},
			{Name: "pop", Default: "0", Doc: "trials of a generation; 0 is 4 + 3 log n", Min: 0, Max: 1e6, Whole: true},
			{Name: "ftol", Default: "1e-12", Doc: "stop when the best of the generations of a while differ by less than ftol*|loss|; 0 for never", Min: 0, Max: 1}}},
}

// Optimisers lists the optimisers. The slice is the caller's.
func Optimisers() []*Optimiser {
	out := make([]*Optimiser, len(optimisers))
	for i := range optimisers {
		o := optimisers[i]
		out[i] = &o
	}
	return out
}

// LookupOptimiser finds an optimiser by name.
func LookupOptimiser(name string) (*Optimiser, bool) {
	for _, o := range Optimisers() {
		if o.Name == name {
			return o, true
		}
	}
	return nil, false
}

// Stage is an optimiser with its options: one link of a chain.
type Stage struct {
	Optimiser *Optimiser
	Values    map[string]float64 // options by name; what is missing has its default
	// Rate, if not nil, gives the learning rate of each iteration, from 0, in place of the
	// constant one of Values. Optimisers with a line search have no rate and do not ask for it.
	Rate func(iter int) float64
}

// NewStage looks up an optimiser and checks options by name. The error is *OptionError.
func NewStage(name string, values map[string]float64) (Stage, error) {
	o, ok := LookupOptimiser(name)
	if !ok {
		var known []string
		for i := range optimisers {
			known = append(known, optimisers[i].Name)
		}
		return Stage{}, &OptionError{Optimiser: name, Reason: "there is no such optimiser", Known: known}
	}
	s := Stage{Optimiser: o, Values: values}
	return s, s.check()
}

// mechanisticStages is what Fit uses for few parameters and a sum of squares.
func mechanisticStages() []Stage {
	lm, _ := LookupOptimiser("lm")
	return []Stage{{Optimiser: lm}}
}

// DefaultStages is the chain that Fit uses when none is given and weights are free, or the loss is no sum of squares: adam(rate = 0.02, iters = 300)
// to get near, then lbfgs(iters = 300) to get there.
func DefaultStages() []Stage {
	adam, _ := LookupOptimiser("adam")
	lbfgs, _ := LookupOptimiser("lbfgs")
	return []Stage{
		{Optimiser: adam, Values: map[string]float64{"rate": 0.02, "iters": 300}},
		{Optimiser: lbfgs, Values: map[string]float64{"iters": 300}},
	}
}

// OptionError is an optimiser or option that does not exist, or a value that does not fit.
type OptionError struct {
	Optimiser string
	Option    string // "" when the optimiser itself is unknown
	Reason    string
	Known     []string // what there is, when a name is unknown
}

// Error names the optimiser, the option and the reason.
func (e *OptionError) Error() string {
	s := e.Optimiser
	if e.Option != "" {
		s += "(" + e.Option + ")"
	}
	s += ": " + e.Reason
	if len(e.Known) > 0 {
		s += "; there are " + strings.Join(e.Known, ", ")
	}
	return s
}

// Iters is the limit on iterations of the stage.
func (s *Stage) Iters() int { return int(s.value("iters")) }

func (s *Stage) value(name string) float64 { return optionValue(s.Optimiser.Options, s.Values, name) }

// rate is the learning rate of an iteration.
func (s *Stage) rate(iter int) float64 {
	if s.Rate != nil {
		return s.Rate(iter)
	}
	return s.value("rate")
}

func (s *Stage) check() error {
	if s.Optimiser == nil || s.Optimiser.run == nil {
		return &OptionError{Optimiser: "stage", Reason: "it has no optimiser of the table"}
	}
	return checkOptions(s.Optimiser.Name, s.Optimiser.Options, s.Values)
}

// checkOptions checks values by the options of what is called name.
func checkOptions(name string, options []Option, values map[string]float64) error {
	names := make([]string, 0, len(values))
	for n := range values {
		names = append(names, n)
	}
	sort.Strings(names) // the same error each time
	for _, n := range names {
		if err := checkOption(name, options, n, values[n]); err != nil {
			return err
		}
	}
	return nil
}

func checkOption(of string, options []Option, name string, v float64) error {
	bad := &OptionError{Optimiser: of, Option: name}
	for i := range options {
		p := &options[i]
		if p.Name != name {
			bad.Known = append(bad.Known, p.Name)
			continue
		}
		bad.Known = nil
		want := "a number"
		if p.Whole {
			want = "a whole number"
		}
		switch {
		case !(v >= p.Min && v <= p.Max) || p.Whole && v != math.Trunc(v):
			switch {
			case p.Min > 0 && p.Min < 1e-300:
				want += " above 0"
			case p.Max < 1 && p.Max > 0.9:
				want += fmt.Sprintf(" from %v to below 1", p.Min)
			case p.Max == math.MaxFloat64 || p.Max == 1e9:
				want += fmt.Sprintf(", at least %v", p.Min)
			default:
				want += fmt.Sprintf(" from %v to %v", p.Min, p.Max)
			}
			bad.Reason = fmt.Sprintf("it must be %s, not %v", want, v)
			return bad
		}
		return nil
	}
	bad.Reason = "there is no such option"
	return bad
}
