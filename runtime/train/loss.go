package train

import (
	"fmt"
	"math"
)

// Penalty is one row of the table of losses: what a residual costs.
type Penalty struct {
	Name    string
	Doc     string
	Cite    string
	Mean    bool // over all values that are not missing, instead of the sum
	Squares bool // least squares: the likelihood of normal errors, with AIC, BIC and standard errors
	// Likelihood says that the loss is −log L of independent errors, with all constants.
	Likelihood bool
	Scaled     bool // a likelihood with a standard deviation, or a scale, that may be estimated
	Logs       bool // compares logarithms always

	// of is the cost of a residual and its derivative; of a likelihood with a scale, −log of the density of a residual in units of the scale.
	of func(r, delta float64) (rho, d float64)
	// count is −log of the probability of a count y where m is expected, and its derivative by m.
	count func(m, y float64) (rho, d float64)
	// fit is the scale of greatest likelihood of residuals; from is near.
	fit func(r []float64, df, from float64) float64
	// info is the Fisher information about m of a value, in units of the squared scale.
	info func(m, df float64) float64
}

// penalties is THE list of losses against data.
var penalties = [...]Penalty{
	{Name: "sse", Doc: "Sum of squared errors over everything that is not missing", Squares: true, of: square},
	{Name: "mse", Doc: "Mean of squared errors", Squares: true, Mean: true, of: square},
	{Name: "mae", Doc: "Mean of absolute errors", Mean: true, of: absolute},
	{Name: "huber", Doc: "Mean of Huber's loss: r²/2 up to |r| = delta, delta (|r| − delta/2) beyond", Mean: true, of: huber,
		Cite: "P. J. Huber, Robust estimation of a location parameter, Annals of Mathematical Statistics 35 (1964), 73–101"},
	{Name: "normal", Doc: "−log likelihood of normal errors, with standard deviations that are known or estimated", Likelihood: true, Scaled: true, of: gauss, fit: rootMeanSquare, info: one},
	{Name: "lognormal", Doc: "−log likelihood of data whose logarithms have normal errors", Likelihood: true, Scaled: true, Logs: true, of: gauss, fit: rootMeanSquare, info: one},
	{Name: "student_t", Doc: "−log likelihood of errors of Student's t distribution with df degrees of freedom: outliers count little", Likelihood: true, Scaled: true, of: studentT, fit: scaleOfT, info: infoOfT,
		Cite: "K. L. Lange, R. J. A. Little, J. M. G. Taylor, Robust statistical modeling using the t distribution, Journal of the American Statistical Association 84 (1989), 881–896"},
	{Name: "poisson", Doc: "−log likelihood of counts whose expected value is the model's", Likelihood: true, count: poisson, info: func(m, _ float64) float64 { return 1 / m },
		Cite: "P. McCullagh, J. A. Nelder, Generalized Linear Models, 2nd edition, Chapman & Hall 1989, chapter 6"},
}

// Losses lists the losses against data. The slice is the caller's.
func Losses() []Penalty { return append([]Penalty(nil), penalties[:]...) }

func square(r, _ float64) (float64, float64) { return r * r, 2 * r }

func absolute(r, _ float64) (float64, float64) {
	switch {
	case r > 0:
		return r, 1
	case r < 0:
		return -r, -1
	}
	return math.Abs(r), 0 // the subgradient of least size; a NaN stays one
}

func huber(r, delta float64) (float64, float64) {
	switch {
	case r > delta:
		return delta * (r - delta/2), delta
	case r < -delta:
		return delta * (-r - delta/2), -delta
	}
	return r * r / 2, r
}

// LossSpec says how the model is compared with data. The zero value is sse on the linear scale.
type LossSpec struct {
	Kind  string  // of the table: "sse", "mse", …, "normal", …; "" is sse
	Log   bool    // compare natural logarithms
	Delta float64 // of huber; 0 means 1
	SD    float64 // of a likelihood: the scale of the errors, where the column has none; 0: estimated for each quantity
	DF    float64 // of student_t, degrees of freedom; 0 means 4
}

func (s LossSpec) resolve() (*Penalty, float64, error) {
	kind := s.Kind
	if kind == "" {
		kind = "sse"
	}
	delta := s.Delta
	if delta == 0 {
		delta = 1
	}
	if kind == "student_t" {
		if delta = s.DF; delta == 0 {
			delta = defaultDF
		}
		if !(delta > 0) || math.IsInf(delta, 0) {
			return nil, 0, fmt.Errorf("student_t: df is %v; it must be a positive number", s.DF)
		}
	}
	known := ""
	for i := range penalties {
		if penalties[i].Name == kind {
			switch {
			case !(delta > 0) || math.IsInf(delta, 0):
				return nil, 0, fmt.Errorf("%s: delta is %v; it must be a positive number", kind, s.Delta)
			case !(s.SD >= 0) || math.IsInf(s.SD, 0):
				return nil, 0, fmt.Errorf("%s: sd is %v; it must be a positive number", kind, s.SD)
			case s.SD != 0 && !penalties[i].Scaled:
				return nil, 0, fmt.Errorf("%s has no standard deviation", kind)
			case s.Log && penalties[i].Likelihood:
				return nil, 0, fmt.Errorf("%s says by itself what is compared: for logarithms take lognormal", kind)
			}
			return &penalties[i], delta, nil
		}
		if i > 0 {
			known += ", "
		}
		known += penalties[i].Name
	}
	return nil, 0, fmt.Errorf("there is no loss %q; there are %s", kind, known)
}

// String is the loss as it is written: "sse(scale = log)".
func (s LossSpec) String() string {
	kind := s.Kind
	if kind == "" {
		kind = "sse"
	}
	opts := ""
	add := func(format string, v any) {
		if opts != "" {
			opts += ", "
		}
		opts += fmt.Sprintf(format, v)
	}
	if s.Log {
		add("scale = %s", "log")
	}
	if kind == "huber" && s.Delta != 0 && s.Delta != 1 {
		add("delta = %v", s.Delta)
	}
	if s.SD != 0 {
		add("sd = %v", s.SD)
	}
	if kind == "student_t" && s.DF != 0 && s.DF != defaultDF {
		add("df = %v", s.DF)
	}
	if opts == "" {
		return kind
	}
	return kind + "(" + opts + ")"
}
