package main

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed c/cvode
var cvodeSources embed.FS

//go:embed data/ends.json
var endsText []byte

// errNoCVODE is why there is no side of CVODE.
var errNoCVODE = errors.New("there is no SUNDIALS: install Debian's libsundials-dev, or SUNDIALS 6 where gcc finds it")

// cvodeLibraries are what the side of CVODE is linked with.
var cvodeLibraries = []string{"-lsundials_cvode", "-lsundials_nvecserial", "-lm"}

// buildCVODE compiles the side of CVODE in dir and gives the program's path.
func buildCVODE(dir string) (string, error) {
	if gccVersion() == "" {
		return "", errNoC
	}
	probe := filepath.Join(dir, "probe.c")
	if err := os.WriteFile(probe, []byte("#include <cvode/cvode.h>\n#include <sundials/sundials_context.h>\nint main(void) { SUNContext c; return SUNContext_Create(0, &c); }\n"), 0o644); err != nil {
		return "", err
	}
	if err := exec.Command("gcc", append([]string{"-o", filepath.Join(dir, "probe"), probe}, cvodeLibraries...)...).Run(); err != nil {
		return "", errNoCVODE
	}
	from := filepath.Join(dir, "cvode-src") // of its own: cvode.h there must not hide SUNDIALS' nor be hidden
	if err := os.MkdirAll(from, 0o755); err != nil {
		return "", err
	}
	entries, err := cvodeSources.ReadDir("c/cvode")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "cvodeside")
	args := append([]string{"-o", bin}, flags...)
	for _, e := range entries {
		b, err := cvodeSources.ReadFile("c/cvode/" + e.Name())
		if err != nil {
			return "", err
		}
		file := filepath.Join(from, e.Name())
		if err := os.WriteFile(file, b, 0o644); err != nil {
			return "", err
		}
		if strings.HasSuffix(file, ".c") {
			args = append(args, file)
		}
	}
	args = append(args, cvodeLibraries...)
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return bin, nil
}

// stiff is a problem that both CVODE and udl solve from 0 to t1.
type stiff struct {
	name    string
	model   string   // in models
	states  []string // of the model, in the order of the end's values
	scale   float64  // atol = scale · rtol
	solvers []string // of udl, with the memory of a workspace kept as CVODE keeps its own
	beside  []string // more of them, which have curves and do not count
	api     bool     // Model.Solve beside them, no solver named: it keeps dense output, which CVODE does not
	initial func() []float64
	// twoByTwo says that C keeps two fields of equal length interleaved, where udl has one after the other.
	twoByTwo bool
	// The tolerances are 10^-(loosest) to 10^-(tightest) in steps of as many decades.
	loosest, tightest, step float64
}

// stiffs is THE table of problems against CVODE. The tolerances at which a solver fails are left out.
var stiffs = []stiff{
	{name: "robertson", model: "robertson.udl", states: numbered("y", 3), scale: 1e-10, loosest: 2, tightest: 12, step: 0.5, solvers: ofSmall, api: true},
	{name: "orego", model: "orego.udl", states: numbered("y", 3), scale: 1e-6, loosest: 2, tightest: 12, step: 0.5, solvers: ofSmall, api: true},
	{name: "vdpol", model: "vdpol.udl", states: numbered("y", 2), scale: 1, loosest: 2, tightest: 12, step: 0.5, solvers: ofSmall, api: true},
	{name: "hires", model: "hires.udl", states: numbered("y", 8), scale: 1e-4, loosest: 2, tightest: 12, step: 0.5, solvers: ofSmall, api: true},
	{name: "pollu", model: "pollu.udl", states: numbered("y", 20), scale: 1e-6, loosest: 2, tightest: 12, step: 0.5, solvers: ofSmall, api: true},
	{name: "bruss1d", model: "bruss1d.udl", states: []string{"u", "v"}, scale: 1, loosest: 2, tightest: 12, step: 0.5, solvers: ofSmall, api: true, initial: line, twoByTwo: true},
	{name: "bruss2d", model: "bruss2d.udl", states: []string{"u", "v"}, scale: 1, loosest: 3, tightest: 11, step: 1, solvers: ofLarge, beside: []string{"ROCK4"}, initial: square},
}

// The solvers that are tried: a figure is that of the best one of them, and all are named.
var (
	ofSmall = []string{"Rodas5P", "RadauIIA5", "BDF", "auto"}
	ofLarge = []string{"BDF", "auto"} // what is asked for is an implicit method
)

// line is the state of the Brusselator in one dimension at the start.
func line() []float64 {
	const n = 200
	x := make([]float64, 2*n)
	for i := range n {
		x[i], x[n+i] = 1+math.Sin(2*math.Pi*float64(i+1)/(n+1)), 3
	}
	return x
}

// square is that in two.
func square() []float64 {
	const n = 64
	u := make([]float64, 2*n*n)
	for i := range n {
		for j := range n {
			x, y := float64(i)/n, float64(j)/n
			u[i*n+j], u[n*n+i*n+j] = 22*y*math.Pow(1-y, 1.5), 27*x*math.Pow(1-x, 1.5)
		}
	}
	return u
}

// endpoint is a row of data/ends.json: what a problem's solution is known to be at t1.
type endpoint struct {
	Name    string    `json:"name"`
	From    string    `json:"from"` // how it is known, and to how many digits
	T1      float64   `json:"t1"`
	Initial []float64 `json:"initial"` // absent where a problem has a function for it
	End     []float64 `json:"end"`
}

// load finds the problem's end point, in C's order of states.
func (s *stiff) load() (endpoint, error) {
	var all []endpoint
	if err := json.Unmarshal(endsText, &all); err != nil {
		return endpoint{}, err
	}
	k := slices.IndexFunc(all, func(e endpoint) bool { return e.Name == s.name })
	if k < 0 {
		return endpoint{}, fmt.Errorf("data/ends.json has no %s", s.name)
	}
	e := all[k]
	if s.initial != nil {
		e.Initial = s.toC(s.initial())
	}
	if len(e.Initial) != len(e.End) {
		return e, fmt.Errorf("%s: %d initial values and %d at the end", s.name, len(e.Initial), len(e.End))
	}
	return e, nil
}

// toC puts a state of udl into C's order.
func (s *stiff) toC(x []float64) []float64 {
	if !s.twoByTwo {
		return x
	}
	n := len(x) / 2
	y := make([]float64, 2*n)
	for i := range n {
		y[2*i], y[2*i+1] = x[i], x[n+i]
	}
	return y
}

// tolerances are the rtol of the curves, from the loosest on.
func (s *stiff) tolerances() []float64 {
	var tol []float64
	for k := s.loosest; k <= s.tightest+1e-9; k += s.step {
		tol = append(tol, math.Pow(10, -k))
	}
	return tol
}

// errorOf is the greatest of |x_i − v_i|/(atol_i/rtol + |v_i|), v being the known end: the same on both sides. It is NaN when x is no solution.
func (s *stiff) errorOf(x, v []float64) float64 {
	worst := 0.0
	for i := range v {
		worst = max(worst, math.Abs(x[i]-v[i])/(s.scale+math.Abs(v[i])))
	}
	return worst
}

func findStiff(name string) (*stiff, error) {
	for i := range stiffs {
		if stiffs[i].name == name {
			return &stiffs[i], nil
		}
	}
	return nil, fmt.Errorf("there is no stiff problem %q", name)
}
