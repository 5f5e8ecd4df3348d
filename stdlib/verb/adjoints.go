package verb

import (
	"math"
	"sync/atomic"

	"github.com/udl-lang/udl/lang/diag"
	"github.com/udl-lang/udl/lang/sig"
	"github.com/udl-lang/udl/runtime/sens"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/stdlib/value"
)

// AdjointOption is the option whose words are the methods to compute gradients.
const AdjointOption = "adjoint"

// adjointOptions are what each of them takes.
var adjointOptions = map[string][]sig.Param{
	"discrete": {
		{Name: "memory", Type: "number", Default: "none", NamedOnly: true, Doc: "bytes that the solution at the output times, its steps and checkpoints may take; of steps beyond it some are made again. When left out, as the session's limit on memory"},
		{Name: "checkpoints", Type: "word: recursive", Default: "none", NamedOnly: true, Doc: "recursive takes little memory, however long the run is, and makes each step several times"},
	},
}

// adjointRows are the gradient methods as the checker and help see them.
func adjointRows() []sig.Builtin {
	var out []sig.Builtin
	for _, m := range sens.Methods() {
		if m.Name == "differences" {
			continue
		}
		row := sig.Builtin{Name: m.Name, Kind: sig.Adjoint, Result: "gradient method", Doc: m.Doc, Cite: m.Cite, Params: adjointOptions[m.Name]}
		word := m.Name
		if row.Params != nil {
			word += "(memory = 64e6)"
		}
		row.Example = "model M { param k = 1; state x = 1; x' = -k*x }\ngrad(M, t = 0..1 by 0.1, loss = s -> s.x[end], adjoint = " + word + ")"
		out = append(out, row)
	}
	return out
}

// AdjointSpec is the discrete adjoint with its options as a value: bytes of memory, 0 for as many as there are, and whether checkpoints are recursive.
func AdjointSpec(memory int64, recursive bool) *value.Spec {
	s := &value.Spec{Args: map[string]value.Value{}}
	for _, row := range adjointRows() {
		if row.Name == "discrete" {
			s.Row = &row
		}
	}
	if memory != 0 {
		s.Args["memory"] = value.Num(float64(memory))
	}
	if recursive {
		s.Args["checkpoints"] = value.Word("recursive")
	}
	return s
}

// checkpoints reads how much memory the steps of gradients may take. told is for afterwards: where nothing was asked for and the session's limit did not hold them, it says so.
func (c *Call) checkpoints(p *solve.Problem) (told func(), err error) {
	k := new(solve.Checkpoints)
	p.Checkpoints, told = k, func() {}
	s, _ := c.Args[AdjointOption].(*value.Spec)
	if s == nil || len(s.Args) == 0 {
		var full atomic.Bool // gradients of several trajectories come from several goroutines
		k.Full = func() { full.Store(true) }
		return func() {
			if full.Load() {
				limit := p.MaxMemory
				if limit == 0 {
					limit = solve.DefaultMaxMemory
				}
				c.Warn(diag.New("E0533", c.Span, "%s: the limit on memory, %d bytes, does not hold the steps of a gradient; what it does not hold is made again from checkpoints", c.Verb.Name, limit).
					WithHelp("`adjoint = discrete(memory = …)` sets how many bytes they may take, and says nothing").AsWarning(), false)
			}
		}, nil
	}
	if v, ok := s.Args["memory"]; ok {
		a, isArray := v.(*value.Array)
		if !isArray || !a.Shape.IsScalar() || !(a.Data[0] >= 1) || a.Data[0] > math.MaxInt64/2 {
			return nil, diag.New("E0704", s.Span, "`memory` must be a number of bytes, this is %s", value.Describe(v)).WithHelp("`memory = 64e6` is 64 megabytes")
		}
		k.Memory = int64(a.Data[0])
	}
	if v, ok := s.Args["checkpoints"]; ok {
		if v != value.Word("recursive") {
			return nil, diag.New("E0704", s.Span, "`checkpoints` must be `recursive`, this is %s", value.Describe(v)).WithHelp("leave it out for as few steps made again as memory allows")
		}
		k.Recursive = true
	}
	return told, nil
}
