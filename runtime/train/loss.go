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

	// of is the cost of a residual and its derivative.
	of func(r, delta float64) (rho, d float64)
}

// penalties is THE list of losses against data.
var penalties = [...]Penalty{
	{Name: "sse", Doc: "sum of squared errors", Squares: true, of: square},
	{Name: "mse", Doc: "mean of squared errors", Squares: true, Mean: true, of: square},
	{Name: "mae", Doc: "mean of absolute errors", Mean: true, of: absolute},
	{Name: "huber", Doc: "mean of Huber's loss: r²/2 up to |r| = delta, delta (|r| − delta/2) beyond", Mean: true, of: huber,
		Cite: "P. J. Huber, Robust estimation of a location parameter, Annals of Mathematical Statistics 35 (1964), 73–101"},
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
	Kind  string  // "sse", "mse", "mae", "huber"; "" is sse
	Log   bool    // compare natural logarithms
	Delta float64 // of huber; 0 means 1
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
	known := ""
	for i := range penalties {
		if penalties[i].Name == kind {
			if !(delta > 0) || math.IsInf(delta, 0) {
				return nil, 0, fmt.Errorf("%s: delta is %v; it must be a positive number", kind, s.Delta)
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
	if s.Log {
		opts = "scale = log"
	}
	if kind == "huber" && s.Delta != 0 && s.Delta != 1 {
		if opts != "" {
			opts += ", "
		}
		opts += fmt.Sprintf("delta = %v", s.Delta)
	}
	if opts == "" {
		return kind
	}
	return kind + "(" + opts + ")"
}
