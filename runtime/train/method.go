package train

import (
	"fmt"
	"math"
)

// Method is one way to set up a training: what is minimised, over what, by which chain. Each is one or more
// phases, and a fit runs the phases of all its methods in turn, each from the best point of the one before. A fit
// ends with shooting over all data, so that the loss it reports is that of the true solution.
type Method struct {
	Name   string  // of the table, see Methods; "" is "shooting"
	Stages []Stage // its own chain of optimisers; nil: that of the Spec

	// Grow has, of shooting, the shares of the time span that are trained on one after the other, rising, in 0 < share ≤ 1.
	// All of it follows where the last is less.
	Grow []float64
	// Until has times in place of shares.
	Until []float64
	// Batch has, of shooting, how many trajectories an iteration of an optimiser without line search looks at; 0: all.
	Batch int
	// Window has, of shooting, how many rows of the data of each it looks at, following each other, from the measured states at
	// the first; 0: all.
	Window int

	// Smooth is, of collocation, the kind of curve through the data: "spline" ("" too) or "kernel".
	Smooth string
	// Smoothness is, of collocation, the penalty λ of the spline or the bandwidth of the kernel; 0: chosen by cross-validation.
	Smoothness float64

	// Segments is, of multiple shooting, into how many the time span of each trajectory is cut; 0: 5.
	Segments int
	// Penalties are what gaps between segments cost, one phase after the other: with 1 as much as a datum that is as far off. nil: 1.
	Penalties []float64
	// Constraint has the gaps vanish, by the augmented Lagrangian, from the first penalty on.
	Constraint bool
}

// MethodRow is one row of the table of methods.
type MethodRow struct {
	Name string
	Doc  string
	Cite string

	// phases makes the phases of a method that was checked.
	phases func(f *fitting, m *Method) ([]phase, error)
}

// methods is THE list of methods of training.
var methods = [...]MethodRow{
	{Name: "shooting", phases: shootingPhases,
		Doc: "Single shooting: the solution from the initial values on is compared with the data. With `grow` or `until` it is trained on the first part of the time span, then on more and more of it: " +
			"where the phases of cycles do not match, the loss over all data has many minima, that over the first part few. With `batch` or `window` an optimiser without line search looks at some trajectories, or at a window of the times, in each iteration.",
		Cite: "Y. Bard, Nonlinear Parameter Estimation, Academic Press 1974; growing parts of the time span as in the neural ODE example of P. Kidger, Diffrax, 2021"},
	{Name: "collocation", phases: collocationPhases,
		Doc: "A start without solving: smooth curves through the data give states and slopes, and what is free is chosen so that the right-hand side gives these slopes at these states. " +
			"Then comes shooting. Every state must be compared with data of its own. The curves are smoothing splines or local cubics, as smooth as cross-validation has them.",
		Cite: "J. M. Varah, SIAM Journal on Scientific and Statistical Computing 3 (1982), 28-46; H. Liang, H. Wu, Journal of the American Statistical Association 103 (2008), 1570-1583; " +
			"E. Roesch, C. Rackauckas, M. P. H. Stumpf, Statistical Applications in Genetics and Molecular Biology 20 (2021), 37-49"},
	{Name: "multiple_shooting", phases: multiplePhases,
		Doc: "The time span is cut into segments, each solved from initial values of its own, which are trained too and begin at the data. Gaps between them have a price, or must vanish. " +
			"Over a segment a solution cannot run far from the data, so that chaos and long oscillations do no harm. Then comes shooting.",
		Cite: "H. G. Bock, in P. Deuflhard, E. Hairer (eds.), Numerical Treatment of Inverse Problems in Differential and Integral Equations, Birkhauser 1983, 95-121; " +
			"E. Baake, M. Baake, H. G. Bock, K. M. Briggs, Fitting ordinary differential equations to chaotic data, Physical Review A 45 (1992), 5524-5529"},
}

// Methods lists the methods of training. The slice is the caller's.
func Methods() []MethodRow { return append([]MethodRow(nil), methods[:]...) }

// MethodError is a method that does not exist, an option that does not fit, or a model or data that it cannot take.
type MethodError struct {
	Method string
	Reason string
	Help   string
}

// Error is the method and the reason.
func (e *MethodError) Error() string { return e.Method + ": " + e.Reason }

func (m *Method) name() string {
	if m.Name == "" {
		return "shooting"
	}
	return m.Name
}

// row finds the method in the table.
func (m *Method) row() (*MethodRow, error) {
	known := ""
	for i := range methods {
		if methods[i].Name == m.name() {
			return &methods[i], nil
		}
		if i > 0 {
			known += ", "
		}
		known += methods[i].Name
	}
	return nil, &MethodError{Method: m.Name, Reason: "there is no such method of training", Help: "there are " + known}
}

// GrowBy are the shares of n equal steps of the time span, for Method.Grow.
func GrowBy(n int) []float64 {
	s := make([]float64, max(n, 0))
	for i := range s {
		s[i] = float64(i+1) / float64(n)
	}
	return s
}

// rising is the first entry from which on a list does not rise within lo < v ≤ hi; −1 for none.
func rising(v []float64, lo, hi float64) int {
	for i, x := range v {
		if !(x > lo && x <= hi) || math.IsInf(x, 0) {
			return i
		}
		lo = x
	}
	return -1
}

// bad is an error about the method, or an option of it.
func (m *Method) bad(help, format string, args ...any) error {
	return &MethodError{Method: m.name(), Reason: fmt.Sprintf(format, args...), Help: help}
}
