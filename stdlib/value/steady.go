package value

import (
	"github.com/udl-lang/udl/lang/types"
	"github.com/udl-lang/udl/runtime/solve"
	"github.com/udl-lang/udl/runtime/system"
)

// Steady is a steady state with the model it is of.
type Steady struct {
	Of    *solve.Steady
	Model *Model

	outs []float64 // the lets there, made on demand
}

// Type implements Value.
func (*Steady) Type() string { return "a steady state" }

// piece is one quantity of a row.
func piece(row []float64, sl system.Slot) *Array {
	return &Array{Shape: sl.Shape, Data: append([]float64(nil), row[sl.Off:sl.Off+sl.Size()]...)}
}

// Member implements members: states, lets and inputs there, parameters, stability, eigenvalues, stats.
func (s *Steady) Member(name string) (Value, bool) {
	sys := s.Model.C.System
	for _, sl := range sys.States {
		if sl.Name == name {
			return piece(s.Of.X, sl), true
		}
	}
	for _, sl := range sys.Outs {
		if sl.Name == name {
			return piece(s.lets(), sl), true
		}
	}
	switch name {
	case "stability":
		return Text(s.Of.Stability), true
	case "eigenvalues":
		a := &Array{Shape: types.Shape{len(s.Of.Eigenvalues), 2}}
		for _, v := range s.Of.Eigenvalues {
			a.Data = append(a.Data, real(v), imag(v))
		}
		return a, true
	case "stats":
		return s.Stats(), true
	}
	return ThetaMember(sys, s.Of.Theta, name)
}

func (s *Steady) lets() []float64 {
	if s.outs == nil {
		f := s.Model.C.System.Output.Clone()
		_, _, n := f.Dims()
		s.outs = make([]float64, n)
		f.Eval(s.outs, s.Of.T, s.Of.X, s.Of.Theta)
	}
	return s.outs
}

// Names implements members.
func (s *Steady) Names() []string {
	var names []string
	for _, slots := range [][]system.Slot{s.Model.C.System.States, s.Model.C.System.Outs} {
		for _, sl := range slots {
			names = append(names, sl.Name)
		}
	}
	return append(names, "stability", "eigenvalues", "stats")
}

// Stats is the account of the search.
func (s *Steady) Stats() *Record {
	r, st := &Record{}, s.Of.Stats
	r.Put("how", Text(s.Of.How))
	r.Put("iterations", Num(float64(st.Iterations)))
	r.Put("residual", Num(st.Residual))
	r.Put("evaluations", Num(float64(st.Evals)))
	r.Put("jacobians", Num(float64(st.Jacobians)))
	r.Put("factorisations", Num(float64(st.Factors)))
	if st.Steps > 0 {
		r.Put("steps", Num(float64(st.Steps)))
	}
	r.Put("linear", Text(st.Linear))
	return r
}

// Record is the states and lets, by name: what may be given to `set` again, of the states.
func (s *Steady) Record(lets bool) *Record {
	r := &Record{}
	for _, sl := range s.Model.C.System.States {
		r.Put(sl.Name, piece(s.Of.X, sl))
	}
	if lets {
		for _, sl := range s.Model.C.System.Outs {
			r.Put(sl.Name, piece(s.lets(), sl))
		}
	}
	return r
}
