package verb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/train"
	"github.com/udl-lang/udl/stdlib/value"
)

// fitRow is the row of the table.
var fitRow = verb("fit", "fitted model", "Trains a model to data, or to a loss that is a function of the solution. The result is a new model; the original is unchanged. Ctrl-C keeps the best so far.",
	"model M { param k = 1; state x = 1; x' = -k*x }\nbest = fit(M, t = 0..1 by 0.1, loss = s -> (s.x[end] - 0.5)^2)", fitVerb,
	arg("model", "model", "", ""),
	optData,
	optMatch,
	optLoss,
	optT,
	arg("free", "names", "none", "what may move: parameters, unknowns, weights, and initial values by the state's name; all parameters and weights when left out"),
	arg("train", "optimiser", "none", "an optimiser or a chain, `adam(iters = 500) then lbfgs`; when left out, lm for squares over data and up to 50 parameters and initial values without weights, else adam(rate = 0.02, iters = 300) then lbfgs(iters = 300)"),
	arg("method", "method", "shooting", "how the training is set up: a method, or several by `then`, each from the best point of the one before; shooting over all data comes last"),
	arg("holdout", "number, range of times or record", "none", "data kept out of the training: the last part (0.3), those in a range of times, or whole trajectories, `{trajectories: [3, 7]}` or `{trajectories: 0.2}`"),
	arg("regularise", OfRegularisers, "none", "prices on what is free, added to the loss: `{U: l2(1e-4), alpha: l1(0.1)}`; the report gives them apart"),
	arg("patience", "whole number", "none", "stop after so many iterations in a row that do not lower the loss over the data held out, and keep the point that met them best"),
	arg("starts", "whole number", "1", "how many starts are tried, on all cores: the given one, and others drawn by the seed from the parameters' distributions, their bounds, or around them; the best is the result"),
	optThreads,
	optInitial, optSolver, optRtol, optAtol,
	optSetEach,
	optInputsEach,
	arg("seed", "whole number", "0", "of the weights that the training starts with, and of all else that is drawn"),
	optStep, optSteps, optAdjoint, optCheckpoint, optEvery, optResume)

func fitVerb(c *Call) (value.Value, error) {
	m, err := c.ModelOf("model")
	if err != nil {
		return nil, err
	}
	if err := c.covariates(); err != nil {
		return nil, err
	}
	p, err := c.problem(m)
	if err != nil {
		return nil, err
	}
	sys := m.C.System
	if sys.NoGradient != "" {
		return nil, c.noGradient(sys)
	}
	spec := train.Spec{Sys: sys, Theta: p.Theta, Problem: *p}
	out := &value.Fit{Solved: *p}
	if l, ok := c.Args["loss"].(*value.Lambda); ok {
		loss, err := c.lossOf(m, l, &spec.Problem)
		if err != nil {
			return nil, err
		}
		spec.Loss, out.Times = loss, loss.Times()
	} else {
		if m, err = c.gather(m, &spec, out); err != nil {
			return nil, err
		}
		sys = m.C.System
	}
	if spec.Seed, err = c.seed(); err != nil {
		return nil, err
	}
	if spec.HeldOut, err = c.holdout(len(out.Trajectories)); err != nil {
		return nil, err
	}
	if spec.Stages, err = c.stages(); err != nil {
		return nil, err
	}
	if spec.Methods, err = c.methods(); err != nil {
		return nil, err
	}
	if spec.Gradient, err = c.adjoint(); err != nil {
		return nil, err
	}
	if err := c.priced(&spec); err != nil {
		return nil, err
	}
	told, err := c.checkpoints(&spec.Problem)
	if err != nil {
		return nil, err
	}
	if c.Has("free") {
		if len(c.names("free")) == 0 {
			return nil, diag.New("E0513", c.SpanOf("free"), "nothing is free, so there is nothing to train").WithHelp("name what may move, or leave `free` out")
		}
		if spec.Free, err = train.Select(sys, spec.Theta, c.names("free"), spec.Problem.T0); err != nil {
			return nil, c.fitError(err)
		}
	}
	if err := c.sharedSet(&spec); err != nil {
		return nil, err
	}
	if err := c.starts(m, &spec); err != nil {
		return nil, err
	}
	if c.Progress != nil {
		spec.Progress = func(t train.Progress) {
			c.Progress(Progress{What: "fit " + m.Name(), Stage: t.Optimiser, Iter: t.Iter, Total: t.Total, Loss: t.Loss, Best: t.Best, GradNorm: t.GradNorm, Elapsed: t.Elapsed, Fit: &t})
		}
		defer c.Progress(Progress{What: "fit " + m.Name(), Done: true})
	}
	keeper, err := c.keep(m, &spec)
	if err != nil {
		return nil, err
	}
	r, err := train.Fit(c.Ctx, spec)
	if keeper != nil {
		if e := keeper.Close(); e != nil {
			name, _ := c.TextOf("checkpoint", "")
			c.Warn(c.checkpointError(name, e).AsWarning(), false)
		}
	}
	if err != nil {
		return nil, c.fitError(err)
	}
	told()
	if n := unusedPriors(m, r.Report); n != "" {
		r.Report.Notes = append(r.Report.Notes, n)
	}
	out.Result, out.Spec = r, &spec
	ofEach(out, r)
	if r.Status == train.Cancelled {
		d := diag.New("E0535", c.Span, "the training of %s was stopped; the best so far is kept", m.Name()).AsWarning()
		if keeper != nil {
			d.WithHelp("the same fit, run again, goes on from its checkpoint")
		}
		c.Warn(d, true)
	}
	return &value.Model{C: m.C, Theta: r.Theta, Fit: out}, nil
}

// unusedPriors says which parameters that were free have a distribution, which does not enter the loss.
func unusedPriors(m *value.Model, r *train.Report) string {
	var names []string
	for _, p := range m.C.Model.Params {
		if p.Prior != nil && slices.ContainsFunc(r.Params, func(e train.Estimate) bool {
			name, _, _ := strings.Cut(e.Name, "[")
			return name == p.Name
		}) {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "the distribution of " + strings.Join(names, ", ") + " (`~ …`) is no part of the loss: a fit looks at the data alone, and draws no more than its further starts from it"
}

// autoScales are the input scales that are to be filled from data.
func autoScales(m *value.Model) []train.AutoScale {
	var out []train.AutoScale
	for _, u := range m.C.Model.Unknowns {
		for _, w := range u.Weights {
			if w.Spec.Role == "scale" {
				out = append(out, train.AutoScale{Slot: w.Name, Inputs: u.Inputs})
			}
		}
	}
	return out
}

// fitError gives an error of a training its code, place and help.
func (c *Call) fitError(err error) error {
	var start *train.StartError
	var name *train.NameError
	var option *train.OptionError
	var method *train.MethodError
	if d := c.Explain(err); d != err {
		return d
	}
	switch {
	case errors.As(err, &start) && start.Method == nil:
		d := diag.New("E0511", c.Span, "%v", err)
		if start.Fault != nil && start.Fault.Source != nil {
			if s, ok := start.Fault.Source.Where.(diag.Span); ok && !s.IsZero() {
				d.Labels = []diag.Label{{Span: s, Text: "is " + value.Format(start.Fault.Source.Value) + " here"}, {Span: c.Span, Text: "in this training"}}
			}
		}
		if start.Grad != nil && start.Grad.Source != nil && start.Free != "" {
			if s, ok := start.Grad.Source.Where.(diag.Span); ok && !s.IsZero() {
				d.Labels = []diag.Label{{Span: s, Text: "its derivative is " + value.Format(start.Grad.Source.Value) + " here"}, {Span: c.Span, Text: "in this training"}}
			}
		}
		return d.WithHelp("%s", start.Help())
	case errors.As(err, &name):
		code := diag.Code("E0513")
		at := c.SpanOf("model")
		if c.Has("free") {
			at = c.SpanOf("free")
		}
		if r, ok := c.Args["regularise"].(*value.Record); ok && name.Price {
			code, at = "E0704", c.SpanOf("regularise")
			for i, key := range r.Keys {
				if key == name.Name && i < len(r.Span) {
					at = r.Span[i]
				}
			}
			d := diag.New(code, at, "`%s` cannot have a price: %s", name.Name, name.Reason)
			if s := diag.Suggest(name.Name, name.Known); s != "" {
				return d.WithHelp("did you mean `%s`?", s)
			}
			return d.WithHelp("name what is free: a parameter, an unknown, an array of its weights, or a state for its initial value")
		}
		d := diag.New(code, at, "%s cannot be trained: %s", name.Name, name.Reason)
		if s := diag.Suggest(name.Name, name.Known); s != "" {
			d.WithHelp("did you mean `%s`?", s)
		} else if len(name.Known) > 0 {
			d.WithHelp("free may be: %s", join(name.Known))
		}
		return d
	case errors.As(err, &method):
		return diag.New("E0704", c.SpanOf("method"), "%v", err).WithHelp("%s", method.Help)
	case errors.As(err, &option):
		at := c.SpanOf("train")
		if _, ok := c.Table.Lookup(option.Optimiser, sig.Regulariser); ok {
			at = c.SpanOf("regularise")
		}
		return diag.New("E0704", at, "%v", err)
	}
	var de *train.DataError
	if errors.As(err, &de) {
		return c.dataError(err)
	}
	if len(diag.From(err)) > 0 || c.Ctx.Err() != nil {
		return err
	}
	return diag.New("E0514", c.Span, "%v", err)
}

// WriteReport writes the account of a fit.
func WriteReport(w io.Writer, f *value.Fit) { fmt.Fprint(w, f.Result.Report.String()) }

// FittedCurve solves a fitted model over the times of its data or loss, finely.
func FittedCurve(m *value.Model) (*value.Solution, error) {
	f := m.Fit
	t0, t1 := f.Times[0], f.Times[len(f.Times)-1]
	const n = 400
	times := make([]float64, n+1)
	for i := range times {
		times[i] = t0 + (t1-t0)*float64(i)/n
	}
	times[n] = t1
	p := f.Solved
	p.Sys, p.Theta, p.T0, p.T1, p.Times, p.Rtol = m.C.System, m.Theta, t0, t1, times, math.Max(p.Rtol, 1e-8)
	sol, err := solve.Solve(context.Background(), &p)
	if err != nil {
		return nil, err
	}
	return &value.Solution{Sol: sol, Model: m, Theta: m.Theta}, nil
}

var _ sens.Loss = (*bound)(nil)
