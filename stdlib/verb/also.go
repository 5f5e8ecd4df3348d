package verb

import (
	"slices"
	"strings"
)

// alsoCalled are names that others give to what has another one here, or what comes nearest to it. Case, blanks and underscores do not count.
var alsoCalled = []struct {
	others string // separated by blanks
	name   string
	why    string // "" where it is the same
}{
	{"gaussian gauss norm", "normal", ""},
	{"l2 leastsquares ols nls squares rss ssr", "sse", ""},
	{"rmse meansquare", "mse", "which has the same minimum"},
	{"l1 laplace absolute mad", "mae", ""},
	{"smoothl1", "huber", ""},
	{"t student tdist cauchy", "student_t", ""},
	{"counts negbin nb nbinom negativebinomial", "poisson", "the likelihood of counts; there is none with a dispersion of its own"},
	{"levenberg levenbergmarquardt marquardt gaussnewton trf leastsq dogleg", "lm", ""},
	{"neldermead simplex powell cobyla bobyqa de differentialevolution pso genetic annealing", "cmaes", "which needs no gradients"},
	{"newton trustregion trust newtoncg truncatednewton", "bfgs", "which approximates second derivatives by gradients"},
	{"lbfgsb", "lbfgs", "bounds are those of the model's parameters, `param k = 1 in 0..10`"},
	{"adamax nadam", "adam", "or `radam` and `adabelief`"},
	{"gd gradientdescent momentum steepest", "sgd", ""},
	{"singleshooting single", "shooting", ""},
	{"multiple multishooting", "multiple_shooting", ""},
	{"gradientmatching matching smoothing splines", "collocation", ""},
	{"sindy lasso omp", "stlsq", ""},
	{"miosr mio exhaustive", "best_subset", ""},
}

// AlsoCalled finds what one of some names is called by others.
func AlsoCalled(other string, names []string) (name, why string) {
	plain := func(s string) string {
		return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
	}
	for _, n := range names {
		if plain(n) == plain(other) {
			return n, ""
		}
	}
	for _, a := range alsoCalled {
		if slices.Contains(strings.Fields(a.others), plain(other)) && slices.Contains(names, a.name) {
			return a.name, a.why
		}
	}
	return "", ""
}
